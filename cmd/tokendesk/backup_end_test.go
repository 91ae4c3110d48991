package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func sum(content []byte) [32]byte { return sha256.Sum256(content) }

// heavy makes a database so large that backing it up and restoring it take a while.
func (in place) heavy(t *testing.T) {
	t.Helper()
	in.person(t, "Ines Moreau", "ines@marlowe.example", "--admin")
	const pieces, piece = 128, 256 << 10
	whole := sum(make([]byte, pieces*piece))
	in.exec(t, fmt.Sprintf("INSERT INTO blobs (sha256, size, created_at) VALUES ('%x', %d, '2026-11-21 09:30:15+00:00')", whole, pieces*piece),
		fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO blob_chunks (sha256, number, bytes) SELECT '%x', i, zeroblob(%d) FROM n", pieces, whole, piece))
}

// moments are those in which a restoration can be interrupted, by what can be seen of it.
var moments = map[string]func(dir string) bool{
	"the backup is copied": func(dir string) bool { return seen(dir, "restore-*.part/tokendesk.db") },
	"the copy is checked":  func(dir string) bool { return seen(dir, "restore-*.part/like") },
	"the database is kept": func(dir string) bool { return seen(dir, "tokendesk-before-restore-*.part-*") },
	"the copy is settled":  func(dir string) bool { return seen(dir, "tokendesk-before-restore-*.db") },
	"the pages are moved": func(dir string) bool {
		info, err := os.Stat(filepath.Join(dir, "tokendesk.db-wal"))
		return err == nil && info.Size() > 8<<20
	},
}

func seen(dir, pattern string) bool {
	entries, err := os.ReadDir(dir)
	first, rest, _ := strings.Cut(pattern, "/")
	for _, e := range entries {
		if fits, _ := filepath.Match(first, e.Name()); fits && err == nil {
			_, missing := os.Stat(filepath.Join(dir, e.Name(), rest))
			return missing == nil
		}
	}
	return false
}

// at sends a signal in a moment, or when the program has ended before that.
func (p *process) at(t *testing.T, moment func() bool, signal syscall.Signal) result {
	t.Helper()
	again, late := time.NewTicker(200*time.Microsecond), time.After(enough)
	defer again.Stop()
	for !moment() {
		select {
		case <-p.ended:
			return p.wait(t)
		case <-again.C:
		case <-late:
			t.Fatalf("the moment does not come: %s", p.err)
		}
	}
	_ = p.cmd.Process.Signal(signal) // it may just have ended
	return p.wait(t)
}

// Interrupted in any moment, a restoration has happened or it has not; a server that runs all the while
// goes on with the one or the other. Interrupted by an operator it also leaves nothing behind.
func TestRestoreIsInterrupted(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	in.heavy(t)
	file := filepath.Join(t.TempDir(), "desk.db")
	in.ok(t, "", "backup", file)
	in.person(t, "Tomas Berg", "tomas@marlowe.example")
	s := in.serve(t)
	for moment, come := range moments {
		for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
			in.exec(t, "PRAGMA wal_checkpoint(TRUNCATE)")
			before := in.ok(t, "", "audit", "tail")
			r := launch(t, in.env(), "", "restore", "--exact", file).at(t, func() bool { return come(in.dir) }, signal)
			after := in.ok(t, "", "audit", "tail")
			t.Logf("%v when %s: exit code %d", signal, moment, r.code)
			in.ok(t, "", "audit", "verify")
			happened := after != before
			switch {
			case happened && (r.code == 1 || strings.Contains(after, "tomas@") || !strings.Contains(after, " installation.restored ")), r.code == 0 && !happened:
				t.Errorf("%v when %s: exit code %d, and the log went from %s to %s", signal, moment, r.code, before, after)
			case signal == syscall.SIGINT && r.code != 0:
				r.wantOneLine(t, 1, "interrupted, and nothing was changed")
			}
			if left, _ := filepath.Glob(filepath.Join(glob(in.dir), "*.part*")); signal == syscall.SIGINT && len(left) > 0 {
				t.Errorf("%v when %s: left is %q", signal, moment, left)
			}
			if happened {
				in.person(t, "Tomas Berg", "tomas@marlowe.example")
			}
			removeParts(t, in.dir)
		}
	}
	in.ok(t, "", "restore", file)
	in.wantRestored(t)
	s.browser(t).get(t, "/signin").want(t, 200)
	s.stop(t)
}

// removeParts removes what a program left behind that was killed.
func removeParts(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(glob(dir), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if strings.Contains(filepath.Base(path), ".part") || strings.Contains(path, "before-restore") {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// glob is a path in which no character means anything to a pattern.
func glob(path string) string {
	return strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// A backup that is interrupted is none. Killed, it leaves the part that it had, under a name of its own.
func TestBackupIsInterrupted(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	in.heavy(t)
	folder := t.TempDir()
	file := filepath.Join(folder, "desk.db")
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM} {
		r := launch(t, in.env(), "", "backup", file).at(t, func() bool { return seen(folder, "desk.db.part-*") }, signal)
		if _, err := os.Stat(file); r.code == 0 || err == nil {
			t.Fatalf("%v: exit code %d: %s", signal, r.code, r.out)
		}
		if signal != syscall.SIGKILL {
			r.wantOneLine(t, 1, "interrupted, and nothing was changed")
			if seen(folder, "desk.db.part-*") {
				t.Errorf("%v: a part is left", signal)
			}
		}
		removeParts(t, folder)
	}
	in.ok(t, "", "backup", file)
	in.ok(t, "", "audit", "verify")
}
