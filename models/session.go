package models

import "time"

// How long a session lives (security rule S4) and how long its password check counts as recent (S5).
const (
	SessionIdle   = 30 * time.Minute
	SessionLife   = 12 * time.Hour
	RecentSignIn  = 15 * time.Minute
	SetupCodeLife = 15 * time.Minute
)

// Session is one signed-in browser. The cookie holds a random secret; the row holds its hash.
// Ending a session removes the row.
type Session struct {
	ID          string `gorm:"primaryKey"`
	Hash        []byte // SHA-256 of the cookie's value, domain-separated; unique
	PersonID    string
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
	return now.Before(s.ExpiresAt) && now.Before(s.SeenAt.Add(SessionIdle))
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
