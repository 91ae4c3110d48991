package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"tokendesk/models/access"
)

// exchange is one call, from its admission to the end of its answer.
type exchange struct {
	gateway   *Gateway
	line      *line
	product   string
	who       Caller
	path      access.Path
	callers   *http.Request // as it came
	websocket bool          // asked for
	made      http.Header   // what httputil makes of the fields about the connection
	direct    bool          // how it goes upstream
	answer    answer
	body      body
	stage     atomic.Int32
	ended     atomic.Pointer[error]  // why it ends before it is over
	giveUp    atomic.Pointer[func()] // ends what goes upstream, for whoever takes it out

	// Guarded by Gateway.mu.
	begun          time.Time
	next, previous *exchange
	moves          int64     // of the answer's body, when Sweep last looked
	moved          time.Time // when that was another number
}

// The stages of an exchange. One that is ended before it is under way is withdrawn, and nothing of its caller's connection is touched: whoever let it in
// decides again.
const (
	judged int32 = iota
	underWay
	withdrawn
)

// Why an exchange ends before it is over.
var (
	errTooOld = errors.New("the call has gone on for the longest time that is allowed")
	errSilent = errors.New("the product sent nothing of its answer for too long")
	errCut    = errors.New("what the call was admitted by has ended")
)

// enter finds the way to the product, and puts the exchange among those under way.
func (g *Gateway) enter(x *exchange, up Upstream) {
	now := g.settings.Clock()
	g.underWay.Add(1)
	x.answer.set = now // about when the server set its own deadline
	g.mu.Lock()
	defer g.mu.Unlock()
	x.line = g.line(up, now)
	x.begun, x.moved = now, now
	x.previous, x.next = &g.live, g.live.next
	x.previous.next, x.next.previous = x, x
}

// leave takes an exchange out of those under way, once.
func (g *Gateway) leave(x *exchange) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if x.next == nil {
		return
	}
	g.underWay.Add(-1)
	x.previous.next, x.next.previous = x.next, x.previous
	x.previous, x.next = nil, nil
}

// RoundTrip sends the call to the product.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	if x.direct {
		return x.line.direct.send(r, x)
	}
	ctx, cancel := context.WithCancel(r.Context()) // net/http ends the caller's when the call is over
	x.hold(cancel)
	return x.line.transport.RoundTrip(r.WithContext(ctx))
}

// hold has what goes upstream given up when the exchange ends early, until letGo.
func (x *exchange) hold(giveUp func()) {
	x.giveUp.Store(&giveUp)
	if x.ended.Load() != nil {
		x.abandon()
	}
}

// letGo says false where it was given up already.
func (x *exchange) letGo() bool { return x.giveUp.Swap(nil) != nil }

// abandon gives up what goes upstream, if there is anything.
func (x *exchange) abandon() {
	if giveUp := x.giveUp.Swap(nil); giveUp != nil {
		(*giveUp)()
	}
}

// Sweep ends the calls whose credential has expired, that have gone on for too long, or whose product has fallen silent in the middle of a body whose length it told. It closes
// the connections to products that nobody calls any more.
func (g *Gateway) Sweep(context.Context) error {
	now := g.settings.Clock()
	g.mu.Lock()
	defer g.mu.Unlock()
	for x := g.live.next; x != &g.live; x = x.next {
		if moves := x.answer.moves.Load(); moves != x.moves {
			x.moves, x.moved = moves, now
		}
		switch ended := x.ended.Load(); {
		case ended != nil:
			x.end(*ended) // once more: see there
		case !x.who.Until.IsZero() && !now.Before(x.who.Until):
			x.end(errCut)
		case now.Sub(x.begun) > g.oldest:
			x.end(errTooOld)
		case x.answer.awaits.Load() && now.Sub(x.moved) > g.stall:
			x.end(errSilent)
		}
	}
	for id, l := range g.lines {
		if now.Sub(l.used) > g.quiet {
			g.drop(id)
		} else if l.direct != nil {
			l.direct.expire(now.Add(-idleFor))
		}
	}
	return nil
}

