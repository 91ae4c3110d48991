package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const keysTab = "/account/api-keys"

// keyRowOf is the row of an API key on its person's page, by its name.
func keyRowOf(t testing.TB, page *webtest.Answer, name string) *goquery.Selection {
	t.Helper()
	rows := page.Want(t, 200).Page(t).Find("tr[data-key-id]").FilterFunction(func(_ int, row *goquery.Selection) bool { return words(row.Find("td .med")) == name })
	if rows.Length() != 1 {
		t.Fatalf("%d rows of %s", rows.Length(), name)
	}
	return rows
}

// Seed 002: a Member generates a key in the console, which is shown once; its menu regenerates, renames and deletes it. Each step is told, and felt by the next call.
func TestAPIKeyLife(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		in := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		in.Get(t, keysTab).Want(t, 200).Has(t, "No API keys yet").Has(t, "Generate API Key")
		made := fill(t, in, keysTab, "name", " Warehouse  check ")
		first, _ := shownToken(t, s, made)
		if title, ends := made.Text(t, "#reveal-title"), made.Text(t, "#token-expires"); title != "API key generated" || ends != "19 Feb 2027, 09:30 UTC" || first[:5] != "pkey_" || strings.Count(made.Body, first) != 1 {
			t.Errorf("the reveal says %q, %q", title, ends)
		}
		made.Has(t, s.URL+"/v1/me").Has(t, "X-API-Key: $KEY")
		row := keyRowOf(t, in.Get(t, keysTab).HasNot(t, first), "Warehouse check")
		path := keysTab + "/" + row.AttrOr("data-key-id", "")
		var menu []string
		for _, a := range row.Find(".menu a").EachIter() {
			menu = append(menu, words(a)+" "+a.AttrOr("href", ""))
		}
		if want := []string{"Regenerate " + path + "/regenerate", "Rename " + path + "/rename", "Delete " + path + "/delete"}; !slices.Equal(menu, want) || badgeOf(row) != "Active" || !strings.Contains(words(row), "19 Feb 2027") {
			t.Errorf("the row is %q with %q", words(row), menu)
		}
		if code := presented(t, s, first); code != good {
			t.Errorf("a call with it is answered with %q", code)
		}
		in.Post(t, path+"/rename", webtest.Form{"name": ""}).Want(t, 422).Has(t, "Rename Warehouse check")
		in.Post(t, path+"/rename", webtest.Form{"name": "Stock check"}).To(t, keysTab)
		in.Get(t, keysTab).Want(t, 200).Has(t, "is its name now.")
		again := regenerate(t, in, path)
		second, _ := shownToken(t, s, again)
		if title := again.Text(t, "#reveal-title"); title != "API key regenerated" || second == first {
			t.Errorf("the reveal says %q", title)
		}
		if was, is := presented(t, s, first), presented(t, s, second); was != "credential_replaced" || is != good {
			t.Errorf("the key before is answered with %q, the new one with %q", was, is)
		}
		s.Flush(t)
		if row := keyRowOf(t, in.Get(t, keysTab), "Stock check"); !strings.Contains(words(row), "now") || !strings.Contains(words(row), "refused call") {
			t.Errorf("the row is %q", words(row))
		}
		in.Get(t, path+"/delete").Want(t, 200).Has(t, "Still in use")
		in.Post(t, path+"/delete", webtest.Form{"reason": strings.Repeat("x", 201)}).Want(t, 422).Has(t, "200 characters or fewer")
		in.Post(t, path+"/delete", webtest.Form{"reason": "moved on"}).To(t, keysTab)
		in.Get(t, keysTab).Want(t, 200).Has(t, "Deleted and revoked").Has(t, "moved on").Has(t, "No API keys yet")
		if code := presented(t, s, second); code != "credential_revoked" {
			t.Errorf("what was deleted is answered with %q", code)
		}
		for _, action := range []string{"/rename", "/regenerate", "/delete"} {
			in.Get(t, path+action).Want(t, 409)
		}
	})
}

// The same form again makes nothing and shows nothing; what is wrong with it comes back with what was typed, and uses nothing up.
func TestAPIKeyForms(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		in := s.SignedIn(t, ines)
		id := in.Get(t, keysTab+"/new").Want(t, 200).Has(t, "It expires in 90 days, by your API key settings.").Value(t, "form_id")
		in.Post(t, keysTab, webtest.Form{"name": "a\u202eb", "form_id": id}).Want(t, 422).Has(t, "characters that can't be shown")
		first := in.Post(t, keysTab, webtest.Form{"name": "Once", "form_id": id})
		token, _ := shownToken(t, s, first)
		in.Post(t, keysTab, webtest.Form{"name": "Once", "form_id": id}).Want(t, 200).HasNot(t, token).Has(t, "This API key was already shown")
		if n := in.Get(t, keysTab).Page(t).Find("tr[data-key-id]").Length(); n != 1 {
			t.Errorf("%d keys", n)
		}
		in.Post(t, keysTab, webtest.Form{"name": "None", "form_id": ""}).Want(t, 422).Has(t, "This form is incomplete")
		in.Post(t, keysTab, webtest.Form{"name": "More", "expires_at": "never", "form_id": id}).Want(t, 400)
	})
}

