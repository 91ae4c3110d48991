package access

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"tokendesk/models"
)

// errLocked says that the server of a file lives.
var errLocked = errors.New("it is in use")

// Drained is what was found in the files of servers that ended without their last flush.
type Drained struct {
	Files int
	Calls int64 // that were sent; some may have been written down before
	Old   int64 // calls in files that are too old, which are not counted
	Wrong int   // slots that no server writes, which are not counted
}

// Drain has the counts in a folder written down whose servers are dead, each under its own name and the numbers that it had itself, and removes their
// files. Who is still alive has its file locked, also against another server that drains the same. Sent twice it is counted once, so a drain that broke
// off is begun again. A file whose server ended longer ago than models.FlushesKept is not counted: nobody remembers by then what of it was.
func Drain(ctx context.Context, folder string, to Recorder, now time.Time) (d Drained, err error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) || !canMap {
		return d, nil
	}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		switch {
		case strings.HasSuffix(path, countsSuffix):
			err = errors.Join(err, d.drainFile(ctx, path, to, now))
		case strings.HasSuffix(path, countsSuffix+newSuffix):
			err = errors.Join(err, removeUnborn(path, now))
		}
	}
	return d, err
}

// removeUnborn removes a file whose server was killed before it could count.
func removeUnborn(path string, now time.Time) error {
	info, err := os.Stat(path)
	if err != nil || now.Sub(info.ModTime()) < time.Minute {
		return nil
	}
	return os.Remove(path)
}

func (d *Drained) drainFile(ctx context.Context, path string, to Recorder, now time.Time) (err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another one was faster
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if err := lockFile(file); errors.Is(err, errLocked) {
		return nil
	} else if err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	counts, err := readCounts(ctx, file)
	if err != nil {
		return err
	}
	old := now.Sub(counts.at) > models.FlushesKept
	for _, flush := range slices.Sorted(maps.Keys(counts.flushes)) {
		for _, n := range counts.flushes[flush] {
			if err := ctx.Err(); err != nil {
				return err
			}
			slots, err := counts.slots(n, flush)
			had := len(slots)
			slots = slices.DeleteFunc(slots, func(s *slot) bool { return !s.possible(now) })
			if err == nil && !old {
				err = record(ctx, to, counts.boot, flush, n, slots)
			}
			if err != nil {
				return err
			}
			d.Wrong += had - len(slots)
			d.add(slots, old)
		}
	}
	d.Files++
	return os.Remove(path)
}

func (d *Drained) add(slots []*slot, old bool) {
	for _, s := range slots {
		calls := int64(s[slotCalls] + s[slotRefused] + s[slotLate])
		if old {
			d.Old += calls
		} else {
			d.Calls += calls
		}
	}
}

// mostFlushes is how many may be in one file. A server has two at once; what a power cut leaves may be of some that were written down before.
const mostFlushes = 256

// deadCounts is the file of a dead server.
type deadCounts struct {
	file    *os.File
	boot    uuid.UUID
	at      time.Time        // when its server lived last
	flushes map[uint64][]int // in which chunks each has slots
	read    []byte
}

func readCounts(ctx context.Context, file *os.File) (*deadCounts, error) {
	c := &deadCounts{file: file, flushes: map[uint64][]int{}, read: make([]byte, unsafe.Sizeof(chunk{}))}
	head := make([]byte, headAt+8)
	if _, err := file.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if binary.NativeEndian.Uint64(head[headMagic:]) != countsMagic {
		return nil, fmt.Errorf("%s is no file of counts that this machine can read: it is left as it is", file.Name())
	}
	c.boot = uuid.UUID(head[headBoot:headAt])
	c.at = time.UnixMicro(int64(binary.NativeEndian.Uint64(head[headAt:])))
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > headBytes+mostChunks*int64(len(c.read)) {
		return nil, fmt.Errorf("%s has %d bytes, which no server counts in: it is left as it is. Remove it", file.Name(), info.Size())
	}
	for n := range int((info.Size() - headBytes + int64(len(c.read)) - 1) / int64(len(c.read))) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		slots, err := c.slots(n, 0)
		if err != nil {
			return nil, err
		}
		for _, s := range slots {
			if in := c.flushes[s[slotFlush]]; len(in) == 0 || in[len(in)-1] != n {
				c.flushes[s[slotFlush]] = append(in, n)
			}
		}
		if len(c.flushes) > mostFlushes {
			return nil, fmt.Errorf("%s has counts of more than %d flushes, which no server has at once: it is left as it is. Remove it", file.Name(), mostFlushes)
		}
	}
	return c, nil
}

// slots reads those of a chunk that belong to a flush; 0: to any.
func (c *deadCounts) slots(chunk int, flush uint64) (found []*slot, err error) {
	n, err := c.file.ReadAt(c.read, headBytes+int64(chunk)*int64(len(c.read)))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for at := 0; at+slotBytes <= n; at += slotBytes {
		if of := binary.NativeEndian.Uint64(c.read[at+slotFlush*8:]); of == 0 || flush != 0 && of != flush {
			continue
		}
		s := new(slot)
		for word := range s {
			s[word] = binary.NativeEndian.Uint64(c.read[at+word*8:])
		}
		found = append(found, s)
	}
	return found, nil
}
