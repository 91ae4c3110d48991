package deadline

import (
	"errors"
	"testing"
	"time"
)

// TestTheRuntimeIsToldSeldom: of the deadlines that net/http sets for a request the runtime hears none where nothing waits beyond the first.
func TestTheRuntimeIsToldSeldom(t *testing.T) {
	t.Parallel()
	told := 0
	s := side{tell: func(time.Time) error { told++; return nil }}
	for range 1000 {
		now := time.Now()
		must := errors.Join(s.set(now.Add(time.Minute)), s.begin())
		s.end()
		if err := errors.Join(must, s.set(now.Add(5*time.Second)), s.set(now.Add(30*time.Second)), s.set(time.Time{}), s.set(time.Unix(1, 0)), s.set(time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}
