package models

import (
	"slices"
	"time"
	"unicode/utf8"
)

// Expiration is how long an API token lives, as its form offers it.
type Expiration string

const (
	ForAWeek     Expiration = "1w"
	ForAMonth    Expiration = "1mo"
	ForThree     Expiration = "3mo"
	ForAYear     Expiration = "1y"
	NoExpiration Expiration = "no_exp"
	OnADate      Expiration = "custom"
)

// Ends answers when what is made at a moment ends; a month is a calendar month, counted in the zone of the moment, and
// one that has no such day ends on its last. ok is false for no expiration, for a date and for what there is not.
func (e Expiration) Ends(now time.Time) (at time.Time, ok bool) {
	switch e {
	case ForAWeek:
		return now.AddDate(0, 0, 7), true
	case ForAMonth:
		return addMonths(now, 1), true
	case ForThree:
		return addMonths(now, 3), true
	case ForAYear:
		return addMonths(now, 12), true
	}
	return at, false
}

// addMonths is AddDate without its habit of making 31 January and a month 3 March.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return time.Date(first.Year(), first.Month(), min(t.Day(), last), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

// localMinute is how a form tells a date and time (HTML, a valid local date and time string).
const localMinute = "2006-01-02T15:04"

// NewAPIToken is the input of an API token's creation.
type NewAPIToken struct {
	Name       string
	ProductID  string // empty: the workspace's only product
	Expiration Expiration
	ExpiresAt  string         // for OnADate: 2006-01-02T15:04 in Zone
	Zone       *time.Location // the person's
	EndsAt     *time.Time     // a program says the moment itself, where Expiration is empty; nil: never
	EndGiven   bool           // whether it said one, or that there is none
	Chosen     bool           // narrowed to Scopes
	Scopes     Scopes
}

// Given says whether the input tells when the token ends, or that it never does. No choice at all is never too, unless something
// else gives it an end.
func (n NewAPIToken) Given() bool { return n.Expiration != "" || n.EndGiven }

// Clean trims what was typed, tells everything that is wrong with it, and works out when the token ends; nil is never.
// Whether the scopes are the product's is asked where the product is known.
func (n *NewAPIToken) Clean(now time.Time) (ends *time.Time, p Problems) {
	cleanTokenName(&p, &n.Name)
	ends, wrong := checkedEnd(now, n.Expiration, n.ExpiresAt, n.Zone)
	if n.Expiration == "" {
		ends, wrong = exactEnd(now, n.EndsAt)
	}
	p = append(p, wrong...)
	if !n.Chosen {
		n.Scopes = nil
	}
	slices.Sort(n.Scopes)
	n.Scopes = slices.Compact(n.Scopes)
	p.Add(n.Chosen && len(n.Scopes) == 0, "scope", "Choose at least one operation, or let the token use every resource.")
	return ends, p
}

// furthest is how far ahead a date may be: beyond it is a slip of the keyboard.
const furthest = 100 // years

// checkedEnd works out when a token ends whose form says how long it is to live, in a zone.
func checkedEnd(now time.Time, e Expiration, date string, zone *time.Location) (ends *time.Time, p Problems) {
	ends, wrong := endOf(now, e, date, zone)
	p.Add(wrong != "" && e == OnADate, "expires_at", wrong)
	p.Add(wrong != "" && e != OnADate, "expiration", wrong)
	return ends, p
}

// exactEnd checks a moment that a program gave as the end; nil is never.
func exactEnd(now time.Time, at *time.Time) (ends *time.Time, p Problems) {
	if at == nil {
		return nil, nil
	}
	p.Add(!at.After(now), "expires_at", "The date and time must be in the future.")
	p.Add(at.After(now.AddDate(furthest, 0, 0)), "expires_at", "Choose a date within the next 100 years, or Never.")
	if len(p) > 0 {
		return nil, p
	}
	exact := Instant(*at)
	return &exact, nil
}

