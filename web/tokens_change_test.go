package web_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

// actionsOf are the names of a card's buttons, in their order.
func actionsOf(card *goquery.Selection) string {
	var names []string
	for _, button := range card.Find("button").EachIter() {
		names = append(names, words(button))
	}
	return strings.Join(names, " ")
}

// badgeOf is what a card says about its state.
func badgeOf(card *goquery.Selection) string { return words(card.Find(".badge")) }

// regenerate goes through the question, as a person does; more fields come in pairs.
func regenerate(t testing.TB, a *webtest.Agent, token string, fields ...string) *webtest.Answer {
	t.Helper()
	path := token + "/regenerate"
	form := webtest.Form{"form_id": a.Get(t, path).Want(t, 200).Value(t, "form_id")}
	for pair := range slices.Chunk(fields, 2) {
		form[pair[0]] = pair[1]
	}
	return a.Post(t, path, form)
}

// The life of a token on its card: each state has its own buttons, each button does what it says and tells it, and what
// was revoked stays as it is, whatever is asked.
func TestTokenLife(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		first, id := shownToken(t, s, fill(t, admin, tokensTab, "name", "Deploy", "expiration", "1mo", "access", "all"))
		token := tokensTab + "/" + id
		is := func(status, actions string) *goquery.Selection {
			t.Helper()
			card := cardOf(t, admin.Get(t, tokensTab), id)
			if badgeOf(card) != status || actionsOf(card) != actions {
				t.Errorf("the card is %q with %q, want %q with %q", badgeOf(card), actionsOf(card), status, actions)
			}
			return card
		}
		card := is("Active", "Copy prefix Regenerate Deactivate Revoke")
		if copies := card.Find("button[data-copy]").AttrOr("data-copy", ""); copies != first[:8] {
			t.Errorf("Copy copies %q", copies)
		}

		admin.Post(t, token+"/deactivate", nil).To(t, tokensTab)
		admin.Get(t, tokensTab).Has(t, "Deploy is inactive. Calls with it are refused until you activate it.")
		is("Inactive", "Copy prefix Regenerate Activate Revoke")
		admin.Post(t, token+"/activate", nil).To(t, tokensTab)
		admin.Get(t, tokensTab).Has(t, "Deploy is active. Calls with it are accepted.")

		admin.Post(t, token+"/rename", webtest.Form{"name": " Deploy  pipeline "}).To(t, token)
		admin.Get(t, token).Has(t, "Deploy pipeline is its name now.")
		back := admin.Post(t, token+"/rename", webtest.Form{"name": strings.Repeat("x", 81)}).Want(t, 422)
		if !strings.Contains(back.Problem(t, "name"), "80 characters or fewer") || back.Value(t, "name") != strings.Repeat("x", 81) {
			t.Errorf("a long name comes back with %q", back.Problem(t, "name"))
		}

		shown := regenerate(t, admin, token).Has(t, "The token before is refused from now on.")
		second, same := shownToken(t, s, shown)
		if title := shown.Text(t, "#reveal-title"); title != "Token regenerated" || same != id || second == first {
			t.Errorf("%q, on the card %s", title, same)
		}
		if card = is("Active", "Copy prefix Regenerate Deactivate Revoke"); !strings.Contains(words(card), second[:8]+"... ends in "+second[50:]) {
			t.Errorf("the card says %s", words(card))
		}

		admin.Get(t, token+"/revoke").Want(t, 200).Has(t, "Revoke Deploy pipeline?").Has(t, second[:8])
		admin.Post(t, token+"/revoke", webtest.Form{"reason": strings.Repeat("x", 201)}).Want(t, 422)
		admin.Post(t, token+"/revoke", webtest.Form{"reason": "The contract has ended."}).To(t, tokensTab)
		admin.Get(t, tokensTab).Has(t, "Deploy pipeline is revoked. Calls with it are refused.").HasNot(t, second)
		is("Revoked", "Copy prefix")
		admin.Get(t, token).Want(t, 200).Has(t, "The contract has ended.").Has(t, "09:30 UTC, Ines Moreau")
	})
}

