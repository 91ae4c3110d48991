package store_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// A database that cannot be opened is an error that says what is wrong, soon, and never with the password.
func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "tokendesk.db"), []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	const password = "hunter2-hunter2"
	for what, c := range map[string]struct{ url, dir, says string }{
		"nobody listens":           {"postgres://tokendesk:" + password + "@127.0.0.1:1/tokendesk?sslmode=disable", "", "127.0.0.1"},
		"no such socket":           {"postgres://tokendesk:" + password + "@/tokendesk?host=" + t.TempDir(), "", "PGSQL"},
		"a port that is none":      {"postgres://tokendesk:" + password + "@localhost:none/tokendesk", "", "address cannot be read"},
		"a setting that is none":   {"postgres://tokendesk:" + password + "@localhost/tokendesk?sslmode=perhaps", "", "address cannot be read"},
		"a password with a sign":   {"postgres://tokendesk:" + password + "%zz@localhost/tokendesk", "", "address cannot be read"},
		"a timeout that is none":   {"postgres://tokendesk:" + password + "@localhost/tokendesk?connect_timeout=soon", "", "address cannot be read"},
		"a password with an at":    {"postgres://tokendesk:tok@" + password + "@localhost:none/tokendesk", "", "address cannot be read: invalid port"},
		"the same, with a port":    {"postgres://tokendesk:tok@" + password + "@127.0.0.1:1/tokendesk?sslmode=disable", "", "is written %40"},
		"a colon that is missing":  {"postgres://tokendesk " + password + "@localhost/tokendesk", "", "address cannot be read: failed to parse as URL"},
		"a host that is missing":   {"postgres://tokendesk:" + password, "", "address cannot be read: invalid port"},
		"capital letters":          {"PASSWORD=" + password + " port=none", "", "address cannot be read: invalid port"},
		"a certificate missing":    {"postgres://tokendesk:" + password + "@localhost/tokendesk?sslmode=verify-full&sslrootcert=/no/such.pem", "", "/no/such.pem"},
		"settings instead":         {"host=localhost port=none user=tokendesk password=" + password, "", "address cannot be read"},
		"a folder that is missing": {"", filepath.Join(t.TempDir(), "missing"), "no such file"},
		"a folder that is a file":  {"", file, "not a directory"},
		"a file that is no SQLite": {"", damaged, "not a database"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			log := &storetest.Log{}
			s, err := store.Open(t.Context(), store.Settings{
				URL: c.url, DataDir: c.dir, Clock: models.SystemClock, NewID: models.NewID, Hasher: secret.NewHasher(0, 0), Log: slog.New(slog.NewTextHandler(log, nil)),
			})
			if err == nil {
				t.Fatalf("opened %s", s.Database())
			}
			if text := err.Error(); !strings.Contains(text, c.says) || strings.Contains(text+log.String(), "hunter2") || len(text) > 500 {
				t.Errorf("it says: %s", text)
			}
		})
	}
}

// A database that was not migrated is there and empty: nothing is guessed about it, and it is not changed by
// being opened or looked at.
func TestOpenChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Settings{
		DataDir: dir, Clock: models.SystemClock, NewID: models.NewID, Hasher: secret.NewHasher(0, 0), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.HasAdmin(t.Context()); models.KindOf(err) != models.Unavailable {
		t.Errorf("an Admin of an empty database: %v", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("it does not answer: %v", err)
	}
	var tables int64
	if err := s.DB().Raw("SELECT count(*) FROM sqlite_master").Scan(&tables).Error; err != nil || tables != 0 {
		t.Errorf("%d tables (%v)", tables, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "tokendesk.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v (%v)", info.Mode(), err)
	}
}

// A folder may be called anything.
func TestDataDirectoryNames(t *testing.T) {
	for _, name := range []string{"with space", "100%", "a?b=c&d", "a#b", "é", "a%20b", "'quoted'", "+"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), store.Settings{
			DataDir: dir, Clock: models.SystemClock, NewID: models.NewID, Hasher: secret.NewHasher(0, 0), Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if _, err := s.Migrate(t.Context()); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if info, err := os.Stat(filepath.Join(dir, "tokendesk.db")); err != nil || info.Size() == 0 {
			t.Errorf("%q: the database is elsewhere: %v", name, err)
		}
		_ = s.Close()
	}
}

// Servers that start at the same time on one new folder all open the database.
func TestOpenTogether(t *testing.T) {
	for range 50 {
		dir := t.TempDir()
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				s, err := store.Open(t.Context(), store.Settings{
					DataDir: dir, Clock: models.SystemClock, NewID: models.NewID, Hasher: secret.NewHasher(0, 0), Log: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		wait.Wait()
	}
}
