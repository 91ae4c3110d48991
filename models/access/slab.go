package access

import (
	"encoding/binary"
	"sync"
)

// slab keeps a bounded number of values by keys that are hashes. Neither a key nor a value may hold a pointer: then the garbage collector passes
// over them, however many there are. What is new takes the place of what was not asked for since the last time that somebody looked for a place
// (the CLOCK algorithm), and has to be asked for before it is safe itself: looking at many things once drives out nothing that is in use.
// Safe for concurrent use.
type slab[V any] struct {
	shards [shards]shard[V]
}

const (
	shards = 64   // locks
	chunk  = 1024 // slots that are made at a time
)

type shard[V any] struct {
	mu     sync.Mutex
	most   uint32
	used   uint32
	hand   uint32
	heads  []uint32 // of the chains, by hash: a slot's number and one more; 0: empty
	chunks [][]slot[V]
	_      [64]byte // keeps the next shard's lock off this one's cache line
}

type slot[V any] struct {
	key   [32]byte
	value V
	next  uint32 // in its chain, as in heads
	asked bool   // since the hand last passed
}

// newSlab makes a slab for at most so many values.
func newSlab[V any](most int) *slab[V] {
	s := new(slab[V])
	for i := range s.shards {
		s.shards[i].most = uint32(max(1, most/shards))
	}
	return s
}

func (s *slab[V]) shard(key *[32]byte) *shard[V] { return &s.shards[key[0]%shards] }

func bucket(key *[32]byte, of int) uint32 {
	return binary.LittleEndian.Uint32(key[4:]) & uint32(of-1)
}

func (h *shard[V]) slot(n uint32) *slot[V] { return &h.chunks[n/chunk][n%chunk] }

// find returns the number of a key's slot.
func (h *shard[V]) find(key *[32]byte) (uint32, bool) {
	if len(h.heads) == 0 {
		return 0, false
	}
	for n := h.heads[bucket(key, len(h.heads))]; n != 0; {
		at := h.slot(n - 1)
		if at.key == *key {
			return n - 1, true
		}
		n = at.next
	}
	return 0, false
}

// get copies the value of a key.
func (s *slab[V]) get(key *[32]byte, to *V) bool {
	h := s.shard(key)
	h.mu.Lock()
	defer h.mu.Unlock()
	n, ok := h.find(key)
	if ok {
		at := h.slot(n)
		at.asked = true
		*to = at.value
	}
	return ok
}

// put keeps a value, if while the shard is locked it still may be.
func (s *slab[V]) put(key *[32]byte, value *V, may func() bool) {
	h := s.shard(key)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !may() {
		return
	}
	n, ok := h.find(key)
	if !ok {
		n = h.place()
		at := h.slot(n)
		head := &h.heads[bucket(key, len(h.heads))]
		at.key, at.next, at.asked = *key, *head, false
		*head = n + 1
	}
	h.slot(n).value = *value
}

// place is the number of a slot that is in no chain.
func (h *shard[V]) place() uint32 {
	if h.used < h.most {
		if int(h.used) == len(h.chunks)*chunk {
			h.chunks = append(h.chunks, make([]slot[V], min(chunk, h.most-h.used)))
		}
		if int(h.used) >= len(h.heads) {
			h.spread()
		}
		h.used++
		return h.used - 1
	}
	for {
		n := h.hand
		h.hand = (h.hand + 1) % h.used
		at := h.slot(n)
		if !at.asked {
			h.unchain(n)
			return n
		}
		at.asked = false
	}
}

// spread makes the chains twice as many.
func (h *shard[V]) spread() {
	h.heads = make([]uint32, max(64, 2*len(h.heads)))
	for n := range h.used {
		at := h.slot(n)
		head := &h.heads[bucket(&at.key, len(h.heads))]
		at.next, *head = *head, n+1
	}
}

func (h *shard[V]) unchain(n uint32) {
	at := h.slot(n)
	link := &h.heads[bucket(&at.key, len(h.heads))]
	for *link != n+1 {
		link = &h.slot(*link - 1).next
	}
	*link = at.next
}

// clear forgets everything.
func (s *slab[V]) clear() {
	for i := range s.shards {
		h := &s.shards[i]
		h.mu.Lock()
		h.used, h.hand, h.heads, h.chunks = 0, 0, nil, nil
		h.mu.Unlock()
	}
}

// size is how many values there are.
func (s *slab[V]) size() (n int) {
	for i := range s.shards {
		h := &s.shards[i]
		h.mu.Lock()
		n += int(h.used)
		h.mu.Unlock()
	}
	return n
}
