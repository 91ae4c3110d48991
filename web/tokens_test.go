package web_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

const tokensTab = "/w/marlowe-press/settings/api-tokens"

// sent sends the form that makes an API token. Its fields come in pairs of name and value.
func sent(t testing.TB, a *webtest.Agent, tab, formID string, fields ...string) *webtest.Answer {
	t.Helper()
	values := url.Values{"form_id": {formID}}
	for pair := range slices.Chunk(fields, 2) {
		values.Add(pair[0], pair[1])
	}
	return a.Send(t, "POST", tab, strings.NewReader(values.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// fill opens the form on its own page, fills it in and sends it.
func fill(t testing.TB, a *webtest.Agent, tab string, fields ...string) *webtest.Answer {
	t.Helper()
	return sent(t, a, tab, a.Get(t, tab+"/new").Want(t, 200).Value(t, "form_id"), fields...)
}

// shownToken is the token that a reveal shows, which becomes a secret of the world, and the ID of its card.
func shownToken(t testing.TB, s webtest.Site, a *webtest.Answer) (token, id string) {
	t.Helper()
	token = a.Want(t, 200).Text(t, "dialog#reveal[open] output#token")
	if _, ok := secret.Parse(token); !ok {
		t.Fatalf("the page shows %q, which is no token", token)
	}
	s.Secrets.Add(secret.Text(token))
	home := a.Page(t).Find("#reveal").AttrOr("data-url", "")
	return token, home[strings.LastIndex(home, "/")+1:]
}

// cardOf is the card of a token on a page.
func cardOf(t testing.TB, page *webtest.Answer, id string) *goquery.Selection {
	t.Helper()
	card := page.Page(t).Find(`article[data-token-id="` + id + `"]`)
	if card.Length() != 1 {
		t.Fatalf("%d cards of the token %s", card.Length(), id)
	}
	return card
}

// words is what an element says, with its white space folded.
func words(found *goquery.Selection) string { return strings.Join(strings.Fields(found.Text()), " ") }

// factOf is what stands under a heading of a card: "Expiration" is "NeverNo end date set", for what a style sets apart.
func factOf(card *goquery.Selection, heading string) string {
	return words(card.Find("dt").FilterFunction(named(heading)).NextFiltered("dd"))
}

// cardIDs are the cards of a page, in their order.
func cardIDs(t testing.TB, page *webtest.Answer) (ids []string) {
	t.Helper()
	for _, card := range page.Want(t, 200).Page(t).Find("article[data-token-id]").EachIter() {
		ids = append(ids, card.AttrOr("data-token-id", ""))
	}
	return ids
}

// Each of the offered expirations, and a date, come to what the form says: in the person's own time zone, on the reveal
// and on the card, to the minute and across the change of clocks.
func TestTokenExpirations(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		admin.Post(t, "/account/time-zone", webtest.Form{"time_zone": "America/New_York"}).To(t, "/account")
		offered := admin.Get(t, tokensTab+"/new").Want(t, 200)
		for _, c := range []struct{ preset, date, text, iso string }{
			{"1w", "", "28 Nov 2026, 04:30 EST", "2026-11-28T09:30:15Z"}, {"1mo", "", "21 Dec 2026, 04:30 EST", "2026-12-21T09:30:15Z"},
			{"3mo", "", "21 Feb 2027, 04:30 EST", "2027-02-21T09:30:15Z"}, {"1y", "", "21 Nov 2027, 04:30 EST", "2027-11-21T09:30:15Z"},
			{"custom", "2027-07-01T09:00", "1 Jul 2027, 09:00 EDT", "2027-07-01T13:00:00Z"}, {"no_exp", "", "Never", ""}, {"", "", "Never", ""},
		} {
			made := fill(t, admin, tokensTab, "name", "For "+c.preset, "expiration", c.preset, "expires_at", c.date, "access", "all")
			_, id := shownToken(t, s, made)
			if text, iso := made.Text(t, "time#token-expires"), made.Page(t).Find("#token-expires").AttrOr("datetime", ""); text != c.text || iso != c.iso {
				t.Errorf("%q: the reveal says %q, %q", c.preset, text, iso)
			}
			card := cardOf(t, admin.Get(t, tokensTab), id)
			if told := factOf(card, "Expiration"); !strings.HasPrefix(told, strings.Replace(c.text, ", ", " ", 1)) {
				t.Errorf("%q: the card says %q", c.preset, told)
			}
			if c.iso != "" && c.date == "" {
				offered.Has(t, "Expires "+c.text)
			}
		}
		offered.Has(t, "In your time zone, America/New_York.")
	})
}

// The reveal is as it is promised: the secret once, in a page that nobody keeps; afterwards the card tells the token by its
// beginning and its end.
func TestTokenReveal(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		made := fill(t, admin, tokensTab, "name", " Deploy <b>pipeline</b> ", "expiration", "3mo", "access", "all")
		token, id := shownToken(t, s, made)
		if n := strings.Count(made.Body, token); n != 1 || !strings.HasPrefix(token, "prod_") || strings.Contains(made.Text(t, "title"), token[5:20]) {
			t.Errorf("the secret stands %d times in the page: %.5s…", n, token)
		}
		for field, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Set-Cookie": "", "Location": "", "Content-Encoding": ""} {
			if got := made.Header.Get(field); got != want {
				t.Errorf("the reveal has %s %q, want %q", field, got, want)
			}
		}
		if title, closes := made.Text(t, "#reveal-title"), made.Page(t).Find(`#reveal form[method="get"]`).AttrOr("action", ""); title != "Token created" || closes != tokensTab {
			t.Errorf("the reveal is %q and closes to %q", title, closes)
		}
		made.Has(t, "Every resource").Has(t, s.URL+"/api/agent-base")
		next := admin.Get(t, tokensTab).Want(t, 200).HasNot(t, token)
		if len(next.Header.Values("Set-Cookie")) != 1 {
			t.Error("the next page changes no cookie: the one with the secret might come back")
		}
		card := cardOf(t, next, id)
		for heading, want := range map[string]string{"Created": "21 Nov 2026 09:30 UTC, Ines Moreau", "Expiration": "21 Feb 2027 09:30 UTC, in 92 days"} {
			if got := factOf(card, heading); got != want {
				t.Errorf("%s is %q, want %q", heading, got, want)
			}
		}
		told := words(card)
		if words(card.Find("h3")) != "Deploy <b>pipeline</b>" || !strings.Contains(told, token[:8]+"... ends in "+token[50:]) || !strings.Contains(told, "Active") || !strings.HasPrefix(factOf(card, "Usage"), "0 ") {
			t.Errorf("the card says %s", told)
		}
	})
}

