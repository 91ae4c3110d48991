package static

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// Every file is reachable by the address that pages use for it, and that address may be cached without end.
func TestURLLeadsToTheFile(t *testing.T) {
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		asked, ok := strings.CutPrefix(URL(name), Prefix)
		if !ok {
			t.Errorf("URL(%q) = %q is not below %s", name, URL(name), Prefix)
		}
		if got, hashed, ok := Lookup(asked); got != name || !hashed || !ok {
			t.Errorf("Lookup(%q) = %q, %v, %v; want %q, true, true", asked, got, hashed, ok, name)
		}
		if got, hashed, ok := Lookup(name); got != name || hashed || !ok {
			t.Errorf("Lookup(%q) = %q, %v, %v; want %q, false, true", name, got, hashed, ok, name)
		}
		body, contentType := Read(name)
		if len(body) == 0 || contentType == "" {
			t.Errorf("Read(%q) has %d bytes of type %q", name, len(body), contentType)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The hash is the content's: an outdated, a shortened or an invented name finds nothing, and nothing
// outside the embedded files can be named.
func TestLookupRefusesWhatIsNotThere(t *testing.T) {
	for _, asked := range []string{"", ".", "app.000000000000.css", "app..css", "fonts", "fonts/", "/app.css", "../static/app.css", "fonts/../app.css", "static.go", "app.css/"} {
		if name, hashed, ok := Lookup(asked); ok || hashed {
			t.Errorf("Lookup(%q) = %q, %v, %v; want nothing", asked, name, hashed, ok)
		}
	}
	if body, contentType := Read("static.go"); body != nil || contentType != "" {
		t.Errorf("Read of a name that is not there gives %d bytes of type %q", len(body), contentType)
	}
}

// A name that is not there is a mistake of the program, found when the page is first drawn.
func TestURLPanicsForAnUnknownName(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("URL of an unknown name did not panic")
		}
	}()
	URL("nothing.css")
}

// The stylesheet names every file by its hashed name, and loads nothing that is inline or elsewhere.
func TestStylesheetNamesHashedFiles(t *testing.T) {
	sheet, _ := Read("app.css")
	found := regexp.MustCompile(`url\(([^)]*)\)`).FindAllSubmatch(sheet, -1)
	if len(found) < 5 {
		t.Fatalf("found %d references, want the three fonts, the arrow and the line art", len(found))
	}
	for _, match := range found {
		if _, hashed, ok := Lookup(path.Clean(string(match[1]))); !ok || !hashed {
			t.Errorf("the stylesheet names %s, which is not a hashed file", match[1])
		}
	}
	if bytes.Contains(sheet, []byte("@import")) {
		t.Error("the stylesheet imports another one")
	}
}

// A font may only be passed on with its licence.
func TestFontsHaveTheirLicences(t *testing.T) {
	for _, name := range []string{"fonts/OFL-Geist.txt", "fonts/OFL-GeistMono.txt"} {
		if body, _ := Read(name); !bytes.Contains(body, []byte("SIL OPEN FONT LICENSE")) {
			t.Errorf("%s does not hold the licence", name)
		}
	}
}
