package access

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
)

// feed is a database as a replica sees it, with what went wrong there.
type feed struct {
	mu       sync.Mutex
	events   []models.Event // from the first on
	rows     map[string]models.Replica
	timeline string
	away     error
	missing  int64 // an event that is not there
	removed  []string
	acked    func(seq int64)
}

func newFeed() *feed { return &feed{rows: map[string]models.Replica{}, timeline: "1"} }

func (f *feed) happens(action models.Action, subject string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	seq := int64(len(f.events) + 1)
	f.events = append(f.events, models.Event{Seq: seq, Action: action, SubjectID: subject})
	return seq
}

func (f *feed) RegisterReplica(_ context.Context, r models.Replica) (models.LeaseRenewal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := int64(len(f.events))
	r.AckedSeq, r.LeaseNo = min(r.AckedSeq, last), 1
	if r.Timeline != "" && r.Timeline != f.timeline {
		r.AckedSeq = 0
	}
	if f.away == nil {
		f.rows[r.ID] = r
		if f.acked != nil {
			f.acked(r.AckedSeq)
		}
	}
	return models.LeaseRenewal{Snapshot: models.Snapshot{Seq: last}, Timeline: f.timeline}, f.away
}

func (f *feed) RenewLease(_ context.Context, r models.Replica) (models.LeaseRenewal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	row, ok := f.rows[r.ID]
	if f.away == nil && !ok {
		return models.LeaseRenewal{}, models.Fail(models.NotFound, "That does not exist.")
	}
	if f.away == nil {
		row.LeaseNo++
		if r.Timeline == f.timeline {
			row.AckedSeq = max(row.AckedSeq, r.AckedSeq)
		}
		f.rows[r.ID] = row
		if f.acked != nil {
			f.acked(row.AckedSeq)
		}
	}
	return models.LeaseRenewal{Snapshot: models.Snapshot{Seq: int64(len(f.events))}, Timeline: f.timeline}, f.away
}

func (f *feed) RemoveReplica(_ context.Context, id string, _ int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.removed = append(f.removed, id)
		delete(f.rows, id)
	}
	return f.away
}

func (f *feed) Replicas(context.Context) ([]models.Replica, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []models.Replica
	for _, r := range f.rows {
		list = append(list, r)
	}
	return list, f.away
}

func (f *feed) LastEvent(context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.events)), f.away
}

func (f *feed) EventsAfter(_ context.Context, after int64, limit int) ([]models.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := slices.Clone(f.events[after:min(int(after)+limit, len(f.events))])
	return slices.DeleteFunc(list, func(e models.Event) bool { return e.Seq == f.missing }), f.away
}

func (f *feed) ListenForChanges(context.Context, func(), func()) error { return nil }

// one is a replica whose clock a test moves, and what it did.
type oneReplica struct {
	*Replica
	feed   *feed
	now    models.Reading
	ends   []int64 // events that may have ended something
	lapses atomic.Int32
}

func replicaOf(t *testing.T, f *feed) *oneReplica {
	t.Helper()
	r := &oneReplica{feed: f, now: models.ReadClocks()}
	m := NewMemory(1000)
	m.clocks = func() models.Reading { return r.now }
	r.Replica = NewReplica(ReplicaSettings{
		Feed: f, Memory: m, Name: "a", NewID: models.NewID, Log: slog.New(slog.DiscardHandler),
		Ended: func(e models.Event) { r.ends = append(r.ends, e.Seq) }, Lapsed: func() { r.lapses.Add(1) }, Shared: func(int, int) {},
	})
	must(t, r.Begin(t.Context()))
	return r
}

func (r *oneReplica) leased() bool { return r.memory.lease.granted.Load().holds(r.now) }

// keepsOne puts a credential into memory as of an event, and keeps says whether it still answers.
func (r *oneReplica) keepsOne(seq int64) (keeps func() bool) {
	hash := mintedHash()
	g := goodGrant()
	g.AsOf.Seq = seq
	r.memory.keep(&hash, knownOf(&g), r.memory.generation.Load())
	return func() bool { return r.memory.recall(&hash, new(Known)) }
}

