package store

import (
	"bytes"
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

const onlyAdminsAudit = "Only Admins can read the audit log."

// Events lists the audit log, newest first, as far back as it takes to find as many as are asked for: where the parts of
// a filter are in many events each and together in few, that may be through all of it.
func (s *Store) Events(ctx context.Context, who models.Actor, f models.EventFilter) (list []models.Event, err error) {
	err = s.inLog(ctx, who, f, func(tx *gorm.DB, in stretch) error {
		return in.matching(tx).Limit(f.Limit).Find(&list).Error
	})
	return list, err
}

// inLog runs queries over the part of the log in which a filter's events are, for those who may read them.
func (s *Store) inLog(ctx context.Context, who models.Actor, f models.EventFilter, run func(*gorm.DB, stretch) error) error {
	if err := s.mayReadEvents(ctx, who, f.WorkspaceID); err != nil {
		return err
	}
	return s.byFewestRows(ctx, func(tx *gorm.DB) error {
		in, err := s.stretch(tx, f)
		if err != nil {
			return err
		}
		return run(tx, in)
	})
}

// mayReadEvents lets Admins read all events, and who runs a workspace those of it.
func (s *Store) mayReadEvents(ctx context.Context, who models.Actor, workspaceID string) error {
	if who.MayReadAudit() || workspaceID == "" {
		return allow(who.MayReadAudit(), onlyAdminsAudit)
	}
	w, err := s.Workspace(ctx, who, workspaceID)
	if err != nil {
		return err
	}
	return allow(who.MayReadWorkspaceAudit(w.Role), "Only the workspace's Owner and Admins can read its audit log.")
}

// numbers turns the days of a filter into numbers of events: along the log moments never go back. 0
// means no bound.
func numbers(tx *gorm.DB, f models.EventFilter) (first, beyond int64, err error) {
	beyond = f.Before
	if !f.From.IsZero() {
		if first, err = firstSince(tx, f.From); err != nil {
			return 0, 0, err
		}
	}
	if !f.To.IsZero() {
		end, err := firstSince(tx, f.To)
		if err != nil {
			return 0, 0, err
		}
		if beyond == 0 || end < beyond {
			beyond = end
		}
	}
	return first, beyond, nil
}

// firstSince is the number of the first event at a moment or later, and a number above all others where
// there is none yet.
func firstSince(tx *gorm.DB, at time.Time) (int64, error) {
	var found []int64
	err := fresh(tx).Model(&models.Event{}).Where("at >= ?", models.Instant(at)).
		Order("at, seq").Limit(1).Pluck("seq", &found).Error
	if err != nil || len(found) == 0 {
		return 1 << 62, err
	}
	return found[0], nil
}

// Event finds one event by its number, with its neighbours. With a workspace it is one of that
// workspace's events, and so are its neighbours.
func (s *Store) Event(ctx context.Context, who models.Actor, workspaceID string, seq int64) (models.EventSeen, error) {
	var seen models.EventSeen
	noEvent := models.Fail(models.NotFound, "There is no such event.")
	if err := s.mayReadEvents(ctx, who, workspaceID); err != nil {
		return seen, err
	}
	within := func() *gorm.DB {
		q := s.db.WithContext(ctx).Model(&models.Event{})
		if workspaceID != "" {
			q = q.Where("workspace_id = ?", workspaceID)
		}
		return q
	}
	var err error
	if seen.Event, err = take[models.Event](within().Where("seq = ?", seq)); err != nil {
		if models.KindOf(err) == models.NotFound {
			err = noEvent
		}
		return seen, err
	}
	var before []models.Event
	var older, newer []int64
	err = s.db.WithContext(ctx).Where("seq = ?", seq-1).Find(&before).Error
	if err == nil {
		err = within().Where("seq < ?", seq).Order("seq DESC").Limit(1).Pluck("seq", &older).Error
	}
	if err == nil {
		err = within().Where("seq > ?", seq).Order("seq").Limit(1).Pluck("seq", &newer).Error
	}
	if err != nil {
		return seen, translate(err)
	}
	for _, e := range before {
		seen.HashBefore = e.Hash
	}
	for _, n := range older {
		seen.Older = n
	}
	for _, n := range newer {
		seen.Newer = n
	}
	seen.Holds = (seq == 1) == (len(before) == 0) && bytes.Equal(seen.Hash, seen.Sum(seen.HashBefore))
	return seen, nil
}

// EventsAfter lists the audit log onwards from an event's number, oldest first. Replicas hear by it of what has changed, and must not stand in line behind callers.
func (s *Store) EventsAfter(ctx context.Context, after int64, limit int) ([]models.Event, error) {
	db := s.db.WithContext(ctx)
	db.Statement.ConnPool = s.lasting()
	list, err := eventsAfter(db, after, limit)
	return list, translate(err)
}

func eventsAfter(db *gorm.DB, after int64, limit int) (list []models.Event, err error) {
	err = db.Where("seq > ?", after).Order("seq").Limit(limit).Find(&list).Error
	return list, err
}

// LastEvent is the number of the newest event; 0 when there is none.
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	asOf, err := s.readSnapshot(s.lasting().QueryRowContext(ctx, s.snapshotSQL()))
	return asOf.Seq, err
}

// StillMay says whether an actor whose request takes long may go on: a session that ended or a role that
// was lost meanwhile ends it.
func (s *Store) StillMay(ctx context.Context, who models.Actor) error {
	_, err := s.asOf(ctx, func(tx *gorm.DB) error { return s.standing(tx, who) })
	return err
}
