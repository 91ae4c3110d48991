package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tokendesk/models"
)

// What is added to a row that is there. Servers write their flushes down in any order: what was last is what has the
// later moment.
const (
	addUsage = ` ON CONFLICT (credential_id) DO UPDATE SET
		calls = usages.calls + excluded.calls, refused = usages.refused + excluded.refused, late = usages.late + excluded.late,
		last_used_at = CASE WHEN usages.last_used_at IS NULL OR excluded.last_used_at > usages.last_used_at THEN excluded.last_used_at ELSE usages.last_used_at END,
		last_address = CASE WHEN usages.last_used_at IS NULL OR excluded.last_used_at > usages.last_used_at THEN excluded.last_address ELSE usages.last_address END,
		last_late_at = CASE WHEN usages.last_late_at IS NULL OR excluded.last_late_at > usages.last_late_at THEN excluded.last_late_at ELSE usages.last_late_at END,
		idle_since = CASE WHEN excluded.last_used_at > usages.idle_since THEN excluded.last_used_at ELSE usages.idle_since END`
	addUsageDay   = ` ON CONFLICT (credential_id, day) DO UPDATE SET calls = usage_days.calls + excluded.calls, refused = usage_days.refused + excluded.refused`
	addUsageTotal = ` ON CONFLICT (day) DO UPDATE SET calls = usage_totals.calls + excluded.calls, refused = usage_totals.refused + excluded.refused`

	intoUsages = "INSERT INTO usages (credential_id, calls, refused, late, last_used_at, last_address, last_late_at, idle_since) "
	intoDays   = "INSERT INTO usage_days (credential_id, day, calls, refused) "
	intoTotals = "INSERT INTO usage_totals (day, calls, refused) "

	// pushOut moves the end of a collection access key to its whole life after its last accepted call, where that is later, and never beyond the day
	// that was set when it was made. The call was accepted, so that the end was still to come; what is revoked stays so, and so does what had ended
	// by then. In whatever order calls are written down, and however often, the end is that of the latest of them.
	pushOut = ` AND kind = 'collection' AND revoked_at IS NULL AND (latest_expires_at IS NULL OR expires_at < latest_expires_at)`
)

// addToPostgres adds a flush in one statement for each table. Rows are written in the order of the arrays; the totals come last, because every
// server adds to the same rows.
func addToPostgres(ctx context.Context, tx *sql.Tx, batch []models.Usage, days []models.UsageDay, totals []models.UsageTotal) error {
	if err := usagesToPostgres(ctx, tx, batch); err != nil {
		return err
	}
	ids, names, calls, refused := make([]string, len(days)), make([]string, len(days)), make([]int64, len(days)), make([]int64, len(days))
	for i, d := range days {
		ids[i], names[i], calls[i], refused[i] = d.CredentialID, d.Day, d.Calls, d.Refused
	}
	if _, err := tx.ExecContext(ctx, intoDays+"SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])"+addUsageDay, ids, names, calls, refused); err != nil {
		return err
	}
	for _, t := range totals {
		if _, err := tx.ExecContext(ctx, intoTotals+"VALUES ($1, $2, $3)"+addUsageTotal, t.Day, t.Calls, t.Refused); err != nil {
			return err
		}
	}
	return nil
}

func usagesToPostgres(ctx context.Context, tx *sql.Tx, batch []models.Usage) error {
	n := len(batch)
	ids, addresses := make([]string, n), make([]string, n)
	calls, refused, late := make([]int64, n), make([]int64, n), make([]int64, n)
	used, lastLate, since := make([]*time.Time, n), make([]*time.Time, n), make([]time.Time, n)
	var kept []string
	var by, until []time.Time
	for i, u := range batch {
		ids[i], addresses[i], calls[i], refused[i], late[i] = u.CredentialID, u.LastAddress, u.Calls, u.Refused, u.Late
		used[i], lastLate[i], since[i] = u.LastUsedAt, u.LastLateAt, idleSince(u)
		if u.KeptBy != nil {
			kept, by, until = append(kept, u.CredentialID), append(by, *u.KeptBy), append(until, keptUntil(u))
		}
	}
	_, err := tx.ExecContext(ctx, intoUsages+
		"SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::text[], $7::timestamptz[], $8::timestamptz[])"+addUsage,
		ids, calls, refused, late, used, addresses, lastLate, since)
	if err == nil && len(kept) > 0 {
		_, err = tx.ExecContext(ctx, `UPDATE credentials SET expires_at = least(latest_expires_at, k.until)
			FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS k (id, by, until)
			WHERE credentials.id = k.id AND expires_at > k.by AND expires_at < k.until`+pushOut, kept, by, until)
	}
	return err
}

// addToSQLite adds a flush row by row, with statements that are prepared once.
func addToSQLite(ctx context.Context, tx *sql.Tx, batch []models.Usage, days []models.UsageDay, totals []models.UsageTotal) (err error) {
	usage, err := tx.PrepareContext(ctx, intoUsages+"VALUES (?, ?, ?, ?, ?, ?, ?, ?)"+addUsage)
	if err != nil {
		return err
	}
	defer usage.Close()
	push, err := tx.PrepareContext(ctx, `UPDATE credentials SET expires_at = CASE WHEN latest_expires_at < ?3 THEN latest_expires_at ELSE ?3 END
		WHERE id = ?1 AND expires_at > ?2 AND expires_at < ?3`+pushOut)
	if err != nil {
		return err
	}
	defer push.Close()
	for _, u := range batch {
		_, err := usage.ExecContext(ctx, u.CredentialID, u.Calls, u.Refused, u.Late, u.LastUsedAt, u.LastAddress, u.LastLateAt, idleSince(u))
		if err == nil && u.KeptBy != nil {
			_, err = push.ExecContext(ctx, u.CredentialID, *u.KeptBy, keptUntil(u))
		}
		if err != nil {
			return err
		}
	}
	day, err := tx.PrepareContext(ctx, intoDays+"VALUES (?, ?, ?, ?)"+addUsageDay)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, day.Close()) }()
	for _, d := range days {
		if _, err := day.ExecContext(ctx, d.CredentialID, d.Day, d.Calls, d.Refused); err != nil {
			return err
		}
	}
	for _, t := range totals {
		if _, err := tx.ExecContext(ctx, intoTotals+"VALUES (?, ?, ?)"+addUsageTotal, t.Day, t.Calls, t.Refused); err != nil {
			return err
		}
	}
	return nil
}

// idleSince is the last use, which a row that is not there yet begins with.
func idleSince(u models.Usage) time.Time {
	if u.LastUsedAt == nil {
		return u.IdleSince
	}
	return *u.LastUsedAt
}

func keptUntil(u models.Usage) time.Time {
	return models.Instant(u.KeptBy.Add(models.CollectionKeyLife))
}
