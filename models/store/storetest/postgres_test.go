package storetest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func createNotes(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TABLE notes (text text)")
	return err
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func count(t *testing.T, conn *pgx.Conn, sql string, args ...any) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Each test has the tables of the template and sees no row that another test wrote, also when many
// start at once.
func TestEachTestHasItsOwnCopyOfTheTemplate(t *testing.T) {
	for i := range 6 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			conn := connect(t, Postgres(t, createNotes))
			if n := count(t, conn, "SELECT count(*) FROM notes"); n != 0 {
				t.Fatalf("a new database has %d rows", n)
			}
			if _, err := conn.Exec(t.Context(), "INSERT INTO notes VALUES ('mine')"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Without a template the database is empty: for tests of the migrations themselves.
func TestWithoutATemplateTheDatabaseIsEmpty(t *testing.T) {
	conn := connect(t, Postgres(t, nil))
	if n := count(t, conn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Errorf("it has %d tables", n)
	}
}

// A test that forgets to close its connections does not keep its database alive.
func TestTheDatabaseIsGoneAfterTheTest(t *testing.T) {
	watcher := connect(t, Postgres(t, nil))
	const named = "SELECT count(*) FROM pg_database WHERE datname = $1"
	var name string
	var forgotten *pgx.Conn
	t.Run("one that forgets", func(t *testing.T) {
		var err error
		if forgotten, err = pgx.Connect(t.Context(), Postgres(t, nil)); err != nil {
			t.Fatal(err)
		}
		name = forgotten.Config().Database
		if count(t, watcher, named, name) != 1 {
			t.Fatalf("there is no database %q during the test", name)
		}
	})
	defer func() { _ = forgotten.Close(context.Background()) }()
	if count(t, watcher, named, name) != 0 {
		t.Errorf("the database %q is still there", name)
	}
}

// The server's time zone is none that a test would have by chance, so that leaning on it shows.
func TestTheServerIsNotInUTC(t *testing.T) {
	var zone string
	conn := connect(t, Postgres(t, nil))
	if err := conn.QueryRow(t.Context(), "SHOW timezone").Scan(&zone); err != nil || zone != "Asia/Kathmandu" {
		t.Errorf("the zone is %q (%v)", zone, err)
	}
}

// recorder is a test that only notes how it ended.
type recorder struct {
	testing.TB
	failed, skipped string
}

func (r *recorder) Helper()           {}
func (r *recorder) Fatal(args ...any) { r.failed = fmt.Sprint(args...); runtime.Goexit() }
func (r *recorder) Skip(args ...any)  { r.skipped = fmt.Sprint(args...); runtime.Goexit() }

// A missing program skips on a developer's machine and fails wherever a run stands for all tests.
func TestWhatIsMissingFailsInCI(t *testing.T) {
	for _, c := range []struct {
		ci, require string
		fails       bool
	}{{"", "", false}, {"false", "0", false}, {"true", "", true}, {"", "1", true}} {
		t.Setenv("CI", c.ci)
		t.Setenv("TOKENDESK_TEST_REQUIRE", c.require)
		r, ended := &recorder{}, make(chan struct{})
		go func() {
			defer close(ended)
			Missing(r, "PostgreSQL is not installed")
		}()
		<-ended
		if (r.failed != "") != c.fails || (r.skipped != "") == c.fails {
			t.Errorf("CI=%q REQUIRE=%q: failed with %q, skipped with %q", c.ci, c.require, r.failed, r.skipped)
		}
	}
}
