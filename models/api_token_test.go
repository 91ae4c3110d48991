package models

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones are time zones of every kind: with summer and winter on either half of the earth, by an hour and by half of one, with
// offsets that are no whole hours, and on both sides of the date line.
var zones = []string{
	"UTC", "Europe/London", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Pago_Pago", "Africa/Casablanca", "Antarctica/Troll",
}

func inZone(t rapid.TB, name string) *time.Location {
	t.Helper()
	at, ok := zone(name)
	if !ok {
		t.Fatalf("this machine does not know %s", name)
	}
	return at
}

const withZone = "2006-01-02T15:04:05Z07:00"

// A month is a calendar month where the person is: it ends on the same day of the next one, or on its last, at the same
// time of day. What there is not, and what is no length, ends at no time.
func TestExpirationEnds(t *testing.T) {
	for _, c := range []struct {
		zone, now string
		e         Expiration
		want      string
	}{
		{"UTC", "2026-11-21T09:30:15Z", ForAWeek, "2026-11-28T09:30:15Z"},
		{"UTC", "2026-11-21T09:30:15Z", ForAMonth, "2026-12-21T09:30:15Z"},
		{"UTC", "2026-11-21T09:30:15Z", ForThree, "2027-02-21T09:30:15Z"},
		{"UTC", "2026-11-21T09:30:15Z", ForAYear, "2027-11-21T09:30:15Z"},
		{"UTC", "2026-12-31T23:59:59Z", ForAWeek, "2027-01-07T23:59:59Z"},
		{"UTC", "2027-01-31T00:00:00Z", ForAMonth, "2027-02-28T00:00:00Z"},
		{"UTC", "2028-01-31T00:00:00Z", ForAMonth, "2028-02-29T00:00:00Z"},
		{"UTC", "2028-01-30T00:00:00Z", ForAMonth, "2028-02-29T00:00:00Z"},
		{"UTC", "2027-02-28T00:00:00Z", ForAMonth, "2027-03-28T00:00:00Z"},
		{"UTC", "2027-03-31T00:00:00Z", ForAMonth, "2027-04-30T00:00:00Z"},
		{"UTC", "2027-12-31T00:00:00Z", ForAMonth, "2028-01-31T00:00:00Z"},
		{"UTC", "2026-11-30T00:00:00Z", ForThree, "2027-02-28T00:00:00Z"},
		{"UTC", "2027-11-30T00:00:00Z", ForThree, "2028-02-29T00:00:00Z"},
		{"UTC", "2028-02-29T12:00:00Z", ForAYear, "2029-02-28T12:00:00Z"},
		{"UTC", "2027-02-28T12:00:00Z", ForAYear, "2028-02-28T12:00:00Z"},
		{"UTC", "2096-02-29T12:00:00Z", ForAYear, "2097-02-28T12:00:00Z"},
		{"Pacific/Auckland", "2027-01-30T23:30:00Z", ForAMonth, "2027-02-28T12:30:00+13:00"},  // where it is the 31st
		{"Pacific/Pago_Pago", "2027-02-01T05:00:00Z", ForAMonth, "2027-02-28T18:00:00-11:00"}, // the same
		{"Europe/London", "2027-03-01T09:00:00Z", ForAMonth, "2027-04-01T09:00:00+01:00"},     // into the summer
		{"Europe/London", "2026-10-20T08:00:00Z", ForAWeek, "2026-10-27T09:00:00Z"},           // into the winter
		{"America/New_York", "2026-11-21T09:30:15Z", ForThree, "2027-02-21T04:30:15-05:00"},
		{"UTC", "2026-11-21T09:30:15Z", NoExpiration, ""},
		{"UTC", "2026-11-21T09:30:15Z", OnADate, ""},
		{"UTC", "2026-11-21T09:30:15Z", "", ""},
		{"UTC", "2026-11-21T09:30:15Z", "1W", ""},
	} {
		now, err := time.Parse(withZone, c.now)
		if err != nil {
			t.Fatal(err)
		}
		at, ok := c.e.Ends(now.In(inZone(t, c.zone)))
		if ok != (c.want != "") || ok && at.Format(withZone) != c.want {
			t.Errorf("%s in %s, %q: %s, want %s", c.now, c.zone, c.e, at.Format(withZone), c.want)
		}
	}
}

