package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tokendesk/models"
)

// sqliteDialect teaches GORM the few things about SQLite that this package uses. There is no
// AutoMigrate: the schema is SQL in migrations.
type sqliteDialect struct{ pool *sql.DB }

// openSQLite opens a database file. Transactions take the write lock when they begin: one that
// turned into a writer half-way would fail at once, whatever the busy timeout. The file is for this
// user alone, whatever the folder's mode; SQLite gives the files beside it the same.
func openSQLite(ctx context.Context, path string) (*sql.DB, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, models.Fail(models.Unavailable, "The database file cannot be opened.").Because(err)
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	settings := url.Values{
		"_pragma":      {"busy_timeout(10000)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock":      {"immediate"},
		"_time_format": {"sqlite"},
		"_timezone":    {"UTC"},
	}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16)
	if err := readWhileWriting(ctx, pool); err != nil {
		return nil, errors.Join(models.Fail(models.Unavailable, "The database does not answer.").Because(err), pool.Close())
	}
	return pool, nil
}

// readWhileWriting gives the file a write-ahead log, which it keeps. Of two programs that do it at once SQLite tells one
// that the file is locked, whatever its busy timeout.
func readWhileWriting(ctx context.Context, pool *sql.DB) error {
	for tries := 0; ; tries++ {
		_, err := pool.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		if locked := (*sqlite.Error)(nil); tries == 200 || !errors.As(err, &locked) || locked.Code() != sqlite3.SQLITE_BUSY {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (sqliteDialect) Name() string { return "sqlite" }

func (d sqliteDialect) Initialize(db *gorm.DB) error {
	db.ConnPool = d.pool
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{
		CreateClauses:        []string{"INSERT", "VALUES", "ON CONFLICT", "RETURNING"},
		UpdateClauses:        []string{"UPDATE", "SET", "FROM", "WHERE", "RETURNING"},
		DeleteClauses:        []string{"DELETE", "FROM", "WHERE", "RETURNING"},
		LastInsertIDReversed: true,
	})
	// The write lock is held from the beginning of a transaction, so rows need no lock of their own.
	db.ClauseBuilders["FOR"] = func(clause.Clause, clause.Builder) {}
	return nil
}

func (sqliteDialect) Migrator(*gorm.DB) gorm.Migrator { return nil }
func (sqliteDialect) DataTypeOf(*schema.Field) string { return "" }
func (sqliteDialect) Explain(text string, v ...any) string {
	return logger.ExplainSQL(text, nil, `'`, v...)
}

func (sqliteDialect) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "NULL"}
}

func (sqliteDialect) BindVarTo(w clause.Writer, _ *gorm.Statement, _ any) { _ = w.WriteByte('?') }

func (sqliteDialect) QuoteTo(w clause.Writer, name string) {
	_, _ = w.WriteString(`"` + strings.ReplaceAll(strings.ReplaceAll(name, `"`, `""`), ".", `"."`) + `"`)
}

// Translate gives SQLite's constraint failures GORM's names.
func (sqliteDialect) Translate(err error) error {
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return gorm.ErrDuplicatedKey
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return gorm.ErrForeignKeyViolated
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return gorm.ErrCheckConstraintViolated
	}
	return err
}
