package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// migrate up brings a database to the schema, once, and migrate status tells how far it is.
func TestMigrate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		if out := in.ok(t, "", "migrate", "status"); !strings.HasPrefix(out, "00001_main_job.sql  not applied\n") {
			t.Errorf("before: %q", out)
		}
		if out := in.ok(t, "", "migrate", "up"); !strings.HasPrefix(out, "applied 00001_main_job.sql\n") || !strings.HasSuffix(out, "\nThe schema is current.\n") {
			t.Errorf("up: %q", out)
		}
		if out := in.ok(t, "", "migrate", "up"); out != "The schema is current.\n" {
			t.Errorf("up again: %q", out)
		}
		if out := in.ok(t, "", "migrate", "status"); !strings.HasPrefix(out, "00001_main_job.sql  applied 20") || strings.Contains(out, "not applied") {
			t.Errorf("after: %q", out)
		}
	})
}

// The doctor finds nothing on an installation that was set up, running or not.
func TestDoctorOnAGoodInstallation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		s := in.serve(t)
		s.setUp(t)
		running := in.ok(t, "", "doctor")
		if strings.Count(running, "\n") != 6 || strings.Count(running, "ok     ") != 6 || !hasLine(running, "ok     audit log, ", " events") {
			t.Errorf("it says %s", running)
		}
		s.stop(t)
		if ended := in.ok(t, "", "doctor"); ended != running {
			t.Errorf("without the server it says %s", ended)
		}
	})
}

// On a bad one it finds everything at once, and makes nothing better: least of all a new key.
func TestDoctorOnBadInstallations(t *testing.T) {
	t.Parallel()
	key := func(in place) string { return filepath.Join(in.dir, "key") }
	for name, c := range map[string]struct {
		arrange func(t *testing.T, in *place)
		wrong   []string
	}{
		"none": {func(*testing.T, *place) {}, []string{"data directory ", "key file ", "database: "}},
		"key lost": {func(t *testing.T, in *place) {
			in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
		}, []string{"key file "}},
		"key for everybody": {func(t *testing.T, in *place) {
			in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
			write(t, key(*in), "")
			chmod(t, key(*in), 0o640)
		}, []string{"key file "}},
		"no schema": {func(t *testing.T, in *place) {
			in.serve(t).stop(t)
			in.url = onPostgres(t).url
		}, []string{"schema on PostgreSQL: 00001_main_job.sql is not applied: run tokendesk migrate up"}},
		"no Admin": {func(t *testing.T, in *place) {
			in.serve(t).stop(t)
		}, []string{"an active Admin: there is none: start the server"}},
		"changed by hand": {func(t *testing.T, in *place) {
			in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
			in.addTrigger(t)
		}, []string{"key file ", "schema on SQLite: The database was changed by hand: Tokendesk makes no trigger eve."}},
		"database away": {func(t *testing.T, in *place) {
			in.serve(t).stop(t)
			in.url = "postgres://desk:hunter2@127.0.0.1:1/desk"
		}, []string{"database: The database does not answer."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := onSQLite(t)
			c.arrange(t, &in)
			before, _ := os.ReadFile(key(in))
			r := in.run(t, "", "doctor")
			if r.code != 1 || strings.Count(r.out, "wrong  ") != len(c.wrong) || strings.Contains(r.out+r.err, "hunter2") {
				t.Errorf("exit code %d: %s", r.code, r.out)
			}
			for _, wrong := range c.wrong {
				if !hasLine(r.out, "wrong  "+wrong) {
					t.Errorf("it does not say %q: %s", wrong, r.out)
				}
			}
			if after, _ := os.ReadFile(key(in)); string(after) != string(before) {
				t.Error("the doctor made a key")
			}
			if name == "none" {
				in.wantUntouched(t)
			}
		})
	}
}

// A backup of a database that somebody changed is made, and says that it cannot be restored.
func TestBackupOfAChangedDatabase(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
	in.addTrigger(t)
	file := filepath.Join(t.TempDir(), "desk.db")
	r := in.run(t, "", "backup", file)
	if r.code != 0 || !strings.HasPrefix(r.err, "warning: The database was changed by hand: Tokendesk makes no trigger eve. Undo that and back up again") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if left, _ := filepath.Glob(filepath.Join(in.dir, "like-*")); len(left) > 0 {
		t.Errorf("left is %q", left)
	}
	if r := in.run(t, "", "restore", file); r.code == 0 || !strings.Contains(r.err, "Tokendesk makes no trigger eve.") {
		t.Errorf("restored with exit code %d: %s", r.code, r.err)
	}
}

func (in place) addTrigger(t *testing.T) {
	t.Helper()
	if _, err := in.open(t).ExecContext(t.Context(), "CREATE TRIGGER eve AFTER INSERT ON events BEGIN SELECT 1; END"); err != nil {
		t.Fatal(err)
	}
}
