package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Where a request says in two ways how long it is, what comes after it on the connection is nobody's: it is not answered, and the product
// does not hear of it. The same for every body in chunks, for net/http does not say whether a length stood beside (security rule G6).
func TestNothingIsSmuggled(t *testing.T) {
	t.Parallel()
	const hidden = "GET /api/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, c := range map[string]struct {
		request string
		reached int // requests that the product gets
	}{
		"length and chunks":           {"POST /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 1},
		"chunks and length":           {"POST /api/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n4\r\nbody\r\n0\r\n\r\n" + hidden, 1},
		"chunks":                      {"POST /api/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n" + hidden, 1},
		"chunks, kept alive":          {"POST /api/a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 1},
		"chunks that are refused":     {"POST /api/a?access_token=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
		"chunks and a bad name":       {"POST /api/a HTTP/1.1\r\nHost: x\r\nContent_Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 0},
		"an underscore for a length":  {"POST /api/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent_Length: 38\r\n\r\n" + hidden, 0},
		"the length as hop by hop":    {"POST /api/a HTTP/1.1\r\nHost: x\r\nConnection: close, Content-Length\r\nContent-Length: 4\r\n\r\nbody" + hidden, 1},
		"the encoding as hop by hop":  {"POST /api/a HTTP/1.1\r\nHost: x\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 1},
		"behind a refused WebSocket":  {"GET /api/a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n" + hidden, 0},
		"the preface of HTTP/2":       {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
		"a body larger than its said": {"POST /api/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nbody" + hidden, 1},
	} {
		product := &seen{}
		d := toProduct(t, product.ServeHTTP, nil)
		conn := d.connect(t)
		conn.say("%s", c.request)
		conn.answer("POST")
		if !conn.over() || product.count() != c.reached {
			t.Errorf("%s: the product got %d requests", name, product.count())
		}
		for _, r := range product.list {
			if r.URL.Path == "/api/hidden" {
				t.Errorf("%s: what was hidden got through", name)
			}
		}
	}
}

// Bodies with a length leave the connection open, one request after the other.
func TestTheConnectionIsKept(t *testing.T) {
	t.Parallel()
	product := &seen{}
	d := toProduct(t, product.ServeHTTP, nil)
	c := d.connect(t)
	for i := range 5 {
		c.say("POST /api/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", i)
		if answer, body := c.answer("POST"); answer.Close || body != "done" {
			t.Fatalf("%s %q, closed %v", answer.Status, body, answer.Close)
		}
	}
	if product.count() != 5 {
		t.Errorf("the product got %d requests", product.count())
	}
}

// raw opens a door to a product that says what a test wants, byte by byte, once it has the header of a request.
func raw(t *testing.T, says func(net.Conn)) *door {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 64<<10))
				says(conn)
			}()
		}
	}()
	return open(t, "http://"+listener.Addr().String(), nil)
}

// A product that answers with what is no HTTP, or with a header without end, costs it a 502 and us next to nothing.
func TestHostileProducts(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, answer := range map[string]string{
		"nothing":                 "",
		"garbage":                 "hello, world\r\n\r\n",
		"TLS":                     "\x15\x03\x01\x00\x02\x02\x16",
		"half a header":           ok + "X: y",
		"no status":               "HTTP/1.1 \r\n\r\n",
		"a status that is none":   "HTTP/1.1 abc OK\r\n\r\n",
		"status 99":               "HTTP/1.1 099 X\r\n\r\n",
		"status 0":                "HTTP/1.1 000 X\r\n\r\n",
		"two lengths":             ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"a signed length":         ok + "Content-Length: -1\r\n\r\n",
		"a coding that is none":   ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"another protocol":        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"a protocol without name": "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"informing without end":   strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("y", 60_000)+"\r\n\r\n", 20),
	} {
		d := raw(t, func(conn net.Conn) { _, _ = io.WriteString(conn, answer) })
		c := d.connect(t)
		c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
		got := c.hear("GET")
		for got.StatusCode == http.StatusEarlyHints {
			got = c.hear("GET")
		}
		if body, err := io.ReadAll(got.Body); got.StatusCode != 502 || err != nil || !strings.Contains(string(body), "upstream_unreachable") {
			t.Errorf("%s: %s %q, %v", name, got.Status, body, err)
		}
	}
}

