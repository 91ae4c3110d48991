package access

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// slot is what one server counted of one credential on one day for one flush: 16 words of 64 bits in the byte order of the machine, 128
// bytes, so that none lies across two sectors of a disk. It has no pointers: it lives in a file that is mapped into memory.
//
// The process may be killed between any two words that it writes, and what it wrote by then is there for whoever reads the file next. So
// words are written in this order:
//
//   - a new slot: everything, with its first call in it, and its flush last. Until then it is empty;
//   - one more call: where it came from and when, then the counter. Of a call that was cut off in between, nobody had an answer yet;
//   - the last use: into the older one of two cells, the address and then the time, which makes it the newer one. So no address stands
//     beside the time of another call;
//   - a slot whose flush was written down: its flush becomes 0, and nothing else.
//
// A word is written whole or not at all.
type slot [16]uint64

const (
	slotFlush      = iota // the number of its flush; 0: empty
	slotCredential        // a UUID, in two words
	_
	slotDay // days since 1970, UTC
	slotCalls
	slotRefused
	slotLate
	slotLastLate // microseconds since 1970, as every time here; 0: never
	slotKeptBy
	slotUsed // two cells of three words: the time, and an address of IPv6 or IPv4 (RFC 4291, section 2.5.5.2), 0 where it is not known
	_
	_
	slotUsedToo
	_
	_
	_ // free
	slotWords

	slotBytes = slotWords * 8
)

// one is one call, as a slot counts it.
type one struct {
	credential uuid.UUID
	day, at    int64
	outcome    models.Outcome
	keeps      bool
	address    netip.Addr
}

// pen writes the words of slots.
type pen struct {
	before func() // tests see what a kill would leave before each word; nil: nobody looks
}

func (p *pen) put(s *slot, word int, value uint64) {
	if p.before != nil {
		p.before()
	}
	s[word] = value
}

// begin makes an empty slot one with a first call in it.
func (p *pen) begin(s *slot, flush uint64, c *one) {
	var first slot
	first[slotCredential], first[slotCredential+1] = words(c.credential)
	first[slotDay] = uint64(c.day)
	(&pen{}).count(&first, c)
	for word := slotFlush + 1; word < slotWords; word++ {
		p.put(s, word, first[word])
	}
	p.put(s, slotFlush, flush)
}

// count adds a call to a slot.
func (p *pen) count(s *slot, c *one) {
	counter := slotCalls
	switch c.outcome {
	case models.CallAccepted:
		p.used(s, c)
		if c.keeps && c.at > int64(s[slotKeptBy]) {
			p.put(s, slotKeptBy, uint64(c.at))
		}
	case models.CallRefused:
		counter = slotRefused
		p.used(s, c) // somebody has it and calls with it
	case models.CallLate:
		counter = slotLate
		if c.at > int64(s[slotLastLate]) {
			p.put(s, slotLastLate, uint64(c.at))
		}
	default:
		return
	}
	p.put(s, counter, s[counter]+1)
}

// used notes the last use, unless a later call was counted before this one.
func (p *pen) used(s *slot, c *one) {
	newest, other := lastUsed(s)
	if c.at <= int64(s[newest]) {
		return
	}
	var high, low uint64
	if c.address.IsValid() {
		high, low = words(c.address.As16())
	}
	p.put(s, other+1, high)
	p.put(s, other+2, low)
	p.put(s, other, uint64(c.at))
}

// lastUsed answers which of the two cells has the last use, and the other one.
func lastUsed(s *slot) (newest, other int) {
	if s[slotUsedToo] > s[slotUsed] {
		return slotUsedToo, slotUsed
	}
	return slotUsed, slotUsedToo
}

// usage is a slot as it is written down.
func (s *slot) usage() (u models.Usage, d models.UsageDay) {
	id := uuid.UUID(bytesOf(s[slotCredential], s[slotCredential+1])).String()
	u = models.Usage{CredentialID: id, Calls: int64(s[slotCalls]), Refused: int64(s[slotRefused]), Late: int64(s[slotLate])}
	u.LastLateAt, u.KeptBy = moment(s[slotLastLate]), moment(s[slotKeptBy])
	newest, _ := lastUsed(s)
	if u.LastUsedAt = moment(s[newest]); u.LastUsedAt != nil && s[newest+1]|s[newest+2] != 0 {
		u.LastAddress = netip.AddrFrom16(bytesOf(s[newest+1], s[newest+2])).Unmap().String()
	}
	day := time.Unix(int64(s[slotDay])*secondsOfADay, 0).UTC().Format(time.DateOnly)
	return u, models.UsageDay{CredentialID: id, Day: day, Calls: u.Calls, Refused: u.Refused + u.Late}
}

// possible says whether a slot has what a server may have counted until now, by a clock that may be off by some weeks.
func (s *slot) possible(now time.Time) bool {
	const (
		mostCalls = 1 << 48 // those of nine years at a million a second
		mostFlush = 1 << 42 // as many seconds
	)
	latest := now.Add(models.FlushesKept)
	for _, word := range []int{slotCalls, slotRefused, slotLate} {
		if s[word] > mostCalls {
			return false
		}
	}
	for _, word := range []int{slotLastLate, slotKeptBy, slotUsed, slotUsedToo} {
		if s[word] > uint64(latest.UnixMicro()) {
			return false
		}
	}
	return s[slotFlush] <= mostFlush && s[slotDay] <= uint64(latest.Unix()/secondsOfADay)
}

func moment(microseconds uint64) *time.Time {
	if microseconds == 0 {
		return nil
	}
	at := time.UnixMicro(int64(microseconds)).UTC()
	return &at
}

// words are 16 bytes as a slot has them: they sort as the bytes do.
func words(b [16]byte) (high, low uint64) {
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

func bytesOf(high, low uint64) (b [16]byte) {
	binary.BigEndian.PutUint64(b[:8], high)
	binary.BigEndian.PutUint64(b[8:], low)
	return b
}
