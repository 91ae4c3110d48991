package e2e

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const tokensTab = settings + "/api-tokens"

// try calls the product with a token, as curl does.
func try(t *testing.T, s webtest.Site, token string) *webtest.Answer {
	t.Helper()
	return s.Browser(t).Get(t, "/api/agent-base", "Authorization", "Bearer "+token)
}

// card is the view of the one card on the page.
func card(b *Tab) *Tab { return b.In("article[data-token-id]") }

// The main job of the tab: create a token, copy it, store it, call with it; regenerate, deactivate, activate and revoke it, and
// see each felt by the next call. With scripts the form and the secret are dialogs, and without they are pages.
func TestAPITokens(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		b.In(".side").Click("API tokens")
		b.Click("Create Token")
		if modal := b.Count("#create:modal") == 1; modal == b.with.NoScript || (b.URL() == s.URL+tokensTab+"/new") == modal {
			t.Errorf("the form is at %s, a dialog: %v", b.URL(), modal)
		}
		form := b
		if !b.with.NoScript {
			form = b.In("#create")
		}
		form.Fill("Token name", "Deploy pipeline")
		form.Click("1 month")
		if !form.Has("Expires 21 Dec 2026, 09:30 UTC") || form.Has("Expires 28 Nov 2026") {
			t.Errorf("the form says %s", form.Text("form"))
		}
		form.Click("Create token")
		first := shown(t, b, "prod_", "21 Dec 2026, 09:30 UTC")
		b.Click("I have stored it")
		if strings.Contains(b.HTML(), first) || b.Count("article[data-token-id]") != 1 {
			t.Errorf("the list has %d cards, or the secret", b.Count("article[data-token-id]"))
		}
		b.Go(tokensTab)
		if told := b.Text("article[data-token-id]"); !strings.Contains(told, "Deploy pipeline") || !strings.Contains(told, first[:8]+"...") || !strings.Contains(told, "Active") {
			t.Errorf("the card says %s", told)
		}
		try(t, s, first).Want(t, http.StatusOK)
		changes(t, s, b, first)
	}, webtest.Sampled())
}

// shown is the token that a reveal shows, which selects whole on one click and is copied by its button.
func shown(t *testing.T, b *Tab, begins, ends string) string {
	t.Helper()
	token := b.Text("#reveal #token")
	if len(token) != 54 || !strings.HasPrefix(token, begins) || b.Text("#token-expires") != ends {
		t.Fatalf("the popup shows a text of %d characters, which expires %s", len(token), b.Text("#token-expires"))
	}
	b.ClickCSS("#token")
	if strings.TrimSpace(b.Selection()) != token {
		t.Error("one click does not select the token")
	}
	if !b.with.NoScript {
		b.Click("Copy " + cmp.Or(map[string]string{"pkey_": "API key", "coll_": "access key"}[begins], "token"))
		if b.Clipboard() != token {
			t.Error("Copy did not copy the token")
		}
	}
	return token
}

// changes goes through what may be done with a token.
func changes(t *testing.T, s webtest.Site, b *Tab, first string) {
	t.Helper()
	if !b.with.NoScript {
		card(b).Click("Copy prefix")
		if b.Clipboard() != first[:8] {
			t.Errorf("Copy copies %q", b.Clipboard())
		}
	}
	card(b).Click("Deactivate")
	if !b.Has("Deploy pipeline is inactive.") || !card(b).Has("Inactive") {
		t.Errorf("after Deactivate: %s", b.Text("main"))
	}
	try(t, s, first).Want(t, http.StatusUnauthorized).Has(t, "credential_inactive")
	card(b).Click("Activate")
	if !b.Has("Deploy pipeline is active.") {
		t.Errorf("after Activate: %s", b.Text("main"))
	}
	try(t, s, first).Want(t, http.StatusOK)
	card(b).Click("Regenerate")
	if !b.Has("You get a new secret on the same card.") || !b.Has(first[:8]) {
		t.Errorf("the question is %s", b.Text("main"))
	}
	b.In("main").Click("Regenerate")
	second := shown(t, b, "prod_", "21 Dec 2026, 09:30 UTC")
	b.Click("I have stored it")
	try(t, s, first).Want(t, http.StatusUnauthorized).Has(t, "credential_replaced")
	try(t, s, second).Want(t, http.StatusOK)
	b.Go(tokensTab)
	card(b).Click("Revoke")
	b.Fill("Reason (optional)", "the contract has ended")
	b.Click("Revoke token")
	if !b.Has("Deploy pipeline is revoked.") || !card(b).Has("Revoked") || card(b).Count("form") != 0 {
		t.Errorf("after Revoke: %s", b.Text("main"))
	}
	try(t, s, second).Want(t, http.StatusUnauthorized).Has(t, "credential_revoked")
	card(b).Click("Deploy pipeline")
	if !b.Has("the contract has ended") || !b.Has("Show as a table") {
		t.Errorf("its page says %s", b.Text("main"))
	}
}

