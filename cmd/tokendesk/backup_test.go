package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tokendesk/models/store/storetest"
)

// revoke revokes the token that a text is of, by command.
func (in place) revoke(t *testing.T, token string) {
	t.Helper()
	for _, row := range tokenRow.FindAllStringSubmatch(in.ok(t, "", "token", "list"), -1) {
		if row[2] == token[:8] && row[3] == token[len(token)-4:] {
			in.ok(t, "", "token", "revoke", row[1])
			return
		}
	}
	t.Fatal("there is no such token")
}

// addPerson adds a person in the console, and answers where their record is.
func (b browser) addPerson(t *testing.T, name, email string) string {
	t.Helper()
	return b.post(t, "/people", url.Values{"name": {name}, "email": {email}, "role": {"Admin"}, "password": {storetest.Password}}).want(t, http.StatusSeeOther).to
}

// tokenOf creates the bearer token of the person whose record is given.
func (b browser) tokenOf(t *testing.T, record string) string {
	t.Helper()
	formID := pick(t, b.get(t, record).want(t, 200).body, `name="form_id" value="([^"]+)"`)
	shown := b.post(t, record+"/bearer-token", url.Values{"form_id": {formID}}).want(t, 200)
	return pick(t, shown.body, `<output[^>]* id="token"[^>]*>([^<]+)<`)
}

// A backup that is made while the server is busy is whole, and keeps nobody waiting. On another machine it
// is the installation: people sign in, tokens work, and those that were revoked are refused.
func TestBackupAndRestoreElsewhere(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	s := in.serve(t)
	b := s.setUp(t)
	good, revoked := b.bearerToken(t), b.tokenOf(t, b.addPerson(t, "Tomas Berg", "tomas@marlowe.example"))
	in.revoke(t, revoked)
	file := filepath.Join(t.TempDir(), "desk.db")

	busy := s.begin(t, map[string]func(int) (*http.Request, error){"install": s.installing(t, good), "rename": b.renaming})
	out := in.ok(t, "", "backup", file)
	if said := busy.end(t); !slices.Equal(said, []string{"install 200", "rename 303"}) {
		t.Errorf("meanwhile: %q", said)
	}
	if !strings.HasPrefix(out, "Backed up to "+file+": ") || !strings.Contains(out, "Its audit log is whole, up to event ") || !hasLine(out, "The key file "+filepath.Join(in.dir, "key")+" is not in it") {
		t.Errorf("it says %q", out)
	}
	in.ok(t, "", "audit", "verify")
	printed := s.stop(t)

	there := onSQLite(t)
	out = there.ok(t, "", "restore", file)
	if !hasLine(out, "Restored "+file+", up to event ") || !hasLine(out, "The key file "+filepath.Join(there.dir, "key")+" is not there") || !hasLine(out, "Everybody is signed out.") {
		t.Errorf("it says %q", out)
	}
	there.wantRestored(t)
	moved := there.serve(t)
	wantAnswers(t, moved, good, map[string]string{revoked: "Token was revoked"})
	if out := there.ok(t, "", "doctor"); strings.Count(out, "ok     ") != 6 {
		t.Errorf("doctor says %s", out)
	}
	wantNoSecret(t, good, printed.out, printed.err, out)
	moved.stop(t)
}

// wantRestored insists that the audit log is whole, and that it tells of a restoration. What a running server
// refuses may come after that.
func (in place) wantRestored(t *testing.T) {
	t.Helper()
	in.ok(t, "", "audit", "verify")
	if log := in.ok(t, "", "audit", "tail", "-n", "5"); strings.Count(log, " installation.restored by command ") != 1 {
		t.Errorf("the last events are %s", log)
	}
}

// wantAnswers insists that Ines can sign in, that a token works, and that others are refused in certain words.
func wantAnswers(t *testing.T, s server, good string, refused map[string]string) browser {
	t.Helper()
	b := s.browser(t)
	if status := b.signIn(t, "ines@marlowe.example", storetest.Password); status != http.StatusSeeOther {
		t.Errorf("signing in is answered %d", status)
	}
	b.install(t, good).want(t, http.StatusOK)
	for token, says := range refused {
		if a := b.install(t, token).want(t, http.StatusUnauthorized); !strings.Contains(a.body, says) {
			t.Errorf("%s... is told %s", token[:8], a.body)
		}
	}
	return b
}

