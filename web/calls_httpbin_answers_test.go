package web_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// ofHTTPBin are resources that allow all that go-httpbin has, as an Admin writes them.
const ofHTTPBin = `Httpbin (httpbin)
  read GET /api/*
  write POST /api/*
  write PUT /api/*
  write PATCH /api/*
  remove DELETE /api/*
`

// beforeHTTPBin is a product whose paths are those of go-httpbin, with its resources written as text.
func beforeHTTPBin(t *testing.T) (p consumer, address string, log <-chan string) {
	t.Helper()
	address, log = startHTTPBin(t, "-prefix", "/api", "-max-body-size", "9000000", "-max-duration", "10m")
	s := webtest.SQLite(t)
	admin, product := s.SignedIn(t, ines), "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID
	point(t, admin, product, pointing(address, "answer_timeout", "1", "web_socket", "on")).Want(t, 303)
	revision := admin.Get(t, product+"/resources").Want(t, 200).Value(t, "revision")
	admin.Post(t, product+"/resources", webtest.Form{"resources": ofHTTPBin, "revision": revision}).Want(t, 303)
	p, _ = holder(t, s, models.NewAPIToken{})
	return p, address, log
}

// What a server that nobody here wrote answers comes to the caller as it is: its statuses, redirects, refusals, encodings, ranges and
// bytes. Its cookies do not: they would be the console's.
func TestHttpbinAnswers(t *testing.T) {
	t.Parallel()
	p, address, _ := beforeHTTPBin(t)
	for _, c := range []struct {
		method, path string
		status       int
		field, value string
	}{
		{"GET", "/api/status/418", 418, "X-More-Info", "http://tools.ietf.org/html/rfc2324"},
		{"POST", "/api/status/503", 503, "", ""},
		{"DELETE", "/api/status/204", 204, "", ""},
		{"GET", "/api/status/500", 500, "", ""},
		{"GET", "/api/redirect/1", 302, "Location", "/api/get"},
		{"GET", "/api/redirect-to?url=" + address + "/api/get", 302, "Location", "/api/get"},
		{"GET", "/api/absolute-redirect/1", 302, "Location", address + "/get"}, // go-httpbin forgets its prefix, and below ours there is no such thing
		{"GET", "/api/basic-auth/a/b", 401, "WWW-Authenticate", `Basic realm="Fake Realm"`},
		{"GET", "/api/etag/abc", 200, "ETag", `"abc"`},
		{"GET", "/api/cookies/set?sid=x", 302, "Set-Cookie", ""},
		{"GET", "/api/response-headers?Strict-Transport-Security=max-age%3D1&X-Own=1", 200, "X-Own", "1"},
		{"GET", "/api/response-headers?Strict-Transport-Security=max-age%3D1", 200, "Strict-Transport-Security", ""},
		{"HEAD", "/api/bytes/1000", 200, "Content-Length", "1000"},
		{"GET", "/api/nowhere", 404, "", ""},
	} {
		a := p.call(t, c.method, c.path, "").Want(t, c.status)
		if got := a.Header.Get(c.field); got != c.value || a.Header.Get("RateLimit") == "" || len(a.Header["X-Request-Id"]) != 1 {
			t.Errorf("%s %s: %s is %q, want %q: %v", c.method, c.path, c.field, got, c.value, a.Header)
		}
	}
	p.call(t, "GET", "/api/etag/abc", "", "If-None-Match", `"abc"`).Want(t, 304)
	if a := p.call(t, "GET", "/api/range/100", "", "Range", "bytes=10-19").Want(t, 206); a.Body != "klmnopqrst" || a.Header.Get("Content-Range") != "bytes 10-19/100" {
		t.Errorf("a part is %q of %q", a.Body, a.Header.Get("Content-Range"))
	}
	packed := p.call(t, "GET", "/api/gzip", "", "Accept-Encoding", "gzip").Want(t, 200)
	if packed.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("it is encoded as %q", packed.Header.Get("Content-Encoding"))
	}
	unpack, err := gzip.NewReader(strings.NewReader(packed.Body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(unpack); err != nil || !strings.Contains(string(text), `"gzipped": true`) {
		t.Errorf("%s: %v", text, err)
	}
	for _, path := range []string{"/api/bytes/5000000?seed=42", "/api/stream-bytes/5000000?seed=42&chunk_size=70000"} {
		straight, err := http.Get(address + path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(straight.Body)
		straight.Body.Close()
		if a := p.call(t, "GET", path, "").Want(t, 200); err != nil || len(want) != 5_000_000 || a.Body != string(want) {
			t.Errorf("%s: %d bytes, and straight from there %d: %v", path, len(a.Body), len(want), err)
		}
	}
}

// What goes up arrives whole, whether its length is told or not, and in a form of several parts.
func TestHttpbinTakesUploads(t *testing.T) {
	t.Parallel()
	p, _, _ := beforeHTTPBin(t)
	large := strings.Repeat("the file ", 900_000)
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		for how, body := range map[string]io.Reader{"its length told": strings.NewReader(large), "in chunks": io.MultiReader(strings.NewReader(large))} {
			a := p.site.Browser(t).Send(t, method, "/api/upload", body, "Authorization", "Bearer "+p.token, "Content-Type", "application/octet-stream")
			if got := echoed(t, a); got.Received != int64(len(large)) {
				t.Errorf("%s, %s: %d bytes of %d", method, how, got.Received, len(large))
			}
		}
	}
	a := p.site.Browser(t).Upload(t, "/api/anything", "file", "a b.txt", strings.NewReader("Water the fern."), "X-API-Token", p.token)
	if got := echoed(t, a); len(got.Files["file"]) != 1 || got.Files["file"][0] != "Water the fern." {
		t.Errorf("the form arrived as %+v", got)
	}
}

// Events and bytes that come one by one leave one by one; the caller who has seen enough ends the call at the server too; and
// who waits longer than the product may take is told.
func TestHttpbinStreams(t *testing.T) {
	t.Parallel()
	p, _, log := beforeHTTPBin(t)
	if a := p.call(t, "GET", "/api/stream/3", "").Want(t, 200); strings.Count(a.Body, `"id":`) != 3 || strings.Count(a.Body, "\n") != 3 {
		t.Errorf("three lines are %s", a.Body)
	}
	if a := p.call(t, "GET", "/api/sse?count=3&duration=3ms", "").Want(t, 200); strings.Count(a.Body, "event: ping\n") != 3 || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream") {
		t.Errorf("three events are %s", a.Body)
	}
	if a := p.call(t, "GET", "/api/drip?numbytes=5&delay=0s&duration=5ms&code=201", "").Want(t, 201); a.Body != "*****" {
		t.Errorf("five drops are %q", a.Body)
	}
	for path, begins := range map[string]string{"/api/sse?count=2&duration=5m": "event: ping\n", "/api/drip?numbytes=2&delay=0s&duration=5m": "*"} {
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.site.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+p.token)
		res, err := p.site.Listener.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, len(begins))
		if _, err := io.ReadFull(bufio.NewReader(res.Body), first); err != nil || string(first) != begins {
			t.Errorf("%s begins with %q: %v", path, first, err)
		}
		leave()
		res.Body.Close()
		endsAt(t, log, path)
	}
	refusedCall(t, p.call(t, "GET", "/api/delay/10", ""), 504, "upstream_timeout")
	endsAt(t, log, "/api/delay/10")
}

// Where the product may have WebSockets, what is said through one comes back.
func TestHttpbinHasWebSockets(t *testing.T) {
	t.Parallel()
	p, _, _ := beforeHTTPBin(t)
	conn, err := net.Dial("tcp", p.site.Listener.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(conn, "GET /api/websocket/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", p.token)
	read := bufio.NewReader(conn)
	res, err := http.ReadResponse(read, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("%v: %v", res, err)
	}
	fmt.Fprint(conn, "\x81\x85\x00\x00\x00\x00hello") // a text of five bytes, masked with nothing (RFC 6455, section 5.2)
	back := make([]byte, 7)
	if _, err := io.ReadFull(read, back); err != nil || string(back) != "\x81\x05hello" {
		t.Errorf("%q came back: %v", back, err)
	}
}

// endsAt waits until go-httpbin says that a call is over.
func endsAt(t *testing.T, log <-chan string, path string) {
	t.Helper()
	for late := time.After(time.Minute); ; {
		select {
		case line := <-log:
			if strings.Contains(line, path) {
				return
			}
		case <-late:
			t.Fatalf("%s goes on at the product", path)
		}
	}
}
