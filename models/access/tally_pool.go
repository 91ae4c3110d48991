package access

import (
	"errors"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// chunk is how much memory the slots grow by: 1 MiB, a multiple of every page size.
type chunk [chunkSlots]slot

const chunkSlots = 8192

// mostChunks is how many the file has at most, which are 1 GiB of counts of eight million credentials: whoever finds a larger one need not read it.
const mostChunks = 1024

var errFull = errors.New("calls are counted in plain memory, where a kill would lose them, because the file of counts has 1 GiB: nothing could be written down for long")

// pool has the slots: where each is, and which are free. A slot is known by its number, which is also where it is in the file. The lowest free
// one is taken first, so that what few credentials need is together.
type pool struct {
	chunks atomic.Pointer[[]*chunk] // changed only with mu held; read without it
	file   *countsFile              // nil: plain memory

	mu      sync.Mutex
	mapped  []bool   // of each chunk: whether it is in the file
	left    bool     // none is any more
	most    int      // chunks in the file
	taken   []uint64 // a bit for each slot
	low     int      // no word of taken before this one has a free slot
	trouble error    // why the file did not grow, until somebody asks
}

func newPool(file *countsFile) *pool {
	p := &pool{file: file, most: mostChunks}
	p.chunks.Store(new([]*chunk))
	return p
}

// at is the slot with a number.
func (p *pool) at(number uint32) *slot {
	return &(*p.chunks.Load())[number/chunkSlots][number%chunkSlots]
}

// take gives a free slot away.
func (p *pool) take() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.low < len(p.taken) && p.taken[p.low] == ^uint64(0) {
		p.low++
	}
	if p.low == len(p.taken) {
		p.grow()
	}
	bit := bits.TrailingZeros64(^p.taken[p.low])
	p.taken[p.low] |= 1 << bit
	return uint32(p.low*64 + bit)
}

// grow adds a chunk. Where the disk is full, it is one of plain memory: nothing is lost as long as the server is not killed.
func (p *pool) grow() {
	had := *p.chunks.Load()
	more := new(chunk)
	inFile := false
	if p.file != nil && !p.left && len(had) < p.most {
		mapped, err := p.file.grow(len(had))
		if err == nil {
			more, inFile = mapped, true
		} else {
			p.trouble = errors.Join(p.trouble, err)
		}
	}
	if p.file != nil && len(had) == p.most {
		p.trouble = errors.Join(p.trouble, errFull)
	}
	p.mapped = append(p.mapped, inFile)
	grown := append(slices.Clone(had), more)
	p.chunks.Store(&grown)
	p.taken = append(p.taken, make([]uint64, chunkSlots/64)...)
}

// release takes slots back, which are empty by now.
func (p *pool) release(numbers []uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range numbers {
		p.taken[n/64] &^= 1 << (n % 64)
		p.low = min(p.low, int(n/64))
	}
}

// troubled says once why the file did not grow.
func (p *pool) troubled() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.trouble
	p.trouble = nil
	return err
}
