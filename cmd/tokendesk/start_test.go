package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What keeps the server from starting is told in one line, and nothing is left running. The tests may
// run as root, who is refused nothing: so it is never a permission that is missing here.
func TestWhatKeepsTheServerFromStarting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrange func(t *testing.T, in *place) (args []string)
		want    string
	}{
		"port in use": {func(t *testing.T, in *place) []string {
			return []string{"--listen", occupied(t)}
		}, "is in use by another program: stop it, or set TOKENDESK_LISTEN to another port"},
		"no address of this machine": {func(*testing.T, *place) []string {
			return []string{"--listen", "192.0.2.1:0"} // RFC 5737: nobody's
		}, "192.0.2.1:0 is not an address of this machine"},
		"data directory is a file": {func(t *testing.T, in *place) []string {
			write(t, in.dir, "")
			return nil
		}, "cannot be made: not a directory; set TOKENDESK_DATA_DIR"},
		"data directory below a file": {func(t *testing.T, in *place) []string {
			write(t, in.dir, "")
			return []string{"--data-dir", in.dir + "/data"}
		}, "cannot be made: not a directory; set TOKENDESK_DATA_DIR"},
		"data directory takes no file": {func(t *testing.T, in *place) []string {
			return []string{"--data-dir", "/proc"}
		}, "the data directory /proc cannot be "},
		"folder for uploads is a file": {func(t *testing.T, in *place) []string {
			write(t, filepath.Join(in.dir, "spool"), "")
			return nil
		}, "cannot be used: not a directory"},
		"key for everybody": {func(t *testing.T, in *place) []string {
			write(t, filepath.Join(in.dir, "key"), "")
			chmod(t, filepath.Join(in.dir, "key"), 0o644)
			return nil
		}, "can be read or changed by others (0644); run: chmod 600 "},
		"key damaged": {func(t *testing.T, in *place) []string {
			write(t, filepath.Join(in.dir, "key"), "tokendesk-key-v1 aHVudGVyMg==\n")
			return nil
		}, "is damaged: line 1 is not"},
		"key empty": {func(t *testing.T, in *place) []string {
			write(t, filepath.Join(in.dir, "key"), "")
			return nil
		}, "is damaged: it is empty"},
		"key is a folder": {func(t *testing.T, in *place) []string {
			return []string{"--key-file", t.TempDir()}
		}, "is not a file; name a file"},
		"key in no folder": {func(t *testing.T, in *place) []string {
			return []string{"--key-file", in.dir + "/keys/key"}
		}, "/keys/key cannot be made: "},
		"database file is a folder": {func(t *testing.T, in *place) []string {
			write(t, filepath.Join(in.dir, "tokendesk.db", "x"), "")
			return nil
		}, "The database"},
		"database file is none": {func(t *testing.T, in *place) []string {
			write(t, filepath.Join(in.dir, "tokendesk.db"), strings.Repeat("This is no database. ", 1000))
			return nil
		}, "not a database"},
		"database away": {func(t *testing.T, in *place) []string {
			return []string{"--database-url", "postgres://desk:hunter2@127.0.0.1:1/desk"}
		}, "The database does not answer. (failed to connect to `user=desk database=desk`: "},
		"no such database": {func(t *testing.T, in *place) []string {
			*in = onPostgres(t)
			return []string{"--database-url", strings.Replace(in.url, "/test_", "/no_test_", 1)}
		}, `the database refuses the connection: FATAL: database "no_test_`},
		"wrong password": {func(t *testing.T, in *place) []string {
			*in = onPostgres(t)
			return []string{"--database-url", wantsPassword(t, in.url)}
		}, "the database refuses the connection: FATAL: password authentication failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := onSQLite(t)
			r := in.run(t, "", append([]string{"serve"}, c.arrange(t, &in)...)...)
			r.wantOneLine(t, 1, c.want)
		})
	}
}

// A program that is older than the database leaves it alone, whatever it was asked to do.
func TestSchemaNewerThanTheProgram(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		in.ok(t, "", "migrate", "up")
		in.exec(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
		for _, command := range []string{"serve", "migrate up", "migrate status", "person list", "token list", "audit verify"} {
			in.run(t, "", strings.Fields(command)...).wantOneLine(t, 1, "the database has schema version 99999, and this program knows versions up to ", "start the newer Tokendesk")
		}
		r := in.run(t, "", "doctor")
		if r.code != 1 || !hasLine(r.out, "wrong  schema on ", "start the newer Tokendesk") {
			t.Errorf("doctor: exit code %d: %s", r.code, r.out)
		}
	})
}

// Where the log is JSON, so is the line that tells why there will be none. Commands talk to people.
func TestStartFailsInJSON(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	write(t, in.dir, "")
	r := in.run(t, "", "serve", "--log-format=json")
	lines := wantJSON(t, r.err)
	if r.code != 1 || len(lines) != 1 || lines[0]["level"] != "ERROR" || !strings.Contains(fmt.Sprint(lines[0]["msg"]), "cannot be made") {
		t.Errorf("exit code %d, stderr %q", r.code, r.err)
	}
	in.run(t, "", "person", "list", "--log-format=json").wantOneLine(t, 1, "cannot be made")
}

// occupied is an address that somebody listens on.
func occupied(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// open connects to the installation's database behind the program's back.
func (in place) open(t *testing.T) *sql.DB {
	t.Helper()
	driver, source := "pgx", in.url
	if in.url == "" {
		driver, source = "sqlite", "file:"+url.PathEscape(filepath.Join(in.dir, "tokendesk.db"))+"?_pragma=busy_timeout(10000)&_txlock=immediate" // the server writes too
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func (in place) exec(t *testing.T, statements ...string) {
	t.Helper()
	db := in.open(t)
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// wantsPassword makes a user of the tests' PostgreSQL, who unlike all others needs a password, and
// answers the database's address with that user and a wrong one.
func wantsPassword(t *testing.T, address string) string {
	t.Helper()
	db := place{url: address}.open(t)
	var file string
	if err := db.QueryRowContext(t.Context(), "SHOW hba_file").Scan(&file); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE ROLE desk LOGIN PASSWORD 'copper lantern'",
		"COPY (VALUES ('local all desk scram-sha-256'), ('local all all trust')) TO '" + file + "'",
		"SELECT pg_reload_conf()",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	wrong := strings.Replace(address, "postgres@", "desk:hunter2@", 1)
	awaitRefusal(t, place{url: wrong}.open(t))
	return wrong
}

// awaitRefusal waits until the server has read its new rules.
func awaitRefusal(t *testing.T, db *sql.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	db.SetMaxIdleConns(0)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for db.PingContext(ctx) == nil {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("PostgreSQL lets everybody in")
		}
	}
}
