package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"tokendesk/migrations"
	"tokendesk/models"
)

// channel is what replicas on PostgreSQL listen to.
const channel = "tokendesk_changes"

// notify has PostgreSQL tell the replicas with the commit that verdicts have changed. What changes none stays silent: PostgreSQL commits
// transactions that notify one after the other.
func (s *Store) notify(tx *gorm.DB, events []models.Event) error {
	if s.dialect != migrations.Postgres || lastTouching(events) == 0 {
		return nil
	}
	return tx.Exec("SELECT pg_notify(?, '')", channel).Error
}

// errNotTold says that the database accepts a listener and tells it nothing, as a pooler in transaction mode makes it.
var errNotTold = errors.New("the database takes a listener and does not tell it anything: a pooler in transaction mode does that")

const (
	probePatience = 2 * time.Second  // for the first notification
	keepAlive     = 20 * time.Second // a connection that has told nothing for so long is asked whether it is there
)

// ListenForChanges calls heard whenever a verdict may have changed, until the connection that it has for that is lost. It calls ready once, when
// it knows that it will be told. SQLite tells nobody: nil.
func (s *Store) ListenForChanges(ctx context.Context, ready, heard func()) error {
	if s.dialect != migrations.Postgres {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, s.address.Copy())
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(last)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return fmt.Errorf("listen for changes: %w", err)
	}
	if err := s.probe(ctx, conn, heard); err != nil {
		return err
	}
	ready()
	for {
		quiet, cancel := context.WithTimeout(ctx, keepAlive)
		_, err := conn.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			heard()
		case ctx.Err() != nil:
			return ctx.Err()
		case quiet.Err() == nil || conn.IsClosed():
			return fmt.Errorf("listen for changes: %w", err)
		default:
			if err := s.probe(ctx, conn, heard); err != nil {
				return err
			}
		}
	}
}

// probe finds out, by way of other connections, whether a listener is told. It waits for its own notification: another one may be what a
// pooler passed on by chance.
func (s *Store) probe(ctx context.Context, conn *pgx.Conn, heard func()) error {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	sign := s.newID()
	if _, err := s.pool.ExecContext(ctx, "SELECT pg_notify($1, $2)", channel, sign); err != nil {
		return fmt.Errorf("listen for changes: %w", err)
	}
	for {
		told, err := conn.WaitForNotification(ctx)
		switch {
		case err == nil && told.Payload == sign:
			return nil
		case err == nil:
			heard()
		case ctx.Err() != nil && !errors.Is(ctx.Err(), context.Canceled):
			return errNotTold
		default:
			return err
		}
	}
}
