package views

import "strings"

// Collection is a collection's own page.
type Collection struct {
	Name, Description string
	Path              string       // its address; its pages lie below
	Back              string       // the list of collections
	Current           VersionRow   // the one that is installed
	Versions          []VersionRow // newest first, a page of them
	Count             string       // "12 versions"
	OlderHref         string
	NewestHref        string // set on every page but the first
	MayChange         bool   // make another version current, delete
	ShareHref         string // the form that makes an access key
	Opener            bool   // it was sent just now: the keyboard goes back to what leads to it
	Shares            ShareList
}

// VersionRow is one version of a collection.
type VersionRow struct {
	Number                     int    // counted here, from 1
	Label                      string // what the manifest calls it; may be empty
	Current                    bool
	Size                       string // of the archive, "1.2 MiB"
	Entries                    int    // files in it
	SHA256                     string // 64 hex digits
	FileName                   string
	Description                string
	Installed                  Time
	By, ByHref                 string // the person; Href may be empty
	TokenPrefix, TokenLastFour string // empty: installed in the console
	Href                       string // its files
	ArchiveHref                string // the zip, as it was sent
	CurrentAction              string // where "Make current" is posted; empty for the current one
}

// Version is one version with its files.
type Version struct {
	Collection string // its name
	Path, Back string // of the collection, of the list of collections
	VersionRow
	Files     []FileRow
	Count     string // "318 files"
	MoreHref  string
	FirstHref string // set on every page but the first
	MayChange bool
}

// FileRow is one file of a version.
type FileRow struct{ Path, Size, SHA256, Href string }

// CollectionDelete asks for the collection's name before it is deleted.
type CollectionDelete struct {
	Name, Path, Back string
	Versions         string // "12 versions"
	Size             string // of their archives together
	Form             Form   // name
}

// Upload is the form that installs a collection from the console.
type Upload struct {
	Action  string   // where it is posted
	May     bool     // the reader may install
	Limits  []string // what a file may hold, a sentence each: "The .zip file itself: up to 100 MiB."
	Form    Form     // collectionFile
	MaxSize int64    // bytes, for the script to say so before it sends

	TooLarge string // what it says then
}

// called is how a sentence speaks of a version: "Version 4".
func (v VersionRow) called() string { return "Version " + count(v.Number) }

// page puts the title, the place and the breadcrumb of a collection on a page.
func (c Collection) page(p Page) Page {
	return p.as(c.Name, NavCollections, p.home(), Crumb{"Collections", c.Back}, Crumb{Text: c.Name})
}

func (v Version) page(p Page) Page {
	return p.as(v.Collection+", "+firstLower(v.called()), NavCollections,
		p.home(), Crumb{"Collections", v.Back}, Crumb{v.Collection, v.Path}, Crumb{Text: v.called()})
}

func (d CollectionDelete) page(p Page) Page {
	return p.as("Delete "+d.Name, NavCollections,
		p.home(), Crumb{"Collections", d.Back}, Crumb{d.Name, d.Path}, Crumb{Text: "Delete"})
}

func (d CollectionDelete) asks() question {
	return question{
		title: "Delete " + d.Name + "?", action: d.Path + "/delete", verb: "Delete collection", glyph: "trash",
		kind: "stop", keep: "Keep collection", back: d.Path, body: deleteBody(d),
	}
}

func (d CollectionDelete) asksFor() string {
	return "Type the collection’s name, " + d.Name + ", to delete it"
}

// goes says what is lost.
func (d CollectionDelete) goes() string {
	return "All of it goes: " + d.Versions + " with all files, " + d.Size + " of archives."
}

func firstLower(text string) string {
	if text == "" {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}
