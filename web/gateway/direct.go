package gateway

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"tokendesk/models"
)

// direct carries calls that have no body, to a product without TLS, on the goroutine of the call. http.Transport has two more for each
// connection, which it takes to send a body while the answer arrives, and which such a call pays for without using them
// (docs/adr/0015-calls-without-a-body.md). What is written and what is read is net/http's in both.
type direct struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	address string        // host and port
	within  time.Duration // from the end of the request to the header of the answer

	mu     sync.Mutex
	idle   []*directConn // the one that was used last comes last
	closed bool          // nothing is kept any more
}

// directConn is a connection, which has one call at a time.
type directConn struct {
	net.Conn
	watch syscallConn
	from  *bufio.Reader
	to    *bufio.Writer
	room  int64     // bytes that the header of an answer may still have
	fault error     // why reading failed
	since time.Time // when its last call ended
}

var errSeveralLines = errors.New("a field of the call has a line's end in it")

var errLongHeader = errors.New("the header of the product's answer is too long")

func (c *directConn) Read(p []byte) (int, error) {
	if c.room <= 0 {
		return 0, errLongHeader
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.room)])
	c.room -= int64(n)
	if err != nil {
		c.fault = err
	}
	return n, err
}

// takes says whether a call may go this way.
func (d *direct) takes(r *http.Request) bool {
	return d != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.ContentLength == 0 && r.Header["Upgrade"] == nil
}

// send sends a call that it takes, and reads the header of its answer. What was kept of a connection and is closed by now gives way to another
// one, as in http.Transport: such a call may be made twice (RFC 9110, section 9.2.2).
func (d *direct) send(r *http.Request, x *exchange) (*http.Response, error) {
	for {
		c, kept, err := d.take(r.Context())
		if err != nil {
			return nil, err
		}
		x.hold(func() { _ = c.Close() })
		w := &watch{caller: r.Context(), left: x.abandon}
		release := func() bool { w.end(); return x.letGo() }
		res, err := d.exchange(c, r, x, w)
		if err == nil {
			d.follow(c, res, release)
			return res, nil
		}
		_ = c.Close()
		var slow net.Error
		if !release() || !kept || c.room < mostHeader || errors.Is(err, errSeveralLines) || errors.As(err, &slow) && slow.Timeout() {
			return nil, err
		}
	}
}

// soon is how long an answer may take without anybody watching whether the caller is still there. Many take less, and are spared it.
const soon = 5 * time.Millisecond

func (d *direct) exchange(c *directConn, r *http.Request, x *exchange, w *watch) (*http.Response, error) {
	c.room = mostHeader
	if err := x.write(c.to, r); err != nil {
		return nil, err
	}
	sent := models.Ticks()
	if err := c.SetReadDeadline(sent.Add(min(soon, d.within))); err != nil {
		return nil, err
	}
	if !c.answered() {
		w.begin()
		c.fault = nil
		if err := c.SetReadDeadline(sent.Add(d.within)); err != nil {
			return nil, err
		}
	}
	res, err := readAnswer(c.from, r)
	if err != nil {
		return nil, errors.Join(err, c.fault) // net/http takes what there is of a line for the whole, and does not say why there is no more
	}
	if res.ContentLength < 0 || res.ContentLength > int64(c.from.Buffered()) {
		w.begin() // the body is still to come
	}
	c.room = math.MaxInt64
	return res, c.SetReadDeadline(time.Time{})
}

// answered waits for what comes, and says whether it has all of an answer's header, of one that is not followed by another.
func (c *directConn) answered() bool {
	if _, err := c.from.Peek(1); err != nil {
		return false
	}
	head, _ := c.from.Peek(c.from.Buffered())
	const status = len("HTTP/1.1 ")
	return len(head) > status && head[status] != '1' && bytes.Contains(head, []byte("\r\n\r\n"))
}

// watch tells when a caller leaves.
type watch struct {
	caller context.Context
	left   func()
	forget func() bool // nil: it has not begun
}

func (w *watch) begin() {
	if w.forget == nil {
		w.forget = context.AfterFunc(w.caller, w.left)
	}
}

func (w *watch) end() {
	if w.forget != nil {
		w.forget()
	}
}

