package sample

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// folder is where the bytes of files are, each under its ID. A file counts once its row is in the database.
type folder string

func openFolder(path string) (folder, error) { return folder(path), os.MkdirAll(path, 0o700) }

func (f folder) path(id string) string { return filepath.Join(string(f), id) }

func (f folder) create(id string) (*os.File, error) {
	return os.OpenFile(f.path(id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (f folder) open(id string) (*os.File, error) { return os.Open(f.path(id)) }

// remove removes a file, whose row is gone. Where that fails, sweep does it later.
func (f folder) remove(id string) { _ = os.Remove(f.path(id)) }

// leftAfter is how long a file without a row may still be on its way: somebody may be sending it.
const leftAfter = 24 * time.Hour

// sweep removes what uploads left that never ended because the program did.
func (f folder) sweep(ctx context.Context, db querier, now time.Time) error {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && (!isID(entry.Name()) || now.Sub(info.ModTime()) < leftAfter) {
			continue
		}
		if err != nil {
			return err
		}
		var id string
		err = db.QueryRowContext(ctx, "SELECT id FROM files WHERE id = ?", entry.Name()).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			f.remove(entry.Name())
		} else if err != nil {
			return err
		}
	}
	return nil
}
