package access

import (
	"errors"
	"runtime/debug"
	"slices"
)

// errLeft is told when somebody else has changed the file that a server counts in.
var errLeft = errors.New("the file of counts was cut off or overwritten while the server counts in it: calls are counted in plain memory from now on, where a kill would lose them, and some of those that were not written down yet are lost. Leave the folder usage alone, and start the server again")

// faulted is deferred by who reads or writes slots, with what debug.SetPanicOnFault(true) answered: memory that is mapped to a part of a file that is
// not there any more is a panic then, instead of the end of the process, and the answer is false.
func faulted(before bool, there *bool) {
	debug.SetPanicOnFault(before)
	switch p := recover().(type) {
	case nil:
	case interface {
		error
		Addr() uintptr // as the runtime has it of a fault
	}:
		*there = false
	default:
		panic(p)
	}
}

// touch does something with slots, and answers false if they are not there any more.
func touch(do func()) (there bool) {
	defer faulted(debug.SetPanicOnFault(true), &there)
	do()
	return true
}

// leaveFile goes on in plain memory, with all that can still be read. The file stays as it is: what is in it has the numbers that are sent from here too,
// so that whoever drains it counts nothing twice. The caller holds no shard.
func (t *Tally) leaveFile() {
	for i := range t.shards {
		t.shards[i].mu.Lock()
		defer t.shards[i].mu.Unlock()
	}
	if !t.pool.leaveFile() {
		return // another one did
	}
	var gone []uint32
	for i := range t.shards {
		s := &t.shards[i]
		for key, number := range s.index {
			if !t.pool.at(number).is(s.flush, key) {
				delete(s.index, key)
				gone = append(gone, number)
			}
		}
	}
	t.pool.release(gone)
}

// leaveFile replaces the chunks that are mapped by copies; false: they were before.
func (p *pool) leaveFile() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil || p.left {
		return false
	}
	p.left, p.trouble = true, errors.Join(p.trouble, errLeft)
	chunks := slices.Clone(*p.chunks.Load())
	for i, mapped := range p.mapped {
		if mapped {
			chunks[i] = chunks[i].copied()
		}
	}
	p.chunks.Store(&chunks)
	return true
}

// inFile says whether slots are in a file.
func (p *pool) inFile() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.file != nil && !p.left
}

// copied is what can be read of a chunk; the rest is empty.
func (c *chunk) copied() *chunk {
	const page = 4096 / slotBytes // or a part of one
	kept := new(chunk)
	for from := 0; from < chunkSlots; from += page {
		touch(func() { copy(kept[from:from+page], c[from:from+page]) })
	}
	return kept
}

// is says whether a slot is what is counted under a key for a flush.
func (s *slot) is(flush uint64, key slotKey) bool {
	high, low := words(key.credential)
	return s[slotFlush] == flush && s[slotCredential] == high && s[slotCredential+1] == low && s[slotDay] == uint64(key.day)
}

// copies are the slots with some numbers, as they are, of the flush that is sent; whole is false if some are lost.
func (t *Tally) copies(numbers []uint32) (slots []*slot, whole bool) {
	all := make([]slot, len(numbers))
	whole = touch(func() {
		for i, number := range numbers {
			all[i] = *t.pool.at(number)
		}
	})
	for i := range all {
		if all[i][slotFlush] == t.flush-1 {
			slots = append(slots, &all[i])
		} else {
			whole = false
		}
	}
	return slots, whole
}
