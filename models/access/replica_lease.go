package access

import (
	"context"
	"log/slog"
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
	r.me.StartedAt, r.me.AckedSeq = begun.Time(), r.applied.Load() // what is under way was ended up to there, and no further
	if renewal, err = r.feed.RegisterReplica(ctx, r.me); err == nil {
		id := r.me.ID
		r.member, r.timeline = true, renewal.Timeline
		r.listed.Store(&id)
	}
	return begun, renewal, err
}
