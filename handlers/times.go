package handlers

import (
	"fmt"
	"time"

	"tokendesk/views"
)

// soon is how long before its end a credential is shown as expiring.
const soon = 14 * 24 * time.Hour

// moment writes a time for people, in UTC: "19 Feb 2027, 09:00 UTC", and how far it is from now.
func moment(t, now time.Time) views.Time { return momentIn(t, now, time.UTC) }

// momentIn writes it for people in a time zone.
func momentIn(t, now time.Time, zone *time.Location) views.Time {
	return views.Time{ISO: t.UTC().Format(time.RFC3339), Text: t.In(zone).Format("2 Jan 2006, 15:04 MST"), Relative: relative(t, now)}
}

// day writes the date alone.
func day(t, now time.Time) views.Time {
	u := t.UTC()
	return views.Time{ISO: u.Format(time.RFC3339), Text: u.Format("2 Jan 2006"), Relative: relative(t, now)}
}

// dayIn writes the date alone, for people in a time zone.
func dayIn(t, now time.Time, zone *time.Location) views.Time {
	return views.Time{ISO: t.UTC().Format(time.RFC3339), Text: t.In(zone).Format("2 Jan 2006"), Relative: relative(t, now)}
}

// since is moment for a time that there may not be.
func since(t *time.Time, now time.Time) views.Time {
	if t == nil {
		return views.Time{}
	}
	return moment(*t, now)
}

// shortly is the time of day for today, and otherwise the day.
func shortly(t, now time.Time) string {
	if t.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return t.UTC().Format("15:04")
	}
	return t.UTC().Format("2 Jan")
}

func relative(t, now time.Time) string {
	gap, after := now.Sub(t), false
	if gap < 0 {
		gap, after = -gap, true
		if gap > 24*time.Hour { // a token of a year has a year a second later too
			gap = (gap + 24*time.Hour - 1).Truncate(24 * time.Hour)
		}
	}
	switch {
	case gap < time.Minute && after:
		return "in less than a minute"
	case gap < time.Minute:
		return "now"
	}
	text := span(gap)
	if after {
		return "in " + text
	}
	return text + " ago"
}

func span(gap time.Duration) string {
	const aDay = 24 * time.Hour
	switch {
	case gap < time.Hour:
		return plural(int(gap/time.Minute), "minute")
	case gap < aDay:
		return plural(int(gap/time.Hour), "hour")
	case gap >= 365*aDay && gap < 367*aDay:
		return "one year"
	case gap < 2*365*aDay:
		return plural(int(gap/aDay), "day")
	}
	return plural(int(gap/(365*aDay)), "year")
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
