package access

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"tokendesk/models"
)

// Feed is where a replica finds out what has changed, and says how far it is: the store.
type Feed interface {
	RegisterReplica(ctx context.Context, r models.Replica) (models.LeaseRenewal, error)
	RenewLease(ctx context.Context, r models.Replica) (models.LeaseRenewal, error)
	RemoveReplica(ctx context.Context, id string, lease int64) error
	Replicas(ctx context.Context) ([]models.Replica, error)

	// LastEvent is the number of the newest event, and EventsAfter what came after one. Both are read from what is not a standby.
	LastEvent(ctx context.Context) (int64, error)
	EventsAfter(ctx context.Context, after int64, limit int) ([]models.Event, error)

	// ListenForChanges calls heard when there may be something new, and ready once it is sure to. It returns why that is over; nil where nobody
	// is ever told.
	ListenForChanges(ctx context.Context, ready, heard func()) error
}

// How often a replica does what it does.
const (
	renewEvery  = 500 * time.Millisecond
	pollEvery   = 50 * time.Millisecond  // for what has changed, while nothing tells of it
	checkEvery  = 500 * time.Millisecond // for what has changed, although something does
	relisten    = time.Second
	tidyEvery   = time.Second
	watchEvery  = 100 * time.Millisecond
	eventsAtOne = 1000
	askPatience = 1500 * time.Millisecond // for an answer of the database; a lease would be over soon after
	noticed     = 30 * time.Millisecond   // whoever waits has looked by then
)

// Replica keeps a Memory true: it follows what changes, ends what must not go on, says so to whoever waits for it, and has a lease that ends
// by itself when it can do none of this. docs/revocation.md says why that is enough.
type Replica struct {
	feed   Feed
	memory *Memory
	me     models.Replica
	newID  models.IDs
	log    *slog.Logger
	ended  func(models.Event) // called for each event that touched something, after memory does not know better any more
	lapsed func()             // called when nobody knows what has changed: nothing that was let in may go on
	shared func(at, of int)

	told      atomic.Bool // the database tells of changes
	notice    atomic.Pointer[string]
	applied   atomic.Int64
	listed    atomic.Pointer[string] // its ID on the list
	last      atomic.Int64           // the newest event that it knows of
	live      atomic.Int64           // replicas on the list
	timeline  string                 // of the database that this replica is registered with
	member    bool                   // it is registered
	following sync.Mutex
	renewing  sync.Mutex
	hear, ack chan struct{}
}

// ReplicaSettings are what a replica needs.
type ReplicaSettings struct {
	Feed    Feed
	Memory  *Memory
	Name    string // what the operator calls it
	Version string
	NewID   models.IDs
	Log     *slog.Logger
	Ended   func(models.Event) // an event may have ended what is under way
	Lapsed  func()             // whatever is under way must end

	// Shared is told, by one goroutine at a time, that this replica is the at-th of so many on the list, from 0 in the order of their IDs; see
	// Limiter.Share.
	Shared func(at, of int)
}

// NewReplica makes a replica that knows nothing yet, and has no lease.
func NewReplica(set ReplicaSettings) *Replica {
	return &Replica{
		feed: set.Feed, memory: set.Memory, me: models.Replica{Name: set.Name, Version: set.Version}, newID: set.NewID, log: set.Log,
		ended: set.Ended, lapsed: set.Lapsed, shared: set.Shared, hear: make(chan struct{}, 1), ack: make(chan struct{}, 1),
	}
}

// Heard says that something may have changed; the store's listeners of this process call it, so that nobody has to wait for a notification.
func (r *Replica) Heard() { poke(r.hear) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // somebody did already
	}
}

