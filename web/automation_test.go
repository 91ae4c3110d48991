package web_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const automationTab = "/w/marlowe-press/settings/automation-tokens"

// presented is what a call is answered with that comes with a token.
func presented(t testing.TB, s webtest.Site, token string) string {
	t.Helper()
	return codeIn(s.Browser(t).Get(t, "/api/nothing", "Authorization", "Bearer "+token).Body)
}

// good is the answer to a token that is let in: there is nothing where it asks.
const good = "no_such_resource"

// The life of an automation token, which its member goes through alone: every step is told, and felt by the next call.
func TestAutomationTokenLife(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		member := s.Person(t, s.Admin, models.Member)
		in := s.SignedIn(t, member.Email)
		in.Get(t, tokensTab).Want(t, 200).Has(t, "No automation tokens yet.").HasNot(t, "Create Token")
		made := fill(t, in, automationTab, "name", " Nightly  export ", "expiration_period", "1mo")
		first, id := shownToken(t, s, made)
		token := automationTab + "/" + id
		if title, ends, home := made.Text(t, "#reveal-title"), made.Text(t, "#token-expires"), made.Page(t).Find("#reveal").AttrOr("data-url", ""); title != "Automation token created" || ends != "21 Dec 2026, 09:30 UTC" || home != token || first[:5] != "auto_" {
			t.Errorf("the reveal says %q, %q, %q", title, ends, home)
		}
		if got := words(made.Page(t).Find("#reveal .facts")); !strings.Contains(got, "Your own rights") || !strings.Contains(got, "In Marlowe Press, as they are at each call") {
			t.Errorf("the reveal says %q", got)
		}
		is := func(status, actions string) *goquery.Selection {
			t.Helper()
			card := cardOf(t, in.Get(t, tokensTab), id)
			if badgeOf(card) != status || actionsOf(card) != actions {
				t.Errorf("the card is %q with %q, want %q with %q", badgeOf(card), actionsOf(card), status, actions)
			}
			return card
		}
		card := is("Active", "Copy prefix Regenerate Deactivate Revoke")
		if rename := card.Find(`a[href="` + token + `#name"]`); words(rename) != "Rename" || words(card.Find("h3")) != "Nightly export" {
			t.Errorf("the card is %q", words(card))
		}
		if code := presented(t, s, first); code != good {
			t.Errorf("a call with it is answered with %q", code)
		}
		in.Post(t, token+"/deactivate", nil).To(t, tokensTab)
		in.Get(t, tokensTab).Has(t, "Nightly export is inactive. Calls with it are refused until you activate it.")
		is("Inactive", "Copy prefix Regenerate Activate Revoke")
		if code := presented(t, s, first); code != "credential_inactive" {
			t.Errorf("a call with it is answered with %q", code)
		}
		in.Post(t, token+"/activate", nil).To(t, tokensTab)
		in.Post(t, token+"/rename", webtest.Form{"name": "Export"}).To(t, token)
		in.Get(t, token).Want(t, 200).Has(t, "Export is its name now.").Has(t, "Whatever "+member.Name+" may do in this workspace at the time of the call.").HasNot(t, "History")
		shown := regenerate(t, in, token)
		second, same := shownToken(t, s, shown)
		if title := shown.Text(t, "#reveal-title"); title != "Automation token regenerated" || same != id {
			t.Errorf("%q, on the card %s", title, same)
		}
		if codes := presented(t, s, first) + " " + presented(t, s, second); codes != "credential_replaced "+good {
			t.Errorf("calls are answered with %q", codes)
		}
		in.Post(t, token+"/revoke", webtest.Form{"reason": "no longer needed"}).To(t, tokensTab)
		in.Get(t, tokensTab).Has(t, "Export is revoked. Calls with it are refused.").HasNot(t, second)
		is("Revoked", "Copy prefix")
		if code := presented(t, s, second); code != "credential_revoked" {
			t.Errorf("a call with it is answered with %q", code)
		}
		for _, path := range []string{"/regenerate", "/revoke"} {
			in.Get(t, token+path).Want(t, 409).Has(t, "stays revoked")
		}
	})
}

