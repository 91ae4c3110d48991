package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"tokendesk/migrations"
)

// ask asks for one row, without GORM: what must be quick does so.
func (s *Store) ask(ctx context.Context, statement string, values ...any) *sql.Row {
	if s.onAsk != nil {
		s.onAsk(statement, values)
	}
	return s.pool.QueryRowContext(ctx, statement, values...)
}

// read reads one row into what the driver of PostgreSQL fills by itself and database/sql does too: the types of pgtype. On a connection of the pool it asks the
// driver itself, which spares the look-up of each call a fifth of what it costs: database/sql has each value made once more, and a goroutine for each question.
func (s *Store) read(ctx context.Context, statement string, by any, into ...any) error {
	if s.dialect != migrations.Postgres {
		return s.ask(ctx, statement, by).Scan(into...)
	}
	if s.onAsk != nil {
		s.onAsk(statement, []any{by})
	}
	err := s.readOnce(ctx, statement, by, into)
	if errors.Is(err, driver.ErrBadConn) { // nothing was sent: database/sql tries others, and a new one in the end
		err = s.pool.QueryRowContext(ctx, statement, by).Scan(into...)
	}
	return err
}

func (s *Store) readOnce(ctx context.Context, statement string, by any, into []any) error {
	conn, err := s.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(lent any) error {
		err := lent.(*stdlib.Conn).Conn().QueryRow(ctx, statement, by).Scan(into...)
		if err != nil && pgconn.SafeToRetry(err) {
			return driver.ErrBadConn // and the pool keeps it no longer
		}
		return err
	})
}
