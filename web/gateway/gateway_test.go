package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"

	"tokendesk/models"
	"tokendesk/models/access"
)

// seen keeps the requests that a product got.
type seen struct {
	mu   sync.Mutex
	list []*http.Request
	body []string
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list, s.body = append(s.list, r.Clone(context.Background())), append(s.body, string(body))
	_, _ = io.WriteString(w, "done")
}

func (s *seen) only(t *testing.T) *http.Request {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) != 1 {
		t.Fatalf("the product got %d requests", len(s.list))
	}
	return s.list[0]
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list)
}

// What the product gets: method, path and query as they were judged, the body, who calls, and nothing that the caller made up about
// that. The answer comes back as it is.
func TestForward(t *testing.T) {
	t.Parallel()
	product := &seen{}
	d := toProduct(t, product.ServeHTTP, func(d *door) {
		d.up.URL.Path = "/base"
		d.who.Address = "192.0.2.7"
		d.up.Header = http.Header{"X-Api-Version": {"3"}, "Authorization": {"Basic from-the-console"}, "Connection": {"close"}, "X-Tokendesk-Identity": {"forged"}, "X-Empty": nil}
	})
	answer, body := d.exchange(t, "POST /api/agents/%c3%a9%20b?q=%zz&a=1&a=2&\nAuthorization: Bearer x\nCookie: sid=1; theme=dark\nAccept: text/plain\nX-Own: 1\nX-Own: 2\nContent-Length: 5\n\nhello")
	if answer.StatusCode != 200 || body != "done" || answer.Close {
		t.Errorf("%s %q", answer.Status, body)
	}
	r := product.only(t)
	if r.Method != "POST" || r.RequestURI != "/base/api/agents/%C3%A9%20b?q=%zz&a=1&a=2&" || product.body[0] != "hello" || r.ContentLength != 5 || r.Host != d.up.URL.Host {
		t.Errorf("%s %s at %s with %q", r.Method, r.RequestURI, r.Host, product.body[0])
	}
	for name, want := range map[string]string{
		"Accept": "text/plain", "X-Own": "1,2", "X-Api-Version": "3", "Authorization": "Basic from-the-console", "Cookie": "-", "User-Agent": "-", "Connection": "-", "X-Empty": "-",
		"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "gateway.example", "X-Forwarded-Proto": "http", "X-Request-Id": "r-1",
		"X-Tokendesk-Identity": "w-1 api c-1  agents:list r-1", "Accept-Encoding": "-",
	} {
		got := "-"
		if values, there := r.Header[name]; there {
			got = strings.Join(values, ",")
		}
		if name == "X-Tokendesk-Identity" {
			who := members(t, got)
			got = strings.Join([]string{who["workspace"], who["kind"], who["credential"], who["person"], who["scope"], who["request"]}, " ")
		}
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// Without an address of the caller that somebody trusts it is the connection's; the scheme is https where callers come by TLS; the product's own
// Host is asked for where it has one.
func TestForwardedFor(t *testing.T) {
	t.Parallel()
	product := &seen{}
	d := toProduct(t, product.ServeHTTP, func(d *door) {
		d.settings.Secure = true
		d.up.Header = http.Header{"Host": {"inner.example"}}
	})
	d.ask(t, "GET /api/a\nX-Forwarded-For: 6.6.6.6\nX-Forwarded-Proto: gopher\nForwarded: for=6.6.6.6\n")
	r := product.only(t)
	if got := r.Header.Get("X-Forwarded-For") + " " + r.Header.Get("X-Forwarded-Proto") + " " + r.Host + r.Header.Get("Forwarded"); got != "127.0.0.1 https inner.example" {
		t.Errorf("got %s", got)
	}
}

// members reads the identity that a product is told, with a library for structured fields that is not ours: all of its members are there, in the order that
// the documents have.
func members(t *testing.T, field string) map[string]string {
	t.Helper()
	dictionary, err := httpsfv.UnmarshalDictionary([]string{field})
	if err != nil {
		t.Fatalf("%q is no dictionary: %v", field, err)
	}
	if names := strings.Join(dictionary.Names(), " "); names != "t request workspace kind credential person scope v1" {
		t.Errorf("the members are %s", names)
	}
	who := map[string]string{}
	for _, name := range dictionary.Names() {
		member, _ := dictionary.Get(name)
		item, is := member.(httpsfv.Item)
		if !is || len(item.Params.Names()) > 0 {
			t.Fatalf("%s is %v", name, member)
		}
		who[name] = fmt.Sprint(item.Value)
	}
	return who
}

// The product can tell by the signature that nobody else speaks: it covers the time, the request's line and who calls.
func TestSignature(t *testing.T) {
	t.Parallel()
	product := &seen{}
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := toProduct(t, product.ServeHTTP, func(d *door) {
		d.up.URL.Path = "/base"
		d.settings.Clock = func() time.Time { return noon }
		d.who = Caller{Workspace: "w", Kind: "k", Credential: "c", Person: "p", Scope: "s", RequestID: "r"}
	})
	for range 3 { // with what the last one left
		d.ask(t, "DELETE /api/agents/%7e1?b=2&a\n")
	}
	mac := hmac.New(sha256.New, testKey)
	const said = `t=1795348800, request="r", workspace="w", kind="k", credential="c", person="p", scope="s"`
	mac.Write([]byte("DELETE\n/base/api/agents/~1?b=2&a\n" + said))
	want := said + `, v1="` + hex.EncodeToString(mac.Sum(nil)) + `"`
	for _, r := range product.list {
		if got := r.Header.Get("X-Tokendesk-Identity"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if r.RequestURI != "/base/api/agents/~1?b=2&a" {
			t.Errorf("sent %s", r.RequestURI)
		}
	}
}

// What is signed is what is sent, whatever the path and the query are.
func FuzzSignedTarget(f *testing.F) {
	for _, seed := range [][3]string{{"/api/a", "", ""}, {"/api/%c3%a9", "q=1", "/base"}, {"/api/a b", "?", "/b%20c"}, {"/api/[x]", "a=%zz&&", ""}, {"/api/*'()!", "=", "/*"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, escaped, query, base string) {
		path, ok := access.CanonicalPath(escaped)
		u, err := ParseUpstream("http://product.example" + base)
		if !ok || err != nil || CheckQuery(query) != nil || strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return
		}
		g := New(Settings{Clock: models.SystemClock, OnError: tell})
		up := Upstream{URL: u, Key: testKey}
		var sent *http.Request
		l := g.line(up, time.Now())
		l.direct, l.transport = nil, roundTripper(func(r *http.Request) (*http.Response, error) {
			var wire bytes.Buffer
			if err := r.Write(&wire); err != nil {
				t.Fatal(err)
			}
			if sent, err = http.ReadRequest(bufio.NewReader(&wire)); err != nil {
				t.Fatalf("%q cannot be read: %v", wire.String(), err)
			}
			return &http.Response{StatusCode: 204, Header: http.Header{}, Body: http.NoBody}, nil
		})
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/", RawQuery: query}, Header: http.Header{}, Host: "x", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
		g.Forward(httptest.NewRecorder(), r, up, caller, path)
		target := u.EscapedPath() + path.Escaped()
		if query != "" {
			target += "?" + query
		}
		if sent == nil || sent.RequestURI != target {
			t.Fatalf("sent %+v, want %q", sent, target)
		}
		said, sum, _ := strings.Cut(sent.Header.Get("X-Tokendesk-Identity"), ", v1=")
		mac := hmac.New(sha256.New, testKey)
		mac.Write([]byte("GET\n" + target + "\n" + said))
		if sum != `"`+hex.EncodeToString(mac.Sum(nil))+`"` {
			t.Fatalf("%q is signed as something else", target)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
func (roundTripper) CloseIdleConnections()                               {}

// The credential goes to the product only where it asks for it, and in whatever field it came (security rule G4).
func TestTheCredentialStaysHere(t *testing.T) {
	t.Parallel()
	for _, pass := range []bool{false, true} {
		for _, field := range []string{"Authorization", "X-API-Key", "x-api-token", "AUTHORIZATION"} {
			product := &seen{}
			d := toProduct(t, product.ServeHTTP, func(d *door) { d.up.PassCredential = pass })
			d.ask(t, "GET /api/a\n"+field+": Bearer secret-of-mine\n")
			if got := fmt.Sprint(product.only(t).Header); strings.Contains(got, "secret-of-mine") != pass {
				t.Errorf("passed on: %v, %s: %s", pass, field, got)
			}
		}
	}
}

// What cannot go on is refused before the product hears of it, in words that say what to do (security rule G5).
func TestRefused(t *testing.T) {
	t.Parallel()
	product := &seen{}
	closed := func(d *door) { d.up.WebSocket, d.up.MaxBody = false, 10 }
	const socket = "\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
	for head, c := range map[string]struct {
		status int
		says   string
		change func(*door)
	}{
		"TRACE /api/a\n":                                  {405, "method_not_allowed", nil},
		"OPTIONS /api/a\n":                                {405, "Use one of GET, HEAD, POST, PUT, PATCH, DELETE.", nil},
		"PROPFIND /api/a\n":                               {405, "method_not_allowed", nil},
		"get /api/a\n":                                    {405, "method_not_allowed", nil},
		"CONNECT /api/a\n":                                {405, "method_not_allowed", nil},
		"GET /api/a?access_token=x\n":                     {400, "A token in the address is not accepted", nil},
		"GET /api/a?b=1&access%5ftoken=x\n":               {400, "A token in the address is not accepted", nil},
		"GET /api/a?Access_Token\n":                       {400, "A token in the address is not accepted", nil},
		"GET /api/a?+access_token=x\n":                    {400, "A token in the address is not accepted", nil},
		"GET /api/a?a=1;b=2\n":                            {400, "semicolon", nil},
		"GET /api/a?a=1#b\n":                              {400, "hash sign", nil},
		"GET /api/a?" + strings.Repeat("a&", 1000) + "\n": {400, "more than 1000 parameters", nil},
		"GET /api/a\nX_Auth_User: mallory\n":              {400, `"X_auth_user" has other characters`, nil},
		"GET /api/a\nX.Y: 1\n":                            {400, "has other characters", nil},
		"GET /api/a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n": {400, "No other protocol than WebSocket", nil},
		"GET /api/a\nUpgrade: h2c\n":                                                              {400, "No other protocol than WebSocket", nil},
		"GET /api/a\nConnection: Upgrade\nUpgrade: websocket, h2c\n":                              {400, "No other protocol than WebSocket", nil},
		"GET /api/a\nConnection: Upgrade\nUpgrade: websocket\nUpgrade: h2c\n":                     {400, "No other protocol than WebSocket", nil},
		"GET /api/a\nConnection: Upgrade\nUpgrade: TLS/1.0\n":                                     {400, "No other protocol than WebSocket", nil},
		"GET /api/a" + socket:                                                                     {400, "takes no WebSockets", closed},
		"POST /api/a" + socket:                                                                    {400, "begins with a GET", nil},
		"GET /api/a\nUpgrade: websocket\n":                                                        {400, "begins with a GET", nil},
		"GET /api/a" + socket + "Content-Length: 1\n\nx":                                          {400, "begins with a GET", nil},
		"GET /api/a" + socket + "Origin: https://evil.example\n":                                  {400, "A page of another site", nil},
		"GET /api/a" + socket + "Origin: null\n":                                                  {400, "A page of another site", nil},
		"GET /api/a" + socket + "Origin: https://gateway.example:8443\n":                          {400, "A page of another site", nil},
		"GET /api/a" + socket + "Origin: https://gateway.example\nOrigin: https://evil.example\n": {400, "A page of another site", nil},
		"GET /api/a" + socket + "Origin: https://gateway.example.evil.example\n":                  {400, "A page of another site", nil},
		"GET /api/../a\n":                   {400, "Write the path without dots", nil},
		"GET /api/a%2fb\n":                  {400, "Write the path without dots", nil},
		"POST /api/a\nContent-Length: 11\n": {413, "at most 10 bytes", closed},
		"GET /api/b\n":                      {502, "It has no address yet", func(d *door) { d.up.URL = nil }},
		"GET /api/c\n":                      {502, "It has no address yet", func(d *door) { d.up.Key = nil }},
	} {
		d := toProduct(t, product.ServeHTTP, c.change)
		answer, body := d.exchange(t, head)
		if answer.StatusCode != c.status || !strings.Contains(body, c.says) || (answer.Header.Get("Allow") == methods) != (c.status == 405) {
			t.Errorf("%.60q: %s %s", head, answer.Status, body)
		}
	}
	if product.count() > 0 {
		t.Errorf("the product got %v", product.list)
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
