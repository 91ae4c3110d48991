package web_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tokendesk/web"
	"tokendesk/web/webtest"
)

// Where a request ends is never a matter of opinion (ASVS 4.2.1; what rule G6 asks of the listener today):
// one whose length can be read in two ways is refused, the connection is closed, and what was hidden behind
// it, here a form that signs out, is not taken for a request.
func TestFramingIsUnambiguous(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, token := s.Token(t, s.Admin, s.Admin.ID)
		victim := s.SignedIn(t, "ines@marlowe.example")
		hidden := "POST /signout HTTP/1.1\r\nHost: x\r\nCookie: sid=" + victim.Cookie(t, "sid") + "\r\nContent-Length: 0\r\n\r\n"
		for name, framing := range map[string]string{
			"two lengths":           "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
			"a list of lengths":     "Content-Length: 0, 5\r\n\r\n",
			"a signed length":       "Content-Length: +0\r\n\r\n",
			"a negative length":     "Content-Length: -1\r\n\r\n",
			"a hexadecimal length":  "Content-Length: 0x0\r\n\r\n",
			"a length with a word":  "Content-Length: 0 bytes\r\n\r\n",
			"a length out of range": "Content-Length: 18446744073709551616\r\n\r\n",
			"another encoding":      "Transfer-Encoding: gzip\r\n\r\n",
			"identity":              "Transfer-Encoding: identity\r\n\r\n",
			"two encodings":         "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
			"chunked twice":         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			"chunked and more":      "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
			"an odd encoding":       "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
			"a space before":        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
			"nearly chunked":        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
			"two hosts":             "Host: y\r\nContent-Length: 0\r\n\r\n",
			"NUL in a value":        "X: a\x00b\r\nContent-Length: 0\r\n\r\n",
			"CR in a value":         "X: a\rb\r\nContent-Length: 0\r\n\r\n",
			"NUL in a name":         "X\x00: a\r\nContent-Length: 0\r\n\r\n",
			"a name that is none":   "X(): a\r\nContent-Length: 0\r\n\r\n",
			"a line without colon":  "Content-Length\r\n\r\n",
			"folded first":          "Content-Length\r\n : 0\r\n\r\n",
		} {
			c := connect(t, s)
			c.say("POST /installCollection HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s%s", token.Reveal(), framing, hidden)
			answer := c.answer()
			if _, err := c.reader.ReadByte(); answer.StatusCode < 400 || answer.StatusCode > 501 || !answer.Close || err == nil {
				t.Errorf("%s: status %d, closed %v, and then %v", name, answer.StatusCode, answer.Close, err)
			}
		}
		victim.Get(t, "/account").Want(t, 200)
	})
}

// A body in chunks whose lines are not as they should be is refused as broken, and nothing behind it is
// read as a request: the connection is closed.
func TestChunksAreUnambiguous(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, token := s.Token(t, s.Admin, s.Admin.ID)
	victim := s.SignedIn(t, "ines@marlowe.example")
	hidden := "POST /signout HTTP/1.1\r\nHost: x\r\nCookie: sid=" + victim.Cookie(t, "sid") + "\r\nContent-Length: 0\r\n\r\n"
	before := s.Changes(t)
	for name, chunks := range map[string]string{
		"no hexadecimal": "g\r\nx\r\n0\r\n\r\n", "negative": "-1\r\nx\r\n0\r\n\r\n", "signed": "+1\r\nx\r\n0\r\n\r\n", "prefixed": "0x1\r\nx\r\n0\r\n\r\n", "empty": "\r\nx\r\n0\r\n\r\n",
		"too large": "fffffffffffffffff\r\nx\r\n0\r\n\r\n", "bare LF after the size": "1\nx\r\n0\r\n\r\n", "bare LF after the chunk": "1\r\nx\n0\r\n\r\n", "bare CR": "1\rx\r\n0\r\n\r\n", "longer than its size": "1\r\nxyz\r\n0\r\n\r\n",
		"no end": "1\r\nx\r\n", "NUL in the size": "1\x00\r\nx\r\n0\r\n\r\n", "bare LF in an extension": "1;a\nb\r\nx\r\n0\r\n\r\n",
	} {
		c := connect(t, s)
		c.say("POST /installCollection HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=edge\r\nTransfer-Encoding: chunked\r\n\r\n%s%s", token.Reveal(), chunks, hidden)
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if answer := c.answer(); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d: %s", name, answer.StatusCode, c.body)
		}
		if _, err := c.reader.ReadByte(); err == nil {
			t.Errorf("%s: the connection goes on", name)
		}
	}
	if s.Changes(t) != before {
		t.Error("something was changed")
	}
	victim.Get(t, "/account").Want(t, 200)
}

