package access

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Limit is where a caller stands with a limit after a call: as draft-ietf-httpapi-ratelimit-headers has it. The zero Limit
// is none.
type Limit struct {
	Quota     int           // calls in Window, of all replicas together
	Window    time.Duration // 0: there is no limit
	Remaining int           // calls that would pass now, here
	Wait      time.Duration // until there is room for another call than these
	Passed    bool
}

// window is the time that limits are told for.
const window = time.Minute

// The callers that are remembered lie in shards, so that calls at once seldom wait for each other. mostCallers is what there is memory for: about
// 60 bytes each, and twice that while a map grows.
const (
	limiterShards = 64
	mostCallers   = 1 << 20
)

// Limiter holds callers to so many calls a minute, each for itself, with the generic cell rate algorithm (ITU-T I.371):
// a whole minute's calls may come at once, and room for another comes back at an even pace. In any
// stretch of time W no more pass than the quota and W's share of it. Where there are several replicas, each has its share of the quota (Share).
// It remembers as many callers as there is memory for: one more makes it forget whoever of a few is nearest to a whole quota. Safe for concurrent use.
type Limiter struct {
	shards [limiterShards]limiterShard
	most   int          // callers in a shard
	swept  atomic.Int64 // up to when the shards were swept in turn, in nanoseconds
	turn   atomic.Uint32
}

type limiterShard struct {
	mu    sync.Mutex
	until map[caller]taken // no pointers in it: there is nothing for the garbage collector to look at
	full  int64            // when it was last swept because it was full
	part  *portion         // the same in all shards, but while it is replaced
	_     [32]byte         // a cache line for each
}

// taken is what a caller has taken: the theoretical arrival time of ITU-T I.371.
type taken struct {
	until int64 // when the calls so far would have come, at the pace of the share, in nanoseconds of Unix time
	quota int32 // of all replicas together
}

// NewLimiter makes a limiter that has seen nobody, and has the quotas to itself.
func NewLimiter() *Limiter {
	l := &Limiter{most: mostCallers / limiterShards}
	for i := range l.shards {
		l.shards[i].until, l.shards[i].part = map[caller]taken{}, alone
	}
	return l
}

// paced is how far apart a quota's calls lie, and how far ahead of time they may be. The pace is rounded up, or in hours one too many would pass.
func paced(quota int) (pace, most int64) {
	pace = (int64(window) + int64(quota) - 1) / int64(quota)
	return pace, pace * int64(quota)
}

// Take asks for one call of a caller that may make quota of them a minute, at least one. A call that is refused costs nothing.
func (l *Limiter) Take(who caller, quota int, now time.Time) Limit {
	at := now.UnixNano()
	if since := at - l.swept.Load(); since < 0 || since >= int64(window)/limiterShards {
		l.sweep(at)
	}
	s := l.shard(&who)
	s.mu.Lock()
	share := s.part.share(quota)
	pace, most := paced(share)
	had, there := s.until[who]
	until := s.part.since(had, quota, share, most, at)
	ahead := until + pace - at
	passed := ahead <= most
	if passed {
		until += pace
	} else {
		ahead -= pace
	}
	if now := (taken{until, int32(quota)}); passed || there && now != had {
		s.put(who, now, there, at, l.most)
	}
	s.mu.Unlock()
	return told(quota, pace, most, ahead, passed)
}

// Note has it that a caller is so far ahead of time, as was counted elsewhere: so that counting here goes on from there.
func (l *Limiter) Note(who caller, quota int, ahead time.Duration, now time.Time) {
	at := now.UnixNano()
	s := l.shard(&who)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.until[who]
	s.put(who, taken{at + int64(ahead), int32(quota)}, there, at, l.most)
}

// put remembers what a caller has taken. The caller holds s.mu.
func (s *limiterShard) put(who caller, t taken, there bool, now int64, most int) {
	if !there && len(s.until) >= most {
		s.makeRoom(now)
	}
	s.until[who] = t
}

// told is where a caller stands that is so far ahead of time.
func told(quota int, pace, most, ahead int64, passed bool) Limit {
	left := (most - ahead) / pace
	return Limit{
		Quota: quota, Window: window, Passed: passed,
		Remaining: int(left), Wait: time.Duration(max(0, ahead+pace*(left+1)-most)),
	}
}

// scaled is n*part/whole; part is less than whole.
func scaled(n int64, part, whole int) int64 {
	high, low := bits.Mul64(uint64(n), uint64(part))
	q, _ := bits.Div64(high, low, uint64(whole))
	return int64(q)
}

// shard is where a caller is remembered. The second halves of IDs are random (RFC 9562, section 5.7).
func (l *Limiter) shard(who *caller) *limiterShard {
	mixed := (binary.LittleEndian.Uint64(who.of[8:]) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(who.in[8:]), 17)) * 0x9e3779b97f4a7c15
	return &l.shards[mixed>>58]
}

// sweep drops whoever has a whole quota again, a shard at a time, each once in a window; and all when the clock was set back.
func (l *Limiter) sweep(now int64) {
	const each = int64(window) / limiterShards
	before := l.swept.Load()
	due, next := (now-before)/each, before
	if now < before || due >= limiterShards {
		due, next = limiterShards, now
	} else {
		next += due * each
	}
	if due == 0 || !l.swept.CompareAndSwap(before, next) {
		return // somebody else does
	}
	for range due {
		s := &l.shards[l.turn.Add(1)%limiterShards]
		s.mu.Lock()
		s.sweep(now)
		s.mu.Unlock()
	}
}

// sweep drops whoever has a whole quota again. The caller holds s.mu.
func (s *limiterShard) sweep(now int64) {
	before := len(s.until)
	for who, t := range s.until {
		if t.until <= now {
			delete(s.until, who)
		}
	}
	if left := len(s.until); before > 1000 && left < before/4 { // a map keeps its memory
		smaller := make(map[caller]taken, left)
		for who, t := range s.until {
			smaller[who] = t
		}
		s.until = smaller
	}
}

// makeRoom drops whoever has a whole quota again or else, of a few, the caller who is nearest to it. The caller holds s.mu.
func (s *limiterShard) makeRoom(now int64) {
	const few = 8
	if since := now - s.full; since < 0 || since >= int64(time.Second) { // or each call would look at all of them
		before := len(s.until)
		s.full = now
		if s.sweep(now); len(s.until) < before {
			return
		}
	}
	var out caller
	var least int64
	looked := 0
	for who, t := range s.until { // which begins anywhere
		if looked == 0 || t.until < least {
			out, least = who, t.until
		}
		if looked++; looked == few {
			break
		}
	}
	delete(s.until, out)
}

// callers is how many are remembered.
func (l *Limiter) callers() (n int) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += len(s.until)
		s.mu.Unlock()
	}
	return n
}
