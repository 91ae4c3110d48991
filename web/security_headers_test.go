package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// Security rules W3, W4 and W5: every answer of every route has the policy, the other fields and its type,
// and may not be stored: what is shown, what leads on, and what refuses, in each of the ways in which it can
// be refused, with and without a database. What is downloaded is an attachment that can do nothing (U12).
func TestW4EveryAnswerHasItsHeaders(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	m := newMatrix(t, s)
	away := webtest.Start(t, s.World, webtest.Over(closed(t, s)))
	cookie, seen := session(t, s, m.owner), map[int]bool{}
	for _, row := range web.Rows() {
		for name, change := range ways(m, away) {
			me, mine := m.owner, cookie
			if row.Method == http.MethodPost { // which may end the session
				me = m.Person(t, s.Admin, models.Admin)
				mine = session(t, s, me)
			}
			r := m.request(t, row, me, m.targets[stateFor(row)])
			r.AddCookie(&http.Cookie{Name: "sid", Value: mine})
			path := r.URL.Path
			change(r)
			a, of := s.Browser(t).Do(t, r), row
			if r.URL.Path != path {
				of = web.Row{}
			}
			seen[a.Status] = true
			headersOf(t, fmt.Sprintf("%s %s %s: status %d", r.Method, row.Path, name, a.Status), of, a)
		}
	}
	for _, status := range []int{200, 204, 303, 400, 401, 403, 404, 405, 409, 422, 503} {
		if !seen[status] {
			t.Errorf("no answer was a %d: there were %v", status, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// ways are how a request can be changed so that it is answered in another way.
func ways(m matrix, away webtest.Site) map[string]func(*http.Request) {
	return map[string]func(*http.Request){
		"as it should be":      func(*http.Request) {},
		"by nobody":            func(r *http.Request) { r.Header.Del("Cookie") },
		"by another site":      func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"with two credentials": func(r *http.Request) { r.Header["X-Api-Key"] = []string{"a", "b"} },
		"with an odd query":    asking("a;b"),
		"with much in it": func(r *http.Request) {
			r.Body, r.ContentLength = http.NoBody, 0
			r.Header["X-Many"] = make([]string, 70)
		},
		"as an empty form":  func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 },
		"of an odd type":    func(r *http.Request) { r.Header.Set("Content-Type", "text/xml") },
		"by another method": func(r *http.Request) { r.Method = http.MethodDelete },
		"by OPTIONS":        func(r *http.Request) { r.Method = http.MethodOptions },
		"by HEAD":           func(r *http.Request) { r.Method = http.MethodHead },
		"somewhere below":   func(r *http.Request) { r.URL.Path += "/nope" },
		"of what is not there": func(r *http.Request) {
			r.URL.Path = strings.ReplaceAll(r.URL.Path, m.targets["active"].ID, models.NewID())
		},
		"without a database": func(r *http.Request) { r.URL.Host, r.Host = strings.TrimPrefix(away.URL, "http://"), "" },
	}
}

// ASVS 13.4.6, 16.5.1: what a stranger sees, and every error that anybody sees, names no version and no part
// that the server is made of. The version is for people who are signed in.
func TestStrangersSeeNoVersion(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	h := *s.Handlers
	h.Version = "v98.97.96"
	server := httptest.NewServer(web.New(&h, nil))
	defer server.Close()
	there := s
	there.URL, there.Listener = server.URL, server
	m := newMatrix(t, s)
	m.URL = server.URL
	parts := []string{h.Version, "goroutine", ".go:", "labstack", "Echo", "echo/", "gorm", "sqlite", "SQLite", "postgres", "modernc", "templ", "Go-http", "nginx", "panic"}
	for _, row := range web.Rows() {
		for _, change := range []func(*http.Request){
			func(*http.Request) {}, asking("a=%zz"), func(r *http.Request) { r.Method = "PATCH" }, func(r *http.Request) { r.URL.Path += "/nope" }, func(r *http.Request) { r.Header.Set("Origin", "null") },
		} {
			r := m.request(t, row, m.owner, m.targets["active"])
			change(r)
			a := there.Browser(t).Do(t, r)
			for _, part := range parts {
				if row.Name != "static" && strings.Contains(a.Body, part) || strings.Contains(fmt.Sprint(a.Header), part) {
					t.Errorf("%s %s: status %d tells of %q", r.Method, r.URL.Path, a.Status, part)
				}
			}
		}
	}
	admin := there.SignedIn(t, "ines@marlowe.example")
	admin.Get(t, "/").Want(t, 200).Has(t, h.Version)
	admin.Get(t, "/people/x").Want(t, 404).HasNot(t, h.Version)
}
