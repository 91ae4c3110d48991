package gateway

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// answer is the caller's side of an exchange.
type answer struct {
	http.ResponseWriter
	control  *http.ResponseController
	exchange *exchange
	final    bool        // the header of the answer is there
	early    http.Header // until then: of an informational one, like 103
	left     int64       // bytes of the body that are to come, as far as they are known; below 0: they are not
	set      time.Time   // when the deadline for taking it was
	moves    atomic.Int64
	awaits   atomic.Bool // more of a body whose length is known
	begun    atomic.Bool // its header may be on its way
	closes   bool        // its header says that the connection is closed after it
}

// streamed is how long a body of known length is at least for its header to go out before it.
const streamed = chunk

// Header is the caller's, once there is an answer. What goes out before that must not stay in it: httputil clears what it gets here.
func (a *answer) Header() http.Header {
	if a.final {
		return a.ResponseWriter.Header()
	}
	if a.early == nil {
		a.early = http.Header{}
	}
	return a.early
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.pace()
	if !a.final {
		a.inform(status)
		return
	}
	a.begin()
	a.ResponseWriter.WriteHeader(status)
	if a.left > streamed {
		_ = a.control.Flush() // what fails now fails again with the body
	}
}

// begin is called just before the header goes out. No connection is used again on which a call was ended: net/http's watch over it was ended with the call, and takes every
// later caller on it for gone. Who ends one after this finds that the answer has begun, and then Forward breaks the connection off.
func (a *answer) begin() {
	a.begun.Store(true)
	if a.exchange.ended.Load() != nil {
		a.closes = true
		a.ResponseWriter.Header().Set("Connection", "close")
	}
}

// inform passes an informational answer on, to callers whose version of HTTP has such; but for 100, which net/http says once somebody reads what the
// caller sends: the product's comes at that moment, and the caller would hear it twice, or when all was sent long ago. Until net/http has said so no other is
// passed on to who waits for it: it would be written into the middle of that.
func (a *answer) inform(status int) {
	x := a.exchange
	if status == http.StatusContinue || !x.callers.ProtoAtLeast(1, 1) || x.callers.ContentLength != 0 && x.callers.Header["Expect"] != nil && !x.body.came.Load() {
		return
	}
	ours := a.ResponseWriter.Header()
	sift(a.early, ours)
	maps.Copy(ours, a.early)
	a.ResponseWriter.WriteHeader(status)
	for name := range a.early {
		delete(ours, name)
	}
}

// Write sends what came on its way at once. Only what ends a body of known length waits for the answer's end, which follows.
func (a *answer) Write(b []byte) (int, error) {
	a.pace()
	if ended := a.exchange.over(); ended != nil { // looked at after the deadline was moved on: see end
		return 0, *ended
	}
	n, err := a.ResponseWriter.Write(b)
	if a.left < 0 {
		return n, err // httputil flushes what is a stream
	}
	a.moves.Add(1)
	if a.left -= int64(n); a.left > 0 && err == nil {
		err = a.control.Flush()
	}
	return n, err
}

// pace gives the caller time to take what comes next.
func (a *answer) pace() {
	if due(&a.set, a.exchange.gateway.stall) {
		_ = a.control.SetWriteDeadline(a.set.Add(a.exchange.gateway.stall))
	}
}

// Hijack gives up the connection, for a WebSocket.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := a.control.Hijack()
	if err != nil {
		return nil, nil, err
	}
	a.begun.Store(true) // so that end has nothing more of it go out
	return &switchedConn{pacedConn{Conn: conn, within: a.exchange.gateway.stall}, a.exchange}, buffered, nil
}

var (
	errSwitched = errors.New("the product switched to another protocol, and was not asked to")
	errNoStatus = errors.New("the product's answer has a status that is none") // below 100, which net/http lets through
)

// received takes in the header of the product's answer.
func (x *exchange) received(res *http.Response) error {
	if res.StatusCode == http.StatusSwitchingProtocols && !x.websocket {
		return errSwitched
	}
	if res.StatusCode < 100 {
		return errNoStatus
	}
	x.answered(res.StatusCode)
	a := &x.answer
	a.final, a.left = true, res.ContentLength
	if x.callers.Method == http.MethodHead {
		a.left = 0
	}
	a.awaits.Store(a.left > 0)
	sift(res.Header, a.ResponseWriter.Header())
	sift(res.Trailer, a.ResponseWriter.Header()) // of which names were told before
	if res.StatusCode != http.StatusSwitchingProtocols {
		res.Body = &trailed{res.Body, res, a.ResponseWriter.Header()}
	}
	for i, location := range res.Header["Location"] {
		res.Header["Location"][i] = x.line.relocate(location)
	}
	return nil
}

// trailed is the body of an answer, behind which no field may come that may not come before it.
type trailed struct {
	io.ReadCloser
	res  *http.Response
	ours http.Header
}

func (t *trailed) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil { // then the fields behind it are there
		sift(t.res.Trailer, t.ours)
	}
	return n, err
}

// sift takes out of a product's header what is not for it to say, and what we say ourselves.
func sift(products, ours http.Header) {
	for name := range products {
		if _, taken := ours[name]; taken || hostWide.has(name) {
			delete(products, name)
		}
	}
}
