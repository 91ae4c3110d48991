package access

import (
	"sync"
	"time"

	"tokendesk/models"
)

// Throttle slows down whoever guesses passwords, without locking anybody out (security rule S10). Who
// is a stranger is counted by address, on one account and on all, and together with all other strangers,
// on one account and on all. Who is familiar, because somebody signed in to that account in that browser
// before, is counted by the browser alone: whatever strangers do, the owner waits for nothing there. It
// lives in memory: a restart forgives, and each server counts for itself.
type Throttle struct {
	mu      sync.Mutex
	entries map[key]failures
	budgets [2]budget // of strangers: for each account, and for all
	now     models.Clock
}

// failures counts attempts that failed, those under way among them.
type failures struct {
	count    int
	underWay int
	last     time.Time
}

const (
	freePerAccount = 5  // attempts of an address, or of a familiar browser, on one account before it waits
	freePerAddress = 50 // attempts of an address on all accounts together
	atOnce         = 8  // attempts of an address under way together; each keeps a place where passwords are hashed
	familiarAtOnce = 4  // the same of all familiar browsers of an account
	deviceAtOnce   = 2  // the same of one familiar browser, so that one leaves places to the others
	longestWait    = time.Minute
	forgetAfter    = 15 * time.Minute

	// Attempts of all strangers together: at once, and how long until there is one more. With one core busy
	// for some 50 ms each time, 4 a second are a fifth of it.
	freeOnAccount, oneMoreOnAccount = 20, time.Second
	freeOnAll, oneMoreOnAll         = 100, time.Second / 4
)

// NewThrottle makes a throttle that has seen nothing.
func NewThrottle(now models.Clock) *Throttle {
	return &Throttle{
		entries: map[key]failures{}, now: now,
		budgets: [2]budget{newBudget(freeOnAccount, oneMoreOnAccount), newBudget(freeOnAll, oneMoreOnAll)},
	}
}

// Attempt asks whether a password may be tried now; 0 means yes, and the attempt counts as failed until
// Passed or TakeBack says otherwise, so that a burst of attempts at once cannot slip through. Whoever asked
// says with one of Passed, Failed and TakeBack how it ended. Otherwise it answers how long to wait, and no
// failure is counted. Whether the account exists plays no part.
func (t *Throttle) Attempt(g Guess) time.Duration {
	own, shared := g.limits(), g.claims()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	wait := max(t.wait(own[0], now), t.wait(own[1], now))
	for i := 0; i < len(shared) && wait == 0; i++ {
		wait = t.budgets[i].ask(shared[i].what, shared[i].who, now)
	}
	if wait > 0 {
		return wait
	}
	for i := range own {
		t.count(own[i].key, now)
	}
	for i := range shared {
		t.budgets[i].spend(shared[i].what, now)
	}
	return 0
}

// Passed forgets what the caller did wrong on the account, because it had the right password, and takes
// this attempt back from what it shares with others. Attempts that are still under way stay counted.
func (t *Throttle) Passed(g Guess) {
	own, shared := g.limits(), g.claims()
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.entries[own[0].key]
	t.end(own[0].key, f.count-(f.underWay-1))
	t.end(own[1].key, 1)
	for i := range shared {
		t.budgets[i].giveBack(shared[i].what, t.now())
		t.budgets[i].unask(shared[i].who)
	}
}

// Failed leaves the attempt counted: the password was wrong.
func (t *Throttle) Failed(g Guess) {
	own := g.limits()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(own[0].key, 0)
	t.end(own[1].key, 0)
}

// TakeBack takes the attempt back and nothing else: it came to nothing that says whether the password
// was right. What was counted before stays, or whoever guesses would have a way to begin anew.
func (t *Throttle) TakeBack(g Guess) {
	own, shared := g.limits(), g.claims()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(own[0].key, 1)
	t.end(own[1].key, 1)
	for i := range shared {
		t.budgets[i].giveBack(shared[i].what, t.now())
	}
}

// end has one attempt no longer under way, and so many no longer counted.
func (t *Throttle) end(k key, forget int) {
	f, ok := t.entries[k]
	if !ok {
		return
	}
	f.underWay = max(0, f.underWay-1)
	if f.count = max(f.underWay, f.count-max(0, forget)); f.count == 0 {
		delete(t.entries, k)
		return
	}
	t.entries[k] = f
}

// wait doubles from one second with each failure beyond the free ones.
func (t *Throttle) wait(l limit, now time.Time) time.Duration {
	f := t.entries[l.key]
	if l.free > 0 && f.count >= l.free {
		wait := longestWait
		if over := f.count - l.free; over < 6 {
			wait = time.Second << over
		}
		if wait = f.last.Add(wait).Sub(now); wait > 0 {
			return wait
		}
	}
	if l.atOnce > 0 && f.underWay >= l.atOnce {
		return time.Second
	}
	return 0
}

func (t *Throttle) count(k key, now time.Time) {
	makeRoom(t.entries, func(f failures) bool { return now.Sub(f.last) > forgetAfter })
	f := t.entries[k]
	if now.Sub(f.last) > forgetAfter {
		f = failures{count: f.underWay, underWay: f.underWay}
	}
	t.entries[k] = failures{f.count + 1, f.underWay + 1, now}
}
