package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tokendesk/migrations"
	"tokendesk/models"
)

// The replicas: the servers that answer from memory, each under a lease. How they and whatever changes a verdict go together is
// in docs/revocation.md.

// asOf runs queries whose answers somebody relies on, if only that there is nothing, and tells the moment that what they read is at least as new as. They go
// to the server that told it: a standby that lags behind would pass for the database otherwise, so it is models.Unavailable.
func (s *Store) asOf(ctx context.Context, run func(tx *gorm.DB) error) (at models.Snapshot, err error) {
	err = s.together(ctx, func(tx *gorm.DB) (err error) {
		var now struct {
			LastSeq int64
			Moment  sql.NullTime
			Standby bool
		}
		if res := fresh(tx).Raw(s.togetherSQL()).Scan(&now); res.Error != nil || res.RowsAffected != 1 {
			return cmp.Or(res.Error, errNoClock)
		}
		if at, err = s.snapshot(now.LastSeq, now.Moment, now.Standby); err != nil {
			return err
		}
		return run(tx)
	})
	return at, err
}

// errNoClock is what a database says that is being restored: that nothing is there is no answer either.
var errNoClock = errors.New("the database has no number of its last event")

// togetherSQL is snapshotSQL at the beginning of a transaction, which ends when it stands still for too long, as in endWhenIdle.
func (s *Store) togetherSQL() string {
	if s.dialect == migrations.Postgres {
		return "SELECT last_seq, " + s.moment() + ", " + endsWhenIdle + " FROM change_clock"
	}
	return s.snapshotSQL()
}

func (s *Store) snapshotSQL() string { return "SELECT last_seq, " + s.moment() + " FROM change_clock" }

// moment is what a statement adds to learn the database's time, and whether it is a standby. SQLite is a file of this machine.
func (s *Store) moment() string {
	if s.dialect == migrations.Postgres {
		return "clock_timestamp() AS moment, pg_is_in_recovery() AS standby"
	}
	return "NULL AS moment, 0 AS standby"
}

func (s *Store) readSnapshot(row *sql.Row) (at models.Snapshot, err error) {
	var then sql.NullTime
	var standby bool
	if err := row.Scan(&at.Seq, &then, &standby); err != nil {
		return at, translate(err)
	}
	return s.snapshot(at.Seq, then, standby)
}

func (s *Store) snapshot(seq int64, then sql.NullTime, standby bool) (models.Snapshot, error) {
	if err := refuseStandby(standby); err != nil {
		return models.Snapshot{}, err
	}
	at := models.Snapshot{Seq: seq}
	if then.Valid && s.databaseTime {
		at.At = models.Instant(then.Time)
	}
	return at, nil
}

func refuseStandby(is bool) error {
	if is && !mutantStandby {
		return errStandby
	}
	return nil
}

var errStandby = models.Fail(models.Unavailable, "The database that answered is a standby, which may lag behind.")

// RegisterReplica adds a server to those that are waited for, from now on. It remembers nothing, but what is under way there may still have to be ended by events
// that it has not put into effect: so it says how far it is. No change is being made meanwhile, so that each either is in the snapshot or finds the replica.
func (s *Store) RegisterReplica(ctx context.Context, r models.Replica) (renewal models.LeaseRenewal, err error) {
	defer s.alone()()
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := s.endWhenIdle(tx); err != nil {
			return err
		}
		var clock changeClock
		if err := fresh(tx).Clauses(clause.Locking{Strength: "SHARE"}).Take(&clock).Error; err != nil {
			return err
		}
		var then sql.NullTime
		if err := fresh(tx).Raw("SELECT "+s.renewed()).Row().Scan(&then, &renewal.Timeline); err != nil {
			return err
		}
		r.AckedSeq, r.LeaseNo, r.SeenAt = min(r.AckedSeq, clock.LastSeq), 1, s.now()
		if r.Timeline != "" && r.Timeline != renewal.Timeline {
			r.AckedSeq = 0
		}
		if err := fresh(tx).Create(&r).Error; err != nil {
			return err
		}
		renewal.Snapshot, err = s.snapshot(clock.LastSeq, then, false)
		return err
	})
	return renewal, translate(err)
}

// renewed is what a renewal learns besides the number of the last event.
func (s *Store) renewed() string {
	if s.dialect == migrations.Postgres {
		return "clock_timestamp(), " + timeline
	}
	return "NULL, ''"
}

// timeline is another one of a PostgreSQL that went on from a backup or a standby. What a replica has put into effect of the one before says nothing about
// it: the same number may be another event.
const timeline = "left(pg_walfile_name(pg_current_wal_lsn()), 8)"