// The form offers the eleven lives in words, a day first, says what ends a token, and comes back with what was typed; the same form again
// shows nothing and makes nothing.
func TestAutomationForm(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		form := admin.Get(t, automationTab+"/new").Want(t, 200).Has(t, "It ends when you leave the workspace, when you are deactivated, and when the workspace’s Owner changes their account password.")
		var offered, values []string
		for _, o := range form.Page(t).Find("select[name=expiration_period] option").EachIter() {
			offered, values = append(offered, words(o)), append(values, o.AttrOr("value", ""))
		}
		if got := strings.Join(offered, ", "); got != "1 hour, 3 hours, 5 hours, 16 hours, 24 hours, 48 hours, 1 week, 2 weeks, 3 weeks, 1 month, No expiration" || strings.Join(values, ", ") != models.PeriodList() {
			t.Errorf("it offers %s (%s)", got, values)
		}
		if chosen := form.Page(t).Find("select[name=expiration_period] option[selected]").AttrOr("value", ""); chosen != "24h" {
			t.Errorf("it begins with %q", chosen)
		}
		before := s.Changes(t)
		back := fill(t, admin, automationTab, "name", strings.Repeat("x", 81), "expiration_period", "3w").Want(t, 422)
		if !strings.Contains(back.Problem(t, "name"), "80 characters or fewer") || back.Page(t).Find("option[selected]").AttrOr("value", "") != "3w" || back.Value(t, "name") != strings.Repeat("x", 81) {
			t.Errorf("a long name comes back with %q", back.Problem(t, "name"))
		}
		back = fill(t, admin, automationTab, "name", "x", "expiration_period", "25h").Want(t, 422)
		if told := words(back.Page(t).Find("#automation-expiration_period-error")); !strings.Contains(told, "Choose one of 1h, 3h") {
			t.Errorf("another life comes back with %q", told)
		}
		if s.Changes(t) != before {
			t.Error("a form that came back changed something")
		}
		for i, value := range values {
			shown := fill(t, admin, automationTab, "name", "", "expiration_period", value)
			_, id := shownToken(t, s, shown)
			card := cardOf(t, admin.Get(t, tokensTab), id)
			if words(card.Find("h3")) != "Automation token" || (factOf(card, "Expiration") == "Never No end date set") != (value == "no_exp") {
				t.Errorf("%s: the card says %s", offered[i], words(card))
			}
		}
		id := secret.FormID()
		shownToken(t, s, sent(t, admin, automationTab, id, "expiration_period", "1h"))
		before = s.Changes(t)
		again := sent(t, admin, automationTab, id, "expiration_period", "1h").Want(t, 200).Has(t, "This token was already shown")
		if s.Changes(t) != before || again.Page(t).Find("#token").Length() > 0 {
			t.Error("the same form made another one")
		}
		sent(t, admin, automationTab, "", "expiration_period", "1h").Want(t, 422).Has(t, "This form is incomplete.")
	})
}

// A token that has expired asks for another life when it is regenerated.
func TestAnExpiredAutomationToken(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		made, text := s.Automation(t, s.Admin, "marlowe-press", models.NewAutomationToken{Name: "Hourly", Period: "1h"})
		s.Clock.Advance(time.Hour)
		admin, token := s.SignedIn(t, ines), automationTab+"/"+made.ID
		if card := cardOf(t, admin.Get(t, tokensTab), made.ID); badgeOf(card) != "Expired" || actionsOf(card) != "Copy prefix Regenerate Revoke" {
			t.Errorf("the card is %q with %q", badgeOf(card), actionsOf(card))
		}
		if code := presented(t, s, text.Reveal()); code != "credential_expired" {
			t.Errorf("a call with it is answered with %q", code)
		}
		back := regenerate(t, admin, token, "expiration_period", "").Want(t, 422)
		if told := words(back.Page(t).Find("#automation-expiration_period-error")); !strings.Contains(told, "Choose how long it lives from now on.") {
			t.Errorf("it says %q", told)
		}
		shown := regenerate(t, admin, token, "expiration_period", "3h")
		if again, _ := shownToken(t, s, shown); presented(t, s, again) != good || shown.Text(t, "#token-expires") != "21 Nov 2026, 13:30 UTC" {
			t.Errorf("it expires %s", shown.Text(t, "#token-expires"))
		}
	})
}

