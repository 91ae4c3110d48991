package main

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tokendesk/models/store/storetest"
)

// shell runs a line as somebody does who copies it into a terminal. PostgreSQL's programs are those of
// the newest version of this machine, like the server of the tests.
func shell(t *testing.T, line string) {
	t.Helper()
	folder, err := exec.LookPath("pg_dump")
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump"); len(found) > 0 {
		folder, err = found[len(found)-1], nil
	}
	if err != nil {
		storetest.Missing(t, "pg_dump is not installed")
	}
	cmd := exec.Command("sh", "-c", line)
	cmd.Env, cmd.Dir = []string{"PATH=" + filepath.Dir(folder) + ":" + os.Getenv("PATH"), "LC_ALL=C"}, t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// On PostgreSQL the commands say what to type instead, and that works: a dump that is restored into another
// database is the installation, with a whole log and nobody signed in. What was revoked after the dump is
// not revoked in it, as the documentation warns.
func TestDumpAndRestorePostgres(t *testing.T) {
	t.Parallel()
	in := onPostgres(t)
	s := in.serve(t)
	b := s.setUp(t)
	good, early, late := b.bearerToken(t), b.tokenOf(t, b.addPerson(t, "Tomas Berg", "tomas@marlowe.example")), b.tokenOf(t, b.addPerson(t, "Ann Older", "ann@marlowe.example"))
	in.revoke(t, early)
	b.install(t, good).want(t, http.StatusOK)
	file := filepath.Join(t.TempDir(), "it's a dump")

	busy := s.begin(t, map[string]func(int) (*http.Request, error){"install": s.installing(t, good), "rename": b.renaming})
	shell(t, in.told(t, "backup", file))
	if said := busy.end(t); strings.Join(said, ", ") != "install 200, rename 303" {
		t.Errorf("meanwhile: %q", said)
	}
	in.revoke(t, late)
	s.stop(t)

	command := in.told(t, "restore", file)
	t.Cleanup(func() { shell(t, "dropdb --force --if-exists --maintenance-db='"+in.url+"' tokendesk_restored") })
	shell(t, command)
	moved, err := url.Parse(in.url)
	if err != nil {
		t.Fatal(err)
	}
	moved.Path = "/tokendesk_restored"
	there := place{dir: in.dir, url: moved.String()}
	there.ok(t, "", "audit", "verify")
	restored := there.serve(t)
	b.base = restored.base
	if a := b.get(t, "/").want(t, http.StatusSeeOther); !strings.HasPrefix(a.to, "/signin") {
		t.Errorf("whoever was signed in is sent to %s", a.to)
	}
	b = wantAnswers(t, restored, good, map[string]string{early: "Token was revoked"})
	b.install(t, late).want(t, http.StatusOK)
	there.revoke(t, late)
	wantAnswers(t, restored, good, map[string]string{late: "Token was revoked"})
	if people := b.get(t, "/people?q=older").want(t, 200).body; !strings.Contains(people, "ann@marlowe.example") {
		t.Error("who was added before the dump is not found")
	}
	if out := there.ok(t, "", "doctor"); strings.Count(out, "ok     ") != 6 {
		t.Errorf("doctor says %s", out)
	}
	there.ok(t, "", "audit", "verify")
	restored.stop(t)
}

// told is the line that a command tells to type instead.
func (in place) told(t *testing.T, args ...string) string {
	t.Helper()
	r := in.run(t, "", args...)
	r.wantOneLine(t, 1, "on PostgreSQL a backup is ", "with: ")
	_, line, _ := strings.Cut(strings.TrimSpace(r.err), "with: ")
	return line
}

// No command that is told to be typed has a password in it, and each is one that a shell takes apart as it
// is meant.
func TestTheCommandsToldAreSafe(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://desk:hunter2@db:5432/desk?sslmode=require":             `'postgres://desk@db:5432/desk?sslmode=require'`,
		"postgres://desk@db/desk":                                          `'postgres://desk@db/desk'`,
		"postgres:///desk?host=%2Frun%2Fpg&password=hunter2&user=desk":     `'postgres:///desk?host=%2Frun%2Fpg&user=desk'`,
		"postgres://desk:hunter2@db/desk?PASSWORD=hunter2&sslPassword=x":   `'postgres://desk@db/desk'`,
		"postgres://desk:hun/ter2@db/desk":                                 `'postgres://USER@HOST/DATABASE'`,
		"postgres://desk:12/hunter2@db/desk":                               `'postgres://USER@HOST/DATABASE'`,
		"postgres://desk:hunter2#@db/desk":                                 `'postgres://USER@HOST/DATABASE'`,
		"postgres://desk:hunter2?@db/desk":                                 `'postgres://USER@HOST/DATABASE'`,
		"postgres://desk:hunter2%zz@db/desk":                               `'postgres://USER@HOST/DATABASE'`,
		"postgres://desk:hunter2@db/it's?options=-c%20search_path%3Ddesk":  `'postgres://desk@db/it'\''s?options=-c%20search_path%3Ddesk'`,
		"postgresql://desk:hunter2@[::1]:5432/desk?connect_timeout=5":      `'postgresql://desk@[::1]:5432/desk?connect_timeout=5'`,
		"postgres://desk:hunter2@db/desk?sslmode=verify-full&sslcert=%2Fx": `'postgres://desk@db/desk?sslcert=%2Fx&sslmode=verify-full'`,
	} {
		if got := passwordless(address, ""); got != want {
			t.Errorf("%s: %s", address, got)
		}
		for _, command := range []string{dumpCommand(address, "x"), restoreCommand(address, "x")} {
			if strings.Contains(command, "hunter2") || strings.Contains(command, "hun/ter2") {
				t.Errorf("%s", command)
			}
		}
	}
	if got := passwordless("postgres://desk@db/desk?dbname=desk&host=x", "tokendesk_restored"); got != `'postgres://desk@db/tokendesk_restored?host=x'` {
		t.Errorf("the new database is %s", got)
	}
}
