package access

import "time"

// budget bounds what strangers try together: on one account, or on all of them. Addresses cost an attacker
// next to nothing, so what each may do for itself is no bound; without this one a few thousand of them keep
// the server hashing, and guess a thousand times as fast as one. It is the same for an account that does not
// exist, and no familiar browser has part in it.
//
// Who asks less often goes first: each time that an address has asked lately keeps it from the last part of
// the budget, up to half. So where the same addresses come again and again, what they leave is there for one
// that is new, which is what the owner's is on a new device.
type budget struct {
	free    int           // attempts at once
	oneMore time.Duration // after which there is one more
	whole   map[key]time.Time
	asked   map[key]asks
}

// asks counts how often somebody wanted to try, let in or not.
type asks struct {
	times int
	last  time.Time
}

func newBudget(free int, oneMore time.Duration) budget {
	return budget{free, oneMore, map[key]time.Time{}, map[key]asks{}}
}

// ask says how long somebody has to wait until they may spend from the budget for something.
func (b *budget) ask(what, who key, now time.Time) time.Duration {
	makeRoom(b.asked, func(a asks) bool { return now.Sub(a.last) > forgetAfter })
	a := b.asked[who]
	if now.Sub(a.last) > forgetAfter {
		a = asks{}
	}
	b.asked[who] = asks{a.times + 1, now}
	may := time.Duration(b.free-min(a.times, b.free/2)) * b.oneMore
	return max(0, b.spent(what, now)+b.oneMore-may)
}

// spend takes one attempt from the budget.
func (b *budget) spend(what key, now time.Time) {
	makeRoom(b.whole, func(whole time.Time) bool { return !whole.After(now) })
	b.whole[what] = now.Add(b.spent(what, now) + b.oneMore)
}

// giveBack undoes spend.
func (b *budget) giveBack(what key, now time.Time) {
	if spent := b.spent(what, now) - b.oneMore; spent > 0 {
		b.whole[what] = now.Add(spent)
	} else {
		delete(b.whole, what)
	}
}

// unask takes one ask back, of somebody who had the right password.
func (b *budget) unask(who key) {
	if a := b.asked[who]; a.times > 1 {
		b.asked[who] = asks{a.times - 1, a.last}
	} else {
		delete(b.asked, who)
	}
}

// spent is how long it takes until the budget is whole again.
func (b *budget) spent(what key, now time.Time) time.Duration {
	return max(0, b.whole[what].Sub(now))
}
