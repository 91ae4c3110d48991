//go:build linux

package chaos

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// These faults do not wait for chance to have something happen at the right moment: they click and call themselves, with a token that nobody else
// changes. Like all of them it is in use by the callers.

// aimedAt has a fault do something with that token, at a replica, and puts another one into its place.
func (r *run) aimedAt(at *replica, do func(n int, one *token)) {
	r.aim.Lock()
	defer r.aim.Unlock()
	slot := len(r.slots) - 1
	do(slices.Index(r.replicas, at), r.slots[slot].Load())
	r.next(slot)
}

// aimer is who clicks and calls in the histories: nobody else has these numbers.
const aimer = 10_000

// end revokes a token at one replica, or, when that does not answer, wherever it is answered.
func (r *run) end(one *token, at int, random *rand.Rand) {
	client := &http.Client{Transport: r.client.Transport, Timeout: 12 * time.Second}
	from := now()
	status, text := r.send(client, at, r.clicker(), "/v1/tokens/"+one.id+":revoke", `{"reason":"chaos"}`)
	if status != http.StatusOK {
		r.refusal(status, text)
		r.finish(client, aimer, one, from, random)
		return
	}
	until := now()
	one.h.changed(refused, from, until, aimer, at)
	r.clicked(from, until)
	r.over(one)
}

// stoppedInMidClick has a replica stand still while it is about to revoke a token: who clicked may never hear what became of it.
func stoppedInMidClick(r *run, at *replica, random *rand.Rand) {
	r.aimedAt(at, func(n int, one *token) {
		answered := make(chan struct{})
		chance := rand.New(rand.NewPCG(random.Uint64(), 0))
		go func() {
			r.end(one, n, chance)
			close(answered)
		}()
		time.Sleep(between(random, 0, 20*time.Millisecond))
		over := at.hurts()
		at.signal(syscall.SIGSTOP)
		select {
		case <-answered:
			r.note("mid-click: it had answered")
		default:
			r.note("mid-click: it had not answered")
		}
		time.Sleep(between(random, 100*time.Millisecond, 6*time.Second))
		at.signal(syscall.SIGCONT)
		over()
		<-answered
	})
}

// atMost is how long a replica is kept from its work while another one revokes something: if it held the lock of a transaction, nobody could.
const atMost = 8 * time.Second

// warm has a replica read a token, so that it remembers it.
func (r *run) warm(n int, one *token) {
	for range 3 {
		r.called(aimer, n, one)
	}
}

// stoppedWhileOneEnds has a replica stand still while a token that it remembers is revoked elsewhere. Calls with it wait at its door when it goes on.
func stoppedWhileOneEnds(r *run, at *replica, random *rand.Rand) {
	r.aimedAt(at, func(n int, one *token) {
		r.warm(n, one)
		over := at.hurts()
		at.signal(syscall.SIGSTOP)
		defer time.AfterFunc(atMost, func() { at.signal(syscall.SIGCONT) }).Stop()
		r.end(one, (n+1)%len(r.replicas), random)
		var calls sync.WaitGroup
		for i := range 16 {
			calls.Go(func() { r.called(aimer+1+i, n, one) })
		}
		time.Sleep(between(random, 20*time.Millisecond, 200*time.Millisecond))
		at.signal(syscall.SIGCONT)
		over()
		calls.Wait()
	})
}

// silentWhileOneEnds cuts a replica off while a token that it remembers is revoked elsewhere, and goes on calling for as long as its lease could last if it
// were longer than a change waits.
func silentWhileOneEnds(r *run, at *replica, random *rand.Rand) {
	r.aimedAt(at, func(n int, one *token) {
		r.warm(n, one)
		over := sync.OnceFunc(r.cutOff(at))
		defer time.AfterFunc(atMost, over).Stop()
		r.end(one, (n+1)%len(r.replicas), random)
		for late := now() + between(random, 500*time.Millisecond, 1500*time.Millisecond); now() < late; {
			if !r.called(aimer, n, one) {
				time.Sleep(time.Millisecond)
			}
		}
		over()
	})
}

// slowWhileOneEnds slows a replica down on which streams of a token are open, and has that revoked elsewhere. It still hears in time of what changes, or all streams
// would end; these would go on for some time.
func slowWhileOneEnds(r *run, at *replica, random *rand.Rand) {
	r.aimedAt(at, func(n int, one *token) {
		r.warm(n, one)
		var streams sync.WaitGroup
		for range 4 {
			streams.Go(func() { r.stream(one, n, 5*time.Second) })
		}
		defer streams.Wait()
		defer r.poison(at, "latency", `"latency":150,"jitter":50`)()
		time.Sleep(between(random, 100*time.Millisecond, 500*time.Millisecond))
		r.end(one, (n+1)%len(r.replicas), random)
	})
}
