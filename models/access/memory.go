package access

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// Memory is what a replica knows of credentials, of what their persons open, and of workspaces and products, as of some event each. It is
// bounded. What it says holds under the lease of its Replica only, and that is looked at last. Safe for concurrent use.
type Memory struct {
	known      *slab[facts]
	openings   *slab[opening]
	vocabulary vocabulary
	unknown    unknowns
	ended      unknowns // whose end may have been moved out, and was not
	stamps     stamps
	lease      lease
	heard      lease        // of calls under way: see Replica
	generation atomic.Int64 // what was read before it changed is not taken any more
	alone      atomic.Bool  // the database is a file of this machine, and no other server's

	mu       sync.RWMutex
	places   map[uuid.UUID]place
	products map[uuid.UUID]*Product

	clocks       func() models.Reading
	hits, misses atomic.Int64
}

// DefaultEntries is how many credentials are remembered unless somebody says otherwise.
const DefaultEntries = 1_000_000

// NewMemory makes a memory for at most so many credentials that knows nothing, and has no lease.
func NewMemory(entries int) *Memory {
	return &Memory{
		known: newSlab[facts](entries), openings: newSlab[opening](max(1024, entries/4)),
		places: map[uuid.UUID]place{}, products: map[uuid.UUID]*Product{}, clocks: readClocks,
	}
}

// opening is what somebody's own credential opens in a workspace, or what they are there.
type opening struct {
	person, workspace, product uuid.UUID
	calls                      int64 // a minute; or somebody's role there, by its number
	seq                        int64
	not                        uint8 // nothing is opened, and why: see notOpened
}

// place is what a verdict depends on of a workspace.
type place struct {
	slug   string
	calls  int // a minute, of each API token
	closed bool
	seq    int64
}

const mostPlaces = 100_000

// recall finds what is known of a secret, if nothing of it has changed since it was read.
func (m *Memory) recall(h *secret.Hash, k *Known) bool {
	if !m.known.get((*[32]byte)(h), &k.facts) || !m.stamps.good(k.seq, &k.ID, &k.Person, &k.Of) {
		return false
	}
	if k.Kind() == models.AutomationToken && m.stamps.automation.Load() > k.seq {
		return false
	}
	k.Scopes = m.vocabulary.list(k.scopes)
	return true
}

// keep remembers what was read of a secret since the generation was asked for.
func (m *Memory) keep(h *secret.Hash, k Known, generation int64) {
	n, room := m.vocabulary.number(k.Scopes)
	if !room {
		return
	}
	k.scopes = n
	m.known.put((*[32]byte)(h), &k.facts, func() bool { return m.generation.Load() == generation })
}

// openingKey is what an opening is kept by.
func openingKey(kind models.CredentialKind, person uuid.UUID, named string) [32]byte {
	var room [128]byte
	text := append(room[:0], kind...)
	text = append(append(text, 0), person[:]...)
	return sha256.Sum256(append(text, named...))
}

func (m *Memory) recallOpening(key *[32]byte, o *opening) bool {
	return m.openings.get(key, o) && m.stamps.good(o.seq, &o.person, &o.workspace) && m.stamps.openings.Load() <= o.seq
}

func (m *Memory) keepOpening(key *[32]byte, o opening, generation int64) {
	m.openings.put(key, &o, func() bool { return m.generation.Load() == generation })
}

func (m *Memory) recallPlace(id uuid.UUID) (place, bool) {
	m.mu.RLock()
	p, ok := m.places[id]
	m.mu.RUnlock()
	return p, ok && m.stamps.good(p.seq, &id)
}

func (m *Memory) keepPlace(id uuid.UUID, p place, generation int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.generation.Load() != generation || m.places[id].seq > p.seq {
		return
	}
	for other := range m.places {
		if len(m.places) < mostPlaces {
			break
		}
		delete(m.places, other)
	}
	m.places[id] = p
}

func (m *Memory) recallProduct(id uuid.UUID) (*Product, bool) {
	m.mu.RLock()
	p := m.products[id]
	m.mu.RUnlock()
	return p, p != nil && m.stamps.good(p.seq, &id)
}

func (m *Memory) keepProduct(id uuid.UUID, p *Product, generation int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if kept := m.products[id]; m.generation.Load() != generation || kept != nil && kept.seq > p.seq {
		return
	}
	for other := range m.products {
		if len(m.products) < mostKept {
			break
		}
		delete(m.products, other)
	}
	m.products[id] = p
}

// forget forgets everything, also what is being read at the moment. The lease must have ended before.
func (m *Memory) forget() {
	m.generation.Add(1) // who found something that the stamps tell nothing of any more looks at this afterwards
	m.stamps.reset()
	m.generation.Add(1) // whoever puts something in looks at this under the lock that each part is emptied under: it was read when all stamps were kept again
	m.known.clear()
	m.openings.clear()
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.places)
	clear(m.products)
}

// Entries is how many credentials are remembered.
func (m *Memory) Entries() int { return m.known.size() }

// Asked is how many credentials were answered about from memory so far, and how many from the database.
func (m *Memory) Asked() (hits, misses int64) { return m.hits.Load(), m.misses.Load() }
