package handlers

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/views"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// A time reads the same wherever the server stands: in UTC, with its distance in whole units, never
// rounded up ("1 hour ago" is at least an hour).
func TestRelative(t *testing.T) {
	const day = 24 * time.Hour
	for gap, want := range map[time.Duration]string{
		0: "now", 59 * time.Second: "now", -59 * time.Second: "in less than a minute",
		time.Minute: "1 minute ago", 2*time.Minute - 1: "1 minute ago", 59*time.Minute + 59*time.Second: "59 minutes ago",
		time.Hour: "1 hour ago", 2 * time.Hour: "2 hours ago", day - 1: "23 hours ago", day: "1 day ago", 13 * day: "13 days ago", 364 * day: "364 days ago",
		365 * day: "one year ago", 366 * day: "one year ago", 367 * day: "367 days ago", 729 * day: "729 days ago", 730 * day: "2 years ago", 1200 * day: "3 years ago",
		-time.Minute: "in 1 minute", -90 * time.Minute: "in 1 hour", -14 * day: "in 14 days", -365 * day: "in one year", -366 * day: "in one year",
	} {
		if got := relative(noon.Add(-gap), noon); got != want {
			t.Errorf("%v: %q, want %q", gap, got, want)
		}
	}
}

func TestMomentAndDay(t *testing.T) {
	east := time.FixedZone("east", 9*3600)
	at := time.Date(2027, 2, 19, 3, 4, 5, 678, east) // the evening before, in UTC
	if got, want := moment(at, noon), (views.Time{ISO: "2027-02-18T18:04:05Z", Text: "18 Feb 2027, 18:04 UTC", Relative: "in 90 days"}); got != want {
		t.Errorf("moment: %+v, want %+v", got, want)
	}
	if got, want := day(at, noon), (views.Time{ISO: "2027-02-18T18:04:05Z", Text: "18 Feb 2027", Relative: "in 90 days"}); got != want {
		t.Errorf("day: %+v, want %+v", got, want)
	}
	if got := since(nil, noon); !got.IsZero() {
		t.Errorf("no time reads as %+v", got)
	}
	if got := since(&at, noon); got != moment(at, noon) {
		t.Errorf("since: %+v", got)
	}
}

// Days are UTC's, on both sides of midnight.
func TestDayHeading(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 1, 0, time.UTC)
	for at, want := range map[time.Time]string{
		now: "Today, 21 November 2026", now.Add(-2 * time.Second): "Yesterday, 20 November 2026", now.Add(-24 * time.Hour): "Yesterday, 20 November 2026",
		now.Add(-24*time.Hour - 2*time.Second): "19 November 2026", now.AddDate(-1, 0, 0): "21 November 2025",
		now.In(time.FixedZone("west", -5*3600)): "Today, 21 November 2026",
	} {
		if got := dayHeading(at, now); got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}

// The last 14 days stand in their places, today last; what is older, later or no day is left out.
func TestFortnight(t *testing.T) {
	got := fortnight([]models.UsageDay{
		{Day: "2026-11-21", Calls: 1}, {Day: "2026-11-20", Calls: 2}, {Day: "2026-11-08", Calls: 14}, {Day: "2026-11-07", Calls: 15},
		{Day: "2026-11-22", Calls: 99}, {Day: "yesterday", Calls: 99},
	}, noon)
	want := []int{14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1}
	if len(got) != len(want) {
		t.Fatalf("%d days", len(got))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got, want)
			break
		}
	}
}

// The word for a state: the order is revoked, expired, inactive, active, and 14 days before the end an
// active one expires soon.
func TestStatus(t *testing.T) {
	at := func(from time.Duration) *time.Time { then := noon.Add(from); return &then }
	for want, c := range map[string]models.Credential{
		"Active":       {Enabled: true, ExpiresAt: at(soon + time.Microsecond)},
		"Expires soon": {Enabled: true, ExpiresAt: at(soon)},
		"Expired":      {Enabled: true, ExpiresAt: at(0)},
		"Inactive":     {Enabled: false, ExpiresAt: at(time.Hour)},
		"Revoked":      {Enabled: true, ExpiresAt: at(-time.Hour), RevokedAt: at(0)},
		"Replaced":     {Enabled: true, RevokedAt: at(0), ReplacedBy: "another"},
	} {
		if got := status(c, noon); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := status(models.Credential{Enabled: true}, noon); got != "Active" {
		t.Errorf("one that never expires is %q", got)
	}
}
