package access

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// scene is a server that is looked at before each word that it writes: what would be counted if it were killed there.
type scene struct {
	t       *testing.T
	tally   *Tally
	to      *ledger
	random  *rand.Rand
	answers map[uuid.UUID]*models.Usage // of calls that were answered
	flying  *one                        // a call that is not answered yet
	history [][]byte                    // what the slots were
	looks   int
	folder  string
}

// fewSlots is how many slots a scene uses at most.
const fewSlots = 32

// A server that is killed before any word that it writes, while calls are counted, while a flush is under way, was answered, was not answered
// though it happened, or was emptied by half, has left behind what makes the usage exact: each call that was answered once, the one that was not at
// most once, and beside the last use the address of that call and of no other.
func TestTallyKilledBeforeAnyWord(t *testing.T) {
	for seed := range uint64(2) {
		s := scene{t: t, folder: t.TempDir(), tally: inFile(t, t.TempDir()), to: newLedger(), random: rand.New(rand.NewPCG(seed, 1)), answers: map[uuid.UUID]*models.Usage{}}
		s.tally.before = s.killed
		for range 150 {
			if s.random.IntN(4) == 0 {
				before, after := []error{errAway, nil, nil}[s.random.IntN(3)], []error{errAway, nil, nil}[s.random.IntN(3)]
				s.to.away = func(int) (error, error) { return before, after }
				_ = s.tally.Flush(t.Context(), s.to)
				continue
			}
			s.call()
		}
		s.to.away = nil
		flush(t, s.tally, s.to)
		s.flying = nil
		s.compare("in the end", s.to, true)
		if s.looks < 500 || s.to.again == 0 {
			t.Errorf("looked %d times, and %d flushes were sent twice", s.looks, s.to.again)
		}
	}
}

// call counts a call and answers it.
func (s *scene) call() {
	n := s.random.IntN(1 << 16)
	c := &one{
		credential: []uuid.UUID{a, b, {15: 3}}[n%3], outcome: []models.Outcome{models.CallAccepted, models.CallAccepted, models.CallRefused, models.CallLate}[n%4],
		keeps: n%2 == 0, address: netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)}),
	}
	at := noon.Add(time.Duration(n) * 2 * time.Second) // into the next day
	c.at = at.UnixMicro()
	s.flying = c
	s.tally.Add(c.credential, c.keeps, c.outcome, at, c.address)
	u := s.answers[c.credential]
	if u == nil {
		u = &models.Usage{}
		s.answers[c.credential] = u
	}
	*u = merge(*u, asUsage(c))
	s.flying = nil
}

// asUsage is a call as it should be counted.
func asUsage(c *one) (u models.Usage) {
	at := moment(uint64(c.at))
	switch c.outcome {
	case models.CallAccepted:
		if u.Calls, u.LastUsedAt, u.LastAddress = 1, at, c.address.String(); c.keeps {
			u.KeptBy = at
		}
	case models.CallRefused:
		u.Refused, u.LastUsedAt, u.LastAddress = 1, at, c.address.String()
	case models.CallLate:
		u.Late, u.LastLateAt = 1, at
	}
	return u
}

// killed looks at what is there before a word is written.
func (s *scene) killed() {
	s.looks++
	var slots []byte
	for n := range uint32(fewSlots) {
		for _, word := range s.tally.pool.at(n) {
			slots = binary.NativeEndian.AppendUint64(slots, word)
		}
	}
	s.history = append(s.history, slots)
	s.compare("killed", s.drained(slots), true)
	s.compare("without power", s.drained(s.asOnDisk()), false)
}

// asOnDisk is what a power cut may leave: of each slot any state that it had.
func (s *scene) asOnDisk() []byte {
	var slots []byte
	for at := 0; at < fewSlots*slotBytes; at += slotBytes {
		slots = append(slots, s.history[len(s.history)-1-s.random.IntN(min(60, len(s.history)))][at:at+slotBytes]...)
	}
	return slots
}

// drained is what is counted when the next server finds a file with these slots.
func (s *scene) drained(slots []byte) *ledger {
	s.t.Helper()
	file := append(make([]byte, headBytes), slots...)
	copy(file, s.tally.pool.file.head[:headAt+8])
	if err := os.WriteFile(filepath.Join(s.folder, s.tally.boot.String()+countsSuffix), file, 0o600); err != nil {
		s.t.Fatal(err)
	}
	to := &ledger{last: maps.Clone(s.to.last), usage: maps.Clone(s.to.usage), days: maps.Clone(s.to.days)}
	if d, err := Drain(s.t.Context(), s.folder, to, noon); err != nil || d.Files != 1 {
		s.t.Fatalf("drained %+v: %v", d, err)
	}
	return to
}

// compare insists that what is counted is what was answered, and perhaps the call under way; at most that, where a power cut may have taken some.
func (s *scene) compare(when string, counted *ledger, exact bool) {
	s.t.Helper()
	for id, answered := range s.answers {
		got := counted.usage[id.String()]
		most := *answered
		if s.flying != nil && s.flying.credential == id {
			most = merge(most, asUsage(s.flying))
		}
		if got.Calls > most.Calls || got.Refused > most.Refused || got.Late > most.Late {
			s.t.Fatalf("%s before word %d: %s of at most %s", when, s.looks, said(got), said(most))
		}
		if !exact {
			continue
		}
		if got.Calls+got.Refused+got.Late < answered.Calls+answered.Refused+answered.Late {
			s.t.Fatalf("%s before word %d: %s of at least %s", when, s.looks, said(got), said(*answered))
		}
		got.CredentialID = ""
		if last := said(models.Usage{LastUsedAt: got.LastUsedAt, LastAddress: got.LastAddress}); last != said(models.Usage{LastUsedAt: answered.LastUsedAt, LastAddress: answered.LastAddress}) &&
			last != said(models.Usage{LastUsedAt: most.LastUsedAt, LastAddress: most.LastAddress}) {
			s.t.Fatalf("%s before word %d: last %s; answered %s, at most %s", when, s.looks, last, said(*answered), said(most))
		}
	}
}

func said(u models.Usage) string {
	return fmt.Sprintf("%d calls, %d refused, %d late, used %v from %q, late %v, kept by %v", u.Calls, u.Refused, u.Late, u.LastUsedAt, u.LastAddress, u.LastLateAt, u.KeptBy)
}