// A form that is not right comes back with all that was typed, and a token is narrowed to what was ticked.
func TestAPITokenProblems(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		b.Go(tokensTab + "/new")
		b.Click("Date and time")
		b.Fill("Expires on", "2026-11-20T10:00")
		b.Click("Only chosen operations Safer. A request outside this list is refused.")
		b.Click("Knowledge Base: Search")
		b.Click("Create token")
		if b.Status() != http.StatusUnprocessableEntity || !b.Has("Enter a token name.") || !b.Has("The date and time must be in the future.") {
			t.Errorf("status %d: %s", b.Status(), b.Text("main"))
		}
		if b.Value("Expires on") != "2026-11-20T10:00" || !b.Checked("Knowledge Base: Search") || b.Checked("Knowledge Base: List") || !b.Checked("Date and time") {
			t.Error("what was typed and ticked is lost")
		}
		b.Fill("Token name", "Search box")
		b.Fill("Expires on", "2027-02-19T09:00")
		b.Click("Create token")
		token := shown(t, b, "prod_", "19 Feb 2027, 09:00 UTC")
		if !b.Has("1 operation") {
			t.Errorf("the popup says %s", b.Text("#reveal"))
		}
		try(t, s, token).Want(t, http.StatusForbidden).Has(t, "agents:list")
	})
}

// The page with an API token's secret is left in each of the ways that lead back to a page, and is not there any more: the
// secret was in one answer, and one token was made.
func TestAnAPITokenIsSeenOnce(t *testing.T) {
	seenOnce(t, tokensTab, "path=/w/:workspace/settings/api-tokens", "Create token")
}

// seenOnce makes tokens with the form of a tab, which has a button.
func seenOnce(t *testing.T, tab, route, button string) {
	t.Helper()
	d := newDesk(t, storetest.New(t, ""))
	d.record, d.route = tab, route
	for mode, with := range modes {
		b := d.open(t, with)
		signIn(b, "ines@marlowe.example")
		for _, way := range []string{"closing the dialog", "Reload", "Back and Forward", "another page, Back", "a page that changes no cookie, Back", "its address in another tab"} {
			t.Run(mode+"/"+way, func(t *testing.T) {
				b.Go(tab + "/new")
				before := len(d.answered())
				b.Fill(nameField(tab), "Seen once")
				b.Click(button)
				token := b.Text("#reveal #token")
				if made := d.answered()[before:]; len(made) != 1 || made[0] != token {
					t.Fatalf("the answer holds %d secrets", len(made))
				}
				returns[way](d, b, func(tab *Tab) { wantNoTrace(t, tab, token) })
				d.wantNoMore(t, before+1)
			})
		}
	}
	d.wantNoTraces(t)
}

// A token is created, stored and revoked by keyboard alone: the dialog begins at the name, the popup at Copy, and Escape closes the
// one and not the other.
func TestAPITokensByKeyboard(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	b := Open(t, Options{Base: s.URL})
	signIn(b, "ines@marlowe.example")
	b.Go(tokensTab)
	b.TabTo("Create Token")
	b.Press("Enter")
	if b.Focus() != `textbox "Token name"` {
		t.Errorf("the form begins at %s", b.Focus())
	}
	b.Press("Escape")
	if b.Focus() != `link "Create Token"` || b.Count("#create:modal") != 0 {
		t.Errorf("after Escape the keyboard is at %s", b.Focus())
	}
	b.Press("Enter")
	b.Type("By keyboard")
	b.Press("Enter") // the form's first button that sends it is Create
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
	if strings.Contains(b.HTML(), secret) {
		t.Error("the list has the secret")
	}
	if b.Focus() != `link "Create Token"` || b.URL() != s.URL+tokensTab {
		t.Errorf("then the keyboard is at %s of %s", b.Focus(), b.URL())
	}
	until(b, "document.getElementById('toast').textContent === ''")
	b.TabTo("Revoke")
	b.Press("Enter")
	b.TabTo("Revoke token")
	b.Press("Enter")
	b.Wait("By keyboard is revoked.")
}

// What opens on the tab, and what its form becomes, for the eye and for axe.
func TestAPITokensLook(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Deploy pipeline"})
	b := Open(t, Options{Base: s.URL})
	signIn(b, "ines@marlowe.example")
	b.Go(tokensTab)
	b.Click("Create Token")
	b.Look("settings-tokens--create")
	b.In("#create").Click("Date and time")
	b.In("#create").Click("Only chosen operations Safer. A request outside this list is refused.")
	b.Look("settings-tokens--create-open")
	b.Go(tokensTab + "/new")
	b.Click("Date and time")
	b.Click("Only chosen operations Safer. A request outside this list is refused.")
	b.Click("Create token")
	b.Look("settings-tokens-new-error")
	b.Fill("Token name", "Search box")
	b.Click("Never")
	b.Click("Knowledge Base: Search")
	b.Click("Create token")
	b.Look("settings-tokens-reveal")
}
