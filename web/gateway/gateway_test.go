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
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
)

// patience is how long a test waits for what should have come at once.
const patience = 20 * time.Second

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// door is a gateway that a server answers with, in front of one product.
type door struct {
	*Gateway
	up      Upstream
	who     Caller
	before  func(w http.ResponseWriter, r *http.Request) // what stands before the gateway; nil: nothing
	server  *httptest.Server
	address string
	log     *logged
}

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var testKey = []byte("a key that only these tests know")

// caller is who calls in the tests.
var caller = Caller{Workspace: "w-1", Kind: "api", Credential: "c-1", Person: "", Scope: "agents:list", RequestID: "r-1"}

// open opens a door to a product at an address, as the settings have it after change.
func open(t *testing.T, address string, change func(*door)) *door {
	t.Helper()
	u, err := ParseUpstream(address)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{up: Upstream{ProductID: "p-1", Revision: 1, URL: u, Key: testKey, WebSocket: true}, who: caller, log: &logged{}}
	d.Gateway = New(Settings{Allow: loopback, Clock: models.SystemClock, Log: slog.New(slog.NewTextHandler(d.log, nil)), OnError: tell})
	d.indirect = os.Getenv(everyCallByTransport) != ""
	if change != nil {
		change(d)
	}
	d.server = httptest.NewUnstartedServer(d)
	d.server.Config.WriteTimeout, d.server.Config.ReadTimeout = time.Minute, time.Minute
	d.server.Config.ErrorLog = quietly
	d.server.Start()
	d.address = d.server.Listener.Addr().String()
	t.Cleanup(func() {
		d.server.CloseClientConnections()
		d.server.Close()
		d.Close()
	})
	return d
}

// toProduct opens a door to a product that is a handler.
func toProduct(t *testing.T, product http.HandlerFunc, change func(*door)) *door {
	t.Helper()
	server := httptest.NewServer(product)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return open(t, server.URL, change)
}

func tell(w http.ResponseWriter, _ *http.Request, status int, code, title, detail string) {
	http.Error(w, code+": "+title+". "+detail, status)
}

// wrapped is a writer as a framework has it.
type wrapped struct{ inner http.ResponseWriter }

func (w wrapped) Header() http.Header         { return w.inner.Header() }
func (w wrapped) WriteHeader(status int)      { w.inner.WriteHeader(status) }
func (w wrapped) Write(b []byte) (int, error) { return w.inner.Write(b) }
func (w wrapped) Unwrap() http.ResponseWriter { return w.inner }

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, _ := access.CanonicalPath(r.URL.EscapedPath())
	if d.before != nil {
		d.before(w, r)
	}
	d.Forward(wrapped{w}, r, d.up, d.who, path)
}

// wire is a connection on which a test says what it wants, byte by byte.
type wire struct {
	net.Conn
	reader *bufio.Reader
	t      *testing.T
}

func (d *door) connect(t *testing.T) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &wire{conn, bufio.NewReader(conn), t}
}

func (w *wire) say(format string, args ...any) {
	w.t.Helper()
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		w.t.Fatal(err)
	}
}

// hear reads the header of an answer.
func (w *wire) hear(method string) *http.Response {
	w.t.Helper()
	answer, err := http.ReadResponse(w.reader, &http.Request{Method: method})
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

// answer reads an answer whole.
func (w *wire) answer(method string) (*http.Response, string) {
	w.t.Helper()
	answer := w.hear(method)
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatalf("%s, and then %v", answer.Status, err)
	}
	return answer, string(body)
}

// over says whether nothing more comes on a connection, which ends.
func (w *wire) over() bool {
	b, err := w.reader.ReadByte()
	if err == nil {
		w.t.Logf("there comes %q", b)
	}
	var slow net.Error
	return err != nil && !(asTimeout(err, &slow))
}

func asTimeout(err error, slow *net.Error) bool {
	timeout, ok := err.(net.Error)
	*slow = timeout
	return ok && timeout.Timeout()
}

// ask makes one request and gives the status and the body of the answer.
func (d *door) ask(t *testing.T, head string) (int, string) {
	t.Helper()
	answer, body := d.exchange(t, head)
	return answer.StatusCode, body
}

func (d *door) exchange(t *testing.T, head string) (*http.Response, string) {
	t.Helper()
	c := d.connect(t)
	method, _, _ := strings.Cut(head, " ")
	first, rest, _ := strings.Cut(head, "\n")
	c.say("%s HTTP/1.1\r\nHost: gateway.example\r\n%s\r\n", first, strings.ReplaceAll(rest, "\n", "\r\n"))
	return c.answer(method)
}

// within waits for something that happens elsewhere.
func within(t *testing.T, what string, happened <-chan struct{}) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		t.Fatalf("%s did not happen", what)
	}
}

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
		d.up.Header = http.Header{"X-Api-Version": {"3"}, "Authorization": {"Basic from-the-console"}, "Connection": {"close"}, "X-Tokendesk-Person": {"forged"}, "X-Empty": nil}
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
		"X-Tokendesk-Workspace": "w-1", "X-Tokendesk-Kind": "api", "X-Tokendesk-Credential": "c-1", "X-Tokendesk-Person": "", "X-Tokendesk-Scope": "agents:list", "Accept-Encoding": "-",
	} {
		got := "-"
		if values, there := r.Header[name]; there {
			got = strings.Join(values, ",")
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

// The product can tell by the signature that nobody else speaks: it covers the time, the request's line and who calls, in the order that the
// documents have.
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
	mac.Write([]byte("tokendesk-v1\n1795348800\nDELETE\n/base/api/agents/~1?b=2&a\nw\nk\nc\np\ns\nr"))
	want := "t=1795348800,v1=" + hex.EncodeToString(mac.Sum(nil))
	for _, r := range product.list {
		if got := r.Header.Get("X-Tokendesk-Signature"); got != want {
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
		value := sent.Header.Get("X-Tokendesk-Signature")
		at, _, _ := strings.Cut(strings.TrimPrefix(value, "t="), ",")
		mac := hmac.New(sha256.New, testKey)
		mac.Write([]byte(strings.Join([]string{"tokendesk-v1", at, "GET", target, caller.Workspace, caller.Kind, caller.Credential, caller.Person, caller.Scope, caller.RequestID}, "\n")))
		if value != "t="+at+",v1="+hex.EncodeToString(mac.Sum(nil)) {
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
