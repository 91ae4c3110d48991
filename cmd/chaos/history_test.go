//go:build linux

package chaos

import (
	"fmt"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// kind is what an operation in the history of a token is.
type kind uint8

const (
	begins  kind = iota // of a change: from here on both may be answered
	refused             // of a change, its end: nobody accepts any more
	allowed             // of a change, its end: everybody accepts
	accepts             // of a call: it was let in
	refuses             // of a call: it was told that the token is over or switched off
)

// op is one operation: from when it was asked for to when its answer had come.
type op struct {
	kind      kind
	from      time.Duration
	until     time.Duration
	by, other int16 // who asked, and which replica answered
}

// history is all that happened with one secret. A call that was told neither yes nor no says nothing, and is not in it.
type history struct {
	mu  sync.Mutex
	ops []op
}

func (h *history) add(ops ...op) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, ops...)
}

// changed is a change from its first attempt to the answer that it is in effect: two operations over the same interval.
func (h *history) changed(to kind, from, until time.Duration, by, at int) {
	h.add(op{begins, from, until, int16(by), int16(at)}, op{to, from, until, int16(by), int16(at)})
}

// verdict is what is known of a token at a moment of the model.
type verdict uint8

const (
	valid verdict = iota
	either
	revoked
)

// model is what a token may do: valid, either, revoked. While a change is under way the replicas may differ, and so may two answers of one; an atomic
// register would be the wrong model.
var model = porcupine.Model{
	Init: func() any { return valid },
	Step: func(state, input, _ any) (bool, any) {
		switch now := state.(verdict); input.(kind) {
		case begins:
			return true, either
		case refused:
			return now == either, revoked
		case allowed:
			return now == either, valid
		case accepts:
			return now != revoked, now
		default:
			return now != valid, now
		}
	},
}

// linearizable asks porcupine. While a change is under way everything may be answered; so if there is an order at all, there is one in which the change
// begins at its first moment and ends at its last: it need not look for others, of which there are very many.
func (h *history) linearizable(patience time.Duration) porcupine.CheckResult {
	ops := make([]porcupine.Operation, len(h.ops))
	for i, o := range h.ops {
		from, until := o.from, o.until
		switch o.kind {
		case begins:
			until = from
		case refused, allowed:
			from = until
		}
		ops[i] = porcupine.Operation{ClientId: int(o.by), Input: o.kind, Call: int64(from), Return: int64(until)}
	}
	return porcupine.CheckOperationsTimeout(model, ops, patience)
}

// stale are the calls that were let in although they began after a change had been answered as in effect, and ended before the next one began; and the
// other way round. It needs no model, and so finds what a mistake in the model would hide.
func (h *history) stale() (list []string) {
	var changes []op
	for _, o := range h.ops {
		if o.kind == refused || o.kind == allowed {
			changes = append(changes, o)
		}
	}
	for _, o := range h.ops {
		if o.kind != accepts && o.kind != refuses {
			continue
		}
		for i, c := range changes {
			next := time.Duration(1<<63 - 1)
			if i+1 < len(changes) {
				next = changes[i+1].from
			}
			wrong := c.kind == refused && o.kind == accepts || c.kind == allowed && o.kind == refuses
			if wrong && o.from > c.until && o.until < next {
				list = append(list, fmt.Sprintf("replica %d answered %d to a call from %v to %v; the change to %d lasted from %v to %v, at replica %d",
					o.other, o.kind, o.from, o.until, c.kind, c.from, c.until, c.other))
			}
		}
	}
	return list
}
