//go:build linux

package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// plan is how large a run is.
type plan struct {
	replicas, slots, verifiers, streams, tokens int
	lasts                                       time.Duration
	apart                                       time.Duration // from one fault to the next, at most
	seed                                        uint64
	program                                     string
	env                                         []string
	faults                                      []fault
}

// result is what came of it.
type result struct {
	stale, strange, cut, lost []string
	not                       int           // histories that the model does not allow
	unknown                   int           // that porcupine did not come to an end with
	longest                   int           // operations of one history
	slowest                   time.Duration // porcupine took for one
	calls, clicks             int
	faults                    map[string]int
	told                      map[string]int
	streams                   int
	late, lateHurt            int // receipts that took longer than latestReceipt, and how many of servers that were kept from their work
	waits, took               []time.Duration
}

// violations are what breaks the promise, and not only a habit.
func (r result) violations() int { return len(r.stale) + len(r.cut) + len(r.lost) + r.not }

// TOKENDESK_CHAOS_SECONDS, _REPLICAS and _SEED say how large a run is; without them it takes some seconds. TOKENDESK_CHAOS_FAULT has one fault alone.
func TestRevokedMeansRevoked(t *testing.T) {

	seed, err := strconv.ParseUint(os.Getenv("TOKENDESK_CHAOS_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	p := plan{
		replicas: number(t, "TOKENDESK_CHAOS_REPLICAS", 3), slots: 12, verifiers: number(t, "TOKENDESK_CHAOS_CALLERS", 12), streams: 6,
		lasts: time.Duration(number(t, "TOKENDESK_CHAOS_SECONDS", 8)) * time.Second, apart: 800 * time.Millisecond, seed: seed, program: built(t, ""),
		faults: slices.Concat(faults, clockJumps(t)),
	}
	p.tokens = 50 + 6*int(p.lasts.Seconds())
	if only := os.Getenv("TOKENDESK_CHAOS_FAULT"); only != "" {
		p.faults = slices.DeleteFunc(p.faults, func(f fault) bool { return f.name != only })
	}
	r := p.run(t)
	r.tell(t, p)
	for kind, list := range map[string][]string{"let in after the answer, or refused": r.stale, "strange": r.strange, "streams": r.cut, "lost": r.lost} {
		if len(list) > 0 {
			t.Errorf("%s: %d, like %q", kind, len(list), list[:min(5, len(list))])
		}
	}
	if r.not > 0 || r.unknown > 0 {
		t.Errorf("%d histories are not linearizable, %d are not known", r.not, r.unknown)
	}
}

// run does one.
func (p plan) run(t *testing.T) (done result) {
	t.Helper()
	d := newDesk(t, p.program, p.replicas, p.tokens, p.env...)
	stop, cancel := context.WithTimeout(t.Context(), p.lasts)
	defer cancel()
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	defer transport.CloseIdleConnections()
	r := &run{desk: d, client: &http.Client{Transport: transport, Timeout: 3 * time.Second}, stop: stop, slots: make([]atomicToken, p.slots+1), ended: make([]atomicToken, p.slots+1), told: map[string]int{}}
	r.alone = os.Getenv("TOKENDESK_CHAOS_SECONDS") != ""
	r.clockJumps = slices.ContainsFunc(p.faults, func(f fault) bool { return f.name == clockFault })
	for i := range r.slots {
		r.next(i)
	}
	lane := uint64(0)
	chance := func() *rand.Rand { lane++; return rand.New(rand.NewPCG(p.seed, lane)) }
	for i := range p.slots {
		random := chance()
		r.all.Go(func() { r.click(i, i, random) })
	}
	for i := range p.verifiers {
		random := chance()
		r.all.Go(func() { r.verify(p.slots+i, random) })
	}
	for range p.streams {
		random := chance()
		r.all.Go(func() { r.listen(random) })
	}
	done.faults = r.harm(p, chance())
	r.finished(5 * time.Minute)
	r.judgeAll(&done)
	return done
}

// finished waits for all who click and call. What they wait for in vain is told by what each of them does.
func (r *run) finished(patience time.Duration) {
	r.t.Helper()
	over := make(chan struct{})
	go func() {
		r.all.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-time.After(patience):
		text := make([]byte, 1<<20)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.t.Fatalf("the run does not end; told: %v\n%s", r.told, text[:runtime.Stack(text, true)])
	}
}

// harm does one fault after the other, now and then two at a time at different replicas, until the run is over.
func (r *run) harm(p plan, random *rand.Rand) map[string]int {
	count := map[string]int{}
	for r.stop.Err() == nil {
		time.Sleep(between(random, 0, p.apart))
		at := random.Perm(len(r.replicas))[:1+random.IntN(2)]
		one := p.faults[random.IntN(len(p.faults))]
		var both sync.WaitGroup
		for i, n := range at {
			f, own := one, rand.New(rand.NewPCG(random.Uint64(), 0))
			if i > 0 {
				f = p.faults[random.IntN(min(6, len(p.faults)))] // two of the database at a time are one
			}
			count[f.name]++
			both.Go(func() { f.do(r, r.replicas[n], own) })
		}
		both.Wait()
		for _, replica := range r.replicas {
			replica.alive(r.t)
		}
	}
	return count
}

// judgeAll checks all histories, and then what is so at the end: everywhere, and in the database.
func (r *run) judgeAll(done *result) {
	for i := range r.replicas {
		r.awaitReady(i)
	}
	if err := r.awaitNotices(); err != nil {
		r.wrong("%v", err)
	}
	done.late, done.lateHurt = r.late, r.lateHurt
	done.told, done.strange, done.cut, done.streams, done.waits, done.took = r.told, r.strange, r.cut, r.streams, r.waits, r.clicks
	done.clicks = len(r.clicks)
	for _, h := range r.histories {
		done.calls += len(h.ops)
		done.stale = append(done.stale, h.stale()...)
		begun := now()
		order := h.linearizable(time.Minute)
		done.slowest, done.longest = max(done.slowest, now()-begun), max(done.longest, len(h.ops))
		switch order {
		case porcupine.Illegal:
			done.not++
		case porcupine.Unknown:
			done.unknown++
		}
	}
	for _, text := range r.gone {
		if good, err := r.good(text); good || err != nil {
			done.lost = append(done.lost, fmt.Sprintf("in the database: good %v, %v", good, err))
		}
		for i := range r.replicas {
			if status := r.call(i, &token{secret: text}); status != http.StatusUnauthorized {
				done.lost = append(done.lost, fmt.Sprintf("replica %d answers %d", i, status))
			}
		}
	}
}

// tell says how it went.
func (r result) tell(t *testing.T, p plan) {
	t.Helper()
	n := 0
	for _, times := range r.faults {
		n += times
	}
	t.Logf("seed %d: %d replicas, %v, %d operations, %d of them changes, %d streams, %d faults: %v", p.seed, p.replicas, p.lasts, r.calls, r.clicks, r.streams, n, r.faults)
	t.Logf("histories: the longest of %d operations; porcupine took at most %v for one", r.longest, r.slowest.Round(time.Millisecond))
	t.Logf("not verdicts: %v", r.told)
	t.Logf("receipts longer than %v: %d; of servers that were themselves kept from their work: %d", latestReceipt, r.late, r.lateHurt)
	for what, list := range map[string][]time.Duration{"receipts": r.waits, "clicks": r.took} {
		slices.Sort(list)
		at := func(q float64) time.Duration { return list[int(q*float64(len(list)-1))].Round(100 * time.Microsecond) }
		if len(list) > 0 {
			t.Logf("%s: %d, median %v, 95 %% %v, 99 %% %v, longest %v", what, len(list), at(0.5), at(0.95), at(0.99), at(1))
		}
	}
}
