package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// onSQLite is a world on SQLite; what backs up and restores is for nothing else.
func onSQLite(t *testing.T) storetest.World {
	t.Helper()
	return storetest.New(t, "")
}

// backup backs a world up into a folder of its own and answers the file.
func backup(t *testing.T, w storetest.World) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a backup %41?#.db")
	if _, err := w.Backup(t.Context(), command, file); err != nil {
		t.Fatalf("back up: %v", err)
	}
	return file
}

// names lists what is in a folder.
func names(t *testing.T, folder string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// A backup is one file that this user alone may read, with all events and nothing of what was removed.
func TestBackup(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	total := history(t, w)
	person, err := w.PersonByEmail(t.Context(), "ines@marlowe.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetPassword(t.Context(), command, person.ID, "seven umbrellas beneath a paper moon"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a backup %41?#.db")
	holds, err := w.Backup(t.Context(), command, file)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 || holds.Bytes != info.Size() || holds.Events != total+1 || !holds.Last.Equal(w.Clock.Now()) || holds.Schema < 2 {
		t.Errorf("it holds %+v in a file of %d bytes, %s (%v)", holds, info.Size(), info.Mode(), err)
	}
	if list := names(t, filepath.Dir(file)); len(list) != 1 {
		t.Errorf("beside it: %q", list)
	}
	if n := number(t, w, "SELECT count(*) FROM people WHERE password_hash = ?", person.PasswordHash); n != 1 || bytes.Count(content, []byte(person.PasswordHash)) != 1 {
		t.Errorf("the hash of a password that one other person still has is there %d times", bytes.Count(content, []byte(person.PasswordHash)))
	}
	for _, secret := range w.Secrets.All() {
		if found := storetest.Traces(content, secret); len(found) > 0 {
			t.Errorf("it has %q of a secret", found)
		}
	}
	if c := verify(t, w); c.Events != total+1 || c.Broken != "" {
		t.Errorf("the database has %+v", c)
	}
}

// What cannot be written is told, and neither a file nor a part of one is left.
func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	admin := w.SetUp(t)
	folder := t.TempDir()
	write := func(name string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	there := write("there")
	link := filepath.Join(folder, "link")
	if err := os.Symlink(filepath.Join(folder, "nowhere"), link); err != nil {
		t.Fatal(err)
	}
	before := names(t, folder)
	for what, c := range map[string]struct {
		who  models.Actor
		file string
		kind models.Kind
	}{
		"an Admin":                {admin, filepath.Join(folder, "new"), models.Forbidden},
		"a file":                  {command, there, models.Conflict},
		"a link to nowhere":       {command, link, models.Conflict},
		"a folder":                {command, folder, models.Conflict},
		"in no folder":            {command, filepath.Join(folder, "missing", "new"), models.Invalid},
		"in a folder that is one": {command, filepath.Join(there, "new"), models.Invalid},
	} {
		_, err := w.Backup(t.Context(), c.who, c.file)
		wantKind(t, what, err, c.kind)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Backup(gone, command, filepath.Join(folder, "new")); err == nil {
		t.Error("somebody who gave up got a backup")
	}
	content, err := os.ReadFile(there)
	if after := names(t, folder); !slices.Equal(after, before) || string(content) != "kept" {
		t.Errorf("left is %q, with %q (%v)", after, content, err)
	}
}

// A copy that comes out damaged, here because the database is, is no backup.
func TestBackupOfDamage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage string
		says   string
	}{
		"an event changed":    {"UPDATE events SET actor_name = 'Eve' WHERE seq = 4", "tampered with: event 4 ("},
		"a person gone":       {"DELETE FROM people", "refers to one of people that is not there"},
		"the schema is newer": {"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)", "has schema version 99999"},
		"no Tokendesk":        {"DROP TABLE change_clock", "The database is not a Tokendesk database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onSQLite(t)
			history(t, w)
			unguard(t, w)
			harm(t, w.DatabaseFile(), c.damage)
			file := filepath.Join(t.TempDir(), "backup.db")
			_, err := w.Backup(t.Context(), command, file)
			if models.KindOf(err) != models.Invalid || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
			if list := names(t, filepath.Dir(file)); len(list) != 0 {
				t.Errorf("left is %q", list)
			}
		})
	}
}

// harm changes a database file as somebody does who knows nothing of Tokendesk.
func harm(t *testing.T, file string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// A backup that is made while others write, here on two servers, is one moment of the database; and it
// keeps nobody from writing.
func TestBackupWhileOthersWrite(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	admin := w.SetUp(t)
	other := w.Open(t)
	folder := t.TempDir()
	const writers, writes, backups = 4, 40, 4
	failed := atOnce(writers+backups, func(i int) (err error) {
		if i >= writers {
			_, err = w.Backup(t.Context(), command, filepath.Join(folder, fmt.Sprint(i)))
			return err
		}
		s := w.Store
		if i%2 == 1 {
			s = other
		}
		for n := range writes {
			if _, err := s.RenameWorkspace(t.Context(), admin, "marlowe-press", models.NewWorkspace{Name: fmt.Sprint("Press ", i, n)}); err != nil {
				return err
			}
		}
		return nil
	})
	if got := kinds(failed); got[""] != writers+backups {
		t.Errorf("%v: %v", got, failed)
	}
	if list := names(t, folder); len(list) != backups {
		t.Errorf("%q", list)
	}
}

// On PostgreSQL this program makes no backups, and says so.
func TestNoBackupOfPostgres(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		if w.Database() == "SQLite" {
			return
		}
		folder := t.TempDir()
		_, err := w.Backup(t.Context(), command, filepath.Join(folder, "new"))
		wantKind(t, "a backup", err, models.Conflict)
		_, err = w.Restore(t.Context(), command, nil, false)
		wantKind(t, "a restoration", err, models.Conflict)
		if list := names(t, folder); len(list) != 0 {
			t.Errorf("left is %q", list)
		}
	})
}
