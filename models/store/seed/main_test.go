package seed

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// small is the least in which everything that a large one has still happens.
var small = Size{People: 300, Workspaces: 5, Credentials: 1000, Events: 5000}

var everybodys = sync.OnceValue(func() string {
	hash, err := secret.NewHasher(0, 0).Hash(context.Background(), storetest.Password)
	if err != nil {
		panic(err)
	}
	return hash
})

// each runs a test on both databases, with settings that fill an empty one.
func each(t *testing.T, test func(t *testing.T, fresh func() Settings)) {
	t.Helper()
	now := storetest.NewClock().Now()
	set := Settings{Size: small, Seed: 1, Until: now.Truncate(24 * time.Hour), PasswordHash: everybodys(), Say: func(string) {}}
	set.Clock, set.NewID, set.Log = models.SystemClock, models.NewID, slog.New(slog.NewTextHandler(io.Discard, nil))
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, func() Settings { set := set; set.DataDir = t.TempDir(); return set })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, func() Settings { set := set; set.URL = storetest.Postgres(t, nil); return set })
	})
}

func full(t *testing.T, set Settings) Settings {
	t.Helper()
	if err := Fill(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	return set
}

// world opens what was filled as a server would, with the tests' clock.
func world(t *testing.T, set Settings) storetest.World {
	t.Helper()
	w := storetest.World{Clock: storetest.NewClock(), Dir: set.DataDir, URL: set.URL, Log: &storetest.Log{}, Secrets: &storetest.Secrets{}}
	w.Store = w.Open(t)
	return w
}

// look opens the database itself, to the end of the test.
func look(t *testing.T, set Settings) database {
	t.Helper()
	db := connect(t, set)
	t.Cleanup(func() { hangUp(t, db) })
	return db
}

func connect(t *testing.T, set Settings) database {
	t.Helper()
	open := openSQLite
	if set.URL != "" {
		open = openPostgres
	}
	db, err := open(t.Context(), set.Settings)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func hangUp(t *testing.T, db database) {
	t.Helper()
	if err := db.close(context.Background()); err != nil {
		t.Error(err)
	}
}

func number(t *testing.T, db database, query string) int64 {
	t.Helper()
	n, err := db.number(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// rowsOf reads a table in the order of its keys.
func rowsOf(t *testing.T, db database, table string) iter.Seq[[]any] {
	query := "SELECT * FROM " + table + " ORDER BY 1, 2"
	return func(yield func([]any) bool) {
		var err error
		if file, ok := db.(sqliteFile); ok {
			err = readSQLite(t.Context(), file, query, yield)
		} else {
			err = readPostgres(t.Context(), db.(postgresConn), query, yield)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func readSQLite(ctx context.Context, db sqliteFile, query string, yield func([]any) bool) error {
	rows, err := db.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil || !yield(values) {
			return err
		}
	}
	return rows.Err()
}

func readPostgres(ctx context.Context, db postgresConn, query string, yield func([]any) bool) error {
	rows, err := db.conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if values, err := rows.Values(); err != nil || !yield(values) {
			return err
		}
	}
	return rows.Err()
}

func attachments(t *testing.T, set Settings) []string {
	t.Helper()
	list, err := look(t, set).secondary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, a := range list {
		made = append(made, a.make)
	}
	slices.Sort(made)
	return made
}

// migrated is an empty database of the current schema.
func migrated(t *testing.T, set Settings) Settings {
	t.Helper()
	s, err := store.Open(t.Context(), set.Settings)
	if err == nil {
		_, err = s.Migrate(t.Context())
	}
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return set
}
