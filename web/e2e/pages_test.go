package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// Every page of the console, with something on it, as the pictures in build/screens have it. Two tabs share
// the work.
func TestEveryPage(t *testing.T) {
	w := storetest.New(t, "")
	s := webtest.Start(t, w, webtest.Over(w.OpenWith(t, func(set *store.Settings) { set.Reach = 1 }))) // searches are long at once
	s.Admin = s.SetUp(t)
	pages := furnished(t, s)
	names := slices.Sorted(maps.Keys(pages))
	for part := range 2 {
		t.Run(strconv.Itoa(part), func(t *testing.T) {
			t.Parallel()
			b := Open(t, Options{Base: s.URL})
			signIn(b, "ines@marlowe.example")
			for i, name := range names {
				if i%2 == part {
					b.Go(pages[name])
					b.Look(name)
				}
			}
		})
	}
}

// furnished puts something on every page, and returns their addresses by the names of their pictures.
func furnished(t *testing.T, s webtest.Site) map[string]string {
	t.Helper()
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
	if _, err := s.EditPerson(t.Context(), s.Admin, member.ID, models.PersonEdit{Name: "Maëlle Ferrer", Email: member.Email, Role: member.Role}); err != nil {
		t.Fatal(err)
	}
	renamed := fmt.Sprintf("/%d", s.Changes(t))
	twoVersions(t, s)
	site := addressOf(t, s, "site")
	keys := furnishedKeys(t, s, site) // before there is another workspace, or whoever shares were a member of neither
	tokens := furnishedTokens(t, s)
	own, other := "/people/"+s.Admin.ID, "/people/"+member.ID
	pages := map[string]string{
		"overview": "/", "account": "/account", "use-the-api": "/use-the-api", "reference": "/use-the-api/reference", "settings-general": settings, "settings-collections": collectionsTab,
		"people": "/people", "people-none": "/people?q=moraeu", "people-none-short": "/people?q=zq", "people-new": "/people/new",
		"person": own, "person-member": other, "person-deactivated": "/people/" + gone.ID, "person-tokens": own + "/tokens",
		"person-bearer": own + "/bearer-token", "person-bearer-member": other + "/bearer-token",
		"person-revoke": own + "/bearer-token/revoke", "person-deactivate": other + "/deactivate", "person-sign-out": other + "/sign-out",
		"collection": site, "version": site + "/versions/1", "collection-delete": site + "/delete",
		"audit": "/audit", "audit-event": "/audit" + renamed, "audit-choose": "/audit?actor=marlowe.example", "audit-none": "/audit?from=2026-11-22",
		"audit-further": "/audit?actor=" + s.Admin.ID + "&subject=" + member.ID, "audit-so-far": "/audit?action=person.created&subject=" + member.ID,
		"audit-filtered": "/audit?actor=Ines&action=person.created&from=2026-11-21&to=2026-11-21", "audit-error": "/audit?from=2026-11-22&to=2026-11-21",
		"settings-members": settings + "/members", "member-remove": settings + "/members/" + member.ID + "/remove", "member-owner": settings + "/members/" + member.ID + "/hand-over", "workspace-new": "/workspaces/new",
		"replicas": "/settings/replicas",
		"policies": "/settings/policies", "policies-unused": "/settings/policies/unused?days=1", "policies-unused-none": "/settings/policies/unused?days=9000",
		"settings-audit": settings + "/audit", "settings-audit-event": settings + "/audit/2",
	}
	maps.Copy(pages, tokens)
	maps.Copy(pages, keys)
	maps.Copy(pages, credentialPages(t, s))
	return pages
}

