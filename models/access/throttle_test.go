package access

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hands is a throttle whose clock the test moves.
type hands struct {
	*Throttle
	now time.Time
}

func newHands() *hands {
	h := &hands{now: noon}
	h.Throttle = NewThrottle(func() time.Time { return h.now })
	return h
}

// Attempt and Passed are of a stranger, whom most of these tests are about.
func (h *hands) Attempt(account, address string) time.Duration {
	return h.Throttle.Attempt(Guess{Account: account, Address: address})
}

func (h *hands) Passed(account, address string) {
	h.Throttle.Passed(Guess{Account: account, Address: address})
}

// left is how many entries there are of all sorts.
func (h *hands) left() int {
	all := len(h.entries)
	for _, b := range h.budgets {
		all += len(b.whole) + len(b.asked)
	}
	return all
}

// fail makes wrong attempts, waiting as long as it is told to, and answers the waits.
func (h *hands) fail(account, address string, times int) (waits []time.Duration) {
	for range times {
		wait := h.wrong(account, address)
		waits = append(waits, wait)
		if h.now = h.now.Add(wait); wait > 0 {
			h.wrong(account, address)
		}
	}
	return waits
}

// wrong tries a wrong password, if it may, and answers the wait.
func (h *hands) wrong(account, address string) time.Duration {
	return h.tries(Guess{Account: account, Address: address})
}

func (h *hands) tries(g Guess) time.Duration {
	wait := h.Throttle.Attempt(g)
	if wait == 0 {
		h.Failed(g)
	}
	return wait
}

// No more than a few attempts of one address are under way together, whatever the accounts, so that it
// cannot keep all places where passwords are hashed; an end of one makes room for the next, and a sign-in
// that ends well does not make room for more than itself.
func TestThrottleAtOnce(t *testing.T) {
	h := newHands()
	begun := 0
	for n := range 50 {
		if h.Attempt(fmt.Sprintf("person%d@x.example", n), "192.0.2.1") == 0 {
			begun++
		}
	}
	if begun != atOnce {
		t.Errorf("%d attempts are under way", begun)
	}
	if wait := h.Attempt("ines@x.example", "198.51.100.9"); wait != 0 {
		t.Errorf("another address waits %v", wait)
	}
	for range 20 {
		h.Passed("person0@x.example", "192.0.2.1")
		if h.Attempt("person0@x.example", "192.0.2.1") != 0 || h.Attempt("more@x.example", "192.0.2.1") != time.Second {
			t.Fatal("one end does not make room for just one")
		}
	}
}

// A sign-in that ends well forgets what was wrong before, and not what others at the same address are
// trying at that moment.
func TestThrottlePassedKeepsWhatIsUnderWay(t *testing.T) {
	h := newHands()
	for range freePerAccount {
		h.Attempt("ines@x.example", "192.0.2.1")
	}
	h.Passed("ines@x.example", "192.0.2.1")
	if h.Attempt("ines@x.example", "192.0.2.1") != 0 || h.Attempt("ines@x.example", "192.0.2.1") == 0 {
		t.Error("the place of one was not given to just one")
	}
}

// S10: after five free attempts whoever guesses waits, each time twice as long, up to a minute; the wait
// is as long as it was said to be, and being told to wait costs nothing.
func TestThrottleWaitsLonger(t *testing.T) {
	h := newHands()
	waits := h.fail("ines@x.example", "192.0.2.1", 14)
	for i, seconds := range []int{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60} {
		if waits[i] != time.Duration(seconds)*time.Second {
			t.Fatalf("waits are %v", waits)
		}
	}
	for range 100 {
		if wait := h.Attempt("ines@x.example", "192.0.2.1"); wait != time.Minute {
			t.Fatalf("asking too early changes the wait to %v", wait)
		}
	}
	h.now = h.now.Add(time.Minute - time.Microsecond)
	if h.Attempt("ines@x.example", "192.0.2.1") == 0 {
		t.Error("the wait ends early")
	}
	h.now = h.now.Add(time.Microsecond)
	if wait := h.wrong("ines@x.example", "192.0.2.1"); wait != 0 {
		t.Errorf("after the wait it waits %v more", wait)
	}
}

// S10: the owner of an attacked account, coming from elsewhere, is never made to wait, and whoever
// shares the attacker's address may still use their own account.
func TestThrottleLocksNobodyOut(t *testing.T) {
	h := newHands()
	h.fail("ines@x.example", "192.0.2.1", 20)
	if h.Attempt("ines@x.example", "192.0.2.1") == 0 {
		t.Fatal("the attacker does not wait")
	}
	if wait := h.Attempt("ines@x.example", "198.51.100.9"); wait != 0 {
		t.Errorf("the owner waits %v", wait)
	}
	if wait := h.Attempt("tom@x.example", "192.0.2.1"); wait != 0 {
		t.Errorf("a colleague at the same address waits %v", wait)
	}
}

