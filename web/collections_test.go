package web_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/web/webtest"
)

const collections = "/w/marlowe-press/settings/collections"

// upload sends a collection file from the console, as its form does.
func upload(t testing.TB, a *webtest.Agent, name string, archive []byte, headers ...string) *webtest.Answer {
	t.Helper()
	return a.Upload(t, collections, "collectionFile", name, bytes.NewReader(archive), headers...)
}

// A collection's page has its versions with who installed each, with what and when; a version's page has its files;
// and every link on them leads to what it says.
func TestTheCollectionsPages(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		token, text := s.Token(t, s.Admin, s.Admin.ID)
		s.Browser(t).Upload(t, "/installCollection", "collectionFile", "pages.zip", bytes.NewReader(zipOf(t, pieces...)), "Authorization", "Bearer "+text.Reveal()).Want(t, 200)
		admin := s.SignedIn(t, "ines@marlowe.example")
		second := zipOf(t, "collection.json", `{"name":"pages","version":"2.0 <b>","description":"House & pages"}`)
		page := admin.Get(t, upload(t, admin, "x.zip", second).Want(t, 303).Header.Get("Location")).Want(t, 200)
		page.Has(t, "pages is installed, version 2 (2.0 <b>).").Has(t, "House & pages")
		if row := rowOf(t, page, 2); !strings.Contains(row, "Current") || !strings.Contains(row, "The console") || !strings.Contains(row, "Ines Moreau") || strings.Contains(row, "Make current") {
			t.Errorf("version 2: %s", row)
		}
		if row := rowOf(t, page, 1); strings.Contains(row, "Current") || !strings.Contains(row, token.Prefix+"...") || !strings.Contains(row, "Make current") || !strings.Contains(row, fmt.Sprint(len(pieces)/2, " files")) {
			t.Errorf("version 1: %s", row)
		}
		list := admin.Get(t, collections).Want(t, 200)
		if to := linkTo(t, list, "pages"); to != strings.TrimSuffix(linkTo(t, page, "Version 1"), "/versions/1") {
			t.Errorf("the list leads to %s", to)
		}
		version := admin.Get(t, linkTo(t, page, "Version 1")).Want(t, 200)
		for i := 0; i < len(pieces); i += 2 {
			version.Has(t, pieces[i])
		}
		if n := version.Page(t).Find(`a[href*="/file?"]`).Length(); n != len(pieces)/2 {
			t.Errorf("%d files", n)
		}
		for _, page := range []*webtest.Answer{list, page, version} {
			if page.Page(t).Find("main b, main script").Length() > 0 {
				t.Error("something became markup")
			}
		}
		admin.Post(t, strings.TrimSuffix(linkTo(t, page, "Version 1"), "/versions/1")+"/versions/1/current", nil).Want(t, 303)
		if row := admin.Get(t, collections).Text(t, "tbody tr"); !strings.Contains(row, token.Prefix+"...") || strings.Contains(row, "The console") {
			t.Errorf("the list does not say with what the version was installed that is current: %s", row)
		}
	})
}

// rowOf is what the row of a version says.
func rowOf(t *testing.T, page *webtest.Answer, number int) string {
	t.Helper()
	return page.Text(t, fmt.Sprintf(`tr[data-version="%d"]`, number))
}

// The form of the console installs: what is new, what is there already, and what is a version again; it leads to the
// collection's page, which says which of them it was. A script is told the same place.
func TestUploadFromTheConsole(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, "ines@marlowe.example")
		one, two := zipOf(t, "a", "one"), zipOf(t, "a", "two")
		place := ""
		for i, step := range []struct {
			archive []byte
			says    string
		}{
			{one, "tools is installed, version 1."}, {one, "tools has these bytes already: version 1 is current, and nothing changed."}, {two, "tools is installed, version 2."},
			{one, "tools is at version 1 again. Before, version 2 was current."},
		} {
			to := upload(t, admin, "tools.zip", step.archive).Want(t, 303).Header.Get("Location")
			if place == "" {
				place = to
			}
			if to != place {
				t.Errorf("step %d leads to %s", i, to)
			}
			admin.Get(t, to).Want(t, 200).Has(t, step.says)
			admin.Get(t, to).HasNot(t, step.says) // once
		}
		a := upload(t, admin, "tools.zip", two, "Accept", "application/json").Want(t, 200)
		var said map[string]string
		if err := json.Unmarshal([]byte(a.Body), &said); err != nil || len(said) != 1 || said["location"] != place || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
			t.Errorf("a script is told %s (%v)", a.Body, err)
		}
		admin.Get(t, place).Has(t, "tools is at version 2 again.")
		form := admin.Get(t, collections).Page(t).Find(`main form[enctype="multipart/form-data"]`)
		if form.AttrOr("action", "") != collections || form.Find(`input[type="file"][name="collectionFile"]`).Length() != 1 {
			t.Error("the page has no form that uploads")
		}
		nothingSpooled(t, s)
	})
}

