package access_test

import (
	"testing"
	"time"

	"tokendesk/models/access"
)

// An address has 60 calls a minute and 1,000 credentials an hour, in any mixture; who is refused is told when there is room, and finds it then.
func TestReports(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	r := access.NewReports(func() time.Time { return now })
	for i := range 60 {
		if wait := r.Call("192.0.2.1"); wait != 0 {
			t.Fatalf("call %d waits %s", i+1, wait)
		}
	}
	wait := r.Call("192.0.2.1")
	if wait != time.Second {
		t.Errorf("the 61st waits %s", wait)
	}
	if r.Call("192.0.2.2") != 0 || r.Call("2001:db8::1") != 0 {
		t.Error("another address waits")
	}
	now = now.Add(wait)
	if r.Call("192.0.2.1") != 0 || r.Call("192.0.2.1") == 0 {
		t.Error("after that time it is not one more")
	}
	for i := range 10 {
		if wait := r.Show("2001:db8::1", 100); wait != 0 {
			t.Fatalf("hundred %d waits %s", i+1, wait)
		}
	}
	if wait := r.Show("2001:db8::abcd", 100); wait != 6*time.Minute {
		t.Errorf("a neighbour's next hundred waits %s", wait)
	}
	if wait := r.Show("2001:db8:0:1::1", 5000); wait != 0 {
		t.Errorf("more than there may be ever waits %s", wait)
	}
	now = now.Add(6 * time.Minute)
	if r.Show("2001:db8::1", 100) != 0 || r.Show("2001:db8::1", 1) == 0 {
		t.Error("after that time it is not a hundred more")
	}
	now = now.Add(-24 * time.Hour) // the clock is set back
	if wait := r.Show("2001:db8::1", 1000); wait > time.Hour {
		t.Errorf("a day earlier it waits %s", wait)
	}
}
