package access

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"tokendesk/models"
)

// Throttle slows down whoever guesses passwords, without locking anybody out: it counts the failed
// attempts of one address on one account, and of one address on all accounts, and makes that address
// wait. The owner of an attacked account, coming from elsewhere, waits for nothing (security rule
// S10). It lives in memory: a restart forgives, and each server counts for itself.
type Throttle struct {
	mu      sync.Mutex
	entries map[string]failures
	now     models.Clock
}

// failures counts attempts that failed, those under way among them.
type failures struct {
	count    int
	underWay int
	last     time.Time
}

const (
	freePerAccount = 5  // attempts of an address on one account before it waits
	freePerAddress = 50 // the same on all accounts together
	atOnce         = 8  // attempts of an address under way together; each keeps a place where passwords are hashed
	longestWait    = time.Minute
	forgetAfter    = 15 * time.Minute
	throttleRoom   = 100_000 // entries, so that a flood cannot eat the memory
)

// NewThrottle makes a throttle that has seen nothing.
func NewThrottle(now models.Clock) *Throttle {
	return &Throttle{entries: map[string]failures{}, now: now}
}

// Attempt asks whether an address may try a password on an account now; 0 means yes, and the attempt
// counts as failed until Passed or TakeBack says otherwise, so that a burst of attempts at once cannot
// slip through. Whoever asked says with one of Passed, Failed and TakeBack how it ended. Otherwise it
// answers how long to wait, and nothing is counted.
func (t *Throttle) Attempt(account, address string) time.Duration {
	pair, all := keys(account, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	wait := max(t.wait(pair, freePerAccount, now), t.wait(all, freePerAddress, now))
	if wait == 0 && t.entries[all].underWay >= atOnce {
		wait = time.Second
	}
	if wait > 0 {
		return wait
	}
	t.count(pair, now)
	t.count(all, now)
	return 0
}

// Passed forgets what the address did wrong on the account, because it had the right password, and
// takes this attempt back from what it did on all of them. Attempts that are still under way stay counted.
func (t *Throttle) Passed(account, address string) {
	pair, all := keys(account, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.entries[pair]
	t.end(pair, f.count-(f.underWay-1))
	t.end(all, 1)
}

// Failed leaves the attempt counted: the password was wrong.
func (t *Throttle) Failed(account, address string) {
	pair, all := keys(account, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(pair, 0)
	t.end(all, 0)
}

// TakeBack takes the attempt back and nothing else: it came to nothing that says whether the password
// was right. What was counted before stays, or whoever guesses would have a way to begin anew.
func (t *Throttle) TakeBack(account, address string) {
	pair, all := keys(account, address)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(pair, 1)
	t.end(all, 1)
}

// end has one attempt no longer under way, and so many no longer counted.
func (t *Throttle) end(key string, forget int) {
	f, ok := t.entries[key]
	if !ok {
		return
	}
	f.underWay = max(0, f.underWay-1)
	if f.count = max(f.underWay, f.count-max(0, forget)); f.count == 0 {
		delete(t.entries, key)
		return
	}
	t.entries[key] = f
}

// wait doubles from one second with each failure beyond the free ones.
func (t *Throttle) wait(key string, free int, now time.Time) time.Duration {
	f, ok := t.entries[key]
	if !ok || f.count < free {
		return 0
	}
	wait := longestWait
	if over := f.count - free; over < 6 {
		wait = time.Second << over
	}
	return max(0, f.last.Add(wait).Sub(now))
}

func (t *Throttle) count(key string, now time.Time) {
	if len(t.entries) >= throttleRoom {
		t.makeRoom(now)
	}
	f := t.entries[key]
	if now.Sub(f.last) > forgetAfter {
		f = failures{count: f.underWay, underWay: f.underWay}
	}
	t.entries[key] = failures{f.count + 1, f.underWay + 1, now}
}

// makeRoom forgets what is old, and if all is new, a tenth of it, whichever comes.
func (t *Throttle) makeRoom(now time.Time) {
	for key, f := range t.entries {
		if now.Sub(f.last) > forgetAfter {
			delete(t.entries, key)
		}
	}
	for key := range t.entries {
		if len(t.entries) < throttleRoom*9/10 {
			return
		}
		delete(t.entries, key)
	}
}

// keys names an address by its network, in one spelling: in IPv6 one caller has a whole /64.
func keys(account, address string) (pair, all string) {
	if ip, err := netip.ParseAddr(address); err == nil {
		ip = ip.Unmap().WithZone("")
		address = ip.String()
		if network, err := ip.Prefix(64); err == nil && ip.Is6() {
			address = network.String()
		}
	}
	sum := sha256.Sum256([]byte(account)) // what is typed may be long, and many are kept
	return "account\x00" + address + "\x00" + string(sum[:]), "address\x00" + address
}
