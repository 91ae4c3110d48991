// Package deadline has callers' connections keep their deadlines to themselves, and tell the system of one only where something may wait.
//
// net/http sets eight deadlines for each request, which the runtime writes into its timers, and next to none of them is ever in force: what is read
// is there already, and what is written is taken at once. Here one that the runtime has is left as long as it comes no later than the one that is wanted;
// when it passes before its time, it is set anew, and what was waiting goes on.
//
// Whoever reads and writes cannot tell the difference. What goes past that can: SyscallConn waits under the deadline that the runtime has, and a deadline can
// be set for a connection that is closed.
package deadline

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"tokendesk/models"
)

// Listener has a listener's connections keep their deadlines, as far as they are of TCP.
func Listener(l net.Listener) net.Listener { return &listener{l} }

type listener struct{ net.Listener }

func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	tcp, ok := accepted.(*net.TCPConn)
	if !ok {
		return accepted, err
	}
	return &conn{TCPConn: tcp, read: side{tell: tcp.SetReadDeadline}, write: side{tell: tcp.SetWriteDeadline}}, nil
}

// conn is a connection that keeps its deadlines. What it does not do itself TCPConn does.
type conn struct {
	*net.TCPConn
	read, write side
	writing     sync.Mutex // a Write that goes on after a deadline is still one: nobody else's comes in between
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.read.set(t), c.write.set(t))
}
func (c *conn) SetReadDeadline(t time.Time) error  { return c.read.set(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.write.set(t) }

func (c *conn) Read(b []byte) (n int, err error) {
	if err := c.read.begin(); err != nil {
		return 0, err
	}
	defer c.read.end()
	for {
		if n, err = c.TCPConn.Read(b); n > 0 || !c.read.early(err) {
			return n, err
		}
	}
}

func (c *conn) Write(b []byte) (n int, err error) {
	if err := c.write.begin(); err != nil {
		return 0, err
	}
	defer c.write.end()
	c.writing.Lock()
	defer c.writing.Unlock()
	for {
		var more int
		more, err = c.TCPConn.Write(b[n:])
		if n += more; !c.write.early(err) {
			return n, err
		}
	}
}

// ReadFrom writes what a reader has, without its passing through here where the system can do that.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	if err := c.write.exactly(); err != nil {
		return 0, err
	}
	defer c.write.end()
	return c.TCPConn.ReadFrom(r)
}

// WriteTo writes what is read to a writer; TCPConn has one, which would go past the deadline.
func (c *conn) WriteTo(w io.Writer) (int64, error) {
	if err := c.read.exactly(); err != nil {
		return 0, err
	}
	defer c.read.end()
	return c.TCPConn.WriteTo(w)
}

// side is one direction of a connection.
type side struct {
	tell func(time.Time) error // sets the deadline that the runtime has

	mu       sync.Mutex
	wanted   time.Time // the deadline; zero: none
	told     time.Time // the one that the runtime has, which comes no later than the wanted one while something is under way
	underWay int       // reads, or writes
}

// set changes the deadline: at once for what is under way, and otherwise for what begins next.
func (s *side) set(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = t
	if s.underWay == 0 {
		return nil
	}
	return s.keep()
}

// begin is called before something that may wait; end is to be called after it, unless there is an error.
func (s *side) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wanted.IsZero() && s.wanted.Unix() <= longPast { // as net/http and we end a wait: without asking the system
		return os.ErrDeadlineExceeded
	}
	if s.later() {
		if err := s.keep(); err != nil {
			return err
		}
	}
	s.underWay++
	return nil
}

// exactly is begin for what cannot go on where it stopped: the runtime gets the very deadline.
func (s *side) exactly() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.keep(); err != nil {
		return err
	}
	s.underWay++
	return nil
}

func (s *side) end() {
	s.mu.Lock()
	s.underWay--
	s.mu.Unlock()
}

// early says whether something ended before the deadline because the runtime had an earlier one, and can go on.
func (s *side) early(err error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return (s.wanted.IsZero() || models.Ticks().Before(s.wanted)) && s.keep() == nil
}

// later says whether the runtime would let something wait for longer than is wanted.
func (s *side) later() bool {
	return !s.wanted.IsZero() && (s.told.IsZero() || s.told.After(s.wanted))
}

// keep has the runtime have the deadline that is wanted.
func (s *side) keep() error {
	if err := s.tell(s.wanted); err != nil {
		return err
	}
	s.told = s.wanted
	return nil
}

// longPast is in Unix seconds what net/http and this program set to end a wait at once. No deadline that is still to come was ever so early.
const longPast = 1
