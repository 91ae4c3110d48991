package deadline_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"tokendesk/web/deadline"
)

const (
	soon  = 50 * time.Millisecond
	later = 10 * time.Second // much later than anything here takes
)

// TestIsAConnection has the rules of net.Conn tried on connections that keep their deadlines, by those who made the rules.
func TestIsAConnection(t *testing.T) {
	t.Parallel()
	nettest.TestConn(t, func() (kept, other net.Conn, stop func(), err error) {
		kept, other = pair(t)
		return kept, other, func() { _, _ = kept.Close(), other.Close() }, nil
	})
}

// TestAReadOutlivesTheDeadlineBefore: a deadline that was moved on does not end what waits, however it was told before.
func TestAReadOutlivesTheDeadlineBefore(t *testing.T) {
	t.Parallel()
	for name, moved := range map[string]time.Duration{"to a later one": later, "to none": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept, other := pair(t)
			passes(t, kept, other)
			must(t, kept.SetReadDeadline(in(moved)))
			time.AfterFunc(3*soon, func() { _, _ = other.Write([]byte("x")) })
			var b [1]byte
			if n, err := kept.Read(b[:]); n != 1 || err != nil {
				t.Errorf("read %d, %v", n, err)
			}
		})
	}
}

// passes has a deadline pass that something was read and written under.
func passes(t *testing.T, kept, other net.Conn) {
	t.Helper()
	must(t, kept.SetDeadline(in(soon)))
	used(t, kept, other)
	time.Sleep(2 * soon)
}

// used reads and writes.
func used(t *testing.T, kept, other net.Conn) {
	t.Helper()
	for from, to := range map[net.Conn]net.Conn{kept: other, other: kept} {
		_, err := from.Write([]byte("x"))
		must(t, err)
		_, err = to.Read(make([]byte, 1))
		must(t, err)
	}
}

// TestAnEarlierDeadlineIsHeeded: one that is set while something waits ends it, and so does one that comes before the one that it began under.
func TestAnEarlierDeadlineIsHeeded(t *testing.T) {
	t.Parallel()
	read := func(kept, _ net.Conn) error { _, err := kept.Read(make([]byte, 1)); return err }
	for name, c := range map[string]struct {
		set  func(net.Conn, time.Time) error
		wait func(kept, other net.Conn) error
	}{
		"reading": {net.Conn.SetReadDeadline, read},
		"writing": {net.Conn.SetWriteDeadline, func(kept, _ net.Conn) error { _, err := kept.Write(make([]byte, 64<<20)); return err }},
		"both":    {net.Conn.SetDeadline, read},
		"writing what is read": {net.Conn.SetWriteDeadline, func(kept, _ net.Conn) error {
			_, err := kept.(io.ReaderFrom).ReadFrom(bytes.NewReader(make([]byte, 64<<20)))
			return err
		}},
		"reading what is written": {net.Conn.SetReadDeadline, func(kept, _ net.Conn) error { _, err := kept.(io.WriterTo).WriteTo(io.Discard); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for name, change := range map[string]func(net.Conn){
				"before":      func(kept net.Conn) { must(t, c.set(kept, in(soon))) },
				"while":       func(kept net.Conn) { time.AfterFunc(soon, func() { _ = c.set(kept, in(soon)) }) },
				"while, past": func(kept net.Conn) { time.AfterFunc(soon, func() { _ = c.set(kept, time.Unix(1, 0)) }) },
				"long past":   func(kept net.Conn) { must(t, c.set(kept, time.Unix(1, 0))) },
				"just past":   func(kept net.Conn) { must(t, c.set(kept, in(-soon))) },
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					kept, other := pair(t)
					must(t, kept.SetDeadline(in(later)))
					used(t, kept, other)
					change(kept)
					begun := time.Now()
					if err := c.wait(kept, other); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) > later/2 {
						t.Errorf("%v after %s", err, time.Since(begun))
					}
				})
			}
		})
	}
}

// TestNothingIsLostWhereADeadlinePasses: what is written while the deadline of before passes goes on where it stopped, and each byte arrives once.
func TestNothingIsLostWhereADeadlinePasses(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(net.Conn, []byte) (int64, error){
		"Write":    func(c net.Conn, b []byte) (int64, error) { n, err := c.Write(b); return int64(n), err },
		"ReadFrom": func(c net.Conn, b []byte) (int64, error) { return c.(io.ReaderFrom).ReadFrom(bytes.NewReader(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept, other := pair(t)
			must(t, kept.SetDeadline(in(4*soon)))
			used(t, kept, other)
			must(t, kept.SetDeadline(in(later)))
			sent := make([]byte, 32<<20) // more than the system keeps
			random := rand.NewChaCha8([32]byte{})
			_, _ = random.Read(sent)
			got := make(chan []byte, 1)
			go func() {
				time.Sleep(8 * soon)
				all, _ := io.ReadAll(other)
				got <- all
			}()
			n, err := write(kept, sent)
			must(t, errors.Join(err, kept.Close()))
			if all := <-got; n != int64(len(sent)) || !bytes.Equal(all, sent) {
				t.Errorf("wrote %d of %d, %d arrived", n, len(sent), len(all))
			}
		})
	}
}

// TestOtherConnectionsStay: what is not of TCP is accepted as it is, and so is what cannot be.
func TestOtherConnectionsStay(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("unix", t.TempDir()+"/s")
	must(t, err)
	from := deadline.Listener(l)
	go func() {
		if c, err := net.Dial("unix", l.Addr().String()); err == nil {
			defer c.Close()
		}
	}()
	c, err := from.Accept()
	must(t, err)
	if _, ok := c.(*net.UnixConn); !ok {
		t.Errorf("accepted a %T", c)
	}
	must(t, errors.Join(c.Close(), from.Close()))
	if c, err := from.Accept(); c != nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v, %v", c, err)
	}
}

// pair is a connection that was accepted, and who called.
func pair(t *testing.T) (kept, other net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	other, err = net.Dial("tcp", l.Addr().String())
	must(t, err)
	kept, err = deadline.Listener(l).Accept()
	must(t, err)
	t.Cleanup(func() { _, _ = kept.Close(), other.Close() })
	return kept, other
}

// in is the moment so much later; zero is none.
func in(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
