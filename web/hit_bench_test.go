package web_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	handler "github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// memoryConn is a connection in memory on which one request comes again and again, and whose answers nobody keeps.
type memoryConn struct {
	net.Conn
	request []byte
	read    int
	left    int // requests that have not begun
	answer  []byte
	over    chan struct{}
	once    sync.Once
}

func (c *memoryConn) Read(p []byte) (int, error) {
	if c.read == 0 {
		if c.left == 0 {
			return 0, io.EOF
		}
		c.left--
	}
	n := copy(p, c.request[c.read:])
	c.read = (c.read + n) % len(c.request)
	return n, nil
}

func (c *memoryConn) Write(p []byte) (int, error) {
	if len(c.answer) < 64 {
		c.answer = append(c.answer, p[:min(len(p), 64)]...)
	}
	return len(p), nil
}

func (c *memoryConn) Close() error                     { c.once.Do(func() { close(c.over) }); return nil }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
func (c *memoryConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 80} }
func (c *memoryConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234}
}

// Accept hands the connection over, once.
func (c *memoryConn) Accept() (net.Conn, error) {
	if c.answer == nil {
		c.answer = []byte{}
		return c, nil
	}
	<-c.over
	return nil, net.ErrClosed
}

func (c *memoryConn) Addr() net.Addr { return c.LocalAddr() }

// hitting sends one request to a server again and again, of which memory knows the answer. What is measured is all that happens in the program: net/http, and what stands behind it.
func hitting(b *testing.B, to http.Handler, request string) {
	b.Helper()
	first, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request))) // asks the database, which takes longer than the connection may last
	if err != nil {
		b.Fatal(err)
	}
	first.RemoteAddr = "192.0.2.1:1234"
	to.ServeHTTP(httptest.NewRecorder(), first)
	c := &memoryConn{request: []byte(request), left: b.N, over: make(chan struct{})}
	server := http.Server{Handler: to, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	b.ReportAllocs()
	b.ResetTimer()
	_ = server.Serve(c)
	b.StopTimer()
	if !bytes.HasPrefix(c.answer, []byte("HTTP/1.1 20")) {
		b.Fatalf("%s", c.answer)
	}
}

func request(method, path, body string, fields ...string) string {
	text := method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + strings.Join(fields, "\r\n") + "\r\n"
	if body != "" {
		text += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return text + "\r\n" + body
}

// BenchmarkHit is what the doors of programs cost where all that they ask is in memory, without the system's part of a connection; and what the same request
// costs a handler of Echo that checks nothing.
func BenchmarkHit(b *testing.B) {
	s := webtest.SQLite(b, webtest.Asking("192.0.2.0/24"), webtest.Sampled())
	if _, err := s.SetCallLimits(b.Context(), s.Admin, "marlowe-press", models.CallLimits{API: models.MostCallsAMinute, User: 50, Automation: 300}); err != nil {
		b.Fatal(err)
	}
	_, key := s.Key(b, s.Admin, models.NewAPIKey{Name: "Asks"})
	server := s.Listener.Config.Handler
	var about []string
	for range 100 {
		_, text := s.WorkspaceToken(b, s.Admin, "marlowe-press", models.NewAPIToken{Name: "A" + strconv.Itoa(len(about))})
		about = append(about, text.Reveal())
	}
	e := handler.New()
	e.Any("/*", func(c handler.Context) error { return c.NoContent(http.StatusNoContent) })
	forwardAuth := request("GET", "/forward-auth", "", "X-Forwarded-Method: GET", "X-Forwarded-Uri: /api/agent-base", "Authorization: Bearer "+about[0])
	introspect := request("POST", "/oauth2/introspect", "token="+about[0], "X-Api-Key: "+key.Reveal(), "Content-Type: application/x-www-form-urlencoded")
	var lines []string
	for _, text := range about {
		lines = append(lines, `{"credential":"`+text+`","method":"GET","path":"/api/agent-base"}`)
	}
	verify := request("POST", "/v1/credentials:verify", `{"requests":[`+strings.Join(lines, ",")+`]}`, "X-Api-Key: "+key.Reveal(), "Content-Type: application/json")
	b.Run("nothing", func(b *testing.B) { hitting(b, e, forwardAuth) })
	b.Run("forward-auth", func(b *testing.B) { hitting(b, server, forwardAuth) })
	anonymous := webtest.Start(b, s.World, webtest.Asking("192.0.2.0/24"), webtest.Anonymous(), webtest.Sampled()).Listener.Config.Handler
	b.Run("forward-auth without identity", func(b *testing.B) { hitting(b, anonymous, forwardAuth) })
	b.Run("nothing, to introspection", func(b *testing.B) { hitting(b, e, introspect) })
	b.Run("introspect", func(b *testing.B) { hitting(b, server, introspect) })
	b.Run("verify 100", func(b *testing.B) {
		hitting(b, server, verify)
		b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
	})
}
