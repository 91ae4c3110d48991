package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/web/sample"
)

const searchPath = "/api/knowledge-base/search"

// habits are what proxies do differently, and rightly so.
type habits struct {
	cleans   map[string]string // paths that are brought into a plain form before Tokendesk is asked: what arrives
	trailers bool              // fields behind a body are sent on, behind the body
	http2    bool              // it is spoken without TLS
}

// decides has the proxy let through what Tokendesk lets through, and nothing else, and the product know from Tokendesk alone
// who calls.
func (b *behind) decides(t *testing.T, of habits) {
	t.Helper()
	b.habits = of
	b.limit(t, models.MostCallsAMinute)
	b.lets(t)
	b.tellsOfPeople(t)
	b.believesNobodyElse(t)
	b.pathsInOneForm(t)
	b.otherWays(t)
	if of.http2 {
		b.overHTTP2(t)
	}
	b.streams(t)
	b.refuses(t)
	b.asksEachTime(t)
}

// sound insists that whatever arrived is what Tokendesk allowed: signed for this very method and target, under the token's
// name, in an operation that it has, without the token, and without anything that a caller made up.
func (b *behind) sound(t *testing.T, after string) (arrived []arrival) {
	t.Helper()
	arrived = b.arrived()
	for _, r := range arrived {
		who, err := sample.Verify(r.Request, b.Handlers.Sample.Key, b.Clock.Now())
		want := sample.Caller{Workspace: b.held.WorkspaceID, Kind: "api", Credential: b.held.ID, Scope: scopeOf(r.Method, r.RequestURI), RequestID: who.RequestID}
		if err != nil || who != want || !models.ValidID(who.RequestID) {
			t.Errorf("%s: %s %s arrived from %+v: %v", after, r.Method, r.RequestURI, who, err)
		}
		all := fmt.Sprint(r.Header)
		if !b.habits.trailers {
			all += fmt.Sprint(r.Trailer)
		}
		if strings.Contains(all, b.token) || strings.Contains(all, "mallory") || r.Header.Get("Upgrade") != "" || r.Header.Get("Cookie") != "" || r.Header.Get("Http2-Settings") != "" {
			t.Errorf("%s: %s %s arrived with %s", after, r.Method, r.RequestURI, all)
		}
	}
	return arrived
}

// arrived is what reached the product since the last time.
func (b *behind) arrived() []arrival {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.came
	b.came = nil
	return all
}

// scopeOf is what a call needs, in the words of this test: none for what must not arrive.
func scopeOf(method, target string) string {
	path, _, _ := strings.Cut(target, "?")
	if plain, ok := access.CanonicalPath(path); !ok || plain.Escaped() != path {
		return "none"
	}
	switch {
	case path == searchPath && (method == "GET" || method == "HEAD"):
		return "knowledge-base:search"
	case path == "/api/knowledge-base/storage" && method == "GET":
		return "storage:list"
	case path == "/api/knowledge-base/storage" && method == "POST":
		return "storage:upload"
	case strings.HasPrefix(path, "/api/webhook/") && method == "POST":
		return "webhooks:send-events"
	}
	return "none"
}

// lets: a call that is allowed passes as it is, with its query and its body, and the answer comes back.
func (b *behind) lets(t *testing.T) {
	t.Helper()
	for _, c := range []struct{ method, target, body string }{
		{"GET", searchPath + "?q=a%20b&q=%C3%A9&x", ""},
		{"GET", searchPath + "?", ""},
		{"HEAD", searchPath, ""},
		{"GET", "/api/knowledge-base/storage", ""},
		{"POST", "/api/knowledge-base/storage?name=a.txt", strings.Repeat("the file ", 100_000)},
		{"POST", "/api/webhook/a%20b/c~d", "{}"},
	} {
		a := b.say(t, c.method, c.target+" HTTP/1.1", c.body, "Host: api.example", "X-API-Key: "+b.token, "Cookie: sid=mine", fmt.Sprintf("Content-Length: %d", len(c.body)))
		if a.status != http.StatusOK || c.method != "HEAD" && a.body != "the product" {
			t.Errorf("%s %s: status %d: %s", c.method, c.target, a.status, a.body)
		}
		if came := b.sound(t, c.target); len(came) != 1 || came[0].Method != c.method || came[0].RequestURI != c.target || came[0].body != c.body {
			t.Errorf("%s %s: %d calls arrived: %v", c.method, c.target, len(came), came)
		}
	}
}

// tellsOfPeople: of a person's bearer token the product learns whose it is.
func (b *behind) tellsOfPeople(t *testing.T) {
	t.Helper()
	made, text := b.Token(t, b.Admin, b.Admin.ID)
	a := b.say(t, "GET", "/api/agent-base HTTP/1.1", "", "Host: api.example", "Authorization: Bearer "+text.Reveal(), "X-Tokendesk-Identity: mallory")
	came := b.arrived()
	if a.status != http.StatusOK || len(came) != 1 {
		t.Fatalf("status %d, and %d calls arrived: %s", a.status, len(came), a.body)
	}
	who, err := sample.Verify(came[0].Request, b.Handlers.Sample.Key, b.Clock.Now())
	want := sample.Caller{Workspace: b.held.WorkspaceID, Kind: "bearer", Credential: made.ID, Person: b.Admin.ID, Scope: "agents:list", RequestID: who.RequestID}
	if err != nil || who != want || strings.Contains(fmt.Sprint(came[0].Header), text.Reveal()) {
		t.Errorf("it arrived from %+v with %v: %v", who, came[0].Header, err)
	}
}