// RenewLease tells that a replica is there and up to where it has put changes into effect. A replica that is not among them any more is
// models.NotFound.
func (s *Store) RenewLease(ctx context.Context, r models.Replica) (renewal models.LeaseRenewal, err error) {
	defer s.aloneFirst()()
	acked := "max(acked_seq, CASE WHEN $6 = '' THEN CAST($2 AS bigint) ELSE 0 END)"
	if s.dialect == migrations.Postgres {
		acked = "greatest(acked_seq, CASE WHEN $6 = " + timeline + " THEN CAST($2 AS bigint) ELSE 0 END)"
	}
	statement := "UPDATE replicas SET lease_no = lease_no + 1, acked_seq = " + acked + ", seen_at = $3, entries = $4, notice = $5 WHERE id = $1 RETURNING (SELECT last_seq FROM change_clock), " + s.renewed()
	var seq int64
	var then sql.NullTime
	err = s.lasting().QueryRowContext(ctx, statement, r.ID, r.AckedSeq, s.now(), r.Entries, r.Notice, r.Timeline).Scan(&seq, &then, &renewal.Timeline)
	if errors.Is(err, sql.ErrNoRows) {
		return renewal, notThere
	}
	if err != nil {
		return renewal, translate(err)
	}
	renewal.Snapshot, err = s.snapshot(seq, then, false)
	return renewal, err
}

// lasting is where a replica asks what its lease hangs on.
func (s *Store) lasting() *sql.DB {
	if s.steady != nil {
		return s.steady
	}
	return s.pool
}

// Replicas lists the servers that answer from memory, by name.
func (s *Store) Replicas(ctx context.Context) ([]models.Replica, error) {
	var list []models.Replica
	return list, translate(s.db.WithContext(ctx).Order("name, started_at, id").Find(&list).Error)
}

// RemoveReplica removes a server whose lease number has stood still, unless it moves after all. One that ends by itself removes
// itself at whatever number it has: lease is 0.
func (s *Store) RemoveReplica(ctx context.Context, id string, lease int64) error {
	defer s.alone()()
	return translate(s.db.WithContext(ctx).Where("id = ? AND (lease_no = ? OR ? = 0)", id, lease, lease).Delete(&models.Replica{}).Error)
}

// The click waits and looks, ever less often.
const (
	firstLook   = 2 * time.Millisecond
	longestLook = 20 * time.Millisecond
)

// receiptKey is where a context keeps the receipt that its caller wants.
type receiptKey struct{}

// WithReceipt has what is changed with the context say what became of it: after each change the receipt is that of the last one that replicas had to be waited for.
func WithReceipt(ctx context.Context) (context.Context, *models.Receipt) {
	r := new(models.Receipt)
	return context.WithValue(ctx, receiptKey{}, r), r
}

// settle waits after a commit until no replica can answer as before: each has said that the change is in effect, or has been silent until its lease
// was over. Nothing ends it earlier: whoever hears that something is revoked may rely on it.
func (s *Store) settle(ctx context.Context, events []models.Event) {
	seq := lastTouching(events)
	if seq == 0 {
		return
	}
	s.settleAt(ctx, seq)
}

func (s *Store) settleAt(ctx context.Context, seq int64) {
	receipt := s.waitFor(context.WithoutCancel(ctx), seq)
	if wanted, _ := ctx.Value(receiptKey{}).(*models.Receipt); wanted != nil {
		*wanted = receipt
	}
	if s.onReceipt != nil {
		s.onReceipt(receipt)
	}
}

// settleBefore waits as settle does, for what others have changed: whoever finds nothing left to do, because another click or an attempt of their own
// whose answer was lost did it, may rely on it as much. Where that cannot be found out, no replica is taken to have put anything into effect.
func (s *Store) settleBefore(ctx context.Context) {
	seq, err := s.underWay(context.WithoutCancel(ctx))
	if err != nil {
		seq = math.MaxInt64
	}
	if seq != 0 {
		s.settleAt(ctx, seq)
	}
}

// underWay is the last event that changes a verdict and that not every replica has put into effect; 0: there is none.
func (s *Store) underWay(ctx context.Context) (seq int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err = s.together(ctx, func(tx *gorm.DB) error {
		if err := s.endWhenIdle(tx); err != nil {
			return err
		}
		list, err := s.onTheList(fresh(tx))
		if err != nil || len(list) == 0 {
			return err
		}
		least := slices.MinFunc(list, func(a, b models.Replica) int { return cmp.Compare(a.AckedSeq, b.AckedSeq) }).AckedSeq
		const many = 1000
		events, err := eventsAfter(fresh(tx), least, many)
		if seq = lastTouching(events); len(events) < many || err != nil {
			return err
		}
		clock, err := take[changeClock](fresh(tx))
		seq = clock.LastSeq
		return err
	})
	return seq, err
}

