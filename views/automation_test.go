package views_test

import (
	"strings"
	"testing"

	"tokendesk/views"
)

// Who does not manage API tokens is drawn nothing of them: no card, no search, no form, whatever the list has.
func TestOthersAreDrawnNoAPITokens(t *testing.T) {
	l := views.TokenList{Path: tokensPath, Cards: tokenCards(), Count: "6 tokens", MoreHref: tokensPath + "?after=6", Automation: views.AutomationList{Path: ownPath, Cards: automationCards()[:1], MayCreate: true}}
	for manages, want := range map[bool]int{true: len(tokenCards()) + 1, false: 1} {
		l.Manages = manages
		doc, html := draw(t, views.SettingsTokens(memberPage(), l))
		if n := doc.Find("article[data-token-id]").Length(); n != want {
			t.Errorf("manages %v: %d cards, want %d", manages, n, want)
		}
		for _, part := range []string{"[role=search]", `a[href="` + tokensPath + `/new"]`, `a[href="` + tokensPath + `?after=6"]`} {
			if there := doc.Find(part).Length() == 1; there != manages {
				t.Errorf("manages %v: %s is there: %v", manages, part, there)
			}
		}
		if strings.Contains(html, "6 tokens") != manages {
			t.Errorf("manages %v: it is told how many there are: %v", manages, !manages)
		}
	}
}

// A card has the buttons of its state, and Regenerate for the token's own person alone.
func TestAutomationCards(t *testing.T) {
	doc, _ := draw(t, views.SettingsTokens(page(), views.TokenList{Path: tokensPath, Automation: views.AutomationList{Path: ownPath, Cards: automationCards()}}))
	for id, want := range map[string]string{
		"at1": "Copy prefix Regenerate Deactivate Rename Revoke", "at4": "Copy prefix Activate Rename Revoke",
		"at5": "Copy prefix Regenerate Rename Revoke", "at6": "Copy prefix View history",
	} {
		if got := read(doc.Find("#t-" + id + " .ticket-f")); got != want {
			t.Errorf("%s has %q, want %q", id, got, want)
		}
	}
	if told := folded(doc.Find("#t-at4 .ticket-t span").First().Text()); told != "auto_9Fk... ends in 4tli · Jonah Akerele" {
		t.Errorf("the card says %q", told)
	}
}

// A person's automation token is told with its workspace and its end, whichever that is.
func TestLifeOfAnAutomationToken(t *testing.T) {
	r := ines()
	row := views.AutomationRow{ID: "a9", Workspace: "Harbour", Created: at("1 Nov 2026"), Status: "Active"}
	for want, change := range map[string]func(*views.AutomationRow){
		"In Harbour · created 1 Nov 2026 · never expires":      func(*views.AutomationRow) {},
		"In Harbour · created 1 Nov 2026 · expires 2 Nov 2026": func(a *views.AutomationRow) { a.Expires = at("2 Nov 2026") },
		"In Harbour · created 1 Nov 2026 · expired 2 Nov 2026": func(a *views.AutomationRow) { a.Expires, a.Status = at("2 Nov 2026"), "Expired" },
		"In a workspace that was deleted · created 1 Nov 2026 · revoked 3 Nov 2026": func(a *views.AutomationRow) {
			a.Expires, a.Revoked, a.Workspace = at("2 Nov 2026"), at("3 Nov 2026"), ""
		},
	} {
		one := row
		change(&one)
		r.Automation = []views.AutomationRow{one}
		doc, _ := draw(t, views.Person(page(), r))
		if got := folded(doc.Find(`li[data-token-id="a9"] small`).Text()); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}

// The account page says what a new password ends before the button that does it, and nothing where it ends nothing.
func TestThePasswordSaysWhatItEnds(t *testing.T) {
	for ends, want := range map[string]string{
		"": "", "More than 1,000 automation tokens": "More than 1,000 automation tokens of workspaces that you own will end with this, whoever made them. Programs that use one are refused at once.",
	} {
		doc, _ := draw(t, views.Account(page(), views.Security{Ends: ends}))
		form := doc.Find(`form[action="/account/password"]`)
		if got := folded(form.Find(".note").Text()); got != want || (ends != "" && form.Children().Last().Find("button").Length() != 1) {
			t.Errorf("it says %q", got)
		}
	}
}

// folded is a text with its white space folded.
func folded(text string) string { return strings.Join(strings.Fields(text), " ") }

// What still uses a token is told in a sentence without gaps.
func TestATokenThatIsStillUsed(t *testing.T) {
	card := automationCards()[0]
	card.LastUsed, card.InUse = ago("12 minutes ago"), true
	doc, _ := draw(t, views.TokenRevoke(page(), card, views.Form{}, tokensPath))
	if got := folded(doc.Find("main .note").Text()); got != "Still in use: last request 12 minutes ago, from 203.0.113.24." {
		t.Errorf("it says %q", got)
	}
}
