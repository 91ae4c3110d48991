package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const socketAsked = "GET /api/socket HTTP/1.1\r\nHost: gateway.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// echo is a product with a WebSocket that says again what it hears. What is inside of one is not looked at, so neither does this look.
func echo(ended chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Connection") != "Upgrade" || !strings.Contains(r.Header.Get("X-Tokendesk-Identity"), `workspace="w-1"`) {
			http.Error(w, "what?", http.StatusTeapot)
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: sid=evil\r\n\r\n")
		_, _ = io.Copy(conn, buffered)
		ended <- struct{}{}
	}
}

func (w *wire) socket() *http.Response {
	w.t.Helper()
	answer := w.hear("GET")
	if answer.StatusCode != http.StatusSwitchingProtocols {
		w.t.Fatalf("%s", answer.Status)
	}
	return answer
}

func (w *wire) echoes(text string) {
	w.t.Helper()
	w.say("%s", text)
	got := make([]byte, len(text))
	if _, err := io.ReadFull(w.reader, got); err != nil || string(got) != text {
		w.t.Fatalf("%q comes back as %q, %v", text, got, err)
	}
}

// A WebSocket passes, both ways, from a page of the same host and from programs; when one side is done, the other hears of it (security rule G5).
func TestWebSocket(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"", "Origin: https://gateway.example\r\n", "Origin: http://GATEWAY.example:80\r\n"} {
		ended := make(chan struct{}, 1)
		d := toProduct(t, echo(ended), nil)
		c := d.connect(t)
		c.say("%s", socketAsked+origin+"\r\n")
		if answer := c.socket(); !strings.EqualFold(answer.Header.Get("Upgrade"), "websocket") || answer.Header.Get("Sec-WebSocket-Accept") == "" || answer.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v", answer.Header)
		}
		for _, text := range []string{"hello", "\x81\x05hello", strings.Repeat("x", 100_000)} {
			c.echoes(text)
		}
		if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		within(t, "the end at the product", ended)
		if !c.over() {
			t.Error("it goes on for the caller")
		}
	}
}

// A product that wants no WebSocket answers as it likes.
func TestWebSocketThatTheProductRefuses(t *testing.T) {
	t.Parallel()
	d := toProduct(t, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusNotFound) }, nil)
	c := d.connect(t)
	c.say("%s", socketAsked+"\r\n")
	if answer, body := c.answer("GET"); answer.StatusCode != 404 || body != "no\n" {
		t.Errorf("%s %q", answer.Status, body)
	}
}

// A WebSocket ends with what it was admitted by, and after an hour, though nobody says anything in it.
func TestWebSocketsEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*door){
		"cut":     func(d *door) { d.Cut(func(Caller) bool { return true }) },
		"too old": func(d *door) { d.mu.Lock(); d.oldest = 0; d.mu.Unlock() },
	} {
		ended := make(chan struct{}, 1)
		d := toProduct(t, echo(ended), nil)
		c := d.connect(t)
		c.say("%s", socketAsked+"\r\n")
		c.socket()
		c.echoes(name)
		_ = d.Sweep(t.Context())
		c.echoes("still there")
		end(d)
		d.swept(t, "the end at the product", ended)
		if !c.over() {
			t.Errorf("%s: it goes on for the caller", name)
		}
	}
}

// A caller who takes nothing out of a WebSocket any more is left.
func TestWebSocketThatNobodyReads(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	d := toProduct(t, switching(func(conn net.Conn) {
		_, _ = io.Copy(conn, zeros{})
		close(left)
	}), func(d *door) { d.stall = 100 * time.Millisecond })
	c := d.connect(t)
	c.reader = bufio.NewReaderSize(c, 16)
	c.say("%s", socketAsked+"\r\n")
	within(t, "the end at the product", left)
}

// A WebSocket whose caller has said their last word, and takes nothing, is cut off like any other: nobody reads from them who would run out of time.
func TestAHalfClosedWebSocketIsCut(t *testing.T) {
	t.Parallel()
	full := make(chan struct{})
	d := toProduct(t, switching(func(conn net.Conn) {
		for err := error(nil); err == nil; {
			_ = conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			_, err = conn.Write(make([]byte, 64<<10))
		}
		close(full) // nobody takes anything any more
		_ = conn.SetWriteDeadline(time.Time{})
		_, _ = io.Copy(conn, zeros{})
	}), nil)
	c := d.connect(t)
	c.say("%s", socketAsked+"\r\n")
	c.socket()
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	within(t, "that nothing is taken", full)
	if n := d.Cut(func(Caller) bool { return true }); n != 1 {
		t.Errorf("%d were ended", n)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for d.underWay.Load() > 0 {
			time.Sleep(time.Millisecond)
		}
	}()
	d.swept(t, "its end", ended)
}

// switching is a product that switches to a WebSocket, whatever it is asked, and then does something with the connection.
func switching(then func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		then(conn)
	}
}