// lastTouching is the number of the last event that changes a verdict; 0: none does.
func lastTouching(events []models.Event) (seq int64) {
	for _, e := range events {
		if !e.Touches().Nothing() {
			seq = e.Seq
		}
	}
	return seq
}

func (s *Store) waitFor(ctx context.Context, seq int64) models.Receipt {
	receipt := models.Receipt{Seq: seq}
	if mutantNoWait {
		return receipt
	}
	begun, seen := models.ReadClocks(), map[string]models.Replica{} // seen: that have not put it into effect, as far as anybody saw
	waits := false
	for pause := firstLook; ; pause = min(pause*3/2, longestLook) {
		over := begun.AtLeast(models.ReadClocks()) >= models.LeaseWait
		list, err := s.lookAtReplicas(ctx)
		if receipt.Unread = err != nil; err == nil {
			receipt.Confirmed, receipt.Silent, waits = 0, nil, false
			for id, r := range seen { // whoever was taken off the list meanwhile, because it is silent
				if !slices.ContainsFunc(list, func(other models.Replica) bool { return other.ID == id }) {
					receipt.Silent = append(receipt.Silent, r.Name)
				}
			}
			for _, r := range list {
				if r.AckedSeq >= seq {
					receipt.Confirmed++
					delete(seen, r.ID)
					continue
				}
				waits = true
				receipt.Silent = append(receipt.Silent, r.Name)
				if before, known := seen[r.ID]; !known {
					seen[r.ID] = r
				} else if over && before.LeaseNo == r.LeaseNo {
					s.tidy(ctx, r)
				}
			}
		}
		if over || err == nil && !waits {
			slices.Sort(receipt.Silent)
			receipt.Took = begun.AtLeast(models.ReadClocks())
			return receipt
		}
		time.Sleep(pause)
	}
}

func (s *Store) lookAtReplicas(ctx context.Context) ([]models.Replica, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.onTheList(s.db.WithContext(ctx))
}

// onTheList reads who is waited for, and how far they are. It is one statement with the question whether this is a standby, which may not know them yet.
func (s *Store) onTheList(db *gorm.DB) (list []models.Replica, err error) {
	var rows []struct {
		Standby bool
		models.Replica
	}
	err = db.Raw("SELECT here.standby, r.id, r.name, r.acked_seq, r.lease_no FROM (SELECT " + s.moment() + ") AS here LEFT JOIN replicas r ON 1 = 1 ORDER BY r.name, r.id").Scan(&rows).Error
	for _, row := range rows {
		if err := refuseStandby(row.Standby); err != nil {
			return nil, err
		}
		if row.ID != "" {
			list = append(list, row.Replica)
		}
	}
	return list, err
}

// tidy removes a replica that has been silent for as long as a click waits, so that the next click need not wait for it too.
func (s *Store) tidy(ctx context.Context, r models.Replica) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := s.RemoveReplica(ctx, r.ID, r.LeaseNo); err != nil {
		s.log.Warn("a replica that does not answer could not be taken off the list", "replica", r.Name, "error", err)
	}
}

// Doubts are what may let the database itself lose a change that it has committed, a sentence each; none, for all that can be seen from here.
func (s *Store) Doubts(ctx context.Context) ([]string, error) {
	if s.dialect != migrations.Postgres {
		return nil, nil
	}
	var standbys int64
	var waits, commit, fsync string
	err := s.ask(ctx, "SELECT (SELECT count(*) FROM pg_stat_replication), current_setting('synchronous_standby_names'), current_setting('synchronous_commit'), current_setting('fsync')").
		Scan(&standbys, &waits, &commit, &fsync)
	if err != nil {
		return nil, translate(err)
	}
	var doubts []string
	if standbys > 0 && waits == "" {
		doubts = append(doubts, "A standby follows the database asynchronously: what was revoked just before it takes over can be lost with the database that fails. Set synchronous_standby_names.")
	}
	if commit == "off" || fsync == "off" {
		doubts = append(doubts, "The database answers before a change is on its disk: what was revoked just before a crash can be lost. Set synchronous_commit and fsync to on.")
	}
	return doubts, nil
}