// Where both a length and chunks are declared, the chunks are the body, as RFC 9112 says, and the connection ends with the
// answer: what somebody in front of us took for a part of the body is no request. HTTP/1.0 has no chunks, and there too
// nothing follows a body.
func TestChunksBeforeLength(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	const form, hidden = "email=&password=", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(form), form)
	for path, want := range map[string]int{"/signin": 422, "/nothing": 404, "/healthz": 405, "/installCollection": 401, "/api/agent-base": 401} {
		for _, version := range []string{"1.1", "1.0"} {
			c := connect(t, s)
			c.say("POST %s HTTP/%s\r\nHost: x\r\nConnection: keep-alive\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%s%s", path, version, len(chunked), chunked, hidden)
			if answer := c.answer(); version == "1.1" && answer.StatusCode != want || answer.StatusCode >= 500 || !answer.Close {
				t.Errorf("%s by %s: status %d, closed %v", path, version, answer.StatusCode, answer.Close)
			}
			if _, err := c.reader.ReadByte(); err == nil {
				t.Errorf("%s by %s: the connection goes on", path, version)
			}
		}
	}
}

// Fields that come behind a body in chunks are no header fields: no credential is taken from there, and
// no session.
func TestTrailersAreNoHeader(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, token := s.Token(t, s.Admin, s.Admin.ID)
	cookie := s.SignedIn(t, "ines@marlowe.example").Cookie(t, "sid")
	for path, want := range map[string]int{"/installCollection": 401, "/w/marlowe-press/settings": 303} {
		c := connect(t, s)
		c.say("POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization, Cookie\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n6\r\nname=x\r\n0\r\nAuthorization: Bearer %s\r\nCookie: sid=%s\r\n\r\n",
			path, token.Reveal(), cookie)
		if answer := c.answer(); answer.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, answer.StatusCode, want)
		}
	}
}

// What is no plain request for an address of this server is refused: other versions of HTTP, other forms
// of a target, other protocols to go on with, and methods that are none. Nothing is tunnelled, nothing is
// echoed, and no connection leaves HTTP/1.1 (what rule G5 asks today).
func TestOddRequests(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	const host = " HTTP/1.1\r\nHost: x\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"the whole server":           {"OPTIONS *" + host, 404},
		"the whole server, GET":      {"GET *" + host, 404},
		"a tunnel":                   {"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n", 404},
		"a tunnel to a page":         {"CONNECT /people" + host, 405},
		"an echo":                    {"TRACE /people" + host + "Cookie: sid=x\r\n", 405},
		"HTTP/2 at once":             {"PRI * HTTP/2.0\r\n", 404},
		"HTTP/2":                     {"GET /signin HTTP/2.0\r\nHost: x\r\n", 505},
		"HTTP/2 by upgrade":          {"GET /signin" + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", 200},
		"WebSocket":                  {"GET /signin" + host + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 200},
		"no version":                 {"GET /signin\r\n", 400},
		"a version that is none":     {"GET /signin HTTP/1.1.1\r\nHost: x\r\n", 400},
		"no host":                    {"GET /signin HTTP/1.1\r\n", 400},
		"a host that is none":        {"GET /signin HTTP/1.1\r\nHost: a b\r\n", 400},
		"a target without a slash":   {"GET signin" + host, 400},
		"a target of parameters":     {"GET ?signin" + host, 400},
		"an empty method":            {" /signin" + host, 400},
		"a method of other signs":    {"GE(T /signin" + host, 400},
		"NUL in the target":          {"GET /sign\x00in" + host, 400},
		"a fragment in the target":   {"GET /signin#x" + host, 404},
		"two spaces":                 {"GET  /signin" + host, 400},
		"an expectation":             {"POST /signin" + host + "Expect: the-unexpected\r\nContent-Length: 1\r\n", 417},
		"another site's whole URL":   {"GET http://evil.example/people HTTP/1.1\r\nHost: x\r\n", 303},
		"another site as two slashs": {"GET //evil.example/people" + host, 404},
	} {
		w := connect(t, s)
		w.say("%s\r\n", c.request)
		answer := w.answer()
		if answer.StatusCode != c.status || answer.Header.Get("Upgrade") != "" || strings.Contains(fmt.Sprint(answer.Header)+w.body, "evil.example") {
			t.Errorf("%s: status %d, want %d: %v %.200s", name, answer.StatusCode, c.status, answer.Header, w.body)
		}
	}
}

