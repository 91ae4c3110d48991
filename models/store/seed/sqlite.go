package seed

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"net/url"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"tokendesk/models/store"
)

// sqliteFile is one connection to an SQLite database.
type sqliteFile struct {
	pool *sql.DB
	conn *sql.Conn
}

func openSQLite(ctx context.Context, where store.Settings) (database, error) {
	settings := url.Values{"_pragma": {"busy_timeout(10000)", "foreign_keys(1)"}, "_time_format": {"sqlite"}, "_timezone": {"UTC"}}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.Join(where.DataDir, store.FileName)}).EscapedPath()+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return sqliteFile{pool, conn}, nil
}

func (s sqliteFile) exec(ctx context.Context, statement string) error {
	_, err := s.conn.ExecContext(ctx, statement)
	return err
}

func (s sqliteFile) number(ctx context.Context, query string) (n int64, err error) {
	return n, s.conn.QueryRowContext(ctx, query).Scan(&n)
}

// begin leaves the log of pages for a rollback journal, which has next to nothing in it when pages are only added,
// and does not wait for the disk: a crash of the machine may ruin the file, one of the program does not.
func (s sqliteFile) begin(ctx context.Context) error {
	return s.exec(ctx, "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; PRAGMA threads = 2; BEGIN IMMEDIATE")
}

// secondary takes the triggers of the log away too: they look for each new event among all others.
func (s sqliteFile) secondary(ctx context.Context) (list []attachment, err error) {
	rows, err := s.conn.QueryContext(ctx, `SELECT name, 'DROP ' || type || ' ' || name, sql FROM sqlite_master
		WHERE sql IS NOT NULL AND (type = 'index' OR type = 'trigger' AND tbl_name = 'events') ORDER BY rowid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a attachment
		if err := rows.Scan(&a.name, &a.remove, &a.make); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

func (s sqliteFile) load(ctx context.Context, t table) error {
	columns := strings.Fields(t.columns)
	insert, err := s.conn.PrepareContext(ctx, "INSERT INTO "+t.name+" ("+strings.Join(columns, ", ")+") VALUES (?"+strings.Repeat(", ?", len(columns)-1)+")")
	if err != nil {
		return err
	}
	defer insert.Close()
	for row := range ahead(t.rows) {
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return nil
}

// ahead has rows made while earlier ones are being inserted: each takes a processor about as long.
func ahead(rows iter.Seq[[]any]) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		made, enough := make(chan [][]any, 4), make(chan struct{})
		defer close(enough)
		go func() {
			defer close(made)
			for batch := range batches(rows, 256) {
				select {
				case made <- batch:
				case <-enough:
					return
				}
			}
		}()
		for batch := range made {
			for _, row := range batch {
				if !yield(row) {
					return
				}
			}
		}
	}
}

func batches(rows iter.Seq[[]any], size int) iter.Seq[[][]any] {
	return func(yield func([][]any) bool) {
		batch := make([][]any, 0, size)
		for row := range rows {
			if batch = append(batch, row); len(batch) == size {
				if !yield(batch) {
					return
				}
				batch = make([][]any, 0, size)
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// tidy goes back to the log of pages, which the store works with. There are no statistics to gather: a server never
// does on SQLite, and what is measured here is to be what it has.
func (s sqliteFile) tidy(ctx context.Context) error { return s.exec(ctx, "PRAGMA journal_mode = WAL") }

func (s sqliteFile) close(context.Context) error { return errors.Join(s.conn.Close(), s.pool.Close()) }
