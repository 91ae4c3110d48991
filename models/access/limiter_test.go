package access

import (
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// minute is all the time that a limit is told for, in nanoseconds.
const minute = int64(60 * time.Second)

// mayPass is the limit in its own words, slowly: a call passes if in no stretch of time that ends with it there are more
// than the quota and the stretch's share of it. What passed before is in order.
func mayPass(passed []time.Time, quota int, now time.Time) bool {
	for i, from := range passed {
		most := big.NewInt(int64(quota)*minute + now.Sub(from).Nanoseconds()*int64(quota)) // in calls by minute
		if new(big.Int).Mul(big.NewInt(int64(len(passed)-i+1)), big.NewInt(minute)).Cmp(most) > 0 {
			return false
		}
	}
	return true
}

// In random sequences of calls, of which some come in bursts and some at the very moment when there is room again, those
// pass that the limit lets pass, and no others; and what is said of the rest and of the wait is true.
func TestLimiterAgainstTheSlowOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quota := rapid.SampledFrom([]int{1, 2, 3, 5, 10, 60}).Draw(t, "quota") // which divide a minute: the pace is exact
		l, now, passed := NewLimiter(), noon, []time.Time{}
		var last Limit
		for range rapid.IntRange(1, 80).Draw(t, "calls") {
			switch rapid.IntRange(0, 4).Draw(t, "after") {
			case 0: // at once
			case 1:
				now = now.Add(last.Wait)
			case 2:
				now = now.Add(max(0, last.Wait-time.Microsecond))
			case 3:
				now = now.Add(time.Duration(rapid.IntRange(0, 2_000_000).Draw(t, "microseconds")) * time.Microsecond)
			case 4:
				now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			}
			want := mayPass(passed, quota, now)
			last = l.Take(called("a"), quota, now)
			if last.Passed != want || last.Quota != quota || last.Window != time.Minute {
				t.Fatalf("at %s: %+v, and it may pass: %v, after %v", now.Sub(noon), last, want, passed)
			}
			if want {
				passed = append(passed, now)
			}
			tellsTheTruth(t, passed, quota, now, last)
		}
	})
}

// tellsTheTruth holds what was said after a call against what would pass then.
func tellsTheTruth(t *rapid.T, passed []time.Time, quota int, now time.Time, said Limit) {
	t.Helper()
	more := passed
	for range said.Remaining {
		if !mayPass(more, quota, now) {
			t.Fatalf("%d are said to remain, and %d do", said.Remaining, len(more)-len(passed))
		}
		more = append(more[:len(more):len(more)], now)
	}
	if mayPass(more, quota, now) {
		t.Fatalf("more than the %d that are said to remain do", said.Remaining)
	}
	if said.Wait <= 0 || mayPass(more, quota, now.Add(said.Wait-time.Microsecond)) || !mayPass(more, quota, now.Add(said.Wait)) {
		t.Fatalf("after %d there is no room for another in exactly %s", said.Remaining, said.Wait)
	}
}

// Whatever the quota, also one that does not divide a minute, and however long it goes on: in no stretch of time do more
// pass than the quota and the stretch's share of it, and next to no fewer.
func TestLimiterHoldsForHours(t *testing.T) {
	for _, quota := range []int{1, 7, 11, 599, 601, 977, 1_000_000} {
		l, now := NewLimiter(), noon
		for n := range 30_000 {
			limit := l.Take(called("a"), quota, now)
			for !limit.Passed { // as soon as it may
				now = now.Add((limit.Wait + time.Microsecond - 1).Truncate(time.Microsecond)) // the clock has no shorter ones
				limit = l.Take(called("a"), quota, now)
			}
			calls, share := int64(n+1), new(big.Int).Mul(big.NewInt(now.Sub(noon).Nanoseconds()), big.NewInt(int64(quota)))
			share.Add(share, big.NewInt(int64(quota)*minute))
			if have := new(big.Int).Mul(big.NewInt(calls), big.NewInt(minute)); have.Cmp(share) > 0 {
				t.Fatalf("%d a minute: %d calls in %s", quota, calls, now.Sub(noon))
			}
		}
		if fair := time.Duration(max(0, 30_000-quota)) * time.Minute / time.Duration(quota); now.Sub(noon) > fair+fair/10_000+time.Second {
			t.Errorf("%d a minute: 30,000 calls took %s, and %s would do", quota, now.Sub(noon), fair)
		}
	}
}

