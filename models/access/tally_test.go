package access

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
)

func flushed(t *testing.T, tally *Tally) (map[string]models.Usage, []models.UsageDay) {
	t.Helper()
	to := &counted{}
	if err := tally.Flush(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	all := map[string]models.Usage{}
	for _, u := range to.batch {
		if _, twice := all[u.CredentialID]; twice {
			t.Fatalf("%s is in a batch twice", u.CredentialID)
		}
		all[u.CredentialID] = u
	}
	return all, to.days
}

// Calls that come at once, while batches are written and some of them fail, are all counted, each once.
func TestTallyLosesNothing(t *testing.T) {
	const callers, calls = 8, 500
	tally := NewTally()
	to := &flaky{fail: 3}
	var adding, writing sync.WaitGroup
	stop := make(chan struct{})
	writing.Go(func() {
		for {
			_ = tally.Flush(t.Context(), to)
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for i := range callers {
		adding.Go(func() {
			for n := range calls {
				tally.Add([]string{"a", "b"}[n%2], []models.Outcome{models.CallAccepted, models.CallRefused, models.CallLate}[n%3], noon.AddDate(0, 0, i%2), "192.0.2.7")
			}
		})
	}
	adding.Wait()
	close(stop)
	writing.Wait()
	to.fail = 0
	if err := tally.Flush(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	var sum models.Usage
	for _, u := range to.batch {
		sum.Calls, sum.Refused, sum.Late = sum.Calls+u.Calls, sum.Refused+u.Refused, sum.Late+u.Late
	}
	perDay := map[string]int64{}
	for _, d := range to.days {
		perDay[d.Day] += d.Calls
	}
	const accepted, refused, late = callers * 167, callers * 167, callers * 166
	if sum.Calls != accepted || sum.Refused != refused || sum.Late != late {
		t.Errorf("counted %+v", sum)
	}
	if perDay["2026-11-21"] != accepted/2 || perDay["2026-11-22"] != accepted/2 {
		t.Errorf("counted by day: %v", perDay)
	}
}

// flaky fails all but every fail-th time.
type flaky struct {
	counted
	fail, n int
}

func (f *flaky) RecordUsage(ctx context.Context, batch []models.Usage, days []models.UsageDay) error {
	f.n++
	if f.err = nil; f.fail > 0 && f.n%f.fail != 0 {
		f.err = errors.New("the database is away")
	}
	return f.counted.RecordUsage(ctx, batch, days)
}

// recorder is a function that is called when a batch is to be written.
type recorder func() error

func (r recorder) RecordUsage(context.Context, []models.Usage, []models.UsageDay) error { return r() }

// What could not be written is kept and written the next time, together with what came meanwhile.
func TestTallyKeepsWhatWasNotWritten(t *testing.T) {
	tally, away := NewTally(), errors.New("the database is away")
	tally.Add("a", models.CallAccepted, noon, "192.0.2.1")
	tally.Add("a", models.CallLate, noon, "192.0.2.2")
	err := tally.Flush(t.Context(), recorder(func() error {
		tally.Add("a", models.CallAccepted, noon.Add(time.Second), "192.0.2.3")
		tally.Add("b", models.CallRefused, noon, "192.0.2.4")
		return away
	}))
	if !errors.Is(err, away) {
		t.Fatalf("got %v", err)
	}
	all, days := flushed(t, tally)
	slices.SortFunc(days, func(a, b models.UsageDay) int { return strings.Compare(a.CredentialID, b.CredentialID) })
	day := noon.Format(time.DateOnly)
	if want := []models.UsageDay{{CredentialID: "a", Day: day, Calls: 2, Refused: 1}, {CredentialID: "b", Day: day, Refused: 1}}; !slices.Equal(days, want) {
		t.Errorf("by day: %+v", days)
	}
	a := all["a"]
	if a.Calls != 2 || a.Late != 1 || !a.LastUsedAt.Equal(noon.Add(time.Second)) || a.LastAddress != "192.0.2.3" || !a.LastLateAt.Equal(noon) {
		t.Errorf("a: %+v", a)
	}
	if b := all["b"]; b.Refused != 1 || !b.LastUsedAt.Equal(noon) || b.LastAddress != "192.0.2.4" {
		t.Errorf("b: %+v", b)
	}
}

// What was written is not written again, and nothing is written when nothing was counted.
func TestTallyWritesOnce(t *testing.T) {
	tally, to := NewTally(), &counted{}
	tally.Add("a", models.CallAccepted, noon, "192.0.2.1")
	for range 3 {
		if err := tally.Flush(t.Context(), to); err != nil {
			t.Fatal(err)
		}
	}
	if to.calls != 1 || len(to.batch) != 1 || to.batch[0].Calls != 1 || len(to.days) != 1 {
		t.Errorf("written %d times: %v", to.calls, to.batch)
	}
}

// The last use is the latest call, in whatever order calls at once happened to be counted in, and
// a refused one counts: somebody has the token and calls with it. Calls after the token's end do not.
func TestTallyKeepsTheLatest(t *testing.T) {
	tally := NewTally()
	tally.Add("a", models.CallAccepted, noon.Add(time.Second), "192.0.2.2")
	tally.Add("a", models.CallAccepted, noon, "192.0.2.1") // decided earlier, counted later
	tally.Add("a", models.CallRefused, noon.Add(2*time.Second), "192.0.2.3")
	tally.Add("a", models.CallLate, noon.Add(4*time.Second), "192.0.2.4")
	tally.Add("a", models.CallLate, noon.Add(3*time.Second), "192.0.2.4")
	all, _ := flushed(t, tally)
	a := all["a"]
	if !a.LastUsedAt.Equal(noon.Add(2*time.Second)) || a.LastAddress != "192.0.2.3" || !a.LastLateAt.Equal(noon.Add(4*time.Second)) {
		t.Errorf("used %s from %s, late %s", a.LastUsedAt, a.LastAddress, a.LastLateAt)
	}
}

// Days are UTC days.
func TestTallyCountsUTCDays(t *testing.T) {
	tally, to := NewTally(), &counted{}
	tally.Add("a", models.CallAccepted, time.Date(2026, 11, 21, 23, 0, 0, 0, time.FixedZone("", -5*60*60)), "")
	if err := tally.Flush(t.Context(), to); err != nil || len(to.days) != 1 || to.days[0].Day != "2026-11-22" {
		t.Errorf("got %v (%v)", to.days, err)
	}
}
