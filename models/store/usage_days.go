package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"tokendesk/migrations"
	"tokendesk/models"
)

// latestDay is what of a flush is counted in the rows of usages: the calls of its latest day, one of each for each credential of the flush.
type latestDay struct {
	day            string // empty: the flush has no days
	calls, refused []int64
}

// divideDays divides the days of a flush into those that are counted in the rows of usages, and those that have rows of their own. Both lists are sorted.
func divideDays(batch []models.Usage, days []models.UsageDay) (latest latestDay, others []models.UsageDay) {
	latest.calls, latest.refused = make([]int64, len(batch)), make([]int64, len(batch))
	for _, d := range days {
		latest.day = max(latest.day, d.Day)
	}
	at := 0
	for _, d := range days {
		for at < len(batch) && batch[at].CredentialID < d.CredentialID {
			at++
		}
		if d.Day == latest.day && at < len(batch) && batch[at].CredentialID == d.CredentialID {
			latest.calls[at] += d.Calls
			latest.refused[at] += d.Refused
		} else {
			others = append(others, d)
		}
	}
	return latest, others
}

// counts are those of some of the credentials, which are sorted, as days of their own.
func (l latestDay) counts(batch []models.Usage, ids []string) (days []models.UsageDay) {
	for i, u := range batch {
		if _, is := slices.BinarySearch(ids, u.CredentialID); is && l.calls[i]+l.refused[i] > 0 {
			days = append(days, models.UsageDay{CredentialID: u.CredentialID, Day: l.day, Calls: l.calls[i], Refused: l.refused[i]})
		}
	}
	return days
}

// addDays adds a flush to the rows of usages and to days of their own. Where a row counts for an earlier day than the flush, that day becomes one of its own,
// and the row counts for the next from then on; where it counts for a later one, because a server was late, the day of the flush has a row of its own. The
// rows of usages are locked by then, all of them and in one order, which keeps two servers that begin a day at once from each adding the one before.
func (s *Store) addDays(ctx context.Context, tx *sql.Tx, batch []models.Usage, days []models.UsageDay) error {
	latest, others := divideDays(batch, days)
	add, among, value := addToSQLite, " credential_id IN (SELECT value FROM json_each($1))", asJSON
	if s.dialect == migrations.Postgres {
		add, among, value = addToPostgres, " credential_id = ANY($1::text[])", asArray
	}
	turned, err := add(ctx, tx, batch, latest)
	if err != nil {
		return err
	}
	if len(turned) > 0 {
		slices.Sort(turned)
		ids, err := value(turned)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, intoDays+"SELECT credential_id, day, day_calls, day_refused FROM usages WHERE"+among+
			" AND day < $2 AND day_calls + day_refused > 0 ORDER BY credential_id"+addUsageDay, ids, latest.day); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE usages SET day = $2, day_calls = 0, day_refused = 0 WHERE"+among+" AND day < $2", ids, latest.day); err != nil {
			return err
		}
		others = append(others, latest.counts(batch, turned)...)
		sortDays(others)
	}
	if len(others) == 0 {
		return nil
	}
	if s.dialect == migrations.Postgres {
		return daysToPostgres(ctx, tx, others)
	}
	return daysToSQLite(ctx, tx, others)
}

func sortDays(days []models.UsageDay) {
	slices.SortFunc(days, func(a, b models.UsageDay) int {
		return cmp.Or(cmp.Compare(a.CredentialID, b.CredentialID), cmp.Compare(a.Day, b.Day))
	})
}

func asArray(texts []string) (any, error) { return texts, nil }

func asJSON(texts []string) (any, error) {
	text, err := json.Marshal(texts)
	return string(text), err
}

func daysToPostgres(ctx context.Context, tx *sql.Tx, days []models.UsageDay) error {
	ids, names, calls, refused := make([]string, len(days)), make([]string, len(days)), make([]int64, len(days)), make([]int64, len(days))
	for i, d := range days {
		ids[i], names[i], calls[i], refused[i] = d.CredentialID, d.Day, d.Calls, d.Refused
	}
	_, err := tx.ExecContext(ctx, intoDays+"SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::bigint[])"+addUsageDay, ids, names, calls, refused)
	return err
}

func daysToSQLite(ctx context.Context, tx *sql.Tx, days []models.UsageDay) error {
	day, err := tx.PrepareContext(ctx, intoDays+"VALUES (?, ?, ?, ?)"+addUsageDay)
	if err != nil {
		return err
	}
	defer day.Close()
	for _, d := range days {
		if _, err := day.ExecContext(ctx, d.CredentialID, d.Day, d.Calls, d.Refused); err != nil {
			return err
		}
	}
	return nil
}

// countedDays are the days of credentials: those of their own, and what is counted for one in the row of usages, in one statement, so that a day that turns
// meanwhile is in one of them. A day may be in both.
const countedDays = `SELECT credential_id, day, calls, refused FROM usage_days WHERE credential_id IN @ids AND day >= @from
	UNION ALL SELECT credential_id, day, day_calls, day_refused FROM usages WHERE credential_id IN @ids AND day >= @from AND day_calls + day_refused > 0`

func countedFrom(ids []string, from time.Time) map[string]any {
	return map[string]any{"ids": ids, "from": from.UTC().Format(time.DateOnly)}
}

// daysFrom are the days on which credentials were used, from a moment's day (UTC) on, sorted by credential and day.
func daysFrom(tx *gorm.DB, ids []string, from time.Time) ([]models.UsageDay, error) {
	var days []models.UsageDay
	if err := tx.Raw(countedDays, countedFrom(ids, from)).Scan(&days).Error; err != nil {
		return nil, translate(err)
	}
	sortDays(days)
	sum := days[:0]
	for _, d := range days {
		if last := len(sum) - 1; last >= 0 && sum[last].CredentialID == d.CredentialID && sum[last].Day == d.Day {
			sum[last].Calls += d.Calls
			sum[last].Refused += d.Refused
		} else {
			sum = append(sum, d)
		}
	}
	return sum, nil
}