// Whatever is wrong with a file, the page comes back with the message beside the field, and nothing is installed; a
// script is told the same message.
func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Limits(small))
	admin := s.SignedIn(t, "ines@marlowe.example")
	bodies := refusedBodies(t)
	const form = "multipart/form-data; boundary=edge"
	bodies["another workspace"] = refusedBody{form, bodyOf(part("workspace", "", []byte("other")), part("collectionFile", "a.zip", zipOf(t, "a", "a"))), 0, ""}
	bodies["a manifest that is none"] = refusedBody{form, bodyOf(part("collectionFile", "a.zip", zipOf(t, "collection.json", `{"name":"`+strings.Repeat("x", 300)+`"}`))), 0, ""}
	for name, c := range bodies {
		before := s.Changes(t)
		page := admin.Send(t, "POST", collections, bytes.NewReader(c.body), "Content-Type", c.kind)
		if page.Status != 422 {
			t.Errorf("%s: status %d: %.300s", name, page.Status, page.Body)
			continue
		}
		said := page.Problem(t, "collectionFile")
		switch {
		case strings.Contains(c.says, "No file uploaded"), c.says == "put @ before the file's name":
			c.says = "Choose a collection file."
		case strings.HasPrefix(c.says, "Only .zip"):
			c.says = "This file is no zip, whatever its name says: it may be empty, or an error page. Choose a .zip file."
		}
		if !strings.HasPrefix(said, "Error: ") || len(said) < 20 || !strings.Contains(said, c.says) || strings.Contains(said, "curl") || strings.Contains(said, "-F") {
			t.Errorf("%s: beside the field it says %q, want %q", name, said, c.says)
		}
		if !strings.HasPrefix(page.Text(t, "title"), "Error: ") || page.Page(t).Find(`[role="alert"] a[href="#collectionFile"]`).Length() != 1 {
			t.Errorf("%s: no summary leads to the field", name)
		}
		script := admin.Send(t, "POST", collections, bytes.NewReader(c.body), "Content-Type", c.kind, "Accept", "application/json")
		var told map[string]string
		if err := json.Unmarshal([]byte(script.Body), &told); err != nil || script.Status != 422 || len(told) != 1 || "Error: "+told["message"] != said {
			t.Errorf("%s: a script is told %d, %s (%v)", name, script.Status, script.Body, err)
		}
		if s.Changes(t) != before {
			t.Errorf("%s: it changed something", name)
		}
	}
	nothingSpooled(t, s)
	admin.Get(t, collections).Has(t, "No collections yet").Has(t, "A .zip file of up to 1.0 MiB.").Has(t, "Up to 3 files and folders.")
}

// A Member sees collections and has no form that changes one: neither by a page nor by its address.
func TestMembersAndCollections(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		done := installed(t, s, s.Admin, "marlowe-press", "tools", zipOf(t, "a", "one"))
		installed(t, s, s.Admin, "marlowe-press", "tools", zipOf(t, "a", "two"))
		member := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		place, before := collections+"/"+done.Collection.ID, s.Changes(t)
		for _, path := range []string{collections, place, place + "/versions/1", place + "/versions/2"} {
			page := member.Get(t, path).Want(t, 200)
			if n := page.Page(t).Find(`main form, main a[href$="/delete"], main input[type="file"]`).Length(); n != 0 {
				t.Errorf("%s has %d forms for a Member", path, n)
			}
		}
		upload(t, member, "tools.zip", zipOf(t, "a", "three")).Want(t, 403).Has(t, "Admin access required")
		member.Post(t, place+"/versions/1/current", nil).Want(t, 403)
		member.Get(t, place+"/delete").Want(t, 403)
		member.Post(t, place+"/delete", webtest.Form{"typed": "tools"}).Want(t, 403)
		if s.Changes(t) != before {
			t.Error("a Member changed something")
		}
		nothingSpooled(t, s)
	})
}

