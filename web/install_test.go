package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// The whole of seed 001, from an installation that nobody has set up: the set-up page, People, the
// record, Create Bearer Token, and a program that installs a real zip with it, which the console shows.
func TestFromSetUpToAnInstalledCollection(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := webtest.Start(t, w)
		admin := setUpByPage(t, s)
		admin.Get(t, "/").Want(t, 200).Has(t, "Welcome, Ines")

		record := linkTo(t, admin.Get(t, "/people").Want(t, 200), "Ines Moreau")
		page := admin.Get(t, record).Want(t, 200)
		bar := page.Page(t).Find(`[role="group"][aria-label="Record actions"]`)
		if n := bar.Find("button").FilterFunction(named("Create Bearer Token")).Length(); n != 1 {
			t.Fatalf("%d buttons Create Bearer Token in the button bar", n)
		}
		shown := admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": page.Value(t, "form_id")}).Want(t, 200)
		token := shown.Text(t, "#reveal #token")
		if day := s.Clock.Now().AddDate(1, 0, 0).Format("2 Jan 2006"); !strings.Contains(shown.Text(t, "#token-expires"), day) {
			t.Errorf("it expires on %q, want %s", shown.Text(t, "#token-expires"), day)
		}

		archive := realZip(t)
		said := s.Browser(t).Upload(t, "/installCollection", "collectionFile", "myCollection.zip", bytes.NewReader(archive), "Authorization", "Bearer "+token).
			Want(t, 200).Envelope(t)
		if said.Message != "Collection installed successfully from myCollection.zip." {
			t.Errorf("it says %q", said.Message)
		}
		sum := sha256.Sum256(archive)
		for name, want := range map[string]any{
			"name": "myCollection", "version": 1.0, "sha256": hex.EncodeToString(sum[:]), "size": float64(len(archive)), "unchanged": false, "workspace": "marlowe-press",
		} {
			if said.Data[name] != want {
				t.Errorf("%s is %v, want %v", name, said.Data[name], want)
			}
		}
		if entries, _ := said.Data["entries"].(float64); entries < 5 || !models.ValidID(said.Data["collection_id"].(string)) {
			t.Errorf("%v", said.Data)
		}
		admin.Get(t, "/w/marlowe-press/settings/collections").Want(t, 200).Has(t, "myCollection").Has(t, "myCollection.zip").
			Has(t, token[:8]+"...").Has(t, "Ines Moreau")
		s.Flush(t)
		if calls := fact(t, admin.Get(t, record).Want(t, 200), "Usage"); !strings.HasPrefix(calls, "1 ") {
			t.Errorf("after one call the record shows the usage %q", calls)
		}
	})
}

// setUpByPage sets the console up with the code that the server prints, and is signed in by that.
func setUpByPage(t *testing.T, s webtest.Site) *webtest.Agent {
	t.Helper()
	code, err := s.OfferSetup(t.Context(), models.Actor{Kind: models.System})
	if err != nil {
		t.Fatal(err)
	}
	admin, where := s.Browser(t), "/setup?code="+code.Reveal()
	form := webtest.Form{
		"code": admin.Get(t, where).Want(t, 200).Value(t, "code"), "name": "Ines Moreau", "email": "ines@marlowe.example", "password": storetest.Password,
		"workspace": "Marlowe Press",
	}
	admin.Post(t, "/setup", form).To(t, "/")
	s.Browser(t).Get(t, where).Want(t, 404)
	s.Browser(t).Post(t, "/setup", form).Want(t, 404)
	return admin
}

// The same bytes again are the same version and say so; other bytes under the name make the next one,
// and the old bytes again bring the old version back.
func TestInstallingAgain(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		install := installer(t, s)
		one, two := zipOf(t, "a.txt", "one"), zipOf(t, "a.txt", "two")
		for i, step := range []struct {
			archive   []byte
			version   float64
			unchanged bool
		}{{one, 1, false}, {one, 1, true}, {two, 2, false}, {one, 1, false}, {one, 1, true}, {two, 2, false}} {
			said := install("pages.zip", step.archive).Want(t, 200).Envelope(t)
			if said.Data["version"] != step.version || said.Data["unchanged"] != step.unchanged {
				t.Errorf("step %d: %v, want version %v, unchanged %v", i, said.Data, step.version, step.unchanged)
			}
			if step.unchanged != strings.Contains(said.Message, "nothing changed") || !strings.HasPrefix(said.Message, "Collection installed successfully from pages.zip.") {
				t.Errorf("step %d says %q", i, said.Message)
			}
		}
	})
}

// The name is the manifest's, or else the file's; where a file's name has folders or what cannot be
// shown, it is only what is left.
func TestCollectionNames(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	install := installer(t, s)
	manifest := zipOf(t, "collection.json", `{"name":"House pages","version":"7.1","description":"All of them"}`)
	plain := zipOf(t, "a.txt", "a")
	for _, c := range []struct {
		file    string
		archive []byte
		name    string
	}{
		{"x.zip", manifest, "House pages"}, {"pages.ZIP", plain, "pages"}, {"../../etc/passwd.zip", plain, "passwd"}, {`C:\temp\pages two.zip`, plain, "pages two"},
		{"no-extension", plain, "no-extension"}, {"a<b>bold.zip", plain, "a<b>bold"}, {"caf\u00e9\u202e.zip", plain, "caf\u00e9"},
		{strings.Repeat("é", 400) + ".zip", plain, strings.Repeat("é", 200)},
	} {
		said := install(c.file, c.archive).Want(t, 200).Envelope(t)
		if said.Data["name"] != c.name {
			t.Errorf("%.40q is named %q, want %q", c.file, said.Data["name"], c.name)
		}
	}
	page := s.SignedIn(t, "ines@marlowe.example").Get(t, "/w/marlowe-press/settings/collections").Want(t, 200)
	page.Has(t, "House pages").Has(t, "7.1")
	if page.Page(t).Find("td b").Length() > 0 {
		t.Error("a file's name became markup")
	}
}

// installer is a program with an Admin's token.
func installer(t *testing.T, s webtest.Site, headers ...string) func(file string, archive []byte) *webtest.Answer {
	t.Helper()
	_, token := s.Token(t, s.Admin, s.Admin.ID)
	program := s.Browser(t)
	return func(file string, archive []byte) *webtest.Answer {
		t.Helper()
		return program.Upload(t, "/installCollection", "collectionFile", file, bytes.NewReader(archive), append(headers, "Authorization", "Bearer "+token.Reveal(), "Accept", "text/html")...)
	}
}

// realZip is an archive that nobody here made: a module as Go's proxy packs it.
func realZip(t *testing.T) []byte {
	t.Helper()
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(cache)), "cache/download/github.com/google/uuid/@v/*.zip"))
	if len(found) == 0 {
		storetest.Missing(t, "the module cache has no zip of github.com/google/uuid")
	}
	archive, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// The token of the popup works for a year to the microsecond, and then says that it has expired.
func TestTheTokenLivesForOneYear(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		install := installer(t, s)
		made := s.Clock.Now()
		s.Clock.Advance(made.AddDate(1, 0, 0).Sub(made) - time.Microsecond)
		install("a.zip", zipOf(t, "a.txt", "a")).Want(t, 200)
		s.Clock.Advance(time.Microsecond)
		said := install("a.zip", zipOf(t, "a.txt", "a")).Want(t, 401).Envelope(t)
		if !strings.HasPrefix(said.Message, "Token has expired. ") || !strings.Contains(said.Message, "Create a new token on the user record") {
			t.Errorf("it says %q", said.Message)
		}
	})
}