// A change is put into effect before it is acknowledged, and what it ended is ended by then.
func TestAReplicaAcknowledgesWhatIsInEffect(t *testing.T) {
	f := newFeed()
	f.happens(models.SetupCompleted, "")
	r := replicaOf(t, f)
	keeps, other := r.keepsOne(1), r.keepsOne(1)
	if !r.leased() || !keeps() {
		t.Fatal("it begins without a lease, or does not remember")
	}
	seq := f.happens(models.CredentialRevoked, c1)
	f.acked = func(acked int64) {
		if acked == seq && (keeps() || !slices.Contains(r.ends, seq)) {
			t.Error("it acknowledges what is not in effect")
		}
	}
	must(t, r.Renew(t.Context())) // which finds out that there is something new, and does not say yet that it is in effect
	if keeps() || other() || !slices.Equal(r.ends, []int64{2}) {
		t.Errorf("after the renewal it remembers what was touched; ended: %v", r.ends)
	}
	must(t, r.Renew(t.Context()))
	if row := f.rows[r.me.ID]; row.AckedSeq != seq {
		t.Errorf("it acknowledged %d of %d", row.AckedSeq, seq)
	}
	f.happens(models.CredentialRenamed, c1)
	must(t, r.Follow(t.Context()))
	if len(r.ends) != 1 {
		t.Errorf("what touches nothing ends something: %v", r.ends)
	}
}

// The lease counts from before the question, however long the answer takes, and is not prolonged by one that fails.
func TestALeaseBeginsBeforeTheQuestion(t *testing.T) {
	f := newFeed()
	r := replicaOf(t, f)
	f.acked = func(int64) { r.now = r.now.After(models.LeaseUse-time.Millisecond, 0) } // on its way
	must(t, r.Renew(t.Context()))
	if !r.leased() {
		t.Error("the lease is over too early")
	}
	if r.now = r.now.After(time.Millisecond, 0); r.leased() {
		t.Error("the lease counts from the answer")
	}
	f.acked = nil
	must(t, r.Renew(t.Context()))
	f.away = errors.New("away")
	r.now = r.now.After(models.LeaseUse/2, 0)
	if r.Renew(t.Context()) == nil || r.Follow(t.Context()) == nil {
		t.Fatal("the database is away, and nobody noticed")
	}
	if r.now = r.now.After(models.LeaseUse/2, 0); r.leased() || r.memory.Hears() {
		t.Error("what failed prolonged something")
	}
}

// A replica begins anew, and remembers nothing, when it is not on the list any more, and when the database has another history.
func TestAReplicaBeginsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(f *feed, r *oneReplica)
		lapses  int32
	}{
		"taken off the list":                    {func(f *feed, r *oneReplica) { delete(f.rows, r.me.ID) }, 1},
		"another timeline":                      {func(f *feed, r *oneReplica) { f.timeline = "2" }, 1},
		"another timeline, and not on the list": {func(f *feed, r *oneReplica) { f.timeline = "2"; delete(f.rows, r.me.ID) }, 2},
		"an older database":                     {func(f *feed, r *oneReplica) { f.events = f.events[:1] }, 1},
		"a gap": {func(f *feed, r *oneReplica) {
			f.happens(models.CredentialRevoked, x2)
			f.happens(models.CredentialRevoked, x2)
			f.missing = 4
		}, 1},
	} {
		f := newFeed()
		for range 3 {
			f.happens(models.CredentialRevoked, x2)
		}
		r := replicaOf(t, f)
		before, keeps := r.me.ID, r.keepsOne(3)
		c.happens(f, r)
		_ = r.Follow(t.Context())
		must(t, r.Renew(t.Context()))
		if keeps() || r.me.ID == before || !r.leased() || r.applied.Load() != int64(len(f.events)) || r.lapses.Load() != c.lapses {
			t.Errorf("%s: it remembers %v, is another one %v, has a lease %v, is at %d of %d, ended all %d times", name, keeps(), r.me.ID != before, r.leased(), r.applied.Load(), len(f.events), r.lapses.Load())
		}
		if _, there := f.rows[before]; there {
			t.Errorf("%s: others go on waiting for what it was", name)
		}
	}
}

