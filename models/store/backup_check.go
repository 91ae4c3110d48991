package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"modernc.org/sqlite"

	"tokendesk/migrations"
	"tokendesk/models"
)

// Contents is what a SQLite database holds, after all of it was checked.
type Contents struct {
	Events int64     // of the audit log, each chained to the one before
	Last   time.Time // when the last of them happened
	Schema int64     // the last step of the schema that was applied
	Bytes  int64     // the database's size
}

// check reads all of a SQLite database: whether it is one of ours, each page and each reference, each archive, and
// the audit log from its first event to its last. What is wrong is models.Invalid and begins with the name.
func (s *Store) check(ctx context.Context, name string) (Contents, error) {
	holds, err := s.checkAll(ctx, name)
	return holds, damaged(ctx, name, err)
}

// damaged is what SQLite's failures mean in a file that nobody else has open.
func damaged(ctx context.Context, name string, err error) error {
	var said *sqlite.Error
	if ctx.Err() == nil && errors.As(err, &said) {
		return models.Fail(models.Invalid, "%s is damaged: %v.", name, said)
	}
	return err
}

func (s *Store) checkAll(ctx context.Context, name string) (holds Contents, err error) {
	if err := s.ours(ctx, name); err != nil {
		return holds, err
	}
	if err := s.sound(ctx, name); err != nil {
		return holds, err
	}
	if err := s.archivesWhole(ctx, name); err != nil {
		return holds, err
	}
	chain, err := s.VerifyEvents(ctx)
	if err != nil {
		return holds, err
	}
	if chain.Broken != "" {
		return holds, models.Fail(models.Invalid, "%s has an audit log that was tampered with: %s.", name, chain.Broken)
	}
	last, err := readClock(s.db.WithContext(ctx))
	if err != nil {
		return holds, err
	}
	holds.Events, holds.Last = chain.Events, last.LastAt
	err = s.pool.QueryRowContext(ctx, `SELECT (SELECT max(version_id) FROM goose_db_version WHERE is_applied),
		(SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)`).Scan(&holds.Schema, &holds.Bytes)
	return holds, err
}

// ours refuses a database that is not Tokendesk's, and one that a newer program has brought further.
func (s *Store) ours(ctx context.Context, name string) error {
	var tables int
	err := s.pool.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master
		WHERE type = 'table' AND name IN ('goose_db_version', 'change_clock', 'events', 'people', 'credentials')`).Scan(&tables)
	if err != nil {
		return err
	}
	if tables < 5 {
		return models.Fail(models.Invalid, "%s is not a Tokendesk database.", name)
	}
	var views int // which stand for anything, however long it is, when the content is read
	if err := s.pool.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'view'").Scan(&views); err != nil {
		return err
	}
	if views > 0 {
		return models.Fail(models.Invalid, "%s was changed by hand: Tokendesk makes no views.", name)
	}
	var newer *migrations.NewerError
	if _, err := s.Schema(ctx); errors.As(err, &newer) {
		return models.Fail(models.Invalid, "%s has schema version %d, and this program knows versions up to %d: use the newer Tokendesk that made it.", name, newer.Database, newer.Program)
	} else if err != nil {
		return err
	}
	return nil
}

// sound has SQLite look at each page, index and reference.
func (s *Store) sound(ctx context.Context, name string) error {
	var found string
	if err := s.pool.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return models.Fail(models.Invalid, "%s is damaged: %s", name, found)
	}
	var table, parent string
	err := s.pool.QueryRowContext(ctx, `SELECT "table", parent FROM pragma_foreign_key_check LIMIT 1`).Scan(&table, &parent)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return models.Fail(models.Invalid, "%s is damaged: a row of %s refers to one of %s that is not there.", name, table, parent)
}

// AsMade refuses a database whose tables, indexes, triggers or views are not those that the migrations make: a trigger
// that somebody added could do anything. The database has all migrations; name is what it is called where it is refused,
// with models.Invalid. A database to compare with is made in dir, for a moment. SQLite only: on PostgreSQL
// others may have their own there.
func (s *Store) AsMade(ctx context.Context, name, dir string) error {
	if s.dialect != migrations.SQLite {
		return nil
	}
	dir, err := os.MkdirTemp(dir, "like-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	like, err := Open(ctx, Settings{DataDir: dir, Clock: s.now, NewID: s.newID, Hasher: s.hasher, Log: s.log})
	if err != nil {
		return err
	}
	defer like.Close()
	if _, err := like.Migrate(ctx); err != nil {
		return err
	}
	return s.sameSchema(ctx, name, like)
}

// sameSchema compares a database with one that has just been made.
func (s *Store) sameSchema(ctx context.Context, name string, like *Store) error {
	has, err := s.objects(ctx)
	if err != nil {
		return err
	}
	wants, err := like.objects(ctx)
	if err != nil {
		return err
	}
	for object, text := range wants {
		if has[object] != text {
			return models.Fail(models.Invalid, "%s was changed by hand: its %s is not the one that Tokendesk makes.", name, object)
		}
	}
	for object := range has {
		if _, known := wants[object]; !known {
			return models.Fail(models.Invalid, "%s was changed by hand: Tokendesk makes no %s.", name, object)
		}
	}
	return nil
}

// objects lists what a schema consists of, with the text that made it. The text of the migration tool's own table
// is left out, and that of tables inside of a search index: other versions may word them anew. A name says
// nothing: whoever writes the file's pages can call a trigger as SQLite calls its own.
func (s *Store) objects(ctx context.Context) (map[string]string, error) {
	rows, err := s.pool.QueryContext(ctx, `SELECT m.type || ' ' || m.name, CASE WHEN m.type = 'table' AND (l.type = 'shadow' OR m.name = 'goose_db_version') THEN '' ELSE coalesce(m.sql, '') END
		FROM sqlite_master m LEFT JOIN pragma_table_list l ON l.schema = 'main' AND l.name = m.tbl_name
		WHERE NOT (m.type = 'index' AND m.sql IS NULL) AND NOT (m.type = 'table' AND m.name IN ('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4'))
		UNION ALL SELECT 'size of a page', page_size FROM pragma_page_size UNION ALL SELECT 'text encoding', encoding FROM pragma_encoding`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var object, text string
		if err := rows.Scan(&object, &text); err != nil {
			return nil, fmt.Errorf("read the schema: %w", err)
		}
		if _, twice := found[object]; twice {
			object += " twice"
		}
		found[object] = text
	}
	return found, rows.Err()
}
