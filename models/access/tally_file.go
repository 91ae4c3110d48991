package access

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"tokendesk/models"
)

// countsFile is the file that a server counts in: a head of 64 KiB, a multiple of every page size, and then chunks of slots. It is locked as long
// as its server lives.
type countsFile struct {
	*os.File
	head []byte
}

// What the head has, in the byte order of the machine: what kind of file this is, which is another number on a machine that reads the bytes the other way
// round; whose; and when its server lived last, in microseconds since 1970.
const (
	headBytes = 64 << 10
	headMagic = 0
	headBoot  = 8
	headAt    = 24

	countsMagic  = 0x544b444b_55534731 // TKDKUSG1
	countsSuffix = ".counts"
	newSuffix    = ".new"
)

// OpenTally makes a tally that counts in a new file in a folder, which it makes where there is none: <boot>.counts, where boot is a new UUID. It is for this
// user alone. Close removes it. Where files cannot be locked, or mapped into memory, the tally is NewTally's, and the error is errors.ErrUnsupported.
func OpenTally(folder string, now models.Clock) (*Tally, error) {
	if !canMap {
		return NewTally(), errors.ErrUnsupported
	}
	boot := uuid.New()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	file, err := newCountsFile(filepath.Join(folder, boot.String()+countsSuffix), boot, now())
	if errors.Is(err, errors.ErrUnsupported) {
		return NewTally(), errors.ErrUnsupported
	}
	if err != nil {
		return nil, err
	}
	t := newTally(boot, file, now)
	t.pool.grow() // or the first call would wait for it
	return t, nil
}

// newCountsFile makes a file with a head. It has its name only when it is locked and its head is on the disk, so that nobody takes it for a dead one's.
func newCountsFile(path string, boot uuid.UUID, at time.Time) (_ *countsFile, err error) {
	file, err := os.OpenFile(path+newSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(path+newSuffix))
		}
	}()
	if err := lockFile(file); err != nil {
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	head := make([]byte, headBytes)
	binary.NativeEndian.PutUint64(head[headMagic:], countsMagic)
	copy(head[headBoot:], boot[:])
	binary.NativeEndian.PutUint64(head[headAt:], uint64(at.UnixMicro()))
	if _, err := file.Write(head); err != nil {
		return nil, err
	}
	if err := file.Sync(); err != nil {
		return nil, err
	}
	c := &countsFile{File: file}
	if c.head, err = mapFile(file, 0, headBytes); err != nil {
		return nil, err
	}
	return c, os.Rename(path+newSuffix, path)
}

// stamp notes in the head that the server lives, before it sends anything.
func (c *countsFile) stamp(at time.Time) {
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&c.head[headAt])), uint64(at.UnixMicro()))
}

// grow adds a chunk with a number to the file, and maps it. The chunk is written first: a disk that is full says so here, and not when somebody writes
// to memory, which would be the end of the process.
func (c *countsFile) grow(number int) (*chunk, error) {
	from := int64(headBytes) + int64(number)*int64(unsafe.Sizeof(chunk{}))
	_, err := c.WriteAt(make([]byte, unsafe.Sizeof(chunk{})), from)
	var mapped []byte
	if err == nil {
		mapped, err = mapFile(c.File, from, int(unsafe.Sizeof(chunk{})))
	}
	if err != nil {
		return nil, fmt.Errorf("calls are counted in plain memory, where a kill would lose them, because the file does not grow: %w", err)
	}
	return (*chunk)(unsafe.Pointer(&mapped[0])), nil
}

// sync has all that was counted last through a power cut.
func (c *countsFile) sync() error {
	if err := c.Sync(); err != nil {
		return fmt.Errorf("the file of counts: %w", err)
	}
	return nil
}

// Close ends the tally after its last flush, when nobody calls any more. Its file is removed if all of it was written down; otherwise it stays, and
// whoever starts next drains it. The memory stays mapped: a call that was cut off may still be on its way to Add.
func (t *Tally) Close() error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	if t.pool.file == nil {
		return nil
	}
	var err error
	if !t.counting() {
		err = os.Remove(filepath.Join(filepath.Dir(t.pool.file.Name()), t.boot.String()+countsSuffix))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	unlockFile(t.pool.file.File) // which closing it does not do, as long as it is mapped
	return errors.Join(err, t.pool.file.Close())
}

// counting says whether anything is not written down.
func (t *Tally) counting() bool {
	any := len(t.frozen) > 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		any = any || len(s.index) > 0
		s.mu.Unlock()
	}
	return any
}
