package gateway

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
)

// Callers who leave, credentials that end, settings that change, and a product with every bad habit: whatever happens to a call, nobody gets what is
// another's, and nothing is left over. TOKENDESK_TEST_DIRECT_CALLS makes it longer.
func TestDirectNobodyGetsWhatIsAnothers(t *testing.T) {
	each := 60
	if n, err := strconv.Atoi(os.Getenv("TOKENDESK_TEST_DIRECT_CALLS")); err == nil {
		each = n / callersAtOnce
	}
	product := &unruly{Listener: listen(t)}
	go product.serve()
	g := New(Settings{Allow: loopback, Clock: models.SystemClock, Log: slog.New(slog.DiscardHandler), OnError: tell})
	var revision atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := Upstream{ProductID: "p", Revision: revision.Load(), URL: mustURL(t, "http://"+product.Addr().String()), Key: testKey, HeaderTimeout: time.Second}
		who := Caller{Credential: r.Header.Get("X-Mark")}
		if !calm(who.Credential) && rand.IntN(10) == 0 {
			who.Until = time.Now().Add(time.Duration(rand.IntN(10)) * time.Millisecond)
		}
		path, _ := access.CanonicalPath(r.URL.EscapedPath())
		g.Forward(wrapped{w}, r, up, who, path)
	}))
	server.Config.WriteTimeout, server.Config.ErrorLog = time.Minute, quietly
	server.Start()
	stop := meddle(t, g, &revision)
	var callers sync.WaitGroup
	var whole atomic.Int64
	for i := range callersAtOnce {
		callers.Go(func() { whole.Add(int64(callMany(t, server.Listener.Addr().String(), i, each))) })
	}
	callers.Wait()
	stop()
	if n := whole.Load(); n < int64(callersAtOnce*each/10) {
		t.Errorf("of %d calls only %d got a whole answer of the product's", callersAtOnce*each, n)
	}
	server.Close() // which waits for the calls under way
	if g.live.next != &g.live {
		t.Error("a call is still among those under way")
	}
	g.Close()
	product.Close()
	eventually(t, "the end of all connections to the product", func() bool { return product.open.Load() == 0 })
	t.Logf("%d of %d calls got a whole answer, over %d connections", whole.Load(), callersAtOnce*each, product.opened.Load())
}

const callersAtOnce = 24

// calm says whose call it is: of one who neither leaves nor is cut off, and is answered well. What happens to others is nothing to them.
func calm(mark string) bool { return strings.HasPrefix(mark, "<calm") }

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%s did not happen", what)
			return
		}
	}
}

// meddle ends calls, and changes the product's settings, until it is stopped.
func meddle(t *testing.T, g *Gateway, revision *atomic.Int64) (stop func()) {
	var all sync.WaitGroup
	done := make(chan struct{})
	for pause, act := range map[time.Duration]func(){
		3 * time.Millisecond:  func() { g.Cut(func(c Caller) bool { return !calm(c.Credential) && rand.IntN(20) == 0 }) },
		7 * time.Millisecond:  func() { _ = g.Sweep(t.Context()) },
		50 * time.Millisecond: func() { revision.Add(1) },
		90 * time.Millisecond: g.Close,
	} {
		all.Go(func() {
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for {
				select {
				case <-done:
					return
				case <-tick.C:
					act()
				}
			}
		})
	}
	return func() { close(done); all.Wait() }
}

// callMany makes calls that are told apart by their mark, one after the other, and leaves some of them. It returns how many whole answers there were.
func callMany(t *testing.T, address string, caller, calls int) (whole int) {
	var conn net.Conn
	var from *bufio.Reader
	leave := func() {
		if conn != nil {
			_ = conn.Close()
		}
		conn = nil
	}
	defer leave()
	for i := range calls {
		if conn == nil {
			var err error
			if conn, err = net.Dial("tcp", address); err != nil {
				t.Error(err)
				return whole
			}
			_ = conn.SetDeadline(time.Now().Add(10 * patience))
			from = bufio.NewReader(conn)
		}
		mark, method := fmt.Sprintf("<%s %d.%d>", [...]string{"calm", "wild", "wild"}[caller%3], caller, i), "GET"
		if rand.IntN(5) == 0 {
			method = "HEAD"
		}
		if !calm(mark) && rand.IntN(8) == 0 { // and leaves before, in or after the answer
			time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func(c net.Conn) func() { return func() { _ = c.Close() } }(conn))
		}
		_, _ = fmt.Fprintf(conn, "%s /api/a HTTP/1.1\r\nHost: x\r\nX-Mark: %s\r\n\r\n", method, mark)
		ok, more := hearMarked(t, from, method, mark)
		if ok {
			whole++
		} else if calm(mark) {
			t.Errorf("%s of %s got no whole answer", method, mark)
		}
		if !more {
			leave()
		}
	}
	return whole
}

