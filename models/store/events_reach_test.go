package store_test

import (
	"slices"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Where each part of a filter is in many events and both are in few, one page looks through so many events and no
// more, and says where to go on; going on finds every event once, and those who want all of them get all.
func TestEventsNear(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		w.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = 400 })
		ids := crowd(t, w, "Often", "Often too", "Seldom")
		seq, together := events(t, w, ""), []int64{}
		var list []models.Event
		for i := range 1040 { // the actor in one half of them, the subject in the other, and both in the oldest
			seq++
			e := models.Event{Seq: seq, ID: models.NewID(), At: w.Clock.Now(), Action: "x", ActorKind: models.Human, ActorID: ids[0], SubjectID: ids[2], Hash: []byte("x")}
			if i%2 == 0 {
				e.ActorID, e.SubjectID = ids[2], ids[1]
			}
			if i < 3 {
				e.ActorID, e.SubjectID = ids[0], ids[1]
				together = append(together, seq)
			}
			list = append(list, e)
		}
		must(t, w.DB().CreateInBatches(list, 100).Error)
		exec(t, w, "UPDATE change_clock SET last_seq = ?", seq)
		slices.Reverse(together)

		f := models.EventFilter{ActorID: ids[0], SubjectID: ids[1], Limit: 50}
		var found []int64
		pages := 0
		for further := int64(1); further > 0; pages++ {
			near, err := w.EventsNear(t.Context(), admin, f)
			must(t, err)
			next := near.Further
			if (next > 0) == near.Since.IsZero() {
				t.Errorf("page %d goes on at %d, of %v", pages, next, near.Since)
			}
			if next > 0 && f.Before > 0 && next >= f.Before {
				t.Fatalf("page %d goes on at %d, which is not below %d", pages, next, f.Before)
			}
			found, further, f.Before = append(found, numbers(near.Events)...), next, next
		}
		if pages != 2 || !slices.Equal(found, together) { // 520 of either: 400, and what is left is few enough
			t.Errorf("%d pages have %v, want %v on the second", pages, found, together)
		}
		f.Before = 0
		if n, all, err := w.CountEvents(t.Context(), admin, f); err != nil || n != 0 || all {
			t.Errorf("counted %d, all of them: %v (%v)", n, all, err)
		}
		if list, err := w.Events(t.Context(), admin, f); err != nil || !slices.Equal(numbers(list), together) {
			t.Errorf("all of them are %v (%v)", numbers(list), err)
		}
		seldom := models.EventFilter{ActorID: ids[2], SubjectID: ids[1], Before: seq - 1037, Limit: 50} // one event, on a page of its own
		if near, err := w.EventsNear(t.Context(), admin, seldom); err != nil || len(near.Events) != 0 || near.Further != 0 {
			t.Errorf("below all that match there are %v, and further %d (%v)", numbers(near.Events), near.Further, err)
		}
	})
}
