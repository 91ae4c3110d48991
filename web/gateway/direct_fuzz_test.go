package gateway

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
)

// told is what a caller gets to see of an answer.
type told struct {
	status  int
	header  http.Header
	body    string
	broken  bool
	trailer http.Header
	hints   []string
}

// FuzzDirectAnswers sends a product's answer, whatever it is, to both ways: they make the same of it.
func FuzzDirectAnswers(f *testing.F) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, answer := range []string{
		fine, ok + "\r\nto the end", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", ok + "Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n3\r\nabc\r\n0\r\nX-A: 1\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + fine,
		"HTTP/1.1 100 Continue\r\n\r\n" + fine, "HTTP/1.1 101 Switching Protocols\r\n\r\nx", ok + "Content-Length: 9\r\n\r\nshort", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
		ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nab", ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n", ok + "Connection: close\r\n\r\nx", ok + " folded: x\r\n\r\n",
		"HTTP/1.1 200\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 099 No\r\n\r\n", "", "\r\n", "HTTP/1.1 200 OK\nContent-Length: 1\n\na",
	} {
		f.Add([]byte(answer), false)
		f.Add([]byte(answer), true)
	}
	var says atomic.Pointer[[]byte]
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = conn.Write(*says.Load())
			_ = conn.Close()
		}
	}()
	method := map[bool]string{false: "GET", true: "HEAD"}
	f.Fuzz(func(t *testing.T, answer []byte, head bool) {
		says.Store(&answer)
		g := New(Settings{Allow: loopback, Clock: models.SystemClock, Log: slog.New(slog.DiscardHandler), OnError: tell})
		up := Upstream{ProductID: "p", URL: mustURL(t, "http://"+listener.Addr().String()), Key: testKey, HeaderTimeout: patience}
		l := g.line(up, time.Now())
		defer l.close()
		ours := l.direct
		var got [2]told
		for i, way := range []*direct{nil, ours} {
			l.direct = way
			got[i] = hear(g, up, method[head])
		}
		if !reflect.DeepEqual(got[0], got[1]) {
			t.Errorf("%s %q\nis to net/http %+v\nand to us     %+v", method[head], answer, got[0], got[1])
		}
	})
}

// hear makes a call and gives what came of it.
func hear(g *Gateway, up Upstream, method string) (heard told) {
	r := httptest.NewRequest(method, "/api/a", nil)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	path, _ := access.CanonicalPath("/api/a")
	w := &listening{ResponseRecorder: httptest.NewRecorder()}
	func() {
		defer func() { heard.broken = recover() != nil }()
		g.Forward(w, r.WithContext(ctx), up, caller, path)
	}()
	res := w.Result()
	heard.status, heard.header, heard.body, heard.trailer, heard.hints = res.StatusCode, res.Header, w.Body.String(), res.Trailer, w.hints
	return heard
}

// listening is a caller's side that keeps what only informs, too.
type listening struct {
	*httptest.ResponseRecorder
	hints []string
}

func (w *listening) WriteHeader(status int) {
	if status/100 == 1 {
		names := slices.Sorted(maps.Keys(w.Header()))
		w.hints = append(w.hints, fmt.Sprint(status, names))
		return
	}
	w.ResponseRecorder.WriteHeader(status)
}

func (w *listening) SetReadDeadline(time.Time) error  { return nil }
func (w *listening) SetWriteDeadline(time.Time) error { return nil }
