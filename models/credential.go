package models

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// CredentialKind is what a credential is for. The kind decides its prefix, its owner, its lifetime
// and where it opens.
type CredentialKind string

const (
	Bearer   CredentialKind = "bearer" // the one token of a person that an Admin creates on the person's record
	APIToken CredentialKind = "api"    // a workspace's, which opens one of its products

	// APIKey is a person's own, with the rights that they have at the time of each call.
	APIKey CredentialKind = "key"
	// CollectionKey opens one collection for reading, and nothing else. It is nobody's.
	CollectionKey CredentialKind = "collection"

	// AutomationToken is a person's for one workspace, with what they may do there at the time of each call.
	AutomationToken CredentialKind = "automation"
	// SignInToken is what a program has that signed in as a person: a JWT for half an hour, and no row of its own.
	SignInToken CredentialKind = "user"
)

// kindPrefixes are the four characters that a credential of a kind begins with. An API token begins with those of
// its product, which may be none of these.
var kindPrefixes = map[CredentialKind]string{Bearer: "user", AutomationToken: "auto", APIKey: "pkey", CollectionKey: "coll", "refresh": "rfsh"}

// Prefix is the four characters that a credential of the kind begins with; empty for an API token.
func (k CredentialKind) Prefix() string { return kindPrefixes[k] }

// Named is a credential of the kind in a sentence.
func (k CredentialKind) Named() string {
	switch k {
	case Bearer:
		return "a bearer token"
	case APIToken:
		return "an API token"
	case AutomationToken:
		return "an automation token"
	case SignInToken:
		return "a sign-in token"
	case APIKey:
		return "an API key"
	case CollectionKey:
		return "a collection access key"
	}
	return "a credential"
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
	ID              string `gorm:"primaryKey"`
	Kind            CredentialKind
	Name            string
	NameKey         string // folded, for searching
	Prefix          string // its first 8 characters
	Last4           string // its last 4
	Hash            []byte // SHA-256, domain-separated; unique
	PersonID        string `gorm:"serializer:optional"` // whose rights it carries; empty for an API token and a collection access key
	WorkspaceID     string `gorm:"serializer:optional"` // where it opens something; empty for a bearer token and an API key
	ProductID       string `gorm:"serializer:optional"` // what it opens; only of an API token
	CollectionID    string `gorm:"serializer:optional"` // what it opens; only of a collection access key
	Scopes          Scopes `gorm:"serializer:words"`    // the operations that it is narrowed to; none: all of the product
	Enabled         bool
	CreatedAt       time.Time `gorm:"autoCreateTime:false"`
	CreatedBy       string    // a person's ID
	ExpiresAt       *time.Time
	LatestExpiresAt *time.Time // beyond which no use pushes the end of a collection access key; nil: there is no such day
	RevokedAt       *time.Time
	RevokedBy       string // a person's ID, or empty for the command line
	RevokeReason    string
	ReplacedBy      string // the ID of the credential that took its place; its own, where this is the secret that it had before
}

// Scopes are operations of a product, "resource:operation" each.
type Scopes []string

// String is the scopes as one text, with a space between them (RFC 6749, section 3.3).
func (s Scopes) String() string { return strings.Join(s, " ") }

// Allow says whether they cover an operation. No scopes at all are no narrowing.
func (s Scopes) Allow(scope string) bool { return len(s) == 0 || slices.Contains(s, scope) }

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

// Persons says whether a credential of the kind acts as the person whose it is.
func (k CredentialKind) Persons() bool { return k != APIToken && k != CollectionKey }

// CollectionKeyLife is how long a collection access key lives, and how far each use pushes its end out.
const CollectionKeyLife = 60 * 24 * time.Hour

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
// its owner as they are now, and what it opens.
type Grant struct {
	Credential Credential
	Owner      Person    // empty for an API token
	Opens      Opens     // empty for a bearer token
	Over       time.Time // when the sign-in ends by itself that a sign-in token hangs on; zero for others
	AsOf       Snapshot
}

// Opens is the product that a credential opens, as it is now.
type Opens struct {
	WorkspaceID  string
	Slug         string // of the workspace
	Closed       bool   // the workspace was deleted
	ProductID    string
	Revision     int64 // of the product: it changes with whatever changes of it
	CallsAMinute int   // of each credential
	AsOf         Snapshot
}

// Secret is what regenerating a credential left behind: what its text was known by before.
type Secret struct {
	Hash         []byte `gorm:"primaryKey"`
	CredentialID string
	Prefix       string
	Last4        string
	ReplacedAt   time.Time
	ReplacedBy   string // a person's ID
}

// TableName says that these are the ones before.
func (Secret) TableName() string { return "replaced_secrets" }

// Usage is how often a credential was presented, as far as it has been written down: calls that a server
// has counted since follow within a second.
type Usage struct {
	CredentialID string     `gorm:"primaryKey"`
	Calls        int64      // accepted
	Refused      int64      // refused while it was alive: a right that was missing
	Late         int64      // refused because it was revoked, replaced, expired or inactive
	LastUsedAt   *time.Time // last call while it was alive, refused ones too
	LastAddress  string     // of that call
	LastLateAt   *time.Time
	WorkspaceID  string    `gorm:"serializer:optional"` // an API token's, by which those of a workspace are sorted
	IdleSince    time.Time // its last use, or up to an hour before it; before the first, its creation
	Used         bool      // LastUsedAt is set
	Ranked       int64     // an API token's Calls, or up to a thousandth less: those of a workspace are sorted by it

	Day        string // of which DayCalls and DayRefused are counted here and not as a UsageDay; empty: none
	DayCalls   int64
	DayRefused int64

	KeptBy *time.Time `gorm:"-"` // the last accepted call of a collection access key, which pushes its end out; nil: nothing does
}

// UsageDay is the calls of one credential on one day (UTC).
type UsageDay struct {
	CredentialID string `gorm:"primaryKey"`
	Day          string `gorm:"primaryKey"` // 2006-01-02
	Calls        int64  // accepted
	Refused      int64  // refused while it was alive, and after
}

// Flush names a part of the counts of one server: who sends it again sends the same counts under the same name, and
// they are counted once. A server sends its flushes in the order of their numbers, and none before the one before it was
// written down.
type Flush struct {
	Boot   string // a UUID that the server chose when it started
	Number int64  // from 1 on
}

// FlushesKept is for how long it is remembered, at least, which of a server's flushes was its last: what a server left behind
// that ended longer ago is not counted any more.
const FlushesKept = 30 * 24 * time.Hour

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
	Idle          bool   // its person is deactivated: it is refused as long as that lasts
	PersonName    string // of an automation token and a bearer token: whose it is
	CreatedByName string
	RevokedByName string
	Product       string // its product's name
	Usage         Usage
	Days          []UsageDay // the last 14, oldest first; days without a call are left out
}
