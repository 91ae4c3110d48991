package web_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models/access"
	"tokendesk/web/webtest"
)

// A refused caller's body is not read (security rule U1): whoever asks first whether to send it
// (Expect: 100-continue, as curl does) is told no, and whoever declares a large one gets the answer
// without sending a byte of it.
func TestARefusedBodyIsNotRead(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	fields := map[string]string{"no credential": ""}
	for _, token := range credentials(t, s) {
		if token.code != access.Allowed {
			fields[token.name] = "Authorization: Bearer " + token.text + "\r\n"
		}
	}
	fields["two credentials"] = "X-API-Key: a\r\nX-API-Token: b\r\n"
	fields["another site"] = "Sec-Fetch-Site: cross-site\r\n"
	for name, field := range fields {
		for _, expect := range []string{"Expect: 100-continue\r\n", ""} {
			c := connect(t, s)
			c.say("POST /installCollection HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=edge\r\nContent-Length: 52428800\r\n%s%s\r\n", field, expect)
			answer := c.answer()
			if answer.StatusCode < 400 || answer.StatusCode > 403 {
				t.Errorf("%s (%q): status %d", name, expect, answer.StatusCode)
			}
			if _, err := c.reader.ReadByte(); err != io.EOF {
				t.Errorf("%s (%q): the connection goes on: %v", name, expect, err)
			}
		}
	}
}

// What is declared as larger than the limit is refused by that, before any of it is sent.
func TestADeclaredSizeIsEnough(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, token := s.Token(t, s.Admin, s.Admin.ID)
	c := connect(t, s)
	c.say("POST /installCollection HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=edge\r\nContent-Length: 999999999999\r\nExpect: 100-continue\r\n\r\n", token.Reveal())
	if answer := c.answer(); answer.StatusCode != 422 || !strings.Contains(c.body, "larger than the limit of 100 MiB") {
		t.Errorf("status %d: %s", answer.StatusCode, c.body)
	}
}

// A good caller that asks first is told to go on, and then installs.
func TestAGoodCallerIsToldToGoOn(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, token := s.Token(t, s.Admin, s.Admin.ID)
	c, body := connect(t, s), smallZip(t)
	c.say("POST /installCollection HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=edge\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		token.Reveal(), len(body))
	if line, err := c.reader.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("told %q, %v", line, err)
	}
	if line, _ := c.reader.ReadString('\n'); line != "\r\n" {
		t.Fatalf("then %q", line)
	}
	c.say("%s", body)
	if answer := c.answer(); answer.StatusCode != 200 {
		t.Errorf("status %d", answer.StatusCode)
	}
}

// A body that breaks off in the middle of the archive is told as that where somebody still listens, and
// installs nothing.
func TestABodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, token := s.Token(t, s.Admin, s.Admin.ID)
		before, body := s.Changes(t), smallZip(t)
		for _, length := range []string{fmt.Sprintf("Content-Length: %d", len(body)), "Transfer-Encoding: chunked"} {
			c := connect(t, s)
			c.say("POST /installCollection HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=edge\r\n%s\r\n\r\n", token.Reveal(), length)
			if strings.HasPrefix(length, "T") {
				c.say("%x\r\n", len(body))
			}
			c.say("%s", body[:len(body)-20])
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if answer := c.answer(); answer.StatusCode != 400 || !strings.Contains(c.body, "broke off") {
				t.Errorf("%s: status %d: %s", length, answer.StatusCode, c.body)
			}
		}
		s.Listener.Close() // waits for the last request
		nothingSpooled(t, s)
		if s.Changes(t) != before {
			t.Error("half an archive changed something")
		}
	})
}

// While an upload is under way its file has no name, so that nothing is left of it, whatever ends it;
// and when its sender is gone it is closed.
func TestAnUploadUnderWayHasNoName(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, token := s.Token(t, s.Admin, s.Admin.ID)
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/installCollection", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "multipart/form-data; boundary=edge")
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	over := make(chan error, 1)
	go func() {
		answer, err := s.Listener.Client().Do(r)
		if err == nil {
			err = answer.Body.Close()
		}
		over <- err
	}()
	// Far more than the connection holds by itself: when all of it is written, the server has read some.
	for _, piece := range [][]byte{part("collectionFile", "a.zip", nil), bytes.Repeat([]byte("x"), 32<<20)} {
		if _, err := send.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	open := openIn(t, s.Handlers.SpoolDir)
	if len(open) != 1 || !strings.HasSuffix(open[0], " (deleted)") {
		t.Errorf("under way the spool has open: %q, want one file without a name", open)
	}
	if err := send.CloseWithError(io.ErrUnexpectedEOF); err != nil {
		t.Fatal(err)
	}
	if err := <-over; err == nil {
		t.Error("a body that broke off was answered")
	}
	s.Listener.Close() // waits for the last request
	nothingSpooled(t, s)
}

// wire is a bare connection to the server.
type wire struct {
	*net.TCPConn
	t      *testing.T
	reader *bufio.Reader
	body   string // of the last answer
}

func connect(t *testing.T, s webtest.Site) *wire {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil { // so that a test that hangs fails
		t.Fatal(err)
	}
	return &wire{TCPConn: conn.(*net.TCPConn), t: t, reader: bufio.NewReader(conn)}
}

func (w *wire) say(format string, args ...any) {
	w.t.Helper()
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		w.t.Fatal(err)
	}
}

// answer reads one, which must not be an interim one.
func (w *wire) answer() *http.Response {
	w.t.Helper()
	answer, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.body = string(body)
	return answer
}
