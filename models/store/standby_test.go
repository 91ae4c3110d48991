//go:build linux

package store_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// A database that only follows another one may lag behind: nothing that it says is taken for a verdict, for what has changed, or for a lease. What is
// connected anew does not even ask it; a pooler can bring one under a connection that was there before.
func TestAStandbyTellsNothing(t *testing.T) {
	t.Parallel()
	own := storetest.NewOwnPostgres(t)
	w := storetest.New(t, own.URL)
	admin := w.SetUp(t)
	made, text := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "A"})
	r := joined(t, w, "gw-a")
	g, err := w.GrantOf(t.Context(), text.Hash())
	must(t, err)
	standby, pooler := own.NewStandby(t, 0), own.NewPooler(t)
	s := w.OpenWith(t, func(set *store.Settings) {
		set.URL = "postgres://postgres@" + pooler.Address + "/desk?sslmode=disable&default_query_exec_mode=cache_describe"
	})
	ask := map[string]func(ctx context.Context) error{
		"a verdict": func(ctx context.Context) error { _, err := s.GrantOf(ctx, text.Hash()); return err },
		"what a credential opens": func(ctx context.Context) error {
			_, err := s.OpensFor(ctx, models.APIKey, g.Owner, "marlowe-press")
			return err
		},
		"a role":                 func(ctx context.Context) error { _, _, err := s.RoleIn(ctx, admin.ID, g.Opens.WorkspaceID); return err },
		"a product":              func(ctx context.Context) error { _, _, err := s.ProductAsOf(ctx, g.Opens.ProductID); return err },
		"the last event":         func(ctx context.Context) error { _, err := s.LastEvent(ctx); return err },
		"the renewal of a lease": func(ctx context.Context) error { _, err := s.RenewLease(ctx, r); return err },
	}
	for what, one := range ask {
		if err := one(t.Context()); err != nil && models.KindOf(err) == models.Unavailable {
			t.Fatalf("%s, of the database: %v", what, err)
		}
	}
	pooler.Redirect(t, standby)
	asks := func(is bool) func() bool {
		return func() bool { _, err := s.LastEvent(t.Context()); return (err == nil) != is }
	}
	within(t, "the pooler asks the standby", asks(true))
	ask["a replica that joins"] = func(ctx context.Context) error {
		_, err := s.RegisterReplica(ctx, models.Replica{ID: models.NewID(), Name: "gw-b", StartedAt: w.Clock.Now()})
		return err
	}
	ask["a revocation"] = func(ctx context.Context) error {
		_, err := s.RevokeAPIToken(ctx, admin, "marlowe-press", made.ID, models.Revocation{})
		return err
	}
	for what, one := range ask {
		if err := one(t.Context()); models.KindOf(err) != models.Unavailable {
			t.Errorf("%s, of a standby: %v", what, err)
		}
	}
	if _, err := store.Open(t.Context(), store.Settings{URL: standby.URL, Clock: w.Clock.Now, NewID: models.NewID, Log: slog.New(slog.DiscardHandler)}); models.KindOf(err) != models.Unavailable {
		t.Errorf("a server that is pointed at a standby: %v", err)
	}
	pooler.Redirect(t, own)
	within(t, "the pooler asks the database again", asks(false))
}

// A standby that takes over may lack what came last, and have other events by the same numbers: what a replica has put into effect of the database before
// is not taken for what it has put into effect of this one.
func TestAStandbyTakesOver(t *testing.T) {
	t.Parallel()
	own := storetest.NewOwnPostgres(t)
	w := storetest.New(t, own.URL)
	w.SetUp(t)
	r := joined(t, w, "gw-a")
	standby := own.NewStandby(t, 0)
	own.Kill(t)
	standby.Promote(t)
	after := w.OpenWith(t, func(set *store.Settings) { set.URL = standby.URL })
	has := func(id string) int64 {
		t.Helper()
		list, err := after.Replicas(t.Context())
		must(t, err)
		for _, other := range list {
			if other.ID == id {
				return other.AckedSeq
			}
		}
		t.Fatalf("%s is not on the list: %+v", id, list)
		return 0
	}
	said := r
	said.AckedSeq += 10
	renewal, err := after.RenewLease(t.Context(), said)
	must(t, err)
	if renewal.Timeline == r.Timeline || has(r.ID) != r.AckedSeq {
		t.Errorf("the timeline was %s and is %s; it has put %d into effect, and the list says %d", r.Timeline, renewal.Timeline, r.AckedSeq, has(r.ID))
	}
	said.ID = models.NewID()
	if _, err = after.RegisterReplica(t.Context(), said); err != nil || has(said.ID) != 0 {
		t.Errorf("it joins as of %d (%v)", has(said.ID), err)
	}
	said.ID, said.Timeline = models.NewID(), renewal.Timeline
	if _, err = after.RegisterReplica(t.Context(), said); err != nil || has(said.ID) != r.AckedSeq {
		t.Errorf("as one of this database it joins as of %d (%v)", has(said.ID), err)
	}
	said.AckedSeq = r.AckedSeq + 1
	if _, err = after.RenewLease(t.Context(), said); err != nil || has(said.ID) != said.AckedSeq {
		t.Errorf("of this database it has put %d into effect (%v)", has(said.ID), err)
	}
}

// within waits until something is so, at most for half a minute.
func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); time.Now().Before(late); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("%s: not in half a minute", what)
}
