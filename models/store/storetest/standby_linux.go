package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// NewStandby starts a server that follows this one by streaming replication, and shows what it gets only after a while. It answers what is read,
// and refuses what would change something, until it is promoted. It ends with the test.
func (o *OwnPostgres) NewStandby(t testing.TB, lag time.Duration) *OwnPostgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	more := slices.Concat(lasting, []string{fmt.Sprintf("recovery_min_apply_delay=%dms", lag.Milliseconds()), "wal_retrieve_retry_interval=500ms", "hot_standby=on"})
	s, err := fillServer(ctx, diskRoot(), more, func(s *server) error {
		copied := s.command(ctx, "pg_basebackup", "--pgdata", s.data(), "--host", o.server.dir, "--username", "postgres",
			"--wal-method", "stream", "--checkpoint", "fast", "--write-recovery-conf", "--no-sync")
		if out, err := copied.CombinedOutput(); err != nil {
			return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("a standby for this test: %v", err)
	}
	t.Cleanup(s.stop)
	return &OwnPostgres{URL: s.url("desk"), server: s}
}

// Promote has a standby take over with what it has got: it does not wait for the rest of its delay. It returns when changes are taken.
func (o *OwnPostgres) Promote(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, o.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT pg_promote(true, 30)"); err != nil {
		t.Fatalf("promote the standby: %v", err)
	}
}
