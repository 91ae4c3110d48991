package gateway

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// body is what a caller sends. Reading it has a deadline that moves on with it, because a large body may take longer than any
// request should; and it remembers what went wrong with it, which is the caller's doing and not the product's.
type body struct {
	io.ReadCloser
	exchange *exchange
	most     int64 // bytes
	set      time.Time
	ended    bool        // only for whoever reads
	came     atomic.Bool // some of it
	fault    atomic.Int32
}

const (
	isTooLarge = 1 + iota
	isTooSlow
	isBroken
	isGarbled // its chunks
)

func (b *body) Read(p []byte) (int, error) {
	if ended := b.exchange.ended.Load(); ended != nil {
		return 0, *ended
	}
	if !b.ended && due(&b.set, b.exchange.gateway.stall) {
		_ = b.exchange.answer.control.SetReadDeadline(b.set.Add(b.exchange.gateway.stall)) // connections of net/http support it
	}
	n, err := b.ReadCloser.Read(p)
	b.came.Store(true)
	if ended := b.exchange.over(); ended != nil {
		return 0, *ended
	}
	if err == nil {
		return n, nil
	}
	b.ended = true // from here on net/http watches the connection, with no deadline
	var large *http.MaxBytesError
	var lost *net.OpError
	switch {
	case errors.As(err, &large):
		b.fault.Store(isTooLarge)
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.fault.Store(isTooSlow)
	case errors.Is(err, io.EOF):
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http.ErrBodyReadAfterClose), errors.As(err, &lost):
		b.fault.Store(isBroken)
	default:
		b.fault.Store(isGarbled)
	}
	return n, err
}
