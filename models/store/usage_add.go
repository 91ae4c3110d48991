package store

import (
	"context"
	"database/sql"
	"encoding/json"
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
		day = CASE WHEN usages.day = '' THEN excluded.day ELSE usages.day END,
		day_calls = CASE WHEN usages.day IN ('', excluded.day) THEN usages.day_calls + excluded.day_calls ELSE usages.day_calls END,
		day_refused = CASE WHEN usages.day IN ('', excluded.day) THEN usages.day_refused + excluded.day_refused ELSE usages.day_refused END,
		idle_since = CASE WHEN `
	reachesIdle   = ` >= usages.idle_since THEN excluded.last_used_at ELSE usages.idle_since END`
	addUsageDay   = ` ON CONFLICT (credential_id, day) DO UPDATE SET calls = usage_days.calls + excluded.calls, refused = usage_days.refused + excluded.refused`
	addUsageTotal = ` ON CONFLICT (day) DO UPDATE SET calls = usage_totals.calls + excluded.calls, refused = usage_totals.refused + excluded.refused`

	intoUsages = "INSERT INTO usages (credential_id, calls, refused, late, last_used_at, last_address, last_late_at, idle_since, used, day, day_calls, day_refused) "
	intoDays   = "INSERT INTO usage_days (credential_id, day, calls, refused) "
	intoTotals = "INSERT INTO usage_totals (day, calls, refused) "

	// pushOut moves the end of a collection access key to its whole life after its last accepted call, where that is later, and never beyond the day
	// that was set when it was made. The call was accepted, so that the end was still to come; what is revoked stays so, and so does what had ended
	// by then. In whatever order calls are written down, and however often, the end is that of the latest of them.
	pushOut = ` AND kind = 'collection' AND revoked_at IS NULL AND (latest_expires_at IS NULL OR expires_at < latest_expires_at)`
)

// addToPostgres adds the rows of usages in one statement, in the order of the arrays, and finds those that count for another day.
func addToPostgres(ctx context.Context, tx *sql.Tx, batch []models.Usage, latest latestDay) (others []string, err error) {
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
	rows, err := tx.QueryContext(ctx, usagesFromArrays, ids, calls, refused, late, used, addresses, lastLate, latest.day, latest.calls, latest.refused)
	if err == nil {
		others, err = texts(rows)
	}
	if err == nil && len(kept) > 0 {
		_, err = tx.ExecContext(ctx, `UPDATE credentials SET expires_at = least(latest_expires_at, k.until)
			FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS k (id, by, until)
			WHERE credentials.id = k.id AND expires_at > k.by AND expires_at < k.until`+pushOut, kept, by, until)
	}
	return others, err
}

// usagesFromArrays unpacks the arrays in the list of what is selected, from where rows are taken one by one; a table of all of them would be made first.
const usagesFromArrays = "WITH added AS (" + intoUsages + `SELECT id, calls, refused, late, last_used_at, last_address, last_late_at, coalesce(last_used_at, '0001-01-01 00:00:00+00'), last_used_at IS NOT NULL,
		$8::text, day_calls, day_refused
	FROM (SELECT unnest($1::text[]) AS id, unnest($2::bigint[]) AS calls, unnest($3::bigint[]) AS refused, unnest($4::bigint[]) AS late,
		unnest($5::timestamptz[]) AS last_used_at, unnest($6::text[]) AS last_address, unnest($7::timestamptz[]) AS last_late_at,
		unnest($9::bigint[]) AS day_calls, unnest($10::bigint[]) AS day_refused) AS counted` +
	addUsage + "excluded.last_used_at - interval '1 hour'" + reachesIdle + `
	RETURNING credential_id, day) SELECT credential_id FROM added WHERE day <> $8 AND $8 <> ''`

// addToSQLite does the same row by row, with statements that are prepared once.
func addToSQLite(ctx context.Context, tx *sql.Tx, batch []models.Usage, latest latestDay) (others []string, err error) {
	usage, err := tx.PrepareContext(ctx, intoUsages+"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?5 IS NOT NULL, ?10, ?11, ?12)"+addUsage+"?9"+reachesIdle)
	if err != nil {
		return nil, err
	}
	defer usage.Close()
	push, err := tx.PrepareContext(ctx, `UPDATE credentials SET expires_at = CASE WHEN latest_expires_at < ?3 THEN latest_expires_at ELSE ?3 END
		WHERE id = ?1 AND expires_at > ?2 AND expires_at < ?3`+pushOut)
	if err != nil {
		return nil, err
	}
	defer push.Close()
	ids := make([]string, len(batch))
	for i, u := range batch {
		since := idleSince(u)
		_, err := usage.ExecContext(ctx, u.CredentialID, u.Calls, u.Refused, u.Late, u.LastUsedAt, u.LastAddress, u.LastLateAt, since, since.Add(-idleStep), latest.day, latest.calls[i], latest.refused[i])
		if err == nil && u.KeptBy != nil {
			_, err = push.ExecContext(ctx, u.CredentialID, *u.KeptBy, keptUntil(u))
		}
		if err != nil {
			return nil, err
		}
		ids[i] = u.CredentialID
	}
	if latest.day == "" {
		return nil, nil
	}
	among, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT credential_id FROM usages WHERE credential_id IN (SELECT value FROM json_each(?)) AND day <> ?", string(among), latest.day)
	if err != nil {
		return nil, err
	}
	return texts(rows)
}

// texts reads rows of one text each, and closes them.
func texts(rows *sql.Rows) (all []string, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
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
