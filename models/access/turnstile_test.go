package access

import (
	"context"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
)

// Of many calls at once with secrets that nobody knows, so many ask and so many wait; one more is told so at once, and what is remembered is answered all
// the while.
func TestStrangersDoNotStandInTheWay(t *testing.T) {
	r := remember(t)
	r.decide(t, Allowed, 2)
	slow := &slowly{source: &r.source, enter: make(chan struct{}, mostAsking+mostWaiting+1), leave: make(chan struct{})}
	r.gate.source = slow
	strange := func() Call {
		call := r.call
		call.Presented.Text = mint(t)
		return call
	}
	ctx, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range mostAsking + mostWaiting {
		call := strange()
		all.Go(func() { r.gate.Decide(ctx, call) })
	}
	for range mostAsking {
		<-slow.enter
	}
	for r.gate.misses.waiting.Load() < mostWaiting {
		time.Sleep(time.Millisecond)
	}
	if d := r.gate.Decide(t.Context(), strange()); d.Code != VerifierUnavailable || models.KindOf(d.Cause) != models.Unavailable {
		t.Errorf("one too many: %s (%v)", d.Code, d.Cause)
	}
	if d := r.gate.Decide(t.Context(), r.call); !d.Allowed() {
		t.Errorf("what is remembered: %s (%v)", d.Code, d.Cause)
	}
	leave() // whoever waits goes
	for r.gate.misses.waiting.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	close(slow.leave)
	all.Wait()
	if n := len(slow.enter); n > 0 || r.gate.misses.waiting.Load() != 0 || len(r.gate.misses.asking) != 0 {
		t.Errorf("%d who went asked, %d wait, %d ask", n, r.gate.misses.waiting.Load(), len(r.gate.misses.asking))
	}
}
