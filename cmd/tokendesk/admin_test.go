package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// person adds a person by command and answers their ID.
func (in place) person(t *testing.T, name, email string, more ...string) string {
	t.Helper()
	out := in.ok(t, storetest.Password+"\n", append([]string{"person", "add", "--name", name, "--email", email}, more...)...)
	return pick(t, out, `^Added .* <.*> as (?:Admin|Member): ([0-9a-f-]{36})\n$`)
}

func TestPersonAdd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		ines := in.person(t, "Ines  Moreau", "Ines@marlowe.example", "--admin")
		tomas := in.person(t, "Tomas Berg", "tomas@marlowe.example")
		people := in.ok(t, "", "person", "list")
		if !hasLine(people, ines, "Ines Moreau", "Ines@marlowe.example", "Admin", "active") || !hasLine(people, tomas, "Tomas Berg", "Member", "active") {
			t.Errorf("the list is %s", people)
		}
	})
}

// In a folder without a database a command says so, and makes none: it would be an empty one that
// nobody meant.
func TestCommandsMakeNoDatabase(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	for _, command := range []string{"person list", "token list", "audit tail", "audit verify"} {
		r := in.run(t, "", strings.Fields(command)...)
		if r.code != 1 || !strings.Contains(r.err, "there is no database in") {
			t.Errorf("%s: exit code %d: %s", command, r.code, r.err)
		}
	}
	in.wantUntouched(t)
}

// What is wrong with a person is all told at once, and nobody is added.
func TestPersonAddRefuses(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
	before := in.ok(t, "", "person", "list")
	who := []string{"--name", "Tomas Berg", "--email", "tomas@marlowe.example"}
	for _, c := range []struct {
		input string
		args  []string
		code  int
		want  string
	}{
		{"hunter2\n", who, 1, "Password must be 15 characters or more."},
		{"hunter2\n", append(who, "--admin"), 1, "Password must be 15 characters or more."},
		{"hunter2hunter2hunter2\n", who, 1, "Password repeats one short part."},
		{strings.Repeat("hunter2 and more ", 10) + "\n", who, 1, "Password must be 128 characters or fewer."},
		{strings.Repeat("hunter2 and more ", 1000) + "\n", who, 2, "longer than any password may be"},
		{"", who, 2, "write the password to standard input, in one line"},
		{"\n", who, 1, "Enter a password."},
		{"hunter2\n", nil, 1, "Enter a name. Enter an email address. Password must be 15 characters or more."},
		{storetest.Password, []string{"--name", "Ines", "--email", "INES@marlowe.example"}, 1, "Someone with this email address is already here."},
		{storetest.Password, append(who, "--admin", "--workspace", " "), 1, "name"},
		{storetest.Password, append(who, "stray"), 2, "person add: there are more arguments than it takes"},
	} {
		in.run(t, c.input, append([]string{"person", "add"}, c.args...)...).wantOneLine(t, c.code, c.want)
	}
	if after := in.ok(t, "", "person", "list"); after != before {
		t.Errorf("somebody was added: %s", after)
	}
}

// The end of the line is no part of the password, whatever system wrote it; a blank is.
func TestPasswordFromStandardInput(t *testing.T) {
	for input, want := range map[string]string{
		"copper lantern": "copper lantern", "copper lantern\n": "copper lantern", "copper lantern\r\n": "copper lantern",
		" copper \nlantern\n": " copper ", "\r\n": "", strings.Repeat("x", longestLine-1) + "\n": strings.Repeat("x", longestLine-1),
	} {
		if got, err := readPassword(strings.NewReader(input)); err != nil || got != want {
			t.Errorf("from %.30q comes %.30q, %v", input, got, err)
		}
	}
	if got, err := readPassword(strings.NewReader(strings.Repeat("x", longestLine) + "\n")); err == nil {
		t.Errorf("a password of %d bytes came of one of %d", len(got), longestLine)
	}
}

// A password that is set by command signs the person out, in a server that runs all the while.
func TestPersonPassword(t *testing.T) {
	t.Parallel()
	const next = "seven umbrellas beneath a paper moon"
	each(t, func(t *testing.T, in place) {
		s := in.serve(t)
		b := s.setUp(t)
		b.get(t, "/").want(t, http.StatusOK)
		in.run(t, "hunter2\n", "person", "password", "ines@marlowe.example").wantOneLine(t, 1, "Password must be 15 characters or more.")
		in.run(t, next, "person", "password", "nobody@marlowe.example").wantOneLine(t, 1, `nobody here has the address "nobody@marlowe.example"`)
		b.get(t, "/").want(t, http.StatusOK)

		out := in.ok(t, next+"\n", "person", "password", " INES@marlowe.example")
		if !regexp.MustCompile(`^The password of Ines Moreau is set\. They are signed out everywhere\. In effect after [0-9]+ ms\.\n$`).MatchString(out) { // the server said so
			t.Errorf("printed %q", out)
		}
		if a := b.get(t, "/").want(t, http.StatusSeeOther); !strings.HasPrefix(a.to, "/signin") {
			t.Errorf("the old session is sent to %s", a.to)
		}
		fresh := s.browser(t)
		if status := fresh.signIn(t, "ines@marlowe.example", storetest.Password); status != http.StatusUnprocessableEntity {
			t.Errorf("the old password: %d", status)
		}
		if status := fresh.signIn(t, "ines@marlowe.example", next); status != http.StatusSeeOther {
			t.Errorf("the new password: %d", status)
		}
	})
}

