package seed

import (
	"context"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"tokendesk/models/store"
)

// postgresConn is one connection to PostgreSQL.
type postgresConn struct{ conn *pgx.Conn }

func openPostgres(ctx context.Context, where store.Settings) (database, error) {
	conn, err := pgx.Connect(ctx, where.URL)
	if err != nil {
		return nil, err
	}
	p := postgresConn{conn}
	return p, p.exec(ctx, "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
}

func (p postgresConn) exec(ctx context.Context, statement string) error {
	_, err := p.conn.Exec(ctx, statement)
	return err
}

func (p postgresConn) number(ctx context.Context, query string) (n int64, err error) {
	return n, p.conn.QueryRow(ctx, query).Scan(&n)
}

func (p postgresConn) begin(ctx context.Context) error { return p.exec(ctx, "BEGIN") }

// secondary leaves out the indexes that belong to a constraint.
func (p postgresConn) secondary(ctx context.Context) ([]attachment, error) {
	rows, err := p.conn.Query(ctx, `SELECT i.indexrelid::regclass::text, 'DROP INDEX ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid)
		ORDER BY i.indexrelid`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a attachment, err error) {
		return a, row.Scan(&a.name, &a.remove, &a.make)
	})
}

func (p postgresConn) load(ctx context.Context, t table) error {
	next, stop := iter.Pull(t.rows)
	defer stop()
	_, err := p.conn.CopyFrom(ctx, pgx.Identifier{t.name}, strings.Fields(t.columns), pgx.CopyFromFunc(func() ([]any, error) {
		row, _ := next()
		return row, nil // nil is the end
	}))
	return err
}

// tidy does what autovacuum would do some time later, while somebody measures.
func (p postgresConn) tidy(ctx context.Context) error { return p.exec(ctx, "VACUUM (ANALYZE)") }

func (p postgresConn) close(ctx context.Context) error { return p.conn.Close(ctx) }