// Whoever manages the workspace's tokens sees everybody's, with whose they are, and may do all but regenerate somebody else's, which would hand
// them a token that acts as another person. Another Member finds nothing.
func TestAutomationTokensOfOthers(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		owner, other := s.Person(t, s.Admin, models.Member), s.Person(t, s.Admin, models.Member)
		made, text := s.Automation(t, storetest.As(owner), "marlowe-press", models.NewAutomationToken{Name: "Guarded", Period: "24h"})
		s.Automation(t, s.Admin, "marlowe-press", models.NewAutomationToken{Name: "Mine", Period: "24h"})
		token := automationTab + "/" + made.ID
		admin, stranger := s.SignedIn(t, ines), s.SignedIn(t, other.Email)
		card := cardOf(t, admin.Get(t, tokensTab).Has(t, "Ines Moreau (you)"), made.ID)
		if actionsOf(card) != "Copy prefix Deactivate Revoke" || !strings.Contains(words(card), "ends in "+made.Last4+" · "+owner.Name) {
			t.Errorf("the Owner's card has %q and says %q", actionsOf(card), words(card))
		}
		before := s.Changes(t)
		admin.Get(t, token+"/regenerate").Want(t, 403).Has(t, "Only "+owner.Name+" can regenerate this token: it acts as them.")
		refused := admin.Post(t, token+"/regenerate", webtest.Form{"form_id": secret.FormID()}).Want(t, 403).Has(t, "Only the person whose automation token it is can regenerate it")
		if refused.Page(t).Find("#token").Length() > 0 {
			t.Error("it shows a secret")
		}
		for path, page := range crawl(t, stranger) {
			if strings.Contains(page.Body, made.ID) || strings.Contains(page.Body, "Guarded") || strings.Contains(page.Body, "Mine") {
				t.Errorf("%s shows another Member's token", path)
			}
		}
		for _, path := range []string{"", "/revoke", "/regenerate"} {
			stranger.Get(t, token+path).Want(t, 404).HasNot(t, "Guarded")
		}
		for path, form := range map[string]webtest.Form{"/regenerate": {"form_id": secret.FormID()}, "/rename": {"name": "Mine"}, "/activate": nil, "/deactivate": nil, "/revoke": nil} {
			stranger.Post(t, token+path, form).Want(t, 404)
			admin.Post(t, tokensTab+"/"+made.ID+path, form).Want(t, 404) // it is no API token
		}
		if s.Changes(t) != before || presented(t, s, text.Reveal()) != good {
			t.Error("something was changed")
		}
		admin.Get(t, token).Want(t, 200).Has(t, owner.Name+" created the automation token Guarded")
		admin.Post(t, token+"/rename", webtest.Form{"name": "Watched"}).To(t, token)
		admin.Post(t, token+"/deactivate", nil).To(t, tokensTab)
		admin.Post(t, token+"/activate", nil).To(t, tokensTab)
		admin.Post(t, token+"/revoke", webtest.Form{"reason": "seen in a log"}).To(t, tokensTab)
		if code := presented(t, s, text.Reveal()); code != "credential_revoked" {
			t.Errorf("a call with it is answered with %q", code)
		}
		theirs := s.SignedIn(t, owner.Email).Get(t, token).Want(t, 200).Has(t, "seen in a log").Has(t, "Ines Moreau")
		if theirs.Page(t).Find("#history").Length() > 0 {
			t.Error("a Member is shown the workspace's events")
		}
	})
}