func endOf(now time.Time, e Expiration, date string, zone *time.Location) (ends *time.Time, wrong string) {
	if zone == nil {
		zone = time.UTC
	}
	if at, ok := e.Ends(now.In(zone)); ok {
		at = Instant(at)
		return &at, ""
	}
	switch e {
	case NoExpiration, "":
		return nil, ""
	case OnADate:
	default:
		return nil, "Choose when the token expires, or Never."
	}
	typed, err := time.Parse(localMinute, date)
	at := earlier(time.Date(typed.Year(), typed.Month(), typed.Day(), typed.Hour(), typed.Minute(), 0, 0, zone))
	switch {
	case err != nil || typed.Format(localMinute) != date:
		return nil, "Enter a date and time, for example 2027-02-19T09:00."
	case at.Format(localMinute) != date:
		return nil, "This time does not exist on that day: the clocks go forward. Choose another one."
	case !at.After(now):
		return nil, "The date and time must be in the future."
	case at.After(now.AddDate(furthest, 0, 0)):
		return nil, "Choose a date within the next 100 years, or Never."
	}
	at = Instant(at)
	return &at, ""
}

// earlier is the first moment at which the clocks show what they show at this one: where they are put back, some times
// come twice.
func earlier(at time.Time) time.Time {
	change, _ := at.ZoneBounds()
	if change.IsZero() { // it always was so
		return at
	}
	_, offset := at.Zone()
	_, before := change.Add(-1).Zone()
	if first := at.Add(time.Duration(offset-before) * time.Second); first.Before(change) {
		return first
	}
	return at
}

// Regeneration is the input of regenerating an API token. An empty Expiration leaves it as it is.
type Regeneration struct {
	Expiration Expiration
	ExpiresAt  string         // for OnADate: 2006-01-02T15:04 in Zone
	Zone       *time.Location // the person's
	EndsAt     *time.Time     // as in NewAPIToken
	EndGiven   bool
}

// Given says whether the input tells when the token ends from now on, or that it never does.
func (r Regeneration) Given() bool { return r.Expiration != "" || r.EndGiven }

// Clean tells everything that is wrong with what was typed, and works out when the token ends; nil is never.
func (r *Regeneration) Clean(now time.Time) (ends *time.Time, p Problems) {
	if r.Expiration == "" {
		return exactEnd(now, r.EndsAt)
	}
	return checkedEnd(now, r.Expiration, r.ExpiresAt, r.Zone)
}

// TokenNaming is the input of renaming an API token.
type TokenNaming struct{ Name string }

// Clean trims what was typed and tells everything that is wrong with it.
func (n *TokenNaming) Clean() Problems {
	var p Problems
	cleanTokenName(&p, &n.Name)
	return p
}

func cleanTokenName(p *Problems, name *string) {
	*name = CleanText(*name)
	p.Add(*name == "", "name", "Enter a token name.")
	p.Add(utf8.RuneCountInString(*name) > 80, "name", "Token name must be 80 characters or fewer.")
	p.Add(!Printable(*name), "name", "Token name has characters that can't be shown. Type it again.")
}

// TokenSort is an order in which a workspace's API tokens are listed.
type TokenSort string

const (
	Newest        TokenSort = "newest"
	ExpiringFirst TokenSort = "expiring"
	MostUsed      TokenSort = "used"
	Unused        TokenSort = "unused" // those that have not been used for longest first
)

// TokenFilter says which API tokens of a workspace a list shows, and in which order.
type TokenFilter struct {
	Query  string // part of a name, or the beginning of a token
	Status State  // empty: any; Revoked includes none that were replaced, for a card stays
	Sort   TokenSort
	After  TokenPlace
}

// TokenPlace is where a list of tokens goes on. The zero TokenPlace is the beginning.
type TokenPlace struct {
	ID    string    `json:"i,omitempty"`
	Calls int64     `json:"c,omitempty"` // for MostUsed
	At    time.Time `json:"t,omitzero"`  // for ExpiringFirst and Unused
	Part  int       `json:"p,omitempty"` // for ExpiringFirst: will expire, never, has expired, was revoked
	Limit int       `json:"-"`           // how many tokens a page has at most; 0: PageSize
}

// Size is how many tokens a page has at most that begins at the place.
func (p TokenPlace) Size() int { return size(p.Limit) }

// TokensFound is a page of a list of tokens. Next is where it goes on; Looked is how many were looked through, where
// that was not all there are and fewer than a page was found.
type TokensFound struct {
	Tokens []CredentialSeen
	Next   TokenPlace
	Looked int
}
