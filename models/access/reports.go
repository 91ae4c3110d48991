package access

import (
	"sync"
	"time"

	"tokendesk/models"
)

// What one address may report as leaked: calls a minute, and credentials an hour, all at once or one by one.
const (
	reportCalls       = 60
	reportCredentials = 1000
)

// Reports bounds what is reported as leaked by addresses, each for itself; in IPv6 a /64 is one. It lives in memory: a restart
// forgives, and each server counts for itself. Safe for concurrent use.
type Reports struct {
	mu    sync.Mutex
	calls map[key]time.Time // when what was taken so far would have come, at an even pace
	shown map[key]time.Time
	now   models.Clock
}

// NewReports makes one that has seen nobody.
func NewReports(now models.Clock) *Reports {
	return &Reports{calls: map[key]time.Time{}, shown: map[key]time.Time{}, now: now}
}

// Call asks for one call of an address; 0 means that it may be made, and anything else is how long to wait. What is refused costs nothing.
func (r *Reports) Call(address string) time.Duration {
	return r.take(r.calls, address, 1, reportCalls, time.Minute)
}

// Show asks for so many credentials of an address, as Call does. More than there may be ever is as much as that.
func (r *Reports) Show(address string, credentials int) time.Duration {
	return r.take(r.shown, address, min(credentials, reportCredentials), reportCredentials, time.Hour)
}

// take is the generic cell rate algorithm (ITU-T I.371), for several at a time.
func (r *Reports) take(taken map[key]time.Time, address string, n, most int, in time.Duration) time.Duration {
	who, pace := keyOf(network(address, 64)), in/time.Duration(most)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	makeRoom(taken, func(until time.Time) bool { return !until.After(now) })
	until := taken[who]
	if until.Before(now) {
		until = now
	}
	if latest := now.Add(in); until.After(latest) { // the clock was set back
		until = latest
	}
	until = until.Add(time.Duration(n) * pace)
	if wait := until.Sub(now) - in; wait > 0 {
		return wait
	}
	taken[who] = until
	return 0
}