// Each of the two lists has places of its own: going on in one leaves the search in the other, and no place leads into the other list.
func TestBothListsArePaged(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		for range models.PageSize + 2 {
			s.Automation(t, s.Admin, "marlowe-press", models.NewAutomationToken{Name: "Robot", Period: "1h"})
			s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Card"})
		}
		admin := s.SignedIn(t, ines)
		of := func(page *webtest.Answer, tab string) (ids []string) {
			for _, card := range page.Want(t, 200).Page(t).Find(`article[data-token-id]:has(h3 a[href^="` + tab + `/"])`).EachIter() {
				ids = append(ids, card.AttrOr("data-token-id", ""))
			}
			return ids
		}
		links := func(page *webtest.Answer, text string) (hrefs []string) {
			for _, a := range page.Page(t).Find(".pager a").FilterFunction(named(text)).EachIter() {
				hrefs = append(hrefs, a.AttrOr("href", ""))
			}
			return hrefs
		}
		first := admin.Get(t, tokensTab+"?q=card&sort=used").Has(t, fmt.Sprint(models.PageSize+2, " automation tokens"))
		more := links(first, "Show more")
		if len(more) != 2 {
			t.Fatalf("more is at %q", more)
		}
		u, err := url.Parse(more[1])
		if err != nil || u.Query().Get("q") != "card" || u.Query().Get("sort") != "used" || u.Query().Has("after") || u.Fragment != "automation" {
			t.Fatalf("more automation tokens are at %q (%v)", more[1], err)
		}
		second := admin.Get(t, "/w/marlowe-press/settings/api-tokens?"+u.RawQuery)
		all := slices.Concat(of(first, automationTab), of(second, automationTab))
		slices.Sort(all)
		if n := len(slices.Compact(all)); n != models.PageSize+2 || len(of(first, automationTab)) != models.PageSize {
			t.Errorf("the pages have %d automation tokens", n)
		}
		if !slices.Equal(of(first, tokensTab), of(second, tokensTab)) {
			t.Error("the API tokens beside them are others")
		}
		if back := links(second, "First page"); len(back) != 1 || !strings.HasPrefix(back[0], tokensTab+"?q=card&sort=used#automation") {
			t.Errorf("the first page is at %q", back)
		}
		admin.Get(t, tokensTab+"?after="+u.Query().Get("automation_after")).Want(t, 400)
		admin.Get(t, tokensTab+"?automation_after=x").Want(t, 400).Has(t, "Start again at its beginning")
	})
}

// The account page says before the button how many automation tokens a new password ends, and after it how many there were; to whom none
// belongs it says nothing. Whoever presents one is told why.
func TestANewPasswordEndsAutomation(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		member := s.Person(t, s.Admin, models.Member)
		_, own := s.Automation(t, s.Admin, "marlowe-press", models.NewAutomationToken{Period: "no_exp"})
		_, theirs := s.Automation(t, storetest.As(member), "marlowe-press", models.NewAutomationToken{Period: "no_exp"})
		s.SignedIn(t, member.Email).Get(t, "/account").Want(t, 200).HasNot(t, "automation token of").HasNot(t, "will end with this")
		in := s.SignedIn(t, ines)
		in.Get(t, "/account").Want(t, 200).Has(t, "2 automation tokens of workspaces that you own will end with this")
		in.Post(t, "/account/password", webtest.Form{"current_password": "not the right one, though long", "new_password": "seven green bicycles under a bridge"}).Want(t, 422)
		if code := presented(t, s, theirs.Reveal()); code != good {
			t.Errorf("a wrong password leaves a token %q", code)
		}
		in.Post(t, "/account/password", webtest.Form{"current_password": storetest.Password, "new_password": "seven green bicycles under a bridge"}).To(t, "/account")
		in.Get(t, "/account").Want(t, 200).Has(t, "2 automation tokens of workspaces that you own have ended.").HasNot(t, "will end with this")
		for _, text := range []string{own.Reveal(), theirs.Reveal()} {
			a := s.Browser(t).Get(t, "/api/nothing", "Authorization", "Bearer "+text).Want(t, 401).Has(t, "the account password was changed")
			if codeIn(a.Body) != "credential_revoked" {
				t.Errorf("a call is answered with %q", codeIn(a.Body))
			}
		}
		in.Get(t, "/audit").Want(t, 200).Has(t, "which ended 2 automation tokens")
		in.Post(t, "/account/password", webtest.Form{"current_password": "seven green bicycles under a bridge", "new_password": storetest.Password}).To(t, "/account")
		in.Get(t, "/account").Want(t, 200).HasNot(t, "have ended")
	})
}

