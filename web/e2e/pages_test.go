package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// narrow is the smallest window that every page must fit into.
const narrow = 360

// see keeps pictures of a page in light and dark, on a desk and in a hand; it fails for what axe finds
// and for a page that is wider than its window, also the smallest.
func see(t *testing.T, b *Tab, name string) {
	t.Helper()
	b.Look(name)
	b.Viewport(narrow, 740)
	if b.HorizontalOverflow() {
		t.Errorf("%s is wider than %d pixels", name, narrow)
	}
	b.Viewport(desktop.width, desktop.height)
}

// Every page of the console, with something on it, as the pictures in build/screens have it.
func TestEveryPage(t *testing.T) {
	s := webtest.SQLite(t)
	member := s.Person(t, s.Admin, models.Member)
	gone := s.Person(t, s.Admin, models.Member)
	if _, err := s.DeactivatePerson(t.Context(), s.Admin, gone.ID); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, text := s.Token(t, s.Admin, s.Admin.ID)
		install(t, s, text.Reveal()).Want(t, http.StatusOK)
	}
	s.Flush(t)
	b := Open(t, Options{Base: s.URL})
	b.Go("/signin")
	see(t, b, "sign-in")
	b.Fill("Email address", "ines@marlowe.example")
	b.Fill("Password", "not the right password")
	b.Click("Sign in")
	see(t, b, "sign-in-error")
	signIn(b, "ines@marlowe.example")
	see(t, b, "overview")
	b.Click("Your account menu")
	see(t, b, "overview--me")
	own, other := "/people/"+s.Admin.ID, "/people/"+member.ID
	for name, path := range map[string]string{
		"people": "/people", "people-none": "/people?q=moraeu", "people-new": "/people/new",
		"person": own, "person-member": other, "person-deactivated": "/people/" + gone.ID,
		"person-bearer": own + "/bearer-token", "person-bearer-member": other + "/bearer-token",
		"person-revoke": own + "/bearer-token/revoke", "person-deactivate": other + "/deactivate", "person-sign-out": other + "/sign-out",
		"account": "/account", "settings-general": "/w/marlowe-press/settings", "settings-collections": "/w/marlowe-press/settings/collections",
		"audit": "/audit",
	} {
		b.Go(path)
		see(t, b, name)
	}
	for name, dialog := range map[string]string{
		"person--bearer": "Create Bearer Token", "person--revoke": "Revoke", "person--deactivate": "Deactivate",
	} {
		b.Go(own)
		b.In("main").Click(dialog)
		see(t, b, name)
	}
	b.Go(own)
	b.Fill("Name", "")
	b.Fill("Email address", "nobody")
	b.Click("Save changes")
	see(t, b, "person-error")
	b.Go(own + "/bearer-token")
	b.Click("Create new token")
	see(t, b, "person-reveal")
}

// The pages that a stranger or a mistake sees.
func TestEdgePages(t *testing.T) {
	w := storetest.New(t, "")
	s := webtest.Start(t, w)
	b := Open(t, Options{Base: s.URL})
	b.Go("/setup?code=wrong")
	see(t, b, "setup-closed")
	code, err := s.OfferSetup(t.Context(), models.Actor{Kind: models.System, RequestID: models.NewID()})
	if err != nil {
		t.Fatal(err)
	}
	b.Go("/setup?code=" + code.Reveal())
	see(t, b, "setup")
	b.Fill("Password", "short")
	b.Click("Finish set-up")
	see(t, b, "setup-error")
	setUp(t, s, b)
	see(t, b, "overview-empty")
	b.Go("/w/marlowe-press/settings/collections")
	see(t, b, "settings-collections-empty")
	b.Go("/nowhere")
	see(t, b, "error-404")
}

// What the page with the secret looks like without scripts, and what a second sending of its form says.
func TestRevealWithoutScripts(t *testing.T) {
	s := webtest.SQLite(t)
	b := Open(t, Options{Base: s.URL, NoScript: true})
	signIn(b, "ines@marlowe.example")
	openRecord(b)
	b.Click("Create Bearer Token")
	b.Screenshot("person-reveal--nojs.desktop-light")
	if b.HorizontalOverflow() {
		t.Error("the page is wider than the window")
	}
	b.Reload()
	if !b.Has("This token was already shown") {
		t.Errorf("after Reload the page says %s", b.Text("body"))
	}
	see(t, b, "already-shown")
}

