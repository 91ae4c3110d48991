package models

import (
	"testing"
	"time"
)

// S4: a session ends 30 minutes after its last use, or 12 hours after its beginning, whichever comes
// first, at the very instant.
func TestSessionEnds(t *testing.T) {
	for _, c := range []struct {
		name         string
		seen, begins time.Duration // before noon
		live         bool
	}{
		{"new", 0, 0, true},
		{"nearly idle", 30*time.Minute - time.Microsecond, time.Hour, true},
		{"idle", 30 * time.Minute, time.Hour, false},
		{"in use, nearly over", 0, 12*time.Hour - time.Microsecond, true},
		{"in use, over", 0, 12 * time.Hour, false},
	} {
		s := Session{SeenAt: noon.Add(-c.seen), ExpiresAt: noon.Add(-c.begins).Add(SessionLife)}
		if s.Live(noon) != c.live {
			t.Errorf("%s: live is %v", c.name, !c.live)
		}
	}
	if (Session{}).Live(noon) {
		t.Error("a session that nobody filled in is live")
	}
}

// S5: a password check counts as recent for 15 minutes.
func TestPasswordCheckIsRecent(t *testing.T) {
	s := Session{ConfirmedAt: noon}
	if !s.Recent(noon.Add(15*time.Minute-time.Microsecond)) || s.Recent(noon.Add(15*time.Minute)) {
		t.Error("it does not end after 15 minutes")
	}
}
