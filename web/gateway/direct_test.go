package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
)

// everyCallByTransport has these tests make no call directly.
const everyCallByTransport = "TOKENDESK_TEST_EVERY_CALL_BY_TRANSPORT"

// Whatever these tests ask of a call holds of one that goes the other way too, as with TLS.
func TestTheOtherWay(t *testing.T) {
	t.Parallel()
	if os.Getenv(everyCallByTransport) != "" {
		t.Skip("this is the other way")
	}
	self := exec.Command(os.Args[0], "-test.run=^Test", "-test.timeout=5m", "-test.skip=Direct")
	self.Env = append(os.Environ(), everyCallByTransport+"=1")
	if out, err := self.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// scripted is a product that says what is next in its script to each request, on as few connections as it is asked on.
type scripted struct {
	net.Listener
	script    func(nth int, conn net.Conn) (more bool) // more: another request may follow on this connection
	opened    atomic.Int32
	got       atomic.Int32
	nextIdles chan struct{} // filled when a connection was answered on, and may be used again
}

func newScripted(t *testing.T, script func(nth int, conn net.Conn) bool) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &scripted{Listener: listener, script: script, nextIdles: make(chan struct{}, 100)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.opened.Add(1)
			go s.talk(conn)
		}
	}()
	return s
}

func (s *scripted) talk(conn net.Conn) {
	defer conn.Close()
	from := bufio.NewReader(conn)
	for {
		if _, err := http.ReadRequest(from); err != nil {
			return
		}
		if !s.script(int(s.got.Add(1)), conn) {
			return
		}
		s.nextIdles <- struct{}{}
	}
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

// A connection serves one call after the other. What the product said on it that nobody had asked for is nobody's answer; what it closed
// in the meantime is made up for.
func TestDirectConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after string // the answer to the first call, what comes behind it
		open  bool   // and whether the connection stays
		uses  int32  // how many connections there were after three calls
	}{
		"as it should be":          {"", true, 1},
		"closed behind the answer": {"", false, 3},
		"an answer too many":       {"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", true, 2},
		"one byte too many":        {"x", true, 2},
		"and closed":               {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", false, 3},
	} {
		over := make(chan struct{}, 3)
		product := newScripted(t, func(nth int, conn net.Conn) bool {
			_, _ = io.WriteString(conn, fine)
			if nth == 1 && c.after != "" {
				<-over // it comes when the first answer is over
				_, _ = io.WriteString(conn, c.after)
			}
			return c.open
		})
		d := open(t, "http://"+product.Addr().String(), nil)
		for nth := range 3 {
			if status, body := d.ask(t, "GET /api/a\n"); status != 200 || body != "fine" {
				t.Errorf("%s: %d %q", name, status, body)
			}
			over <- struct{}{}
			if mine := d.lines[d.up.ProductID].direct; !c.open || nth == 0 && c.after != "" {
				eventually(t, "what comes behind the answer", func() bool {
					mine.mu.Lock()
					defer mine.mu.Unlock()
					return len(mine.idle) == 1 && !mine.idle[0].watch.silent()
				})
			}
		}
		if got := product.opened.Load(); got != c.uses {
			t.Errorf("%s: %d connections, want %d", name, got, c.uses)
		}
	}
}

// A call that a kept connection turns out to be closed for is made again. One of which an answer had begun, one on a new connection, and one
// whose answer is late are not.
func TestDirectCallsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		second func(conn net.Conn)
		status int
		got    int32
	}{
		"closed without a word": {func(net.Conn) {}, 200, 3},
		"closed in the header":  {func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n") }, 502, 2},
		"late":                  {begun(""), 504, 2},
		"late in a line":        {begun("HTTP/1.1 2"), 504, 2},
		"late in a field":       {begun("HTTP/1.1 200 OK\r\nContent-Len"), 504, 2},
		"late behind a return":  {begun("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r"), 504, 2},
	} {
		product := newScripted(t, func(nth int, conn net.Conn) bool {
			if nth == 2 {
				c.second(conn)
				return false
			}
			_, _ = io.WriteString(conn, fine)
			return true
		})
		d := open(t, "http://"+product.Addr().String(), func(d *door) { d.up.HeaderTimeout = 300 * time.Millisecond })
		first, _ := d.ask(t, "GET /api/a\n")
		<-product.nextIdles
		if status, body := d.ask(t, "GET /api/a\n"); first != 200 || status != c.status || product.got.Load() != c.got {
			t.Errorf("%s: %d, then %d %q; the product got %d calls, want %d", name, first, status, body, product.got.Load(), c.got)
		}
	}
	product := newScripted(t, func(int, net.Conn) bool { return false })
	d := open(t, "http://"+product.Addr().String(), nil)
	if status, _ := d.ask(t, "GET /api/a\n"); status != 502 || product.got.Load() != 1 {
		t.Errorf("on a new connection: %d, and the product got %d calls", status, product.got.Load())
	}
}

