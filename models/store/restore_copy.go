package store

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"tokendesk/models"
)

// Copy is a private copy of a backup: checked, at this program's schema, ready to take the place of a
// database. It lives in a folder of its own in the data directory. The backup itself is only read.
type Copy struct {
	Holds Contents // of the backup
	store *Store
	dir   string
	name  string // of the backup's file, without its folder
}

// OpenCopy copies a backup and checks all of it. What is wrong with the file is models.Invalid. Nothing
// but the copy is written, and Close removes it.
func OpenCopy(ctx context.Context, set Settings, file string) (_ *Copy, err error) {
	if err := looksRight(file, filepath.Join(set.DataDir, FileName)); err != nil {
		return nil, err
	}
	c := &Copy{name: models.Shorten(models.OnlyPrintable(filepath.Base(file)), 200)}
	if c.dir, err = os.MkdirTemp(set.DataDir, "restore-*.part"); err != nil {
		return nil, models.Fail(models.Invalid, "The data directory %s cannot be written to: %v.", set.DataDir, reason(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	set.URL, set.DataDir = "", c.dir
	if err = copyFile(ctx, file, c.path()); err != nil {
		return nil, models.Fail(models.Unavailable, "%s cannot be copied into the data directory.", file).Because(err)
	}
	if c.store, err = Open(ctx, set); err != nil {
		return nil, damaged(ctx, file, err)
	}
	if c.Holds, err = c.store.check(ctx, file); err != nil {
		return nil, err
	}
	return c, c.bringUp(ctx, file)
}

// bringUp has the copy at this program's schema, and at nothing else.
func (c *Copy) bringUp(ctx context.Context, file string) error {
	if _, err := c.store.Migrate(ctx); err != nil {
		return err
	}
	return c.store.AsMade(ctx, file, c.dir)
}

// looksRight refuses a file that is certainly no backup, before anything is written.
func looksRight(file, live string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() { // before it is opened: a pipe would wait for its other end
		return models.Fail(models.Invalid, "%s is not a file.", file)
	}
	in, err := os.Open(file)
	if err != nil {
		return models.Fail(models.Invalid, "%s cannot be read: %v.", file, reason(err))
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return models.Fail(models.Invalid, "%s cannot be read: %v.", file, reason(err))
	}
	begins := make([]byte, len(sqliteMagic))
	if info.Mode().IsRegular() {
		_, err = io.ReadFull(in, begins)
	}
	current, _ := os.Stat(live)
	switch {
	case !info.Mode().IsRegular():
		return models.Fail(models.Invalid, "%s is not a file.", file)
	case info.Size() == 0:
		return models.Fail(models.Invalid, "%s is empty.", file)
	case err != nil || string(begins) != sqliteMagic:
		return models.Fail(models.Invalid, "%s is not a SQLite database.", file)
	case current != nil && os.SameFile(info, current):
		return models.Fail(models.Invalid, "%s is the database itself: name a backup of it.", file)
	case holdsMore(file + "-wal"), holdsMore(file + "-journal"):
		return models.Fail(models.Invalid, "%s is a database in use, or was copied from one: a file beside it holds a part of it. Make a backup with tokendesk backup.", file)
	}
	return nil
}

// sqliteMagic is what each SQLite file begins with (https://sqlite.org/fileformat.html, section 1.3.1).
const sqliteMagic = "SQLite format 3\x00"

func holdsMore(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Size() > 0
}

func (c *Copy) path() string { return filepath.Join(c.dir, FileName) }

// Close removes the copy.
func (c *Copy) Close() error {
	var err error
	if c.store != nil {
		err = c.store.Close()
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}
