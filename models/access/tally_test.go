package access

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// c2 is a credential beside c1.
const c2 = "01900000-0000-7000-8000-0000000000c2"

var (
	a, b  = uuid.MustParse(c1), uuid.MustParse(c2)
	there = netip.MustParseAddr("192.0.2.7")
)

// eachTally runs a test on a tally in plain memory and on one in a file.
func eachTally(t *testing.T, test func(t *testing.T, tally *Tally)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { test(t, NewTally()) })
	t.Run("file", func(t *testing.T) { test(t, inFile(t, t.TempDir())) })
}

func inFile(t testing.TB, folder string) *Tally {
	t.Helper()
	tally, err := OpenTally(folder, atNoon)
	if err != nil {
		t.Fatal(err)
	}
	return tally
}

// Calls that come at once, while flushes are written and most of them fail, some before they are counted and some only after, are all
// counted, each once.
func TestTallyLosesNothing(t *testing.T) {
	eachTally(t, func(t *testing.T, tally *Tally) {
		const callers, calls = 8, 500
		to := newLedger()
		to.away = func(n int) (before, after error) {
			return []error{errAway, nil, nil}[n%3], []error{nil, errAway, nil}[n%3]
		}
		var adding, writing sync.WaitGroup
		stop := make(chan struct{})
		writing.Go(func() {
			for stopped := false; !stopped || to.wasAsked() < 3; {
				_ = tally.Flush(t.Context(), to)
				select {
				case <-stop:
					stopped = true
				default:
				}
			}
		})
		for i := range callers {
			adding.Go(func() {
				for n := range calls {
					tally.Add([]uuid.UUID{a, b}[n%2], false, []models.Outcome{models.CallAccepted, models.CallRefused, models.CallLate}[n%3], noon.AddDate(0, 0, i%2), there)
				}
			})
		}
		adding.Wait()
		close(stop)
		writing.Wait()
		to.away = nil
		flush(t, tally, to)
		perDay := map[string]int64{}
		for _, d := range to.days {
			perDay[d.Day] += d.Calls
		}
		const accepted, refused, late = callers * 167, callers * 167, callers * 166
		if sum := to.sum(); sum.Calls != accepted || sum.Refused != refused || sum.Late != late {
			t.Errorf("counted %+v", sum)
		}
		if perDay["2026-11-21"] != accepted/2 || perDay["2026-11-22"] != accepted/2 {
			t.Errorf("counted by day: %v", perDay)
		}
		if to.again == 0 {
			t.Error("nothing was sent twice")
		}
	})
}

// What could not be written is kept and sent again as it was, before what came meanwhile.
func TestTallyKeepsWhatWasNotWritten(t *testing.T) {
	eachTally(t, func(t *testing.T, tally *Tally) {
		to := newLedger()
		tally.Add(a, false, models.CallAccepted, noon, netip.MustParseAddr("192.0.2.1"))
		tally.Add(a, false, models.CallLate, noon, netip.MustParseAddr("192.0.2.2"))
		to.away = func(int) (before, after error) {
			tally.Add(a, false, models.CallAccepted, noon.Add(time.Second), netip.MustParseAddr("192.0.2.3"))
			tally.Add(b, false, models.CallRefused, noon, netip.MustParseAddr("192.0.2.4"))
			return nil, errAway
		}
		if err := tally.Flush(t.Context(), to); !errors.Is(err, errAway) {
			t.Fatalf("got %v", err)
		}
		if u := to.usage[c1]; u.Calls != 1 || u.Late != 1 || len(to.usage) != 1 {
			t.Errorf("the flush that seems to have failed: %+v", to.usage)
		}
		to.away = nil
		flush(t, tally, to)
		day := noon.Format(time.DateOnly)
		want := map[string]models.UsageDay{c1 + " " + day: {CredentialID: c1, Day: day, Calls: 2, Refused: 1}, c2 + " " + day: {CredentialID: c2, Day: day, Refused: 1}}
		for k, d := range want {
			if to.days[k] != d || len(to.days) != len(want) {
				t.Errorf("by day: %+v", to.days)
			}
		}
		u := to.usage[c1]
		if u.Calls != 2 || u.Late != 1 || !u.LastUsedAt.Equal(noon.Add(time.Second)) || u.LastAddress != "192.0.2.3" || !u.LastLateAt.Equal(noon) {
			t.Errorf("a: %+v", u)
		}
		if u := to.usage[c2]; u.Refused != 1 || !u.LastUsedAt.Equal(noon) || u.LastAddress != "192.0.2.4" {
			t.Errorf("b: %+v", u)
		}
		if to.again != 1 || to.flushes != 2 {
			t.Errorf("%d flushes were counted, and %d sent again", to.flushes, to.again)
		}
	})
}

// What was written is not written again, and nothing is written when nothing was counted.
func TestTallyWritesOnce(t *testing.T) {
	eachTally(t, func(t *testing.T, tally *Tally) {
		to := newLedger()
		tally.Add(a, false, models.CallAccepted, noon, there)
		for range 3 {
			flush(t, tally, to)
		}
		if to.asked != 1 || to.usage[c1].Calls != 1 || len(to.days) != 1 {
			t.Errorf("written %d times: %v", to.asked, to.usage)
		}
	})
}

