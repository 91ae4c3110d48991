package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// What a server of a test's own has committed is there after it was killed, whichever way; what it was
// about to commit is not.
func TestAKilledServerKeepsWhatItCommitted(t *testing.T) {
	t.Parallel()
	own := NewOwnPostgres(t)
	if _, err := connect(t, own.URL).Exec(t.Context(), "CREATE TABLE notes (text text)"); err != nil {
		t.Fatal(err)
	}
	for i, kill := range []func(testing.TB){own.Kill, own.KillFirst, own.Kill} {
		if _, err := connect(t, own.URL).Exec(t.Context(), "INSERT INTO notes VALUES ('kept')"); err != nil {
			t.Fatal(err)
		}
		open, err := connect(t, own.URL).Begin(t.Context())
		if err == nil {
			_, err = open.Exec(t.Context(), "INSERT INTO notes VALUES ('lost')")
		}
		if err != nil {
			t.Fatal(err)
		}
		pid := own.server.process.Pid
		children, err := childrenOf(pid)
		if err != nil || len(children) < 3 { // two connections, and what writes to the disk
			t.Fatalf("the server has started %v, %v", children, err)
		}

		kill(t)
		if runsIn(pid, own.server.dir) {
			t.Fatal("the server still runs")
		}
		if err := refused(t.Context(), own.URL); err == nil {
			t.Fatal("the server still answers")
		}
		own.Start(t)
		after := connect(t, own.URL)
		if kept := count(t, after, "SELECT count(*) FROM notes WHERE text = 'kept'"); kept != i+1 {
			t.Errorf("after %d kills %d rows of %d are there", i+1, kept, i+1)
		}
		if lost := count(t, after, "SELECT count(*) FROM notes WHERE text = 'lost'"); lost != 0 {
			t.Errorf("%d rows are there that were never committed", lost)
		}
	}
}

// The server that keeps everything is set up as PostgreSQL is by itself.
func TestAnOwnServerIsDurable(t *testing.T) {
	t.Parallel()
	conn := connect(t, NewOwnPostgres(t).URL)
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := conn.QueryRow(t.Context(), "SHOW "+setting).Scan(&value); err != nil || value != "on" {
			t.Errorf("%s is %q (%v)", setting, value, err)
		}
	}
}

// refused says why nobody can connect.
func refused(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return conn.Close(ctx)
}
