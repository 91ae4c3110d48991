package access

import (
	"fmt"
	"testing"
	"time"
)

// flood has addresses of a botnet try wrong passwords on an account, in turn and evenly over a time, and
// answers how many were let in.
func (h *hands) flood(account string, addresses, attempts int, during time.Duration) (in int) {
	for n := range attempts {
		if h.wrong(account, numbered(n%addresses)) == 0 {
			in++
		}
		h.now = h.now.Add(during / time.Duration(attempts))
	}
	return in
}

func numbered(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255) }

// S10: however many addresses an attacker has, on one account they get a few attempts together and then
// one a second; and it is the same on an account that does not exist, which the throttle cannot know.
func TestThrottleBoundsAllAddressesTogether(t *testing.T) {
	for _, addresses := range []int{1000, 2000, 10_000} {
		h := newHands()
		if in := h.flood("ines@x.example", addresses, 10_000, time.Minute); in < 60 || in > freeOnAccount+60 {
			t.Errorf("%d of 10,000 attempts in a minute from %d addresses", in, addresses)
		}
		if wait := h.wrong("tom@x.example", "192.0.2.1"); wait != 0 {
			t.Errorf("another account waits %v", wait)
		}
		h.now = h.now.Add(forgetAfter + time.Microsecond)
		if in := h.flood("ines@x.example", 1000, 1000, 0); in != freeOnAccount {
			t.Errorf("after a pause %d attempts in one moment", in)
		}
	}
}

// The same holds for all accounts together, when strangers try one password on each.
func TestThrottleBoundsAllAccountsTogether(t *testing.T) {
	h := newHands()
	in := 0
	for n := range 10_000 {
		if h.wrong(fmt.Sprintf("person%d@x.example", n), numbered(n%2000)) == 0 {
			in++
		}
		h.now = h.now.Add(6 * time.Millisecond)
		if n < 2000 || n%100 != 0 {
			continue // each has had a turn
		}
		if wait := h.Attempt("ines@x.example", fmt.Sprintf("198.51.100.%d", n/100)); wait != 0 {
			t.Fatalf("after %d attempts somebody new waits %v", n, wait)
		}
		h.Passed("ines@x.example", fmt.Sprintf("198.51.100.%d", n/100))
	}
	if in < 4*60 || in > freeOnAll+4*60 {
		t.Errorf("%d of 10,000 attempts in a minute", in)
	}
}

// S10: the owner, on a browser and at an address that nobody knows, is let in while the same addresses come
// again and again: at any moment once each of them has had a turn, and once more after a mistake.
func TestThrottleLetsANewAddressGoFirst(t *testing.T) {
	const addresses, aMinute = 2000, 10_000
	h := newHands()
	h.flood("ines@x.example", addresses, addresses, time.Minute*addresses/aMinute)
	for n := range 20 {
		address := fmt.Sprintf("198.51.100.%d", n)
		if wait := h.wrong("ines@x.example", address); wait != 0 {
			t.Fatalf("the owner's attempt %d waits %v", n, wait)
		}
		h.flood("ines@x.example", addresses, aMinute/10, 6*time.Second)
		if wait := h.Attempt("ines@x.example", address); wait != 0 {
			t.Fatalf("after a mistake, attempt %d waits %v", n, wait)
		}
		h.Passed("ines@x.example", address)
		h.flood("ines@x.example", addresses, aMinute/10, 6*time.Second)
	}
}

// A few addresses never make the owner wait: what they may do by themselves is less than what all may do
// together, and being told to wait costs nothing of it.
func TestThrottleAFewAddressesLeaveTheBudget(t *testing.T) {
	h := newHands()
	for second := range 200 {
		h.flood("ines@x.example", 10, 167, time.Second)
		if second < 10 {
			continue // each has five attempts that are free
		}
		if wait := h.Attempt("ines@x.example", "192.0.2.1"); wait != 0 {
			t.Fatalf("after %d seconds the owner waits %v", second, wait)
		}
		h.Passed("ines@x.example", "192.0.2.1")
	}
}