// One address that tries one password on very many accounts waits too.
func TestThrottleCountsAnAddressOnAllAccounts(t *testing.T) {
	h := newHands()
	tried := 0
	for n := range 1000 {
		if h.wrong(fmt.Sprintf("person%d@x.example", n), "192.0.2.1") == 0 {
			tried++
		}
	}
	if tried != freePerAddress {
		t.Errorf("%d attempts in one moment", tried)
	}
	if wait := h.Attempt("ines@x.example", "198.51.100.9"); wait != 0 {
		t.Errorf("another address waits %v", wait)
	}
}

// Attempts count before they are known to be wrong, so that a burst of them at once is bounded.
func TestThrottleBoundsABurst(t *testing.T) {
	h := newHands()
	var tried atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if h.Attempt("ines@x.example", "192.0.2.1") == 0 {
				tried.Add(1)
			}
		})
	}
	all.Wait()
	if tried.Load() != freePerAccount {
		t.Errorf("%d of 200 attempts at once", tried.Load())
	}
}

// Whoever signs in has done nothing wrong: their attempt is taken back, and what they mistyped on the
// account before. What their address did on other accounts stays, or one account of one's own would pay
// for guessing at all others.
func TestThrottlePassed(t *testing.T) {
	h := newHands()
	for range 1000 {
		if wait := h.Attempt("ines@x.example", "192.0.2.1"); wait != 0 {
			t.Fatalf("a person who signs in often waits %v", wait)
		}
		h.Passed("ines@x.example", "192.0.2.1")
	}
	if h.left() != 0 {
		t.Errorf("%d entries are left", h.left())
	}
	h.fail("ines@x.example", "192.0.2.1", 5)
	h.Passed("ines@x.example", "192.0.2.1")
	if waits := h.fail("ines@x.example", "192.0.2.1", 6); waits[4] != 0 || waits[5] != time.Second {
		t.Errorf("after signing in: %v", waits)
	}
	h = newHands()
	guessed := 0
	for n := range 200 { // guessing, with an own account in between
		if h.Attempt("own@x.example", "203.0.113.5") == 0 {
			h.Passed("own@x.example", "203.0.113.5")
		}
		if h.wrong(fmt.Sprintf("person%d@x.example", n), "203.0.113.5") == 0 {
			guessed++
		}
	}
	if guessed != freePerAddress {
		t.Errorf("%d accounts were tried", guessed)
	}
	h.Passed("nobody@x.example", "203.0.113.77") // who was never counted
	if wait := h.Attempt("nobody@x.example", "203.0.113.77"); wait != 0 {
		t.Errorf("waits %v", wait)
	}
}

// A quarter of an hour without an attempt, and all is forgotten.
func TestThrottleForgets(t *testing.T) {
	h := newHands()
	h.fail("ines@x.example", "192.0.2.1", 12)
	h.now = h.now.Add(forgetAfter + time.Microsecond)
	if waits := h.fail("ines@x.example", "192.0.2.1", 6); waits[4] != 0 || waits[5] != time.Second {
		t.Errorf("got %v", waits)
	}
}

// A flood of accounts and addresses cannot eat the memory, and what is old makes room before what is new.
func TestThrottleMemoryIsBounded(t *testing.T) {
	h := newHands()
	flood := func(times int) {
		t.Helper()
		for n := range times {
			account := fmt.Sprintf("person%d@x.example", n)
			h.Attempt(account, numbered(n))
			h.tries(Guess{Account: account, Device: "a device"})
			most := len(h.entries)
			for _, b := range h.budgets {
				most = max(most, len(b.whole), len(b.asked))
			}
			if most > throttleRoom+1 {
				t.Fatalf("%d entries after %d attempts", most, n+1)
			}
		}
	}
	flood(throttleRoom * 11 / 10)
	h.now = h.now.Add(forgetAfter + time.Microsecond)
	h.fail("tom@x.example", "192.0.2.1", 5)
	flood(throttleRoom / 10)
	if h.Attempt("tom@x.example", "192.0.2.1") == 0 {
		t.Error("what is recent was forgotten while there was something old")
	}
}

// In IPv6 one caller has a whole /64; two spellings of one address are one address.
func TestThrottleNamesNetworks(t *testing.T) {
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:0db8:0001:0002:0::1", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::2", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"", "192.0.2.1", false},
	} {
		h := newHands()
		h.fail("ines@x.example", c.one, 5)
		if waits := h.Attempt("ines@x.example", c.other) > 0; waits != c.same {
			t.Errorf("%s and %s are one caller: %v", c.one, c.other, waits)
		}
	}
}
