package access

import (
	"context"
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
	counts map[string]models.Usage
	days   map[credentialDay]models.UsageDay

	flushing sync.Mutex // one batch at a time, in order
}

type credentialDay struct{ id, day string }

// NewTally makes an empty tally.
func NewTally() *Tally {
	return &Tally{counts: map[string]models.Usage{}, days: map[credentialDay]models.UsageDay{}}
}

// Add counts one call.
func (t *Tally) Add(credentialID string, outcome models.Outcome, at time.Time, address string) {
	u := models.Usage{CredentialID: credentialID}
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
	t.counts[credentialID] = merge(t.counts[credentialID], u)
	day := credentialDay{credentialID, at.UTC().Format(time.DateOnly)}
	t.days[day] = mergeDays(t.days[day], models.UsageDay{CredentialID: day.id, Day: day.day, Calls: u.Calls, Refused: u.Refused + u.Late})
}

// Flush writes down what was counted since the last time. What could not be written is kept for
// the next time.
func (t *Tally) Flush(ctx context.Context, to Recorder) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	t.mu.Lock()
	counts, days := t.counts, t.days
	t.counts, t.days = map[string]models.Usage{}, map[credentialDay]models.UsageDay{}
	t.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	batch, perDay := make([]models.Usage, 0, len(counts)), make([]models.UsageDay, 0, len(days))
	for _, u := range counts {
		batch = append(batch, u)
	}
	for _, d := range days {
		perDay = append(perDay, d)
	}
	err := to.RecordUsage(ctx, batch, perDay)
	if err != nil {
		t.putBack(counts, days)
	}
	return err
}

func (t *Tally) putBack(counts map[string]models.Usage, days map[credentialDay]models.UsageDay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, u := range counts {
		t.counts[id] = merge(u, t.counts[id])
	}
	for d, u := range days {
		t.days[d] = mergeDays(u, t.days[d])
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
	return sum
}

// mergeDays adds two counts of one credential and day; either may be the zero value.
func mergeDays(one, other models.UsageDay) models.UsageDay {
	return models.UsageDay{
		CredentialID: max(one.CredentialID, other.CredentialID), Day: max(one.Day, other.Day),
		Calls: one.Calls + other.Calls, Refused: one.Refused + other.Refused,
	}
}

// isLater compares two moments, of which nil is before any other.
func isLater(a, b *time.Time) bool { return a != nil && (b == nil || a.After(*b)) }