// From any moment, in any zone: the day is the same one of the month that is meant, or its last; the time of day is the
// same, unless there is none that day; and the end is after the beginning.
func TestExpirationEndsOnTheDay(t *testing.T) {
	months := map[Expiration]int{ForAMonth: 1, ForThree: 3, ForAYear: 12}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		now := time.UnixMicro(rapid.Int64Range(1_767_225_600_000_000, 2_000_000_000_000_000).Draw(t, "now")).In(inZone(t, name))
		e := rapid.SampledFrom([]Expiration{ForAWeek, ForAMonth, ForThree, ForAYear}).Draw(t, "life")
		at, ok := e.Ends(now)
		if !ok || !at.After(now) {
			t.Fatalf("%s for %s ends %s", now, e, at)
		}
		if wall := at.Format("15:04:05.000000"); wall != now.Format("15:04:05.000000") {
			if exists := time.Date(at.Year(), at.Month(), at.Day(), now.Hour(), now.Minute(), now.Second(), now.Nanosecond(), now.Location()); exists.Format("15:04") == now.Format("15:04") {
				t.Fatalf("%s for %s ends %s, and that day has the same time", now, e, at)
			}
		}
		if e == ForAWeek {
			if days := at.YearDay() - now.YearDay(); days != 7 && at.Year() == now.Year() || at.Weekday() != now.Weekday() {
				t.Fatalf("%s for a week ends %s", now, at)
			}
			return
		}
		first := time.Date(now.Year(), now.Month()+time.Month(months[e]), 1, 12, 0, 0, 0, time.UTC)
		last := first.AddDate(0, 1, -1).Day()
		if at.Year() != first.Year() || at.Month() != first.Month() || at.Day() != min(now.Day(), last) {
			t.Fatalf("%s for %s ends %s", now, e, at)
		}
	})
}

// A date and time is the person's, to the minute, and lies ahead. One that comes twice, when clocks go back, is the first of
// the two; one that never comes is refused, and so is what cannot be meant.
func TestExpiryOnADate(t *testing.T) {
	const never, past, far = "This time does not exist on that day: the clocks go forward. Choose another one.", "The date and time must be in the future.", "Choose a date within the next 100 years, or Never."
	const unread = "Enter a date and time, for example 2027-02-19T09:00."
	now := time.Date(2026, 10, 1, 9, 30, 0, 0, time.UTC)
	for _, c := range []struct{ zone, date, want string }{
		{"UTC", "2027-02-19T09:00", "2027-02-19T09:00:00Z"},
		{"", "2027-02-19T09:00", "2027-02-19T09:00:00Z"},
		{"UTC", "2028-02-29T00:00", "2028-02-29T00:00:00Z"},
		{"Asia/Kathmandu", "2027-02-19T09:00", "2027-02-19T03:15:00Z"},
		{"Europe/London", "2027-03-28T00:59", "2027-03-28T00:59:00Z"},
		{"Europe/London", "2027-03-28T01:00", never},
		{"Europe/London", "2027-03-28T01:59", never},
		{"Europe/London", "2027-03-28T02:00", "2027-03-28T01:00:00Z"},
		{"America/New_York", "2027-03-14T02:30", never},
		{"Australia/Lord_Howe", "2026-10-04T02:15", never}, // by half an hour
		{"Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30:00Z"},
		{"Europe/London", "2026-10-25T00:59", "2026-10-24T23:59:00Z"},
		{"Europe/London", "2026-10-25T01:00", "2026-10-25T00:00:00Z"}, // and an hour later again
		{"Europe/London", "2026-10-25T01:59", "2026-10-25T00:59:00Z"},
		{"Europe/London", "2026-10-25T02:00", "2026-10-25T02:00:00Z"},
		{"America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"},
		{"America/New_York", "2026-11-01T02:00", "2026-11-01T07:00:00Z"},
		{"Pacific/Auckland", "2027-04-04T02:30", "2027-04-03T13:30:00Z"},
		{"Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45:00Z"},
		{"UTC", "2026-10-01T09:31", "2026-10-01T09:31:00Z"},
		{"UTC", "2026-10-01T09:30", past}, // this very moment
		{"UTC", "1999-12-31T23:59", past},
		{"UTC", "0000-01-01T00:00", past},
		{"Europe/London", "2026-10-01T10:30", past},
		{"Europe/London", "2026-10-01T10:31", "2026-10-01T09:31:00Z"},
		{"UTC", "2126-10-01T09:30", "2126-10-01T09:30:00Z"},
		{"UTC", "2126-10-01T09:31", far},
		{"UTC", "9999-12-31T23:59", far},
		{"UTC", "", unread},
		{"UTC", "tomorrow", unread},
		{"UTC", "2027-02-19", unread},
		{"UTC", "2027-02-19T9:00", unread},
		{"Europe/London", "2027-02-19T9:05", unread},
		{"UTC", "2027-2-19T09:00", unread},
		{"UTC", "2027-02-29T09:00", unread},
		{"UTC", "2027-13-01T09:00", unread},
		{"UTC", "2027-02-19T24:00", unread},
		{"UTC", "2027-02-19 09:00", unread},
		{"UTC", "2027-02-19T09:00:30", unread},
		{"UTC", "2027-02-19T09:00Z", unread},
		{"UTC", "12027-02-19T09:00", unread},
		{"UTC", " 2027-02-19T09:00", unread},
		{"UTC", "-027-02-19T09:00", unread},
		{"UTC", "2027-02-19T09:00\x00", unread},
	} {
		n := NewAPIToken{Name: "a", Expiration: OnADate, ExpiresAt: c.date}
		if c.zone != "" {
			n.Zone = inZone(t, c.zone)
		}
		r := Regeneration{Expiration: OnADate, ExpiresAt: c.date, Zone: n.Zone}
		ends, problems := n.Clean(now)
		again, regenerating := r.Clean(now)
		if got := toldOf(ends, problems, "expires_at"); got != c.want || toldOf(again, regenerating, "expires_at") != got {
			t.Errorf("%q in %s: %s, want %s", c.date, c.zone, got, c.want)
		}
	}
}

