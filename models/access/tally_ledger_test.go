package access

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"tokendesk/models"
)

// ledger is a database: it counts each flush once, adds up what it counted, and insists on the order of a server's flushes.
type ledger struct {
	mu      sync.Mutex
	last    map[string]int64
	usage   map[string]models.Usage
	days    map[string]models.UsageDay // by credential and day
	flushes int                        // that were counted
	again   int                        // that were there already
	away    func(n int) (before, after error)
	asked   int
}

func newLedger() *ledger {
	return &ledger{last: map[string]int64{}, usage: map[string]models.Usage{}, days: map[string]models.UsageDay{}}
}

func (l *ledger) RecordUsage(_ context.Context, flush models.Flush, batch []models.Usage, days []models.UsageDay) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var before, after error
	if l.away != nil {
		before, after = l.away(l.asked)
	}
	l.asked++
	if before != nil {
		return before
	}
	if flush.Number <= l.last[flush.Boot] {
		l.again++
		return after
	}
	l.last[flush.Boot] = flush.Number
	l.flushes++
	seen := map[string]bool{}
	for _, u := range batch {
		if seen[u.CredentialID] {
			return fmt.Errorf("%s is in a flush twice", u.CredentialID)
		}
		seen[u.CredentialID] = true
		l.usage[u.CredentialID] = merge(l.usage[u.CredentialID], u)
	}
	for _, d := range days {
		if seen[d.CredentialID+d.Day] {
			return fmt.Errorf("%s of %s is in a flush twice", d.Day, d.CredentialID)
		}
		seen[d.CredentialID+d.Day] = true
		sum := l.days[d.CredentialID+" "+d.Day]
		l.days[d.CredentialID+" "+d.Day] = models.UsageDay{CredentialID: d.CredentialID, Day: d.Day, Calls: sum.Calls + d.Calls, Refused: sum.Refused + d.Refused}
	}
	return after
}

func (l *ledger) wasAsked() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// sum adds up all credentials.
func (l *ledger) sum() (u models.Usage) {
	for _, one := range l.usage {
		u = merge(u, one)
	}
	return u
}

func flush(t *testing.T, tally *Tally, to Recorder) {
	t.Helper()
	if err := tally.Flush(t.Context(), to); err != nil {
		t.Fatal(err)
	}
}

// recorder is a function that writes flushes down.
type recorder func(context.Context, models.Flush, []models.Usage, []models.UsageDay) error

func (r recorder) RecordUsage(ctx context.Context, f models.Flush, batch []models.Usage, days []models.UsageDay) error {
	return r(ctx, f, batch, days)
}
