package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// inConsole runs a flow of an Admin who is signed in, with scripts and without, on SQLite: what depends on
// the database is tested without a browser.
func inConsole(t *testing.T, flow func(t *testing.T, s webtest.Site, b *Tab), options ...webtest.Option) {
	t.Helper()
	for mode, with := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := webtest.SQLite(t, options...)
			with.Base = s.URL
			b := Open(t, with)
			signIn(b, "ines@marlowe.example")
			flow(t, s, b)
		})
	}
}

// fileOf writes a file and returns its path.
func fileOf(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// packed is a zip of files, given as pairs of name and content.
func packed(t *testing.T, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i+1 < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: files[i], Method: zip.Store})
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// bulky is a zip of about this size.
func bulky(t *testing.T, size int) []byte {
	t.Helper()
	return packed(t, "noise.bin", strings.Repeat("0123456789abcdef", size/16))
}

const collectionsTab = settings + "/collections"

// until waits until a JavaScript expression is true of the page.
func until(b *Tab, expression string) {
	b.t.Helper()
	ask(b, "wait until "+expression, func(ctx context.Context) (bool, error) {
		is, err := evaluate[bool](ctx, expression)
		if err == nil && !is {
			err = errors.New("it is not so")
		}
		return is, err
	})
}

// installedNow is the collections of the workspace.
func installedNow(t *testing.T, s webtest.Site) []models.CollectionSeen {
	t.Helper()
	w, err := s.Workspace(t.Context(), s.Admin, "marlowe-press")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := s.Collections(t.Context(), w.ID, models.Place{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// addressOf is the address of a collection's page.
func addressOf(t *testing.T, s webtest.Site, name string) string {
	t.Helper()
	for _, seen := range installedNow(t, s) {
		if seen.Name == name {
			return collectionsTab + "/" + seen.ID
		}
	}
	t.Fatalf("%s is not installed", name)
	return ""
}

// twoVersions installs the versions 1 and 2 of the collection "site" and returns their bytes.
func twoVersions(t *testing.T, s webtest.Site) (one, two []byte) {
	t.Helper()
	one = packed(t, "collection.json", `{"name": "site", "version": "1.0.0", "description": "What the shop shows."}`, "index.html", page1, "img/logo.svg", logo)
	two = packed(t, "collection.json", `{"name": "site", "version": "1.1.0", "description": "What the shop shows."}`, "index.html", page1+"<p>More</p>")
	a := s.SignedIn(t, "ines@marlowe.example")
	for _, content := range [][]byte{one, two} {
		a.Upload(t, collectionsTab, "collectionFile", "site.zip", bytes.NewReader(content)).Want(t, 303)
	}
	return one, two
}

// What a collection may hold that must never run here.
const (
	page1 = `<!doctype html><title>Shop</title><script>document.title = "ran"</script>`
	logo  = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
)

// A version's files and its archive are kept by the browser as they were sent, pages and pictures too.
func TestDownloads(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		one, two := twoVersions(t, s)
		b.Go(collectionsTab)
		b.In("main").Click("site")
		kept := func(link, name, content string) {
			t.Helper()
			before := b.URL()
			got := b.Download(func() { b.In("main").Click(link) })
			if got.Name != name || string(got.Content) != content {
				t.Errorf("%s: %q with %d bytes, want %q with %d", link, got.Name, len(got.Content), name, len(content))
			}
			if b.URL() != before || b.Title() == "ran" {
				t.Errorf("%s led to %s, %q", link, b.URL(), b.Title())
			}
		}
		kept("Download archive", "site.zip", string(two))
		kept("Download Version 1", "site.zip", string(one))
		b.Click("Files of Version 1")
		if b.Count("tbody tr") != 3 || !b.Has("img/logo.svg") {
			t.Errorf("the files are %s", b.Text("main"))
		}
		kept("Download index.html", "index.html", page1)
		kept("Download img/logo.svg", "logo.svg", logo)
		kept("Download archive", "site.zip", string(one))
		address := strings.Trim(b.Evaluate(`[...document.links].find(a => a.href.includes("index.html")).href`), `"`)
		got := b.Download(func() { b.Go(address) })
		if string(got.Content) != page1 || b.Title() == "ran" {
			t.Errorf("its address in the tab leads to %s", b.URL())
		}
	})
}

// An earlier version is made current, and the collection is deleted when its name is typed.
func TestCurrentAndDelete(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		twoVersions(t, s)
		b.Go(collectionsTab)
		b.In("main").Click("site")
		b.Click("Make current: Version 1")
		if !b.Has("site is at version 1 (1.0.0) now.") || !strings.Contains(b.Text(`tr[data-version="1"]`), "Current") {
			t.Errorf("after Make current: %s", b.Text("main"))
		}
		b.In("main").Click("Version 2")
		b.Click("Make current: Version 2")
		if !b.Has("site is at version 2 (1.1.0) now.") {
			t.Errorf("after Make current on the version's page: %s", b.Text("main"))
		}
		b.Click("Delete…")
		if !b.Has("All of it goes: 2 versions") {
			t.Errorf("the question is %s", b.Text("main"))
		}
		const ask = "Type the collection’s name, site, to delete it"
		b.Fill(ask, "sight")
		b.Click("Delete collection")
		if !b.Has("Type the name as it is written: site") || b.Value(ask) != "sight" || b.Status() != 422 {
			t.Errorf("a wrong name is answered with %d %s", b.Status(), b.Text("main"))
		}
		b.Fill(ask, "site")
		b.Click("Delete collection")
		if !b.Has("site is deleted, with all its versions.") || !b.Has("No collections yet") || len(installedNow(t, s)) > 0 {
			t.Errorf("after deleting: %s", b.Text("main"))
		}
	})
}

// A file is sent and a version made current by keyboard alone.
func TestCollectionsByKeyboard(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		twoVersions(t, s)
		b.Go("/")
		b.TabTo("Collections")
		b.Press("Enter")
		b.TabTo("Install collection")
		b.Press("Enter")
		b.Press("Tab")
		b.Choose(fileOf(t, "keys.zip", packed(t, "a.txt", "hello")), func() { b.Press("Enter") })
		b.TabTo("Install")
		b.Press("Enter")
		b.Wait("keys is installed, version 1.")
		b.Go(collectionsTab)
		b.TabTo("site")
		b.Press("Enter")
		b.TabTo("Make current: Version 1")
		b.Press("Enter")
		if !b.Has("site is at version 1 (1.0.0) now.") {
			t.Errorf("after Enter on Make current: %s", b.Text("main"))
		}
	})
}
