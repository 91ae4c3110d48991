package web_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// A form that does not validate comes back as the same page with 422: what was typed is kept, a password
// never, each message stands beside its field, and a summary leads to it (http.md).
func TestFormsComeBack(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		taken, admin := s.Person(t, s.Admin, models.Member), s.SignedIn(t, "ines@marlowe.example")
		s.Token(t, s.Admin, taken.ID)
		record, long := "/people/"+taken.ID, strings.Repeat("long ", 60)
		for name, c := range map[string]returned{
			"sign-in, empty": {"/signin", webtest.Form{"email": " ", "password": ""}, map[string]string{"email": "Enter your email address.", "password": "Enter your password."}},
			"sign-in, wrong": {"/signin", webtest.Form{"email": "Ines@marlowe.example", "password": "wrong but long enough", "next": "/account"},
				map[string]string{"password": "The email address and password don't match."}},
			"person, empty": {"/people", webtest.Form{"name": "", "email": "", "role": "", "password": ""},
				map[string]string{"name": "Enter a name.", "email": "Enter an email address.", "role": "Choose a role.", "password": "Enter a password."}},
			"person, wrong": {"/people", webtest.Form{"name": long, "email": "no address", "role": "Owner", "password": "short one"},
				map[string]string{"name": "120 characters", "email": "in the format", "role": "Choose a role.", "password": "15 characters or more"}},
			"person, taken": {"/people", webtest.Form{"name": "Another", "email": strings.ToUpper(taken.Email), "role": "Member", "password": storetest.Password},
				map[string]string{"email": "already here"}},
			"person, guessable": {"/people", webtest.Form{"name": "Marguerite", "email": "m@marlowe.example", "role": "Admin", "password": "marguerite marlowe 1"},
				map[string]string{"password": "too little besides your name"}},
			"record, wrong": {record, webtest.Form{"name": " \u200b", "email": "x@", "role": "nobody"},
				map[string]string{"name": "can't be shown", "email": "in the format", "role": "Choose a role."}},
			"record, taken": {record, webtest.Form{"name": "Kept", "email": " INES@marlowe.example ", "role": "Member"}, map[string]string{"email": "already here"}},
			"revoke, wordy": {record + "/bearer-token/revoke", webtest.Form{"reason": long}, map[string]string{"reason": "200 characters"}},
			"password, empty": {"/account/password", webtest.Form{"current_password": "", "new_password": ""},
				map[string]string{"current_password": "Enter your current password.", "new_password": "Enter a password."}},
			"password, wrong": {"/account/password", webtest.Form{"current_password": "not the one I have now", "new_password": "another lantern by the river"},
				map[string]string{"current_password": "That is not your current password."}},
			"password, common": {"/account/password", webtest.Form{"current_password": storetest.Password, "new_password": "passwordpassword"}, map[string]string{"new_password": "Password "}},
			"password, same": {"/account/password", webtest.Form{"current_password": storetest.Password, "new_password": storetest.Password},
				map[string]string{"new_password": "differs from the current one"}},
			"workspace, empty": {"/w/marlowe-press/settings", webtest.Form{"name": "  "}, map[string]string{"name": "Enter a workspace name."}},
			"workspace, long":  {"/w/marlowe-press/settings", webtest.Form{"name": long}, map[string]string{"name": "60 characters"}},
		} {
			before := s.Changes(t)
			c.check(t, name, admin.Post(t, c.path, c.form))
			if s.Changes(t) != before {
				t.Errorf("%s: it changed something", name)
			}
		}
	})
}

