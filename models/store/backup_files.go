package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"tokendesk/models"
)

// newPart makes an empty file beside the one that is to be written, for this user alone.
func newPart(file string) (string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	if exists(file) {
		return "", nameTaken(file)
	}
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".part-*")
	if err != nil {
		return "", models.Fail(models.Invalid, "%s cannot be written: %v.", file, reason(err))
	}
	return part.Name(), part.Close()
}

// publish gives a finished file its name, unless something has that name by now, and has it last through
// a power cut. The part may be left beside it; the caller removes it.
func publish(part, file string) error {
	if err := syncFile(part, os.O_RDWR); err != nil {
		return err
	}
	err := os.Link(part, file)
	if err != nil && !exists(file) { // a file system without links
		err = os.Rename(part, file)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nameTaken(file)
	case err != nil:
		return models.Fail(models.Invalid, "%s cannot be written: %v.", file, reason(err))
	}
	if err = syncFile(filepath.Dir(file), os.O_RDONLY); runtime.GOOS == "windows" {
		return nil
	}
	return err
}

func syncFile(path string, how int) error {
	file, err := os.OpenFile(path, how, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

func nameTaken(file string) error {
	return models.Fail(models.Conflict, "%s is there already, and is not overwritten: choose another name.", file)
}

// reason is a failure without the path, which the sentence has already.
func reason(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// copyFile copies a file to a new one that this user alone may read.
func copyFile(ctx context.Context, from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	for err == nil {
		if err = ctx.Err(); err == nil {
			_, err = io.CopyN(out, in, 64<<20)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
