package sample_test

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"tokendesk/web/sample"
)

// change changes a database file behind the sample's back.
func change(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// What is not the sample's own file is left as it is, and the error says what to do.
func TestOpenFails(t *testing.T) {
	clock := sample.Options{Clock: (&clock{}).Now}
	for name, c := range map[string]struct {
		arrange func(t *testing.T, path string)
		says    string
	}{
		"another program's tables":  {func(t *testing.T, path string) { change(t, path, "CREATE TABLE credentials (id TEXT)") }, "another program's database: name another file"},
		"another program's version": {func(t *testing.T, path string) { change(t, path, "PRAGMA user_version = 3") }, "another program's database"},
		"another program's mark":    {func(t *testing.T, path string) { change(t, path, "PRAGMA application_id = 7") }, "another program's database"},
		"no database": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a database"},
		"a later version": {func(t *testing.T, path string) {
			s, err := sample.Open(t.Context(), path, clock)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			change(t, path, "PRAGMA user_version = 2")
		}, "made by another version of the sample"},
		"a folder": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is a directory"},
		"the folder for files is a file": {func(t *testing.T, path string) {
			if err := os.WriteFile(path+".files", nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sample.db")
			c.arrange(t, path)
			before, _ := os.ReadFile(path)
			if _, err := sample.Open(t.Context(), path, clock); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says: %v", err)
			}
			if after, _ := os.ReadFile(path); before != nil && !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
	if _, err := sample.Open(t.Context(), filepath.Join(t.TempDir(), "missing", "sample.db"), clock); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("in a folder that is missing: %v", err)
	}
	for _, key := range [][]byte{{}, []byte("fifteen bytes..")} {
		if _, err := sample.Open(t.Context(), filepath.Join(t.TempDir(), "sample.db"), sample.Options{Clock: clock.Clock, Key: key}); err == nil || !strings.Contains(err.Error(), "16 or more") {
			t.Errorf("with a key of %d bytes: %v", len(key), err)
		}
	}
}

// What the sample keeps is for its user alone.
func TestFilesAreForTheUserAlone(t *testing.T) {
	p := start(t)
	p.as("w1").tour()
	for path, want := range map[string]os.FileMode{p.path: 0o600, p.path + "-wal": 0o600, p.path + ".files": 0o700 | os.ModeDir} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s is %v", path, info.Mode())
		}
	}
}

// A failure of the sample is told without its cause, which is in the log.
func TestFailure(t *testing.T) {
	p := start(t)
	c := p.as("w1")
	c.get("/api/agent-base").want(200)
	change(t, strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(p.path, "%", "%25"), "?", "%3f"), "#", "%23"), "DROP TABLE integrations")
	c.get("/api/integrations-base").refused(500, "internal", "Its log has the reason")
	if text := p.log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "req_001") || !strings.Contains(text, "no such table: integrations") {
		t.Errorf("the log is %q", text)
	}
	p.log.clear()
}

func (l *transcript) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}
