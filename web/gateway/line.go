package gateway

import (
	"cmp"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	mostLines      = 1000 // products with connections kept for them; beyond it the one that was called longest ago goes
	mostIdle       = 128  // connections that a product's next calls find open
	idleFor        = 90 * time.Second
	mostHeader     = 256 << 10 // bytes of an answer's header
	continueWithin = time.Second
	chunk          = 32 << 10 // bytes of a body that are on their way at once
)

// line is what is kept for one revision of a product's upstream.
type line struct {
	revision       int64
	url            *url.URL
	escaped, host  string // of the URL's path, and what is asked for
	passCredential bool
	fields         []field
	signer         *Signer
	transport      transport
	direct         *direct   // nil: every call takes the transport
	used           time.Time // guarded by Gateway.mu
}

type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// field is one of the upstream's own.
type field struct {
	name   string
	values []string
}

// line finds what is kept for an upstream, or makes it. What was kept for another revision is given up: calls that
// use it go on, and then its connections are closed.
// The caller holds the lock.
func (g *Gateway) line(up Upstream, now time.Time) *line {
	l := g.lines[up.ProductID]
	if l != nil && l.revision == up.Revision {
		l.used = now
		return l
	}
	if l != nil {
		l.close()
	} else if len(g.lines) >= mostLines {
		g.dropOldest()
	}
	l = newLine(up)
	l.transport, l.direct, l.used = g.transport(up), g.direct(up), now
	g.lines[up.ProductID] = l
	return l
}

func (g *Gateway) dropOldest() {
	var id string
	for other, l := range g.lines {
		if id == "" || l.used.Before(g.lines[id].used) {
			id = other
		}
	}
	g.drop(id)
}

func (g *Gateway) drop(id string) {
	g.lines[id].close()
	delete(g.lines, id)
}

// close closes the connections that no call uses.
func (l *line) close() {
	l.transport.CloseIdleConnections()
	if l.direct != nil {
		l.direct.close()
	}
}

func newLine(up Upstream) *line {
	l := &line{revision: up.Revision, url: up.URL, passCredential: up.PassCredential, signer: NewSigner(up.Key)}
	if up.URL.Path != "" {
		l.escaped = up.URL.EscapedPath()
	}
	for name, values := range up.Header {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case len(values) == 0 || HeaderProblem(name, values[0]) != "": // the console refuses those
		case canonical == "Host":
			l.host = values[0]
		default:
			l.fields = append(l.fields, field{canonical, values[:1:1]})
		}
	}
	return l
}

// transport makes connections to one upstream, and keeps them. It follows no redirect, asks no proxy, and unpacks nothing.
func (g *Gateway) transport(up Upstream) *http.Transport {
	return &http.Transport{
		DialContext:         g.dial(up),
		TLSHandshakeTimeout: cmp.Or(up.ConnectTimeout, DefaultConnectTimeout),
		ForceAttemptHTTP2:   true, // where TLS agrees on it; a DialContext of ours switches it off otherwise

		ResponseHeaderTimeout:  cmp.Or(up.HeaderTimeout, DefaultHeaderTimeout),
		ExpectContinueTimeout:  continueWithin,
		MaxResponseHeaderBytes: mostHeader,
		DisableCompression:     true,

		MaxIdleConns: mostIdle, MaxIdleConnsPerHost: mostIdle, IdleConnTimeout: idleFor,
		WriteBufferSize: chunk, ReadBufferSize: chunk,
	}
}

// direct is for calls without a body, to a product in the network that has no TLS: with TLS, HTTP/2 may be agreed on.
func (g *Gateway) direct(up Upstream) *direct {
	if !canWatch || g.indirect || up.URL.Scheme != "http" || up.Dial != nil {
		return nil
	}
	return &direct{
		dial: g.dial(up), address: net.JoinHostPort(up.URL.Hostname(), cmp.Or(up.URL.Port(), "80")), within: cmp.Or(up.HeaderTimeout, DefaultHeaderTimeout),
	}
}

// dial makes a connection whose writes cannot be held up.
func (g *Gateway) dial(up Upstream) func(ctx context.Context, network, address string) (net.Conn, error) {
	within := cmp.Or(up.ConnectTimeout, DefaultConnectTimeout)
	open := up.Dial
	if open == nil {
		open = g.dialer().DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		conn, err := open(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &pacedConn{Conn: conn, within: g.stall}, nil
	}
}

// buffers are what bodies of answers pass through.
var buffers bufferPool

type bufferPool struct{ sync.Pool }

func (p *bufferPool) Get() []byte {
	if b, ok := p.Pool.Get().(*[chunk]byte); ok {
		return b[:]
	}
	return new([chunk]byte)[:]
}

func (p *bufferPool) Put(b []byte) { p.Pool.Put((*[chunk]byte)(b)) }

// quietly is for what httputil would log: we log it ourselves, with the request's ID.
var quietly = log.New(io.Discard, "", 0)
