package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// Recorder writes counts down: all of a flush or none of it, and each flush once, however often it is sent.
type Recorder interface {
	RecordUsage(ctx context.Context, flush models.Flush, batch []models.Usage, days []models.UsageDay) error
}

// Tally counts calls, and has them written down in flushes, because a write for every call would be the slowest thing about it. It counts in a
// file of this server that is mapped into memory (OpenTally), or in plain memory (NewTally). Safe for concurrent use.
//
// What Add has counted survives the process, however that ends: a file that is mapped is the kernel's, and who drains it later finds it (Drain).
//
// Each slot belongs to a flush by its number. Flush first moves every shard on to the next number, so that nobody adds to the slots of the one
// before any more: they are the flush, they stay as they are until it was written down, and each time it is sent it is the same. Only then they
// become empty, and only then the next one is sent. So the recorder needs to remember of each server only the number of its last flush, and
// whoever finds the file of a dead one sends what is in it, under the same numbers: what was written down already is not written down again.
type Tally struct {
	pen
	boot   uuid.UUID
	now    models.Clock
	pool   *pool
	shards [64]shard
	began  atomic.Int64 // slots, of all flushes
	many   chan struct{}

	flushing sync.Mutex // one flush at a time, in order
	flush    uint64     // that is counted now
	frozen   []uint32   // slots of the one before that is not written down yet, in order
}

// shard is a part of the credentials. Calls of different shards do not wait for each other.
type shard struct {
	mu    sync.Mutex
	flush uint64
	index map[slotKey]uint32 // without pointers, so that the garbage collector does not look through it
	spare map[slotKey]uint32 // of the flush before, to be used again
	_     [24]byte           // up to a line of the cache
}

type slotKey struct {
	credential uuid.UUID
	day        int64
}

const (
	secondsOfADay = 24 * 60 * 60
	manySlots     = 50_000  // a flush with so many need not wait for its turn
	largeIndex    = 1 << 14 // an index that had more in it is not kept
)

// NewTally makes a tally in plain memory, for tests and tools. It is counted like a file's.
func NewTally() *Tally { return newTally(uuid.New(), nil, models.SystemClock) }

func newTally(boot uuid.UUID, file *countsFile, now models.Clock) *Tally {
	t := &Tally{boot: boot, now: now, pool: newPool(file), many: make(chan struct{}, 1), flush: 1}
	for i := range t.shards {
		t.shards[i].flush, t.shards[i].index, t.shards[i].spare = 1, map[slotKey]uint32{}, map[slotKey]uint32{}
	}
	return t
}

// Add counts one call, of which nobody has had an answer yet. A credential that keeps is kept alive by being used, as a collection access key is. The address
// may be the zero one, and has no zone.
func (t *Tally) Add(credential uuid.UUID, keeps bool, outcome models.Outcome, at time.Time, address netip.Addr) {
	c := one{credential: credential, day: at.Unix() / secondsOfADay, at: at.UnixMicro(), outcome: outcome, keeps: keeps, address: address}
	s := &t.shards[credential[len(credential)-1]%uint8(len(t.shards))]
	if !t.add(s, &c) {
		t.leaveFile()
		t.add(s, &c)
	}
}

// add is false where the file is not there any more.
func (t *Tally) add(s *shard, c *one) (there bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer faulted(debug.SetPanicOnFault(true), &there)
	key := slotKey{c.credential, c.day}
	if number, known := s.index[key]; known {
		at := t.pool.at(number)
		if at[slotFlush] != s.flush {
			return false
		}
		t.count(at, c)
		return true
	}
	number := t.pool.take()
	t.begin(t.pool.at(number), s.flush, c)
	s.index[key] = number
	if t.began.Add(1)%manySlots == 0 {
		select {
		case t.many <- struct{}{}:
		default:
		}
	}
	return true
}

// addressOf reads an address, which is the zero one where the text is none; it is kept without a zone.
func addressOf(text string) netip.Addr {
	from, _ := netip.ParseAddr(text) // "" is none
	return from.WithZone("")
}

// Many tells when a thousand credentials more have been counted, which is enough for a flush.
func (t *Tally) Many() <-chan struct{} { return t.many }

// Waiting is how many credentials have calls that are counted and not written down yet.
func (t *Tally) Waiting() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.index)
		s.mu.Unlock()
	}
	return n
}

