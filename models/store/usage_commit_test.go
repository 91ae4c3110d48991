package store_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// A flush whose commit was sent, and whose answer was lost, is sent again and counted once, whether it had arrived or not. It says of
// itself that it is not done as long as nobody knows.
func TestUsageWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	w, l := overALine(t)
	admin := w.SetUp(t)
	token, _ := w.Token(t, admin, admin.ID)
	tally := access.NewTally()
	for _, c := range []struct {
		when    string
		arrived int64 // calls, when the answer was lost
	}{{"after", 3}, {"before", 0}} {
		before := used(t, w, token.ID).Usage.Calls
		l.broken.Store(false)
		l.cut.Store(&c.when)
		for range 3 {
			tally.Add(uuid.MustParse(token.ID), false, models.CallAccepted, w.Clock.Now(), netip.MustParseAddr("192.0.2.1"))
		}
		wantKind(t, c.when, tally.Flush(t.Context(), w.Store), models.Unavailable)
		if !l.broken.Load() {
			t.Fatalf("%s: the line was not cut", c.when)
		}
		if got := used(t, w, token.ID).Usage.Calls - before; got != c.arrived {
			t.Errorf("%s: %d calls had arrived", c.when, got)
		}
		tally.Add(uuid.MustParse(token.ID), false, models.CallAccepted, w.Clock.Now(), netip.MustParseAddr("192.0.2.1"))
		for range 2 {
			must(t, tally.Flush(t.Context(), w.Store))
		}
		if got := used(t, w, token.ID); got.Usage.Calls-before != 4 || got.Days[0].Calls != got.Usage.Calls {
			t.Errorf("%s: %d calls of 4 are counted, by day %+v", c.when, got.Usage.Calls-before, got.Days)
		}
	}
}

// A flush is counted once, however often it comes and over whichever server, also while it is still under way; what comes late of the same server is
// nothing new, and other servers' are their own. Only what nobody can send any more is forgotten.
func TestFlushIsCountedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		token, _ := w.Token(t, admin, admin.ID)
		other, now := w.Open(t), w.Clock.Now()
		send := func(s *store.Store, boot string, number int64) error {
			return s.RecordUsage(t.Context(), models.Flush{Boot: boot, Number: number}, []models.Usage{{CredentialID: token.ID, Calls: 1, LastUsedAt: &now}},
				[]models.UsageDay{{CredentialID: token.ID, Day: "2026-11-21", Calls: 1}})
		}
		for _, err := range atOnce(8, func(i int) error { return send([]*store.Store{w.Store, other}[i%2], "one", 7) }) {
			must(t, err)
		}
		for _, number := range []int64{1, 6, 7, 8, 8} {
			must(t, send(w.Store, "one", number))
		}
		must(t, send(w.Store, "two", 3))
		counted := func(what string, want int64) {
			t.Helper()
			in := []int64{used(t, w, token.ID).Usage.Calls, number(t, w, "SELECT (SELECT sum(day_calls) FROM usages) + (SELECT coalesce(sum(calls), 0) FROM usage_days)"), number(t, w, "SELECT sum(calls) FROM usage_totals")}
			if !slices.Equal(in, []int64{want, want, want}) {
				t.Errorf("%s: %d calls are counted, by day, in all; want %d", what, in, want)
			}
		}
		counted("sent 14 times", 3)
		w.Clock.Advance(2*models.FlushesKept - time.Minute)
		must(t, w.Prune(t.Context()))
		must(t, send(w.Store, "one", 8))
		must(t, send(w.Store, "three", 1))
		counted("remembered", 4)
		w.Clock.Advance(2 * time.Minute)
		must(t, w.Prune(t.Context()))
		if n := number(t, w, "SELECT count(*) FROM usage_flush"); n != 1 {
			t.Errorf("%d servers are remembered", n)
		}
	})
}

// A flush that refers to what is not there, as after a restoration, is counted once like others.
func TestFlushOfWhatIsGoneIsCountedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		token, _ := w.Token(t, admin, admin.ID)
		flush := storetest.Flush()
		for range 2 {
			must(t, w.RecordUsage(t.Context(), flush, []models.Usage{{CredentialID: models.NewID(), Calls: 1}, {CredentialID: token.ID, Calls: 1}}, nil))
		}
		if u := used(t, w, token.ID); u.Usage.Calls != 1 {
			t.Errorf("%d calls are counted", u.Usage.Calls)
		}
	})
}
