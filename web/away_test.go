package web_test

import (
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// closed is a store of the site whose database has gone away.
func closed(t testing.TB, s webtest.Site) *store.Store {
	t.Helper()
	away := s.Open(t)
	if err := away.Close(); err != nil {
		t.Fatal(err)
	}
	return away
}

// Without its database nothing can be found out, and nobody is told that something was: neither "you
// are not signed in" nor "no such token" nor "all is well" (ASVS 16.5.3). What needs no database works,
// and the probes tell the two apart.
func TestTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		_, token := s.Token(t, s.Admin, m.owner.ID)
		cookie := session(t, s, m.owner)
		signedIn := signInAs(t, s, m.owner.Email)
		away := webtest.Start(t, s.World, webtest.Over(closed(t, s)))
		needsNone := map[string]bool{"health": true, "static": true, "preferences.theme": true, "postman": true}
		for _, row := range web.Rows() {
			r := m.request(t, row, m.owner, m.targets["active"])
			r.URL.Host, r.Host = strings.TrimPrefix(away.URL, "http://"), ""
			r.AddCookie(&http.Cookie{Name: "sid", Value: cookie})
			switch {
			case row.Guard == "admin programs":
				r.Header.Set("Authorization", "Bearer "+token.Reveal())
			case row.Voice == "status" && row.Guard != "anyone":
				r.Header.Set("Authorization", "Bearer "+signedIn.token)
			}
			a := away.Browser(t).Do(t, r)
			told := row.Method + " " + row.Path
			if (a.Status == http.StatusServiceUnavailable) == needsNone[row.Name] {
				t.Errorf("%s: status %d", told, a.Status)
			}
			headersOf(t, told, row, a)
			if row.Voice == "envelope" {
				if said := a.Envelope(t); said.Code != "verifier_unavailable" || a.Header.Get("Retry-After") == "" || a.Header.Get("WWW-Authenticate") != "" {
					t.Errorf("%s: code %q, Retry-After %q, challenge %q", told, said.Code, a.Header.Get("Retry-After"), a.Header.Get("WWW-Authenticate"))
				}
			}
			if strings.Contains(strings.ToLower(a.Body), "sql") {
				t.Errorf("%s: the answer tells of the inside: %.300s", told, a.Body)
			}
		}
		away.Browser(t).Get(t, "/healthz").Want(t, 200)
		away.Browser(t).Get(t, "/readyz").Want(t, 503)
		away.Browser(t).Get(t, "/signin").Want(t, 200) // a page that asks nothing
		s.Browser(t).Get(t, "/readyz").Want(t, 200)
	})
}

// Who signs out while the database is away is signed out in this browser, and told that the session lives on; it does
// until somebody ends it.
func TestSigningOutWithoutADatabase(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		cookie := session(t, s, s.Person(t, s.Admin, models.Member))
		execute(t, s, "ALTER TABLE events RENAME TO full_disk") // reading works, and no change
		b := s.Browser(t).With(t, "sid", cookie)
		a := b.Post(t, "/signout", nil).Want(t, http.StatusServiceUnavailable).Has(t, "This browser is signed out, but the server could not end the session.")
		if left := b.Cookie(t, "sid"); left != "" || a.Header.Get("Clear-Site-Data") == "" {
			t.Errorf("the browser keeps %q", left)
		}
		execute(t, s, "ALTER TABLE full_disk RENAME TO events")
		s.Browser(t).With(t, "sid", cookie).Get(t, "/account").Want(t, http.StatusOK)
	})
}
