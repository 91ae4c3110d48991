package models

import (
	"fmt"
	"time"
)

// KeyMakers says who may generate API keys.
type KeyMakers string

const (
	EveryoneMakesKeys KeyMakers = "everyone"
	AdminsMakeKeys    KeyMakers = "admins"
	NobodyMakesKeys   KeyMakers = "nobody"
)

// Policy is what Admins decided for everybody. It applies to what is made from then on.
type Policy struct {
	KeyMakers KeyMakers
	KeyDays   *int // how long new API keys live, for everybody; 0: without end; nil: as each person chooses

	// How many days a credential of each kind lives at most; 0: there is no limit.
	LongestBearerDays, LongestAPIDays, LongestAutomationDays, LongestKeyDays, LongestCollectionDays int

	ExpiryRequired bool // nothing is made that never expires
	UnusedDays     int  // API keys that were not used for so many days are revoked; 0: none are
}

// TableName is that of the one row that there is.
func (Policy) TableName() string { return "policies" }

// LongestDays is how many days a credential of a kind lives at most; 0: there is no limit.
func (p Policy) LongestDays(kind CredentialKind) int {
	switch kind {
	case Bearer:
		return p.LongestBearerDays
	case APIToken:
		return p.LongestAPIDays
	case AutomationToken:
		return p.LongestAutomationDays
	case APIKey:
		return p.LongestKeyDays
	case CollectionKey:
		return p.LongestCollectionDays
	}
	return 0
}

// Latest is when a credential of a kind that is made at a moment ends at the latest; nil: there is no limit.
func (p Policy) Latest(kind CredentialKind, now time.Time) *time.Time {
	days := p.LongestDays(kind)
	if days == 0 {
		return nil
	}
	at := Instant(now.AddDate(0, 0, days))
	return &at
}

// Refuses says what is wrong with the end of a credential of a kind that is made at a moment; nil is never. It is empty where nothing is.
func (p Policy) Refuses(kind CredentialKind, now time.Time, ends *time.Time) string {
	latest := p.Latest(kind, now)
	switch {
	case ends == nil && latest != nil, latest != nil && ends.After(*latest):
		return fmt.Sprintf("Admins decided that %s lives %s at most. Choose an earlier end.", kind.Named(), DayCount(p.LongestDays(kind)))
	case ends == nil && p.ExpiryRequired:
		return "Admins decided that everything expires. Choose when."
	}
	return ""
}

// Shortened is an end that is fixed, as for a bearer token, or the latest that the policy allows where that is earlier.
func (p Policy) Shortened(kind CredentialKind, now, ends time.Time) time.Time {
	if latest := p.Latest(kind, now); latest != nil && latest.Before(ends) {
		return *latest
	}
	return ends
}

// MayGenerateKeys says whether somebody of a role may make API keys.
func (p Policy) MayGenerateKeys(role Role) bool {
	return p.KeyMakers == EveryoneMakesKeys || p.KeyMakers == AdminsMakeKeys && role == Admin
}

// DefaultKeyDays is how many days a person's new API keys live until they choose.
const DefaultKeyDays = 90

// DayCount is so many days, in words.
func DayCount(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
