package store

import (
	"context"

	"gorm.io/gorm"

	"tokendesk/migrations"
)

// planned runs queries whose best plan depends on the values in them: a word may be in one name or in half of them.
// PostgreSQL plans a statement that it has seen before without looking at its values; here it must look.
func (s *Store) planned(ctx context.Context, run func(*gorm.DB) error) error {
	return s.withSettings(ctx, run, func(tx *gorm.DB) error {
		return tx.Exec("SELECT " + endsWhenIdle + ", set_config('plan_cache_mode', 'force_custom_plan', true)").Error
	})
}

// byFewestRows is planned, and has PostgreSQL choose the index with the fewest rows to look at. By itself it weighs
// what it would read from disk, and then walks back along the whole log wherever it expects to meet enough soon;
// or sorts what it expects to be few. It knows how often a value is there, and not with which others, so either
// may read the whole log for nothing.
func (s *Store) byFewestRows(ctx context.Context, run func(*gorm.DB) error) error {
	return s.withSettings(ctx, run, func(tx *gorm.DB) error {
		return tx.Exec("SELECT " + endsWhenIdle + ", set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true), " +
			"set_config('random_page_cost', '0', true), set_config('seq_page_cost', '0', true)").Error
	})
}

// byIndex is planned, and has PostgreSQL read what a list of credentials is made of along an index, and join row by row: there are never many
// of them.
func (s *Store) byIndex(ctx context.Context, run func(*gorm.DB) error) error {
	return s.withSettings(ctx, run, func(tx *gorm.DB) error {
		return tx.Exec("SELECT " + endsWhenIdle + ", set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), " +
			"set_config('enable_mergejoin', 'off', true), set_config('random_page_cost', '0', true), set_config('seq_page_cost', '0', true)").Error
	})
}

// withSettings runs queries after settings of PostgreSQL that hold for them alone.
func (s *Store) withSettings(ctx context.Context, run, settings func(tx *gorm.DB) error) error {
	return s.together(ctx, func(tx *gorm.DB) error {
		if s.dialect == migrations.Postgres {
			if err := settings(tx); err != nil {
				return err
			}
		}
		return run(tx)
	})
}

// together has all queries go to one server of PostgreSQL, whatever a pooler does meanwhile. SQLite has no need of it.
func (s *Store) together(ctx context.Context, run func(tx *gorm.DB) error) error {
	db := s.db.WithContext(ctx)
	if s.dialect == migrations.SQLite {
		return translate(run(db))
	}
	return translate(db.Transaction(run))
}
