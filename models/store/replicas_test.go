package store_test

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// joined is a replica that is on the list.
func joined(t *testing.T, w storetest.World, name string) models.Replica {
	t.Helper()
	r := models.Replica{ID: models.NewID(), Name: name, Version: "test", StartedAt: w.Clock.Now(), AckedSeq: math.MaxInt64} // it has all that there is in effect
	renewal, err := w.RegisterReplica(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	r.AckedSeq, r.Timeline = renewal.Seq, renewal.Timeline
	return r
}

// A replica joins as of the last event, renews its lease, and leaves; one that has moved on is not taken off the list.
func TestReplicaList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		ctx := t.Context()
		last, err := w.LastEvent(ctx)
		must(t, err)
		r := joined(t, w, "gw-a")
		if r.AckedSeq != last {
			t.Errorf("it joined as of %d, and the last event is %d", r.AckedSeq, last)
		}
		r.AckedSeq, r.Entries, r.Notice = last-1, 7, models.NoticePolling // it says less than it said before
		renewal, err := w.RenewLease(ctx, r)
		must(t, err)
		list, err := w.Replicas(ctx)
		must(t, err)
		if len(list) != 1 || renewal.Seq != last || list[0].LeaseNo != 2 || list[0].AckedSeq != last || list[0].Entries != 7 || list[0].Notice != models.NoticePolling || list[0].Name != "gw-a" {
			t.Fatalf("renewed as of %d, on the list %+v", renewal.Seq, list)
		}
		must(t, w.RemoveReplica(ctx, r.ID, 1))
		if list, err = w.Replicas(ctx); err != nil || len(list) != 1 {
			t.Errorf("it renewed its lease, and was removed: %v (%v)", list, err)
		}
		must(t, w.RemoveReplica(ctx, r.ID, 2))
		if _, err := w.RenewLease(ctx, r); models.KindOf(err) != models.NotFound {
			t.Errorf("one that is not on the list renews: %v", err)
		}
		if doubts, err := w.Doubts(ctx); err != nil || len(doubts) > 1 { // the tests' own database need not be safe from a crash
			t.Errorf("doubts %q (%v)", doubts, err)
		}
	})
}

// What changes a verdict is over when every replica has said so, and says who has; what changes none waits for nobody.
func TestAChangeWaitsForTheReplicas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, _ := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		a, b := joined(t, w, "gw-a"), joined(t, w, "gw-b")
		other := w.Open(t)
		ctx, receipt := store.WithReceipt(t.Context())
		_, err := w.RenameAPIToken(ctx, admin, "marlowe-press", made.ID, models.TokenNaming{Name: "B"})
		if must(t, err); receipt.Seq != 0 {
			t.Errorf("a name is waited for: %+v", receipt)
		}
		answering, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { // as replicas do: each after a while of its own
			for ; answering.Err() == nil; time.Sleep(5 * time.Millisecond) {
				last, err := other.LastEvent(answering)
				if err != nil || last <= a.AckedSeq {
					continue
				}
				for _, r := range []*models.Replica{&a, &b} {
					time.Sleep(50 * time.Millisecond)
					r.AckedSeq = last
					if _, err := other.RenewLease(answering, *r); err != nil {
						return
					}
				}
			}
		}()
		_, err = w.SwitchAPIToken(ctx, admin, "marlowe-press", made.ID, false)
		must(t, err)
		last, err := w.LastEvent(ctx)
		if must(t, err); receipt.Seq != last || receipt.Confirmed != 2 || len(receipt.Silent) != 0 || receipt.Took < 90*time.Millisecond {
			t.Errorf("the last event is %d: %+v", last, receipt)
		}
	})
}

// A replica that says nothing is waited for until it may not answer from memory any more, and is told of; the next change does not wait for it. One that
// renews its lease, and does not say that the change is in effect, stays on the list.
func TestAChangeWaitsNoLongerThanALease(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, _ := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		joined(t, w, "gw-dead")
		stuck := joined(t, w, "gw-stuck")
		other := w.Open(t)
		renewing, stop := context.WithCancel(t.Context())
		defer stop()
		go func() {
			for renewing.Err() == nil {
				_, _ = other.RenewLease(renewing, stuck)
				time.Sleep(100 * time.Millisecond)
			}
		}()
		ctx, receipt := store.WithReceipt(t.Context())
		_, err := w.RevokeAPIToken(ctx, admin, "marlowe-press", made.ID, models.Revocation{})
		must(t, err)
		if receipt.Confirmed != 0 || !slices.Equal(receipt.Silent, []string{"gw-dead", "gw-stuck"}) || receipt.Took < models.LeaseWait {
			t.Errorf("%+v", receipt)
		}
		list, err := w.Replicas(t.Context())
		must(t, err)
		if len(list) != 1 || list[0].Name != "gw-stuck" {
			t.Errorf("on the list: %+v", list)
		}
	})
}

