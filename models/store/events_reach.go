package store

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tokendesk/models"
)

// logIndexes are the indexes of the log that end in the event's number, by the columns before it.
var logIndexes = [][]string{
	{"actor_id", "action"}, {"workspace_id", "action"}, {"workspace_id", "actor_id"},
	{"workspace_id"}, {"actor_id"}, {"actor_kind"}, {"address"}, {"action"}, {"subject_id"}, {"person_id"},
}

// conditions are the parts of a filter that are in so many events each: columns, and the values that they must have.
func conditions(f models.EventFilter) map[string]string {
	all := map[string]string{
		"workspace_id": f.WorkspaceID, "actor_id": f.ActorID, "actor_kind": string(f.ActorKind), "address": f.Address,
		"action": string(f.Action), "subject_id": f.SubjectID, "person_id": f.PersonID,
	}
	for column, value := range all {
		if value == "" {
			delete(all, column)
		}
	}
	return all
}

// stretch is where in the log a page is looked for: among the events that an index lists one after the other,
// between two numbers.
type stretch struct {
	index         []string // the columns before the number; none: the log itself
	values        map[string]string
	first, beyond int64 // from first on, below beyond; 0: no bound
	many          bool  // more events than are looked through for a page, of which only some may match
	further       int64 // where it goes on; 0: nowhere
	since         time.Time
}

// stretch chooses what to read along: an index that has all of the filter, or else the one with the fewest events, as
// far as they are worth counting. A database does not know: one value of a column may be in half of all
// events and the next in three, and two that are common may never be together.
func (s *Store) stretch(tx *gorm.DB, f models.EventFilter) (stretch, error) {
	best := stretch{values: conditions(f)}
	var err error
	if best.first, best.beyond, err = numbers(tx, f); err != nil || len(best.values) == 0 {
		return best, err
	}
	fewest := int64(math.MaxInt64)
	for _, index := range logIndexes {
		if slices.ContainsFunc(index, func(column string) bool { return best.values[column] == "" }) {
			continue
		}
		candidate := best
		if candidate.index = index; len(index) == len(best.values) {
			return candidate, nil
		}
		n, err := countUpTo(tx, candidate.along(tx).Select("seq"), s.reach+1)
		if err != nil {
			return best, err
		}
		if n < fewest {
			best.index, fewest = index, n
		}
	}
	best.many = fewest > int64(s.reach)
	return best, nil
}

// shorten ends a stretch after as many events as are looked through for a page.
func (s *Store) shorten(tx *gorm.DB, in *stretch) error {
	var last []models.Event
	err := in.along(tx).Select("seq", "at").Offset(s.reach - 1).Limit(1).Find(&last).Error
	for _, e := range last {
		in.first, in.further, in.since = e.Seq, e.Seq, e.At
	}
	return err
}

// along is the events of a stretch's index, newest first.
func (in stretch) along(tx *gorm.DB) *gorm.DB {
	q := fresh(tx).Model(&models.Event{})
	for _, column := range in.index {
		q = q.Where(column+" = ?", in.values[column])
	}
	if in.first > 0 {
		q = q.Where("seq >= ?", in.first)
	}
	if in.beyond > 0 {
		q = q.Where("seq < ?", in.beyond)
	}
	return q.Order("seq DESC")
}

// matching is the events of a stretch that have all of the filter, newest first. What is joined to nothing is the same
// text, and keeps the databases from another index.
func (in stretch) matching(tx *gorm.DB) *gorm.DB {
	q := in.along(tx)
	for _, column := range slices.Sorted(maps.Keys(in.values)) {
		if !slices.Contains(in.index, column) {
			q = q.Where("? || '' = ?", clause.Column{Name: column}, in.values[column])
		}
	}
	return q
}

// countUpTo counts the rows of a query, as far as they are worth counting.
func countUpTo(tx, q *gorm.DB, most int) (n int64, err error) {
	return n, fresh(tx).Table("(?) AS counted", q.Limit(most)).Count(&n).Error
}

// EventsNear lists the audit log, newest first, for a page that costs the same whatever is asked for and wherever it
// is. Where the parts of a filter are in many events each and together in few, it looks through so many and
// no more, and says where to go on.
func (s *Store) EventsNear(ctx context.Context, who models.Actor, f models.EventFilter) (found models.EventsFound, err error) {
	err = s.inLog(ctx, who, f, func(tx *gorm.DB, in stretch) error {
		if in.many {
			if err := s.shorten(tx, &in); err != nil {
				return err
			}
		}
		err := in.matching(tx).Limit(f.Limit).Find(&found.Events).Error
		if len(found.Events) < f.Limit {
			found.Further, found.Since = in.further, in.since
		}
		return err
	})
	return found, err
}

// CountEvents counts the events that match, from the newest on, up to models.CountCap and one more, and says
// whether these are all: it looks no further than EventsNear does for the first page. All events together are counted by
// their numbers, which have no gaps.
func (s *Store) CountEvents(ctx context.Context, who models.Actor, f models.EventFilter) (n int, all bool, err error) {
	f.Before, f.Limit = 0, 0
	if f == (models.EventFilter{}) {
		newest, err := s.Events(ctx, who, models.EventFilter{Limit: 1})
		if err != nil || len(newest) == 0 {
			return 0, err == nil, err
		}
		return int(newest[0].Seq), true, nil
	}
	err = s.inLog(ctx, who, f, func(tx *gorm.DB, in stretch) error {
		if in.many {
			if err := s.shorten(tx, &in); err != nil {
				return err
			}
		}
		found, err := countUpTo(tx, in.matching(tx).Select("seq"), models.CountCap+1)
		n, all = int(found), in.further == 0 && found <= models.CountCap
		return err
	})
	return n, all, err
}
