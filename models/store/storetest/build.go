package storetest

import (
	"testing"

	"tokendesk/models/store"
)

// OpenWith opens another store on the same database, as Open does, with settings of the test's own: a
// hasher that waits, IDs in an order.
func (w World) OpenWith(t testing.TB, change func(*store.Settings)) *store.Store {
	t.Helper()
	set := w.settings()
	change(&set)
	s, err := store.Open(t.Context(), set)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}
