package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"tokendesk/models"
	"tokendesk/models/store"
)

// What is no good backup is told in a sentence that begins with its name; neither it nor the data
// directory is changed.
func TestCopyRefuses(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	history(t, w)
	good := backup(t, w)
	for name, c := range map[string]struct {
		file func(t *testing.T) string
		says string
	}{
		"missing":  {func(t *testing.T) string { return filepath.Join(t.TempDir(), "missing") }, "cannot be read: no such file or directory."},
		"a folder": {func(t *testing.T) string { return t.TempDir() }, "is not a file."},
		"a device": {func(*testing.T) string { return os.DevNull }, "is not a file."},
		"empty":    {fileOf(""), "is empty."},
		"short":    {fileOf("SQLite format"), "is not a SQLite database."},
		"text":     {fileOf(strings.Repeat("This is no database. ", 1000)), "is not a SQLite database."},
		"noise":    {fileOf("SQLite format 3\x00" + strings.Repeat("noise", 1000)), "is damaged: "},
		"the database itself": {func(t *testing.T) string {
			link := filepath.Join(t.TempDir(), "link")
			must(t, os.Symlink(w.DatabaseFile(), link))
			return link
		}, "is the database itself"},
		"in use": {func(t *testing.T) string {
			file := altered(t, good)
			must(t, os.WriteFile(file+"-wal", []byte("x"), 0o600))
			return file
		}, "is a database in use"},
		"half":    {cut(good, 2), "is damaged: database disk image is malformed"},
		"a page":  {cut(good, 75), "is damaged: database disk image is malformed"},
		"another": {func(t *testing.T) string { return made(t, "CREATE TABLE change_clock (one integer)") }, "is not a Tokendesk database."},
		"newer": {func(t *testing.T) string {
			return altered(t, good, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
		}, "has schema version 99999, and this program knows versions up to "},
		"a broken chain": {func(t *testing.T) string {
			return altered(t, good, "DROP TRIGGER events_keep_update", "UPDATE events SET actor_name = 'Eve' WHERE seq = 4")
		}, "has an audit log that was tampered with: event 4 ("},
		"a log cut off": {func(t *testing.T) string {
			return altered(t, good, "DROP TRIGGER events_keep_delete", "DELETE FROM events WHERE seq > 6")
		}, "has an audit log that was tampered with: events after 6 ("},
		"an index that lies": {func(t *testing.T) string {
			file := altered(t, good, "PRAGMA writable_schema = 1", "CREATE TABLE kept AS SELECT * FROM sqlite_master WHERE name = 'workspaces_slug'", "DELETE FROM sqlite_master WHERE name = 'workspaces_slug'")
			harm(t, file, "UPDATE workspaces SET slug = 'other'")
			harm(t, file, "PRAGMA writable_schema = 1", "INSERT INTO sqlite_master SELECT * FROM kept")
			harm(t, file, "DROP TABLE kept")
			return file
		}, "is damaged: row 1 missing from index workspaces_slug"},
		"a reference to nothing": {func(t *testing.T) string { return altered(t, good, "DELETE FROM credentials", "DELETE FROM people") }, "is damaged: a row of "},
		"guards removed":         {func(t *testing.T) string { return altered(t, good, "DROP TRIGGER events_keep_delete") }, "was changed by hand: its trigger events_keep_delete is not"},
		"a guard altered": {func(t *testing.T) string {
			return altered(t, good, "DROP TRIGGER events_keep_delete", "CREATE TRIGGER events_keep_delete BEFORE DELETE ON events BEGIN SELECT 1; END")
		}, "was changed by hand: its trigger events_keep_delete is not"},
		"a trigger added": {func(t *testing.T) string {
			return altered(t, good, "CREATE TRIGGER eve AFTER UPDATE ON credentials BEGIN UPDATE credentials SET revoked_at = NULL; END")
		}, "was changed by hand: Tokendesk makes no trigger eve."},
		"a trigger with a name of SQLite's own": {func(t *testing.T) string {
			return altered(t, good, "PRAGMA writable_schema = 1", `INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql)
				VALUES ('trigger', 'sqlite_x', 'people', 0, 'CREATE TRIGGER sqlite_x AFTER UPDATE OF seen_at ON people BEGIN UPDATE people SET role = ''Admin'' WHERE id = NEW.id; END')`)
		}, "was changed by hand: Tokendesk makes no trigger sqlite_x."},
		"a trigger twice": {func(t *testing.T) string {
			return altered(t, good, "PRAGMA writable_schema = 1", `INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql)
				VALUES ('trigger', 'events_keep_update', 'people_trigrams_config', 0, 'CREATE TRIGGER IF NOT EXISTS events_keep_update AFTER INSERT ON people_trigrams_config BEGIN DELETE FROM people; END')`)
		}, "was changed by hand: Tokendesk makes no trigger events_keep_update twice."},
		"a trigger on the migrations": {func(t *testing.T) string {
			return altered(t, good, "CREATE TRIGGER bomb AFTER INSERT ON goose_db_version BEGIN UPDATE people SET role = 'Admin'; END")
		}, "was changed by hand: Tokendesk makes no trigger bomb."},
		"a table that is a view": {func(t *testing.T) string {
			return altered(t, good, "PRAGMA foreign_keys = 0", "DROP TABLE blob_chunks", `CREATE VIEW blob_chunks (sha256, number, bytes) AS
				WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT 'x', n, zeroblob(100000) FROM c`)
		}, "was changed by hand: Tokendesk makes no views."},
		"an index removed": {func(t *testing.T) string { return altered(t, good, "DROP INDEX credentials_one_bearer") }, "was changed by hand: its index credentials_one_bearer is not"},
		"another encoding": {func(t *testing.T) string {
			dir := t.TempDir()
			must(t, os.Rename(made(t, "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE x (y)", "DROP TABLE x"), filepath.Join(dir, store.FileName)))
			wide := w.OpenWith(t, func(set *store.Settings) { set.DataDir = dir })
			_, err := wide.Migrate(t.Context())
			must(t, err)
			file := filepath.Join(t.TempDir(), "wide.db")
			_, err = wide.Backup(t.Context(), command, file)
			must(t, err)
			return file
		}, "was changed by hand: its text encoding is not"},
		"other pages": {func(t *testing.T) string { return altered(t, good, "PRAGMA page_size = 8192", "VACUUM") }, "was changed by hand: its size of a page is not"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, dir := c.file(t), t.TempDir()
			if name == "the database itself" {
				dir = w.Dir
			}
			before, _ := os.ReadFile(file)
			list := names(t, filepath.Dir(file))
			copied, err := openCopy(t.Context(), w, dir, file)
			if err == nil {
				copied.Close()
			}
			if models.KindOf(err) != models.Invalid || !strings.HasPrefix(err.Error(), file+" ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
			after, _ := os.ReadFile(file)
			if string(after) != string(before) || (name != "a device" && !slices.Equal(names(t, filepath.Dir(file)), list)) {
				t.Error("the file was changed, or something beside it")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "restore-*")); len(left) > 0 {
				t.Errorf("left is %q", left)
			}
		})
	}
}

