package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web"
	"tokendesk/web/deadline"
	"tokendesk/web/webtest"
)

// Security rule G11: an address with more than 1000 parameters, with ";" between them, or with what is
// not well-formed, is 400 on every route, for whoever may come in, and changes nothing. A parameter
// that net/url would drop for its ";" cannot carry a token past the rule about tokens in addresses (T8).
func TestG11QueryParameters(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		cookie := session(t, s, m.owner)
		_, token := s.Token(t, s.Admin, m.owner.ID)
		for _, row := range web.Rows() {
			for name, query := range map[string]string{
				"1001 parameters": strings.Repeat("a=1&", 1000) + "a=1", "a name 1001 times": strings.Repeat("q&", 1000) + "q", "nothing 1001 times": strings.Repeat("&", 1000),
				"a semicolon": "a=1;b=2", "only a semicolon": ";", "a token behind it": "access_token=x;", "a semicolon at the end": "q=a&after=b;",
				"a broken escape": "a=%zz", "half an escape": "a=%", "a broken name": "%2=a",
			} {
				r := m.request(t, row, m.owner, m.targets[stateFor(row)])
				r.URL.RawQuery = query
				r.AddCookie(&http.Cookie{Name: "sid", Value: cookie})
				r.Header.Set("X-API-Key", token.Reveal())
				before := s.Changes(t)
				a := s.Browser(t).Do(t, r)
				told := fmt.Sprintf("%s %s with %s: status %d", row.Method, row.Path, name, a.Status)
				if a.Status != http.StatusBadRequest || s.Changes(t) != before {
					t.Errorf("%s, %d changes", told, s.Changes(t)-before)
				}
				headersOf(t, told, web.Row{}, a)
			}
		}
	})
}

// A thousand parameters, and a ";" that is escaped, are let through: G11 forbids no more than it says.
func TestG11LetsThrough(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	m := newMatrix(t, s)
	for _, query := range []string{strings.Repeat("a=1&", 999) + "a=1", "q=a%3Bb", "q=", "", "a%26b=c"} {
		for _, row := range web.Rows() {
			if row.Method != http.MethodGet || row.Name == "version.file" { // which has a parameter of its own
				continue
			}
			r := m.request(t, row, m.owner, m.targets["active"])
			r.AddCookie(&http.Cookie{Name: "sid", Value: session(t, s, m.owner)})
			want := s.Browser(t).Do(t, r).Status
			r.URL.RawQuery = query
			if a := s.Browser(t).Do(t, r); a.Status != want {
				t.Errorf("%s with %.40s: status %d, want %d", row.Path, query, a.Status, want)
			}
		}
	}
}

// Security rule G7: 64 header fields beside Host are read, one more is refused, on every route, however
// they are called.
func TestG7HeaderFields(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	for _, row := range web.Rows() {
		path := strings.NewReplacer(":id", s.Admin.ID, ":workspace", "marlowe-press", "*", "app.css").Replace(row.Path)
		for name, field := range map[string]string{"of different names": "X-%d: y\r\n", "of one name": "Accept: text/html;q=0.%d\r\n"} {
			for fields, refused := range map[int]bool{64: false, 65: true, 500: true} {
				c := connect(t, s)
				head := row.Method + " " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
				for i := range fields - 1 {
					head += fmt.Sprintf(field, i)
				}
				c.say("%s\r\n", head)
				if answer := c.answer(); strings.Contains(c.body, "more than 64 header fields") != refused || refused && answer.StatusCode != http.StatusBadRequest {
					t.Errorf("%s %s with %d fields %s: status %d", row.Method, row.Path, fields, name, answer.StatusCode)
				}
			}
		}
	}
}

// Security rule G7: the request's line and its header fields are 32 KiB at most together, wherever the
// bytes are, and the connection is over.
func TestG7HeaderSize(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	for name, shape := range map[string]string{
		"a long path": "GET /%s HTTP/1.1\r\nHost: x\r\n\r\n", "a long query": "GET /signin?q=%s HTTP/1.1\r\nHost: x\r\n\r\n", "a long field": "GET /signin HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n",
		"a long cookie": "POST /signout HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nCookie: sid=%s\r\n\r\n", "a long name": "GET /signin HTTP/1.1\r\nHost: x\r\nX%s: y\r\n\r\n",
		"a long method": "GET%s /signin HTTP/1.1\r\nHost: x\r\n\r\n", "a long host": "GET /signin HTTP/1.1\r\nHost: x%s\r\n\r\n",
	} {
		for size, refused := range map[int]bool{32<<10 - 16: false, 32<<10 + 1: true, 200 << 10: true} {
			c := connect(t, s)
			_, _ = fmt.Fprintf(c, shape, strings.Repeat("a", size-len(shape)+len("%s"))) // the server may have hung up already
			answer := c.answer()
			if tooLarge := answer.StatusCode == http.StatusRequestHeaderFieldsTooLarge; tooLarge != refused || answer.StatusCode >= 500 || refused && !answer.Close {
				t.Errorf("%s, %d bytes: status %d, closed %v", name, size, answer.StatusCode, answer.Close)
			}
		}
	}
}

