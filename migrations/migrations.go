// Package migrations brings a database to the schema that this program knows. The SQL is embedded,
// one folder a database, file by file the same steps.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Dialect names a database as the folders do.
type Dialect string

const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Step is one migration and when it was applied; the zero time where it was not.
type Step struct {
	Version   int64
	Name      string
	AppliedAt time.Time
}

// NewerError says that the database was brought further by a newer program.
type NewerError struct{ Database, Program int64 }

func (e *NewerError) Error() string {
	return fmt.Sprintf("the database has schema version %d, and this program knows versions up to %d: start the newer Tokendesk that made it", e.Database, e.Program)
}

// Up applies what is missing and tells what it applied. Several programs that start at once on one
// database wait for each other. A database that is newer than the program is left alone: *NewerError.
func Up(ctx context.Context, dialect Dialect, db *sql.DB) ([]Step, error) {
	provider, err := provide(dialect, db)
	if err != nil {
		return nil, err
	}
	results, err := upTogether(ctx, provider)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err := refuseNewer(ctx, provider); err != nil {
		return nil, err
	}
	steps := make([]Step, len(results))
	for i, r := range results {
		steps[i] = Step{Version: r.Source.Version, Name: r.Source.Path}
	}
	return steps, nil
}

// upTogether applies what is missing. On SQLite nothing keeps two programs apart that start at once, and of two that apply
// a step one is told that it is there: as long as the other one gets on, it waits for it.
func upTogether(ctx context.Context, provider *goose.Provider) ([]*goose.MigrationResult, error) {
	var applied []*goose.MigrationResult
	for before, tries := int64(-1), 0; ; {
		results, err := provider.Up(ctx)
		if part := (*goose.PartialError)(nil); errors.As(err, &part) {
			results = part.Applied
		}
		if applied = append(applied, results...); err == nil {
			return applied, nil
		}
		have, known, again := provider.GetVersions(ctx)
		if again == nil && have >= known {
			return applied, nil
		}
		if tries++; have > before {
			before, tries = have, 0
		}
		if again != nil || tries == mostTries {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(tryAgain):
		}
	}
}

// A step that is under way in another program is waited for so often, so long each time.
const (
	mostTries = 20
	tryAgain  = 50 * time.Millisecond
)

// Status lists every migration that the program knows. A newer database is *NewerError.
func Status(ctx context.Context, dialect Dialect, db *sql.DB) ([]Step, error) {
	provider, err := provide(dialect, db)
	if err != nil {
		return nil, err
	}
	if err := refuseNewer(ctx, provider); err != nil {
		return nil, err
	}
	list, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema version: %w", err)
	}
	steps := make([]Step, len(list))
	for i, s := range list {
		steps[i] = Step{Version: s.Source.Version, Name: s.Source.Path, AppliedAt: s.AppliedAt}
	}
	return steps, nil
}

func provide(dialect Dialect, db *sql.DB) (*goose.Provider, error) {
	folder, err := fs.Sub(files, string(dialect))
	if err != nil {
		return nil, err
	}
	kind, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if dialect == Postgres {
		// Who finds the lock taken tries again each second, for five minutes.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, err
		}
		kind, options = goose.DialectPostgres, append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(kind, db, folder, options...)
}

func refuseNewer(ctx context.Context, provider *goose.Provider) error {
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if have > known {
		return &NewerError{Database: have, Program: known}
	}
	return nil
}