// The set-up form comes back like the others, and its code is not used up by that.
func TestTheSetUpFormComesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := webtest.Start(t, w)
		code, err := s.OfferSetup(t.Context(), models.Actor{Kind: models.System})
		if err != nil {
			t.Fatal(err)
		}
		s.Browser(t).Get(t, "/signin").Want(t, 200).Has(t, "This console is not set up yet.")
		form := webtest.Form{"code": code.Reveal(), "name": "", "email": "nope", "password": "tokendesk tokendesk", "workspace": strings.Repeat("w", 61)}
		c := returned{"/setup", form, map[string]string{"name": "Enter a name.", "email": "in the format", "password": "Tokendesk", "workspace": "60 characters"}}
		c.check(t, "set-up", s.Browser(t).Post(t, c.path, form))

		// A wrong, used or old code opens nothing, and says so before a password is looked at.
		for _, wrong := range []string{"", "x", code.Reveal() + "x", strings.ToUpper(code.Reveal())} {
			s.Browser(t).Get(t, "/setup?code="+wrong).Want(t, 403).Has(t, "no longer works")
			s.Browser(t).Post(t, "/setup", webtest.Form{"code": wrong, "name": "M", "password": "x"}).Want(t, 403).Has(t, "no longer works")
		}
		s.Browser(t).Get(t, "/setup?code="+code.Reveal()).Want(t, 200)
		s.Clock.Advance(models.SetupCodeLife)
		s.Browser(t).Get(t, "/setup?code="+code.Reveal()).Want(t, 403)
	})
}

// returned is a form that comes back, with what is said of its fields.
type returned struct {
	path     string
	form     webtest.Form
	problems map[string]string
}

func (c returned) check(t *testing.T, name string, a *webtest.Answer) {
	t.Helper()
	if a.Status != 422 {
		t.Errorf("%s: status %d: %.300s", name, a.Status, a.Body)
		return
	}
	if !strings.HasPrefix(a.Text(t, "title"), "Error: ") {
		t.Errorf("%s: the title is %q", name, a.Text(t, "title"))
	}
	for field, value := range c.form {
		said, want := a.Problem(t, field), c.problems[field]
		if (want == "") != (said == "") || !strings.Contains(said, want) {
			t.Errorf("%s: beside %s it says %q, want %q", name, field, said, want)
		}
		if want != "" {
			c.summarised(t, name, a, field, said)
		}
		input := a.Page(t).Find(`main form[action="` + c.path + `"], main form:has([name="` + field + `"])`).Find(`[name="` + field + `"]`)
		kept := input.FilterFunction(hasValue(value)).Length() > 0
		switch {
		case strings.Contains(field, "password"):
			if value != "" && strings.Contains(a.Body, value) {
				t.Errorf("%s: the page has the %s that was typed", name, field)
			}
			if input.Filter("[value]").Length() > 0 {
				t.Errorf("%s: %s has a value", name, field)
			}
		case field == "role":
			if input.Filter("[checked]").AttrOr("value", "") == "Admin" && value != "Admin" {
				t.Errorf("%s: the role became Admin by itself", name)
			}
		case !kept && strings.TrimSpace(value) != "" && field != "next":
			t.Errorf("%s: %s no longer has %.40q", name, field, value)
		}
	}
}

// summarised insists that the summary on top leads to the field.
func (c returned) summarised(t *testing.T, name string, a *webtest.Answer, field, said string) {
	t.Helper()
	link := a.Page(t).Find(`[role="alert"] a`).FilterFunction(func(_ int, link *goquery.Selection) bool {
		return strings.HasSuffix(said, strings.Join(strings.Fields(link.Text()), " "))
	})
	target := strings.TrimPrefix(link.AttrOr("href", ""), "#")
	if link.Length() != 1 || a.Page(t).Find(`[id="`+target+`"][name="`+field+`"]`).Length() != 1 {
		t.Errorf("%s: the summary leads for %s to %q", name, field, target)
	}
}

// A record's form that comes back for the role leaves the record's own role chosen, not an invented one.
func TestTheChosenRoleIsKept(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	member := s.Person(t, s.Admin, models.Member)
	a := s.SignedIn(t, "ines@marlowe.example").Post(t, "/people/"+member.ID, webtest.Form{"name": "", "email": member.Email, "role": "Admin"}).Want(t, 422)
	if got := a.Page(t).Find(`#person [name="role"][checked]`).AttrOr("value", ""); got != "Admin" {
		t.Errorf("the role that was chosen is now %q", got)
	}
	if got := person(t, s, member.ID).Role; got != models.Member {
		t.Errorf("and the person is %s", got)
	}
}
