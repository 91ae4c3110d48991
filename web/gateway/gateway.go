// Package gateway streams calls that were admitted to the products that they are for. It decides nothing about
// credentials: who calls, with which scope and by which canonical path is told to it.
//
// What it sees to: that a call says the same to the product as it said to whoever admitted it; that the product knows
// from whom it is, and nobody else can say so; that nothing is kept in memory but what is on its way; that
// neither side can hold a call up without moving anything; and that no address is called that is not a product's.
package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
)

// What an Upstream's zero values mean.
const (
	DefaultConnectTimeout = 3 * time.Second
	DefaultHeaderTimeout  = 30 * time.Second
	DefaultMaxBody        = 1 << 30 // bytes
)

// Upstream is where a product's calls go. Whatever changes in it changes its Revision.
type Upstream struct {
	ProductID      string
	Revision       int64
	URL            *url.URL                                                             // as ParseUpstream gives it; its path is put before a call's
	Dial           func(ctx context.Context, network, address string) (net.Conn, error) // nil: the network, as far as addresses are allowed
	ConnectTimeout time.Duration                                                        // for the connection, and once more for TLS
	HeaderTimeout  time.Duration                                                        // from the end of the request to the header of the answer
	MaxBody        int64                                                                // bytes of a request's body
	Header         http.Header                                                          // set on every call; see HeaderProblem
	PassCredential bool                                                                 // the product gets the credential that the call was made with
	WebSocket      bool                                                                 // calls may become WebSockets
	Key            []byte                                                               // signs who calls; there must be one
}

// Caller is who calls, as the product is told.
type Caller struct {
	Workspace, Kind, Credential, Person, Scope string
	RequestID                                  string
	Address                                    string    // the caller's IP address, as far as trusted; empty: the connection's
	Until                                      time.Time // when the credential ends, and the call with it; zero: never
	Pass                                       access.Pass
}

// Settings are what all products have in common.
type Settings struct {
	Allow   []netip.Prefix   // addresses that would be denied otherwise, and are an operator's products all the same
	Own     []netip.AddrPort // where this server listens: never called, whatever is allowed
	Secure  bool             // callers reach this server through TLS, whoever ends it
	Log     *slog.Logger
	Clock   models.Clock
	Holds   func(*access.Pass) bool                                                              // says whether a caller would still be let in; nil: yes
	GoesOn  func() bool                                                                          // says, before each part is passed on, whether calls under way may go on; nil: yes
	OnError func(w http.ResponseWriter, r *http.Request, status int, code, title, detail string) // tells a caller of what went wrong

	OnAnswer func(took time.Duration) // hears how long a product took to begin an answer; nil: nobody does
}

// Gateway streams calls. Safe for concurrent use.
type Gateway struct {
	settings Settings
	resolver *net.Resolver // nil: the system's

	stall, oldest, quiet time.Duration // constants, but for tests
	indirect             bool          // no call goes directly; for tests

	results  results
	underWay atomic.Int64

	mu    sync.Mutex
	lines map[string]*line // by product
	live  exchange         // begins the ring of those under way
}

const (
	stall  = time.Minute      // the longest that a side may move nothing while the other one waits
	oldest = time.Hour        // the longest that a call may go on
	quiet  = 10 * time.Minute // a product that is not called for so long has its connections closed
)

// New makes a gateway. Its Sweep is to be called every few seconds. The server that it answers for must have a
// WriteTimeout, with which net/http begins each request: the deadlines that are set here for a call would stay for the next one
// on the connection otherwise, and it is the first deadline that a caller has.
func New(s Settings) *Gateway {
	g := &Gateway{settings: s, stall: stall, oldest: oldest, quiet: quiet, lines: map[string]*line{}}
	g.live.next, g.live.previous = &g.live, &g.live
	return g
}

// Forward streams a call that was admitted to a product, and the product's answer to the caller. The path is the one that was
// judged, and goes upstream exactly as it is; the query goes as it came. When the answer breaks off, so does the
// caller's: Forward panics with http.ErrAbortHandler. It does nothing, and returns false, where what let the caller in does not hold any more.
func (g *Gateway) Forward(w http.ResponseWriter, r *http.Request, up Upstream, who Caller, path access.Path) (holds bool) {
	CloseAfterChunks(w, r)
	if f := refuse(r, up, path); f != nil {
		g.results.add(callerFault)
		switch f.status {
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", methods)
		case http.StatusRequestEntityTooLarge: // net/http would wait for some of it
			w.Header().Set("Connection", "close")
		}
		g.settings.OnError(w, r, f.status, f.code, f.title, f.detail)
		return true
	}
	x := &exchange{gateway: g, product: up.ProductID, who: who, path: path, callers: r, websocket: len(r.Header["Upgrade"]) > 0}
	x.answer = answer{ResponseWriter: w, control: http.NewResponseController(w), exchange: x}
	g.enter(x, up)
	defer func() {
		g.leave(x)
		broken := recover()
		if broken == nil && x.ended.Load() != nil && !x.answer.closes { // all of the answer may be out, and the connection stay; see begin
			broken = http.ErrAbortHandler
		}
		if broken != nil {
			x.brokeOff()
			panic(broken)
		}
	}()
	if g.settings.Holds != nil && !g.settings.Holds(&x.who.Pass) { // asked where Cut finds the call: a change before it is seen here, one after it there
		return false
	}
	if !x.stage.CompareAndSwap(judged, underWay) {
		return false
	}
	proxy := httputil.ReverseProxy{
		Rewrite: x.rewrite, ModifyResponse: x.received, ErrorHandler: x.failed,
		Transport: x, BufferPool: &buffers, ErrorLog: quietly,
	}
	proxy.ServeHTTP(&x.answer, x.request(up))
	return true
}

func (up Upstream) maxBody() int64 {
	if up.MaxBody > 0 {
		return up.MaxBody
	}
	return DefaultMaxBody
}
