// Package seed fills an empty database with the history of an installation that has been in use for two years, as
// large as it is asked to be. It is for measuring and for trying things out: what it makes keeps every promise that
// the store makes, and none of it was made by the store, which would take days.
package seed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
)

// Size is how much there is to be.
type Size struct{ People, Workspaces, Credentials, Events int }

// Settings say what is to be made, and where. The same Seed, Size, Until and PasswordHash make the same rows.
type Settings struct {
	store.Settings // the database
	Size           Size
	Seed           uint64
	Until          time.Time         // when the history ends; it begins two years before
	PasswordHash   string            // everybody's password, in PHC form
	Say            func(what string) // is told what comes next
}

// ErrNotEmpty says that there is something in the database already, which stays as it is.
var ErrNotEmpty = errors.New("the database is not empty: nothing was changed")

// check refuses sizes at which the history would not come out as it should.
func (s Size) check() error {
	switch {
	case s.People < 100 || s.Workspaces < 1 || s.Credentials < 100:
		return errors.New("there must be at least 100 people, 1 workspace and 100 credentials")
	case s.Workspaces > s.People:
		return errors.New("there must be no more workspaces than people")
	case s.Events < 3*(s.People+s.Credentials+20*s.Workspaces):
		return fmt.Errorf("there must be at least %d events for so many people, workspaces and credentials", 3*(s.People+s.Credentials+20*s.Workspaces))
	}
	return nil
}

// Fill applies the migrations and then fills the database, in one transaction: all of it, or nothing when it fails.
func Fill(ctx context.Context, set Settings) error {
	if err := set.Size.check(); err != nil {
		return err
	}
	set.Until = models.Instant(set.Until)
	if err := migrate(ctx, set.Settings); err != nil {
		return err
	}
	open := openSQLite
	if set.URL != "" {
		open = openPostgres
	}
	db, err := open(ctx, set.Settings)
	if err != nil {
		return err
	}
	return errors.Join(fill(ctx, db, set), db.close(context.WithoutCancel(ctx)))
}

func migrate(ctx context.Context, where store.Settings) error {
	s, err := store.Open(ctx, where)
	if err != nil {
		return err
	}
	_, err = s.Migrate(ctx)
	return errors.Join(err, s.Close())
}

// database is one connection for the load.
type database interface {
	exec(ctx context.Context, statement string) error
	number(ctx context.Context, query string) (int64, error)
	// secondary lists what slows a load down and is made again after it: the statements that remove each, and
	// those that make it.
	secondary(ctx context.Context) ([]attachment, error)
	load(ctx context.Context, t table) error
	begin(ctx context.Context) error
	// tidy leaves the database as one is that has come so far by itself.
	tidy(ctx context.Context) error
	close(ctx context.Context) error
}

type attachment struct{ name, remove, make string }

func fill(ctx context.Context, db database, set Settings) error {
	if err := db.begin(ctx); err != nil {
		return err
	}
	if err := load(ctx, db, set); err != nil {
		return errors.Join(err, db.exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	if err := db.exec(ctx, "COMMIT"); err != nil {
		return err
	}
	set.Say("tidy up")
	return db.tidy(ctx)
}

func load(ctx context.Context, db database, set Settings) error {
	found, err := db.number(ctx, "SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM workspaces) + (SELECT last_seq FROM change_clock)")
	if err != nil {
		return err
	}
	if found > 0 {
		return ErrNotEmpty
	}
	away, err := db.secondary(ctx)
	if err != nil {
		return err
	}
	for _, a := range away {
		if err := db.exec(ctx, a.remove); err != nil {
			return err
		}
	}
	if err := db.exec(ctx, "DELETE FROM change_clock"); err != nil { // its one row is loaded with the rest
		return err
	}
	for _, t := range tables(set) {
		set.Say(t.name)
		if err := db.load(ctx, t); err != nil {
			return fmt.Errorf("fill %s: %w", t.name, err)
		}
	}
	set.Say("indexes")
	for _, a := range away {
		if err := db.exec(ctx, a.make); err != nil {
			return fmt.Errorf("make %s again: %w", a.name, err)
		}
	}
	return nil
}
