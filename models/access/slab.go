package access

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// slab keeps a bounded number of values by keys that are hashes. Neither a key nor a value may hold a pointer: then the garbage collector passes
// over them, however many there are. What is new takes the place of what was not asked for since the last time that somebody looked for a place
// (the CLOCK algorithm), and has to be asked for before it is safe itself: looking at many things once drives out nothing that is in use.
// Safe for concurrent use.
type slab[V any] struct {
	parts   [parts]part[V]
	evicted atomic.Int64 // values that had to make room
}

const (
	parts = 64   // locks
	cells = 1024 // cells that are made at a time
)

type part[V any] struct {
	mu     sync.Mutex
	most   uint32
	used   uint32
	hand   uint32
	heads  []uint32 // of the chains, by hash: a cell's number and one more; 0: empty
	chunks [][]cell[V]
	_      [64]byte // keeps the next part's lock off this one's cache line
}

type cell[V any] struct {
	key   [32]byte
	value V
	next  uint32 // in its chain, as in heads
	asked bool   // since the hand last passed
}

// newSlab makes a slab for at most so many values.
func newSlab[V any](most int) *slab[V] {
	s := new(slab[V])
	for i := range s.parts {
		s.parts[i].most = uint32(max(1, most/parts))
	}
	return s
}

func (s *slab[V]) part(key *[32]byte) *part[V] { return &s.parts[key[0]%parts] }

func bucket(key *[32]byte, of int) uint32 {
	return binary.LittleEndian.Uint32(key[4:]) & uint32(of-1)
}

func (h *part[V]) cell(n uint32) *cell[V] { return &h.chunks[n/cells][n%cells] }

// find returns the number of a key's cell.
func (h *part[V]) find(key *[32]byte) (uint32, bool) {
	if len(h.heads) == 0 {
		return 0, false
	}
	for n := h.heads[bucket(key, len(h.heads))]; n != 0; {
		at := h.cell(n - 1)
		if at.key == *key {
			return n - 1, true
		}
		n = at.next
	}
	return 0, false
}

// get copies the value of a key.
func (s *slab[V]) get(key *[32]byte, to *V) bool {
	h := s.part(key)
	h.mu.Lock()
	defer h.mu.Unlock()
	n, ok := h.find(key)
	if ok {
		at := h.cell(n)
		at.asked = true
		*to = at.value
	}
	return ok
}

// put keeps a value, if while its part is locked it still may be.
func (s *slab[V]) put(key *[32]byte, value *V, may func() bool) {
	h := s.part(key)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !may() {
		return
	}
	n, ok := h.find(key)
	if !ok {
		var evicts bool
		if n, evicts = h.place(); evicts {
			s.evicted.Add(1)
		}
		at := h.cell(n)
		head := &h.heads[bucket(key, len(h.heads))]
		at.key, at.next, at.asked = *key, *head, false
		*head = n + 1
	}
	h.cell(n).value = *value
}

// place is the number of a cell that is in no chain; evicts says that something had to make room.
func (h *part[V]) place() (n uint32, evicts bool) {
	if h.used < h.most {
		if int(h.used) == len(h.chunks)*cells {
			h.chunks = append(h.chunks, make([]cell[V], min(cells, h.most-h.used)))
		}
		if int(h.used) >= len(h.heads) {
			h.spread()
		}
		h.used++
		return h.used - 1, false
	}
	for {
		n := h.hand
		h.hand = (h.hand + 1) % h.used
		at := h.cell(n)
		if !at.asked {
			h.unchain(n)
			return n, true
		}
		at.asked = false
	}
}

// spread makes the chains twice as many.
func (h *part[V]) spread() {
	h.heads = make([]uint32, max(64, 2*len(h.heads)))
	for n := range h.used {
		at := h.cell(n)
		head := &h.heads[bucket(&at.key, len(h.heads))]
		at.next, *head = *head, n+1
	}
}

func (h *part[V]) unchain(n uint32) {
	at := h.cell(n)
	link := &h.heads[bucket(&at.key, len(h.heads))]
	for *link != n+1 {
		link = &h.cell(*link - 1).next
	}
	*link = at.next
}

// clear forgets everything.
func (s *slab[V]) clear() {
	for i := range s.parts {
		h := &s.parts[i]
		h.mu.Lock()
		h.used, h.hand, h.heads, h.chunks = 0, 0, nil, nil
		h.mu.Unlock()
	}
}

// size is how many values there are.
func (s *slab[V]) size() (n int) {
	for i := range s.parts {
		h := &s.parts[i]
		h.mu.Lock()
		n += int(h.used)
		h.mu.Unlock()
	}
	return n
}