// A token is narrowed to the operations that were ticked: the reveal counts them, and the token's page lists those and no
// others.
func TestChosenOperations(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		boxes := admin.Get(t, tokensTab+"/new").Want(t, 200).Page(t).Find(`input[name="scope"]`)
		if want := models.DefaultResources().Scopes(); boxes.Length() != len(want) {
			t.Errorf("%d operations are offered of %d", boxes.Length(), len(want))
		}
		made := fill(t, admin, tokensTab, "name", "Reader", "expiration", "1w", "access", "chosen", "scope", "storage:list", "scope", "knowledge-base:search", "scope", "storage:list")
		_, id := shownToken(t, s, made)
		made.Has(t, "2 operations").Has(t, "Knowledge Base, Storage").Has(t, "curl "+s.URL+"/api/knowledge-base/storage")
		fill(t, admin, tokensTab, "name", "Search", "access", "chosen", "scope", "knowledge-base:search").Has(t, `curl "`+s.URL+`/api/knowledge-base/search?q=token"`)
		access := words(admin.Get(t, tokensTab+"/"+id).Want(t, 200).Page(t).Find(`section[aria-labelledby="access-title"]`))
		if access != "AccessKnowledge Base /api/knowledge-baseSearchStorage /api/knowledge-base/storageList" {
			t.Errorf("the token's page says %q", access)
		}
		_, open := shownToken(t, s, fill(t, admin, tokensTab, "name", "All", "access", "all", "scope", "storage:list")) // ticked, and then thought better of
		admin.Get(t, tokensTab+"/"+open).Want(t, 200).Has(t, "Every resource of the product, now and later.")
	})
}

