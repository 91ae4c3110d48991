package store_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// unguard takes the database's guards away, as somebody can who owns it.
func unguard(t *testing.T, w storetest.World) {
	t.Helper()
	if w.Database() != "SQLite" {
		exec(t, w, "ALTER TABLE events DISABLE TRIGGER ALL")
		return
	}
	var names []string
	if err := w.DB().Raw("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'").Scan(&names).Error; err != nil || len(names) == 0 {
		t.Fatalf("triggers %v (%v)", names, err)
	}
	for _, name := range names {
		exec(t, w, "DROP TRIGGER "+name)
	}
}

// A2: whoever owns the database may change what it holds, and the walk along the chain says so, naming the
// place; putting it right again makes it whole.
func TestTamperingIsFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		history(t, w)
		unguard(t, w)
		for _, column := range []string{
			"id", "action", "actor_kind", "actor_id", "actor_name", "session_id", "credential_id", "subject_kind", "subject_id", "subject_name",
			"person_id", "workspace_id", "address", "request_id", "changes",
		} {
			exec(t, w, "UPDATE events SET "+column+" = "+column+" || 'x' WHERE seq = 4")
			if c := verify(t, w); !strings.HasPrefix(c.Broken, "event 4 (") || c.Events != 3 {
				t.Errorf("%s: %+v", column, c)
			}
			exec(t, w, "UPDATE events SET "+column+" = substr("+column+", 1, length("+column+") - 1) WHERE seq = 4")
		}
		at := number(t, w, "SELECT count(*) FROM events WHERE seq = 1 AND at = ?", w.Clock.Now().Add(-time.Minute))
		exec(t, w, "UPDATE events SET at = ? WHERE seq = 8", w.Clock.Now().Add(-time.Microsecond))
		if c := verify(t, w); !strings.HasPrefix(c.Broken, "event 8 (") || at != 1 {
			t.Errorf("at: %+v", c)
		}
		exec(t, w, "UPDATE events SET at = ? WHERE seq = 8", w.Clock.Now())
		if c := verify(t, w); c.Broken != "" {
			t.Errorf("put right again: %+v", c)
		}
	})
}

// A2: events that are taken out, cut off or put in are missed or noticed, at the beginning, in the middle and
// at the end, also when the forger computes the hashes anew.
func TestForgeryIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		forge  func(t *testing.T, w storetest.World)
		broken string
	}{
		"the first removed": {func(t *testing.T, w storetest.World) { exec(t, w, "DELETE FROM events WHERE seq = 1") }, "event 1 is missing"},
		"one removed":       {func(t *testing.T, w storetest.World) { exec(t, w, "DELETE FROM events WHERE seq = 4") }, "event 4 is missing"},
		"the end cut":       {func(t *testing.T, w storetest.World) { exec(t, w, "DELETE FROM events WHERE seq > 6") }, "events after 6 ("},
		"all removed":       {func(t *testing.T, w storetest.World) { exec(t, w, "DELETE FROM events") }, "events after 0"},
		"two swapped": {func(t *testing.T, w storetest.World) {
			for _, step := range [][2]int{{3, 99}, {4, 3}, {99, 4}} {
				exec(t, w, "UPDATE events SET seq = ? WHERE seq = ?", step[1], step[0])
			}
		}, "event 3 ("},
		"one removed and the rest moved up": {func(t *testing.T, w storetest.World) {
			exec(t, w, "DELETE FROM events WHERE seq = 4")
			for seq := 5; seq <= 8; seq++ {
				exec(t, w, "UPDATE events SET seq = ? WHERE seq = ?", seq-1, seq)
			}
		}, "event 4 ("},
		"one changed with its hash":  {func(t *testing.T, w storetest.World) { rehash(t, w, 4, 4) }, "event 5 ("},
		"all hashes computed anew":   {func(t *testing.T, w storetest.World) { rehash(t, w, 4, 8) }, "the last event, 8, is not the one"},
		"one put in at the end":      {func(t *testing.T, w storetest.World) { putIn(t, w, 9) }, "event 9 ("},
		"one put in with a chain":    {func(t *testing.T, w storetest.World) { putIn(t, w, 9); rehash(t, w, 9, 9) }, "the log has event 9, and the clock stands at 8"},
		"one put in before the rest": {func(t *testing.T, w storetest.World) { putIn(t, w, 0) }, "event 0 "},
		"one put in far before":      {func(t *testing.T, w storetest.World) { putIn(t, w, -7) }, "event -7 "},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, w storetest.World) {
				history(t, w)
				unguard(t, w)
				c.forge(t, w)
				if got := verify(t, w); !strings.HasPrefix(got.Broken, c.broken) {
					t.Errorf("found %q, want %q", got.Broken, c.broken)
				}
			})
		})
	}
}

// rehash changes the first of the events and computes the hashes of all of them anew.
func rehash(t *testing.T, w storetest.World, from, to int64) {
	t.Helper()
	exec(t, w, "UPDATE events SET actor_name = 'Eve' WHERE seq = ?", from)
	list, err := w.EventsAfter(t.Context(), from-2, int(to-from+2))
	if err != nil {
		t.Fatal(err)
	}
	before := list[0].Hash
	for _, e := range list[1:] {
		before = e.Sum(before)
		exec(t, w, "UPDATE events SET hash = ? WHERE seq = ?", before, e.Seq)
	}
}

// putIn stores a copy of an event under another number.
func putIn(t *testing.T, w storetest.World, seq int64) {
	t.Helper()
	list, err := w.EventsAfter(t.Context(), 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	e := list[0]
	e.Seq, e.ID = seq, models.NewID()
	if err := w.DB().Create(&e).Error; err != nil {
		t.Fatal(err)
	}
}

// A long log is walked to its end, whatever its length is to the pages that it is read in, and what is wrong
// in a later page is found.
func TestLongChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		var seq int64
		last := []byte{}
		grow := func(to int64) {
			t.Helper()
			var more []models.Event
			for ; seq < to; seq++ {
				e := models.Event{Seq: seq + 1, ID: models.NewID(), At: w.Clock.Now(), Action: models.PersonChanged}
				e.Hash = e.Sum(last)
				more, last = append(more, e), e.Hash
			}
			if err := w.DB().CreateInBatches(more, 100).Error; err != nil {
				t.Fatal(err)
			}
			exec(t, w, "UPDATE change_clock SET last_seq = ?, last_hash = ?", seq, last)
		}
		for _, length := range []int64{0, 1000, 1001, 2100} {
			grow(length)
			if c := verify(t, w); c != (store.Chain{Events: length}) {
				t.Errorf("of %d events: %+v", length, c)
			}
		}
		unguard(t, w)
		exec(t, w, "UPDATE events SET address = 'x' WHERE seq = 2045")
		if c := verify(t, w); !strings.HasPrefix(c.Broken, "event 2045 (") {
			t.Errorf("found %q", c.Broken)
		}
	})
}
