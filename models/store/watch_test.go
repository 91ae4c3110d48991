package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Whoever watches is told of statements by operation and table, each of which ends once; that nothing was found is no failure, and a database
// that is away is one.
func TestStatementsAreWatched(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		var mu sync.Mutex
		var told []string
		s := w.OpenWith(t, func(set *store.Settings) {
			set.Statement = func(_ context.Context, operation, table string) func(bool) {
				ended := false
				return func(failed bool) {
					mu.Lock()
					defer mu.Unlock()
					if ended {
						t.Error("a statement ended twice")
					}
					ended = true
					told = append(told, fmt.Sprint(operation, " ", table, " ", failed))
				}
			}
		})
		if _, err := s.PersonRecord(t.Context(), admin, models.NewID()); models.KindOf(err) != models.NotFound {
			t.Error(err)
		}
		if !slices.Contains(told, "select people false") {
			t.Errorf("told of %q", told)
		}
		person, err := s.CreatePerson(t.Context(), admin, models.NewPerson{Name: "Odile", Email: "odile@marlowe.example", Role: models.Member, Password: storetest.Password})
		if err != nil || person.ID == "" || !slices.Contains(told, "insert people false") || !slices.Contains(told, "update change_clock false") {
			t.Errorf("%v: told of %q", err, told)
		}
		must(t, s.Close())
		told = nil
		_, err = s.PersonRecord(t.Context(), admin, models.NewID())
		if models.KindOf(err) != models.Unavailable || !slices.Contains(told, "select people true") {
			t.Errorf("%v: told of %q", err, told)
		}
	})
}