// Programs that signed in stand among one's sessions, with their workspace, and are ended like those of browsers.
func TestProgramsOnTheAccountPage(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		seen, tokens, err := s.SignInProgram(t.Context(), models.Actor{Kind: models.Guest, Address: "203.0.113.9"}, models.SignIn{Email: ines, Password: storetest.Password, Browser: "PostmanRuntime/7.43"})
		if err != nil {
			t.Fatal(err)
		}
		s.Secrets.Add(tokens.Random)
		s.Secrets.Add(tokens.Refresh)
		in := s.SignedIn(t, ines)
		rows := in.Get(t, "/account").Want(t, 200).Page(t).Find(".rows li").FilterFunction(func(_ int, row *goquery.Selection) bool { return strings.Contains(row.Text(), "Program") })
		if got := words(rows); rows.Length() != 1 || !strings.HasPrefix(got, "Program (PostmanRuntime) 203.0.113.9 · signed in 21 Nov 2026, 09:30 UTC · in Marlowe PressActive now") {
			t.Errorf("%d programs: %s", rows.Length(), got)
		}
		end := rows.Find("[formaction]").AttrOr("formaction", "")
		if end != "/account/sessions/"+seen.Session.ID+"/end" {
			t.Fatalf("it is ended at %q", end)
		}
		in.Post(t, end, nil).To(t, "/account")
		in.Get(t, "/account").Want(t, 200).Has(t, "That session is over.").HasNot(t, "PostmanRuntime")
		if _, _, err := s.RenewProgram(t.Context(), models.Actor{Kind: models.Guest}, tokens.Refresh, models.Renewal{Email: ines}); models.KindOf(err) != models.Ambiguous {
			t.Errorf("its refresh token is answered with %v", err)
		}
	})
}

// A person's record lists their automation tokens of all workspaces, each with its workspace and a link to it, and says what being
// deactivated does to them.
func TestAutomationOnThePersonsRecord(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		member := s.Person(t, s.Admin, models.Member)
		record := "/people/" + member.ID
		admin.Get(t, record).Want(t, 200).HasNot(t, "Automation tokens")
		made, text := s.Automation(t, storetest.As(member), "marlowe-press", models.NewAutomationToken{Name: "Nightly", Period: "no_exp"})
		row := admin.Get(t, record).Want(t, 200).Page(t).Find(`li[data-token-id="` + made.ID + `"]`)
		if got := words(row); got != "Nightly "+made.Prefix+"... ends in "+made.Last4+" In Marlowe Press · created 21 Nov 2026, 09:30 UTC · never expiresnot used yetActive" {
			t.Errorf("the record says %q", got)
		}
		admin.Get(t, row.Find("a").AttrOr("href", "")).Want(t, 200).Has(t, "Nightly")
		admin.Get(t, record+"/deactivate").Want(t, 200).Has(t, "1 automation token of theirs will end for good")
		admin.Post(t, record+"/deactivate", nil).To(t, record)
		if row := admin.Get(t, record).Has(t, "No bearer token yet.").Page(t).Find(`li[data-token-id="` + made.ID + `"]`); !strings.HasSuffix(words(row), "Revoked") {
			t.Errorf("the record says %q", words(row))
		}
		admin.Get(t, record+"/tokens").Want(t, 200).HasNot(t, made.Prefix)
		if code := presented(t, s, text.Reveal()); code != "credential_revoked" && code != "owner_deactivated" {
			t.Errorf("a call with it is answered with %q", code)
		}
	})
}
