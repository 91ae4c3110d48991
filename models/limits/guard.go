package limits

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
)

// What an answer may be at most. What the script answers has three lines; the longest answer is the one to HELLO, which lists the modules of the server.
const (
	mostParts = 1024    // that its lists announce, all together, and bytes that a text announces
	mostBytes = 8 << 10 // until something else is asked
)

// errNonsense is said of an answer that nobody who runs the script gives.
var errNonsense = errors.New("limits: Redis answers something else")

// guard is a connection that answers come by as long as they are of a size that ours have. The client makes room for as much as an answer
// announces, before it comes: whoever answers could have the server ended by it.
type guard struct {
	net.Conn
	bytes, parts int  // of the answers since something was asked
	at           int  // in the line
	kind         byte // of the line: its first byte
	number       int  // that it announces
}

// plainGuard is one without TLS, of which the client asks the kernel whether it is still there.
type plainGuard struct {
	*guard
	syscall.Conn
}

// guarded has the connections that a dialer makes guarded.
func guarded(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if plain, ok := conn.(syscall.Conn); ok {
			return plainGuard{&guard{Conn: conn}, plain}, nil
		}
		return &guard{Conn: conn}, nil
	}
}

// Write asks something.
func (g *guard) Write(b []byte) (int, error) {
	g.bytes, g.parts = 0, 0
	return g.Conn.Write(b)
}

// Read looks at every byte before the client does.
func (g *guard) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if g.bytes += n; g.bytes > mostBytes {
		return 0, errNonsense
	}
	for _, c := range b[:n] {
		if !g.takes(c) {
			return 0, errNonsense
		}
	}
	return n, err
}

// takes reads a byte; false: it is no answer of ours. What is in a text is looked at as if it were a line of its own: there is nothing in ours that looks like
// one that announces.
func (g *guard) takes(c byte) bool {
	switch {
	case c == '\n':
		if strings.IndexByte("*%~>|", g.kind) >= 0 && g.at > 0 {
			g.parts += g.number
		}
		g.at, g.number = 0, 0
		return g.parts <= mostParts
	case g.at == 0:
		g.kind = c
	case strings.IndexByte("*%~>|$=!", g.kind) < 0: // it announces nothing
	case c >= '0' && c <= '9':
		g.number = 10*g.number + int(c-'0')
	case c != '\r' && (c != '-' || g.at > 1): // -1 is none
		return false
	}
	g.at++
	return g.number <= mostParts
}
