package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// HEAD answers as GET does, without the body: whoever checks a link sees what a reader would.
func TestHeadIsGetWithoutTheBody(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	m := newMatrix(t, s)
	for _, row := range web.Rows() {
		if row.Method != http.MethodGet {
			continue
		}
		for _, who := range []models.Role{"", models.Admin} {
			answers := map[string]*webtest.Answer{}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r := m.request(t, row, m.owner, m.targets["active"])
				r.Method = method
				if who != "" {
					r.AddCookie(&http.Cookie{Name: "sid", Value: session(t, s, m.owner)})
				}
				answers[method] = s.Browser(t).Do(t, r)
			}
			full, head := answers[http.MethodGet], answers[http.MethodHead]
			if full.Status != head.Status || head.Body != "" {
				t.Errorf("%s as %q: GET %d, HEAD %d with %d bytes", row.Path, who, full.Status, head.Status, len(head.Body))
			}
			for _, field := range []string{"Content-Type", "Location", "Cache-Control", "Content-Security-Policy", "Referrer-Policy"} {
				if full.Header.Get(field) != head.Header.Get(field) {
					t.Errorf("%s as %q: GET has %s %q, HEAD %q", row.Path, who, field, full.Header.Get(field), head.Header.Get(field))
				}
			}
		}
	}
}

// A method that an address does not know is 405 with those that it does, and changes nothing, for an
// Admin as for anybody.
func TestOtherMethods(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	m := newMatrix(t, s)
	cookie := session(t, s, m.owner)
	for _, row := range web.Rows() {
		known := methodsAt(row.Path)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "ANY"} {
			if slices.Contains(known, method) {
				continue
			}
			r := m.request(t, row, m.owner, m.targets["active"])
			r.Method = method
			r.AddCookie(&http.Cookie{Name: "sid", Value: cookie})
			before := s.Changes(t)
			a := s.Browser(t).Do(t, r)
			told := method + " " + row.Path
			if a.Status != http.StatusMethodNotAllowed || s.Changes(t) != before {
				t.Errorf("%s: status %d, changes %d", told, a.Status, s.Changes(t)-before)
			}
			if !strings.Contains(a.Header.Get("Allow"), row.Method) {
				t.Errorf("%s: Allow is %q and lacks %s", told, a.Header.Get("Allow"), row.Method)
			}
			headersOf(t, told, web.Row{}, a)
		}
	}
}

// methodsAt are those that an address knows, by whichever rows fit it: "/people/new" is a "/people/:id" too.
func methodsAt(path string) (methods []string) {
	here := strings.Split(path, "/")
	for _, row := range web.Rows() {
		fits := slices.EqualFunc(strings.Split(row.Path, "/"), here, func(pattern, segment string) bool {
			return pattern == segment || strings.HasPrefix(pattern, ":")
		})
		if fits {
			methods = append(methods, row.Method)
		}
		if fits && row.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return methods
}

// An address that is no page is 404, never a page that something on the way could keep (security rule
// W5), signed in or not; what only looks like a page's address is none.
func TestUnknownAddresses(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	in, out := s.SignedIn(t, "ines@marlowe.example"), s.Browser(t)
	record := "/people/" + s.Admin.ID
	for _, path := range []string{
		"/nope", "/people/", record + "/", record + "/nope", record + "/bearer-token/", record + "/x.css", "/people.css", "/account/x.css", "/account/..%2f",
		"/%2e%2e/account", "//account", "/./account", "/account//", "/Account", "/PEOPLE", "/signin/", "/w", "/w/marlowe-press", "/w/marlowe-press/settings/",
		"/w/marlowe-press/settings/nope", "/static", "/static/", "/static/nope.css", "/static/../app.css", "/static/%2e%2e/static.go", "/static/..%2fstatic.go",
		"/static/app.css/x", "/static/fonts", "/static/app.css%00", "/.git/config", "/.env", "/healthz/", "/metrics", "/installCollection/", "/installcollection",
		"/v2/people", "/apis", "/index.html", "/favicon.ico/x", "/account;x=1", "/account%3Fx",
	} {
		for who, agent := range map[string]*webtest.Agent{"an Admin": in, "nobody": out} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				a := agent.Send(t, method, path, nil)
				onlyRead := method == http.MethodPost && strings.HasPrefix(path, "/static/")
				if a.Status != http.StatusNotFound && !(onlyRead && a.Status == http.StatusMethodNotAllowed) {
					t.Errorf("%s %s by %s: status %d to %q", method, path, who, a.Status, a.Header.Get("Location"))
				}
				headersOf(t, method+" "+path, web.Row{}, a)
			}
		}
	}
}