// The last use is the latest call, in whatever order calls at once happened to be counted in, and
// a refused one counts: somebody has the token and calls with it. Calls after the token's end do not.
func TestTallyKeepsTheLatest(t *testing.T) {
	eachTally(t, func(t *testing.T, tally *Tally) {
		add := func(outcome models.Outcome, seconds int, from string) {
			tally.Add(a, true, outcome, noon.Add(time.Duration(seconds)*time.Second), addressOf(from))
		}
		add(models.CallAccepted, 1, "2001:db8::2")
		add(models.CallAccepted, 0, "192.0.2.1") // decided earlier, counted later
		add(models.CallRefused, 2, "192.0.2.3")
		add(models.CallLate, 4, "192.0.2.4")
		add(models.CallLate, 3, "192.0.2.4")
		tally.Add(b, false, models.CallAccepted, noon, addressOf(""))
		to := newLedger()
		flush(t, tally, to)
		u := to.usage[c1]
		if !u.LastUsedAt.Equal(noon.Add(2*time.Second)) || u.LastAddress != "192.0.2.3" || !u.LastLateAt.Equal(noon.Add(4*time.Second)) || !u.KeptBy.Equal(noon.Add(time.Second)) {
			t.Errorf("used %s from %s, late %s, kept by %s", u.LastUsedAt, u.LastAddress, u.LastLateAt, u.KeptBy)
		}
		if u := to.usage[c2]; u.LastAddress != "" || !u.LastUsedAt.Equal(noon) || u.KeptBy != nil || len(to.usage) != 2 {
			t.Errorf("from nowhere: %+v of %d", u, len(to.usage))
		}
		add(models.CallAccepted, 9, "2001:db8::9")
		add(models.CallAccepted, 8, "::ffff:192.0.2.1")
		flush(t, tally, to)
		if u := to.usage[c1]; u.LastAddress != "2001:db8::9" || u.Calls != 4 || !u.KeptBy.Equal(noon.Add(9*time.Second)) {
			t.Errorf("afterwards: %+v", u)
		}
	})
}

// Days are UTC days, and a flush may have several of one credential.
func TestTallyCountsUTCDays(t *testing.T) {
	eachTally(t, func(t *testing.T, tally *Tally) {
		to := newLedger()
		tally.Add(a, false, models.CallAccepted, time.Date(2026, 11, 21, 23, 0, 0, 0, time.FixedZone("", -5*60*60)), there)
		tally.Add(a, false, models.CallAccepted, time.Date(2026, 11, 21, 23, 59, 59, 999_999_000, time.UTC), there)
		tally.Add(a, false, models.CallAccepted, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), there)
		flush(t, tally, to)
		if to.days[c1+" 2026-11-22"].Calls != 2 || to.days[c1+" 2026-11-21"].Calls != 1 || to.usage[c1].Calls != 3 || to.flushes != 1 {
			t.Errorf("got %v", to.days)
		}
	})
}

// Many credentials at once have the file grow, are told of, are written down in flushes of limited size, and leave their slots to others.
func TestTallyOfManyCredentials(t *testing.T) {
	eachTally(t, func(t *testing.T, tally *Tally) {
		const many = 50_000
		to := newLedger()
		largest, parts := 0, 0
		counting := recorder(func(ctx context.Context, f models.Flush, batch []models.Usage, days []models.UsageDay) error {
			largest, parts = max(largest, len(batch)), parts+1
			return to.RecordUsage(ctx, f, batch, days)
		})
		for round := range 3 {
			for i := range many {
				id := uuid.UUID{6: 0x70, 8: 0x80, 12: byte(round), 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
				tally.Add(id, false, models.CallAccepted, noon, there)
			}
			select {
			case <-tally.Many():
			default:
				t.Error("nobody was told of many")
			}
			flush(t, tally, counting)
		}
		if sum := to.sum(); sum.Calls != 3*many || len(to.usage) != 3*many || to.flushes != parts {
			t.Errorf("counted %d calls of %d credentials, %d flushes of %d", sum.Calls, len(to.usage), to.flushes, parts)
		}
		if largest != chunkSlots || parts != 3*7 {
			t.Errorf("%d flushes, the largest of %d", parts, largest)
		}
		if chunks := len(*tally.pool.chunks.Load()); chunks != 7 {
			t.Errorf("%d chunks", chunks)
		}
	})
}

// Where the file cannot grow, calls are counted all the same, and that is told once.
func TestTallyWhoseDiskIsFull(t *testing.T) {
	tally, to := inFile(t, t.TempDir()), newLedger()
	if err := tally.pool.file.Close(); err != nil { // so that nothing can be written to it
		t.Fatal(err)
	}
	add := func() {
		for i := range chunkSlots + 1 {
			tally.Add(uuid.UUID{14: byte(i >> 8), 15: byte(i)}, false, models.CallAccepted, noon, there)
		}
	}
	add()
	err := tally.Flush(t.Context(), to)
	if err == nil || !strings.Contains(err.Error(), "plain memory") || to.sum().Calls != chunkSlots+1 {
		t.Errorf("counted %+v, told %v", to.sum(), err)
	}
	add()
	if flush(t, tally, to); to.sum().Calls != 2*(chunkSlots+1) {
		t.Errorf("counted %+v", to.sum())
	}
}

// One more call of a credential allocates nothing.
func TestTallyAllocatesNothing(t *testing.T) {
	eachTally(t, func(t *testing.T, tally *Tally) {
		at := noon
		if n := testing.AllocsPerRun(1000, func() {
			at = at.Add(time.Microsecond)
			tally.Add(a, true, models.CallAccepted, at, there)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
