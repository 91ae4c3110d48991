package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// verify walks the chain and answers what it found.
func verify(t *testing.T, w storetest.World) store.Chain {
	t.Helper()
	c, err := w.VerifyEvents(t.Context())
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return c
}

// history makes a few events of different kinds and answers how many there are.
func history(t *testing.T, w storetest.World) int64 {
	t.Helper()
	admin := w.SetUp(t)
	person := w.Person(t, admin, models.Member)
	w.Token(t, admin, person.ID)
	signIn(t, w, "ines@marlowe.example", storetest.Password)
	w.Clock.Advance(time.Minute)
	install(t, w, admin, archive("tools.zip", "PK"))
	w.Token(t, admin, person.ID)
	if _, err := w.DeactivatePerson(t.Context(), admin, person.ID); err != nil {
		t.Fatal(err)
	}
	return events(t, w, "")
}

// A1, A2: every change is one event, with who, from where and in which request, numbered from 1 in the order
// of the commits, each with the hash of the one before.
func TestEventsAreAChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		total := history(t, w)
		list, err := w.EventsAfter(t.Context(), 0, 100)
		if err != nil || int64(len(list)) != total || total != 8 {
			t.Fatalf("%d of %d events (%v)", len(list), total, err)
		}
		want := []models.Action{
			models.SetupOffered, models.SetupCompleted, models.PersonCreated, models.CredentialCreated, models.SessionStarted,
			models.CollectionInstalled, models.CredentialCreated, models.PersonDeactivated,
		}
		var before []byte
		for i, e := range list {
			if e.Seq != int64(i+1) || e.Action != want[i] || !models.ValidID(e.ID) || string(e.Hash) != string(e.Sum(before)) || e.ActorKind == "" {
				t.Errorf("event %d is %+v", i+1, e)
			}
			before = e.Hash
		}
		if e := list[7]; e.At != w.Clock.Now() || e.ActorName != "Ines Moreau" || e.Address != "192.0.2.7" || e.RequestID == "" || e.SubjectName != "Member 01" {
			t.Errorf("the last is %+v", e)
		}
		if c := verify(t, w); c != (store.Chain{Events: total}) {
			t.Errorf("the walk found %+v", c)
		}
		newest, err := w.Events(t.Context(), command, 0, 3)
		if err != nil || len(newest) != 3 || newest[0].Seq != 8 || newest[2].Seq != 6 {
			t.Errorf("the newest are %+v (%v)", newest, err)
		}
		if older, err := w.Events(t.Context(), command, 6, 100); err != nil || len(older) != 5 || older[0].Seq != 5 {
			t.Errorf("before number 6 %d (%v)", len(older), err)
		}
	})
}

// A2: the database itself refuses to change or remove an event, in every way that its language has.
func TestDatabaseKeepsEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		total := history(t, w)
		ways := []string{
			"UPDATE events SET actor_name = 'Eve' WHERE seq = 3", "UPDATE events SET seq = 99 WHERE seq = 3", "UPDATE events SET hash = hash",
			"DELETE FROM events WHERE seq = 8", "DELETE FROM events",
			"INSERT INTO events SELECT * FROM events WHERE seq = 3",
			"INSERT INTO events SELECT * FROM events WHERE seq = 3 ON CONFLICT (seq) DO UPDATE SET actor_name = 'Eve'",
		}
		if w.Database() == "SQLite" {
			ways = append(ways, "REPLACE INTO events SELECT * FROM events WHERE seq = 3", "UPDATE OR REPLACE events SET seq = 4 WHERE seq = 3")
			ways[6] = strings.Replace(ways[6], "ON CONFLICT", "AND true ON CONFLICT", 1)
		} else {
			ways = append(ways, "TRUNCATE events", "TRUNCATE events CASCADE")
		}
		for _, sql := range ways {
			if err := w.DB().Exec(sql).Error; err == nil {
				t.Errorf("%s: done", sql)
			}
		}
		if c := verify(t, w); c != (store.Chain{Events: total}) {
			t.Errorf("afterwards %+v", c)
		}
	})
}

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
		for _, length := range []int64{0, 999, 1000, 1001, 2000, 2500} {
			grow(length)
			if c := verify(t, w); c != (store.Chain{Events: length}) {
				t.Errorf("of %d events: %+v", length, c)
			}
		}
		unguard(t, w)
		exec(t, w, "UPDATE events SET address = 'x' WHERE seq = 2345")
		if c := verify(t, w); !strings.HasPrefix(c.Broken, "event 2345 (") {
			t.Errorf("found %q", c.Broken)
		}
	})
}

// The numbers have no gaps, whatever happens at once: changes on two servers, changes that fail and take
// nothing with them, and changes that turn out to be none. Every walk in between finds the chain whole.
func TestNumbersHaveNoGaps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		stores := []*store.Store{w.Store, w.Open(t)}
		var told sync.Map
		for _, s := range stores {
			s.Listen(func(e models.Event) { told.Store(e.Seq, e.ID) })
		}
		began := events(t, w, "")
		failed := atOnce(200, func(i int) (err error) {
			s := stores[i%2]
			switch i % 10 {
			case 8:
				_, err = s.EditPerson(t.Context(), admin, member.ID, models.PersonEdit{Name: "A", Email: "INES@marlowe.example", Role: models.Member})
			case 9:
				var c store.Chain
				if c, err = s.VerifyEvents(t.Context()); c.Broken != "" {
					err = fmt.Errorf("the chain is broken: %s", c.Broken)
				}
			default:
				_, err = s.RenameWorkspace(t.Context(), admin, "marlowe-press", models.NewWorkspace{Name: fmt.Sprint("Press ", i)})
			}
			return err
		})
		if got := kinds(failed); got[""] != 180 || got[models.Invalid] != 20 {
			t.Fatalf("%v: %v", got, slices.DeleteFunc(failed, func(err error) bool { return err == nil }))
		}
		if c := verify(t, w); c != (store.Chain{Events: began + 160}) {
			t.Errorf("found %+v after %d events", c, began)
		}
		list, err := w.EventsAfter(t.Context(), began, 1000)
		if err != nil || len(list) != 160 {
			t.Fatalf("%d events (%v)", len(list), err)
		}
		for _, e := range list {
			if id, ok := told.Load(e.Seq); !ok || id != e.ID {
				t.Errorf("event %d was told as %v", e.Seq, id)
			}
		}
	})
}

// Whoever listens is told of each event once, after it is there for everybody to see, and of nothing that did
// not happen.
func TestListeners(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		reader := w.Open(t)
		var first, second []int64
		w.Listen(func(e models.Event) {
			list, err := reader.EventsAfter(t.Context(), e.Seq-1, 1)
			if err != nil || len(list) != 1 || list[0].ID != e.ID || string(list[0].Hash) != string(e.Hash) {
				t.Errorf("event %d is told and not there: %+v (%v)", e.Seq, list, err)
			}
			first = append(first, e.Seq)
		})
		w.Listen(func(e models.Event) { second = append(second, e.Seq) })
		total := history(t, w)
		admin, err := w.PersonByEmail(t.Context(), "ines@marlowe.example")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.DeactivatePerson(t.Context(), command, admin.ID); err == nil {
			t.Error("the last Admin was deactivated")
		}
		if _, err := w.ActivatePerson(t.Context(), command, admin.ID); err != nil {
			t.Error(err)
		}
		var want []int64
		for seq := range total {
			want = append(want, seq+1)
		}
		if !slices.Equal(first, want) || !slices.Equal(second, want) {
			t.Errorf("told %v and %v", first, second)
		}
	})
}