// Flush writes down what was counted since the last time. What could not be written is kept, and sent again the next time before
// anything else. An error about the file itself is told once; everything is counted nevertheless.
func (t *Tally) Flush(ctx context.Context, to Recorder) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	if t.pool.inFile() && !touch(func() { t.pool.file.stamp(t.now()) }) {
		t.leaveFile()
	}
	err := t.send(ctx, to)
	if err == nil {
		t.freeze()
		err = t.send(ctx, to)
	}
	if err != nil && t.pool.inFile() {
		err = errors.Join(err, t.pool.file.sync()) // nobody knows for how long
	}
	return errors.Join(err, t.pool.troubled())
}

// freeze moves on to the next flush, and takes the slots of the one before. The caller has no frozen ones.
func (t *Tally) freeze() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.flush++
		var full map[slotKey]uint32 // of nobody else any more
		if len(s.index) > 0 {
			full, s.index, s.spare = s.index, s.spare, nil
		}
		s.mu.Unlock()
		if full == nil {
			continue
		}
		for _, number := range full {
			t.frozen = append(t.frozen, number)
		}
		if len(full) > largeIndex/len(t.shards) {
			full = map[slotKey]uint32{}
		}
		clear(full)
		s.mu.Lock()
		s.spare = full
		s.mu.Unlock()
	}
	slices.Sort(t.frozen)
	t.flush++
}

// send has the frozen slots written down, in as many flushes as they are in chunks, and empties those that were.
func (t *Tally) send(ctx context.Context, to Recorder) error {
	for len(t.frozen) > 0 {
		inChunk := t.frozen[0] / chunkSlots
		end := len(t.frozen)
		if after := slices.IndexFunc(t.frozen, func(n uint32) bool { return n/chunkSlots != inChunk }); after > 0 {
			end = after
		}
		part := t.frozen[:end]
		slots, whole := t.copies(part)
		if !whole {
			t.leaveFile()
			slots, _ = t.copies(part)
		}
		if err := record(ctx, to, t.boot, t.flush-1, int(inChunk), slots); err != nil {
			return err
		}
		emptied := touch(func() {
			for _, number := range part {
				t.put(t.pool.at(number), slotFlush, 0)
			}
		})
		if !emptied {
			t.leaveFile()
		}
		t.pool.release(part)
		t.frozen = t.frozen[end:]
	}
	t.frozen = nil
	return nil
}

// record sends the slots of one flush that are in one chunk: a flush of its own, so that none is too large, and whoever reads the file divides it
// in the same way.
func record(ctx context.Context, to Recorder, boot uuid.UUID, flush uint64, inChunk int, slots []*slot) error {
	slices.SortFunc(slots, func(a, b *slot) int {
		return cmp.Or(slices.Compare(a[slotCredential:slotDay], b[slotCredential:slotDay]), cmp.Compare(a[slotDay], b[slotDay]))
	})
	batch, days := make([]models.Usage, 0, len(slots)), make([]models.UsageDay, 0, len(slots))
	for _, s := range slots {
		u, d := s.usage()
		if last := len(days) - 1; last >= 0 && days[last].CredentialID == d.CredentialID && days[last].Day == d.Day { // in a file that is none of ours
			days[last].Calls += d.Calls
			days[last].Refused += d.Refused
		} else {
			days = append(days, d)
		}
		if last := len(batch) - 1; last >= 0 && batch[last].CredentialID == u.CredentialID {
			batch[last] = merge(batch[last], u)
		} else {
			batch = append(batch, u)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	err := to.RecordUsage(ctx, models.Flush{Boot: boot.String(), Number: int64(flush)<<20 | int64(inChunk)}, batch, days)
	if err != nil {
		return fmt.Errorf("flush %d of %s: %w", flush, boot, err)
	}
	return nil
}

// merge adds two counts of one credential. The latest call stays the last one.
func merge(sum, other models.Usage) models.Usage {
	sum.Calls += other.Calls
	sum.Refused += other.Refused
	sum.Late += other.Late
	if isLater(other.LastUsedAt, sum.LastUsedAt) {
		sum.LastUsedAt, sum.LastAddress = other.LastUsedAt, other.LastAddress
	}
	if isLater(other.LastLateAt, sum.LastLateAt) {
		sum.LastLateAt = other.LastLateAt
	}
	if isLater(other.KeptBy, sum.KeptBy) {
		sum.KeptBy = other.KeptBy
	}
	return sum
}

// isLater compares two moments, of which nil is before any other.
func isLater(a, b *time.Time) bool { return a != nil && (b == nil || a.After(*b)) }