func fileOf(content string) func(*testing.T) string {
	return func(t *testing.T) string {
		file := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(file, []byte(content), 0o600))
		return file
	}
}

// cut is a file of which the end is missing: its nth part.
func cut(file string, n int) func(*testing.T) string {
	return func(t *testing.T) string {
		content, err := os.ReadFile(file)
		must(t, err)
		return fileOf(string(content[:len(content)-len(content)/n]))(t)
	}
}

// altered is a copy of a file that somebody changed.
func altered(t *testing.T, file string, statements ...string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	must(t, err)
	copied := fileOf(string(content))(t)
	harm(t, copied, statements...)
	return copied
}

// made is a SQLite database that somebody made.
func made(t *testing.T, statements ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	harm(t, file, statements...)
	return file
}

// A backup from before an upgrade is brought up on the way, and stays as it is itself. Backing up such a
// database leaves its schema alone: that is what one does before an upgrade.
func TestCopyOfAnOlderSchema(t *testing.T) {
	t.Parallel()
	w, later := onSQLite(t), onSQLite(t)
	must(t, w.Close())
	must(t, os.Remove(w.DatabaseFile()))
	db, err := sql.Open("sqlite", "file:"+w.DatabaseFile())
	must(t, err)
	defer db.Close()
	steps, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("../../migrations/sqlite"))
	must(t, err)
	_, err = steps.UpTo(t.Context(), 1)
	must(t, err)
	old := w
	old.Store = w.Open(t)
	ids := []string{models.NewID()}
	_, err = db.Exec(`INSERT INTO people (id, name, name_key, email, email_key, role, password_hash, password_changed_at, created_at)
		VALUES (?, 'Ann Older', 'ann older', 'ann@x.example', 'ann@x.example', 'Member', 'none', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')`, ids[0])
	must(t, err)
	_, err = old.OfferSetup(t.Context(), server)
	must(t, err)

	file := filepath.Join(t.TempDir(), "backup.db")
	holds, err := old.Backup(t.Context(), command, file)
	if err != nil || holds.Schema != 1 || holds.Events != 1 {
		t.Fatalf("%+v (%v)", holds, err)
	}
	if schema, err := old.Schema(t.Context()); err != nil || !schema[1].AppliedAt.IsZero() {
		t.Errorf("the schema is %+v (%v)", schema, err)
	}
	before, err := os.ReadFile(file)
	must(t, err)
	restore(t, later, file, false)
	if found := search(t, later.Store, "older"); len(found) != 1 || found[0].ID != ids[0] {
		t.Errorf("found %+v", found)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the backup was changed (%v)", err)
	}
}
