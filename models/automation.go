package models

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ExpirationPeriod is how long an automation token lives.
type ExpirationPeriod string

// ExpirationPeriods are all that there are, the shortest first.
var ExpirationPeriods = []ExpirationPeriod{"1h", "3h", "5h", "16h", "24h", "48h", "1w", "2w", "3w", "1mo", "no_exp"}

// DefaultPeriod is what is meant where nothing is said.
const DefaultPeriod ExpirationPeriod = "24h"

// Ends answers when a token ends that is made at a moment; nil is never. A month is a calendar month, counted in UTC, and one that has no such day
// ends on its last. What is none of ExpirationPeriods is not ok.
func (e ExpirationPeriod) Ends(now time.Time) (at *time.Time, ok bool) {
	if !slices.Contains(ExpirationPeriods, e) {
		return nil, false
	}
	var ends time.Time
	switch e {
	case "no_exp":
		return nil, true
	case "1mo":
		ends = addMonths(now.UTC(), 1)
	case "1w", "2w", "3w":
		ends = now.UTC().AddDate(0, 0, 7*int(e[0]-'0'))
	default:
		life, err := time.ParseDuration(string(e))
		if err != nil { // they are hours
			panic(err)
		}
		ends = now.Add(life)
	}
	ends = Instant(ends)
	return &ends, true
}

// Meaning is the period in words.
func (e ExpirationPeriod) Meaning() string {
	switch e {
	case "no_exp":
		return "No expiration"
	case "1mo":
		return "1 month"
	}
	number, unit := string(e[:len(e)-1]), "hours"
	if e[len(e)-1] == 'w' {
		unit = "weeks"
	}
	if number == "1" {
		unit = unit[:len(unit)-1]
	}
	return number + " " + unit
}

// PeriodList is all of them as a text.
func PeriodList() string {
	names := make([]string, len(ExpirationPeriods))
	for i, e := range ExpirationPeriods {
		names[i] = string(e)
	}
	return strings.Join(names, ", ")
}

// NewAutomationToken is the input of an automation token's creation.
type NewAutomationToken struct {
	Name   string // empty: it is named by its period
	Period ExpirationPeriod
}

// Clean trims what was typed, tells everything that is wrong with it, and works out when the token ends; nil is never.
func (n *NewAutomationToken) Clean(now time.Time) (ends *time.Time, p Problems) {
	n.Name = CleanText(n.Name)
	p.Add(utf8.RuneCountInString(n.Name) > 80, "name", "Token name must be 80 characters or fewer.")
	p.Add(!Printable(n.Name), "name", "Token name has characters that can't be shown. Type it again.")
	ends, ok := n.Period.Ends(now)
	p.Add(!ok, "expiration_period", "Choose one of "+PeriodList()+".")
	if n.Name == "" {
		n.Name = "Automation token"
	}
	return ends, p
}

// AutomationRegeneration is the input of regenerating an automation token. An empty Period leaves its end as it is.
type AutomationRegeneration struct{ Period ExpirationPeriod }

// Clean tells everything that is wrong with what was chosen, and works out when the token ends; nil is never.
func (r AutomationRegeneration) Clean(now time.Time) (ends *time.Time, p Problems) {
	if r.Period == "" {
		return nil, nil
	}
	ends, ok := r.Period.Ends(now)
	p.Add(!ok, "expiration_period", "Choose one of "+PeriodList()+".")
	return ends, p
}

// The fields of a change that tell how many automation tokens something ended, how many sign-ins of programs, and how many collection access keys.
const (
	AutomationEnded = "automation tokens revoked"
	SignInsEnded    = "sign-ins ended"
	SharesEnded     = "access keys revoked"
)

// Why credentials end that nobody revokes.
const (
	PasswordWasChanged   = "the account password was changed"
	PersonLeft           = "the person left the workspace"
	PersonWasDeactivated = "the person was deactivated"
	RevokedByItsPerson   = "its person revoked all of theirs"
	CollectionWasDeleted = "the collection was deleted"
)
