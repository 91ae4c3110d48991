package access

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/google/uuid"

	"tokendesk/models"
)

// stamps say when what was read may have changed: by the ID of a credential, a person or whatever else, the number of the last event that
// touched it. Many IDs share a stamp, so that they cost the same however many there are; what is thrown away without need for that is read again.
//
// What was read as of event n is good as long as none of its stamps is beyond n. So nothing has to be found and taken out when something changes,
// and what was read before a change and arrives after it is not taken for good.
type stamps struct {
	byID       [1 << 16]atomic.Int64
	everything atomic.Int64
	openings   atomic.Int64
	automation atomic.Int64
}

func (s *stamps) of(id *uuid.UUID) *atomic.Int64 {
	// The end of an ID is chance, in both kinds that there are.
	return &s.byID[binary.LittleEndian.Uint16(id[14:])]
}

// put notes that an event touched something.
func (s *stamps) put(seq int64, t models.Touched) {
	mutantApplied(seq)
	for _, text := range t.IDs {
		if id := id(text); id != (uuid.UUID{}) {
			s.of(&id).Store(seq)
		}
	}
	if t.Everything {
		s.everything.Store(seq)
	}
	if t.Openings {
		s.openings.Store(seq)
	}
	if t.Automation {
		s.automation.Store(seq)
	}
}

// good says whether what was read of these as of an event still is so. The zero ID is nobody's.
func (s *stamps) good(seq int64, ids ...*uuid.UUID) bool {
	for _, id := range ids {
		if s.of(id).Load() > seq {
			return false
		}
	}
	return s.everything.Load() <= seq
}

// reset takes all of them off. Whatever was read before must be gone.
func (s *stamps) reset() {
	for i := range s.byID {
		s.byID[i].Store(0)
	}
	s.everything.Store(0)
	s.openings.Store(0)
	s.automation.Store(0)
}