// A whole quota may come at once; the next call is told how long to wait, which is as long as it was said to be, and
// asking too early costs nothing.
func TestLimiterBurst(t *testing.T) {
	for _, quota := range []int{1, 7, 60, 600, 1_000_000} {
		l := NewLimiter()
		for left := quota - 1; left >= 0; left-- {
			if limit := l.Take(called("a"), quota, noon); !limit.Passed || limit.Remaining != left {
				t.Fatalf("%d a minute: with %d left it says %+v", quota, left, limit)
			}
		}
		var wait time.Duration
		for range 100 {
			limit := l.Take(called("a"), quota, noon)
			if limit.Passed || limit.Remaining != 0 || wait > 0 && limit.Wait != wait {
				t.Fatalf("%d a minute: one more is %+v", quota, limit)
			}
			wait = limit.Wait
		}
		if fair := time.Minute / time.Duration(quota); wait < fair || wait > fair+time.Nanosecond {
			t.Errorf("%d a minute: the wait is %s", quota, wait)
		}
		if limit := l.Take(called("a"), quota, noon.Add(wait-time.Nanosecond)); limit.Passed {
			t.Errorf("%d a minute: the wait ends early", quota)
		}
		if limit := l.Take(called("a"), quota, noon.Add(wait)); !limit.Passed || limit.Remaining != 0 {
			t.Errorf("%d a minute: after the wait it is %+v", quota, limit)
		}
	}
}

// Callers do not share a limit, and a limit that is changed holds from the next call on.
func TestLimiterOfEachCaller(t *testing.T) {
	l := NewLimiter()
	for _, caller := range []string{"a", "b", ""} {
		if !l.Take(called(caller), 1, noon).Passed || l.Take(called(caller), 1, noon).Passed {
			t.Errorf("%q is not let in just once", caller)
		}
	}
	if limit := l.Take(called("a"), 60, noon); limit.Passed || limit.Remaining != 0 || limit.Wait != time.Second {
		t.Errorf("of a minute that was used up, a greater quota makes %+v", limit)
	}
	if limit := l.Take(called("a"), 60, noon.Add(30*time.Second)); !limit.Passed || limit.Remaining != 29 {
		t.Errorf("half a minute later it is %+v", limit)
	}
	if limit := l.Take(called("a"), 2, noon.Add(30*time.Second)); limit.Passed || limit.Remaining != 0 || limit.Wait > 31*time.Second {
		t.Errorf("a smaller quota makes %+v", limit)
	}
}

// A clock that is set back keeps nobody out for longer than their calls of a minute would.
func TestLimiterWhenTheClockIsSetBack(t *testing.T) {
	l := NewLimiter()
	for range 60 {
		l.Take(called("a"), 60, noon)
	}
	before := noon.Add(-time.Hour)
	if limit := l.Take(called("a"), 60, before); limit.Passed || limit.Remaining != 0 || limit.Wait != time.Second {
		t.Errorf("an hour before, it is %+v", limit)
	}
	if limit := l.Take(called("a"), 60, before.Add(time.Minute)); !limit.Passed || limit.Remaining != 59 {
		t.Errorf("a minute later it is %+v", limit)
	}
}

// Whoever has a whole quota again is forgotten, so that the memory is that of those who call; and nobody else is.
func TestLimiterForgets(t *testing.T) {
	l := NewLimiter()
	for i := range 10_000 {
		l.Take(called(fmt.Sprint("caller ", i)), 2, noon)
	}
	l.Take(called("often"), 1, noon.Add(59*time.Second))
	l.Take(called("late"), 60, noon.Add(time.Minute))
	if l.callers() != 2 || l.Take(called("often"), 1, noon.Add(time.Minute)).Passed {
		t.Errorf("%d callers are remembered", l.callers())
	}
	l.Take(called("late"), 60, noon.Add(-time.Hour)) // by a clock that was set back
	for i := range 100 {
		l.Take(called(fmt.Sprint("caller ", i)), 2, noon.Add(-time.Hour))
	}
	l.Take(called("last"), 60, noon.Add(-58*time.Minute))
	if l.callers() > 3 {
		t.Errorf("%d callers are remembered", l.callers())
	}
}

// Of many calls at once just as many pass as may, and each that passes is told another rest.
func TestLimiterAtOnce(t *testing.T) {
	const quota, callers = 300, 8
	l := NewLimiter()
	var passed atomic.Int64
	var told sync.Map
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range quota {
				if limit := l.Take(called("a"), quota, noon); limit.Passed {
					passed.Add(1)
					if _, twice := told.LoadOrStore(limit.Remaining, true); twice {
						t.Errorf("%d are said to remain twice", limit.Remaining)
					}
				}
			}
		})
	}
	all.Wait()
	if passed.Load() != quota {
		t.Errorf("%d of %d passed", passed.Load(), quota)
	}
}
