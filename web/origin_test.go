package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// No page of another site gets a browser to change anything (security rule W1): every POST of the table,
// sent as an Admin would, with what a browser adds to a form of another site or another port, is 403 and
// changes nothing. Programs send neither field and pass; so does a form of our own.
func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		_, token := s.Token(t, s.Admin, m.owner.ID)
		cookie := session(t, s, m.owner)
		for _, row := range web.Rows() {
			if row.Method != http.MethodPost {
				continue
			}
			for _, c := range origins(s.URL) {
				owner, aim, cookie := m.owner, m.targets[stateFor(row)], cookie
				if c.passes {
					owner, aim = m.Person(t, s.Admin, models.Admin), m.target(t, stateFor(row))
					cookie = session(t, s, owner)
				}
				r := m.request(t, row, owner, aim)
				r.AddCookie(&http.Cookie{Name: "sid", Value: cookie})
				if row.Guard == "admin programs" {
					r.Header.Set("Authorization", "Bearer "+token.Reveal())
				}
				for i := 0; i < len(c.fields); i += 2 {
					r.Header.Set(c.fields[i], c.fields[i+1])
				}
				before := s.Changes(t)
				a := s.Browser(t).Do(t, r)
				refused := a.Status == http.StatusForbidden && strings.Contains(a.Body, "sent from another site")
				if refused == c.passes || !c.passes && s.Changes(t) != before {
					t.Errorf("%s with %q: status %d, %d changes", row.Path, c.fields, a.Status, s.Changes(t)-before)
				}
			}
		}
		// A link from another site still opens a page.
		s.SignedIn(t, "ines@marlowe.example").Get(t, "/people", "Sec-Fetch-Site", "cross-site", "Referer", "https://mail.example/").Want(t, 200)
	})
}

// origin is what a browser adds to a form, and whether that passes.
type origin struct {
	passes bool
	fields []string
}

func origins(here string) []origin {
	return []origin{
		{false, []string{"Sec-Fetch-Site", "cross-site"}},
		{false, []string{"Sec-Fetch-Site", "same-site"}},
		{false, []string{"Sec-Fetch-Site", "cross-site", "Origin", here}},
		{false, []string{"Origin", "https://evil.example"}},
		{false, []string{"Origin", "null"}},
		{false, []string{"Origin", "http://127.0.0.1"}},
		{false, []string{"Origin", here + ".evil.example"}},
		{true, nil},
		{true, []string{"Sec-Fetch-Site", "same-origin", "Origin", here}},
		{true, []string{"Sec-Fetch-Site", "none"}},
		{true, []string{"Origin", here}},
	}
}

// Who is sent to sign in comes back to the page that they asked for, with its parameters; a form is not
// sent again, and another site is never gone to (security rule W8).
func TestSignInLeadsBack(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	sent := func(next string) webtest.Form {
		return webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password, "next": next}
	}
	for _, path := range []string{"/people?q=a+b&role=Admin", "/", "/people/" + s.Admin.ID + "/bearer-token", "/w/marlowe-press/settings"} {
		out := s.Browser(t)
		asked := out.Get(t, path).Want(t, 303).Header.Get("Location")
		next := out.Get(t, asked).Want(t, 200).Value(t, "next")
		out.Post(t, "/signin", sent(next)).To(t, path)
	}
	s.Browser(t).Post(t, "/people", webtest.Form{"name": "x"}).To(t, "/signin?next=%2F")
	for _, elsewhere := range []string{
		"//evil.example", `/\evil.example`, "https://evil.example", "/\t/evil.example", "\\\\evil.example", "javascript:alert(1)", "/\r\nSet-Cookie: x=y", "//evil.example/%2f..", "evil.example",
	} {
		s.Browser(t).Post(t, "/signin", sent(elsewhere)).To(t, "/")
		page := s.Browser(t).Get(t, "/signin?"+url.Values{"next": {elsewhere}}.Encode()).Want(t, 200)
		if got := page.Value(t, "next"); got != "/" {
			t.Errorf("the form would lead to %q", got)
		}
		s.SignedIn(t, "ines@marlowe.example").Get(t, "/signin?"+url.Values{"next": {elsewhere}}.Encode()).To(t, "/")
	}
	s.SignedIn(t, "ines@marlowe.example").Get(t, "/signin?next=/account").To(t, "/account")
	// Through a failed attempt too.
	failed := s.Browser(t).Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": "", "next": "/account"}).Want(t, 422)
	if got := failed.Value(t, "next"); got != "/account" {
		t.Errorf("after a failed attempt the form leads to %q", got)
	}
}

// The choice of light or dark leads back to the page it was made on, if that is one of ours.
func TestThemeLeadsBack(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	for from, want := range map[string]string{
		s.URL + "/people?q=x": "/people?q=x", "": "/", "https://evil.example/people": "/", s.URL + "//evil.example/x": "/", "::": "/", s.URL: "/", "/people": "/",
		strings.Replace(s.URL, "http://", "http://user@", 1) + "/account": "/account",
	} {
		a := s.Browser(t)
		a.Post(t, "/preferences/theme", webtest.Form{"theme": "dark"}, "Referer", from).To(t, want)
		if got := a.Get(t, "/signin").Page(t).Find(`html[data-theme="dark"]`).Length(); got != 1 {
			t.Errorf("the page is not dark")
		}
	}
	a := s.Browser(t).With(t, "theme", "dark><script>alert(1)</script>")
	a.Get(t, "/signin").Want(t, 200).HasNot(t, "alert(1)")
	a.Post(t, "/preferences/theme", webtest.Form{"theme": "light"}).Want(t, 303)
	a.Post(t, "/preferences/theme", webtest.Form{"theme": "system"}).Want(t, 303)
	if got := a.Cookie(t, "theme"); got != "" {
		t.Errorf("the choice of the system's theme left the cookie %q", got)
	}
	for _, odd := range []string{"", "blue", "Dark", "dark; Domain=example", "light,dark"} {
		a.Post(t, "/preferences/theme", webtest.Form{"theme": odd}).Want(t, 400)
	}
}
