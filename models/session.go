package models

import "time"

// How long a session lives (security rule S4) and how long its password check counts as recent (S5).
const (
	SessionIdle   = 30 * time.Minute
	SessionLife   = 12 * time.Hour
	RecentSignIn  = 15 * time.Minute
	SetupCodeLife = 15 * time.Minute
)

// How long a program that signed in stays so: a sign-in token, a refresh token, and all of it.
const (
	SignInTokenLife  = 30 * time.Minute
	RefreshTokenLife = 30 * 24 * time.Hour
	ProgramLife      = 90 * 24 * time.Hour
)

// SessionKind says what is signed in.
type SessionKind string

const (
	OfBrowser SessionKind = "browser"
	OfProgram SessionKind = "program" // by the account API, with a sign-in token and a refresh token
)

// Session is one signed-in browser or program. The cookie holds a random secret, and so does the sign-in token; the row holds its hash.
// Ending a session removes the row.
type Session struct {
	ID          string `gorm:"primaryKey"`
	Kind        SessionKind
	Hash        []byte // SHA-256 of the cookie's value, or of the random value in the sign-in token, domain-separated; unique
	PersonID    string
	WorkspaceID string    `gorm:"serializer:optional"` // in which a program is
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
	SeenAt      time.Time // kept to the minute
	ConfirmedAt time.Time // when the password was last checked
	ExpiresAt   time.Time // the absolute end
	Address     string
	Browser     string // the User-Agent field, cut to 200 characters
	Data        []byte // what the next page shows once
}

// Live says whether the session may still be used: neither idle too long nor over.
func (s Session) Live(now time.Time) bool {
	return now.Before(s.Over())
}

// Over is when the session ends if it is not used any more.
func (s Session) Over() time.Time {
	if idle := s.SeenAt.Add(s.Kind.Idle()); idle.Before(s.ExpiresAt) {
		return idle
	}
	return s.ExpiresAt
}

// Idle is how long a session of the kind lives on unused. A program's is used when its refresh token is.
func (k SessionKind) Idle() time.Duration {
	if k == OfProgram {
		return RefreshTokenLife
	}
	return SessionIdle
}

// Recent says whether the password was checked recently enough for what needs it.
func (s Session) Recent(now time.Time) bool { return now.Before(s.ConfirmedAt.Add(RecentSignIn)) }

// SessionSeen is a session with its person, as every request needs them.
type SessionSeen struct {
	Session Session
	Person  Person
}

// SignIn is the input of a sign-in.
type SignIn struct {
	Email, Password string
	Browser         string
	Before          string // the ID of the session that this browser had, which ends
	Familiar        bool   // somebody signed in to this account in this browser before
}

// RefreshToken lets a program have its next sign-in token, once. The token itself is nowhere.
type RefreshToken struct {
	Hash      []byte `gorm:"primaryKey"`
	SessionID string
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
	UsedAt    *time.Time
}

// BadRefreshToken is the answer to any that cannot be used, whatever the reason.
var BadRefreshToken = Fail(Ambiguous, "Invalid refresh token. Each is for one use, by the e-mail address that signed in: take the one of the last answer, or sign in again with POST /user/signin.").Named("invalid_refresh_token")

// Renewal is the input of having the next sign-in token.
type Renewal struct {
	Email       string
	WorkspaceID string // or slug; empty: the workspace as it was

	// Allow is asked before a token that is good is used up, with the workspace that it is to be for: an error of it uses up nothing. It must be quick. Nil allows.
	Allow func(ProgramSeen) error
}

// ProgramSeen is a program's session with its person and workspace.
type ProgramSeen struct {
	Session   Session
	Person    Person
	Workspace WorkspaceSeen
}
