package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"

	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// TestMisses compares the one look-up of a call whose credential is not remembered with the same statement through pgx alone, and with a statement that
// reads nothing but the credential's own row. There are TOKENDESK_TEST_MISSES credentials, of which 16 callers look for any. Each
// is measured in turns, for a second at a time. It prints a table that people judge; .ci/bench verify runs it.
func TestMisses(t *testing.T) {
	many, err := strconv.Atoi(os.Getenv("TOKENDESK_TEST_MISSES"))
	if err != nil {
		t.Skip("it measures what a look-up costs: ./.ci/bench verify")
	}
	const callers, rounds = 16, 10
	own := storetest.NewOwnPostgres(t)
	w := storetest.New(t, own.URL)
	w.SetUp(t)
	manyTokens(t, w, many)
	config, err := pgxpool.ParseConfig(own.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = callers
	raw, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	statement := func(sql string) func(context.Context, secret.Hash) error {
		return func(ctx context.Context, hash secret.Hash) error {
			rows, err := raw.Query(ctx, sql, hash[:])
			if err != nil {
				return err
			}
			defer rows.Close()
			if !rows.Next() {
				return fmt.Errorf("no row: %v", rows.Err())
			}
			_, err = rows.Values()
			return err
		}
	}
	list := []*looked{
		{name: "the same statement through pgx alone", ask: statement(w.GrantSQL())},
		{name: "`GrantOf`", ask: func(ctx context.Context, hash secret.Hash) error { _, err := w.GrantOf(ctx, hash); return err }},
		{name: "the credential's row alone through pgx alone", ask: statement("SELECT id, kind, person_id, enabled, expires_at, revoked_at FROM credentials WHERE hash = $1")},
	}
	for range rounds + 1 {
		for _, l := range list {
			l.second(t, callers, many)
		}
	}
	fmt.Printf("\n| look-up, of %d, %d callers | a second | of the first |\n|---|---|---|\n", many, callers)
	for _, l := range list {
		var of []float64
		for i := range rounds {
			of = append(of, l.perSecond[i+1]/list[0].perSecond[i+1])
		}
		slices.Sort(of)
		each := slices.Sorted(slices.Values(l.perSecond[1:]))
		fmt.Printf("| %s | %.0f | %.2f (%.2f–%.2f) |\n", l.name, each[rounds/2], of[rounds/2], of[0], of[rounds-1])
	}
}

// manyTokens makes so many API tokens of the first product, each by the hash of its number. A million take half a minute: the IDs are in order, as those of the program are, the indexes are made anew when all are
// there, and nothing is looked up for each of them.
func manyTokens(t *testing.T, w storetest.World, many int) {
	t.Helper()
	begun := time.Now()
	for _, setting := range []string{"max_wal_size = '4GB'", "maintenance_work_mem = '256MB'"} {
		exec(t, w, "ALTER SYSTEM SET "+setting)
	}
	exec(t, w, "SELECT pg_reload_conf()")
	var dropped []struct{ Name, Made string }
	must(t, w.DB().Raw(`SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made FROM pg_index i
		WHERE i.indrelid = 'credentials'::regclass AND NOT i.indisprimary`).Scan(&dropped).Error)
	must(t, w.DB().Transaction(func(tx *gorm.DB) error {
		statements := []string{"SET LOCAL session_replication_role = replica"}
		for _, index := range dropped {
			statements = append(statements, "DROP INDEX "+index.Name)
		}
		statements = append(statements, fmt.Sprintf(`INSERT INTO credentials (id, kind, name, name_key, prefix, last4, hash, workspace_id, product_id, scopes, enabled, created_at, created_by, revoked_by, revoke_reason, replaced_by)
			SELECT '01900000-0000-7000-8000-' || lpad(n::text, 12, '0'), 'api', n::text, n::text, 'prod_abc', 'abcd', sha256(int8send(n)), p.workspace_id, p.id, '', true, now(), '', '', '', ''
			FROM products p, generate_series(1, %d::bigint) n`, many))
		for _, index := range dropped {
			statements = append(statements, index.Made)
		}
		for _, statement := range statements {
			if err := tx.Exec(statement).Error; err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	}))
	exec(t, w, "VACUUM ANALYZE credentials")
	exec(t, w, "CHECKPOINT")
	t.Logf("made %d tokens in %s", many, time.Since(begun).Round(time.Second))
}

type looked struct {
	name      string
	ask       func(context.Context, secret.Hash) error
	perSecond []float64
}

// second has callers look for a second.
func (l *looked) second(t *testing.T, callers, many int) {
	t.Helper()
	var all sync.WaitGroup
	var count atomic.Int64
	begun := time.Now()
	for range callers {
		all.Go(func() {
			for time.Since(begun) < time.Second {
				hash := sha256.Sum256(binary.BigEndian.AppendUint64(nil, 1+rand.Uint64N(uint64(many))))
				if err := l.ask(t.Context(), hash); err != nil {
					t.Error(err)
					return
				}
				count.Add(1)
			}
		})
	}
	all.Wait()
	l.perSecond = append(l.perSecond, float64(count.Load())/time.Since(begun).Seconds())
	if t.Failed() {
		t.FailNow()
	}
}
