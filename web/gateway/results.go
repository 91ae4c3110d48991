package gateway

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Result is what came of a call that was sent to a product.
type Result uint8

const (
	switched    Result = iota // 101: the call became a WebSocket
	succeeded                 // 2xx
	redirected                // 3xx
	faulted                   // 4xx
	failing                   // 5xx, of the product's own
	unreachable               // there was no answer
	timedOut                  // there was none in time
	callerLeft                // before there was one, or in the middle of it
	callerFault               // what the caller sent was too large, too slow or garbled
	cut                       // the credential ended under way
	brokenOff                 // the product's answer began and did not end
	resultCount
)

// ResultNames are the results as they are called in metrics.
var ResultNames = [resultCount]string{"1xx", "2xx", "3xx", "4xx", "5xx", "unreachable", "timeout", "caller_left", "caller_fault", "ended", "broken_off"}

// results counts, each on a cache line of its own.
type results [resultCount]struct {
	atomic.Int64
	_ [56]byte
}

func (r *results) add(result Result) { r[result].Add(1) }

// Results tells what came of calls since the start. An answer that broke off has been counted with its status before.
func (g *Gateway) Results(tell func(result string, count int64)) {
	for i := range g.results {
		tell(ResultNames[i], g.results[i].Load())
	}
}

// UnderWay is how many calls are under way.
func (g *Gateway) UnderWay() int64 { return g.underWay.Load() }

// Slow is how long a product may take to begin its answer before the log has a line of it.
const Slow = 5 * time.Second

// answered counts an answer's beginning, and tells of one that was long in coming.
func (x *exchange) answered(status int) {
	g := x.gateway
	g.results.add(ofStatus(status))
	took := g.settings.Clock().Sub(x.begun)
	if g.settings.OnAnswer != nil {
		g.settings.OnAnswer(took)
	}
	if took > Slow {
		x.logSlow(took)
	}
}

func ofStatus(status int) Result {
	switch {
	case status < 200:
		return switched
	case status < 300:
		return succeeded
	case status < 400:
		return redirected
	case status < 500:
		return faulted
	}
	return failing
}

// failedWith is the result of a call that was told of a failure of ours.
func (x *exchange) failedWith(f *failure) Result {
	switch {
	case f.code == codeEnded:
		return cut
	case f.status == http.StatusGatewayTimeout:
		return timedOut
	case f.status < http.StatusInternalServerError:
		return callerFault
	case x.callers.Context().Err() != nil || x.body.fault.Load() == isBroken:
		return callerLeft
	}
	return unreachable
}
