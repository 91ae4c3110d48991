package access

import (
	"context"
	"errors"
	"time"

	"tokendesk/models"
)

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
	if errors.Is(err, errAnotherHistory) {
		before = r.startOver(renewal.Seq)
		begun, renewal, err = r.renew(ctx)
	}
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

// errAnotherHistory says that the database is not the one that this replica was registered with: what it has put into effect, by numbers, may be
// something else there.
var errAnotherHistory = errors.New("the database has another history")

// startOver has nothing hold that was let in or read before, as of an event of the database as it is now.
func (r *Replica) startOver(last int64) int64 {
	r.following.Lock()
	defer r.following.Unlock()
	r.forget("the database has another history: it was restored, or a standby took over")
	r.applied.Store(last)
	return last
}

// renew does that once. errAnotherHistory comes with what the database said, and what the replica has put into effect counts for nothing there.
func (r *Replica) renew(ctx context.Context) (begun models.Reading, renewal models.LeaseRenewal, err error) {
	r.renewing.Lock()
	defer r.renewing.Unlock()
	begun = r.memory.clocks() // before the question is sent
	gone := false
	if r.member {
		me := r.me
		me.AckedSeq, me.Timeline, me.Entries, me.Notice = r.applied.Load(), r.timeline, int64(r.memory.Entries()), r.Notice()
		renewal, err = r.feed.RenewLease(ctx, me)
		switch {
		case err == nil && renewal.Timeline == r.timeline:
			return begun, renewal, nil
		case err == nil:
			r.timeline = renewal.Timeline
			return begun, renewal, errAnotherHistory
		case models.KindOf(err) == models.NotFound:
			r.log.Warn("this server is not on the list any more, because it was silent for too long or the database was restored; it begins anew")
			gone = true
		default:
			return begun, renewal, err
		}
	}
	// Nothing that was read before may be known when others wait for this replica again.
	r.member = false
	r.memory.lease.end()
	r.memory.forget()
	if gone { // a log that was restored may end at the very number that was put into effect here: no event would end what is under way
		r.lapsed()
	}
	if r.me.ID != "" { // nobody need wait for what it was before
		if err := r.feed.RemoveReplica(ctx, r.me.ID, 0); err != nil {
			return begun, renewal, err
		}
	}
	begun, r.me.ID = r.memory.clocks(), r.newID()
	if r.me.StartedAt.IsZero() { // however often it joins
		r.me.StartedAt = begun.Time()
	}
	r.me.AckedSeq = r.applied.Load() // what is under way was ended up to there, and no further
	r.me.Timeline = r.timeline
	if renewal, err = r.feed.RegisterReplica(ctx, r.me); err != nil {
		return begun, renewal, err
	}
	id := r.me.ID
	r.listed.Store(&id)
	r.timeline = renewal.Timeline
	if r.me.Timeline != "" && r.me.Timeline != r.timeline {
		return begun, renewal, errAnotherHistory
	}
	r.member = true
	return begun, renewal, nil
}