// furnishedTokens makes API tokens in every state, and a second workspace that has none.
func furnishedTokens(t *testing.T, s webtest.Site) map[string]string {
	t.Helper()
	w, err := s.Workspace(t.Context(), s.Admin, "marlowe-press")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, n := range []models.NewAPIToken{
		{Name: "Deploy pipeline", Expiration: models.ForThree, Chosen: true, Scopes: models.Scopes{"agents:list", "agents:install", "storage:upload", "webhooks:send-events"}},
		{Name: "Knowledge base sync", Expiration: models.ForAWeek}, {Name: "Storefront webhooks"}, {Name: "Support assistant chat", Expiration: models.ForAYear},
		{Name: "Quarterly import", Expiration: models.OnADate, ExpiresAt: "2026-11-21T09:31"}, {Name: "Contractor staging", Expiration: models.ForAMonth},
	} {
		made, _ := s.WorkspaceToken(t, s.Admin, w.ID, n)
		ids[n.Name] = made.ID
	}
	if _, err := s.SwitchAPIToken(t.Context(), s.Admin, w.ID, ids["Support assistant chat"], false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RevokeAPIToken(t.Context(), s.Admin, w.ID, ids["Contractor staging"], models.Revocation{Reason: "The contract has ended."}); err != nil {
		t.Fatal(err)
	}
	member := s.Person(t, s.Admin, models.Member)
	for _, n := range []models.NewAutomationToken{{Name: "Postman runner", Period: "1h"}, {Name: "Nightly export", Period: "no_exp"}, {Period: "1mo"}} {
		made, _ := s.Automation(t, s.Admin, w.ID, n)
		ids[n.Name] = made.ID
	}
	s.Automation(t, storetest.As(member), w.ID, models.NewAutomationToken{Name: "Release notes", Period: "3w"})
	for n := range 40 {
		at := s.Clock.Now().Add(-time.Duration(n*17) * time.Hour)
		s.Tally.Add(uuid.MustParse(ids["Deploy pipeline"]), false, models.CallAccepted, at, netip.MustParseAddr("203.0.113.24"))
		s.Tally.Add(uuid.MustParse(ids["Nightly export"]), false, models.CallAccepted, at, netip.MustParseAddr("203.0.113.24"))
		if n%5 == 0 {
			s.Tally.Add(uuid.MustParse(ids["Deploy pipeline"]), false, models.CallRefused, at, netip.MustParseAddr("203.0.113.24"))
		}
	}
	if _, err := s.RevokeAutomationToken(t.Context(), s.Admin, w.ID, ids["Postman runner"], models.Revocation{Reason: "The course is over."}); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Minute)
	s.Flush(t)
	other, err := s.CreateWorkspace(t.Context(), s.Admin, models.NewWorkspace{Name: "Quire Library"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateProduct(t.Context(), s.Admin, other.ID, models.ProductNaming{Name: "Reading room", Prefix: "read"}); err != nil {
		t.Fatal(err)
	}
	products, err := s.Products(t.Context(), s.Admin, w.ID)
	if err != nil {
		t.Fatal(err)
	}
	tab, empty, product := settings+"/api-tokens", "/w/"+other.Slug+"/settings", settings+"/products/"+products[0].ID
	deploy, nightly := tab+"/"+ids["Deploy pipeline"], settings+"/automation-tokens/"+ids["Nightly export"]
	return map[string]string{
		"settings-tokens": tab, "settings-tokens-none": tab + "?q=zzz", "settings-tokens-empty": empty + "/api-tokens", "settings-tokens-new": tab + "/new",
		"settings-token": deploy, "settings-token-revoked": tab + "/" + ids["Contractor staging"],
		"settings-tokens-revoke": deploy + "/revoke", "settings-tokens-regenerate": deploy + "/regenerate", "settings-tokens-regenerate-expired": tab + "/" + ids["Quarterly import"] + "/regenerate",
		"settings-resources": settings + "/resources", "settings-resources-edit": product + "/resources", "settings-upstream": product + "/upstream", "settings-upstream-key-new": product + "/signing-key",
		"settings-automation-new": settings + "/automation-tokens/new", "settings-automation-token": nightly, "settings-automation-revoke": nightly + "/revoke", "settings-automation-regenerate": nightly + "/regenerate",
		"settings-tokens-new-several": empty + "/api-tokens/new",
		"workspace-delete":            empty + "/delete", "workspace-delete-refused": settings + "/delete",
	}
}

// What opens on a page, and what a page becomes when something is wrong with a form.
func TestEveryDialogAndProblem(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	pages := furnished(t, s)
	b := Open(t, Options{Base: s.URL})
	b.Go("/signin")
	b.Look("sign-in")
	b.Fill("Email address", "ines@marlowe.example")
	b.Fill("Password", "not the right password")
	b.Click("Sign in")
	b.Look("sign-in-error")
	signIn(b, "ines@marlowe.example")
	b.Click("Your account menu")
	b.Look("overview--me")
	for name, dialog := range map[string]string{
		"person--bearer": "Create Bearer Token", "person--revoke": "Revoke", "person--deactivate": "Deactivate",
	} {
		b.Go(pages["person"])
		b.In("main").Click(dialog)
		b.Look(name)
	}
	b.Go(pages["person"])
	b.Fill("Name", "")
	b.Fill("Email address", "nobody")
	b.Click("Save changes")
	b.Look("person-error")
	b.Go(pages["person-bearer"])
	b.Click("Create new token")
	b.Look("person-reveal")
	b.Go(pages["collection-delete"])
	b.Click("Delete collection")
	b.Look("collection-delete-error")
	b.Go(pages["settings-resources-edit"])
	b.Fill("Resources and operations", "")
	b.Click("Save")
	b.Look("settings-resources-edit-losses")
	b.Go(collectionsTab)
	b.Expect("the server responded with a status of 422")
	b.In("#install").Click("Install")
	b.Wait("There is a problem")
	b.Look("settings-collections-error")
}

const settings = "/w/marlowe-press/settings"

// A collection in which everything is as long as it may be, and has no place to break, makes no page wider
// than its window.
func TestLongestNames(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	word := strings.Repeat("W", 100)
	content := packed(t, "collection.json", fmt.Sprintf(`{"name": %q, "version": %q, "description": %q}`, word+word, word, word+word), strings.Repeat(word+"/", 15)+word, "x")
	a := s.SignedIn(t, "ines@marlowe.example")
	a.Upload(t, collectionsTab, "collectionFile", word+word+".zip", bytes.NewReader(content)).Want(t, http.StatusSeeOther)
	long, event := addressOf(t, s, word+word), fmt.Sprintf("/%d", s.Changes(t))
	b := Open(t, Options{Base: s.URL})
	signIn(b, "ines@marlowe.example")
	for name, path := range map[string]string{
		"overview": "/", "settings-collections": collectionsTab, "collection": long, "version": long + "/versions/1", "collection-delete": long + "/delete",
		"audit": "/audit", "audit-event": "/audit" + event, "settings-audit": settings + "/audit", "settings-audit-event": settings + "/audit" + event,
	} {
		b.Go(path)
		for _, on := range []screen{desktop, mobile} {
			b.Viewport(on.width, on.height)
			view := name + "-long." + on.name + "-light"
			b.Screenshot(view)
			if b.HorizontalOverflow() {
				t.Errorf("%s: the page is wider than the window", view)
			}
		}
	}
}

// The pages that a stranger or a mistake sees.
func TestEdgePages(t *testing.T) {
	t.Parallel()
	w := storetest.New(t, "")
	s := webtest.Start(t, w)
	b := Open(t, Options{Base: s.URL})
	b.Go("/setup?code=wrong")
	b.Look("setup-closed")
	code, err := s.OfferSetup(t.Context(), models.Actor{Kind: models.System, RequestID: models.NewID()})
	if err != nil {
		t.Fatal(err)
	}
	b.Go("/setup?code=" + code.Reveal())
	b.Look("setup")
	b.Fill("Password", "short")
	b.Click("Finish set-up")
	b.Look("setup-error")
	setUp(t, s, b)
	b.Look("overview-empty")
	b.Go(collectionsTab)
	b.Look("settings-collections-empty")
	b.Go("/nowhere")
	b.Look("error-404")
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
	b.Look("already-shown")
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
	if strings.Contains(b.HTML(), secret) || b.URL() != s.URL+"/people/"+s.Admin.ID || !strings.HasSuffix(b.Focus(), `"Create Bearer Token"`) {
		t.Errorf("the popup was left for %s of %s", b.Focus(), b.URL())
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
		b.In("main").Click("Password and sessions")
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
