package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tokendesk/models"
)

// idleStep is by how much the last use is later before it moves idle_since, which indexes have: an hour.
const idleStep = time.Hour

// What is added to a row that is there. Servers write their flushes down in any order: what was last is what has the
// later moment. What an index has is changed only when it is too far off.
const (
	addUsage = ` ON CONFLICT (credential_id) DO UPDATE SET
		calls = usages.calls + excluded.calls, refused = usages.refused + excluded.refused, late = usages.late + excluded.late,
		last_used_at = CASE WHEN usages.last_used_at IS NULL OR excluded.last_used_at > usages.last_used_at THEN excluded.last_used_at ELSE usages.last_used_at END,
		last_address = CASE WHEN usages.last_used_at IS NULL OR excluded.last_used_at > usages.last_used_at THEN excluded.last_address ELSE usages.last_address END,
		last_late_at = CASE WHEN usages.last_late_at IS NULL OR excluded.last_late_at > usages.last_late_at THEN excluded.last_late_at ELSE usages.last_late_at END,
		used = usages.used OR excluded.used,
		ranked = CASE WHEN usages.workspace_id IS NOT NULL AND usages.calls + excluded.calls - usages.ranked > usages.ranked / 1000 THEN usages.calls + excluded.calls ELSE usages.ranked END,
		idle_since = CASE WHEN `
	reachesIdle   = ` >= usages.idle_since THEN excluded.last_used_at ELSE usages.idle_since END`
	addUsageDay   = ` ON CONFLICT (credential_id, day) DO UPDATE SET calls = usage_days.calls + excluded.calls, refused = usage_days.refused + excluded.refused`
	addUsageTotal = ` ON CONFLICT (day) DO UPDATE SET calls = usage_totals.calls + excluded.calls, refused = usage_totals.refused + excluded.refused`

	intoUsages = "INSERT INTO usages (credential_id, calls, refused, late, last_used_at, last_address, last_late_at, idle_since, used) "
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
	every, of := "unnest($2::text[])", any(names)
	if len(totals) == 1 { // as most of the time: it is sent once
		every, of = "$2::text", totals[0].Day
	}
	if _, err := tx.ExecContext(ctx, intoDays+"SELECT unnest($1::text[]), "+every+", unnest($3::bigint[]), unnest($4::bigint[])"+addUsageDay, ids, of, calls, refused); err != nil {
		return err
	}
	for _, t := range totals {
		if _, err := tx.ExecContext(ctx, intoTotals+"VALUES ($1, $2, $3)"+addUsageTotal, t.Day, t.Calls, t.Refused); err != nil {
			return err
		}
	}
	return nil
}

// usagesFromArrays unpacks the arrays in the list of what is selected, from where rows are taken one by one; a table of all of them would be made first.
const usagesFromArrays = intoUsages + `SELECT id, calls, refused, late, last_used_at, last_address, last_late_at, coalesce(last_used_at, '0001-01-01 00:00:00+00'), last_used_at IS NOT NULL
	FROM (SELECT unnest($1::text[]) AS id, unnest($2::bigint[]) AS calls, unnest($3::bigint[]) AS refused, unnest($4::bigint[]) AS late,
		unnest($5::timestamptz[]) AS last_used_at, unnest($6::text[]) AS last_address, unnest($7::timestamptz[]) AS last_late_at) AS counted` +
	addUsage + "excluded.last_used_at - interval '1 hour'" + reachesIdle

func usagesToPostgres(ctx context.Context, tx *sql.Tx, batch []models.Usage) error {
	n := len(batch)
	ids, addresses := make([]string, n), make([]string, n)
	calls, refused, late := make([]int64, n), make([]int64, n), make([]int64, n)
	used, lastLate := make([]*time.Time, n), make([]*time.Time, n)
	var kept []string
	var by, until []time.Time
	for i, u := range batch {
		ids[i], addresses[i], calls[i], refused[i], late[i] = u.CredentialID, u.LastAddress, u.Calls, u.Refused, u.Late
		used[i], lastLate[i] = u.LastUsedAt, u.LastLateAt
		if u.KeptBy != nil {
			kept, by, until = append(kept, u.CredentialID), append(by, *u.KeptBy), append(until, keptUntil(u))
		}
	}
	_, err := tx.ExecContext(ctx, usagesFromArrays, ids, calls, refused, late, used, addresses, lastLate)
	if err == nil && len(kept) > 0 {
		_, err = tx.ExecContext(ctx, `UPDATE credentials SET expires_at = least(latest_expires_at, k.until)
			FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS k (id, by, until)
			WHERE credentials.id = k.id AND expires_at > k.by AND expires_at < k.until`+pushOut, kept, by, until)
	}
	return err
}

// addToSQLite adds a flush row by row, with statements that are prepared once.
func addToSQLite(ctx context.Context, tx *sql.Tx, batch []models.Usage, days []models.UsageDay, totals []models.UsageTotal) (err error) {
	usage, err := tx.PrepareContext(ctx, intoUsages+"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?5 IS NOT NULL)"+addUsage+"?9"+reachesIdle)
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
		_, err := usage.ExecContext(ctx, u.CredentialID, u.Calls, u.Refused, u.Late, u.LastUsedAt, u.LastAddress, u.LastLateAt, idleSince(u), idleSince(u).Add(-idleStep))
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
