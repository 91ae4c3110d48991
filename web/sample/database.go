package sample

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	applicationID = 0x54446b73 // "TDks", by which a file of the sample is told from any other database
	schemaVersion = 1
	pageBytes     = 4096
	readers       = 4 // connections that read at a time; one writes
)

//go:embed schema.sql
var schema string

// querier is a database, or a transaction in it.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// openDatabase opens the sample's file, or makes it, for this user alone. Who wants to write queues for the one
// connection that may; reading goes on meanwhile.
func openDatabase(ctx context.Context, path string, limit int64) (write, read *sql.DB, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("the sample's file cannot be opened: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, nil, err
	}
	if err := prepare(ctx, path); err != nil {
		return nil, nil, err
	}
	pragmas := []string{"busy_timeout(10000)", "synchronous(FULL)", "foreign_keys(1)", fmt.Sprintf("max_page_count(%d)", limit/pageBytes)}
	if write, err = connect(path, 1, pragmas...); err != nil {
		return nil, nil, err
	}
	if read, err = connect(path, readers, append(pragmas, "query_only(1)")...); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	return write, read, nil
}

func connect(path string, connections int, pragmas ...string) (*sql.DB, error) {
	settings := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}, "_time_format": {"sqlite"}, "_timezone": {"UTC"}}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+settings.Encode())
	if err == nil {
		pool.SetMaxOpenConns(connections)
		pool.SetMaxIdleConns(connections)
	}
	return pool, err
}

// prepare makes the schema in a new file, and has it read and written at a time. One that is none of the sample's it
// leaves as it is, to the byte.
func prepare(ctx context.Context, path string) (err error) {
	db, err := connect(path, 1, "busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := makeSchema(ctx, db, path); err != nil {
		return err
	}
	return readWhileWriting(ctx, db)
}

// readWhileWriting gives the file a write-ahead log, which it keeps. Of two programs that do it at once SQLite tells one
// that the file is locked, whatever its busy timeout.
func readWhileWriting(ctx context.Context, db *sql.DB) error {
	for tries := 0; ; tries++ {
		_, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		if tries == 200 || failedWith(err) != sqlite3.SQLITE_BUSY {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func makeSchema(ctx context.Context, db *sql.DB, path string) error {
	return change(ctx, db, func(tx *sql.Tx) error {
		var application, version, tables int
		err := tx.QueryRowContext(ctx, "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version").Scan(&application, &version, &tables)
		if err != nil {
			return fmt.Errorf("the sample's file %s cannot be read: %w", path, err)
		}
		switch {
		case application == applicationID && version == schemaVersion:
			return nil
		case application == applicationID:
			return fmt.Errorf("%s was made by another version of the sample (schema %d, and this one knows %d): name another file", path, version, schemaVersion)
		case tables > 0 || application != 0 || version != 0:
			return fmt.Errorf("%s is another program's database: name another file", path)
		}
		_, err = tx.ExecContext(ctx, schema+"PRAGMA application_id = "+strconv.Itoa(applicationID)+"; PRAGMA user_version = "+strconv.Itoa(schemaVersion))
		return err
	})
}

// change runs one transaction, which holds the write lock from its beginning.
func change(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit, it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// one insists that a statement changed a row.
func one(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return sql.ErrNoRows
}

// count answers a number that a query asks for.
func count(ctx context.Context, q querier, query string, args ...any) (n int64, err error) {
	err = q.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// prune removes a tenant's oldest rows of a table, beyond the number to keep.
func prune(ctx context.Context, tx querier, table string, tenant int64, keep int) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE tenant = ?1 AND id <= (SELECT id FROM "+table+" WHERE tenant = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)", tenant, keep)
	return err
}

// failedWith answers SQLite's code for an error, or 0.
func failedWith(err error) int {
	if failed := (*sqlite.Error)(nil); errors.As(err, &failed) {
		return failed.Code()
	}
	return 0
}

func isDuplicate(err error) bool {
	code := failedWith(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

func isFull(err error) bool { return failedWith(err)&0xff == sqlite3.SQLITE_FULL }
