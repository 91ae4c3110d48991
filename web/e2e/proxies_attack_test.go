package e2e

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// madeUp are fields that say who calls, from where or for what. Products believe some of them.
var madeUp = []string{
	"X-Tokendesk-Identity", "X-Tokendesk-Status", "X-Tokendesk-Code", "X-Request-Id",
	"X-Tokendesk-Person", "X-Tokendesk-Scope", "X-Tokendesk-Workspace", "X-Tokendesk-Credential", "X-Tokendesk-Kind", "X-Tokendesk-Signature", // of versions before the one field
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-User", "X-Forwarded-Email", "X-Real-IP",
	"X-Original-Method", "X-Original-URI", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Auth-User", "X-Remote-User", "Remote-User",
}

// believesNobodyElse: no field that a caller makes up reaches the product in any spelling, and a caller can neither have Tokendesk's
// fields taken for those of a connection, nor hide its own from Tokendesk that way.
func (b *behind) believesNobodyElse(t *testing.T) {
	t.Helper()
	for _, name := range madeUp {
		connections := []string{"X-Hop: 1", "Connection: close, " + name, "Connection: " + strings.ToLower(name), "Connection: keep-alive,," + strings.ReplaceAll(name, "-", "_") + ", Authorization"}
		for _, connection := range connections {
			for _, spelling := range []string{name, strings.ToLower(name), strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(name, "-", ".")} {
				b.call(t, "GET", searchPath, spelling+": mallory", connection)
				if came := b.sound(t, spelling+", "+connection); len(came) != 1 && spelling == name && connection == connections[0] {
					t.Errorf("%s: %d calls arrived", spelling, len(came))
				}
			}
		}
	}
	for _, field := range []string{"Connection: X-Tokendesk-Identity", "Connection: X-Tokendesk-Identity, X-Request-Id, close", "connection: x-tokendesk-identity"} {
		if a := b.call(t, "GET", searchPath, field); a.status != http.StatusOK || len(b.sound(t, field)) != 1 {
			t.Errorf("%s: status %d: %s", field, a.status, a.body)
		}
	}
	b.call(t, "GET", searchPath, "Host: mallory")
	b.sound(t, "two hosts")
}

// pathsInOneForm: what the proxy sends on is in the one form that was decided on. Whatever could be read in two ways is refused,
// unless the proxy itself has made one of it before.
func (b *behind) pathsInOneForm(t *testing.T) {
	t.Helper()
	odd := []string{
		searchPath + "/../../agent-base", searchPath + "/", searchPath + ";x", searchPath + "%2f..%2f..%2fagent-base", searchPath + "%00", searchPath + "%3fx", searchPath + "%23", searchPath + "#x", searchPath + `\x`, searchPath + "%5c..%5cx", searchPath + "%", searchPath + "%zz", searchPath + "%252e",
		"/api/knowledge-base/%73earch", "/api//knowledge-base/search", "/api/./agent-base", "/api/./knowledge-base/search", "/api/%61gent-base", "/%61pi/agent-base", "/api/knowledge-base/%2e%2e/agent-base", "/api/agent-base/%2e%2e/knowledge-base/search",
		"/api/Knowledge-base/search", "/API/knowledge-base/search", "/x/../api/agent-base", "/x/../api/knowledge-base/search", "//api/knowledge-base/search", `/api/knowledge-base\search`, "/api%2fknowledge-base/search", "/api/knowledge-base/..;/agent-base", "/api/../agent-base", "/api", "/", "/forward-auth",
	}
	for _, target := range odd {
		a, want := b.call(t, "GET", target), b.habits.cleans[target]
		came := b.sound(t, target)
		switch {
		case want != "" && (a.status != http.StatusOK || len(came) != 1 || came[0].RequestURI != want):
			t.Errorf("%s: status %d, and %v arrived, want %s", target, a.status, came, want)
		case want == "" && (a.status < 300 || a.status >= 500 || len(came) > 0):
			t.Errorf("%s: status %d, %d calls arrived: %s", target, a.status, len(came), a.body)
		}
	}
	arrived := map[string]bool{}
	for _, name := range []string{"a%20b", "a+b", "a%2Bb", "a%2bb", "a~b", "a%7Eb", "a%7eb", `a"b`, "a<b>", "a{b}", "a|b", "a^b", "a`b", "a'b", "(a)!*", "a,b", "a:b@c", "a=b&c", "a$b", "%E2%82%AC", "%e2%82%ac", "€", "a\xffb", "a%FFb", "%EF%BC%8F", "..a", "a..", ".a"} {
		for _, query := range []string{"", "?q=a+b%20c", "?q={b}|^`<>\"'", "?q=a/b?c", "?q=é", "?q=%zz", "?q=a;b", "?q=a%3Bb", "??", "?#x", "?q=%00%0d%0a"} {
			target := "/api/webhook/" + name + query
			b.call(t, "POST", target, "Content-Length: 0")
			for range b.sound(t, target) {
				arrived[name+query] = true
			}
		}
	}
	for _, plain := range []string{"a%20b", "a~b", "a+b?q=a+b%20c", "%E2%82%AC?q=a/b?c"} {
		if !arrived[plain] {
			t.Errorf("%s did not arrive, and only %v did", plain, slices.Sorted(maps.Keys(arrived)))
		}
	}
}