// streams: what the product says arrives at once.
func (b *behind) streams(t *testing.T) {
	t.Helper()
	res := b.open(t, "GET", searchPath+"?stream HTTP/1.1", "", "Host: api.example", "Authorization: Bearer "+b.token)
	first := make([]byte, len("the product"))
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "the product" {
		t.Fatalf("it begins with %q: %v", first, err)
	}
	b.more <- struct{}{}
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != " goes on" {
		t.Errorf("it goes on with %q: %v", rest, err)
	}
	b.sound(t, "a stream")
}

// refuses: whoever is refused learns why, as from Tokendesk itself.
func (b *behind) refuses(t *testing.T) {
	t.Helper()
	for _, c := range []struct {
		method, target, token, code string
		status                      int
		field, value                string
	}{
		{"GET", searchPath, "", "credential_missing", 401, "WWW-Authenticate", `Bearer realm="tokendesk"`},
		{"GET", searchPath, "prod_nonsense", "credential_malformed", 401, "WWW-Authenticate", `Bearer realm="tokendesk", error="invalid_token"`},
		{"GET", "/api/agent-base", b.token, "scope_missing", 403, "WWW-Authenticate", `Bearer realm="tokendesk", error="insufficient_scope", error_description="Token is not allowed to do this", scope="agents:list"`},
		{"GET", "/api/nope", b.token, "no_such_resource", 404, "WWW-Authenticate", ""},
		{"PUT", searchPath, b.token, "method_not_allowed", 405, "Allow", "GET, HEAD"},
		{"GET", searchPath + "/", b.token, "request_ambiguous", 400, "WWW-Authenticate", `Bearer realm="tokendesk", error="invalid_request"`},
	} {
		fields := []string{"Host: api.example"}
		if c.token != "" {
			fields = append(fields, "Authorization: Bearer "+c.token)
		}
		b.refused(t, b.say(t, c.method, c.target+" HTTP/1.1", "", fields...), c.status, c.code)
		if a := b.say(t, c.method, c.target+" HTTP/1.1", "", fields...); strings.Join(a.header.Values(c.field), "; ") != c.value {
			t.Errorf("%s: %s is %q, want %q", c.code, c.field, a.header.Values(c.field), c.value)
		}
	}
}

// refused insists on a refusal that a program can read.
func (b *behind) refused(t *testing.T, a answered, status int, code string) {
	t.Helper()
	id := a.header.Get("X-Request-Id")
	if a.status != status || !strings.Contains(a.body, `"code":"`+code+`"`) || !models.ValidID(id) || !strings.Contains(a.body, `"request_id":"`+id+`"`) {
		t.Errorf("status %d with %v, want %d and %s: %s", a.status, a.header, status, code, a.body)
	}
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s comes as %q with %q", code, kind, a.header.Get("Cache-Control"))
	}
	if came := b.sound(t, code); len(came) > 0 {
		t.Errorf("%s: %d calls arrived", code, len(came))
	}
}

// asksEachTime: what becomes of a token is felt by the next call, limits count, and without Tokendesk nothing passes.
func (b *behind) asksEachTime(t *testing.T) {
	t.Helper()
	b.switchTo(t, false)
	b.refused(t, b.call(t, "GET", searchPath), 401, "credential_inactive")
	b.switchTo(t, true)
	if a := b.call(t, "GET", searchPath); a.status != http.StatusOK {
		t.Errorf("activated: status %d: %s", a.status, a.body)
	}
	b.sound(t, "activated")
	b.limit(t, 1)
	b.Clock.Advance(time.Hour)
	b.call(t, "GET", searchPath)
	b.sound(t, "the first of a minute")
	a := b.call(t, "GET", searchPath)
	b.refused(t, a, 429, "rate_limited")
	if a.header.Get("Retry-After") != "60" || a.header.Get("RateLimit-Policy") != `"api";q=1;w=60` || a.header.Get("RateLimit") != `"api";r=0;t=60` {
		t.Errorf("the second of a minute is told %v", a.header)
	}
	b.Listener.Close()
	if a := b.call(t, "GET", searchPath); a.status < 500 || len(b.sound(t, "Tokendesk away")) > 0 {
		t.Errorf("without Tokendesk: status %d: %s", a.status, a.body)
	}
}

func (b *behind) switchTo(t *testing.T, active bool) {
	t.Helper()
	if _, err := b.SwitchAPIToken(t.Context(), b.Admin, "marlowe-press", b.held.ID, active); err != nil {
		t.Fatal(err)
	}
}

func (b *behind) limit(t *testing.T, callsAMinute int) {
	t.Helper()
	if _, err := b.SetCallLimits(t.Context(), b.Admin, "marlowe-press", models.CallLimits{API: callsAMinute, User: 50, Automation: 300}); err != nil {
		t.Fatal(err)
	}
}
