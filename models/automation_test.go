package models

import (
	"testing"
	"time"
)

// Each period ends when a calendar says so, to the microsecond, whatever the zone of the moment.
func TestExpirationPeriods(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for _, c := range []struct{ period, now, ends string }{
		{"1h", "2027-01-31T09:00:00Z", "2027-01-31T10:00:00Z"},
		{"3h", "2027-01-31T23:00:00Z", "2027-02-01T02:00:00Z"},
		{"5h", "2027-01-31T09:00:00Z", "2027-01-31T14:00:00Z"},
		{"16h", "2027-01-31T09:00:00Z", "2027-02-01T01:00:00Z"},
		{"24h", "2027-01-31T09:00:00Z", "2027-02-01T09:00:00Z"},
		{"48h", "2027-01-31T09:00:00Z", "2027-02-02T09:00:00Z"},
		{"1w", "2027-01-31T09:00:00Z", "2027-02-07T09:00:00Z"},
		{"2w", "2027-01-31T09:00:00Z", "2027-02-14T09:00:00Z"},
		{"3w", "2027-01-31T09:00:00Z", "2027-02-21T09:00:00Z"},
		{"1mo", "2027-01-31T09:00:00Z", "2027-02-28T09:00:00Z"},
		{"1mo", "2028-01-31T09:00:00Z", "2028-02-29T09:00:00Z"},
		{"1mo", "2027-01-30T09:00:00Z", "2027-02-28T09:00:00Z"},
		{"1mo", "2027-01-29T09:00:00Z", "2027-02-28T09:00:00Z"},
		{"1mo", "2027-01-28T09:00:00Z", "2027-02-28T09:00:00Z"},
		{"1mo", "2028-01-29T09:00:00Z", "2028-02-29T09:00:00Z"},
		{"1mo", "2028-02-29T09:00:00Z", "2028-03-29T09:00:00Z"},
		{"1mo", "2027-02-28T09:00:00Z", "2027-03-28T09:00:00Z"},
		{"1mo", "2100-01-31T09:00:00Z", "2100-02-28T09:00:00Z"}, // which is no leap year
		{"1mo", "2400-01-31T09:00:00Z", "2400-02-29T09:00:00Z"}, // and this is one
		{"1mo", "2027-03-31T09:00:00Z", "2027-04-30T09:00:00Z"},
		{"1mo", "2027-04-30T09:00:00Z", "2027-05-30T09:00:00Z"},
		{"1mo", "2027-12-31T23:59:59.999999Z", "2028-01-31T23:59:59.999999Z"},
		{"1h", "2027-12-31T23:59:59.000001Z", "2028-01-01T00:59:59.000001Z"},
		{"3w", "2028-02-20T09:00:00Z", "2028-03-12T09:00:00Z"},
		{"24h", "2028-02-28T09:00:00Z", "2028-02-29T09:00:00Z"},
		{"24h", "2027-03-27T23:30:00+13:00", "2027-03-28T10:30:00Z"},
		{"1mo", "2027-12-15T23:30:00-02:00", "2028-01-16T01:30:00Z"}, // which is the 16th in UTC
	} {
		ends, ok := ExpirationPeriod(c.period).Ends(at(c.now))
		if !ok || ends == nil || !ends.Equal(at(c.ends)) || ends.Location() != time.UTC {
			t.Errorf("%s from %s ends %v (%v), want %s", c.period, c.now, ends, ok, c.ends)
		}
	}
	if ends, ok := ExpirationPeriod("no_exp").Ends(at("2027-01-31T09:00:00Z")); !ok || ends != nil {
		t.Errorf("no_exp ends %v (%v)", ends, ok)
	}
	if len(ExpirationPeriods) != 11 || PeriodList() != "1h, 3h, 5h, 16h, 24h, 48h, 1w, 2w, 3w, 1mo, no_exp" {
		t.Errorf("they are %s", PeriodList())
	}
	for _, none := range []ExpirationPeriod{"", "720h", "30d", "1H", " 1h", "0h", "4w", "never", "-1h", "1mo "} {
		if ends, ok := none.Ends(at("2027-01-31T09:00:00Z")); ok {
			t.Errorf("%q ends %v", none, ends)
		}
	}
}

func TestPeriodsInWords(t *testing.T) {
	want := []string{"1 hour", "3 hours", "5 hours", "16 hours", "24 hours", "48 hours", "1 week", "2 weeks", "3 weeks", "1 month", "No expiration"}
	for i, period := range ExpirationPeriods {
		if got := period.Meaning(); got != want[i] {
			t.Errorf("%s is %q, want %q", period, got, want[i])
		}
	}
}

func TestNewAutomationTokenClean(t *testing.T) {
	now := time.Date(2027, 2, 19, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		in    NewAutomationToken
		name  string
		field string // that something is wrong with
	}{
		{NewAutomationToken{Period: "1h"}, "Automation token", ""},
		{NewAutomationToken{"  Nightly  job ", "no_exp"}, "Nightly job", ""},
		{NewAutomationToken{"a\x00b", "1h"}, "", "name"},
		{NewAutomationToken{string(make([]rune, 81)), "1h"}, "", "name"},
		{NewAutomationToken{"x", "720h"}, "x", "expiration_period"},
	} {
		ends, problems := c.in.Clean(now)
		if c.field == "" && (len(problems) > 0 || c.in.Name != c.name || (ends == nil) != (c.in.Period == "no_exp")) {
			t.Errorf("%+v: %v, %v", c.in, ends, problems)
		}
		if c.field != "" && problems.Message(c.field) == "" {
			t.Errorf("%+v: %v", c.in, problems)
		}
	}
}