// A token that was revoked stays revoked: everything that would change it is a conflict, says so, and changes nothing.
func TestARevokedTokenStays(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		made, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Old"})
		token := tokensTab + "/" + made.ID
		admin.Post(t, token+"/revoke", nil).To(t, tokensTab)
		before := s.Changes(t)
		for path, form := range map[string]webtest.Form{
			"/activate": nil, "/deactivate": nil, "/rename": {"name": "New"}, "/regenerate": {"form_id": secret.FormID()},
		} {
			a := admin.Post(t, token+path, form).Want(t, 409).Has(t, "stays revoked")
			if a.Page(t).Find("#token").Length() > 0 {
				t.Errorf("%s shows a secret", path)
			}
		}
		for _, path := range []string{"/regenerate", "/revoke"} {
			admin.Get(t, token+path).Want(t, 409).Has(t, "stays revoked")
		}
		admin.Post(t, token+"/revoke", nil).To(t, tokensTab) // it is what was asked for
		if card := cardOf(t, admin.Get(t, tokensTab), made.ID); s.Changes(t) != before || badgeOf(card) != "Revoked" {
			t.Errorf("it is %s now", badgeOf(card))
		}
	})
}

// A token that has expired cannot be switched; it can be renamed and revoked, and regenerated with an end that is yet to
// come.
func TestAnExpiredTokenCanBeRegenerated(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		made, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Weekly", Expiration: models.ForAWeek})
		s.Clock.Advance(7 * 24 * time.Hour)
		admin, token := s.SignedIn(t, ines), tokensTab+"/"+made.ID
		if card := cardOf(t, admin.Get(t, tokensTab), made.ID); badgeOf(card) != "Expired" || actionsOf(card) != "Copy prefix Regenerate Revoke" {
			t.Errorf("the card is %q with %q", badgeOf(card), actionsOf(card))
		}
		for _, path := range []string{"/activate", "/deactivate"} {
			admin.Post(t, token+path, nil).Want(t, 409).Has(t, "Weekly expired on 28 Nov 2026. Regenerate it with a new expiration")
		}
		admin.Post(t, token+"/rename", webtest.Form{"name": "Every week"}).To(t, token)
		for expiration, says := range map[string]string{"": "Choose when it expires from now on, or Never.", "2w": "Choose when the token expires, or Never."} {
			back := regenerate(t, admin, token, "expiration", expiration).Want(t, 422)
			if told := back.Problem(t, "expiration"); !strings.Contains(told, says) || back.Page(t).Find("#token").Length() > 0 {
				t.Errorf("%q: it says %q", expiration, told)
			}
		}
		back := regenerate(t, admin, token, "expiration", "custom", "expires_at", "2026-11-28T09:30").Want(t, 422)
		if told := back.Problem(t, "expires_at"); !strings.Contains(told, "must be in the future") {
			t.Errorf("it says %q", told)
		}
		shown := regenerate(t, admin, token, "expiration", "1w")
		if _, id := shownToken(t, s, shown); id != made.ID || shown.Text(t, "#token-expires") != "5 Dec 2026, 09:30 UTC" {
			t.Errorf("it expires %s", shown.Text(t, "#token-expires"))
		}
		if card := cardOf(t, admin.Get(t, tokensTab), made.ID); actionsOf(card) != "Copy prefix Regenerate Deactivate Revoke" {
			t.Errorf("afterwards it has %q", actionsOf(card))
		}
	})
}

// An inactive token that is regenerated stays inactive, and the reveal says so.
func TestAnInactiveTokenStaysSo(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	made, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Paused"})
	admin, token := s.SignedIn(t, ines), tokensTab+"/"+made.ID
	admin.Post(t, token+"/deactivate", nil).To(t, tokensTab)
	shown := regenerate(t, admin, token).Has(t, "It is inactive: activate it before you use it.")
	text, _ := shownToken(t, s, shown)
	if card := cardOf(t, shown, made.ID); badgeOf(card) != "Inactive" {
		t.Errorf("the card is %s", badgeOf(card))
	}
	admin.Get(t, token).Want(t, 200).HasNot(t, text)
}

