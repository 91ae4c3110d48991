package sample

import (
	"context"
	"net"
	"sync"
)

// Listener connects a server with clients of the same program, without a port that others could reach: an
// http.Server serves it, and an http.Transport dials it.
type Listener struct {
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func NewListener() *Listener {
	return &Listener{waiting: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects to whoever serves the listener. It waits until they accept, the context ends or the listener is
// closed; then the error is net.ErrClosed.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.waiting <- server:
		return client, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept waits for the next client.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.waiting:
		return conn, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "memory", Err: net.ErrClosed}
	}
}

// Close ends Accept and Dial. Connections that were made go on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *Listener) Addr() net.Addr { return memory{} }

// memory is the listener's address.
type memory struct{}

func (memory) Network() string { return "memory" }
func (memory) String() string  { return "sample" }
