package access

import (
	"sync"
	"time"
)

// Limit is where a caller stands with a limit after a call: as draft-ietf-httpapi-ratelimit-headers has it. The zero Limit
// is none.
type Limit struct {
	Quota     int           // calls in Window
	Window    time.Duration // 0: there is no limit
	Remaining int           // calls that would pass now
	Wait      time.Duration // until there is room for another call than these
	Passed    bool
}

// window is the time that limits are told for.
const window = time.Minute

// Limiter holds callers to so many calls a minute, each for itself, with the generic cell rate algorithm (ITU-T I.371):
// a whole minute's calls may come at once, and room for another comes back at an even pace. In any
// stretch of time W no more pass than the quota and W's share of it. Safe for concurrent use.
type Limiter struct {
	mu    sync.Mutex
	until map[caller]time.Time // when each caller's calls so far would have come, at that pace
	swept time.Time
}

// NewLimiter makes a limiter that has seen nobody.
func NewLimiter() *Limiter { return &Limiter{until: map[caller]time.Time{}} }

// Take asks for one call of a caller that may make quota of them a minute, at least one. A call that is refused costs nothing.
func (l *Limiter) Take(who caller, quota int, now time.Time) Limit {
	pace := (window + time.Duration(quota) - 1) / time.Duration(quota) // rounded up, or in hours one too many would pass
	most := pace * time.Duration(quota)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	until := l.until[who]
	switch latest := now.Add(most); {
	case until.Before(now):
		until = now
	case until.After(latest): // the clock was set back
		until = latest
		l.until[who] = until
	}
	limit := Limit{Quota: quota, Window: window}
	ahead := until.Add(pace).Sub(now)
	if limit.Passed = ahead <= most; limit.Passed {
		l.until[who] = until.Add(pace)
	} else {
		ahead -= pace
	}
	limit.Remaining = int((most - ahead) / pace)
	limit.Wait = max(0, ahead+pace*time.Duration(limit.Remaining+1)-most)
	return limit
}

// forget drops, once in a while, whoever has a whole quota again.
func (l *Limiter) forget(now time.Time) {
	if since := now.Sub(l.swept); since >= 0 && since < window {
		return
	}
	l.swept = now
	for caller, until := range l.until {
		if !until.After(now) {
			delete(l.until, caller)
		}
	}
}