// S10: whoever signed in before in that browser waits for nothing that others do, at the same address or
// from everywhere; their own mistakes count in that browser, as for everybody.
func TestThrottleFamiliar(t *testing.T) {
	h := newHands()
	owner := Guess{Account: "ines@x.example", Address: "192.0.2.1", Device: "laptop"}
	h.flood("ines@x.example", 2000, 10_000, time.Minute)
	h.fail("ines@x.example", owner.Address, 20)
	for n := range 200 {
		h.wrong(fmt.Sprintf("person%d@x.example", n), owner.Address)
	}
	if h.Attempt("ines@x.example", owner.Address) == 0 || h.Attempt("tom@x.example", owner.Address) == 0 {
		t.Fatal("the address does not wait")
	}
	for range 100 {
		if wait := h.Throttle.Attempt(owner); wait != 0 {
			t.Fatalf("the owner waits %v", wait)
		}
		h.Throttle.Passed(owner)
	}
	for i, want := range []time.Duration{0, 0, 0, 0, 0, 1, 1} {
		if wait := h.tries(owner); wait != want*time.Second {
			t.Errorf("mistake %d in a familiar browser waits %v", i+1, wait)
		}
	}
	for name, g := range map[string]Guess{
		"another browser of hers": {Account: owner.Account, Address: owner.Address, Device: "phone"},
		"another account's":       {Account: "tom@x.example", Address: owner.Address, Device: "laptop"},
	} {
		if wait := h.tries(g); wait != 0 {
			t.Errorf("%s waits %v", name, wait)
		}
	}
	owner.Address = "203.0.113.9"
	if h.tries(owner) != time.Second {
		t.Error("at another address the same browser does not wait")
	}
}

// What familiar browsers do is in no count of strangers, and there is no way to keep more than a few
// places where passwords are hashed with browsers of one account.
func TestThrottleFamiliarAtOnce(t *testing.T) {
	h := newHands()
	begun := 0
	for n := range 50 {
		if h.Throttle.Attempt(Guess{Account: "ines@x.example", Address: "192.0.2.1", Device: fmt.Sprint(n)}) == 0 {
			begun++
		}
	}
	if begun != familiarAtOnce {
		t.Errorf("%d attempts are under way", begun)
	}
	if left := h.left() - len(h.entries); left != 0 {
		t.Errorf("%d entries count them as strangers", left)
	}
	h.Failed(Guess{Account: "ines@x.example", Device: "0"})
	if h.Throttle.Attempt(Guess{Account: "ines@x.example", Device: "60"}) != 0 || h.Throttle.Attempt(Guess{Account: "ines@x.example", Device: "61"}) != time.Second {
		t.Error("one end does not make room for just one")
	}
	if wait := h.Throttle.Attempt(Guess{Account: "tom@x.example", Address: "192.0.2.1", Device: "0"}); wait != 0 {
		t.Errorf("another account waits %v", wait)
	}
}

// What came to nothing is given back to the budget, and what ended well too; neither gives more than it took.
func TestThrottleBudgetIsGivenBack(t *testing.T) {
	h := newHands()
	for n := range 1000 {
		g := Guess{Account: "ines@x.example", Address: numbered(n)}
		if wait := h.Throttle.Attempt(g); wait != 0 {
			t.Fatalf("attempt %d waits %v", n, wait)
		}
		if n%2 == 0 {
			h.TakeBack(g)
		} else {
			h.Throttle.Passed(g)
		}
	}
	h.TakeBack(Guess{Account: "ines@x.example", Address: "192.0.2.1"}) // what was never taken
	in := 0
	for n := range 1000 {
		if h.wrong("ines@x.example", numbered(1_000_000+n)) == 0 {
			in++
		}
	}
	if in != freeOnAccount {
		t.Errorf("%d attempts in one moment", in)
	}
}

// In IPv6 a tunnel gives anybody 65,536 networks of a /64 for nothing: they have one turn, and not each its own.
func TestThrottleOneTunnelIsOneNeighbour(t *testing.T) {
	h := newHands()
	tunnel := func(n int) string { return fmt.Sprintf("2001:db8:7:%x::1", n) }
	for n := range 3000 {
		h.wrong("ines@x.example", tunnel(n))
		h.now = h.now.Add(6 * time.Millisecond)
	}
	if h.wrong("ines@x.example", tunnel(3001)) == 0 && h.wrong("ines@x.example", tunnel(3002)) == 0 {
		t.Error("other networks of the tunnel go first")
	}
	if wait := h.Attempt("ines@x.example", "2001:db8:8::1"); wait != 0 {
		t.Errorf("the owner, elsewhere, waits %v", wait)
	}
}