// toldOf is when something ends, or what is wrong with the field that was to say so.
func toldOf(ends *time.Time, problems Problems, field string) string {
	switch {
	case len(problems) > 0 && (len(problems) > 1 || ends != nil || problems[0].Name != field):
		return "more than a problem of " + field
	case len(problems) > 0:
		return problems[0].Message
	case ends == nil:
		return "never"
	}
	return ends.Format(withZone)
}

// What a form shows of a moment, in any zone, is read back as that moment, or as the first of the two that look the same;
// and what is read is never another time than was typed.
func TestDatesAreReadAsTheyWereShown(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		at := now.Add(time.Duration(rapid.Int64Range(1, 5*365*24*60).Draw(t, "minutes")) * time.Minute).In(inZone(t, name))
		if rapid.Bool().Draw(t, "near a change of the clocks") {
			if _, change := at.ZoneBounds(); !change.IsZero() {
				at = change.Add(time.Duration(rapid.IntRange(-120, 120).Draw(t, "off by")) * time.Minute)
			}
		}
		ends, wrong := endOf(now, OnADate, at.Format(localMinute), at.Location())
		if wrong != "" || ends.In(at.Location()).Format(localMinute) != at.Format(localMinute) || ends.After(at) || ends.Location() != time.UTC {
			t.Fatalf("%s became %v %s", at, ends, wrong)
		}
		if before := ends.Add(-3 * time.Hour); !ends.Equal(at) {
			for ; before.Before(*ends); before = before.Add(time.Minute) {
				if before.In(at.Location()).Format(localMinute) == at.Format(localMinute) {
					t.Fatalf("%s became %s, and %s is the first", at, ends, before)
				}
			}
		}
	})
}

