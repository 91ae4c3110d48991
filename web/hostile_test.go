package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// hostile is what nobody types, and somebody sends. What is no text at all is 400, whatever the database.
var hostile = map[string]string{
	"NUL": "a\x00b", "only NUL": "\x00", "no UTF-8": "a\xff\xfeb", "half a character": "a\xe2\x82", "a surrogate": "\xed\xa0\x80",
	"control characters": "a\x01\x08\x1b[31m\x7fb", "line breaks": "a\r\nSet-Cookie: sid=x\r\n\r\nb", "very long": strings.Repeat("long ", 10_000), "long word": strings.Repeat("é", 20_000),
	"markup": `"><script>alert(1)</script><img src=x onerror=alert(1)>`, "SQL": `'; DROP TABLE people; --`, "a pattern": `%_\%`, "a format": "%s%d%n{{.}}${x}",
	"reversed": "a\u202egnp.exe", "nothing to see": "\u200b\u2060\ufeff", "a private character": "\U0010fffd", "odd spaces": "\u00a0\u2003a\u3000", "accents": "Z" + strings.Repeat("\u0301", 500),
	"a path": "../../../etc/passwd", "a number": "99999999999999999999999", "empty": "",
}

// No value of any field of any form is more than the server can take: no 500, and no 503, which would
// say that the database is at fault.
func TestHostileFields(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		cookie := session(t, s, m.owner)
		for _, row := range web.Rows() {
			if !takesForm(row) {
				continue
			}
			for field := range m.forms(t, m.owner, m.owner)[row.Name] {
				for name, value := range hostile {
					if strings.Contains(field, "password") && !slices.Contains([]string{"NUL", "a surrogate", "control characters", "very long", "empty"}, name) {
						continue // the others are hashed, which is slow on purpose
					}
					owner, aim, cookie := m.owner, m.targets["active"], cookie
					switch row.Name {
					case "account.password": // ends the session
						owner = m.Person(t, m.Admin, models.Admin)
						cookie = session(t, s, owner)
					case "bearer.revoke.do": // uses the token up
						aim = m.target(t, "active")
					}
					form := m.forms(t, owner, aim)[row.Name]
					form[field] = value
					a := s.Browser(t).With(t, "sid", cookie).Post(t, m.path(t, row, owner, aim), form)
					harmless(t, fmt.Sprintf("POST %s with %s in %s", row.Path, name, field), name, a)
				}
			}
		}
	})
}

// The same for what addresses and header fields carry.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m, admin := newMatrix(t, s), s.SignedIn(t, "ines@marlowe.example")
		for name, value := range hostile {
			if len(value) > 5000 {
				value = value[:5000] // a longer line is not read at all
			}
			for _, row := range web.Rows() {
				if row.Method != http.MethodGet || strings.HasSuffix(row.Path, ".csv") || strings.HasSuffix(row.Path, ".jsonl") {
					continue // the files are asked for as their pages are
				}
				path := m.path(t, row, m.owner, m.targets["active"])
				for _, parameter := range strings.Fields(parameters[row.Name]) {
					harmless(t, "GET "+path+" with "+name+" in "+parameter, "", admin.Get(t, path+"?"+url.Values{parameter: {value}}.Encode()))
				}
			}
			clean := strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f {
					return -1 // no client sends those in a field
				}
				return r
			}, value)
			for _, field := range []string{"User-Agent", "Referer", "Cookie", "Accept", "X-Request-Id", "X-Forwarded-For", "Authorization", "Accept-Language", "If-None-Match", "Range"} {
				harmless(t, "GET / with "+name+" in "+field, "", s.Browser(t).Get(t, "/", field, clean))
			}
			sent := webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password} // a sign-in keeps where it came from
			a := s.Browser(t).Post(t, "/signin", sent, "User-Agent", clean, "X-Forwarded-For", clean)
			harmless(t, "POST /signin with "+name+" in User-Agent", "", a.Want(t, 303))
			harmless(t, "GET / with "+name+" in the cookies", "", s.Browser(t).Get(t, "/", "Cookie", "sid="+clean+"; theme="+clean+"; n="+clean))
		}
	})
}

