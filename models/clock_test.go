package models

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A time that is stored is UTC and whole microseconds, and so is the clock's.
func TestInstant(t *testing.T) {
	elsewhere := time.Date(2026, 11, 21, 23, 59, 59, 123456789, time.FixedZone("", 5*60*60+45*60))
	if got := Instant(elsewhere).Format(time.RFC3339Nano); got != "2026-11-21T18:14:59.123456Z" {
		t.Errorf("got %s", got)
	}
	for range 100 {
		if now := SystemClock(); now != Instant(now) || now.Location() != time.UTC {
			t.Fatalf("the clock says %s", now)
		}
	}
}

// IDs sort by the time that they were made, and each is valid.
func TestIDsAreInOrder(t *testing.T) {
	ids := make([]string, 1000)
	for i := range ids {
		if ids[i] = NewID(); !ValidID(ids[i]) || ids[i][14] != '7' {
			t.Fatalf("%q is no UUIDv7", ids[i])
		}
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != 1000 {
		t.Error("they are out of order or not all different")
	}
}

// Only the one written form of a UUID is an identifier: what is anything else never reaches a database.
func TestValidID(t *testing.T) {
	id := NewID()
	bare := strings.ReplaceAll(id, "-", "")
	for _, text := range []string{
		"", " ", "new", bare, "{" + id + "}", "urn:uuid:" + id, id[:35], id + "0", " " + id[1:], id[:35] + "\x00",
		id[:35] + "g", strings.Replace(id, "-", "_", 1), bare + "----", "id = ''; DROP TABLE people; --------",
	} {
		if ValidID(text) {
			t.Errorf("%q is taken for an identifier", text)
		}
	}
}