// A collection is there in its own workspace alone, and reads elsewhere as one that does not exist; so does a version
// that is another collection's.
func TestCollectionsOfAnotherWorkspace(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		member := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		secondWorkspace(t, s, "harbour", "Harbour Books")
		theirs := installed(t, s, s.Admin, "harbour", "tools", zipOf(t, "a", "harbour only"))
		ours := installed(t, s, s.Admin, "marlowe-press", "tools", zipOf(t, "a", "ours"))
		installed(t, s, s.Admin, "marlowe-press", "tools", zipOf(t, "a", "ours too"))
		admin, before := s.SignedIn(t, "ines@marlowe.example"), s.Changes(t)
		missing := sentence(t, admin.Get(t, collections+"/"+models.NewID()).Want(t, 404))
		for _, tail := range []string{"", "/versions/1", "/versions/1/archive", "/versions/1/file?path=a", "/delete"} {
			if said := sentence(t, admin.Get(t, collections+"/"+theirs.Collection.ID+tail).Want(t, 404)); said != missing {
				t.Errorf("%s says %q", tail, said)
			}
			member.Get(t, "/w/harbour/settings/collections/"+theirs.Collection.ID+tail).Want(t, map[bool]int{true: 403, false: 404}[tail == "/delete"]).HasNot(t, "harbour only")
			member.Get(t, collections+"/"+theirs.Collection.ID+tail).Want(t, map[bool]int{true: 403, false: 404}[tail == "/delete"])
		}
		admin.Post(t, collections+"/"+theirs.Collection.ID+"/versions/1/current", nil).Want(t, 404)
		admin.Post(t, collections+"/"+theirs.Collection.ID+"/delete", webtest.Form{"typed": "tools"}).Want(t, 404)
		admin.Post(t, "/w/harbour/settings/collections/"+theirs.Collection.ID+"/versions/2/current", nil).Want(t, 404).Has(t, "no such version")
		admin.Get(t, collections+"/"+ours.Collection.ID+"/versions/3").Want(t, 404).Has(t, "no such version")
		if s.Changes(t) != before {
			t.Errorf("%d changes", s.Changes(t)-before)
		}
	})
}

// Making a version current, and deleting a collection whose name is typed, from the console; a wrong name comes back
// with what was typed, and nothing is deleted.
func TestChangingACollection(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		installed(t, s, s.Admin, "marlowe-press", "House tools", zipOf(t, "a", "one"))
		place := collections + "/" + installed(t, s, s.Admin, "marlowe-press", "House tools", zipOf(t, "a", "two")).Collection.ID
		admin := s.SignedIn(t, "ines@marlowe.example")
		form := admin.Get(t, place).Want(t, 200).Page(t).Find(`form[action$="/current"]`)
		if form.Length() != 1 || form.AttrOr("action", "") != place+"/versions/1/current" {
			t.Fatalf("%d forms to %s", form.Length(), form.AttrOr("action", ""))
		}
		admin.Post(t, form.AttrOr("action", ""), nil).To(t, place)
		page := admin.Get(t, place).Want(t, 200).Has(t, "House tools is at version 1 now.")
		if !strings.Contains(rowOf(t, page, 1), "Current") || !strings.Contains(rowOf(t, page, 2), "Make current") {
			t.Error("version 1 is not current")
		}
		before := s.Changes(t)
		admin.Post(t, place+"/versions/1/current", nil).To(t, place) // is so already
		for _, path := range []string{"/versions/3/current", "/versions/0/current", "/versions/x/current", "/versions/99999999999/current"} {
			admin.Post(t, place+path, nil).Want(t, 404)
		}
		ask := admin.Get(t, linkTo(t, page, "Delete…")).Want(t, 200).Has(t, "Delete House tools?").Has(t, "2 versions")
		if ask.Page(t).Find(`main form input[name="typed"][value]:not([value=""])`).Length() > 0 {
			t.Error("the name is typed already")
		}
		for _, wrong := range []string{"", "house tools", "House", `"><script>`} {
			back := admin.Post(t, place+"/delete", webtest.Form{"typed": wrong}).Want(t, 422)
			if said := back.Problem(t, "typed"); !strings.Contains(said, "Type the name as it is written: House tools") || back.Page(t).Find(`[name="typed"]`).AttrOr("value", "") != wrong {
				t.Errorf("%q: it says %q", wrong, said)
			}
		}
		if s.Changes(t) != before {
			t.Errorf("%d changes", s.Changes(t)-before)
		}
		admin.Post(t, place+"/delete", webtest.Form{"typed": "House tools"}).To(t, collections)
		admin.Get(t, collections).Want(t, 200).Has(t, "House tools is deleted, with all its versions.").Has(t, "No collections yet")
		for _, path := range []string{"", "/versions/1", "/versions/1/archive", "/versions/1/file?path=a", "/delete"} {
			admin.Get(t, place+path).Want(t, 404)
		}
		admin.Post(t, place+"/delete", webtest.Form{"typed": "House tools"}).Want(t, 404)
		admin.Get(t, "/audit").Want(t, 200).Has(t, "Ines Moreau deleted the collection House tools").Has(t, "made another version of the collection House tools current, version 1 after 2")
	})
}

