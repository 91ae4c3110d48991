package store

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sort"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tokendesk/migrations"
	"tokendesk/models"
)

// recordPatience is how long one batch may take. The caller's own end does not cut a batch short: a commit
// that was cut short may have happened.
const recordPatience = 5 * time.Second

// RecordUsage adds counts to what is written down: all of the batch or none of it. It is the one
// change that makes no event. Rows are touched in one order, so that two servers that write at
// once wait for each other instead of standing in each other's way.
//
// A batch that fails may be sent again. One whose commit was sent, and whose answer was lost, does not
// fail: a call that is not counted harms nobody, and one that is counted twice never happened.
//
// Counts of credentials that are not there are dropped: a backup that was restored since they were
// counted may be older than the credential.
func (s *Store) RecordUsage(ctx context.Context, batch []models.Usage, days []models.UsageDay) error {
	err := s.recordUsage(ctx, batch, days)
	if !errors.Is(err, gorm.ErrForeignKeyViolated) {
		return err
	}
	known, err := s.known(ctx, batch, days)
	if err != nil {
		return translate(err)
	}
	batch = slices.DeleteFunc(slices.Clone(batch), func(u models.Usage) bool { return !known[u.CredentialID] })
	days = slices.DeleteFunc(slices.Clone(days), func(d models.UsageDay) bool { return !known[d.CredentialID] })
	return s.recordUsage(ctx, batch, days)
}

func (s *Store) recordUsage(ctx context.Context, batch []models.Usage, days []models.UsageDay) error {
	sort.Slice(batch, func(i, j int) bool { return batch[i].CredentialID < batch[j].CredentialID })
	sort.Slice(days, func(i, j int) bool {
		return days[i].CredentialID+days[i].Day < days[j].CredentialID+days[j].Day
	})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	ready := false // all is in the transaction; what is left is the commit
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, u := range batch {
			if u.LastUsedAt != nil {
				u.IdleSince = *u.LastUsedAt
			}
			if err := tx.Clauses(addUsage).Create(&u).Error; err != nil {
				return err
			}
			if err := pushOut(tx, u); err != nil {
				return err
			}
		}
		for _, d := range days {
			if err := tx.Clauses(addUsageDay).Create(&d).Error; err != nil {
				return err
			}
		}
		for _, total := range totalsOf(days) { // last, because every server adds to the same row
			if err := tx.Clauses(addUsageTotal).Create(&total).Error; err != nil {
				return err
			}
		}
		ready = true
		return nil
	})
	if err != nil && ready && s.answerLost(err) {
		var calls int64
		for _, u := range batch {
			calls += u.Calls + u.Refused + u.Late
		}
		s.log.Warn("the database went away while calls were counted: they may be missing", slog.Int64("calls", calls), slog.Any("error", err))
		return nil
	}
	return translate(err)
}

// pushOut moves the end of a collection access key to its whole life after its last accepted call, where that is later, and never beyond the day that
// was set when it was made. The call was accepted, so that the end was still to come; what is revoked stays so, and so does what had ended by then.
// In whatever order calls are written down, and however often, the end is that of the latest of them.
func pushOut(tx *gorm.DB, u models.Usage) error {
	if u.KeptBy == nil {
		return nil
	}
	ends := models.Instant(u.KeptBy.Add(models.CollectionKeyLife))
	return tx.Model(&models.Credential{}).
		Where("id = ? AND kind = ? AND revoked_at IS NULL", u.CredentialID, models.CollectionKey).
		Where("expires_at > ? AND expires_at < ?", *u.KeptBy, ends).
		Where("latest_expires_at IS NULL OR expires_at < latest_expires_at").
		Updates(map[string]any{"expires_at": gorm.Expr("CASE WHEN latest_expires_at < ? THEN latest_expires_at ELSE ? END", ends, ends)}).Error
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

// answerLost says of a commit that failed whether it may have happened all the same. SQLite knows, and so
// does a PostgreSQL that lived to refuse it.
func (s *Store) answerLost(err error) bool {
	var refused *pgconn.PgError
	return s.dialect == migrations.Postgres && !errors.As(err, &refused)
}

// later takes the new value of a column where its moment is the later one, and keeps the old one otherwise:
// servers write their batches down in any order.
func later(column, moment string) clause.Expr {
	return gorm.Expr("CASE WHEN usages." + moment + " IS NULL OR excluded." + moment + " > usages." + moment +
		" THEN excluded." + column + " ELSE usages." + column + " END")
}

var (
	addUsage = clause.OnConflict{
		Columns: []clause.Column{{Name: "credential_id"}},
		DoUpdates: clause.Assignments(map[string]any{
			"calls":        gorm.Expr("usages.calls + excluded.calls"),
			"refused":      gorm.Expr("usages.refused + excluded.refused"),
			"late":         gorm.Expr("usages.late + excluded.late"),
			"last_used_at": later("last_used_at", "last_used_at"),
			"last_address": later("last_address", "last_used_at"),
			"last_late_at": later("last_late_at", "last_late_at"),
			"idle_since":   gorm.Expr("CASE WHEN excluded.last_used_at > usages.idle_since THEN excluded.last_used_at ELSE usages.idle_since END"),
		}),
	}
	addUsageTotal = clause.OnConflict{
		Columns: []clause.Column{{Name: "day"}},
		DoUpdates: clause.Assignments(map[string]any{
			"calls":   gorm.Expr("usage_totals.calls + excluded.calls"),
			"refused": gorm.Expr("usage_totals.refused + excluded.refused"),
		}),
	}
	addUsageDay = clause.OnConflict{
		Columns: []clause.Column{{Name: "credential_id"}, {Name: "day"}},
		DoUpdates: clause.Assignments(map[string]any{
			"calls":   gorm.Expr("usage_days.calls + excluded.calls"),
			"refused": gorm.Expr("usage_days.refused + excluded.refused"),
		}),
	}
)
