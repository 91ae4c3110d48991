//go:build linux

package chaos

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The checks find what they are for, and nothing else.
func TestTheChecks(t *testing.T) {
	call := func(k kind, from, until time.Duration) op { return op{kind: k, from: from, until: until} }
	for name, c := range map[string]struct {
		change kind // from 10 to 20; the next one, back again, from 40 to 50
		op     op
		good   bool
	}{
		"let in before":                  {refused, call(accepts, 1, 9), true},
		"let in meanwhile":               {refused, call(accepts, 12, 14), true},
		"refused meanwhile":              {refused, call(refuses, 12, 14), true},
		"let in by a call from before":   {refused, call(accepts, 19, 30), true},
		"let in after":                   {refused, call(accepts, 21, 30), false},
		"refused after":                  {refused, call(refuses, 21, 30), true},
		"refused before":                 {refused, call(refuses, 1, 9), false},
		"let in at the next change":      {refused, call(accepts, 21, 41), true},
		"refused after it is good again": {refused, call(refuses, 51, 60), false},
	} {
		h := &history{}
		h.changed(c.change, 10, 20, 0, 0)
		h.changed(allowed, 40, 50, 0, 0)
		h.add(c.op)
		if got := h.linearizable(time.Minute) == porcupine.Ok; got != c.good {
			t.Errorf("%s: porcupine says %v", name, got)
		}
		direct := len(h.stale()) == 0
		if c.op.from > 20 && direct != c.good { // before the first change there is nothing to compare with
			t.Errorf("%s: the direct check says %v", name, direct)
		}
	}
}
