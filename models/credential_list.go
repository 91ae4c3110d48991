package models

import "time"

// NobodysCredentials is the owner of a filter that means credentials of workspaces, which are no person's: API tokens and collection access keys.
const NobodysCredentials = "workspace"

// MostRevoked is how many credentials can be revoked at once.
const MostRevoked = 1000

// CredentialFilter says which credentials of the installation a list shows. Empty fields let everything pass. The list is in the order of
// creation, the newest first; with ExpiresWithin by their end, the soonest first; and with Expired by their end, the latest first.
type CredentialFilter struct {
	Query       string // part of a name, the beginning of a credential, or its last four characters
	Hash        []byte // of a whole secret: the credential that has it, or had it before
	Kind        CredentialKind
	Status      State  // Revoked includes those that were replaced
	OwnerID     string // a person's ID, or NobodysCredentials
	WorkspaceID string
	CreatedBy   string // a person's ID

	ExpiresWithin time.Duration // it has not ended yet and will so soon
	NeverExpires  bool          // it has not been revoked and has no end
	UnusedFor     time.Duration // not used for so long, and made before that
	NeverUsed     bool

	After CredentialPlace
	Limit int // how many at most; 0: PageSize
}

// CredentialPlace is where a list of credentials goes on. The zero CredentialPlace is the beginning.
type CredentialPlace struct {
	ID string    `json:"i,omitempty"`
	At time.Time `json:"t,omitzero"` // where the list is by the end
}

// CredentialsFound is a page of the list of credentials. Next is where it goes on; Looked is how many were looked through, where
// that was not all there are and fewer than a page was found.
type CredentialsFound struct {
	Rows   []CredentialRow
	Next   CredentialPlace
	Looked int
}

// CredentialRow is a credential with what it belongs to, by name.
type CredentialRow struct {
	CredentialSeen
	Workspace     string // the name of the one that it is for; also of one that was deleted
	WorkspaceSlug string // of one that was not
	Collection    string
	Before        bool // the secret that was asked for is one that it had before
}

// UsageTotal is the calls with all credentials on one day (UTC).
type UsageTotal struct {
	Day     string `gorm:"primaryKey"` // 2006-01-02
	Calls   int64  // accepted
	Refused int64
}

// Figures are what the overview counts; each up to CountCap and one more. One that is below zero was not counted to its end.
type Figures struct {
	Active, Inactive, Expired, Revoked Count
	ExpireSoon                         Count // within ExpireSoon
	Unused                             Count // active, and not used for UnusedLong
	RefusedCalls                       Count // what the audit log tells of refused calls in the last 30 days
	Days                               []UsageTotal
}

// Count is a number of rows; Least says that there may be more.
type Count struct {
	N     int
	Least bool
}

// What the overview calls soon, and long.
const (
	ExpiringSoon = 14 * 24 * time.Hour
	UnusedLong   = 90 * 24 * time.Hour
	FigureDays   = 30
)
