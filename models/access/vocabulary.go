package access

import (
	"sync"

	"tokendesk/models"
)

// vocabulary keeps the lists of scopes that there are, each once, and calls them by numbers. Safe for concurrent use.
type vocabulary struct {
	mu      sync.RWMutex
	numbers map[string]uint32 // by the list as text
	lists   []models.Scopes
}

// mostLists is how many different lists are kept. A credential with another one is not remembered.
const mostLists = 1 << 16

// number is a list's; false where there is no room for another one.
func (v *vocabulary) number(s models.Scopes) (uint32, bool) {
	text := s.String()
	v.mu.Lock()
	defer v.mu.Unlock()
	if n, ok := v.numbers[text]; ok {
		return n, true
	}
	if len(v.lists) >= mostLists {
		return 0, false
	}
	if v.numbers == nil {
		v.numbers = map[string]uint32{}
	}
	n := uint32(len(v.lists))
	v.numbers[text], v.lists = n, append(v.lists, s)
	return n, true
}

// list is the one of a number.
func (v *vocabulary) list(n uint32) models.Scopes {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.lists[n]
}
