package access

import (
	"context"
	"encoding/base64"
	"log/slog"
	"sync/atomic"
	"time"
)

// Together counts calls for all replicas at once, outside of them.
type Together interface {
	// Take asks for one call of whom a text names. Calls come at a pace, and may be as much ahead of time as most, which is a multiple of it; both are
	// multiples of 100 ns. It answers how far ahead of time the caller is then, with this call if it passed. It is asked once for each call: an
	// error means that it is not known whether the call was counted.
	Take(ctx context.Context, who string, pace, most time.Duration) (ahead time.Duration, passed bool, err error)
}

// How long a call waits to be counted by all together, and how long nobody asks again after that went wrong.
const (
	togetherPatience = 50 * time.Millisecond
	togetherPause    = time.Second
	togetherTick     = 100 * time.Nanosecond
)

// exact holds callers to their limits by a counter that all replicas ask. When it fails, or is slow, the replicas' shares are what counts, until one
// call has found it well again.
type exact struct {
	counter Together
	log     *slog.Logger
	again   atomic.Int64 // when one call may try, in nanoseconds of Unix time; 0: all do
	down    atomic.Bool  // which was logged
	asked   atomic.Int64 // calls that it decided
	fell    atomic.Int64 // calls that the shares decided
}

// CountTogether has the gate count calls by a counter that all replicas ask; it is called before any decision.
func (g *Gate) CountTogether(counter Together, log *slog.Logger) {
	g.exact = &exact{counter: counter, log: log}
}

// Counted is how limits were kept since the start.
type Counted struct {
	Together, Shares int64 // calls that were counted by all replicas together, and by this one alone
	Up               bool  // the counter answered when it was last asked
}

// Counted says how limits are kept; false: no counter of all replicas is set.
func (g *Gate) Counted() (Counted, bool) {
	if g.exact == nil {
		return Counted{}, false
	}
	return Counted{g.exact.asked.Load(), g.exact.fell.Load(), !g.exact.down.Load()}, true
}

// take asks for one call of a caller.
func (g *Gate) take(ctx context.Context, who caller, quota int, now time.Time) Limit {
	if g.exact != nil {
		if limit, ahead, ok := g.exact.take(ctx, who, quota, now); ok {
			g.limiter.Note(who, quota, ahead, now) // or whoever called would have a whole share when the counter fails
			return limit
		}
	}
	return g.limiter.Take(who, quota, now)
}

// take is false where the shares must decide.
func (e *exact) take(ctx context.Context, who caller, quota int, now time.Time) (Limit, time.Duration, bool) {
	at, again := now.UnixNano(), e.again.Load()
	if again != 0 {
		wait := again - at // more than the pause: the clock was set back
		if wait > 0 && wait <= int64(togetherPause) || !e.again.CompareAndSwap(again, at+int64(togetherPause)) {
			e.fell.Add(1)
			return Limit{}, 0, false
		}
	}
	pace := (window/togetherTick + time.Duration(quota) - 1) / time.Duration(quota) * togetherTick
	most := pace * time.Duration(quota)
	// A caller who hangs up must not make it look as if the counter were slow.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), togetherPatience)
	defer cancel()
	ahead, passed, err := e.counter.Take(ctx, who.name(), pace, most)
	if err != nil {
		e.fell.Add(1)
		e.again.Store(at + int64(togetherPause))
		if !e.down.Swap(true) {
			e.log.Warn("limits cannot be counted with the other servers: until they can, this one goes by its share of each", slog.Any("error", err))
		}
		return Limit{}, 0, false
	}
	e.asked.Add(1)
	if again != 0 {
		e.again.Store(0)
		if e.down.Swap(false) {
			e.log.Info("limits are counted with the other servers again")
		}
	}
	return told(quota, int64(pace), int64(most), int64(ahead), passed), ahead, true
}

// name is the caller in 44 characters.
func (c caller) name() string {
	var b [33]byte
	copy(b[:], c.of[:])
	copy(b[16:], c.in[:])
	if c.signIn {
		b[32] = 1
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}