// What net/http itself refuses is told in a few words and closes the connection: no page, no name of a
// server, nothing of what was sent.
func TestRefusalsBeforeAnyRoute(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET secret HTTP/1.1\r\nHost: x\r\n\r\n", "GET /secret HTTP/9.9\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nX-secret : y\r\n\r\n"} {
		c := connect(t, s)
		c.say("%s", request)
		answer := c.answer()
		if !answer.Close || answer.Header.Get("Server") != "" || answer.Header.Get("Content-Type") != "text/plain; charset=utf-8" || len(c.body) > 100 || strings.Contains(c.body, "secret") {
			t.Errorf("%q: %v %q", request, answer.Header, c.body)
		}
		if _, err := c.reader.ReadByte(); err != io.EOF {
			t.Errorf("%q: the connection goes on: %v", request, err)
		}
	}
}

// ASVS 13.4.4, 4.1.4: OPTIONS tells which methods an address takes and nothing else; no answer, to
// whatever origin, opens this server to scripts of other sites (ASVS 3.4.2).
func TestOptionsOpenNothing(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		for _, row := range web.Rows() {
			path, cookie := m.path(t, row, m.owner, m.targets[stateFor(row)]), session(t, s, m.owner)
			before := s.Changes(t)
			for _, method := range []string{http.MethodOptions, http.MethodGet, http.MethodPost} {
				a := s.Browser(t).With(t, "sid", cookie).Send(t, method, path, nil, "Origin", "https://evil.example",
					"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization", "Access-Control-Request-Private-Network", "true")
				told := fmt.Sprintf("%s %s: status %d", method, row.Path, a.Status)
				if method == http.MethodOptions && (a.Status != http.StatusNoContent || a.Body != "" || !strings.Contains(a.Header.Get("Allow"), row.Method)) {
					t.Errorf("%s, Allow %q", told, a.Header.Get("Allow"))
				}
				for name := range a.Header {
					if strings.HasPrefix(name, "Access-Control-") || name == "Timing-Allow-Origin" {
						t.Errorf("%s: %s is %q", told, name, a.Header.Get(name))
					}
				}
				headersOf(t, told, row, a)
			}
			if s.Changes(t) != before {
				t.Errorf("%s: something was changed", row.Path)
			}
		}
		s.Browser(t).Send(t, http.MethodOptions, "/nope", nil).Want(t, 404)
	})
}

// A method that somebody made up is refused as one, by whatever site it is sent, and takes no room: neither
// in the program's log nor in the audit log.
func TestMadeUpMethodsAreNotKept(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		before := s.Changes(t)
		for _, row := range web.Rows() {
			for _, method := range []string{"MADEUP", strings.Repeat("MADEUP", 4000)} {
				c := connect(t, s)
				c.say("%s %s HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n", method, strings.NewReplacer(":id", s.Admin.ID, ":workspace", "marlowe-press", ":number", "1", "*", "app.css").Replace(row.Path))
				if answer := c.answer(); answer.StatusCode != http.StatusMethodNotAllowed || strings.Contains(c.body, "MADEUP") {
					t.Errorf("%s by %.10s: status %d", row.Path, method, answer.StatusCode)
				}
			}
		}
		s.Refused(t)
		if s.Changes(t) != before {
			t.Error("the audit log tells of it")
		}
		if strings.Contains(s.Log.String(), strings.Repeat("MADEUP", 3)) {
			t.Error("the log has all of it")
		}
	})
}
