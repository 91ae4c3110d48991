package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sort"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tokendesk/models"
)

// How long one flush may take, and for each credential in it: one that never got through in its time would be sent for ever. The caller's own end does not
// cut it short: the last flush is sent when everything ends.
const (
	recordPatience    = 5 * time.Second
	recordPatienceFor = 2 * time.Millisecond
)

// RecordUsage adds counts to what is written down: all of a flush or none of it. It is the one change that makes
// no event. Rows are touched in one order, so that two servers that write at once wait for each other instead of
// standing in each other's way.
//
// A flush that fails may be sent again, and is counted once: the transaction begins with its number, and one whose
// number, or a later one of the same server, is there already changes nothing. So it does not matter whether a commit
// whose answer was lost has happened. One that is still under way has its server's row locked, and is waited for.
//
// Counts of credentials that are not there are dropped: a backup that was restored since they were
// counted may be older than the credential.
func (s *Store) RecordUsage(ctx context.Context, flush models.Flush, batch []models.Usage, days []models.UsageDay) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience+time.Duration(len(batch))*recordPatienceFor)
	defer cancel()
	err := s.recordUsage(ctx, flush, batch, days)
	if !refersToNothing(err) {
		return translate(err)
	}
	known, err := s.known(ctx, batch, days)
	if err != nil {
		return translate(err)
	}
	batch = slices.DeleteFunc(slices.Clone(batch), func(u models.Usage) bool { return !known[u.CredentialID] })
	days = slices.DeleteFunc(slices.Clone(days), func(d models.UsageDay) bool { return !known[d.CredentialID] })
	return translate(s.recordUsage(ctx, flush, batch, days))
}

func (s *Store) recordUsage(ctx context.Context, flush models.Flush, batch []models.Usage, days []models.UsageDay) (err error) {
	sort.Slice(batch, func(i, j int) bool { return batch[i].CredentialID < batch[j].CredentialID })
	sortDays(days)
	defer s.alone()() // or a flush after a flush keeps every other writer of the file waiting
	tx, err := s.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	counted, err := s.wasCounted(ctx, tx, flush)
	if err != nil || counted {
		return err
	}
	if err := s.addDays(ctx, tx, batch, days); err != nil {
		return err
	}
	for _, t := range totalsOf(days) { // last, because every server adds to the same rows
		if _, err := tx.ExecContext(ctx, intoTotals+"VALUES ($1, $2, $3)"+addUsageTotal, t.Day, t.Calls, t.Refused); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// wasCounted notes that a server's flush is written down, unless that was noted before.
func (s *Store) wasCounted(ctx context.Context, tx *sql.Tx, flush models.Flush) (bool, error) {
	noted, err := tx.ExecContext(ctx, `INSERT INTO usage_flush (boot_id, flush_no, at) VALUES ($1, $2, $3)
		ON CONFLICT (boot_id) DO UPDATE SET flush_no = excluded.flush_no, at = excluded.at WHERE usage_flush.flush_no < excluded.flush_no`,
		flush.Boot, flush.Number, s.now())
	if err != nil {
		return false, err
	}
	rows, err := noted.RowsAffected()
	return rows == 0, err
}

// pruneFlushes forgets the last flushes of servers that wrote none for twice as long as files of counts are good: a server that ended by then left
// behind what nobody sends any more (access.Drain), and one that lives and was idle has nothing that could be sent twice. Twice, because the
// clocks of servers differ.
func (s *Store) pruneFlushes(ctx context.Context) error {
	return s.db.WithContext(ctx).Exec("DELETE FROM usage_flush WHERE at < ?", s.now().Add(-2*models.FlushesKept)).Error
}

// refersToNothing says whether a statement failed because a credential is not there.
func refersToNothing(err error) bool {
	var postgres *pgconn.PgError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &postgres):
		return postgres.Code == "23503" // foreign_key_violation
	case errors.As(err, &lite):
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
	}
	return false
}

// totalsOf adds up the calls of all credentials, day by day.
func totalsOf(days []models.UsageDay) []models.UsageTotal {
	var totals []models.UsageTotal
	for _, d := range days {
		at := slices.IndexFunc(totals, func(t models.UsageTotal) bool { return t.Day == d.Day })
		if at < 0 {
			at = len(totals)
			totals = append(totals, models.UsageTotal{Day: d.Day})
		}
		totals[at].Calls += d.Calls
		totals[at].Refused += d.Refused
	}
	sort.Slice(totals, func(i, j int) bool { return totals[i].Day < totals[j].Day })
	return totals
}

// known says which of the credentials exist.
func (s *Store) known(ctx context.Context, batch []models.Usage, days []models.UsageDay) (map[string]bool, error) {
	var ids []string
	for _, u := range batch {
		ids = append(ids, u.CredentialID)
	}
	for _, d := range days {
		ids = append(ids, d.CredentialID)
	}
	known := map[string]bool{}
	for some := range slices.Chunk(ids, 1000) { // a statement has room for so many values
		var found []string
		if err := s.db.WithContext(ctx).Model(&models.Credential{}).Where("id IN ?", some).Pluck("id", &found).Error; err != nil {
			return nil, err
		}
		for _, id := range found {
			known[id] = true
		}
	}
	return known, nil
}
