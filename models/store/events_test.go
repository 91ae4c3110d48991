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

// A1, A2, A3: every change is one event, with who, from where and in which request, numbered from 1 in the order
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
		newest, err := w.Events(t.Context(), command, models.EventFilter{Limit: 3})
		if err != nil || len(newest) != 3 || newest[0].Seq != 8 || newest[2].Seq != 6 {
			t.Errorf("the newest are %+v (%v)", newest, err)
		}
		if older, err := w.Events(t.Context(), command, models.EventFilter{Before: 6, Limit: 100}); err != nil || len(older) != 5 || older[0].Seq != 5 {
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