// What the product closes while no call uses it does not wait for the next one.
func TestDirectConnectionsThatTheProductCloses(t *testing.T) {
	t.Parallel()
	product := newScripted(t, func(_ int, conn net.Conn) bool {
		_, _ = io.WriteString(conn, fine)
		return false
	})
	d := open(t, "http://"+product.Addr().String(), nil)
	if status, body := d.ask(t, "GET /api/a\n"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	mine := d.lines[d.up.ProductID].direct
	eventually(t, "the end of the connection", func() bool {
		_ = d.Sweep(t.Context())
		mine.mu.Lock()
		defer mine.mu.Unlock()
		return len(mine.idle) == 0
	})
}

// begun begins an answer, and says nothing more until it is given up.
func begun(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, answer)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// What is kept is bounded in number and in time, and ends with its line.
func TestDirectConnectionsEnd(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 200)
	product := listen(t)
	go func() {
		for {
			there, err := product.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, there)
				_ = there.Close()
				closed <- struct{}{}
			}()
		}
	}()
	d := &direct{address: "x:80", within: time.Second, dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("none") }}
	kept := func() *directConn {
		here, err := net.Dial("tcp", product.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return &directConn{Conn: here, watch: syscallConnOf(here)}
	}
	for range mostIdle + 1 {
		d.keep(kept())
	}
	within(t, "the end of the one too many", closed)
	d.idle[0].since = d.idle[0].since.Add(-time.Hour)
	d.expire(time.Now().Add(-time.Minute))
	within(t, "the end of the oldest", closed)
	if len(d.idle) != mostIdle-1 {
		t.Errorf("%d are kept, want %d", len(d.idle), mostIdle-1)
	}
	d.close()
	d.keep(kept())
	for range mostIdle {
		within(t, "the end of the others", closed)
	}
}

// What is written for a call says the same as what net/http would write.
func TestDirectIsWrittenAsByNetHTTP(t *testing.T) {
	t.Parallel()
	for _, head := range []string{
		"GET /api/a", "HEAD /api/a?b=%20c&&d", "GET /api/%C3%A9?", "GET /api/a\nUser-Agent: x\nAccept: a\nAccept: b", "GET /api/a\nX-Own: mine\nX-Kept: ",
		"GET /api/a\nConnection: X-Kept\nX-Kept: 1\nTe: trailers", "GET /api/a\nCookie: a=b\nX-Tokendesk-Identity: root\nAuthorization: Bearer x\nX-Api-Key: y",
		"GET /api/a\nConnection: close, Te\nTe: trailers, gzip",
	} {
		first, rest, _ := strings.Cut(head, "\n")
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(first + " HTTP/1.1\r\nHost: gateway.example\r\n" + strings.ReplaceAll(rest, "\n", "\r\n") + "\r\n\r\n")))
		if err != nil {
			t.Fatalf("%q: %v", head, err)
		}
		r.RemoteAddr = "203.0.113.9:5"
		r.Header["Host"] = []string{"other.example"} // as HTTP/2 leaves it
		path, _ := access.CanonicalPath(r.URL.EscapedPath())
		g := New(Settings{Clock: func() time.Time { return time.Unix(1_800_000_000, 0) }, Log: slog.New(slog.DiscardHandler), OnError: tell})
		up := Upstream{ProductID: "p", URL: mustURL(t, "http://product.example:81/base"), Key: testKey, Header: http.Header{"X-Own": {"ours"}, "Host": {"inner.example"}}}
		l := g.line(up, time.Now())
		var written [2]*http.Request
		l.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			written[0] = readBack(t, func(to *bufio.Writer) error { return r.Write(to) })
			return &http.Response{StatusCode: 204, Header: http.Header{}, Body: http.NoBody}, nil
		})
		here, there := net.Pipe()
		l.direct.dial = func(context.Context, string, string) (net.Conn, error) { return here, nil }
		defer there.Close()
		go func() {
			written[1], _ = http.ReadRequest(bufio.NewReader(there))
			_, _ = io.WriteString(there, "HTTP/1.1 204 No Content\r\n\r\n")
		}()
		ours := l.direct
		for _, l.direct = range []*direct{nil, ours} {
			g.Forward(httptest.NewRecorder(), r, up, caller, path)
		}
		for _, w := range written {
			if w == nil {
				t.Fatalf("%q: %v", head, written)
			}
		}
		a, b := written[0], written[1]
		if a.Method != b.Method || a.RequestURI != b.RequestURI || a.Host != b.Host || !reflect.DeepEqual(a.Header, b.Header) {
			t.Errorf("%q: net/http writes\n%s %s %s %v, and we\n%s %s %s %v", head, a.Method, a.RequestURI, a.Host, a.Header, b.Method, b.RequestURI, b.Host, b.Header)
		}
	}
}

func readBack(t *testing.T, write func(*bufio.Writer) error) *http.Request {
	t.Helper()
	var wire bytes.Buffer
	to := bufio.NewWriter(&wire)
	if err := errors.Join(write(to), to.Flush()); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatalf("%q cannot be read: %v", wire.String(), err)
	}
	return r
}

// Nothing with a line's end in it is written, wherever it came from.
func TestDirectWritesNoOtherLine(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a\nb", "a\rb", "a\x00b", "\r\n\r\nGET /other HTTP/1.1"} {
		for name, change := range map[string]func(*exchange, *http.Request){
			"field":  func(x *exchange, _ *http.Request) { x.callers.Header.Set("X-Kept", bad) },
			"who":    func(x *exchange, _ *http.Request) { x.who.Scope = bad },
			"host":   func(_ *exchange, r *http.Request) { r.Host = bad },
			"query":  func(_ *exchange, r *http.Request) { r.URL.RawQuery = bad },
			"origin": func(x *exchange, _ *http.Request) { x.callers.Host = bad },
		} {
			g := New(Settings{Clock: models.SystemClock})
			x := &exchange{gateway: g, who: caller, callers: httptest.NewRequest("GET", "/api/a", nil), line: newLine(Upstream{URL: mustURL(t, "http://p.example"), Key: testKey})}
			r := httptest.NewRequest("GET", "/api/a", nil)
			change(x, r)
			if err := x.write(bufio.NewWriter(io.Discard), r); !errors.Is(err, errSeveralLines) {
				t.Errorf("%s %q: %v", name, bad, err)
			}
		}
	}
}
