package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"tokendesk/migrations"
	"tokendesk/models"
	"tokendesk/models/secret"
)

// errUnchanged ends a write in which there is nothing to do: nothing is kept, no event is made,
// and the caller sees success.
var errUnchanged = errors.New("nothing to change")

// write is the one way to change anything: a transaction around fn, the event that fn returns
// with the next number and the chain's hash, commit, and then the listeners.
//
// The row that holds the number is locked from the beginning to the commit. So writes follow each
// other, the order of numbers is the order of commits, and whoever asks still may when it is done:
// what changes their rights is a write too, and either came before, and is seen, or comes after.
func (s *Store) write(ctx context.Context, who models.Actor, fn func(tx *gorm.DB) (models.Event, error)) error {
	return s.commit(ctx, who, func(tx *gorm.DB) ([]models.Event, error) {
		if err := s.admit(tx, who); err != nil {
			return nil, err
		}
		event, err := s.once(tx, who, fn)
		return []models.Event{event}, err
	})
}

// writeLong is write for what takes long and changes nobody's rights: it has others wait only at its
// end, and finds out there whether who asks still may.
func (s *Store) writeLong(ctx context.Context, who models.Actor, fn func(tx *gorm.DB) (models.Event, error)) error {
	return s.commit(ctx, who, func(tx *gorm.DB) ([]models.Event, error) {
		event, err := fn(tx)
		if err != nil {
			return nil, err
		}
		return []models.Event{event}, s.admit(tx, who)
	})
}

// commit is write for any number of events: it stores them, tells the listeners, and waits for the replicas.
func (s *Store) commit(ctx context.Context, who models.Actor, fn func(tx *gorm.DB) ([]models.Event, error)) error {
	events, err := s.store(ctx, who, fn)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		s.settleBefore(ctx)
		return nil
	}
	for _, event := range events {
		for _, tell := range s.listeners {
			tell(event)
		}
	}
	s.settle(ctx, events)
	return nil
}

// store does all of commit that is in the database; without an event, nothing changed.
func (s *Store) store(ctx context.Context, who models.Actor, fn func(tx *gorm.DB) ([]models.Event, error)) ([]models.Event, error) {
	defer s.alone()()
	var events []models.Event
	ready := false // all is in the transaction; what is left is the commit
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if err = s.endWhenIdle(tx); err != nil {
			return err
		}
		if events, err = fn(tx); err != nil {
			return err
		}
		for i := range events {
			event := &events[i]
			event.ID, event.At = s.newID(), s.now()
			event.ActorKind, event.ActorID, event.ActorName = who.Kind, who.ID, who.Name
			event.SessionID, event.CredentialID = who.SessionID, who.CredentialID
			event.Address, event.RequestID = who.Address, who.RequestID
			if err := appendEvent(tx, event); err != nil {
				return err
			}
		}
		if err := s.notify(tx, events); err != nil {
			return err
		}
		ready = true
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil, nil
	}
	if err != nil && ready {
		err = s.afterLostCommit(ctx, events[len(events)-1].ID, err)
	}
	if err != nil {
		return nil, translate(err)
	}
	return events, nil
}

// endsWhenIdle says how long a transaction may stand still between two statements. What it has locked everybody else waits for, and a server that is
// stopped, or cut off, does not know that it keeps them waiting.
const endsWhenIdle = "set_config('idle_in_transaction_session_timeout', '5s', true)"

// endWhenIdle has PostgreSQL end this transaction when it stands still for too long: it then has changed nothing.
func (s *Store) endWhenIdle(tx *gorm.DB) error {
	if s.dialect != migrations.Postgres {
		return nil
	}
	return fresh(tx).Exec("SELECT " + endsWhenIdle).Error
}

// afterLostCommit finds out what became of a commit whose answer was lost. An event that is there
// says that all of it happened. One that is not there says nothing: the commit may still be on its way.
func (s *Store) afterLostCommit(ctx context.Context, eventID string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	var found int64
	_, err := s.asOf(ctx, func(tx *gorm.DB) error { // a standby may show it before those do who are waited for
		return fresh(tx).Model(&models.Event{}).Where("id = ?", eventID).Count(&found).Error
	})
	if err == nil && found == 1 {
		return nil
	}
	return models.Fail(models.Unavailable, "The database went away while this was being saved. Look whether it was before you try again.").Because(errors.Join(cause, err))
}

// appendEvent gives the event the next number and a time that is not before the last one's, whichever
// server's clock that was; chains it to the one before; and stores it.
func appendEvent(tx *gorm.DB, event *models.Event) error {
	last, err := readClock(tx)
	if err != nil {
		return err
	}
	event.Seq = last.LastSeq + 1
	// A credential that somebody typed where a name belongs must not stay for good in what nobody can change.
	event.ActorName, event.SubjectName, event.Changes = secret.Mask(event.ActorName), secret.Mask(event.SubjectName), secret.Mask(event.Changes)
	if event.At.Before(last.LastAt) {
		event.At = models.Instant(last.LastAt)
	}
	event.Hash = event.Sum(last.LastHash)
	next := tx.Model(&changeClock{}).Where("one = 1 AND last_seq = ?", last.LastSeq).
		Updates(map[string]any{"last_seq": event.Seq, "last_hash": event.Hash, "last_at": event.At})
	if err := one(next); err != nil {
		return err
	}
	return tx.Create(event).Error
}

// changeClock is the one row that says where the log ends. Whoever has it locked writes.
type changeClock struct {
	LastSeq  int64
	LastHash []byte
	LastAt   time.Time
}

func (changeClock) TableName() string { return "change_clock" }

func readClock(tx *gorm.DB) (changeClock, error) { return take[changeClock](lock(tx)) }