// hearMarked reads an answer and looks whose it is: whether it was the product's and whole, and whether the connection can be used again.
func hearMarked(t *testing.T, from *bufio.Reader, method, mark string) (whole, more bool) {
	for {
		res, err := http.ReadResponse(from, &http.Request{Method: method})
		if err != nil {
			return false, false
		}
		told := res.Header["X-Mark"]
		if len(told) > 1 || len(told) == 1 && told[0] != mark {
			t.Errorf("%s got what is %s's", mark, told)
		}
		if res.StatusCode/100 == 1 {
			continue
		}
		body, err := io.ReadAll(res.Body)
		if len(told) == 0 {
			if res.StatusCode < 500 && res.StatusCode != http.StatusUnauthorized { // which it is told when it was cut
				t.Errorf("%s got %s %q", mark, res.Status, body)
			}
			return false, err == nil && !res.Close
		}
		if text := string(body); strings.Trim(strings.ReplaceAll(text, mark, ""), mark) != "" || !strings.HasPrefix(strings.Repeat(mark, 1+len(text)/len(mark)), text) {
			t.Errorf("%s got %q", mark, text)
		} else if err == nil && method == "GET" && res.StatusCode == 200 && len(text)%len(mark) != 0 {
			t.Errorf("%s got a part for the whole, %q", mark, text)
		}
		return err == nil, err == nil && !res.Close
	}
}

// unruly is a product that says whose call it answers, and answers it in every way there is.
type unruly struct {
	net.Listener
	open, opened atomic.Int32
}

func (p *unruly) serve() {
	for {
		conn, err := p.Accept()
		if err != nil {
			return
		}
		p.open.Add(1)
		p.opened.Add(1)
		go func() {
			defer p.open.Add(-1)
			defer conn.Close()
			from := bufio.NewReader(conn)
			for {
				r, err := http.ReadRequest(from)
				if err != nil {
					return
				}
				mark, among := r.Header.Get("X-Mark"), habits
				if calm(mark) {
					among = habits[:good]
				}
				if !among[rand.IntN(len(among))](conn, mark, r.Method == "HEAD") {
					return
				}
			}
		}()
	}
}

// good is how many of the habits are.
const good = 6