// A credential that is revoked by command is refused by a running server at the very next call. No
// command ever prints a secret, or what could be compared with one.
func TestTokens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		s := in.serve(t)
		b := s.setUp(t)
		token := b.bearerToken(t)
		b.install(t, token).want(t, http.StatusOK)

		row := tokenRow.FindStringSubmatch(in.ok(t, "", "token", "list"))
		if row == nil || row[2] != token[:8] || row[3] != token[len(token)-4:] || row[4] != "active" {
			t.Fatalf("the row of %s...%s is %q", token[:8], token[len(token)-4:], row)
		}
		in.run(t, "", "token", "revoke", "0190a5d4-0000-7000-8000-000000000000").wantOneLine(t, 1, "there is no credential with this ID: tokendesk token list has them")
		in.run(t, "", "token", "revoke", "nonsense").wantOneLine(t, 1, "there is no credential with this ID")
		b.install(t, token).want(t, http.StatusOK)

		out := in.ok(t, "", "token", "revoke", row[1], "--reason", "lost laptop")
		if !strings.HasPrefix(out, token[:8]+"... is revoked since ") || !regexp.MustCompile(`Requests with it are refused\. In effect after [0-9]+ ms\.\n$`).MatchString(out) { // the server said so
			t.Errorf("printed %q", out)
		}
		if a := b.install(t, token).want(t, http.StatusUnauthorized); !strings.Contains(a.body, "Token was revoked") {
			t.Errorf("the revoked token is told %s", a.body)
		}
		in.ok(t, "", "token", "revoke", row[1]) // again is no failure
		if row := tokenRow.FindStringSubmatch(in.ok(t, "", "token", "list")); row == nil || row[4] != "revoked" {
			t.Errorf("after that the row is %q", row)
		}
		printed := s.stop(t)
		wantNoSecret(t, token, printed.out, printed.err, in.ok(t, "", "token", "list"), in.ok(t, "", "person", "list"), in.ok(t, "", "audit", "tail"))
	})
}

// A credential that is revoked by command is refused by every server when the command has ended: one that does not answer is waited for until its
// permission to answer from memory is over, and is named. When it goes on, it refuses too.
func TestTokenRevokeWaitsForServers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		one := in.serve(t, "TOKENDESK_REPLICA_NAME=gw-a")
		b := one.setUp(t)
		token := b.bearerToken(t)
		two := in.serve(t, "TOKENDESK_REPLICA_NAME=gw-b")
		for _, s := range []server{one, two} {
			s.opens(t, token, http.StatusOK) // and remembers it
		}
		two.signal(t, syscall.SIGSTOP)
		t.Cleanup(func() { _ = two.cmd.Process.Signal(syscall.SIGCONT) })
		row := tokenRow.FindStringSubmatch(in.ok(t, "", "token", "list"))
		begun := time.Now()
		out := in.ok(t, "", "token", "revoke", row[1])
		took := time.Since(begun)
		said := regexp.MustCompile(`Requests with it are refused\. 1 replica confirmed; gw-b did not answer, and its permission to answer from memory has ended, so it cannot go by what was before \(([0-9]+) ms\)\.\n$`).FindStringSubmatch(out)
		if said == nil || took < models.LeaseWait {
			t.Fatalf("after %s it printed %q", took, out)
		}
		if ms, err := strconv.Atoi(said[1]); err != nil || time.Duration(ms)*time.Millisecond < models.LeaseWait {
			t.Errorf("it says that it waited for %s ms", said[1])
		}
		one.opens(t, token, http.StatusUnauthorized)
		two.signal(t, syscall.SIGCONT)
		two.opens(t, token, http.StatusUnauthorized)
		one.stop(t)
		two.stop(t)
	})
}

// tokenRow finds ID, first characters, last four, status and calls in token list.
var tokenRow = regexp.MustCompile(`(?m)^([0-9a-f-]{36})  +\S+  +(\S{8})\.\.\.(\S{4})  +\S+  +(\S+)  .* (\d+)$`)

// wantNoSecret insists that a credential is in none of the texts, nor 12 characters of it in a row, nor
// its hash, in the usual spellings.
func wantNoSecret(t *testing.T, token string, texts ...string) {
	t.Helper()
	stored := secret.Text(token).Hash()
	plain := sha256.Sum256([]byte(token))
	forbidden := []string{storetest.Password}
	for i := 0; i+12 <= len(token); i++ {
		forbidden = append(forbidden, token[i:i+12])
	}
	for _, hash := range [][]byte{stored[:], plain[:]} {
		forbidden = append(forbidden, hex.EncodeToString(hash)[:16], base64.StdEncoding.EncodeToString(hash)[:16], base64.URLEncoding.EncodeToString(hash)[:16], fmt.Sprint(hash))
	}
	for i, text := range texts {
		for _, part := range forbidden {
			if strings.Contains(text, part) {
				t.Errorf("text %d has a part of the secret, or its hash", i)
			}
		}
	}
}

// More people than a page of the list holds are all listed, by name.
func TestPersonListIsWhole(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
	db := in.open(t)
	for i := range 120 {
		_, err := db.ExecContext(t.Context(), `INSERT INTO people (id, name, name_key, email, email_key, role, password_hash, password_changed_at, created_at)
			SELECT ?, ?, ?, ?, ?, 'Member', password_hash, password_changed_at, created_at FROM people LIMIT 1`,
			fmt.Sprintf("0190a5d4-0000-7000-8000-%012d", i), fmt.Sprintf("Guest %03d", i), fmt.Sprintf("guest %03d", i), fmt.Sprintf("g%d@marlowe.example", i), fmt.Sprintf("g%d@marlowe.example", i))
		if err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(in.ok(t, "", "person", "list")), "\n")
	if len(lines) != 122 || !strings.Contains(lines[1], "Guest 000") || !strings.Contains(lines[120], "Guest 119") || !strings.Contains(lines[121], "Ines Moreau") {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}