// A length of life is counted where the person is, and kept in UTC, to the microsecond; without one there is no end; and
// what is no length is refused.
func TestExpiryByLength(t *testing.T) {
	now := time.Date(2027, 1, 30, 23, 30, 15, 123456789, time.UTC)
	for _, c := range []struct {
		e          Expiration
		zone, want string
	}{
		{ForAWeek, "UTC", "2027-02-06T23:30:15.123456Z"},
		{ForAMonth, "UTC", "2027-02-28T23:30:15.123456Z"},
		{ForAMonth, "Pacific/Auckland", "2027-02-27T23:30:15.123456Z"},
		{ForAYear, "America/New_York", "2028-01-30T23:30:15.123456Z"},
		{NoExpiration, "UTC", "never"},
		{"", "UTC", "never"},
		{"2w", "UTC", "Choose when the token expires, or Never."},
		{"1W", "UTC", "Choose when the token expires, or Never."},
	} {
		n := NewAPIToken{Name: "a", Expiration: c.e, ExpiresAt: "1999-01-01T00:00", Zone: inZone(t, c.zone)} // a date that is not asked for
		ends, problems := n.Clean(now)
		got := toldOf(ends, problems, "expiration")
		if ends != nil {
			got = ends.Format(time.RFC3339Nano)
		}
		r := Regeneration{Expiration: c.e, ExpiresAt: n.ExpiresAt, Zone: n.Zone}
		again, regenerating := r.Clean(now)
		if got != c.want || toldOf(again, regenerating, "expiration") != toldOf(ends, problems, "expiration") {
			t.Errorf("%q in %s: %s, want %s", c.e, c.zone, got, c.want)
		}
	}
}

// A name is trimmed, at most 80 characters that can be shown, and needed; so it is when a token is renamed.
func TestTokenNames(t *testing.T) {
	for name, want := range map[string]string{
		"  Build \t server ":    "Build server",
		strings.Repeat("é", 80): strings.Repeat("é", 80),
		strings.Repeat("é", 81): "Token name must be 80 characters or fewer.",
		"":                      "Enter a token name.",
		" \n ":                  "Enter a token name.",
		"a\x00b":                "Token name has characters that can't be shown. Type it again.",
		"a\xffb":                "Token name has characters that can't be shown. Type it again.",
		"a\u202eb":              "Token name has characters that can't be shown. Type it again.",
	} {
		n, again := NewAPIToken{Name: name}, TokenNaming{Name: name}
		_, problems := n.Clean(noon)
		renaming := again.Clean()
		if got := problems.Message("name"); got+n.Name != want && got != want || len(problems) > 1 || !slices.Equal(problems, renaming) || n.Name != again.Name {
			t.Errorf("%q: %q with %v, and %v", name, n.Name, problems, renaming)
		}
	}
}

// Chosen scopes are kept in one order, each once, and there is at least one; without a choice there are none.
func TestTokenScopes(t *testing.T) {
	for _, c := range []struct {
		chosen       bool
		scopes, want Scopes
		says         string
	}{
		{true, Scopes{"b:x", "a:y", "b:x", "a:x"}, Scopes{"a:x", "a:y", "b:x"}, ""},
		{true, Scopes{"a:x"}, Scopes{"a:x"}, ""},
		{true, nil, nil, "Choose at least one operation, or let the token use every resource."},
		{true, Scopes{}, Scopes{}, "Choose at least one operation, or let the token use every resource."},
		{false, Scopes{"a:x"}, nil, ""},
		{false, nil, nil, ""},
	} {
		n := NewAPIToken{Name: "a", Chosen: c.chosen, Scopes: slices.Clone(c.scopes)}
		if _, problems := n.Clean(noon); !slices.Equal(n.Scopes, c.want) || problems.Message("scope") != c.says {
			t.Errorf("%v %q: %q with %v", c.chosen, c.scopes, n.Scopes, problems)
		}
	}
	all, some := Scopes(nil), Scopes{"a:x", "b:y"}
	for scope, want := range map[string]bool{"a:x": true, "b:y": true, "a:y": false, "": false, "a": false, "a:x b:y": false} {
		if some.Allow(scope) != want || !all.Allow(scope) {
			t.Errorf("%q: %v, %v", scope, some.Allow(scope), all.Allow(scope))
		}
	}
	if some.String() != "a:x b:y" || all.String() != "" {
		t.Errorf("they are %q and %q", some, all)
	}
}

// Everything that is wrong is told at once.
func TestNewAPITokenTellsAll(t *testing.T) {
	n := NewAPIToken{Expiration: OnADate, Chosen: true}
	_, problems := n.Clean(noon)
	var told []string
	for _, p := range problems {
		told = append(told, p.Name)
	}
	if strings.Join(told, " ") != "name expires_at scope" {
		t.Errorf("told %v", problems)
	}
	r := Regeneration{ExpiresAt: "nonsense that is not asked for"}
	if ends, problems := r.Clean(noon); ends != nil || len(problems) > 0 {
		t.Errorf("as it is: %v, %v", ends, problems)
	}
}