// Begin has the replica join the others before anybody asks it anything.
func (r *Replica) Begin(ctx context.Context) error {
	if err := errors.Join(r.Follow(ctx), r.Renew(ctx)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	list, err := r.feed.Replicas(ctx)
	if err == nil {
		r.place(list)
	}
	return err
}

// place finds out which of the replicas this one is.
func (r *Replica) place(list []models.Replica) {
	r.live.Store(int64(len(list)))
	me := r.listed.Load()
	if me == nil {
		return
	}
	at, there := 0, false
	for _, other := range list {
		there = there || other.ID == *me
		if other.ID < *me {
			at++
		}
	}
	if there { // or it will be, by another ID
		r.shared(at, len(list))
	}
}

// Run works until the context ends. Then it gives up the lease and takes itself off the list, so that nobody waits for it.
func (r *Replica) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, work := range []func(context.Context){r.follow, r.renewAgain, r.listen, r.tidyAgain, r.watch} {
		all.Go(func() { work(ctx) })
	}
	all.Wait()
	r.memory.lease.end()
	r.renewing.Lock()
	defer r.renewing.Unlock()
	if !r.member {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), askPatience)
	defer cancel()
	r.member = false
	gone := r.me
	gone.AckedSeq = math.MaxInt64 // it lets nobody in any more: whoever waits need not, and should not take it for silent
	if _, err := r.feed.RenewLease(last, gone); err == nil {
		sleep(last, noticed)
	}
	return r.feed.RemoveReplica(last, gone.ID, 0)
}

// follow puts into effect what changes, as soon as it hears of it.
func (r *Replica) follow(ctx context.Context) {
	failing := trouble{log: r.log}
	for {
		pause := pollEvery
		if r.told.Load() {
			pause = checkEvery
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-r.hear:
			wait.Stop()
		case <-wait.C:
		}
		err := r.Follow(ctx)
		if failing.note(ctx, "what has changed could not be read", err); err != nil {
			sleep(ctx, pollEvery)
		}
	}
}

// Follow reads what has changed since the last time, and puts it into effect.
func (r *Replica) Follow(ctx context.Context) error {
	r.following.Lock()
	defer r.following.Unlock()
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	begun := r.memory.clocks()
	last, err := r.feed.LastEvent(ctx)
	if err != nil {
		return err
	}
	r.last.Store(last)
	if err := r.catchUp(ctx, last); err != nil {
		return err
	}
	r.memory.heard.grant(begun, time.Time{})
	return nil
}

// catchUp puts into effect all events up to one. The caller holds r.following.
func (r *Replica) catchUp(ctx context.Context, last int64) error {
	applied := r.applied.Load()
	if last < applied { // this is another database, or another history of it
		r.forget("the database is older than what this server has heard from it")
		r.applied.Store(last)
		return nil
	}
	if applied == 0 { // nothing is known that could be wrong
		r.applied.Store(last)
		return nil
	}
	for applied < last {
		events, err := r.feed.EventsAfter(ctx, applied, eventsAtOne)
		if err != nil {
			return err
		}
		if len(events) == 0 || events[0].Seq != applied+1 {
			r.forget("events are missing")
			r.applied.Store(last)
			return nil
		}
		if mutantAckFirst {
			r.applied.Store(events[len(events)-1].Seq)
			poke(r.ack)
			mutantPause()
		}
		for _, e := range events {
			if e.Seq != applied+1 {
				r.forget("events are missing")
				r.applied.Store(last)
				return nil
			}
			r.apply(e)
			applied = e.Seq
		}
		r.applied.Store(applied)
		poke(r.ack)
	}
	return nil
}

// apply has memory not know any more what an event touched, and then ends what was let in by it. Only after that may anybody be told that the event
// is in effect.
func (r *Replica) apply(e models.Event) {
	if touched := e.Touches(); !touched.Nothing() {
		r.memory.stamps.put(e.Seq, touched)
		if !mutantStreams {
			r.ended(e)
		}
	}
}

// forget begins anew, with nothing.
func (r *Replica) forget(why string) {
	r.log.Warn("this server forgets what it knew of credentials and asks the database again", slog.String("why", why))
	r.memory.lease.end()
	r.memory.forget()
	r.lapsed()
	r.renewing.Lock()
	defer r.renewing.Unlock()
	r.member = false
}