// One's keys are one's own: an Admin finds none of somebody else's.
func TestAPIKeysAreOnesOwn(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		tom := s.Person(t, s.Admin, models.Member)
		key, text := s.Key(t, storetest.As(tom), models.NewAPIKey{Name: "Tom's"})
		in := s.SignedIn(t, ines)
		in.Get(t, keysTab).Want(t, 200).HasNot(t, key.Prefix)
		for _, action := range []string{"rename", "regenerate", "delete"} {
			path := keysTab + "/" + key.ID + "/" + action
			in.Get(t, path).Want(t, 404)
			form := map[string]webtest.Form{"rename": {"name": "Mine"}, "regenerate": {"form_id": strings.Repeat("a", 22)}, "delete": {}}[action]
			in.Post(t, path, form).Want(t, 404)
		}
		if code := presented(t, s, text.Reveal()); code != good {
			t.Errorf("a call with it is answered with %q", code)
		}
	})
}

// The settings say how long new keys live, and are obeyed by them; where an Admin has fixed it, or a policy says no, that is said in their place.
func TestAPIKeySettings(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		in := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		chosen := func() (values []string) {
			for _, o := range in.Get(t, keysTab).Want(t, 200).Page(t).Find("#keys-expiration_days option[selected]").EachIter() {
				values = append(values, o.AttrOr("value", ""))
			}
			return values
		}
		for i, c := range []struct{ days, custom, says, ends string }{
			{"30", "", "expire after 30 days", "21 Dec 2026, 09:30 UTC"}, {"365", "", "expire after a year", "21 Nov 2027, 09:30 UTC"}, {"never", "", "do not expire", "Never"}, {"custom", "7", "expire after 7 days", "28 Nov 2026, 09:30 UTC"},
		} {
			in.Post(t, keysTab+"/settings", webtest.Form{"expiration_days": c.days, "days": c.custom}).To(t, keysTab)
			in.Get(t, keysTab).Has(t, c.says)
			if got := chosen(); !slices.Equal(got, []string{c.days}) {
				t.Errorf("%s: chosen is %v", c.days, got)
			}
			made := fill(t, in, keysTab, "name", fmt.Sprint("key ", i))
			shownToken(t, s, made)
			if ends := made.Text(t, "#token-expires"); ends != c.ends {
				t.Errorf("%s: it expires %s", c.days, ends)
			}
		}
		for _, form := range []webtest.Form{{"expiration_days": "custom", "days": ""}, {"expiration_days": "custom", "days": "0"}, {"expiration_days": "custom", "days": "36501"}, {"expiration_days": "31"}, {"expiration_days": ""}} {
			in.Post(t, keysTab+"/settings", form).Want(t, 422).Has(t, "There is a problem")
		}
		execute(t, s, "UPDATE policies SET longest_key_days = 60")
		if page := in.Get(t, keysTab).Has(t, "60 days at most").Page(t); page.Find("#keys-expiration_days option").Length() != 3 || page.Find("option[value='90'], option[value=never]").Length() != 0 {
			t.Errorf("offered are %s", words(page.Find("#keys-expiration_days")))
		}
		in.Post(t, keysTab+"/settings", webtest.Form{"expiration_days": "90"}).Want(t, 422).Has(t, "60 days at most")
		execute(t, s, "UPDATE policies SET longest_key_days = 0, key_days = 14")
		page := in.Get(t, keysTab).Has(t, "An Admin has set this for everybody.").Page(t)
		if page.Find("select#keys-expiration_days[disabled]").Length() != 1 || page.Find(`form[action="/account/api-keys/settings"]`).Length() != 0 || words(page.Find("#keys-expiration_days option[selected]")) != "14 days" {
			t.Errorf("the settings are %s", words(page.Find(".keyset")))
		}
		in.Post(t, keysTab+"/settings", webtest.Form{"expiration_days": "30"}).Want(t, 409).Has(t, "14 days")
		execute(t, s, "UPDATE policies SET key_makers = 'nobody'")
		in.Get(t, keysTab).Has(t, "Admins decided that nobody generates API keys at present.").HasNot(t, "Generate API Key")
		in.Get(t, keysTab+"/new").Want(t, 403).Has(t, "nobody generates API keys")
	})
}

// More keys than a page has are on the next ones.
func TestAPIKeysPages(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		for i := range models.PageSize + 2 {
			s.Key(t, s.Admin, models.NewAPIKey{Name: fmt.Sprint("key ", i), Given: true})
		}
		in := s.SignedIn(t, ines)
		first := in.Get(t, keysTab).Has(t, "52 API keys").Page(t)
		more := first.Find(`.pager a`).FilterFunction(named("Show more")).AttrOr("href", "")
		second := in.Get(t, more).Want(t, 200).Page(t)
		if a, b := first.Find("tr[data-key-id]").Length(), second.Find("tr[data-key-id]").Length(); a != models.PageSize || b != 2 {
			t.Errorf("%d and %d rows", a, b)
		}
		in.Get(t, keysTab+"?after=x").Want(t, 400)
		in.Get(t, keysTab+"?shares_after=x").Want(t, 400)
		s.Clock.Advance(time.Minute)
	})
}