// Many versions, and many files, are shown in pages, each once; a place in them that is none is 400.
func TestPagesOfVersionsAndFiles(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		var files []string
		for i := range models.PageSize + 5 {
			files = append(files, fmt.Sprintf("ä & %03d", i), "x")
			if i > 0 {
				installed(t, s, s.Admin, "marlowe-press", "tools", zipOf(t, "a", fmt.Sprint(i)))
			}
		}
		place := collections + "/" + installed(t, s, s.Admin, "marlowe-press", "tools", zipOf(t, files...)).Collection.ID
		admin := s.SignedIn(t, "ines@marlowe.example")
		walk := func(path, item, more string) map[string]bool {
			seen := map[string]bool{}
			for pages := 0; path != "" && pages < 5; pages++ {
				page := admin.Get(t, path).Want(t, 200)
				page.Page(t).Find(item).Each(func(_ int, found *goquery.Selection) {
					if text := strings.Join(strings.Fields(found.Text()), " "); seen[text] {
						t.Errorf("%s is there twice", text)
					} else {
						seen[text] = true
					}
				})
				path = page.Page(t).Find(`nav[aria-label="Pages"] a`).FilterFunction(named(more)).AttrOr("href", "")
			}
			return seen
		}
		admin.Get(t, place).Want(t, 200).Has(t, fmt.Sprint(models.PageSize+5, " versions"))
		if n := len(walk(place, "tr[data-version]", "Older")); n != models.PageSize+5 {
			t.Errorf("%d versions", n)
		}
		if n := len(walk(fmt.Sprint(place, "/versions/", models.PageSize+5), `tbody td:first-child`, "Show more")); n != models.PageSize+5 {
			t.Errorf("%d files", n)
		}
		for _, odd := range []string{"0", "-1", "x", "1.5", "2147483648", "99999999999", "9223372036854775808", " 1"} {
			admin.Get(t, place+"?"+url.Values{"after": {odd}}.Encode()).Want(t, 400).Has(t, "Start again at the collection")
		}
		admin.Get(t, place+"?after=1").Want(t, 200)
		admin.Get(t, place+"?after=2147483647").Want(t, 200)
		admin.Get(t, place+"/versions/1?after=zzz").Want(t, 400).Has(t, "Start again at the version")
	})
}

// The store is away in the middle of an upload: the page says that it could not be found out, and nothing stays.
func TestAnUploadWithoutADatabase(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		closing := s.OpenWith(t, func(*store.Settings) {})
		there := webtest.Start(t, s.World, webtest.Over(closing))
		admin := there.SignedIn(t, "ines@marlowe.example")
		body, send := io.Pipe()
		go func() {
			packed := bodyOf(part("collectionFile", "a.zip", zipOf(t, "a", "a")))
			_, err := send.Write(packed[:len(packed)-20])
			_ = closing.Close()
			if err == nil {
				_, err = send.Write(packed[len(packed)-20:])
			}
			send.CloseWithError(err)
		}()
		admin.Send(t, "POST", collections, body, "Content-Type", "multipart/form-data; boundary=edge").Want(t, 503)
		nothingSpooled(t, there)
		s.SignedIn(t, "ines@marlowe.example").Get(t, collections).Has(t, "No collections yet")
	})
}

// installed has somebody install an archive into a workspace, without the page.
func installed(t testing.TB, s webtest.Site, who models.Actor, workspace, name string, archive []byte) models.Installed {
	t.Helper()
	packed, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(archive)
	n := models.NewInstall{Workspace: workspace, FileName: name + ".zip", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(archive)), Content: bytes.NewReader(archive)}
	for _, f := range packed.File {
		n.Files = append(n.Files, models.CollectionFile{Path: f.Name, Size: int64(f.UncompressedSize64)})
	}
	done, err := s.InstallCollection(t.Context(), who, n)
	if err != nil {
		t.Fatal(err)
	}
	return done
}
