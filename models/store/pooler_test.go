//go:build linux

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// pooled is an installation behind a pooler in transaction mode, as a server sees it, and as one sees it that goes past the pooler.
func pooled(t *testing.T, more string) (through *store.Store, past storetest.World) {
	t.Helper()
	own := storetest.NewOwnPostgres(t)
	past = storetest.New(t, own.URL)
	pooler := own.NewPooler(t)
	return past.OpenWith(t, func(set *store.Settings) {
		set.URL = "postgres://postgres@" + pooler.Address + "/desk?sslmode=disable" + more
	}), past
}

// Behind a pooler in transaction mode, with statements that are not prepared by a name, everything works at once; and a listener is not told, and says so.
func TestBehindAPooler(t *testing.T) {
	t.Parallel()
	s, w := pooled(t, "&default_query_exec_mode=cache_describe")
	admin := w.SetUp(t)
	_, text := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "A"})
	for _, err := range atOnce(8, func(i int) error {
		for n := range 25 {
			if _, err := s.GrantOf(t.Context(), text.Hash()); err != nil {
				return err
			}
			if _, _, err := s.People(t.Context(), admin, models.PeopleFilter{}); err != nil {
				return err
			}
			if _, err := s.CreatePerson(t.Context(), admin, models.NewPerson{Name: "Odile", Email: fmt.Sprintf("odile-%d-%d@marlowe.example", i, n), Role: models.Member, Password: storetest.Password}); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := s.ListenForChanges(ctx, func() { t.Error("it says that it will be told") }, func() { t.Error("it was told") })
	if err == nil || !strings.Contains(err.Error(), "a pooler in transaction mode") {
		t.Errorf("listening ends with %v", err)
	}
}

// With statements that are prepared by a name it does not work behind an old pooler, and the log says what to do.
func TestBehindAPoolerThatKeepsNoStatements(t *testing.T) {
	t.Parallel()
	s, w := pooled(t, "&default_query_exec_mode=cache_statement")
	w.SetUp(t)
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late); {
		for _, err := range atOnce(8, func(int) error { _, err := s.LastEvent(t.Context()); return err }) {
			if err == nil {
				continue
			}
			if why := errors.Unwrap(err); why == nil || !strings.Contains(why.Error(), "add default_query_exec_mode=cache_describe to TOKENDESK_DATABASE_URL") {
				t.Errorf("it fails with %v, because of %v", err, why)
			}
			return
		}
	}
	t.Skip("this pooler keeps them, as pgbouncer does from 1.21 on where max_prepared_statements is set")
}
