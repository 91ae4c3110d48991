package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// everyway runs a flow on PostgreSQL with scripts and on SQLite without: neither the database nor the browser can tell what
// the other does, and the flows of inConsole have SQLite with scripts.
func everyway(t *testing.T, flow func(t *testing.T, s webtest.Site, b *Tab)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := webtest.Start(t, w)
		flow(t, s, Open(t, Options{Base: s.URL, NoScript: w.URL == ""}))
	})
}

// setUp goes through the set-up page.
func setUp(t *testing.T, s webtest.Site, b *Tab) {
	t.Helper()
	code, err := s.OfferSetup(t.Context(), models.Actor{Kind: models.System, RequestID: models.NewID()})
	if err != nil {
		t.Fatal(err)
	}
	b.Go("/setup?code=" + code.Reveal())
	b.Fill("Your name", "Ines Moreau")
	b.Fill("Email address", "ines@marlowe.example")
	b.Fill("Password", storetest.Password)
	b.Fill("Workspace name", "Marlowe Press")
	b.Click("Finish set-up")
}

// openRecord goes to one's own record through the list of people.
func openRecord(b *Tab) {
	b.In("nav[aria-label=Main]").Click("People")
	b.In("main").Click("Ines Moreau")
}

// signIn signs the first Admin in.
func signIn(b *Tab, email string) {
	b.Go("/signin")
	b.Fill("Email address", email)
	b.Fill("Password", storetest.Password)
	b.Click("Sign in")
}

// moduleZip is a real archive that nobody here wrote: a module from Go's cache.
func moduleZip(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("GOMODCACHE")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		if gopath := os.Getenv("GOPATH"); gopath != "" {
			home = filepath.Dir(filepath.Join(filepath.SplitList(gopath)[0], "x"))
		} else {
			home = filepath.Join(home, "go")
		}
		cache = filepath.Join(home, "pkg", "mod")
	}
	found, err := filepath.Glob(filepath.Join(cache, "cache/download/github.com/google/uuid/@v/*.zip"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no module zip in %s: %v", cache, err)
	}
	return found[0]
}

// install sends the zip as the seed's curl command does.
func install(t *testing.T, s webtest.Site, token string) *webtest.Answer {
	t.Helper()
	file, err := os.Open(moduleZip(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return s.Browser(t).Upload(t, "/installCollection", "collectionFile", "myCollection.zip", file, "Authorization", "Bearer "+token)
}

// The main job, as seed 001 tells it: set up, open a person, create the token, copy it, install a
// collection with it, see it in the console; create another, which replaces the first; revoke.
func TestMainJob(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		openRecord(b)
		b.Click("Create Bearer Token")
		first := b.Text("#reveal #token")
		if len(first) != 54 || !strings.HasPrefix(first, "user_") {
			t.Fatalf("the popup shows %q", first)
		}
		if b.Text("#token-expires") != "21 Nov 2027, 09:30 UTC" {
			t.Errorf("it expires %s", b.Text("#token-expires"))
		}
		b.ClickCSS("#token")
		if got := strings.TrimSpace(b.Selection()); got != first {
			t.Errorf("one click selects %q", got)
		}
		if !b.with.NoScript {
			b.Click("Copy token")
			if b.Clipboard() != first {
				t.Error("Copy did not copy the token")
			}
		}
		b.Click("I have stored it")
		if strings.Contains(b.HTML(), first) {
			t.Error("the record holds the secret")
		}
		install(t, s, first).Want(t, http.StatusOK).Has(t, "Collection installed successfully from myCollection.zip.")
		b.In(".side").Click("Collections")
		if !b.Has("myCollection") || !b.Has(first[:8]) || !b.Has("Ines Moreau") {
			t.Errorf("the Collections tab says %s", b.Text("main"))
		}
		second := replaceToken(t, b, first)
		install(t, s, first).Want(t, http.StatusUnauthorized).Has(t, "Token was replaced")
		install(t, s, second).Want(t, http.StatusOK).Has(t, "nothing changed")
		revokeToken(t, s, b, second)
	})
}

// replaceToken creates another token, and both moments say that it replaces the first.
func replaceToken(t *testing.T, b *Tab, first string) string {
	t.Helper()
	openRecord(b)
	b.Click("Create Bearer Token")
	if !b.Has("Creating a new token replaces the previous one") || !b.Has(first[:8]) {
		t.Errorf("before replacing the page says %s", b.Text("body"))
	}
	b.Click("Create new token")
	second := b.Text("#reveal #token")
	if second == first || !b.Has("no longer works") {
		t.Errorf("after replacing the popup says %s", b.Text("#reveal"))
	}
	b.Click("I have stored it")
	if !b.Has("Replaced") {
		t.Errorf("the record does not list the replaced token: %s", b.Text("main"))
	}
	return second
}

// revokeToken revokes the token from the record, with a reason that the audit log keeps.
func revokeToken(t *testing.T, s webtest.Site, b *Tab, token string) {
	t.Helper()
	b.In("main").Click("Revoke")
	b.Fill("Reason (optional)", "the build server was retired")
	b.Click("Revoke token")
	if !b.Has("is revoked") || !b.Has("No working bearer token") {
		t.Errorf("after revoking the record says %s", b.Text("main"))
	}
	install(t, s, token).Want(t, http.StatusUnauthorized).Has(t, "Token was revoked")
	b.In("nav[aria-label=Main]").Click("Audit log")
	if !b.Has("revoked the bearer token of") {
		t.Errorf("the audit log says %s", b.Text("main"))
	}
}

// Two tabs are two forms: two presses, two tokens, of which the second replaced the first.
func TestTwoTabs(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		openRecord(b)
		other := b.Another()
		other.Go("/people")
		other.In("main").Click("Ines Moreau")
		b.Click("Create Bearer Token")
		other.Click("Create Bearer Token")
		first, second := b.Text("#token"), other.Text("#token")
		install(t, s, first).Want(t, http.StatusUnauthorized).Has(t, "Token was replaced")
		install(t, s, second).Want(t, http.StatusOK)
	})
}

// A double click makes one token. With scripts the second click is ignored and the secret is there;
// without, the answer to the second says what happened.
func TestDoubleClick(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		openRecord(b)
		b.DoubleClick("Create Bearer Token")
		shown := b.Count("#reveal #token") == 1
		if !shown && (!b.with.NoScript || !b.Has("This token was already shown")) {
			t.Errorf("after a double click the page says %s", b.Text("body"))
		}
		tokens, _, err := s.Credentials(t.Context(), models.Actor{Kind: models.Command}, 10)
		if err != nil || len(tokens) != 1 {
			t.Errorf("%d tokens were made, want one (%v)", len(tokens), err)
		}
	})
}