// A replica that joins again does not say that what happened meanwhile is in effect before it has ended what was under way by it.
func TestAReplicaJoinsAgainAsFarAsItIs(t *testing.T) {
	f := newFeed()
	f.happens(models.SetupCompleted, "")
	r := replicaOf(t, f)
	delete(f.rows, r.me.ID)
	seq := f.happens(models.CredentialRevoked, c1)
	f.acked = func(acked int64) {
		if acked >= seq && !slices.Contains(r.ends, seq) {
			t.Error("it says so before the calls under way are ended")
		}
	}
	must(t, r.Renew(t.Context()))
	must(t, r.Renew(t.Context()))
	if row := f.rows[r.me.ID]; row.AckedSeq != seq || !r.leased() {
		t.Errorf("it is at %d of %d", row.AckedSeq, seq)
	}
}

// A database that a standby took over may have another event by a number that a replica has put into effect: it does not say so of that one before
// nothing is under way or remembered that was let in before.
func TestAReplicaAcknowledgesNothingOfAnotherHistory(t *testing.T) {
	for name, lost := range map[string]bool{"its row was copied": false, "its row was lost": true} {
		f := newFeed()
		f.happens(models.SetupCompleted, "")
		f.happens(models.CredentialRevoked, x2)
		r := replicaOf(t, f)
		keeps := r.keepsOne(2)
		f.timeline, f.events = "2", f.events[:1] // the second one never came to the standby
		for id, row := range f.rows {
			row.AckedSeq = 1
			f.rows[id] = row
		}
		if lost {
			clear(f.rows)
		}
		seq := f.happens(models.CredentialRevoked, c1) // by the same number
		f.acked = func(acked int64) {
			if acked >= seq && (keeps() || r.lapses.Load() == 0) {
				t.Errorf("%s: it acknowledges what is not in effect", name)
			}
		}
		must(t, r.Renew(t.Context()))
		must(t, r.Renew(t.Context()))
		if row := f.rows[r.me.ID]; row.AckedSeq != seq || !r.leased() || keeps() || len(f.rows) != 1 {
			t.Errorf("%s: it is at %d of %d, on the list: %v", name, row.AckedSeq, seq, f.rows)
		}
	}
}

// What was being read when a replica began anew is not taken.
func TestAReplicaTakesNothingFromBefore(t *testing.T) {
	f := newFeed()
	r := replicaOf(t, f)
	hash, generation := mintedHash(), r.memory.generation.Load()
	delete(f.rows, r.me.ID)
	must(t, r.Renew(t.Context()))
	g := goodGrant()
	r.memory.keep(&hash, knownOf(&g), generation)
	if r.memory.recall(&hash, new(Known)) {
		t.Error("it was taken")
	}
}

// While a replica runs, it takes others off the list that stand still, ends what is under way when nobody knows what has changed, and leaves when it ends.
func TestAReplicaRuns(t *testing.T) {
	f := newFeed()
	f.rows["dead"] = models.Replica{ID: "dead", Name: "dead", LeaseNo: 7}
	m := NewMemory(1000)
	var lapses atomic.Int32
	r := NewReplica(ReplicaSettings{
		Feed: f, Memory: m, Name: "a", NewID: models.NewID, Log: slog.New(slog.DiscardHandler), Ended: func(models.Event) {}, Lapsed: func() { lapses.Add(1) }, Shared: func(int, int) {},
	})
	must(t, r.Begin(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- r.Run(ctx) }()
	await := func(what string, is func() bool) {
		t.Helper()
		for range 1000 {
			if is() {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%s: not in ten seconds", what)
	}
	await("the dead one is gone", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.Equal(f.removed, []string{"dead"})
	})
	if s := r.Standing(); s.Lease <= 0 || !s.Hears || s.Heard > models.LeaseUse || s.ID == "" {
		t.Errorf("it stands at %+v", s)
	}
	f.mu.Lock()
	f.away = errors.New("away")
	f.mu.Unlock()
	await("all calls end", func() bool { return lapses.Load() > 0 && !m.Hears() })
	f.mu.Lock()
	f.away = nil
	f.mu.Unlock()
	await("it is back", func() bool { return r.Standing().Lease > 0 && m.Hears() })
	stop()
	must(t, <-over)
	if len(f.rows) != 0 || r.Standing().Lease > 0 {
		t.Errorf("it is on the list still: %v", f.rows)
	}
}
