package access

import (
	"time"

	"tokendesk/models"
)

// Standing is how a replica is doing at a moment.
type Standing struct {
	ID      string        // on the list of replicas; empty while it is not
	Lease   time.Duration // how long it may still answer from memory; 0 or less: it may not
	Heard   time.Duration // since it knew of all that had changed
	Behind  int64         // events that it knows of and has not put into effect
	Live    int           // replicas on the list, itself among them
	Evicted int64         // credentials that had to make room for others
	Hears   bool          // it knows what has changed up to a moment ago
	Applied int64         // the last event that it put into effect
	Entries int
	Hits    int64 // credentials that were answered about from memory
	Misses  int64 // from the database
	Notice  string
}

// Standing says how the replica is doing now.
func (r *Replica) Standing() Standing {
	s := Standing{Hears: r.memory.Hears(), Applied: r.applied.Load(), Entries: r.memory.Entries(), Notice: r.Notice()}
	now := r.memory.clocks()
	s.Lease = r.memory.lease.granted.Load().left(now)
	s.Heard = models.LeaseUse - r.memory.heard.granted.Load().left(now)
	s.Behind, s.Live, s.Evicted = max(0, r.last.Load()-s.Applied), int(r.live.Load()), r.memory.known.evicted.Load()
	s.Hits, s.Misses = r.memory.Asked()
	if id := r.listed.Load(); id != nil {
		s.ID = *id
	}
	return s
}
