package migrations_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/migrations"
	"tokendesk/models/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// empty is a database in which there is nothing yet. Each call of open is another program on it.
type empty struct {
	dialect migrations.Dialect
	open    func(t *testing.T) *sql.DB
}

func emptySQLite(t *testing.T) empty {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new.db")
	return empty{migrations.SQLite, opener("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate")}
}

func emptyPostgres(t *testing.T) empty {
	t.Helper()
	return empty{migrations.Postgres, opener("pgx", storetest.Postgres(t, nil)+"&timezone=UTC")}
}

func opener(driver, address string) func(*testing.T) *sql.DB {
	return func(t *testing.T) *sql.DB {
		t.Helper()
		db, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
}

func each(t *testing.T, test func(t *testing.T, e empty)) {
	t.Helper()
	for dialect, create := range map[migrations.Dialect]func(*testing.T) empty{migrations.SQLite: emptySQLite, migrations.Postgres: emptyPostgres} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			test(t, create(t))
		})
	}
}

func up(t *testing.T, e empty, db *sql.DB) []migrations.Step {
	t.Helper()
	steps, err := migrations.Up(t.Context(), e.dialect, db)
	if err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return steps
}

// The two databases are brought on in the same steps: a file in one folder has its twin in the other.
func TestBothFoldersHaveTheSameFiles(t *testing.T) {
	sqlite, postgres := names(t, "sqlite"), names(t, "postgres")
	if !slices.Equal(sqlite, postgres) || len(sqlite) == 0 {
		t.Errorf("sqlite has %q, postgres has %q", sqlite, postgres)
	}
	for i, name := range sqlite {
		if !regexp.MustCompile(`^\d{5}_[a-z0-9_]+\.sql$`).MatchString(name) || i > 0 && name[:5] <= sqlite[i-1][:5] {
			t.Errorf("%s is not numbered like the others", name)
		}
	}
}

func names(t *testing.T, folder string) (names []string) {
	t.Helper()
	list, err := fs.ReadDir(os.DirFS("."), folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range list {
		names = append(names, file.Name())
	}
	return names
}

// The first time everything is applied, in order; the second time there is nothing to do; the status says
// before and after what was applied and when.
func TestUpTwice(t *testing.T) {
	each(t, func(t *testing.T, e empty) {
		db := e.open(t)
		status := func() []migrations.Step {
			t.Helper()
			steps, err := migrations.Status(t.Context(), e.dialect, db)
			if err != nil {
				t.Fatalf("status: %v", err)
			}
			return steps
		}
		known := names(t, string(e.dialect))
		for i, step := range status() {
			if step.Name != known[i] || !step.AppliedAt.IsZero() {
				t.Errorf("before: %+v", step)
			}
		}
		first := up(t, e, db)
		if len(first) != len(known) {
			t.Fatalf("applied %+v of %q", first, known)
		}
		for i, step := range status() {
			if first[i].Name != known[i] || step.Version != first[i].Version || time.Since(step.AppliedAt).Abs() > time.Minute {
				t.Errorf("after: %+v, applied %+v", step, first[i])
			}
		}
		if again := up(t, e, e.open(t)); len(again) != 0 {
			t.Errorf("applied again: %+v", again)
		}
	})
}

// Programs that start at once on one empty database all succeed, and each step is applied once.
func TestManyMigrateAtOnce(t *testing.T) {
	each(t, func(t *testing.T, e empty) {
		const programs = 5
		var all sync.WaitGroup
		applied, failed, start := make([]int, programs), make([]error, programs), make(chan struct{})
		for i := range programs {
			db := e.open(t)
			if err := db.Ping(); err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				<-start
				steps, err := migrations.Up(t.Context(), e.dialect, db)
				applied[i], failed[i] = len(steps), err
			})
		}
		close(start)
		all.Wait()
		if err := errors.Join(failed...); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, n := range applied {
			total += n
		}
		if known := names(t, string(e.dialect)); total != len(known) {
			t.Errorf("%d steps were applied %v times", len(known), applied)
		}
	})
}

// A database that a newer program has brought further is left as it is, and the message says what to do.
func TestNewerDatabaseIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, e empty) {
		db := e.open(t)
		up(t, e, db)
		if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"); err != nil {
			t.Fatal(err)
		}
		known := names(t, string(e.dialect))
		last, err := strconv.ParseInt(known[len(known)-1][:5], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		_, upped := migrations.Up(t.Context(), e.dialect, db)
		_, told := migrations.Status(t.Context(), e.dialect, db)
		for _, err := range []error{upped, told} {
			var newer *migrations.NewerError
			if !errors.As(err, &newer) || newer.Database != 99999 || newer.Program != last {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), "99999") || !strings.Contains(err.Error(), "start the newer Tokendesk") {
				t.Errorf("the message is %q", err)
			}
		}
	})
}

// A database that is away, or a schema that somebody else made, is an error and no success.
func TestUpFails(t *testing.T) {
	each(t, func(t *testing.T, e empty) {
		closed := e.open(t)
		if err := closed.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := migrations.Up(t.Context(), e.dialect, closed); err == nil {
			t.Error("migrated a database that is away")
		}
		db := e.open(t)
		if _, err := db.Exec("CREATE TABLE people (name text)"); err != nil {
			t.Fatal(err)
		}
		if _, err := migrations.Up(t.Context(), e.dialect, db); err == nil || !strings.Contains(err.Error(), "people") {
			t.Errorf("migrated over somebody else's table: %v", err)
		}
		var tables int
		if err := db.QueryRow("SELECT count(*) FROM people").Scan(&tables); err != nil {
			t.Errorf("their table: %v", err)
		}
		if db.QueryRow("SELECT count(*) FROM change_clock").Scan(&tables) == nil {
			t.Error("half of the schema is there")
		}
	})
}
