package access

import (
	"sync"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// unknowns remembers for a second which secrets nobody was given, apart from what is known: whoever makes secrets up has each looked up once a
// second, and drives out nothing. It is the same with secrets that something else was found out of which may change without an event. Safe for concurrent use.
type unknowns struct {
	mu         sync.Mutex
	this, last map[secret.Hash]int64 // when each was looked up, in microseconds; of this second and the one before
	turned     int64
}

const (
	forgetUnknown = time.Second
	mostUnknown   = 1 << 17 // a second; more than a database answers
)

// add notes that a secret was looked up and is not there.
func (u *unknowns) add(h secret.Hash, now models.Reading) {
	at := now.Time().UnixMicro()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.turn(at)
	if u.this == nil {
		u.this = map[secret.Hash]int64{}
	}
	if len(u.this) < mostUnknown {
		u.this[h] = at
	}
}

// has says whether a secret was found to be unknown within the last second.
func (u *unknowns) has(h *secret.Hash, now models.Reading) bool {
	at := now.Time().UnixMicro()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.turn(at)
	for _, m := range [...]map[secret.Hash]int64{u.this, u.last} {
		if then, ok := m[*h]; ok && at >= then && at-then < forgetUnknown.Microseconds() {
			return true
		}
	}
	return false
}

func (u *unknowns) turn(at int64) {
	switch since := at - u.turned; {
	case since < 0 || since >= 2*forgetUnknown.Microseconds():
		u.this, u.last, u.turned = nil, nil, at
	case since >= forgetUnknown.Microseconds():
		u.this, u.last, u.turned = nil, u.this, at
	}
}