// A replica that was taken off the list while a change waited for it is told of as silent; one that left by itself said before that it lets nobody in.
func TestAChangeTellsOfReplicasThatVanish(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, _ := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		silent, left := joined(t, w, "gw-silent"), joined(t, w, "gw-left")
		other := w.Open(t)
		before, err := other.LastEvent(t.Context())
		must(t, err)
		var all sync.WaitGroup
		all.Go(func() {
			for last := before; last == before; time.Sleep(5 * time.Millisecond) {
				last, _ = other.LastEvent(t.Context())
			}
			time.Sleep(100 * time.Millisecond) // both were seen
			left.AckedSeq = math.MaxInt64
			if _, err := other.RenewLease(t.Context(), left); err != nil {
				t.Error(err)
			}
			time.Sleep(100 * time.Millisecond)
			for _, r := range []models.Replica{left, silent} {
				if err := other.RemoveReplica(t.Context(), r.ID, 0); err != nil {
					t.Error(err)
				}
			}
		})
		ctx, receipt := store.WithReceipt(t.Context())
		_, err = w.RevokeAPIToken(ctx, admin, "marlowe-press", made.ID, models.Revocation{})
		must(t, err)
		all.Wait()
		if !slices.Equal(receipt.Silent, []string{"gw-silent"}) || receipt.Took >= models.LeaseWait {
			t.Errorf("%+v", receipt)
		}
	})
}

// Replicas hear of what has changed while callers have every other connection to the database.
func TestReplicasHearBeforeCallers(t *testing.T) {
	t.Parallel()
	w := storetest.New(t, storetest.Postgres(t, nil))
	w.SetUp(t)
	pool, err := w.DB().DB()
	must(t, err)
	for range pool.Stats().MaxOpenConnections {
		c, err := pool.Conn(t.Context())
		must(t, err)
		defer c.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	last, err := w.LastEvent(ctx)
	must(t, err)
	events, err := w.EventsAfter(ctx, last-1, 10)
	if must(t, err); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
}

// PostgreSQL tells a listener of what changes a verdict, and of nothing else; a listener is told at least once that it is ready.
func TestListenForChanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, _ := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ready, heard, over := make(chan struct{}), make(chan struct{}, 100), make(chan error, 1)
		go func() {
			over <- w.Open(t).ListenForChanges(ctx, func() { close(ready) }, func() { heard <- struct{}{} })
		}()
		if w.URL == "" {
			if err := <-over; err != nil {
				t.Errorf("SQLite tells nobody: %v", err)
			}
			return
		}
		<-ready
		_, err := w.RenameAPIToken(t.Context(), admin, "marlowe-press", made.ID, models.TokenNaming{Name: "B"})
		must(t, err)
		_, err = w.SwitchAPIToken(t.Context(), admin, "marlowe-press", made.ID, false)
		must(t, err)
		<-heard
		if len(heard) != 0 {
			t.Errorf("it was told %d times more", len(heard))
		}
		stop()
		if err := <-over; err == nil {
			t.Error("it ended well")
		}
	})
}

// A server that stands still in the middle of a change keeps the others waiting for some seconds and not for as long as it stands: its transaction is
// ended, and it is told that nothing was changed.
func TestAServerThatStandsStillKeepsNobody(t *testing.T) {
	t.Parallel()
	w := storetest.New(t, storetest.Postgres(t, nil))
	admin := w.SetUp(t)
	still, goesOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stopped := w.OpenWith(t, func(set *store.Settings) {
		now := set.Clock
		set.Clock = func() time.Time {
			once.Do(func() { // the row that everybody locks is locked by now
				close(still)
				<-goesOn
			})
			return now()
		}
	})
	over := make(chan error)
	go func() {
		_, err := stopped.SetCallLimits(t.Context(), admin, "marlowe-press", models.CallLimits{API: 7, User: 50, Automation: 300})
		over <- err
	}()
	<-still
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, _, err := w.CreateAPIToken(ctx, admin, "marlowe-press", models.NewAPIToken{Name: "B"}, secret.FormID()); err != nil {
		t.Errorf("another server: %v", err)
	}
	close(goesOn)
	if err := <-over; models.KindOf(err) != models.Unavailable {
		t.Errorf("the server that stood still: %v", err)
	}
}
