package models

import (
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Collection is a named, versioned zip that is installed into a workspace.
type Collection struct {
	ID               string `gorm:"primaryKey"`
	WorkspaceID      string
	Name             string
	NameKey          string // folded; unique in the workspace
	CurrentVersionID string
	InstalledAt      time.Time // when the current version became that
	InstalledBy      string    // a person's ID
	CredentialID     string    // with which it was installed
	CreatedAt        time.Time `gorm:"autoCreateTime:false"`
}

// CollectionVersion is one archive that was installed under a collection's name. Versions are
// numbered from 1; the same bytes are the same version.
type CollectionVersion struct {
	ID           string `gorm:"primaryKey"`
	CollectionID string
	Number       int
	Label        string // the manifest's version, as it stands there
	Description  string
	FileName     string // what the sender called the file; for display only
	SHA256       string `gorm:"column:sha256"` // of the archive, in hexadecimal
	Size         int64  // of the archive, in bytes
	Entries      int
	InstalledAt  time.Time
	InstalledBy  string // a person's ID
	CredentialID string // with which it was installed
}

// CollectionFile is one file in a version's archive.
type CollectionFile struct {
	VersionID string `gorm:"primaryKey"`
	Path      string `gorm:"primaryKey"`
	Size      int64
	SHA256    string `gorm:"column:sha256"`
}

// CollectionSeen is a collection with its current version, as the list shows it.
type CollectionSeen struct {
	Collection
	Version         CollectionVersion
	InstalledByName string     // who installed this version
	Credential      Credential // with which they did; empty: in the console
}

// CollectionWithin is a collection with the workspace that it is in.
type CollectionWithin struct {
	CollectionSeen
	Workspace Workspace
}

// VersionSeen is a version as a page shows it.
type VersionSeen struct {
	CollectionVersion
	Current         bool
	InstalledByName string
	Credential      Credential // with which it was installed; empty: in the console
}

// NewInstall is the input of an installation: an archive that was checked, and its bytes.
type NewInstall struct {
	Workspace   string // slug or ID; empty means the person's own
	FileName    string // as the sender gave it
	Name        string // the manifest's; empty means the file's
	Label       string
	Description string
	SHA256      string
	Size        int64
	Files       []CollectionFile
	Content     io.ReaderAt // Size bytes
}

// Clean brings the names into the form that is kept.
func (n *NewInstall) Clean() Problems {
	var p Problems
	if n.FileName = displayName(n.FileName); n.FileName == "" {
		n.FileName = "collection.zip"
	}
	n.Name, n.Label, n.Description = CleanText(n.Name), CleanText(n.Label), CleanText(n.Description)
	if n.Name == "" {
		n.Name = strings.TrimSpace(strings.TrimSuffix(n.FileName, extension(n.FileName)))
	}
	if n.Name == "" {
		n.Name = "collection"
	}
	p.Add(utf8.RuneCountInString(n.Name) > 200, "name", "The collection's name must be 200 characters or fewer.")
	p.Add(!Printable(n.Name), "name", "The collection's name has characters that can't be shown.")
	p.Add(utf8.RuneCountInString(n.Label) > 100 || !Printable(n.Label), "version", "The manifest's version must be at most 100 characters that can be shown.")
	p.Add(utf8.RuneCountInString(n.Description) > 4000 || !Printable(n.Description), "description", "The manifest's description must be at most 4,000 characters that can be shown.")
	return p
}

// Installed is the answer to an installation.
type Installed struct {
	Workspace  Workspace
	Collection Collection
	Version    CollectionVersion
	Unchanged  bool              // these bytes were current already
	Again      bool              // these bytes are an earlier version, which is current again
	Before     CollectionVersion // that was current before; the zero value when there was none
}

// displayName keeps of a sender's file name what can be shown: no folders, no characters that
// cannot be printed, at most 200 of the rest.
func displayName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return CleanText(Shorten(OnlyPrintable(name), 200))
}

func extension(name string) string {
	if len(name) > 4 && strings.EqualFold(name[len(name)-4:], ".zip") {
		return name[len(name)-4:]
	}
	return ""
}

// VersionName names a version for people: its number, and the manifest's label where it has one.
func (v CollectionVersion) VersionName() string {
	if v.Label == "" {
		return strconv.Itoa(v.Number)
	}
	return strconv.Itoa(v.Number) + " (" + v.Label + ")"
}
