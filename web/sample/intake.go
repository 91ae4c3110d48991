package sample

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
)

// intake writes an upload to its file, as far as the limits let it.
type intake struct {
	s      *Sample
	tenant int64
	file   *os.File
	hash   hash.Hash
	size   int64 // so far
	failed error // to write, which is not the sender's fault
}

func (in *intake) Write(p []byte) (int, error) {
	if in.size+int64(len(p)) > in.s.limits.FileBytes {
		in.failed = in.s.fileTooLarge()
		return 0, in.failed
	}
	if in.failed = in.s.room.take(in.tenant, int64(len(p))); in.failed != nil {
		return 0, in.failed
	}
	in.size += int64(len(p))
	in.hash.Write(p)
	n, err := in.file.Write(p)
	in.failed = err
	return n, err
}

// receiveFile writes what comes in to the file of an ID, and from here to the disk. When it fails, nothing is left.
func (s *Sample) receiveFile(tenant int64, id string, content io.Reader) (size int64, sum string, err error) {
	out, err := s.files.create(id)
	if err != nil {
		return 0, "", err
	}
	in := &intake{s: s, tenant: tenant, file: out, hash: sha256.New()}
	_, err = io.Copy(in, content)
	switch p := (*problem)(nil); {
	case err == nil && in.size == 0:
		err = badRequest("The file is empty. Send one with something in it.")
	case err != nil && in.failed == nil && !errors.As(err, &p):
		err = badRequest("The file ended before it was whole. Send it again.")
	case err == nil:
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		s.discard(tenant, id, in.size)
		return 0, "", err
	}
	return in.size, hex.EncodeToString(in.hash.Sum(nil)), nil
}

// discard removes a file that is not kept.
func (s *Sample) discard(tenant int64, id string, size int64) {
	s.files.remove(id)
	s.room.give(tenant, size)
}
