package store_test

import (
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/access"
)

// A batch whose commit was sent, and whose answer was lost, is never counted twice; and where that means
// that it may not be counted at all, the log says how many calls that are. One that was not sent is kept.
func TestUsageWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	w, l := overALine(t)
	admin := w.SetUp(t)
	token, _ := w.Token(t, admin, admin.ID)
	tally := access.NewTally()
	count := func(calls int) {
		for range calls {
			tally.Add(token.ID, models.CallAccepted, w.Clock.Now(), "192.0.2.1")
		}
	}
	said := 0
	for _, c := range []struct {
		when    string
		counted int64 // of three calls
	}{{"after", 3}, {"before", 0}} {
		before := used(t, w, token.ID).Usage.Calls
		l.broken.Store(false)
		l.cut.Store(&c.when)
		count(3)
		for range 3 {
			if err := tally.Flush(t.Context(), w.Store); err != nil {
				t.Errorf("%s: %v", c.when, err)
			}
		}
		if !l.broken.Load() {
			t.Fatalf("%s: the line was not cut", c.when)
		}
		if got := used(t, w, token.ID).Usage.Calls - before; got != c.counted {
			t.Errorf("%s: %d calls of 3 are counted", c.when, got)
		}
		said++
		if n := strings.Count(w.Log.String(), "calls=3"); n != said {
			t.Errorf("%s: the log has said it %d times, want %d", c.when, n, said)
		}
	}
}
