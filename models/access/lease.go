package access

import (
	"sync/atomic"
	"time"

	"tokendesk/models"
)

// lease is the permission to answer from memory: for LeaseUse from the moment at which the replica began to ask the database what
// has changed. It ends by itself, whatever the replica is kept from.
type lease struct {
	granted atomic.Pointer[grantedLease]
}

type grantedLease struct {
	begun models.Reading // before the question was sent
	told  time.Time      // the database's time when it answered; zero: it has none
}

func (l *lease) grant(begun models.Reading, told time.Time) {
	l.granted.Store(&grantedLease{begun, told})
}

func (l *lease) end() { l.granted.Store(nil) }

// left is how long it still lasts; negative: it is over.
func (g *grantedLease) left(now models.Reading) time.Duration {
	if g == nil {
		return -1
	}
	return models.LeaseUse + mutantLease() - g.begun.AtMost(now)
}

// holds says whether answers may come from memory. To be asked after the last look into it.
func (g *grantedLease) holds(now models.Reading) bool { return g.left(now) > 0 }

// latest is what the database's time is by now, at the most; zero where it has none.
func (g *grantedLease) latest(now models.Reading) time.Time {
	if g.told.IsZero() {
		return g.told
	}
	return g.told.Add(g.begun.AtMost(now))
}
