package models

import (
	"time"

	"github.com/google/uuid"
)

// Clock tells the time: UTC, cut to microseconds, which is the most that both databases keep,
// so that a time compares equal after a round trip.
type Clock func() time.Time

// SystemClock is the machine's clock, and the only place that asks for it.
func SystemClock() time.Time { return Instant(time.Now()) }

// Instant brings a time into the one shape that is stored: UTC, microseconds.
func Instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Ticks is a moment by the clock that nobody sets: for how long something takes, and for deadlines of connections. It is neither stored nor told.
func Ticks() time.Time { return time.Now() }

// IDs makes identifiers. They name things and are no secrets.
type IDs func() string

// Identifiers name things and are no secrets: the random bytes of several are fetched at once, which takes a fifth of the time.
func init() { uuid.EnableRandPool() }

// NewID makes a UUID of version 7 (RFC 9562, section 5.7), which sorts by the time it was made.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// ValidID says whether text could be an identifier, so that a path with something else in it is
// "not there" before a database is asked.
func ValidID(text string) bool {
	if len(text) != 36 {
		return false
	}
	_, err := uuid.Parse(text)
	return err == nil
}

// Reading is what this machine's clocks said at a moment, to tell how much time has passed since. Two machines' readings are never compared.
type Reading struct {
	at  time.Time
	set time.Duration // by how much the time of day was set; 0, but for tests
}

// ReadClocks reads them.
func ReadClocks() Reading { return Reading{at: time.Now()} }

// AtLeast is how much time has surely passed until a later reading: the clock that it is told by stands still while the machine sleeps, and is set by nobody.
func (r Reading) AtLeast(later Reading) time.Duration { return later.at.Sub(r.at) }

// AtMost is more than has passed, or as much: the time of day goes on while the machine sleeps, and whoever sets it back does not set back the other clock.
func (r Reading) AtMost(later Reading) time.Duration {
	return max(later.at.Sub(r.at), later.at.Round(0).Sub(r.at.Round(0))+later.set-r.set)
}

// Time is the reading as the time of day.
func (r Reading) Time() time.Time { return Instant(r.at) }

// After is a reading that is later by one time on the clock that is set by nobody, and by another one on the time of day: for tests.
func (r Reading) After(passed, timeOfDay time.Duration) Reading {
	return Reading{at: r.at.Add(passed), set: r.set + timeOfDay - passed}
}
