package store

import (
	"context"
	"sort"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tokendesk/models"
)

// RecordUsage adds counts to what is written down: all of the batch or none of it. It is the one
// change that makes no event. Rows are touched in one order, so that two servers that write at
// once wait for each other instead of standing in each other's way.
func (s *Store) RecordUsage(ctx context.Context, batch []models.Usage, days []models.UsageDay) error {
	sort.Slice(batch, func(i, j int) bool { return batch[i].CredentialID < batch[j].CredentialID })
	sort.Slice(days, func(i, j int) bool {
		return days[i].CredentialID+days[i].Day < days[j].CredentialID+days[j].Day
	})
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, u := range batch {
			if err := tx.Clauses(addUsage).Create(&u).Error; err != nil {
				return err
			}
		}
		for _, d := range days {
			if err := tx.Clauses(addUsageDay).Create(&d).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return translate(err)
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
		}),
	}
	addUsageDay = clause.OnConflict{
		Columns:   []clause.Column{{Name: "credential_id"}, {Name: "day"}},
		DoUpdates: clause.Assignments(map[string]any{"calls": gorm.Expr("usage_days.calls + excluded.calls")}),
	}
)
