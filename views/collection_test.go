package views_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/views"
)

func buttons(s *goquery.Selection) string {
	return strings.Join(s.Find("a.btn, button[type=submit]").Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("aria-label", read(s))
	}), "; ")
}

// What changes a collection is offered to whoever may, and never for the version that is current already.
func TestWhatCanBeDoneWithACollection(t *testing.T) {
	for may, want := range map[bool][3]string{
		true:  {"Download archive; Delete…", "Files of Version 4; Download Version 4", "Make current: Version 3; Files of Version 3; Download Version 3"},
		false: {"Download archive", "Files of Version 4; Download Version 4", "Files of Version 3; Download Version 3"},
	} {
		c := collection()
		c.MayChange = may
		doc, _ := draw(t, views.CollectionPage(page(), c))
		for i, css := range []string{".head .acts", "[data-version='4'] .acts", "[data-version='3'] .acts"} {
			if got := buttons(doc.Find(css)); got != want[i] {
				t.Errorf("may %v: %s offers %q, want %q", may, css, got, want[i])
			}
		}
	}
}

// A version says how it came: who installed it and with which token, or that it was in the console.
func TestVersionsSayHowTheyCame(t *testing.T) {
	doc, _ := draw(t, views.CollectionPage(page(), collection()))
	for number, want := range map[string]string{"3": "user_4mQ... ends in 9xZ1", "2": "The console"} {
		if got := read(doc.Find("[data-version='" + number + "'] td[data-l=With]")); got != want {
			t.Errorf("version %s: %q, want %q", number, got, want)
		}
	}
	if badge := doc.Find("[data-version] .badge"); badge.Length() != 1 || read(badge) != "Current" || badge.Closest("tr").AttrOr("data-version", "") != "4" {
		t.Errorf("current is %q", read(badge.Closest("tr")))
	}
}

// The whole digest can be copied, and each button says of what.
func TestFilesOfAVersion(t *testing.T) {
	doc, _ := draw(t, views.CollectionVersion(page(), version(collection().Versions[1], true)))
	if h1 := doc.Find("h1").Text(); h1 != "Spring list 2026, version 3" {
		t.Errorf("the heading is %q", h1)
	}
	row := doc.Find("tbody tr").First()
	if copied := row.Find("[data-copy]"); copied.AttrOr("data-copy", "") != sampleHash || read(copied) != "Copy SHA-256 of collection.json" {
		t.Errorf("copies %q as %q", copied.AttrOr("data-copy", ""), read(copied))
	}
	if link := row.Find(".corner a"); read(link) != "Download collection.json" || link.AttrOr("href", "") != collectionPath+"/versions/3/files/1" {
		t.Errorf("%q leads to %q", read(link), link.AttrOr("href", ""))
	}
}

// Before a collection is deleted its name has to be typed, and the page says what goes and what stays.
func TestDeletingACollectionAsksForItsName(t *testing.T) {
	doc, _ := draw(t, views.CollectionDeletePage(page(), views.CollectionDelete{Name: "Spring list 2026", Path: collectionPath, Versions: "12 versions", Size: "14 MiB"}))
	form := doc.Find(`main form[method=post][action="` + collectionPath + `/delete"]`)
	if label := form.Find("label[for=typed]").Text(); label != "Type the collection’s name, Spring list 2026, to delete it" {
		t.Errorf("asks %q", label)
	}
	for _, words := range []string{"All of it goes: 12 versions with all files, 14 MiB of archives.", "Nobody can download it from the next second.", "stays in the audit log"} {
		if !strings.Contains(form.Text(), words) {
			t.Errorf("does not say %q", words)
		}
	}
	if got := buttons(form); got != "Keep collection; Delete collection" {
		t.Errorf("offers %q", got)
	}
	if back := form.Find("a.btn").AttrOr("href", ""); back != collectionPath {
		t.Errorf("Keep leads to %q", back)
	}
}

// The form that installs works without script and tells script what it needs; whoever may not install
// sees the limits and the command only.
func TestInstallForm(t *testing.T) {
	upload := views.Upload{Action: "/w/marlowe/settings/collections", May: true, MaxSize: 1 << 20, TooLarge: "Larger than 1.0 MiB.", Limits: []string{"A .zip file of up to 1.0 MiB."}}
	doc, _ := draw(t, views.SettingsCollections(page(), views.CollectionList{Upload: upload}))
	form := doc.Find(`#install form[method=post][enctype="multipart/form-data"][data-upload]`)
	if form.AttrOr("data-max", "") != "1048576" || form.AttrOr("data-too-large", "") != "Larger than 1.0 MiB." {
		t.Errorf("script is told %s", outer(form))
	}
	if !form.Find("input[type=file][name=collectionFile]").Is("[aria-describedby=collectionFile-hint]") {
		t.Error("the field does not name the limits")
	}
	if !form.Find(".sending").Is("[hidden]") || form.Find("[type=submit]").Length() != 1 {
		t.Error("the progress shows before anything is sent, or there are several buttons to send")
	}
	if doc.Find(`.head a[href="#install"]`).Length() != 1 {
		t.Error("nothing leads to the form")
	}
	upload.May = false
	doc, _ = draw(t, views.SettingsCollections(memberPage(), views.CollectionList{Upload: upload}))
	if doc.Find("#install form").Length()+doc.Find(`.head a`).Length() != 0 {
		t.Error("a form for someone who may not install")
	}
	said := doc.Find("#install").Text()
	for _, words := range []string{"A .zip file of up to 1.0 MiB.", "curl -X POST", "Needs Admin access, here and in a build."} {
		if !strings.Contains(said, words) {
			t.Errorf("does not say %q", words)
		}
	}
}

// The record shows the last tokens that ended, and leads to all of them.
func TestAllTokensThatEnded(t *testing.T) {
	r := ines()
	r.EarlierMore = "/people/p1/tokens"
	doc, _ := draw(t, views.Person(page(), r))
	if link := doc.Find(`[aria-labelledby=earlier-title] .pager a`); read(link) != "Show all" || link.AttrOr("href", "") != "/people/p1/tokens" {
		t.Errorf("%q leads to %q", read(link), link.AttrOr("href", ""))
	}
	doc, _ = draw(t, views.PersonTokens(page(), r, views.PastBearers{Tokens: r.Earlier, Count: "3 tokens"}))
	if n := doc.Find("[data-token-id]").Length(); n != 3 || read(doc.Find(".pager")) != "3 tokens" {
		t.Errorf("%d tokens and %q", n, read(doc.Find(".pager")))
	}
}
