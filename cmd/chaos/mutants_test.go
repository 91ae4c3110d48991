//go:build linux

package chaos

import (
	"os"
	"testing"
	"time"
)

// mutants are the faults that a build with the tag mutants can have, each with what brings it to light. Each must be found.
var mutants = []struct {
	name   string
	faults []fault
}{
	{"no-wait", faults},
	{"ttl", []fault{{"cut off while a token ends", silentWhileOneEnds}, {"cut off for long", silentForLong}}},
	{"long-lease", []fault{{"cut off while a token ends", silentWhileOneEnds}}},
	{"resume", []fault{{"stopped while a token ends", stoppedWhileOneEnds}, {"stopped", stopped}}},
	{"fill", []fault{{"cut off in silence", silent}, {"slow by 600 ms", slow}, {"connections closed", closed}}},
	{"ack-first", []fault{{"nothing", nothing}}},
	{"standby", []fault{{"led to a standby for long", misled(5*time.Second, 8*time.Second)}}},
	{"streams", []fault{{"slow while streams' token ends", slowWhileOneEnds}}},
}

// TOKENDESK_CHAOS_MUTANTS is how many seconds each of them is looked for, at most; without it they are not.
func TestMutants(t *testing.T) {
	seconds := number(t, "TOKENDESK_CHAOS_MUTANTS", 0)
	if seconds == 0 {
		t.Skip("task chaos looks for the mutants")
	}
	program := built(t, "mutants")
	for _, m := range mutants {
		name := m.name
		if only := os.Getenv("TOKENDESK_CHAOS_MUTANT"); only != "" && only != name {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := plan{
				replicas: 3, slots: 12, verifiers: 12, streams: 6, lasts: time.Duration(seconds) * time.Second, apart: 800 * time.Millisecond, seed: 7,
				program: program, env: []string{"TOKENDESK_MUTANT=" + name}, tokens: 50 + 6*seconds, faults: m.faults,
			}
			r := p.run(t)
			r.tell(t, p)
			if r.violations() == 0 {
				t.Errorf("%s survives", name)
			}
			t.Logf("%s: %d stale answers, %d histories that are not linearizable, %d streams that went on, %d lost", name, len(r.stale), r.not, len(r.cut), len(r.lost))
		})
	}
}
