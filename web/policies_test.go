package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// someKeys makes API keys of the first Admin.
func someKeys(t *testing.T, s webtest.Site, n int) []secret.Text {
	t.Helper()
	var texts []secret.Text
	for i := range n {
		_, text, err := s.CreateAPIKey(t.Context(), s.Admin, models.NewAPIKey{Name: fmt.Sprintf("Key %d", i)}, secret.FormID())
		if err != nil {
			t.Fatal(err)
		}
		s.Secrets.Add(text)
		texts = append(texts, text)
	}
	return texts
}

// decisions is a form that decides something in each of its fields.
func decisions(more ...string) webtest.Form {
	f := webtest.Form{
		"key_makers": "admins", "key_life": "custom", "key_days": "60", "longest_bearer_days": "300", "longest_api_days": "31", "longest_automation_days": "6",
		"longest_key_days": "90", "longest_collection_days": "100", "expiry_required": "yes", "unused_days": "", "reason": "The audit of May",
	}
	for i := 0; i+1 < len(more); i += 2 {
		f[more[i]] = more[i+1]
	}
	return f
}

// shows counts what a page has.
func shows(t *testing.T, page *webtest.Answer, selector string, want int) {
	t.Helper()
	if n := page.Page(t).Find(selector).Length(); n != want {
		t.Errorf("%d of %s, want %d", n, selector, want)
	}
}

// An Admin decides, sees what was decided, and finds it in the log with the reason; what cannot be is told beside its field, with everything as
// it was typed.
func TestPolicies(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, "ines@marlowe.example")
		shows(t, admin.Get(t, "/").Want(t, 200), `a[href="/settings/policies"]`, 1)
		admin.Post(t, "/settings/policies", decisions()).To(t, "/settings/policies")
		page := admin.Get(t, "/settings/policies").Want(t, 200).Has(t, "The policies are saved.")
		for name, want := range map[string]string{"key_days": "60", "longest_bearer_days": "300", "longest_api_days": "31", "longest_automation_days": "6", "longest_key_days": "90", "longest_collection_days": "100", "unused_days": ""} {
			if got := page.Page(t).Find("#"+name).AttrOr("value", ""); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if n := page.Page(t).Find("input:checked[value=admins], input:checked[value=custom], input:checked[value=yes]").Length(); n != 3 {
			t.Errorf("%d choices are as they were made", n)
		}
		admin.Get(t, "/audit").Want(t, 200).Has(t, "Ines Moreau changed the policies").Has(t, "The audit of May").Has(t, "31 days")

		before := s.Changes(t)
		for field, value := range map[string]string{"key_makers": "some", "key_days": "91", "longest_api_days": "1.5", "longest_key_days": "-2", "unused_days": "0", "longest_bearer_days": "99999999999999999999", "reason": strings.Repeat("a", 201)} {
			back := admin.Post(t, "/settings/policies", decisions(field, value)).Want(t, 422)
			doc := back.Page(t)
			if told := doc.Find("#" + field + "-error").Text(); told == "" {
				t.Errorf("%s as %q: nothing is said beside it", field, value)
			}
			if field != "key_makers" && doc.Find("#"+field).AttrOr("value", "") != value || doc.Find("#longest_collection_days").AttrOr("value", "") != "100" {
				t.Errorf("%s as %q: what was typed is lost", field, value)
			}
		}
		if told := admin.Post(t, "/settings/policies", decisions("key_life", "no_exp")).Want(t, 422).Problem(t, "key_life"); told == "" {
			t.Error("nothing is said of keys that never expire")
		}
		if s.Changes(t) != before {
			t.Error("a refusal changed something")
		}
		member := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		member.Get(t, "/settings/policies").Want(t, 403)
		member.Get(t, "/settings/policies/unused?days=1").Want(t, 403)
		shows(t, member.Get(t, "/").Want(t, 200), `a[href="/settings/policies"]`, 0)
	})
}