// otherWays: an older HTTP, a whole address as the target, other methods, upgrades and fields behind the body lead to the same
// decision, or nowhere.
func (b *behind) otherWays(t *testing.T) {
	t.Helper()
	host, token := "Host: api.example", "Authorization: Bearer "+b.token
	socket := []string{host, token, "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}
	chunked, behindIt := []string{host, token, "Transfer-Encoding: chunked"}, "2\r\n{}\r\n0\r\nX-Tokendesk-Identity: mallory\r\n\r\n"
	for what, c := range map[string]struct {
		method, rest, body string
		fields             []string
		status             int // none where it differs, and what counts is that nothing arrives
	}{
		"HTTP/1.0":                    {"GET", searchPath + " HTTP/1.0", "", []string{host, token}, 200},
		"HTTP/1.0, refused":           {"GET", "/api/agent-base HTTP/1.0", "", []string{host, token}, 403},
		"a whole address":             {"GET", "http://api.example" + searchPath + " HTTP/1.1", "", []string{host, token}, 200},
		"of another host":             {"GET", "http://127.0.0.1" + searchPath + " HTTP/1.1", "", []string{host, token}, 200},
		"a whole address, refused":    {"GET", "http://api.example/api/agent-base HTTP/1.1", "", []string{host, token}, 403},
		"with somebody's name":        {"GET", "http://mallory@api.example/api/agent-base HTTP/1.1", "", []string{host, token}, 0},
		"no slash":                    {"GET", "api/agent-base HTTP/1.1", "", []string{host, token}, 400},
		"another scheme":              {"GET", "gopher:/api/agent-base HTTP/1.1", "", []string{host, token}, 0},
		"an opaque address":           {"GET", "http:api/agent-base HTTP/1.1", "", []string{host, token}, 0},
		"OPTIONS":                     {"OPTIONS", searchPath + " HTTP/1.1", "", []string{host, token, "Origin: https://mallory.example", "Access-Control-Request-Method: GET"}, 405},
		"OPTIONS of all":              {"OPTIONS", "* HTTP/1.1", "", []string{host, token}, 0},
		"TRACE":                       {"TRACE", searchPath + " HTTP/1.1", "", []string{host, token}, 405},
		"PROPFIND":                    {"PROPFIND", searchPath + " HTTP/1.1", "", []string{host, token}, 405},
		"in small letters":            {"get", searchPath + " HTTP/1.1", "", []string{host, token}, 0},
		"CONNECT":                     {"CONNECT", searchPath + " HTTP/1.1", "", []string{host, token}, 0},
		"CONNECT to a host":           {"CONNECT", "127.0.0.1:80 HTTP/1.1", "", []string{host, token}, 0},
		"a WebSocket":                 {"GET", searchPath + " HTTP/1.1", "", append(socket, "Upgrade: websocket"), 200},
		"h2c":                         {"GET", searchPath + " HTTP/1.1", "", append(socket, "Upgrade: h2c", "Connection: HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAAP__"), 200},
		"some other protocol":         {"GET", searchPath + " HTTP/1.1", "", append(socket, "Upgrade: mallory/1"), 200},
		"two tokens":                  {"GET", searchPath + " HTTP/1.1", "", []string{host, token, token}, 400},
		"two fields":                  {"GET", searchPath + " HTTP/1.1", "", []string{host, token, "X-API-Key: " + b.token}, 400},
		"the token in the address":    {"GET", searchPath + "?access_token=" + b.token + " HTTP/1.1", "", []string{host}, 400},
		"another answer for nginx":    {"GET", "/api/nope?for=nginx HTTP/1.1", "", []string{host, token}, 404},
		"a body that goes with a GET": {"GET", searchPath + " HTTP/1.1", "{}", []string{host, token, "Content-Length: 2"}, 200},
		"a body in chunks":            {"POST", "/api/webhook/x HTTP/1.1", "2\r\n{}\r\n0\r\n\r\n", chunked, 200},
		"told fields behind a body":   {"POST", "/api/webhook/x HTTP/1.1", behindIt, append(chunked, "TE: trailers", "Trailer: X-Tokendesk-Identity"), 200},
		"fields behind a body":        {"POST", "/api/webhook/x HTTP/1.1", behindIt, chunked, 200},
		"two lengths":                 {"POST", "/api/webhook/x HTTP/1.1", "0\r\n\r\nDELETE /api/agent-base/1 HTTP/1.1\r\nHost: x\r\n\r\n", append(chunked, "Content-Length: 5"), 0},
	} {
		a := b.say(t, c.method, c.rest, c.body, c.fields...)
		came := b.sound(t, what)
		if c.status != 0 && (a.status != c.status || len(came) != map[bool]int{true: 1}[c.status == http.StatusOK]) {
			t.Errorf("%s: status %d, %d calls arrived: %s", what, a.status, len(came), a.body)
		}
	}
}

// overHTTP2: nothing is different there.
func (b *behind) overHTTP2(t *testing.T) {
	t.Helper()
	var spoken http.Protocols
	spoken.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &spoken}
	defer transport.CloseIdleConnections()
	call := func(method, path string, fields ...string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+b.at+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+b.token)
		for _, name := range fields {
			r.Header[name] = []string{"mallory"}
		}
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, name := range madeUp {
		if status := call("GET", searchPath, name); status != http.StatusOK || len(b.sound(t, "HTTP/2 with "+name)) != 1 {
			t.Errorf("HTTP/2 with %s: status %d", name, status)
		}
		call("GET", searchPath, strings.ReplaceAll(name, "-", "_"))
		b.sound(t, "HTTP/2 with underscores")
	}
	for path, want := range map[string]int{"/api/agent-base": 403, "/api/nope": 404, searchPath + "/": 400} {
		if status := call("GET", path); status != want || len(b.sound(t, path)) > 0 {
			t.Errorf("HTTP/2 to %s: status %d", path, status)
		}
	}
}
