package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/web/deadline"
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
	d.server.Config.ErrorLog, d.server.Listener = quietly, deadline.Listener(d.server.Listener)
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