// One press of Regenerate is one secret, also when it comes twenty times at once on two servers: the one that is shown is the
// one that is good.
func TestOneRegenerationSentAgain(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		made, before := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Twice"})
		cookie, path := session(t, s, person(t, s, s.Admin.ID)), tokensTab+"/"+made.ID+"/regenerate"
		servers := []webtest.Site{s, webtest.Start(t, s.World, webtest.Over(s.Open(t)))}
		form := webtest.Form{"form_id": s.Browser(t).With(t, "sid", cookie).Get(t, path).Want(t, 200).Value(t, "form_id")}
		var tokens []string
		for _, a := range atOnce(20, func(i int) *webtest.Answer {
			return servers[i%2].Browser(t).With(t, "sid", cookie).Post(t, path, form)
		}) {
			if a.Page(t).Find("#token").Length() > 0 {
				token, _ := shownToken(t, s, a)
				tokens = append(tokens, token)
			} else {
				a.Want(t, 200).Has(t, "This token was already shown")
			}
		}
		if len(tokens) != 1 {
			t.Fatalf("%d answers have a secret", len(tokens))
		}
		for text, code := range map[string]string{before.Reveal(): "credential_replaced", tokens[0]: "no_such_resource"} {
			if got := codeIn(s.Browser(t).Get(t, "/api/nothing", "X-API-Token", text).Body); got != code {
				t.Errorf("a call is answered with %q, want %q", got, code)
			}
		}
	})
}

// A Member of the workspace sees none of its API tokens and may not open anything of them; whoever administers another workspace
// finds nothing there at all, neither by this workspace's address nor by the token's under their own.
func TestTokensAreForTheWorkspacesAdmins(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		made, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Guarded"})
		member := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		s.SignedIn(t, ines).Post(t, "/workspaces", webtest.Form{"name": "Harbour"}).Want(t, 303)
		other := s.Person(t, s.Admin, models.Member)
		s.SignedIn(t, ines).Post(t, "/w/harbour/settings/members", webtest.Form{"email": other.Email, "role": "Admin"}).Want(t, 303)
		stranger, before := s.SignedIn(t, other.Email), s.Changes(t)
		for path, page := range crawl(t, member) {
			if strings.Contains(page.Body, "/api-tokens/") || strings.Contains(page.Body, "Guarded") {
				t.Errorf("%s leads a Member to the tokens", path)
			}
		}
		member.Get(t, tokensTab+"?q=Guarded&status=active&sort=used").Want(t, 200).HasNot(t, "Guarded").HasNot(t, "API tokens yet").Has(t, "API tokens are managed by the Owner and the Admins")
		stranger.Get(t, tokensTab).Want(t, 404)
		for _, path := range []string{"/new", "/" + made.ID, "/" + made.ID + "/revoke", "/" + made.ID + "/regenerate"} {
			member.Get(t, tokensTab+path).Want(t, 403).HasNot(t, "Guarded")
			stranger.Get(t, tokensTab+path).Want(t, 404).HasNot(t, "Guarded")
		}
		one := "/" + made.ID
		for path, form := range map[string]webtest.Form{
			"": {"form_id": secret.FormID(), "name": "Mine"}, one + "/regenerate": {"form_id": secret.FormID()}, one + "/rename": {"name": "Mine"},
			one + "/activate": nil, one + "/deactivate": nil, one + "/revoke": nil,
		} {
			member.Post(t, tokensTab+path, form).Want(t, 403)
			stranger.Post(t, tokensTab+path, form).Want(t, 404)
			if path != "" {
				stranger.Post(t, "/w/harbour/settings/api-tokens"+path, form).Want(t, 404)
			}
		}
		stranger.Get(t, "/w/harbour/settings/api-tokens").Want(t, 200).Has(t, "No API tokens yet")
		stranger.Get(t, "/w/harbour/settings/api-tokens/"+made.ID).Want(t, 404)
		shownToken(t, s, fill(t, stranger, "/w/harbour/settings/api-tokens", "name", "Theirs", "access", "all"))
		if n := s.Changes(t) - before; n != 1 {
			t.Errorf("%d changes", n)
		}
	})
}
