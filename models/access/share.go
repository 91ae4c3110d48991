package access

import (
	"math"
	"time"
)

// portion is which part of every quota a replica may let pass: that of the at-th of so many.
type portion struct {
	of, at int

	// What there was before counts for a while: at the moment begun, a caller who is not in debt here had room for no more than a share of that
	// time, because what lies between was another replica's to give.
	before int // the most replicas that there were within the last window
	begun  int64
}

// alone is all of every quota.
var alone = &portion{of: 1, before: 1}

// Share has this replica let a part of every quota pass, as the at-th of so many that are live, counted from 0 in the order of their IDs. The
// parts of all are the quota together, but for a quota of fewer calls than there are replicas, of which each lets one pass. What a replica has more
// than before comes at the pace of its share and is not there at once, or a caller could have it of two replicas. One that joins others begins with its share, while the others
// may have let the whole quota pass: whoever calls just then may have so much more of it, once. Share is called by one goroutine at a time.
func (l *Limiter) Share(at, of int, now time.Time) {
	was := l.shards[0].part // nobody else writes it
	if of < 1 || at < 0 || at >= of || was.of == of && was.at == at || of == 1 && was == alone {
		return
	}
	next := &portion{of: of, at: at, before: was.of, begun: now.UnixNano()}
	if ago := next.begun - was.begun; ago >= 0 && ago < int64(window) {
		next.before = max(was.before, was.of)
	}
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		s.become(next)
		s.mu.Unlock()
	}
}

// become changes the portion, and with it what everybody is ahead of time whose share grows: so that they have room for as many calls as before. Those
// whose share becomes smaller keep as much of it as they had. The caller holds s.mu.
func (s *limiterShard) become(next *portion) {
	was := s.part
	s.part = next
	for who, t := range s.until {
		had, share := was.share(int(t.quota)), next.share(int(t.quota))
		if _, most := paced(share); share > had && t.until > next.begun {
			t.until = next.begun + most - scaled(max(0, most-(t.until-next.begun)), had, share)
			s.until[who] = t
		}
	}
}

// share is the part of a quota: what does not divide goes to the lowest IDs, and none is nothing.
func (p *portion) share(quota int) int {
	if p.of == 1 {
		return quota
	}
	share := quota / p.of
	if p.at < quota%p.of {
		share++
	}
	return max(1, share)
}

// since is from when on a caller's next call counts, who has taken t.
func (p *portion) since(t taken, quota, share int, most, now int64) int64 {
	switch {
	case t.until <= now: // that of a caller who is not known too
		return max(now, p.begins(quota, share, most))
	case t.until > now+most: // the clock was set back
		return now + most
	}
	return t.until
}

// begins is from when on the calls of a caller count who is not known, or not in debt.
func (p *portion) begins(quota, share int, most int64) int64 {
	if p == alone {
		return math.MinInt64
	}
	had := max(1, quota/p.before)
	if had >= share {
		return math.MinInt64
	}
	return p.begun + most - scaled(most, had, share)
}