// A form that is not right comes back with what was typed and ticked, says beside each field what is wrong, and makes
// nothing.
func TestTokenFormProblems(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin := s.SignedIn(t, ines)
	admin.Post(t, "/account/time-zone", webtest.Form{"time_zone": "America/New_York"}).To(t, "/account")
	before := s.Changes(t)
	for _, c := range []struct{ name, expiration, date, access, scope, field, says string }{
		{"", "1w", "", "all", "", "name", "Enter a token name."},
		{"  ", "1w", "", "all", "", "name", "Enter a token name."},
		{strings.Repeat("é", 81), "1w", "", "all", "", "name", "80 characters or fewer"},
		{"a\u202eb", "1w", "", "all", "", "name", "can't be shown"},
		{"x", "2w", "", "all", "", "expiration", "Choose when the token expires, or Never."},
		{"x", "custom", "", "all", "", "expires_at", "Enter a date and time, for example"},
		{"x", "custom", "2027-02-30T09:00", "all", "", "expires_at", "Enter a date and time, for example"},
		{"x", "custom", "2026-11-21T04:30", "all", "", "expires_at", "must be in the future"}, // 15 seconds ago, there
		{"x", "custom", "2027-03-14T02:30", "all", "", "expires_at", "This time does not exist on that day"},
		{"x", "custom", "2127-01-01T00:00", "all", "", "expires_at", "within the next 100 years"},
		{"x", "1y", "", "chosen", "", "scope", "Choose at least one operation"},
		{"x", "no_exp", "", "chosen", "storage:burn", "scope", "no operation of that name"},
		{"", "1mo", "", "chosen", "storage:list", "name", "Enter a token name."},
	} {
		fields := []string{"name", c.name, "expiration", c.expiration, "expires_at", c.date, "access", c.access}
		if c.scope != "" {
			fields = append(fields, "scope", c.scope)
		}
		back := fill(t, admin, tokensTab, fields...).Want(t, 422)
		if told := back.Problem(t, c.field); !strings.Contains(told, c.says) || !strings.HasPrefix(back.Text(t, "title"), "Error: ") {
			t.Errorf("%+v: %q, in a page called %q", c, told, back.Text(t, "title"))
		}
		page := back.Page(t)
		typed := func(id string) string { return page.Find(id).AttrOr("value", "") }
		radio := func(name string) string {
			return page.Find(`input[name="`+name+`"][checked]`).AttrOr("value", "")
		}
		if c.expiration != "2w" && radio("expiration") != c.expiration || radio("access") != c.access || typed("#expires_at") != c.date || typed("#name") != c.name {
			t.Errorf("%+v came back with %q, %q, %q, %q", c, typed("#name"), radio("expiration"), typed("#expires_at"), radio("access"))
		}
		if ticked := page.Find(`input[name="scope"][checked]`); ticked.AttrOr("value", "") != strings.TrimPrefix(c.scope, "storage:burn") {
			t.Errorf("%+v came back with %d operations ticked", c, ticked.Length())
		}
		if page.Find("#token, #reveal").Length() > 0 {
			t.Errorf("%+v is answered with a secret", c)
		}
	}
	if s.Changes(t) != before {
		t.Error("something was made")
	}
}

// What no form of the console sends makes nothing: without its number, with a field of another value, with a token for
// a name.
func TestTokenFormsThatNobodyWrote(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin, before := s.SignedIn(t, ines), s.Changes(t)
	typed, err := secret.Mint("prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	id := secret.FormID()
	for what, c := range map[string]struct {
		answer *webtest.Answer
		status int
	}{
		"no number":        {sent(t, admin, tokensTab, "", "name", "x"), 422},
		"a short number":   {sent(t, admin, tokensTab, "short", "name", "x"), 422},
		"a token as name":  {sent(t, admin, tokensTab, id, "name", "old "+typed.Reveal()), 422},
		"another access":   {sent(t, admin, tokensTab, id, "name", "x", "access", "some"), 400},
		"a name twice":     {sent(t, admin, tokensTab, id, "name", "x", "name", "y"), 400},
		"an unknown field": {sent(t, admin, tokensTab, id, "name", "x", "enabled", "true"), 400},
		"too many scopes":  {sent(t, admin, tokensTab, id, slices.Repeat([]string{"scope", "storage:list"}, 501)...), 400},
		"NUL in a scope":   {sent(t, admin, tokensTab, id, "name", "x", "access", "chosen", "scope", "a\x00"), 400},
	} {
		if c.answer.Status != c.status || c.answer.Page(t).Find("#token").Length() > 0 || strings.Contains(c.answer.Body, typed.Reveal()) {
			t.Errorf("%s: status %d: %.300s", what, c.answer.Status, c.answer.Body)
		}
	}
	if s.Changes(t) != before {
		t.Error("something was made")
	}
}

// One form is one token, whoever sends it again: a reload, a double click, twenty presses at once on two servers.
func TestOneTokenFormSentAgain(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		cookie := session(t, s, person(t, s, s.Admin.ID))
		servers := []webtest.Site{s, webtest.Start(t, s.World, webtest.Over(s.Open(t)))}
		form := s.Browser(t).With(t, "sid", cookie).Get(t, tokensTab+"/new").Want(t, 200).Value(t, "form_id")
		press := func(i int) *webtest.Answer {
			return sent(t, servers[i%2].Browser(t).With(t, "sid", cookie), tokensTab, form, "name", fmt.Sprintf("Press %d", i), "access", "all")
		}
		var tokens, ids []string
		for _, a := range append(atOnce(20, press), press(20)) {
			if a.Page(t).Find("#token").Length() > 0 {
				token, id := shownToken(t, s, a)
				tokens, ids = append(tokens, token), append(ids, id)
			} else {
				a.Want(t, 200).Has(t, "This token was already shown").Has(t, "It was created on 21 Nov 2026, 09:30 UTC.")
			}
		}
		list := cardIDs(t, s.Browser(t).With(t, "sid", cookie).Get(t, tokensTab))
		if len(tokens) != 1 || !slices.Equal(list, ids) {
			t.Errorf("%d answers have a secret, and there are %d cards", len(tokens), len(list))
		}
	})
}