// What a product says is no text of ours: of an answer that is none nothing gets into the log, for it may hold the credential that it was
// given.
func TestTheLogQuotesNoProduct(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"hush\r\n\r\n", "HTTP/1.1 hush\r\n\r\n", "HTTP/1.1 200 OK\r\nhush\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: hush\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: hush\r\n\r\n"} {
		d := raw(t, func(conn net.Conn) { _, _ = io.WriteString(conn, answer) })
		if status, _ := d.ask(t, "GET /api/a\n"); status != 502 || strings.Contains(d.log.String(), "hush") || !strings.Contains(d.log.String(), "a product did not answer") {
			t.Errorf("%q: status %d, and %s", answer, status, d.log)
		}
	}
}

// What may not come before a body does not come behind it either, announced or not.
func TestTrailersAreSifted(t *testing.T) {
	t.Parallel()
	const trailers = "Set-Cookie: a=b\r\nStrict-Transport-Security: max-age=1\r\nX-Accel-Redirect: /x\r\nX-Request-Id: forged\r\nX-Sum: 1\r\n\r\n"
	for _, announced := range []string{"", "Trailer: Set-Cookie, Strict-Transport-Security, X-Accel-Redirect, X-Request-Id, X-Sum\r\n"} {
		d := raw(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+announced+"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"+trailers)
		})
		d.before = func(w http.ResponseWriter, _ *http.Request) { w.Header()["X-Request-Id"] = []string{"ours"} }
		c := d.connect(t)
		c.say("GET /api/a HTTP/1.1\r\nHost: x\r\nTe: trailers\r\n\r\n")
		answer := c.hear("GET")
		if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "hi" {
			t.Fatalf("%q, %v", body, err)
		}
		if answer.Header.Get("X-Request-Id") != "ours" || answer.Trailer.Get("X-Sum") != "1" || len(answer.Trailer) != 1 {
			t.Errorf("%q: %v, and behind the body %v", announced, answer.Header, answer.Trailer)
		}
	}
}

// A header of a gibibyte is given up long before.
func TestAHeaderWithoutEnd(t *testing.T) {
	for name, part := range map[string]string{"many fields": "X-%d: " + strings.Repeat("y", 1000) + "\r\n", "one field": strings.Repeat("y", 1000)} {
		sent := make(chan int, 1)
		d := raw(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Long: ")
			n := 0
			for i := 0; n < 1<<30; i++ {
				text := part
				if strings.Contains(part, "%d") {
					text = fmt.Sprintf(part, i)
				}
				if _, err := io.WriteString(conn, text); err != nil {
					break
				}
				n += len(text)
			}
			sent <- n
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status, _ := d.ask(t, "GET /api/a\n")
		runtime.ReadMemStats(&after)
		if n := <-sent; status != 502 || n > 32<<20 || after.TotalAlloc-before.TotalAlloc > 64<<20 {
			t.Errorf("%s: %d after %d KiB, %d KiB of memory", name, status, n>>10, (after.TotalAlloc-before.TotalAlloc)>>10)
		}
	}
}

// A body with more than was said, or chunks that are none, does not spill into the answer to somebody else.
func TestAProductSaysMoreThanItSaid(t *testing.T) {
	t.Parallel()
	d := raw(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
		_, _ = conn.Read(make([]byte, 64<<10))
	})
	c := d.connect(t)
	for range 20 {
		c.say("GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n")
		if answer, body := c.answer("GET"); answer.StatusCode == 200 && body != "body" {
			t.Fatalf("%s %q", answer.Status, body)
		}
	}
}

// Many calls at once, on connections that stay open, each get their own answer, and no connection breaks off.
func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(body)%2 == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(r.URL.Path)+len(body)))
			w.(http.Flusher).Flush()
		}
		fmt.Fprintf(w, "%s%s", r.URL.Path, body)
	}, nil)
	var all sync.WaitGroup
	for conn := range 16 {
		c := d.connect(t)
		all.Go(func() {
			for i := range 100 {
				path, body := fmt.Sprintf("/api/%d/%d", conn, i), strings.Repeat("x", i%70)
				fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
				answer, err := http.ReadResponse(c.reader, nil)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				if got, err := io.ReadAll(answer.Body); err != nil || string(got) != path+body {
					t.Errorf("%s: %s %q, %v", path, answer.Status, got, err)
					return
				}
			}
		})
	}
	all.Wait()
	if log := d.log.String(); log != "" {
		t.Errorf("logged %s", log)
	}
}