// The main job by keyboard alone: every step is reached with Tab and done with Enter; the popup keeps
// the keyboard until the token is stored; Escape does not lose it.
func TestMainJobByKeyboard(t *testing.T) {
	s := webtest.SQLite(t)
	b := Open(t, Options{Base: s.URL})
	b.Go("/signin")
	b.Type("ines@marlowe.example")
	b.Press("Tab")
	b.Type(storetest.Password)
	b.Press("Enter")
	b.Press("Tab")
	if b.Focus() != `link "Skip to content"` {
		t.Errorf("the first stop is %s", b.Focus())
	}
	b.TabTo("People")
	b.Press("Enter")
	b.TabTo("Ines Moreau")
	b.Press("Enter")
	b.TabTo("Create Bearer Token")
	b.Press("Enter")
	secret := b.Text("#token")
	if b.Focus() != `button "Copy token"` {
		t.Errorf("the popup begins at %s", b.Focus())
	}
	b.Press("Enter")
	b.Wait("Copied")
	if b.Clipboard() != secret {
		t.Error("Enter did not copy the token")
	}
	b.Press("Escape")
	if b.Text("#token") != secret || b.Focus() != `button "I have stored it"` {
		t.Errorf("after Escape the keyboard is at %s", b.Focus())
	}
	b.Press("Enter")
	if strings.Contains(b.HTML(), secret) || b.URL() != s.URL+"/people/"+s.Admin.ID {
		t.Errorf("the popup was left for %s", b.URL())
	}
	b.TabTo("Revoke")
	b.Press("Enter")
	if b.Focus() != `button "Keep token"` {
		t.Errorf("the question begins at %s", b.Focus())
	}
	b.Press("Escape")
	if b.Focus() != `link "Revoke"` && b.Focus() != `button "Revoke"` {
		t.Errorf("after Escape the keyboard is at %s", b.Focus())
	}
}

// A Member sees neither People nor what belongs to Admins, and an address of theirs says why.
func TestMembersSeeTheirOwn(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		admin := s.SetUp(t)
		member := s.Person(t, admin, models.Member)
		signIn(b, member.Email)
		for _, hidden := range []string{"People", "Audit log", "Create Bearer Token"} {
			if b.Has(hidden) {
				t.Errorf("a Member is shown %q", hidden)
			}
		}
		b.Go("/people")
		if b.Status() != http.StatusForbidden || !b.Has("Admin") {
			t.Errorf("/people says %d %s", b.Status(), b.Text("body"))
		}
	})
}

// After 15 minutes the forms that matter ask for the password, and go on when it is right; nothing
// that was typed is lost to a wrong one.
func TestOldSignInAsksForThePassword(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		s.Clock.Advance(models.RecentSignIn + time.Second)
		openRecord(b)
		b.Fill("Email address", "ines.moreau@marlowe.example")
		b.Fill("Your password", "not the right password")
		b.Click("Save changes")
		if b.Value("Email address") != "ines.moreau@marlowe.example" || b.Value("Your password") != "" {
			t.Errorf("the form came back with %q and %q", b.Value("Email address"), b.Value("Your password"))
		}
		b.Fill("Your password", storetest.Password)
		b.Click("Save changes")
		if !b.Has("Changes to Ines Moreau are saved") {
			t.Errorf("the record says %s", b.Text("main"))
		}
		s.Clock.Advance(models.RecentSignIn + time.Second)
		openRecord(b)
		b.Click("Create Bearer Token")
		b.Fill("Your password", storetest.Password)
		b.Press("Enter")
		if b.Count("#reveal #token") != 1 {
			t.Errorf("instead of the token: %s", b.Text("body"))
		}
	})
}

// Password and sessions: change the password, see the other browser signed out, end sessions.
func TestAccount(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		admin := s.SetUp(t)
		member := s.Person(t, admin, models.Member)
		elsewhere := s.SignedIn(t, member.Email)
		signIn(b, member.Email)
		b.In(".side").Click("Account")
		if !b.Has("This device") {
			t.Errorf("the account page says %s", b.Text("main"))
		}
		b.Fill("Current password", storetest.Password)
		b.Fill("New password", "seven amber kites over the estuary")
		b.Click("Change password")
		if !b.Has("Your password is changed") {
			t.Errorf("the account page says %s", b.Text("main"))
		}
		elsewhere.Get(t, "/").Want(t, http.StatusSeeOther)
		b.Click("Sign out everywhere")
		if !b.Has("You are signed out") {
			t.Errorf("after signing out: %s", b.Text("body"))
		}
	})
}
