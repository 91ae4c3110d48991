package access

import (
	"context"
	"slices"
	"sync"
	"time"

	"tokendesk/models"
)

// Recorder writes counts down: all of a batch or none of it.
type Recorder interface {
	RecordUsage(ctx context.Context, batch []models.Usage, days []models.UsageDay) error
}

// Tally counts calls in memory until they are written down in batches, because a write for every
// call would be the slowest thing about it. Safe for concurrent use.
type Tally struct {
	mu     sync.Mutex
	counts map[string]*tallied // by credential
	day    string              // what the last call's day is called,
	since  int64               // and the days from 1970 until then

	flushing sync.Mutex // one batch at a time, in order
}

// tallied is what was counted of one credential, and on which days.
type tallied struct {
	usage models.Usage
	days  []models.UsageDay
}

// NewTally makes an empty tally.
func NewTally() *Tally { return &Tally{counts: map[string]*tallied{}} }

// Add counts one call.
func (t *Tally) Add(credentialID string, outcome models.Outcome, at time.Time, address string) {
	t.count(models.Usage{CredentialID: credentialID}, outcome, at, address)
}

// AddOf is Add, and where the credential is kept alive by being used, as a collection access key is, that the call did so.
func (t *Tally) AddOf(c models.Credential, outcome models.Outcome, at time.Time, address string) {
	u := models.Usage{CredentialID: c.ID}
	if c.Kind == models.CollectionKey && outcome == models.CallAccepted {
		u.KeptBy = &at
	}
	t.count(u, outcome, at, address)
}

func (t *Tally) count(u models.Usage, outcome models.Outcome, at time.Time, address string) {
	switch outcome {
	case models.CallAccepted:
		u.Calls, u.LastUsedAt, u.LastAddress = 1, &at, address
	case models.CallRefused:
		u.Refused, u.LastUsedAt, u.LastAddress = 1, &at, address // somebody has it and calls with it
	case models.CallLate:
		u.Late, u.LastLateAt = 1, &at
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(u.CredentialID).add(u, models.UsageDay{CredentialID: u.CredentialID, Day: t.dayOf(at), Calls: u.Calls, Refused: u.Refused + u.Late})
}

// of is what was counted of a credential. The caller holds the lock, as for dayOf.
func (t *Tally) of(credentialID string) *tallied {
	c := t.counts[credentialID]
	if c == nil {
		c = &tallied{}
		t.counts[credentialID] = c
	}
	return c
}

// dayOf is what a moment's day is called, in UTC. It is worked out once a day.
func (t *Tally) dayOf(at time.Time) string {
	const day = 24 * 60 * 60
	if since := at.Unix() / day; t.day == "" || since != t.since {
		t.day, t.since = at.UTC().Format(time.DateOnly), since
	}
	return t.day
}

func (c *tallied) add(u models.Usage, days ...models.UsageDay) {
	c.usage = merge(c.usage, u)
	for _, d := range days {
		if i := slices.IndexFunc(c.days, func(known models.UsageDay) bool { return known.Day == d.Day }); i >= 0 {
			c.days[i].Calls += d.Calls
			c.days[i].Refused += d.Refused
		} else {
			c.days = append(c.days, d)
		}
	}
}

// Flush writes down what was counted since the last time. What could not be written is kept for
// the next time.
func (t *Tally) Flush(ctx context.Context, to Recorder) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	t.mu.Lock()
	counts := t.counts
	t.counts = map[string]*tallied{}
	t.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	batch, days := make([]models.Usage, 0, len(counts)), make([]models.UsageDay, 0, len(counts))
	for _, c := range counts {
		batch, days = append(batch, c.usage), append(days, c.days...)
	}
	err := to.RecordUsage(ctx, batch, days)
	if err != nil {
		t.putBack(counts)
	}
	return err
}

// Waiting is how many credentials have calls that are counted and not written down yet.
func (t *Tally) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.counts)
}

func (t *Tally) putBack(counts map[string]*tallied) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, before := range counts {
		t.of(id).add(before.usage, before.days...)
	}
}

// merge adds two counts of one credential; either may be the zero value. The latest call stays the
// last one, in whatever order calls at once came to be counted.
func merge(one, other models.Usage) models.Usage {
	sum := one
	sum.CredentialID = max(one.CredentialID, other.CredentialID)
	sum.Calls += other.Calls
	sum.Refused += other.Refused
	sum.Late += other.Late
	if isLater(other.LastUsedAt, one.LastUsedAt) {
		sum.LastUsedAt, sum.LastAddress = other.LastUsedAt, other.LastAddress
	}
	if isLater(other.LastLateAt, one.LastLateAt) {
		sum.LastLateAt = other.LastLateAt
	}
	if isLater(other.KeptBy, one.KeptBy) {
		sum.KeptBy = other.KeptBy
	}
	return sum
}

// isLater compares two moments, of which nil is before any other.
func isLater(a, b *time.Time) bool { return a != nil && (b == nil || a.After(*b)) }