func harmless(t *testing.T, told, name string, a *webtest.Answer) {
	t.Helper()
	if a.Status >= 500 || a.Status < 200 {
		t.Errorf("%s: status %d: %.300s", told, a.Status, a.Body)
	}
	switch name {
	case "NUL", "only NUL", "no UTF-8", "half a character", "a surrogate":
		if a.Status != http.StatusBadRequest && a.Status != http.StatusNotFound && a.Status != http.StatusSeeOther || strings.Contains(told, "/people") && a.Status != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", told, a.Status)
		}
	}
	if page := a.Header.Get("Content-Disposition") == ""; page && (strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Body, "<img src=x")) {
		t.Errorf("%s: it became markup", told)
	}
}

// An identifier of an odd shape names nothing: 404 on every address, for every method, before a
// database is asked what it cannot be asked.
func TestOddIdentifiers(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		cookie := session(t, s, m.owner)
		id := m.targets["active"].ID
		for _, row := range web.Rows() {
			if !strings.Contains(row.Path, "/:") {
				continue
			}
			for _, odd := range []string{
				"x", "0", "-1", "null", strings.Repeat("z", 36), strings.ToUpper(id), "{" + id + "}", "urn:uuid:" + id, id[:35], id + "0", models.NewID(), strings.Repeat("0", 36),
				"00000000-0000-0000-0000-000000000000", "%00", id + "%00", "%FF", "%ff", "a%FFb", "%2F", "..%2f..", "%25", "%0a", "%F0%9F%92%A5", "%20" + id, id + "%20",
				"'%20OR%201=1%20--", "*", ":id", strings.Repeat("y", 5000), "%C0%80", ".", "..", "marlowe-press%00", "MARLOWE-PRESS",
			} {
				path := strings.NewReplacer(":id", odd, ":workspace", odd, ":number", odd).Replace(row.Path)
				var body io.Reader
				if row.Method == http.MethodPost {
					body = strings.NewReader(m.forms(t, m.owner, m.targets["active"])[row.Name].Encode())
				}
				a := s.Browser(t).With(t, "sid", cookie).Send(t, row.Method, path, body, "Content-Type", "application/x-www-form-urlencoded")
				if a.Status != http.StatusNotFound {
					t.Errorf("%s %s: status %d, want 404", row.Method, path[:min(len(path), 90)], a.Status)
				}
			}
		}
	})
}

// The page of an action that does not apply to somebody (nothing to revoke, deactivated already) says
// so, and does not fall over.
func TestActionsThatDoNotApply(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		gone := m.Person(t, s.Admin, models.Admin)
		if _, err := s.DeactivatePerson(t.Context(), s.Admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		for state, aim := range map[string]models.Person{
			"a Member without a token": m.Person(t, s.Admin, models.Member), "an Admin without a token": m.Person(t, s.Admin, models.Admin),
			"a deactivated Admin without a token": gone, "a deactivated Member with a token": m.targets["deactivated"],
		} {
			for _, row := range web.Rows() {
				if row.Guard != "admins" || strings.HasSuffix(row.Name, ".do") {
					continue
				}
				r := m.request(t, row, m.owner, aim)
				r.AddCookie(&http.Cookie{Name: "sid", Value: session(t, s, m.owner)})
				if a := s.Browser(t).Do(t, r); a.Status >= 500 {
					t.Errorf("%s %s for %s: status %d", row.Method, row.Path, state, a.Status)
				}
			}
		}
		admin := s.SignedIn(t, "ines@marlowe.example")
		nobody := "/people/" + m.Person(t, s.Admin, models.Member).ID
		admin.Get(t, nobody+"/bearer-token/revoke").Want(t, 409).Has(t, "no bearer token that could be revoked")
		admin.Post(t, nobody+"/bearer-token/revoke", nil).Want(t, 409).Has(t, "no bearer token that could be revoked")
		admin.Post(t, "/people/"+gone.ID+"/bearer-token", m.forms(t, gone, gone)["bearer.create"]).Want(t, 409).Has(t, "is deactivated")
		before := s.Changes(t)
		admin.Post(t, "/people/"+gone.ID+"/deactivate", nil).Want(t, 303) // is so already
		admin.Post(t, nobody+"/activate", nil).Want(t, 303)
		if s.Changes(t) != before {
			t.Error("what was so already became an event")
		}
	})
}
