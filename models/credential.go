package models

import (
	"time"
	"unicode/utf8"
)

// CredentialKind is what a credential is for. The kind decides its prefix, its owner, its lifetime
// and where it opens.
type CredentialKind string

// Bearer is the one token of a person that an Admin creates on the person's record.
const Bearer CredentialKind = "bearer"

// Prefix is the four characters that a credential of the kind begins with.
func (k CredentialKind) Prefix() string {
	return map[CredentialKind]string{Bearer: "user"}[k]
}

// State is what a credential is at a moment. It is derived, never stored.
type State string

const (
	Active   State = "active"
	Inactive State = "inactive"
	Expired  State = "expired"
	Revoked  State = "revoked"
	Replaced State = "replaced" // revoked, by a newer one taking its place
)

// Credential is any secret that Tokendesk issues. The secret itself is nowhere: Hash finds it,
// Prefix and Last4 let people tell it from others.
type Credential struct {
	ID           string `gorm:"primaryKey"`
	Kind         CredentialKind
	Name         string
	Prefix       string // its first 8 characters
	Last4        string // its last 4
	Hash         []byte // SHA-256, domain-separated; unique
	PersonID     string // whose rights it carries
	Enabled      bool
	CreatedAt    time.Time `gorm:"autoCreateTime:false"`
	CreatedBy    string    // a person's ID
	ExpiresAt    *time.Time
	RevokedAt    *time.Time
	RevokedBy    string // a person's ID, or empty for the command line
	RevokeReason string
	ReplacedBy   string // the ID of the credential that took its place
}

// State derives the credential's state at a moment, in this order: revoked or replaced, expired,
// inactive, active. It expires at the very instant of its date, not after.
func (c Credential) State(now time.Time) State {
	switch {
	case c.RevokedAt != nil && c.ReplacedBy != "":
		return Replaced
	case c.RevokedAt != nil:
		return Revoked
	case c.ExpiresAt != nil && !now.Before(*c.ExpiresAt):
		return Expired
	case !c.Enabled:
		return Inactive
	}
	return Active
}

// BearerTokenLife says when a bearer token made now expires: one year later, on the same day.
func BearerTokenLife(now time.Time) time.Time { return now.AddDate(1, 0, 0) }

// Revocation is the input of a revocation.
type Revocation struct{ Reason string }

// Clean trims what was typed and tells everything that is wrong with it.
func (r *Revocation) Clean() Problems {
	var p Problems
	r.Reason = CleanText(r.Reason)
	p.Add(utf8.RuneCountInString(r.Reason) > 200, "reason", "Reason must be 200 characters or fewer.")
	p.Add(!Printable(r.Reason), "reason", "Reason has characters that can't be shown. Type it again.")
	return p
}

// Grant is what is known about a presented credential at the moment of a call: the credential,
// and its owner as they are now.
type Grant struct {
	Credential Credential
	Owner      Person
}

// Usage is how often a credential was presented, as far as it has been written down: calls still
// in a server's memory follow within a second.
type Usage struct {
	CredentialID string     `gorm:"primaryKey"`
	Calls        int64      // accepted
	Refused      int64      // refused while it was alive: a right that was missing
	Late         int64      // refused because it was revoked, replaced, expired or inactive
	LastUsedAt   *time.Time // last call while it was alive, refused ones too
	LastAddress  string     // of that call
	LastLateAt   *time.Time
}

// UsageDay is the accepted calls of one credential on one day (UTC).
type UsageDay struct {
	CredentialID string `gorm:"primaryKey"`
	Day          string `gorm:"primaryKey"` // 2006-01-02
	Calls        int64
}

// Call outcomes as usage counts them.
type Outcome string

const (
	CallAccepted Outcome = "accepted"
	CallRefused  Outcome = "refused"
	CallLate     Outcome = "late"
)

// CredentialSeen is a credential as a page shows it.
type CredentialSeen struct {
	Credential
	CreatedByName string
	RevokedByName string
	Usage         Usage
	Days          []UsageDay // the last 14, oldest first; days without a call are left out
}