// The forms say what was decided and do not offer what is refused; the server refuses it all the same. A card whose end cannot be kept asks for
// another one.
func TestFormsFollowThePolicy(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, tab := s.SignedIn(t, "ines@marlowe.example"), "/w/marlowe-press/settings/api-tokens"
		old, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "old"})
		auto, _ := s.Automation(t, s.Admin, "marlowe-press", models.NewAutomationToken{Name: "mine", Period: "no_exp"})
		offered := func(page *webtest.Answer, form, what string) string {
			var list []string
			for _, o := range page.Page(t).Find(form + " " + what).EachIter() {
				list = append(list, o.AttrOr("value", ""))
			}
			return strings.Join(list, " ")
		}
		dialog, autoDialog := `form[action="`+tab+`"]`, `form[action="/w/marlowe-press/settings/automation-tokens"]`
		page := admin.Get(t, tab).Want(t, 200).HasNot(t, "Admins decided")
		if got := offered(page, dialog, "[name=expiration]"); got != "1w 1mo 3mo 1y no_exp custom" {
			t.Errorf("without a policy there are %s", got)
		}
		shows(t, admin.Get(t, tab+"/"+old.ID+"/regenerate").Want(t, 200), "[name=expiration]", 0)
		admin.Post(t, "/settings/policies", decisions()).To(t, "/settings/policies")
		page = admin.Get(t, tab).Want(t, 200).Has(t, "Admins decided: at most 31 days.").Has(t, "Admins decided: at most 6 days.")
		if got := offered(page, dialog, "[name=expiration]"); got != "1w 1mo custom" {
			t.Errorf("with a policy there are %s", got)
		}
		if got := page.Page(t).Find(dialog+" [name=expiration]:checked").AttrOr("value", ""); got != "1mo" {
			t.Errorf("suggested is %q", got)
		}
		if got := offered(page, autoDialog, "option"); got != "1h 3h 5h 16h 24h 48h" {
			t.Errorf("of automation tokens there are %s", got)
		}
		send := func(path string, f webtest.Form) *webtest.Answer {
			f["form_id"] = secret.FormID()
			return admin.Post(t, path, f)
		}
		send(tab, webtest.Form{"name": "a", "expiration": "no_exp", "access": "all"}).Want(t, 422).Has(t, "31 days at most")
		send(tab, webtest.Form{"name": "a", "expiration": "1mo", "access": "all"}).Want(t, 200)
		send("/w/marlowe-press/settings/automation-tokens", webtest.Form{"name": "a", "expiration_period": "1w"}).Want(t, 422).Has(t, "6 days at most")
		again := tab + "/" + old.ID + "/regenerate"
		shows(t, admin.Get(t, again).Want(t, 200), "[name=expiration]", 3)
		if told := send(again, webtest.Form{}).Want(t, 422).Problem(t, "expiration"); !strings.Contains(told, "31 days at most") {
			t.Errorf("of an end that is kept it says %q", told)
		}
		send(again, webtest.Form{"expiration": "1w"}).Want(t, 200)
		autoAgain := "/w/marlowe-press/settings/automation-tokens/" + auto.ID + "/regenerate"
		shows(t, admin.Get(t, autoAgain).Want(t, 200), "[name=expiration_period]", 1)
		send(autoAgain, webtest.Form{"expiration_period": "24h"}).Want(t, 200)
		admin.Get(t, "/people/"+s.Admin.ID).Want(t, 200).Has(t, "lasts 300 days, as Admins decided")
		send("/people/"+s.Admin.ID+"/bearer-token", webtest.Form{}).Want(t, 200)
		admin.Get(t, "/people/"+s.Admin.ID+"/bearer-token").Want(t, 200).Has(t, "The new one lasts 300 days, as Admins decided.")
		w, err := s.PersonRecord(t.Context(), s.Admin, s.Admin.ID)
		if err != nil || !w.Bearer.ExpiresAt.Equal(s.Clock.Now().AddDate(0, 0, 300)) {
			t.Errorf("the bearer token ends on %v (%v)", w.Bearer.ExpiresAt, err)
		}
	})
}

// The account API refuses what the policy refuses, and says why; its own suggestion is always allowed.
func TestAccountAPIFollowsThePolicy(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		s.SignedIn(t, "ines@marlowe.example").Post(t, "/settings/policies", decisions("longest_automation_days", "1")).To(t, "/settings/policies")
		program := signInAs(t, s, "ines@marlowe.example")
		const path = "/workspace/automation_token"
		program.refused(t, "GET", path+"?expiration_period=no_exp", "", 422, "invalid", "Admins decided that an automation token lives 1 day at most. Choose an earlier end.")
		program.refused(t, "GET", path+"?expiration_period=48h", "", 422, "invalid", "Admins decided that an automation token lives 1 day at most. Choose an earlier end.")
		program.must(t, "GET", path, "", "", nil)
	})
}