// A running server goes on with what was restored, without a restart: whoever was signed in is not; what was
// revoked since stays revoked, unless exactly the backup is asked for; what was made since is gone, and the
// calls that were counted with it keep no other count from being written down.
func TestRestoreWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	s := in.serve(t)
	b := s.setUp(t)
	good, early, late := b.bearerToken(t), b.tokenOf(t, b.addPerson(t, "Tomas Berg", "tomas@marlowe.example")), b.tokenOf(t, b.addPerson(t, "Ann Older", "ann@marlowe.example"))
	in.revoke(t, early)
	file := filepath.Join(t.TempDir(), "desk.db")
	in.ok(t, "", "backup", file)
	in.revoke(t, late)
	newer := b.tokenOf(t, b.addPerson(t, "Bob Newer", "bob@marlowe.example"))

	busy := s.begin(t, map[string]func(int) (*http.Request, error){"good": s.installing(t, good), "newer": s.installing(t, newer), "rename": b.renaming})
	out := in.ok(t, "", "restore", file)
	for _, said := range busy.end(t) {
		if !slices.Contains([]string{"good 200", "newer 200", "newer 401", "rename 303", "rename 401"}, said) {
			t.Errorf("meanwhile: %q", said)
		}
	}
	if !hasLine(out, "The database from before, up to event ", filepath.Join(in.dir, "tokendesk-before-restore-")) || !hasLine(out, "stays so (credentials still revoked: 1).") {
		t.Errorf("it says %q", out)
	}
	if a := b.get(t, "/").want(t, http.StatusSeeOther); !strings.HasPrefix(a.to, "/signin") {
		t.Errorf("whoever was signed in is sent to %s", a.to)
	}
	b = wantAnswers(t, s, good, map[string]string{early: "Token was revoked", late: "Token was revoked", newer: "Authentication required"})
	if people := b.get(t, "/people?q=newer").want(t, 200).body; strings.Contains(people, "bob@marlowe.example") {
		t.Error("who was added after the backup is still found")
	}
	if people := b.get(t, "/people?q=older").want(t, 200).body; !strings.Contains(people, "ann@marlowe.example") {
		t.Error("who was added before the backup is not found")
	}
	b.tokenOf(t, b.addPerson(t, "Bob Again", "bob@marlowe.example"))
	in.ok(t, "", "audit", "verify")

	in.ok(t, "", "restore", "--exact", file)
	in.wantRestored(t)
	wantAnswers(t, s, late, map[string]string{early: "Token was revoked", newer: "Authentication required"})
	s.call(t, good, 16)
	s.stop(t) // writes the last counts down, or fails
	for _, row := range tokenRow.FindAllStringSubmatch(in.ok(t, "", "token", "list"), -1) {
		if row[2] == good[:8] && row[3] == good[len(good)-4:] && row[5] == "0" {
			t.Errorf("its calls are not written down: %q", row)
		}
	}
}

// What cannot be restored is told in one line, and nothing is changed, in an installation or where none is.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
	good := filepath.Join(t.TempDir(), "good.db")
	in.ok(t, "", "backup", good)
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"empty": "", "text": "hello hello hello", "half": string(content[:len(content)/2]), "newer": string(content), "broken": string(content)} {
		write(t, filepath.Join(folder, name, "tokendesk.db"), text)
	}
	place{dir: filepath.Join(folder, "newer")}.exec(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	place{dir: filepath.Join(folder, "broken")}.exec(t, "DROP TRIGGER events_keep_update", "UPDATE events SET actor_name = 'Eve'")
	write(t, filepath.Join(folder, "other", "x"), "")
	place{dir: filepath.Join(folder, "other")}.exec(t, "CREATE TABLE notes (text)")
	before := in.everything(t)
	for name, want := range map[string]string{
		"missing": "missing/tokendesk.db cannot be read: no such file or directory", "empty": "is empty", "text": "is not a SQLite database",
		"half": "is damaged", "newer": "has schema version 99999", "broken": "tampered with: event 1 (", "other": "is not a Tokendesk database",
	} {
		file := filepath.Join(folder, name, "tokendesk.db")
		in.run(t, "", "restore", file).wantOneLine(t, 1, file, want)
		nowhere := onSQLite(t)
		nowhere.run(t, "", "restore", file).wantOneLine(t, 1, want)
		nowhere.wantUntouched(t)
	}
	in.run(t, "", "restore", filepath.Join(in.dir, "tokendesk.db")).wantOneLine(t, 1, "is the database itself")
	in.run(t, "", "restore", in.dir).wantOneLine(t, 1, "is not a file")
	in.run(t, "", "backup", good).wantOneLine(t, 1, good+" is there already, and is not overwritten")
	in.run(t, "", "backup", filepath.Join(folder, "missing", "x")).wantOneLine(t, 1, "cannot be written: no such file or directory")
	if after := in.everything(t); after != before {
		t.Errorf("there was %q, and is %q", before, after)
	}
	nowhere := onSQLite(t)
	nowhere.run(t, "", "backup", filepath.Join(folder, "x")).wantOneLine(t, 1, "there is no database in")
	nowhere.wantUntouched(t)
}

// everything is all files of an installation and their content.
func (in place) everything(t *testing.T) (all string) {
	t.Helper()
	entries, err := os.ReadDir(in.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(in.dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all += fmt.Sprintf("%s %d %x\n", e.Name(), len(content), sum(content))
	}
	return all
}

// Into a database that is damaged nothing can be restored, and it says what to do instead: which works.
func TestRestoreOverDamage(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
	file, database := filepath.Join(t.TempDir(), "desk.db"), filepath.Join(in.dir, "tokendesk.db")
	in.ok(t, "", "backup", file)
	for _, harm := range []func(content []byte) []byte{
		func(content []byte) []byte { return content[:len(content)/2] },
		func(content []byte) []byte { return append([]byte("nothing at all "), content...) },
	} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write(t, database, string(harm(content)))
		in.run(t, "", "restore", file).wantOneLine(t, 1, "end the server, move "+database+" and the files beside it that begin with its name away, and restore again")
	}
	if err := os.Remove(database); err != nil {
		t.Fatal(err)
	}
	in.ok(t, "", "restore", file)
	in.wantRestored(t)
}
