//go:build linux

package store_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
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
	cookie, stranger := signIn(t, w, "ines@marlowe.example", storetest.Password), secret.Text("nobody was given this")
	events, err := w.EventsAfter(t.Context(), 0, 1)
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
		"a role":               func(ctx context.Context) error { _, _, err := s.RoleIn(ctx, admin.ID, g.Opens.WorkspaceID); return err },
		"a session":            func(ctx context.Context) error { _, err := s.FindSession(ctx, cookie); return err },
		"a program's session":  func(ctx context.Context) error { _, err := s.FindProgram(ctx, stranger.Hash()); return err },
		"a product":            func(ctx context.Context) error { _, _, err := s.ProductAsOf(ctx, g.Opens.ProductID); return err },
		"the keys of sign-ins": func(ctx context.Context) error { _, err := s.JWTKeys(ctx); return err },
		"a workspace":          func(ctx context.Context) error { _, err := s.Workspace(ctx, admin, "marlowe-press"); return err },
		"the only workspace":   func(ctx context.Context) error { _, err := s.HomeWorkspace(ctx, admin); return err },
		"a collection":         func(ctx context.Context) error { _, err := s.CollectionByID(ctx, admin, models.NewID()); return err },
		"an account":           func(ctx context.Context) error { _, err := s.PersonByEmail(ctx, "nobody@marlowe.example"); return err },
		"what became of a commit": func(ctx context.Context) error { // which may be seen there before it is seen by those who are waited for
			return s.AfterLostCommit(ctx, events[0].ID, io.ErrUnexpectedEOF)
		},
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
	ask["the end of what its holder shows"] = func(ctx context.Context) error { _, err := s.RevokeHeld(ctx, admin, stranger); return err }
	ask["the end of a sign-in"] = func(ctx context.Context) error { _, err := s.EndHeldSignIn(ctx, admin, stranger.Hash()); return err }
	ask["a leak"] = func(ctx context.Context) error {
		_, err := s.ReportLeaked(ctx, admin, []secret.Text{stranger})
		return err
	}
	ask["a renewal"] = func(ctx context.Context) error {
		_, _, err := s.RenewProgram(ctx, models.Actor{}, stranger, models.Renewal{Email: "ines@marlowe.example"})
		return err
	}
	ask["the end of a bearer token"] = func(ctx context.Context) error {
		_, err := s.RevokeBearerToken(ctx, admin, admin.ID, models.Revocation{})
		return err
	}
	ask["an access key"] = func(ctx context.Context) error { _, err := s.CollectionKey(ctx, admin, made.ID); return err }
	ask["the access keys of a collection"] = func(ctx context.Context) error {
		_, _, err := s.CollectionKeys(ctx, admin, models.NewID(), models.Place{})
		return err
	}
	ask["the access keys of somebody's workspaces"] = func(ctx context.Context) error {
		_, _, err := s.CollectionKeys(ctx, admin, "", models.Place{})
		return err
	}
	ask["somebody's workspaces"] = func(ctx context.Context) error { _, _, err := s.Memberships(ctx, admin); return err }
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

// A pooler that brings a standby under a connection in the middle of a click or a look-up has nobody answered too early, or wrongly: what is read there of
// what is under way, of who is on the list, or of what was replaced, was so some time before.
func TestAPoolerGoesToAStandbyInTheMiddle(t *testing.T) {
	t.Parallel()
	own := storetest.NewOwnPostgres(t)
	w := storetest.New(t, own.URL)
	admin := w.SetUp(t)
	var made [2]string
	for i := range made {
		one, _ := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: fmt.Sprint("token ", i)})
		made[i] = one.ID
	}
	standby, pooler := own.NewStandby(t, time.Hour), own.NewPooler(t)
	through := func() *store.Store {
		return w.OpenWith(t, func(set *store.Settings) {
			set.URL = "postgres://postgres@" + pooler.Address + "/desk?sslmode=disable&default_query_exec_mode=cache_describe"
		})
	}
	s, other := through(), through()
	at := func(is bool) func() bool {
		return func() bool { _, err := other.LastEvent(t.Context()); return (err != nil) == is }
	}
	var aim atomic.Pointer[string] // the pooler asks the standby after the statement in which this is
	s.ListenStatements(func(sql string) {
		if what := aim.Load(); what != nil && strings.Contains(sql, *what) && aim.CompareAndSwap(what, nil) {
			pooler.Redirect(t, standby)
			within(t, "the pooler asks the standby", at(true))
		}
	})
	writing, looking := "FOR NO KEY UPDATE", "replaced_secrets" // a transaction ends where it began; and of a look-up this is told before it is asked
	click := func(s *store.Store, id string) (models.Receipt, error) {
		ctx, receipt := store.WithReceipt(t.Context())
		_, err := s.RevokeAPIToken(ctx, admin, "marlowe-press", id, models.Revocation{})
		return *receipt, err
	}
	again := func() {
		t.Helper()
		pooler.Redirect(t, own)
		within(t, "the pooler asks the database again", at(false))
	}
	waits := func(what string, r models.Receipt, err error) {
		t.Helper()
		if err != nil || r.Took < models.LeaseWait-time.Second { // the first click may have taken the replica off the list by then
			t.Errorf("%s is answered with %+v (%v)", what, r, err)
		}
		again()
	}

	joined(t, w, "gw-a") // which the standby does not know yet, and which says nothing any more
	aim.Store(&writing)
	r, err := click(s, made[0])
	waits("a click", r, err)

	joined(t, w, "gw-b")
	last, err := w.LastEvent(t.Context())
	must(t, err)
	first := make(chan error, 1)
	go func() {
		_, err := click(w.Store, made[1])
		first <- err
	}()
	within(t, "the first click is in the database", func() bool { now, err := other.LastEvent(t.Context()); return err == nil && now > last })
	aim.Store(&writing)
	r, err = click(s, made[1])
	waits("a click that finds nothing left to do", r, err)
	must(t, <-first)

	card, text := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "replaced"})
	_, _, err = w.RegenerateAPIToken(t.Context(), admin, "marlowe-press", card.ID, models.Regeneration{}, secret.FormID())
	must(t, err)
	aim.Store(&looking)
	if _, err := s.GrantOf(t.Context(), text.Hash()); models.KindOf(err) != models.Unavailable {
		t.Errorf("a secret that was replaced is %v", err)
	}
	again()
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