// What a policy would revoke is shown before it is saved: a first try is told how many those are, with a link to them.
func TestUnusedKeys(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		texts := someKeys(t, s, 53)
		s.Clock.Advance(40 * 24 * time.Hour)
		someKeys(t, s, 2)
		s.Clock.Advance(10 * 24 * time.Hour)
		admin := s.SignedIn(t, "ines@marlowe.example")
		admin.Get(t, "/settings/policies/unused").Want(t, 200)
		for days, told := range map[string]string{"-1": "whole number", "x": "whole number", "36501": "whole number", "0": "whole number"} {
			admin.Get(t, "/settings/policies/unused?days="+days).Want(t, 422).Has(t, told)
		}
		admin.Get(t, "/settings/policies/unused?days=51").Want(t, 200).Has(t, "No API key has been unused for 51 days.")
		page := admin.Get(t, "/settings/policies/unused?days=40").Want(t, 200).Has(t, "53 API keys unused for 40 days. Such a policy would revoke them")
		if n := page.Page(t).Find("tbody tr").Length(); n != models.PageSize {
			t.Errorf("%d rows", n)
		}
		next := page.Page(t).Find(`nav[aria-label="Pages"] a`).AttrOr("href", "")
		if n := admin.Get(t, next).Want(t, 200).Page(t).Find("tbody tr").Length(); n != 3 {
			t.Errorf("%d rows on the second page", n)
		}
		admin.Get(t, strings.Replace(next, "40", "41", 1)).Want(t, 400)

		form := decisions("longest_key_days", "", "key_days", "60", "unused_days", "40")
		before := s.Changes(t)
		asked := admin.Post(t, "/settings/policies", form).Want(t, 422).Has(t, "This revokes 53 API keys within the hour.")
		shows(t, asked, `a[href="/settings/policies/unused?days=40"]`, 1)
		if s.Changes(t) != before {
			t.Error("it was saved at once")
		}
		looked := admin.Post(t, "/settings/policies", decisions("longest_key_days", "", "key_days", "77", "unused_days", "51", "look", "yes")).Want(t, 200).Has(t, "No API key has been unused for 51 days.")
		if got := looked.Page(t).Find("#key_days").AttrOr("value", ""); got != "77" || s.Changes(t) != before {
			t.Errorf("after a look the form has %q", got)
		}
		admin.Post(t, "/settings/policies", decisions("unused_days", "", "look", "yes")).Want(t, 422).Has(t, "Enter after how many days")
		form["unused_seen"] = asked.Page(t).Find("[name=unused_seen]").AttrOr("value", "")
		form["unused_days"] = "30"
		admin.Post(t, "/settings/policies", form).Want(t, 422) // it is another number
		form["unused_days"] = "40"
		admin.Post(t, "/settings/policies", form).To(t, "/settings/policies")
		admin.Get(t, "/settings/policies").Want(t, 200).Has(t, "Today it revokes 53 API keys.")
		admin.Get(t, "/settings/policies/unused?days=40").Want(t, 200).Has(t, "The policy revokes them within the hour.")
		if n, err := s.RevokeUnused(t.Context()); err != nil || n != 53 {
			t.Errorf("revoked %d (%v)", n, err)
		}
		grant, err := s.GrantOf(t.Context(), texts[0].Hash())
		if err != nil || grant.Credential.State(s.Clock.Now()) != models.Revoked {
			t.Errorf("%+v (%v)", grant.Credential, err)
		}
		admin.Get(t, "/audit").Want(t, 200).Has(t, "The server").Has(t, "not used for 40 days (policy)")
		admin.Post(t, "/settings/policies", decisions("unused_days", "80")).To(t, "/settings/policies") // it revokes none
	})
}

// Each form says one thing of how long what it makes will live, the guide lists the periods that may be asked for, and whoever may not generate keys is
// offered nothing that does, and told why without being sent for Admin access.
func TestPagesAgreeWithThePolicy(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		member := s.Person(t, s.Admin, models.Member)
		k, _ := s.Key(t, storetest.As(member), models.NewAPIKey{Name: "mine", Given: true})
		shared := installed(t, s, s.Admin, "marlowe-press", "Tools", zipOf(t, "a.txt", "a")).Collection
		admin, theirs := s.SignedIn(t, "ines@marlowe.example"), s.SignedIn(t, member.Email)
		share := "/w/marlowe-press/settings/collections/" + shared.ID + "/access-keys/new"
		again := "/account/api-keys/" + k.ID + "/regenerate"
		admin.Get(t, share).Want(t, 200).Has(t, "It lives for 60 days, and each use gives it another 60.").HasNot(t, "Admins decided")
		admin.Get(t, "/use-the-api").Want(t, 200).Has(t, "no_exp").HasNot(t, "Admins decided")
		shows(t, theirs.Get(t, "/account/api-keys").Want(t, 200), `a[href="`+again+`"], .keyset`, 2)

		admin.Post(t, "/settings/policies", decisions("longest_collection_days", "5")).To(t, "/settings/policies")
		admin.Get(t, share).Want(t, 200).Has(t, "It lives for 5 days, however often it is used. Admins decided that.").HasNot(t, "60 days").HasNot(t, "another 60")
		admin.Get(t, "/use-the-api").Want(t, 200).Has(t, "48h").Has(t, "Admins decided: at most 6 days.").HasNot(t, "no_exp").HasNot(t, "1w")
		for _, makers := range []string{"admins", "nobody"} {
			admin.Post(t, "/settings/policies", decisions("key_makers", makers)).To(t, "/settings/policies")
			page := theirs.Get(t, "/account/api-keys").Want(t, 200).Has(t, "Admins decided that")
			shows(t, page, `a[href="`+again+`"], .keyset`, 0)
			shows(t, page, `[data-key-id] a[href$="/rename"]`, 1)
			if refused := theirs.Get(t, again).Want(t, 403).Has(t, "Admins decided that"); refused.Text(t, "h1") != "Not allowed" {
				t.Errorf("by %s: the page is headed %q", makers, refused.Text(t, "h1"))
			}
		}
	})
}