// Cut ends the calls of some callers, so that a stream does not outlive the credential that it was admitted by. It returns how many
// there were.
func (g *Gateway) Cut(whose func(Caller) bool) (ended int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for x := g.live.next; x != &g.live; x = x.next {
		if whose(x.who) {
			x.end(errCut)
			ended++
		}
	}
	return ended
}

// Call is a call under way, as whoever let it in saw it.
type Call struct {
	Scope, Method string
	Path          access.Path
	WebSocket     bool // it asked to become one
}

// CallsTo is how many calls to a product are under way.
func (g *Gateway) CallsTo(product string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for x := g.live.next; x != &g.live; x = x.next {
		if x.product == product {
			n++
		}
	}
	return n
}

// CutOf ends the calls to a product that may not go on. It returns how many there were.
func (g *Gateway) CutOf(product string, goesOn func(Call) bool) (ended int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for x := g.live.next; x != &g.live; x = x.next {
		if x.product == product && !goesOn(Call{x.who.Scope, x.callers.Method, x.path, x.websocket}) {
			x.end(errCut)
			ended++
		}
	}
	return ended
}

// Close closes the connections that no call uses.
func (g *Gateway) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id := range g.lines {
		g.drop(id)
	}
}

var longAgo = time.Unix(1, 0)

// end ends an exchange that is still under way: what goes upstream is given up, and whoever reads from the caller's connection runs out of
// time. net/http's own watch over that connection is not enough: it stops looking at the first byte that a caller sends too
// early. It begins by taking the deadline away, and can do so just after this: so Sweep does it again.
func (x *exchange) end(why error) {
	if x.stage.CompareAndSwap(judged, withdrawn) || x.stage.Load() == withdrawn {
		return
	}
	x.ended.CompareAndSwap(nil, &why)
	x.abandon()
	_ = x.answer.control.SetReadDeadline(longAgo)
	if x.answer.begun.Load() { // nothing more of it goes out, also of what waits for the caller to take it
		_ = x.answer.control.SetWriteDeadline(longAgo)
	}
}

// over ends an exchange also when nobody knows any more whether what let it in holds. It is asked after each part was read that is to be passed on: a server
// that stood still does not know for how long.
func (x *exchange) over() *error {
	if goesOn := x.gateway.settings.GoesOn; goesOn != nil && x.ended.Load() == nil && !goesOn() {
		x.end(errCut)
	}
	return x.ended.Load()
}

// brokeOff notes an answer that could not be finished. That a caller leaves is their business, and no news.
func (x *exchange) brokeOff() {
	switch ended := x.ended.Load(); {
	case ended != nil:
		x.gateway.results.add(cut)
		x.log(slog.LevelInfo, "a call was ended", *ended)
	case x.callers.Context().Err() != nil:
		x.gateway.results.add(callerLeft)
		x.log(slog.LevelDebug, "a caller left", x.callers.Context().Err())
	default:
		x.gateway.results.add(brokenOff)
		x.log(slog.LevelWarn, "a product broke off its answer", nil)
	}
}

// logSlow tells of a product that took long, so that it can be told from a slow gateway.
func (x *exchange) logSlow(took time.Duration) {
	x.gateway.settings.Log.LogAttrs(x.callers.Context(), slog.LevelWarn, "a product was slow to answer", slog.String("request_id", x.who.RequestID),
		slog.String("workspace", x.who.Workspace), slog.String("upstream", x.line.url.Host), slog.Duration("took", took.Round(time.Millisecond)))
}

func (x *exchange) log(level slog.Level, what string, err error) {
	x.gateway.settings.Log.LogAttrs(x.callers.Context(), level, what, slog.String("request_id", x.who.RequestID), slog.String("workspace", x.who.Workspace),
		slog.String("upstream", x.line.url.Host), slog.Any("error", err))
}
