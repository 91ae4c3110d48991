package gateway

import (
	"io"
	"net"
	"net/http"
	"testing"
)

// What a product says beforehand may come together with its word to go on, just when net/http says so to its caller: neither is written into the middle of the
// other, and the caller is told once.
func TestInformedWhileGoingOn(t *testing.T) {
	t.Parallel()
	d := raw(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
		if _, err := io.ReadFull(conn, make([]byte, len("hello"))); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		}
	})
	for range 200 {
		c := d.connect(t)
		c.say("POST /api/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		if early := c.hear("POST"); early.StatusCode != http.StatusContinue {
			t.Fatalf("%s", early.Status)
		}
		c.say("hello")
		answer := c.hear("POST")
		if answer.StatusCode == http.StatusEarlyHints { // or nobody hears of them
			answer = c.hear("POST")
		}
		if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || string(body) != "ok" {
			t.Fatalf("%s %q (%v)", answer.Status, body, err)
		}
		c.Close()
	}
}
