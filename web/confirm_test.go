package web_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// guarded is a form that needs a password check of the last 15 minutes (security rule S5).
type guarded struct {
	page, path string // where the form stands, and where it goes
	form       webtest.Form
	kept       string // the field whose value must come back
}

func guardedForms(p models.Person, session string) map[string]guarded {
	record := "/people/" + p.ID
	return map[string]guarded{
		"another Admin":           {"/people/new", "/people", webtest.Form{"name": "Typed", "email": "typed" + p.ID + "@marlowe.example", "role": "Admin", "password": storetest.Password}, "name"},
		"a role":                  {record, record, webtest.Form{"name": "Typed", "email": p.Email, "role": "Admin"}, "name"},
		"an email address":        {record, record, webtest.Form{"name": "Typed", "email": "new@marlowe.example", "role": "Member"}, "email"},
		"a bearer token":          {record + "/bearer-token", record + "/bearer-token", webtest.Form{"form_id": secret.FormID()}, ""},
		"somebody's sessions":     {record + "/sign-out", record + "/sign-out", webtest.Form{}, ""},
		"a session of one's own":  {"/account", "/account/sessions/" + session + "/end", webtest.Form{}, ""},
		"all sessions of oneself": {"/account", "/account/sign-out", webtest.Form{}, ""},
	}
}

// What matters asks for the password again when it was last checked more than 15 minutes ago. Without
// it, or with a wrong one, nothing happens and nothing typed is lost; with it, it is done, the session
// gets a new secret, and for 15 minutes nothing asks again.
func TestThePasswordIsAskedAgain(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		for name := range guardedForms(models.Person{}, "") {
			p := s.Person(t, s.Admin, models.Member)
			me := s.Person(t, s.Admin, models.Admin)
			session(t, s, me)
			other := currentSession(t, s, me)
			self := s.SignedIn(t, me.Email)
			s.Clock.Advance(models.RecentSignIn - time.Microsecond)
			g := guardedForms(p, other)[name]
			if asks(t, self.Get(t, g.page)) {
				t.Errorf("%s: the password is asked for within 15 minutes", name)
			}
			s.Clock.Advance(time.Microsecond)
			if page := self.Get(t, g.page).Want(t, 200); !asks(t, page) {
				t.Errorf("%s: the page does not ask for the password", name)
			}
			before, old := s.Changes(t), self.Cookie(t, "sid")
			for said, password := range map[string]string{
				"Enter your password: it was last checked more than 15 minutes ago.": "", "That is not your current password.": "a wrong password of some length",
			} {
				form := with(g.form, "current_password", password)
				a := self.Post(t, g.path, form)
				if a.Status != 422 || !strings.HasSuffix(a.Problem(t, "current_password"), said) || !asks(t, a) {
					t.Errorf("%s: with %q status %d, beside the field %q", name, password, a.Status, a.Problem(t, "current_password"))
				}
				if g.kept != "" && a.Page(t).Find(`main form [name="`+g.kept+`"]`).AttrOr("value", "") != g.form[g.kept] {
					t.Errorf("%s: what was typed is lost", name)
				}
			}
			if s.Changes(t) != before || self.Cookie(t, "sid") != old {
				t.Errorf("%s: something happened without the password", name)
			}
			a := self.Post(t, g.path, with(g.form, "current_password", storetest.Password))
			if a.Status != 200 && a.Status != 303 || s.Changes(t) != before+2 { // the check and the change
				t.Errorf("%s: with the password status %d, %d changes", name, a.Status, s.Changes(t)-before)
			}
			if in(t, old, s) {
				t.Errorf("%s: the session's old secret is still good", name)
			}
			if strings.HasSuffix(g.path, "/account/sign-out") {
				continue
			}
			if now := self.Cookie(t, "sid"); now == old || !in(t, now, s) || asks(t, self.Get(t, g.page)) {
				t.Errorf("%s: after the check the browser is out, or is asked again", name)
			}
		}
	})
}

// What does not matter as much asks for nothing: a name alone, taking something away that can be given
// back, looking.
func TestThePasswordIsNotAskedForLess(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := s.Person(t, s.Admin, models.Member)
	s.Token(t, s.Admin, p.ID)
	admin := s.SignedIn(t, "ines@marlowe.example")
	s.Clock.Advance(20 * time.Minute)
	record := "/people/" + p.ID
	admin.Post(t, record, webtest.Form{"name": "Another Name", "email": p.Email, "role": string(p.Role)}).To(t, record)
	admin.Post(t, record, webtest.Form{"name": "Another Name", "email": p.Email, "role": string(p.Role), "current_password": ""}).To(t, record)
	for _, action := range []string{"/bearer-token/revoke", "/deactivate", "/activate"} {
		admin.Post(t, record+action, nil).To(t, record)
	}
	admin.Post(t, "/w/marlowe-press/settings", webtest.Form{"name": "Marlowe House"}).To(t, "/w/marlowe-press/settings")
	admin.Post(t, "/people", webtest.Form{"name": "Tom", "email": "tom@marlowe.example", "role": "Member", "password": storetest.Password}).Want(t, 303)
}

// What is guessed here is counted with what is guessed at the sign-in page (S10): the browser waits at
// both.
func TestGuessingWhereItIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p, admin := s.Person(t, s.Admin, models.Member), s.SignedIn(t, "ines@marlowe.example")
	s.Clock.Advance(20 * time.Minute)
	path, before := "/people/"+p.ID+"/bearer-token", s.Changes(t)
	try := func(password string) *webtest.Answer {
		t.Helper()
		return admin.Post(t, path, webtest.Form{"form_id": secret.FormID(), "current_password": password}).Want(t, 422)
	}
	for range 5 {
		try("a wrong password of some length").Has(t, "That is not your current password.")
	}
	a := try(storetest.Password).Has(t, "Too many attempts. Wait 1 second")
	if a.Header.Get("Retry-After") != "1" || s.Changes(t) != before {
		t.Errorf("Retry-After %q, %d changes", a.Header.Get("Retry-After"), s.Changes(t)-before)
	}
	admin.Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}).Want(t, 429)
	s.Clock.Advance(time.Second)
	admin.Post(t, path, webtest.Form{"form_id": secret.FormID(), "current_password": storetest.Password}).Want(t, 200).Text(t, "#token")
}

// asks says whether a form of the page's content has a field for the password, and that every such field
// has a label.
func asks(t testing.TB, a *webtest.Answer) bool {
	t.Helper()
	found := a.Page(t).Find(`main form:not([action="/account/password"]) [name="current_password"]`)
	for _, field := range found.EachIter() {
		if label := a.Page(t).Find(`label[for="` + field.AttrOr("id", "") + `"]`); label.Length() != 1 || label.Text() != "Your password" {
			t.Errorf("the field for the password has the label %q", label.Text())
		}
	}
	return found.Length() > 0
}

func with(form webtest.Form, field, value string) webtest.Form {
	more := webtest.Form{field: value}
	for name, value := range form {
		more[name] = value
	}
	return more
}
