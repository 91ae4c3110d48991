package access

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The shares of all replicas are the quota; or one call each, of a quota that is less than they are.
func TestSharesAreTheQuota(t *testing.T) {
	for _, quota := range []int{1, 2, 3, 7, 50, 599, 600, 1_000_000} {
		for of := 1; of <= 9; of++ {
			sum, last := 0, quota
			for at := range of {
				share := (&portion{of: of, at: at}).share(quota)
				if share < 1 || share > last {
					t.Errorf("%d of %d replicas may let %d of %d pass, after one that may let %d", at, of, share, quota, last)
				}
				sum, last = sum+share, share
			}
			if sum != max(quota, of) {
				t.Errorf("%d replicas may let %d of %d pass together", of, sum, quota)
			}
		}
	}
}

// A replica is told its place; what it tells callers is the whole quota with what remains here.
func TestShareOfALimit(t *testing.T) {
	l := NewLimiter()
	l.Share(1, 3, noon)
	for left := 2; left >= 0; left-- { // 10 are 4, 3 and 3
		if limit := l.Take(called("a"), 10, noon); !limit.Passed || limit.Remaining != left || limit.Quota != 10 {
			t.Errorf("with %d left it is %+v", left, limit)
		}
	}
	if limit := l.Take(called("a"), 10, noon); limit.Passed || limit.Wait != 20*time.Second {
		t.Errorf("after its share it is %+v", limit)
	}
	l.Share(0, 1, noon) // the others are gone: there is no more at once, and it comes back faster
	if limit := l.Take(called("a"), 10, noon); limit.Passed || limit.Wait != 6*time.Second {
		t.Errorf("alone it is %+v", limit)
	}
	if limit := l.Take(called("b"), 10, noon); !limit.Passed || limit.Remaining != 2 { // nobody was there with more
		t.Errorf("somebody new is %+v", limit)
	}
	if limit := l.Take(called("c"), 10, noon.Add(time.Minute)); limit.Remaining != 9 {
		t.Errorf("a minute later somebody new is %+v", limit)
	}
}

// A replica that joins others begins with its share, and one that is alone with all of them.
func TestShareOfANewReplica(t *testing.T) {
	l := NewLimiter()
	l.Share(2, 3, noon)
	for _, who := range []string{"a", "b"} {
		if limit := l.Take(called(who), 600, noon); !limit.Passed || limit.Remaining != 199 {
			t.Errorf("%s is %+v", who, limit)
		}
	}
	first := NewLimiter()
	if first.Share(0, 1, noon); first.Take(called("a"), 600, noon).Remaining != 599 {
		t.Error("the only replica does not begin with the whole quota")
	}
}

// Whatever comes when, to whichever replica, while replicas join and leave: in no stretch of time do more calls pass than the quota, the stretch's
// share of it, for each replica that joined what comes of a quota while others do not know of it yet, and its own share.
func TestSharesAgainstTheSlowOne(t *testing.T) {
	const drift = time.Second
	rapid.Check(t, func(t *rapid.T) {
		quota := rapid.SampledFrom([]int{6, 7, 10, 60, 61}).Draw(t, "quota")
		now, passed := noon, []time.Time{}
		var joins []time.Time
		first := NewLimiter()
		first.Share(0, 1, now)
		live := []*Limiter{first}
		tell := func() {
			for at, l := range live {
				l.Share(at, len(live), now)
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				if len(live) < 4 {
					l := NewLimiter()
					live, joins = append(live, l), append(joins, now)
					l.Share(len(live)-1, len(live), now)
					passed = burst(t, live, quota, now, passed) // nobody else knows yet
					now = now.Add(drift)
					passed = burst(t, live, quota, now, passed)
					tell()
				}
			case 1:
				if len(live) > 1 {
					gone := rapid.IntRange(0, len(live)-1).Draw(t, "gone")
					live = slices.Delete(live, gone, gone+1)
					now = now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "later")) * time.Millisecond)
					tell()
				}
			case 2:
				now = now.Add(time.Duration(rapid.IntRange(0, 30_000).Draw(t, "pause")) * time.Millisecond)
			default:
				passed = burst(t, live, quota, now, passed)
			}
		}
		holds(t, quota, passed, joins, drift)
	})
}

// burst asks a replica, or all of them, for as much as there is.
func burst(t *rapid.T, live []*Limiter, quota int, now time.Time, passed []time.Time) []time.Time {
	which := rapid.IntRange(0, len(live)).Draw(t, "which")
	for i, l := range live {
		if which < len(live) && which != i {
			continue
		}
		for range rapid.SampledFrom([]int{1, quota / 2, quota + 1}).Draw(t, "calls") {
			if l.Take(called("a"), quota, now).Passed {
				passed = append(passed, now)
			}
		}
	}
	return passed
}

// holds looks at every stretch of time that begins and ends with a call.
func holds(t *rapid.T, quota int, passed, joins []time.Time, drift time.Duration) {
	for i, from := range passed {
		for j := i; j < len(passed); j++ {
			extra := 0
			for _, at := range joins {
				if at.Add(drift).Before(from) || at.After(passed[j]) {
					continue
				}
				extra++
			}
			w := passed[j].Sub(from) + time.Duration(extra)*drift
			most := new(big.Int).Mul(big.NewInt(int64(quota)), big.NewInt(w.Nanoseconds()+minute))
			most.Add(most, big.NewInt(int64(extra)*int64(quota+1)/2*minute)) // of two at least
			if have := new(big.Int).Mul(big.NewInt(int64(j-i+1)), big.NewInt(minute)); have.Cmp(most) > 0 {
				t.Fatalf("%d of %d a minute passed in %s, with %d that joined: %s", j-i+1, quota, passed[j].Sub(from), extra, fmt.Sprint(passed[i:j+1]))
			}
		}
	}
}

// Callers without number do not take memory without end; who has a whole quota again goes first, and who is nearest to it next.
func TestLimiterIsBounded(t *testing.T) {
	l := NewLimiter()
	l.most = 10
	for i := range 10_000 {
		l.Take(called(fmt.Sprint("over ", i)), 1_000_000, noon)
	}
	if n := l.callers(); n > 10*limiterShards {
		t.Fatalf("%d callers are remembered, and there is room for %d", n, 10*limiterShards)
	}
	now := noon.Add(2 * time.Second)
	for i := range 10 * limiterShards / 4 {
		if !l.Take(called(fmt.Sprint("held ", i)), 1, now).Passed {
			t.Fatal("somebody new is refused")
		}
	}
	kept := 0
	for i := range 10 * limiterShards / 4 {
		if !l.Take(called(fmt.Sprint("held ", i)), 1, now).Passed {
			kept++
		}
	}
	if kept < 10*limiterShards/4-2 {
		t.Errorf("%d of %d are remembered, although there was room when the others went", kept, 10*limiterShards/4)
	}
}
