package access

import (
	"context"
	"log/slog"
	"time"

	"tokendesk/models"
)

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

// listen has the database tell of changes, as long as it does.
func (r *Replica) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.feed.ListenForChanges(ctx, func() { r.setTold("") }, r.Heard)
		if ctx.Err() != nil {
			return
		}
		if err == nil { // it tells nobody, and is none the worse for it
			r.memory.alone.Store(true)
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
		if r.memory.GoesOn() {
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