// habits are ways to answer; false ends the connection.
var habits = []func(conn net.Conn, mark string, head bool) bool{
	sized(1), sized(10), sized(5000), sized(40_000),
	func(conn net.Conn, mark string, head bool) bool { // in chunks
		return say(conn, mark, "HTTP/1.1 200 OK\r\nX-Mark: %m\r\nTransfer-Encoding: chunked\r\n\r\n", head, chunks(mark, 30)+"0\r\n\r\n")
	},
	func(conn net.Conn, mark string, head bool) bool { // with fields behind
		return say(conn, mark, "HTTP/1.1 200 OK\r\nX-Mark: %m\r\nTrailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n", head, chunks(mark, 3)+"0\r\nX-End: "+mark+"\r\n\r\n")
	},
	func(conn net.Conn, mark string, head bool) bool { // more than it should
		return say(conn, mark, "HTTP/1.1 200 OK\r\nX-Mark: %m\r\nTransfer-Encoding: chunked\r\n\r\n", head, chunks(mark, 3)+"0\r\n\r\n"+stray)
	},
	func(conn net.Conn, mark string, head bool) bool {
		return say(conn, mark, fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Mark: %%m\r\nContent-Length: %d\r\n\r\n", len(mark)), head, mark+stray)
	},
	func(conn net.Conn, mark string, _ bool) bool { // a body where there is none
		return say(conn, mark, "HTTP/1.1 204 No Content\r\nX-Mark: %m\r\nContent-Length: 9\r\n\r\n", false, stray)
	},
	func(conn net.Conn, mark string, _ bool) bool {
		return say(conn, mark, "HTTP/1.1 304 Not Modified\r\nX-Mark: %m\r\n\r\n", false, stray)
	},
	func(conn net.Conn, mark string, _ bool) bool { // to HEAD too
		return say(conn, mark, fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Mark: %%m\r\nContent-Length: %d\r\n\r\n", len(mark)), false, mark)
	},
	func(conn net.Conn, mark string, head bool) bool { // with news before
		return say(conn, mark, "HTTP/1.1 103 Early Hints\r\nX-Mark: %m\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nX-Mark: %m\r\nContent-Length: 0\r\n\r\n", head, "")
	},
	func(conn net.Conn, mark string, head bool) bool { // with the end of the connection, that does not end
		return say(conn, mark, fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Mark: %%m\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", len(mark)), head, mark+stray)
	},
	func(conn net.Conn, mark string, head bool) bool { // as long ago
		return say(conn, mark, fmt.Sprintf("HTTP/1.0 200 OK\r\nX-Mark: %%m\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n", len(mark)), head, mark)
	},
	func(conn net.Conn, mark string, head bool) bool { // to the end
		_ = say(conn, mark, "HTTP/1.0 200 OK\r\nX-Mark: %m\r\n\r\n", head, mark+mark)
		return false
	},
	func(conn net.Conn, mark string, head bool) bool { // not to the end
		_ = say(conn, mark, "HTTP/1.1 200 OK\r\nX-Mark: %m\r\nContent-Length: 1000\r\n\r\n", head, mark)
		return false
	},
	func(conn net.Conn, mark string, head bool) bool {
		_ = say(conn, mark, "HTTP/1.1 200 OK\r\nX-Mark: %m\r\nTransfer-Encoding: chunked\r\n\r\n", head, chunks(mark, 3))
		return false
	},
	func(conn net.Conn, mark string, _ bool) bool { // byte by byte
		for _, b := range []byte("HTTP/1.1 200 OK\r\nX-Mark: " + mark + "\r\nContent-Length: 0\r\n\r\n") {
			_, _ = conn.Write([]byte{b})
		}
		return true
	},
	func(conn net.Conn, _ string, _ bool) bool { return false },
	func(conn net.Conn, _ string, _ bool) bool {
		_ = conn.(*net.TCPConn).SetLinger(0)
		return false
	},
	func(conn net.Conn, _ string, _ bool) bool {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-")
		return false
	},
	func(conn net.Conn, _ string, _ bool) bool { _, _ = io.WriteString(conn, "hello\r\n\r\n"); return true },
	func(conn net.Conn, _ string, _ bool) bool { // switches
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		return true
	},
	func(conn net.Conn, mark string, head bool) bool { // never, now and then
		if rand.IntN(10) > 0 {
			return sized(2)(conn, mark, head)
		}
		_, _ = conn.Read(make([]byte, 1))
		return false
	},
}

// stray is an answer that nobody asked for, to give away whoever takes it for one.
const stray = "HTTP/1.1 200 OK\r\nX-Mark: stray\r\nContent-Length: 5\r\n\r\nstray"

func sized(marks int) func(net.Conn, string, bool) bool {
	return func(conn net.Conn, mark string, head bool) bool {
		return say(conn, mark, fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Mark: %%m\r\nContent-Length: %d\r\n\r\n", marks*len(mark)), head, strings.Repeat(mark, marks))
	}
}

func chunks(mark string, n int) string {
	return strings.Repeat(fmt.Sprintf("%x;x=y\r\n%s\r\n", len(mark), mark), n)
}

// say writes at once what is to come at once, so that it does not hang on chance whether it is seen in time.
func say(conn net.Conn, mark, header string, head bool, body string) bool {
	if head {
		body = ""
	}
	_, err := io.WriteString(conn, strings.ReplaceAll(header, "%m", mark)+body)
	return err == nil
}