// Security rule G7: how long the server waits for a caller, at each stage.
func TestG7Patience(t *testing.T) {
	t.Parallel()
	server := web.New(webtest.SQLite(t).Handlers, nil).HTTP()
	for name, c := range map[string]struct{ is, most time.Duration }{
		"header": {server.ReadHeaderTimeout, 5 * time.Second}, "form": {server.ReadTimeout, 30 * time.Second}, "answer": {server.WriteTimeout, time.Minute}, "idle": {server.IdleTimeout, time.Minute},
	} {
		if c.is <= 0 || c.is > c.most {
			t.Errorf("%s: %s, want at most %s", name, c.is, c.most)
		}
	}
}

// Security rule G7: a form that stops coming is given up when its time is over, on every route that
// takes one, with nothing done; the same for a header.
func TestG7SlowSenders(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		impatient := httptest.NewUnstartedServer(nil)
		impatient.Config, impatient.Listener = web.New(s.Handlers, nil).HTTP(), deadline.Listener(impatient.Listener)
		impatient.Config.ReadTimeout, impatient.Config.ReadHeaderTimeout = 300*time.Millisecond, 300*time.Millisecond
		impatient.Start()
		defer impatient.Close()
		slow := s
		slow.Listener = impatient
		m := newMatrix(t, s)
		cookie := session(t, s, m.owner)
		sent := map[string]string{}
		for _, row := range web.Rows() {
			if takesForm(row) {
				aim := m.targets[stateFor(row)]
				sent[m.path(t, row, m.owner, aim)] = m.forms(t, m.owner, aim)[row.Name].Encode()
			}
		}
		before, open := s.Changes(t), map[string]*wire{}
		for path, form := range sent {
			open[path] = connect(t, slow)
			open[path].say("POST %s HTTP/1.1\r\nHost: x\r\nCookie: sid=%s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, cookie, len(form)+100, form)
		}
		for path, c := range open {
			if answer := c.answer(); answer.StatusCode != http.StatusBadRequest || !answer.Close {
				t.Errorf("POST %s: status %d, closed %v: %.200s", path, answer.StatusCode, answer.Close, c.body)
			}
		}
		if s.Changes(t) != before {
			t.Errorf("half a form changed something")
		}
		c := connect(t, slow)
		c.say("GET /signin HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		if _, err := c.reader.ReadByte(); err == nil {
			t.Error("half a header was answered")
		}
	})
}

// Security rule G7: nobody waits for a body that is not read. One that is declared as larger than a form
// may be, or that comes with what takes none, is answered before a byte of it is there.
func TestG7DeclaredBodies(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	m := newMatrix(t, s)
	for _, row := range web.Rows() {
		if row.Voice != "page" || row.Name == "collections.upload" {
			continue // what an upload declares is TestADeclaredSizeIsEnough's
		}
		c, cookie := connect(t, s), session(t, s, m.owner)
		c.say("%s %s HTTP/1.1\r\nHost: x\r\nCookie: sid=%s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1099511627776\r\n\r\n",
			row.Method, m.path(t, row, m.owner, m.targets[stateFor(row)]), cookie)
		answer := c.answer()
		if form := takesForm(row); form != (answer.StatusCode == http.StatusRequestEntityTooLarge) || answer.StatusCode >= 500 {
			t.Errorf("%s %s: status %d", row.Method, row.Path, answer.StatusCode)
		}
	}
}

// S10, W9: what stands in the address of a POST is no field of its form: a password is never taken from there.
func TestFieldsInTheAddressAreNoForm(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		cookie := session(t, s, m.owner)
		for _, row := range web.Rows() {
			form := m.forms(t, m.owner, m.targets[stateFor(row)])[row.Name]
			if row.Method != http.MethodPost || len(form) == 0 || strings.HasSuffix(row.Name, ".revoke.do") || row.Name == "key.delete.do" || row.Name == "share.delete.do" { // whose one field may be left out
				continue
			}
			path := m.path(t, row, m.owner, m.targets[stateFor(row)])
			before := s.Changes(t)
			a := s.Browser(t).With(t, "sid", cookie).Post(t, path+"?"+form.Encode(), nil)
			if a.Status < 400 || a.Status >= 500 || s.Changes(t) != before {
				t.Errorf("%s: status %d to %q, %d changes", row.Path, a.Status, a.Header.Get("Location"), s.Changes(t)-before)
			}
		}
		s.Browser(t).Post(t, "/signin?email=ines%40marlowe.example", webtest.Form{"password": models.NewID()}).Want(t, 422).Has(t, "Enter your email address.")
	})
}