// write writes the request line and the header (RFC 9112, sections 3 and 5). What came in a request has no line's end in it, for net/http saw to that,
// and neither has anything of ours: it is looked at once more, because what follows a line's end would be another field, or another request.
func (x *exchange) write(to *bufio.Writer, r *http.Request) error {
	target, host := r.URL.RequestURI(), cmp.Or(r.Host, r.URL.Host)
	if !oneLine(target) || !oneLine(host) || strings.Contains(target, " ") {
		return errSeveralLines
	}
	_, _ = to.WriteString(r.Method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n")
	for name, values := range x.fields(target) {
		for _, value := range values {
			if !oneLine(value) {
				return errSeveralLines
			}
			for _, part := range [...]string{name, ": ", value, "\r\n"} {
				_, _ = to.WriteString(part)
			}
		}
	}
	_, _ = to.WriteString("\r\n")
	return to.Flush() // which tells what failed before
}

func oneLine(text string) bool {
	return strings.IndexByte(text, '\n') < 0 && strings.IndexByte(text, '\r') < 0 && strings.IndexByte(text, 0) < 0
}

// readAnswer reads the header of an answer, and tells of those before it that only inform.
func readAnswer(from *bufio.Reader, r *http.Request) (*http.Response, error) {
	for {
		res, err := http.ReadResponse(from, r)
		if err != nil || res.StatusCode/100 != 1 || res.StatusCode == http.StatusSwitchingProtocols {
			return res, err
		}
		if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.Got1xxResponse != nil {
			if err := trace.Got1xxResponse(res.StatusCode, textproto.MIMEHeader(res.Header)); err != nil {
				return nil, err
			}
		}
	}
}

// follow sees to it that the connection is free for the next call at the end of this one's answer.
func (d *direct) follow(c *directConn, res *http.Response, release func() bool) {
	b := &directBody{ReadCloser: res.Body, ended: func(whole bool) {
		if release() && whole && !res.Close && c.from.Buffered() == 0 {
			d.keep(c)
		} else {
			_ = c.Close()
		}
	}}
	if res.Body == http.NoBody {
		b.end(res.StatusCode != http.StatusSwitchingProtocols)
	}
	res.Body = b
}

// directBody is the body of an answer.
type directBody struct {
	io.ReadCloser
	ended func(whole bool) // nil once it has
}

func (b *directBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(err == io.EOF)
	}
	return n, err
}

// Close gives up what was not read.
func (b *directBody) Close() error {
	b.end(false)
	return nil
}

func (b *directBody) end(whole bool) {
	if b.ended != nil {
		b.ended(whole)
		b.ended = nil
	}
}

// take is a connection that was kept, or a new one. One on which something came that nobody asked for is not the next call's.
func (d *direct) take(ctx context.Context) (c *directConn, kept bool, err error) {
	for c := d.newest(); c != nil; c = d.newest() {
		if c.watch.silent() {
			return c, true, nil
		}
		_ = c.Close()
	}
	conn, err := d.dial(ctx, "tcp", d.address)
	if err != nil {
		return nil, false, err
	}
	c = &directConn{Conn: conn, watch: syscallConnOf(conn)}
	c.from, c.to = bufio.NewReaderSize(c, chunk), bufio.NewWriter(c)
	return c, false, nil
}

func (d *direct) newest() (c *directConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if last := len(d.idle) - 1; last >= 0 {
		c, d.idle[last], d.idle = d.idle[last], nil, d.idle[:last]
	}
	return c
}

func (d *direct) keep(c *directConn) {
	c.since = models.Ticks()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.idle) >= mostIdle {
		_ = c.Close()
		return
	}
	d.idle = append(d.idle, c)
}

// expire closes connections that no call has used since, and those that the product has closed. It does so in the order in which they were kept, up
// to the first that is still good, so that those that are cost one look in all.
func (d *direct) expire(since time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.idle) > 0 && (d.idle[0].since.Before(since) || !d.idle[0].watch.silent()) {
		_ = d.idle[0].Close()
		d.idle = d.idle[1:]
	}
}

// close closes the connections that no call uses, and the others when their call ends.
func (d *direct) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, c := range d.idle {
		_ = c.Close()
	}
	d.idle = nil
}
