package store

import (
	"context"
	"regexp"
	"sync/atomic"

	"gorm.io/gorm"

	"tokendesk/migrations"
)

// What the tests of this package need besides what everybody may use.
const (
	ChunkBytes    = chunkBytes
	SetupDomain   = setupDomain
	SessionDomain = sessionDomain
)

// DB is the database past all rules, as somebody has it who holds it in their hands.
func (s *Store) DB() *gorm.DB { return s.db }

// GrantSQL is the statement that finds a credential by its hash.
func (s *Store) GrantSQL() string { return s.grantByHash }

// CountStatements counts what the store asks the database from now on.
func (s *Store) CountStatements() *atomic.Int64 {
	asked := new(atomic.Int64)
	count := func(tx *gorm.DB) {
		if !tx.DryRun { // a query inside another one
			asked.Add(1)
		}
	}
	s.onAsk = func(string, []any) { asked.Add(1) }
	on := s.db.Callback()
	for _, err := range []error{
		on.Query().Register("count", count), on.Row().Register("count", count), on.Raw().Register("count", count),
		on.Create().Register("count", count), on.Update().Register("count", count), on.Delete().Register("count", count),
	} {
		if err != nil {
			panic(err)
		}
	}
	return asked
}

var numbered = regexp.MustCompile(`\$[0-9]+`)

// ListenStatements has f told of every question that the store asks the database, written out with its values.
func (s *Store) ListenStatements(f func(sql string)) {
	tell := func(tx *gorm.DB) {
		if !tx.DryRun { // a query inside another one
			f(tx.Dialector.Explain(tx.Statement.SQL.String(), tx.Statement.Vars...))
		}
	}
	s.onAsk = func(statement string, values []any) {
		written := statement
		if s.dialect == migrations.SQLite {
			written = numbered.ReplaceAllString(statement, "?")
		}
		f(s.db.Dialector.Explain(written, values...))
	}
	on := s.db.Callback()
	for _, err := range []error{on.Query().Register("tell", tell), on.Row().Register("tell", tell)} {
		if err != nil {
			panic(err)
		}
	}
}

// AfterLostCommit finds out what became of a commit whose answer was lost.
func (s *Store) AfterLostCommit(ctx context.Context, eventID string, cause error) error {
	return s.afterLostCommit(ctx, eventID, cause)
}

// AsOf runs queries as those do whose answers somebody relies on.
func (s *Store) AsOf(ctx context.Context, run func(tx *gorm.DB) error) error {
	_, err := s.asOf(ctx, run)
	return err
}
