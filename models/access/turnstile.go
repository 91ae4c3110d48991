package access

import (
	"context"
	"sync/atomic"

	"tokendesk/models"
)

// How many questions about credentials that are not remembered the source is asked at a time, and how many more wait for their turn. Anybody can ask
// about what nobody knows; whoever is one too many is told so at once, and leaves the server to those that it remembers.
const (
	mostAsking  = 64
	mostWaiting = 1024
)

type turnstile struct {
	asking  chan struct{}
	waiting atomic.Int64
}

func newTurnstile() turnstile { return turnstile{asking: make(chan struct{}, mostAsking)} }

// enter waits for a turn, which ends with leave.
func (t *turnstile) enter(ctx context.Context) error {
	select {
	case t.asking <- struct{}{}:
		return nil
	default:
	}
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > mostWaiting {
		return errCrowded
	}
	select {
	case t.asking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turnstile) leave() { <-t.asking }

var errCrowded error = models.Fail(models.Unavailable, "So many credentials are asked about that this server does not remember that one more has to wait.")
