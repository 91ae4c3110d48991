//go:build mutants

package access

import (
	"sync/atomic"
	"time"

	"tokendesk/models"
)

// The faults that a build for tests can have, one at a time. Where one shows for a moment only, the moment is made longer.
var (
	mutantAckFirst, mutantStreams bool

	mutantFill bool
	mutantSeq  atomic.Int64 // the last event that was put into effect

	mutantLonger time.Duration
	mutantClock  atomic.Pointer[models.Reading]
)

// Mutate has this process be wrong in one way; it is called before anything else.
func Mutate(name string) {
	mutantAckFirst, mutantStreams, mutantFill = name == "ack-first", name == "streams", name == "fill"
	switch name {
	case "ttl":
		mutantLonger = 10 * time.Minute
	case "long-lease":
		mutantLonger = 2 * time.Second // more than a change waits
	case "resume":
		go mutantTick()
	}
}

// mutantTick reads the clocks beside the calls instead of in them: a process that was stopped goes on with what it had read.
func mutantTick() {
	for {
		now := models.ReadClocks()
		mutantClock.Store(&now)
		time.Sleep(150 * time.Millisecond)
		time.Sleep(150 * time.Millisecond) // so that the first one to wake after a stop does not read yet
	}
}

func readClocks() models.Reading {
	if at := mutantClock.Load(); at != nil {
		return *at
	}
	return models.ReadClocks()
}

func mutantPause() { time.Sleep(50 * time.Millisecond) }

func mutantApplied(seq int64) { mutantSeq.Store(seq) }

// mutantStamp has what was read pass for what is so as of the last event that was put into effect.
func mutantStamp(at *models.Snapshot) {
	if mutantFill {
		mutantPause()
		at.Seq = max(at.Seq, mutantSeq.Load())
	}
}

func mutantLease() time.Duration { return mutantLonger }
