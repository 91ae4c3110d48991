package models

import (
	"fmt"
	"time"
)

// MostCollectionKeys is how many access keys that have not ended a collection has at a time.
const MostCollectionKeys = 1000

// NewCollectionKey is the input of sharing a collection.
type NewCollectionKey struct {
	Name string // empty: it is called an access key
}

// CollectionKeyLife is how long a new access key of a collection lives, as the form that makes one says it.
func (p Policy) CollectionKeyLife() string {
	days, longest := int(CollectionKeyLife/(24*time.Hour)), p.LongestCollectionDays
	switch {
	case longest == 0:
		return fmt.Sprintf("It lives for %d days, and each use gives it another %d.", days, days)
	case longest <= days:
		return fmt.Sprintf("It lives for %s, however often it is used. Admins decided that.", DayCount(longest))
	}
	return fmt.Sprintf("It lives for %d days, and each use gives it another %d, up to %s in all. Admins decided that.", days, days, DayCount(longest))
}

// Clean trims what was typed and tells everything that is wrong with it.
func (n *NewCollectionKey) Clean() Problems {
	var p Problems
	if n.Name = CleanText(n.Name); n.Name == "" {
		n.Name = "Access key"
	}
	cleanKeyName(&p, &n.Name)
	return p
}

// CollectionKeySeen is a collection access key as a page shows it.
type CollectionKeySeen struct {
	CredentialSeen
	Collection string // its name now; empty when it was deleted
	Workspace  Workspace
	Mine       bool // whoever looks made it
	MayEnd     bool // and may revoke it
}

// Earliest is the earlier of two ends, of which nil is never.
func Earliest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}
