package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"

	"tokendesk/models"
)

// Restored is what a restoration did.
type Restored struct {
	Events     int64   // in the log now; the last of them is the restoration
	Before     int64   // in the log that was there before
	Kept       string  // the file that has the database from before; empty where there was none
	StillTaken []Taken // what was taken away since the backup, and stays so
	NoAdmin    bool    // nobody who may sign in is an Admin
}

// Restore makes the database what a copy of a backup is. Others go on meanwhile: up to one moment they
// read what was there before, from then on what was restored. For a while before that moment they
// cannot write. An interruption leaves the one or the other, and nothing between.
//
// The database from before is kept in a file beside it. What was taken away since the backup stays taken
// away, unless exact is set. All sessions end. The restoration is the next event of the restored log, and
// tells where the log before ended. SQLite only.
func (s *Store) Restore(ctx context.Context, who models.Actor, c *Copy, exact bool) (done Restored, err error) {
	if err := s.mayCopy(who); err != nil {
		return done, err
	}
	was, err := s.former(ctx, exact)
	if err != nil {
		return done, err
	}
	defer s.alone()()
	begin := func(conn pageConn) (*sqlite.Backup, error) { return conn.NewRestore(fileURI(c.path(), nil)) }
	err = s.movePages(ctx, was.path, begin, func() error { // from here on, nobody else writes
		if was.last, err = readClock(s.db.WithContext(ctx)); err != nil {
			return err
		}
		if err := s.copyPages(ctx, was.path, was.kept); err != nil {
			return err
		}
		done.Kept = was.kept
		if done, err = c.settle(ctx, who, was); err != nil {
			return err
		}
		return s.outlastLeases(ctx)
	})
	if err == nil {
		return done, nil
	}
	if done.Kept != "" {
		err = errors.Join(err, os.Remove(done.Kept))
	}
	return Restored{}, translate(err)
}

// outlastLeases waits until no server answers from a memory of what is there now: nobody can renew a lease while pages are moved.
func (s *Store) outlastLeases(ctx context.Context) error {
	list, err := s.Replicas(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	select {
	case <-time.After(models.LeaseWait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// former is the database that a copy takes the place of; the zero value where there is none.
type former struct {
	path  string      // its file
	kept  string      // where it is kept
	last  changeClock // where its log ends
	exact bool        // what was taken away in it does not count
}

func (s *Store) former(ctx context.Context, exact bool) (former, error) {
	was := former{exact: exact}
	err := s.pool.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&was.path)
	was.kept = filepath.Join(filepath.Dir(was.path), "tokendesk-before-restore-"+s.now().Format("20060102T150405.000Z")+".db")
	return was, translate(err)
}

// Found makes the copy the database of a data directory that has none. Like Restore, it happens whole or
// not at all.
func (c *Copy) Found(ctx context.Context, who models.Actor, dir string) (Restored, error) {
	if err := c.store.mayCopy(who); err != nil {
		return Restored{}, err
	}
	file := filepath.Join(dir, FileName)
	for _, part := range []string{file + "-wal", file + "-journal"} { // SQLite would take it for the new one's
		if exists(part) {
			return Restored{}, models.Fail(models.Conflict, "%s is there without its database: move it away first.", part)
		}
	}
	done, err := c.settle(ctx, who, former{})
	if err == nil {
		err = publish(c.path(), file)
	}
	return done, err
}
