package access

import (
	"context"
	"errors"
	"log/slog"
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
	alone     atomic.Bool // it is a file of this machine, and no other server's
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
	return r.feed.RemoveReplica(last, r.me.ID, 0)
}

// trouble tells the log when something begins to fail, and when it works again, and not each time.
type trouble struct {
	log     *slog.Logger
	failing bool
}

func (t *trouble) note(ctx context.Context, what string, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !t.failing:
		t.log.Warn(what, slog.Any("error", err))
		t.failing = true
	case err == nil && t.failing:
		t.log.Info("this works again", slog.String("what", what))
		t.failing = false
	}
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

// renewAgain renews the lease in time, and at once when something was put into effect that somebody may be waiting for.
func (r *Replica) renewAgain(ctx context.Context) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	failing := trouble{log: r.log}
	for {
		err := r.Renew(ctx)
		if failing.note(ctx, "the lease could not be renewed: until it can, every call asks the database", err); err != nil {
			sleep(ctx, pollEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.ack:
		case <-tick.C:
		}
	}
}

// Renew says how far this replica is, and with that has the lease for another while. A replica that is not on the list any more, or finds itself at
// another database, begins anew.
func (r *Replica) Renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	before := r.applied.Load()
	begun, renewal, err := r.renew(ctx)
	if err != nil {
		return err
	}
	r.following.Lock()
	defer r.following.Unlock()
	if renewal.Seq > r.applied.Load() || renewal.Seq < before { // what lies between was put into effect while this was on its way
		if err := r.catchUp(ctx, renewal.Seq); err != nil {
			return err
		}
	}
	r.renewing.Lock()
	defer r.renewing.Unlock()
	if r.member { // it was not thrown out meanwhile
		r.memory.lease.grant(begun, renewal.At)
	}
	return nil
}

func (r *Replica) renew(ctx context.Context) (begun models.Reading, renewal models.LeaseRenewal, err error) {
	r.renewing.Lock()
	defer r.renewing.Unlock()
	begun = r.memory.clocks() // before the question is sent
	if r.member {
		me := r.me
		me.AckedSeq, me.Entries, me.Notice = r.applied.Load(), int64(r.memory.Entries()), r.Notice()
		renewal, err = r.feed.RenewLease(ctx, me)
		switch {
		case err == nil && renewal.Timeline == r.timeline:
			return begun, renewal, nil
		case err == nil:
			r.log.Warn("the database has another history now", slog.String("timeline", renewal.Timeline))
		case models.KindOf(err) == models.NotFound:
			r.log.Warn("this server was silent for so long that the others do not wait for it any more; it begins anew")
		default:
			return begun, renewal, err
		}
	}
	// Nothing that was read before may be known when others wait for this replica again.
	r.member = false
	r.memory.lease.end()
	r.memory.forget()
	if r.me.ID != "" { // nobody need wait for what it was before
		if err := r.feed.RemoveReplica(ctx, r.me.ID, 0); err != nil {
			return begun, renewal, err
		}
	}
	begun, r.me.ID = r.memory.clocks(), r.newID()
	r.me.StartedAt = begun.Time()
	if renewal, err = r.feed.RegisterReplica(ctx, r.me); err == nil {
		id := r.me.ID
		r.member, r.timeline = true, renewal.Timeline
		r.listed.Store(&id)
	}
	return begun, renewal, err
}

// listen has the database tell of changes, as long as it does.
func (r *Replica) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.feed.ListenForChanges(ctx, func() { r.setTold("") }, r.Heard)
		if ctx.Err() != nil {
			return
		}
		if err == nil { // it tells nobody, and is none the worse for it
			r.alone.Store(true)
			return
		}
		if r.told.Load() || r.Notice() == "" {
			r.log.Info("the database does not tell of changes; this server asks for them", slog.Any("error", err))
		}
		r.setTold(models.NoticePolling)
		r.Heard()
		sleep(ctx, relisten)
	}
}

func (r *Replica) setTold(notice string) {
	r.notice.Store(&notice)
	r.told.Store(notice == "")
}

// Notice is what is wrong with the replica; empty: nothing.
func (r *Replica) Notice() string {
	if n := r.notice.Load(); n != nil {
		return *n
	}
	return ""
}

// tidyAgain takes replicas off the list that have not renewed for as long as a change waits for them.
func (r *Replica) tidyAgain(ctx context.Context) {
	type seen struct {
		lease int64
		since models.Reading
	}
	known := map[string]seen{}
	for sleep(ctx, tidyEvery) {
		list, err := r.feed.Replicas(ctx)
		if err != nil {
			continue // who renews the lease says so
		}
		now, there := r.memory.clocks(), map[string]seen{}
		r.place(list)
		for _, other := range list {
			before, ok := known[other.ID]
			switch {
			case !ok || before.lease != other.LeaseNo:
				before = seen{other.LeaseNo, now}
			case before.since.AtLeast(now) >= models.LeaseWait:
				if err := r.feed.RemoveReplica(ctx, other.ID, other.LeaseNo); err == nil {
					r.log.Info("a replica that does not answer was taken off the list", slog.String("replica", other.Name))
				}
			}
			there[other.ID] = before
		}
		known = there
	}
}

// watch ends what is under way while nobody knows what has changed, or others may not wait for this replica any more.
func (r *Replica) watch(ctx context.Context) {
	lapsed := true // nothing is under way yet
	for sleep(ctx, watchEvery) {
		if r.memory.Hears() && !r.forgotten() {
			lapsed = false
			continue
		}
		if !lapsed {
			r.log.Warn("the database does not say what has changed, or not that this server is there: calls under way are ended")
		}
		r.lapsed()
		lapsed = true
	}
}

// forgotten says whether others may have taken this replica off the list, and do not wait for it when something changes. Who has the database alone
// is waited for by nobody else.
func (r *Replica) forgotten() bool {
	return !r.alone.Load() && r.memory.lease.granted.Load().left(r.memory.clocks()) <= models.LeaseUse-models.LeaseWait+watchEvery
}

// sleep says whether the context goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Standing is how a replica is doing at a moment.
type Standing struct {
	ID      string        // on the list of replicas; empty while it is not
	Lease   time.Duration // how long it may still answer from memory; 0 or less: it may not
	Heard   time.Duration // since it knew of all that had changed
	Behind  int64         // events that it knows of and has not put into effect
	Live    int           // replicas on the list, itself among them
	Evicted int64         // credentials that had to make room for others
	Hears   bool          // it knows what has changed up to a moment ago
	Applied int64         // the last event that it put into effect
	Entries int
	Hits    int64 // credentials that were answered about from memory
	Misses  int64 // from the database
	Notice  string
}

// Standing says how the replica is doing now.
func (r *Replica) Standing() Standing {
	s := Standing{Hears: r.memory.Hears(), Applied: r.applied.Load(), Entries: r.memory.Entries(), Notice: r.Notice()}
	now := r.memory.clocks()
	s.Lease = r.memory.lease.granted.Load().left(now)
	s.Heard = models.LeaseUse - r.memory.heard.granted.Load().left(now)
	s.Behind, s.Live, s.Evicted = max(0, r.last.Load()-s.Applied), int(r.live.Load()), r.memory.known.evicted.Load()
	s.Hits, s.Misses = r.memory.Asked()
	if id := r.listed.Load(); id != nil {
		s.ID = *id
	}
	return s
}
