package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tokendesk/models/access"
	"tokendesk/web/deadline"
)

// noticeable is how long net/http needs at most to take a caller for gone, and to tell.
const noticeable = 8 * time.Millisecond

// TestCutAtAnyMoment: whenever a call is ended, nobody who calls after it on the same connection pays for that: their caller is there, and the product too.
func TestCutAtAnyMoment(t *testing.T) {
	t.Parallel()
	for name, quick := range map[string]http.HandlerFunc{
		"empty":           func(http.ResponseWriter, *http.Request) {},
		"none":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"of known length": func(w http.ResponseWriter, _ *http.Request) { answerWith(w, 8<<10) },
		"a stream": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 8<<10))
			w.(http.Flusher).Flush()
		},
		"a failure": misleading,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := toProduct(t, slowOr(quick), nil)
			call := func(path string) (int, error) {
				answer, err := d.server.Client().Get(d.server.URL + path)
				if err != nil {
					return 0, err
				}
				defer answer.Body.Close()
				_, err = io.Copy(io.Discard, answer.Body)
				return answer.StatusCode, err
			}
			const rounds = 250
			cuts := 0
			for n := range rounds {
				cut := make(chan int)
				go func() {
					for begun := time.Now(); d.underWay.Load() == 0 && time.Since(begun) < 10*time.Millisecond; {
						runtime.Gosched()
					}
					for begun := time.Now(); time.Since(begun) < time.Duration(2*n)*time.Microsecond; {
						runtime.Gosched()
					}
					cut <- d.Cut(func(Caller) bool { return true })
				}()
				_, _ = call("/api/quick") // which is answered, told that it was ended, or broken off
				cuts += <-cut
				if got, err := call("/api/slow"); got != http.StatusOK {
					t.Fatalf("after %d rounds the next call was answered with %d, %v", n, got, err)
				}
			}
			t.Logf("%d of %d calls were ended", cuts, rounds)
		})
	}
}

// TestCutAfterTheLastByte: a call is ended whose answer may be out whole, before it leaves those under way.
func TestCutAfterTheLastByte(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 4 << 10, 8 << 10, 100_000, 1 << 20} { // of which two leave nothing in net/http's buffer
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			t.Parallel()
			d := toProduct(t, slowOr(func(w http.ResponseWriter, _ *http.Request) { answerWith(w, size) }), nil)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path, _ := access.CanonicalPath(r.URL.EscapedPath())
				if r.URL.Path == "/api/quick" {
					w = &handedOver{wrapped{w}, size, func() { cutAndNoticed(t, d, r, 1) }}
				}
				d.Forward(w, r, d.up, d.who, path)
			}))
			server.Config.WriteTimeout, server.Config.ReadTimeout = time.Minute, time.Minute
			server.Listener = deadline.Listener(server.Listener)
			server.Start()
			t.Cleanup(func() {
				server.CloseClientConnections()
				server.Close()
			})
			d.address = server.Listener.Addr().String()
			d.nextIsWell(t)
		})
	}
}

// TestCutWhileAFailureIsTold: who is being told that there is no answer is not under way any more.
func TestCutWhileAFailureIsTold(t *testing.T) {
	t.Parallel()
	d := toProduct(t, slowOr(misleading), nil)
	d.settings.OnError = func(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) {
		cutAndNoticed(t, d, r, 0)
		tell(w, r, status, code, title, detail)
		cutAndNoticed(t, d, r, 0)
	}
	d.nextIsWell(t)
}

// TestCutBeforeItBegins: a call that is ended when it was let in, and has not begun, is as if it had not been tried. Whoever decides on it again, and lets it in, has it
// answered, and its connection stays.
func TestCutBeforeItBegins(t *testing.T) {
	t.Parallel()
	for name, seen := range map[string]bool{"and that is seen": true, "a moment later": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := toProduct(t, slowOr(nil), nil)
			first := true
			d.settings.Holds = func(*access.Pass) bool {
				if !first {
					return true
				}
				first = false
				if n := d.Cut(func(Caller) bool { return true }); n != 1 {
					t.Errorf("%d calls were ended", n)
				}
				time.Sleep(noticeable) // in which net/http would take its caller for gone
				return !seen
			}
			attempts := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path, _ := access.CanonicalPath(r.URL.EscapedPath())
				for attempts++; !d.Forward(wrapped{w}, r, d.up, d.who, path); attempts++ {
				}
			}))
			t.Cleanup(server.Close)
			d.address = server.Listener.Addr().String()
			c := d.connect(t)
			for range 2 {
				c.say("GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n")
				if answer, body := c.answer("GET"); answer.StatusCode != http.StatusOK || answer.Close {
					t.Fatalf("%s %v %s", answer.Status, answer.Header, body)
				}
			}
			if attempts != 3 || d.underWay.Load() != 0 {
				t.Errorf("%d attempts, %d under way", attempts, d.underWay.Load())
			}
		})
	}
}

// cutAndNoticed ends all calls, and gives net/http time to notice.
func cutAndNoticed(t *testing.T, d *door, r *http.Request, calls int) {
	t.Helper()
	if n := d.Cut(func(Caller) bool { return true }); n != calls {
		t.Errorf("%d calls were ended", n)
	}
	select {
	case <-r.Context().Done():
	case <-time.After(10 * noticeable):
	}
}

// nextIsWell makes a quick call and then, unless the connection is closed after that, a slow one, which must be answered.
func (d *door) nextIsWell(t *testing.T) {
	t.Helper()
	c := d.connect(t)
	c.say("GET /api/quick HTTP/1.1\r\nHost: x\r\n\r\n")
	first, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return // broken off
	}
	if _, err = io.Copy(io.Discard, first.Body); err != nil || first.Close {
		return
	}
	if _, err := fmt.Fprint(c, "GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return // closed
	}
	if next, err := http.ReadResponse(c.reader, nil); err == nil && next.StatusCode != http.StatusOK {
		t.Errorf("the next call on the connection was answered with %s", next.Status)
	}
}

// slowOr is a product that answers one path only when net/http has had time to notice, and the others at once.
func slowOr(quick http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/slow" {
			time.Sleep(noticeable)
			return
		}
		quick(w, r)
	}
}

func answerWith(w http.ResponseWriter, size int) {
	w.Header().Set("Content-Length", strconv.Itoa(size))
	_, _ = io.WriteString(w, strings.Repeat("x", size))
}

// misleading is a product that answers with what nobody asked for.
func misleading(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
		_ = c.Close()
	}
}

// handedOver does something once so many bytes of a body have been handed to net/http.
type handedOver struct {
	wrapped
	left int
	then func()
}

func (h *handedOver) Write(b []byte) (int, error) {
	n, err := h.wrapped.Write(b)
	if h.left -= n; h.left == 0 {
		h.then()
	}
	return n, err
}
