package e2e

import (
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const automationTab = settings + "/automation-tokens"

// nameField is what the field with the name is called on a tab.
func nameField(tab string) string {
	switch tab {
	case automationTab:
		return "Token name (optional)"
	case keysTab:
		return "Key name"
	}
	return "Token name"
}

// A member makes an automation token, stores it and calls with it; regenerates it, and changes its name. The workspace's Owner sees whose it is and
// switches it off and on; when the Owner changes their account password, having been told what that ends, it is dead. The member
// makes another one, and revokes it. Each step is felt by the next call.
func TestAutomationTokens(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, owner *Tab) {
		person := s.Person(t, s.Admin, models.Member)
		member := Open(t, owner.with)
		signIn(member, person.Email)
		member.In(".side").Click("API tokens")
		if !member.Has("API tokens are managed by the Owner and the Admins of this workspace.") || member.Count("a[href$='/api-tokens/new']") != 0 {
			t.Errorf("a Member is shown %s", member.Text("main"))
		}
		first := createAutomation(t, s, member, "Nightly export", "1 month")
		try(t, s, first).Want(t, http.StatusOK)
		if told := member.Text("article[data-token-id]"); !strings.Contains(told, "Nightly export") || !strings.Contains(told, first[:8]+"...") || !strings.Contains(told, "Active") {
			t.Errorf("the card says %s", told)
		}
		second := regenerateAutomation(t, member)
		try(t, s, first).Want(t, http.StatusUnauthorized).Has(t, "credential_replaced")
		try(t, s, second).Want(t, http.StatusOK)
		watchedByOwner(t, s, owner, person.Name, second)
		passwordEnds(t, s, owner, second)
		member.Go(tokensTab)
		if !card(member).Has("Revoked") || card(member).Count("form") != 0 {
			t.Errorf("the card of what was ended says %s", card(member).Text(".ticket-b"))
		}
		third := createAutomation(t, s, member, "", "No expiration")
		mine := member.In("article:has(.badge[data-s=active])")
		mine.Click("Revoke")
		member.Fill("Reason (optional)", "no longer needed")
		member.Click("Revoke token")
		if !member.Has("Automation token is revoked.") || member.Count(".badge[data-s=revoked]") != 2 {
			t.Errorf("after Revoke: %s", member.Text("main"))
		}
		try(t, s, third).Want(t, http.StatusUnauthorized).Has(t, "credential_revoked")
	}, webtest.Sampled())
}

// createAutomation goes through the form, which with scripts is a dialog, and stores the token.
func createAutomation(t *testing.T, s webtest.Site, b *Tab, name, period string) string {
	t.Helper()
	b.Click("Create automation token")
	form := b
	if !b.with.NoScript {
		form = b.In("#create-automation")
	} else if b.URL() != s.URL+automationTab+"/new" {
		t.Errorf("the form is at %s", b.URL())
	}
	if form.Value("Expiration period") != "24h" || !form.Has("It acts with your rights in this workspace") {
		t.Errorf("the form begins with %s and says %s", form.Value("Expiration period"), form.Text("form"))
	}
	form.Fill("Token name (optional)", name)
	form.Select("Expiration period", period)
	form.Click("Create automation token")
	token := shown(t, b, "auto_", map[string]string{"1 month": "21 Dec 2026, 09:30 UTC", "No expiration": "Never"}[period])
	b.Click("I have stored it")
	if strings.Contains(b.HTML(), token) || strings.TrimSuffix(b.URL(), "?") != s.URL+tokensTab {
		t.Errorf("the page at %s still has the secret, or is another one", b.URL())
	}
	if !b.with.NoScript && b.Focus() != `link "Create automation token"` {
		t.Errorf("then the keyboard is at %s", b.Focus())
	}
	b.Go(tokensTab)
	return token
}

// regenerateAutomation gives the one card another secret, and another name.
func regenerateAutomation(t *testing.T, b *Tab) string {
	t.Helper()
	if !b.with.NoScript {
		card(b).Click("Copy prefix")
		if !strings.HasPrefix(b.Clipboard(), "auto_") {
			t.Errorf("Copy copies %q", b.Clipboard())
		}
	}
	card(b).Click("Regenerate")
	b.In("main").Click("Regenerate")
	token := shown(t, b, "auto_", "21 Dec 2026, 09:30 UTC")
	b.Click("I have stored it")
	b.Go(tokensTab)
	card(b).Click("Rename")
	b.Fill("Token name", "Weekly export")
	b.Click("Rename")
	if !b.Has("Weekly export is its name now.") || b.Count("#history") != 0 {
		t.Errorf("after Rename: %s", b.Text("main"))
	}
	return token
}

// watchedByOwner has the Owner look at a member's token, and switch it off and on.
func watchedByOwner(t *testing.T, s webtest.Site, b *Tab, whose, token string) {
	t.Helper()
	b.Go(tokensTab)
	if !card(b).Has("Weekly export") || !card(b).Has(whose) || card(b).Count("form[action$='/regenerate']") != 0 {
		t.Errorf("the Owner is shown %s", b.Text("article"))
	}
	card(b).Click("Deactivate")
	if !b.Has("Weekly export is inactive.") || !card(b).Has("Inactive") {
		t.Errorf("after Deactivate: %s", b.Text("main"))
	}
	try(t, s, token).Want(t, http.StatusUnauthorized).Has(t, "credential_inactive")
	card(b).Click("Activate")
	try(t, s, token).Want(t, http.StatusOK)
}

// passwordEnds has the Owner change the account password, which says before and after what it ends.
func passwordEnds(t *testing.T, s webtest.Site, b *Tab, token string) {
	t.Helper()
	b.Go("/account")
	if !b.Has("1 automation token of workspaces that you own will end with this") {
		t.Errorf("the account page says %s", b.Text("main"))
	}
	b.Fill("Current password", storetest.Password)
	b.Fill("New password", "seven green bicycles under a bridge")
	b.Click("Change password")
	if !b.Has("1 automation token of a workspace that you own has ended.") || b.Has("will end with this") {
		t.Errorf("after the change: %s", b.Text("main"))
	}
	try(t, s, token).Want(t, http.StatusUnauthorized).Has(t, "credential_revoked").Has(t, "the account password was changed")
}

// The page with an automation token's secret is left in each of the ways that lead back to a page, like that of an API token.
func TestAnAutomationTokenIsSeenOnce(t *testing.T) {
	seenOnce(t, automationTab, "path=/w/:workspace/settings/automation-tokens", "Create automation token")
}

// What a Member is shown, what opens on the tab, and what its form becomes, for the eye and for axe.
func TestAutomationTokensLook(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	person := s.Person(t, s.Admin, models.Member)
	s.Automation(t, storetest.As(person), "marlowe-press", models.NewAutomationToken{Name: "Nightly export", Period: "24h"})
	b := Open(t, Options{Base: s.URL})
	signIn(b, person.Email)
	b.Go(tokensTab)
	b.Look("settings-automation-member")
	b.Click("Create automation token")
	b.Look("settings-automation--create")
	b.In("#create-automation").Fill("Token name (optional)", strings.Repeat("x", 80))
	b.In("#create-automation").Click("Create automation token")
	b.Look("settings-automation-reveal")
	b.Click("I have stored it")
	b.Go(automationTab + "/new")
	b.Evaluate("document.querySelector('main option[value=\"1h\"]').value = '25h'")
	b.Select("Expiration period", "1 hour")
	b.Click("Create automation token")
	b.Look("settings-automation-new-error")
}
