package models

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// MostKeys is how many API keys that have not ended a person has at a time.
const MostKeys = 100

// longestKeyDays is how many days a person may choose at most: beyond it is a slip of the keyboard.
const longestKeyDays = 36500

// NewAPIKey is the input of an API key's creation.
type NewAPIKey struct {
	Name      string
	ExpiresAt *time.Time // nil: never; of a key whose end is Given
	Given     bool       // otherwise the person's setting decides when it ends
}

// Clean trims what was typed and tells everything that is wrong with it, but for what the policy refuses.
func (n *NewAPIKey) Clean(now time.Time) Problems {
	var p Problems
	cleanKeyName(&p, &n.Name)
	p.Add(n.Name == "", "name", "Enter a name, for example of the tool that will use the key.")
	if !n.Given {
		n.ExpiresAt = nil
	}
	if n.ExpiresAt != nil {
		at := Instant(*n.ExpiresAt)
		n.ExpiresAt = &at
		p.Add(!at.After(now), "expires_at", "The date and time must be in the future.")
		p.Add(at.After(now.AddDate(furthest, 0, 0)), "expires_at", "Choose a date within the next 100 years, or none.")
	}
	return p
}

func cleanKeyName(p *Problems, name *string) {
	*name = CleanText(*name)
	p.Add(utf8.RuneCountInString(*name) > 80, "name", "Name must be 80 characters or fewer.")
	p.Add(!Printable(*name), "name", "Name has characters that can't be shown. Type it again.")
}

// KeyRegeneration is the input of regenerating an API key: there is nothing to choose, for its end begins anew by the settings.
type KeyRegeneration struct{}

// KeySettings are a person's own, for their API keys from then on.
type KeySettings struct{ Days int } // how many days new keys live; 0: without end

// Clean tells what is wrong with what was chosen, but for what the policy refuses.
func (k KeySettings) Clean() Problems {
	var p Problems
	p.Add(k.Days < 0 || k.Days > longestKeyDays, "expiration_days", "Choose from 1 to 36,500 days, or Never.")
	return p
}

// KeyDaysOf is how many days the next API keys of a person live before the policy shortens that: as an Admin fixed it for everybody, or as the
// person chose; 0 is without end.
func (p Policy) KeyDaysOf(person Person) int {
	if p.KeyDays != nil {
		return *p.KeyDays
	}
	return person.KeyDays
}

// RefusesKey says what is wrong with the end of an API key that was chosen for it; nil is never. Where an Admin has fixed how long new keys live, an
// earlier end is as good, and no later one.
func (p Policy) RefusesKey(now time.Time, ends *time.Time) string {
	if days := p.KeyDays; days != nil && *days > 0 && (ends == nil || ends.After(now.AddDate(0, 0, *days))) {
		return fmt.Sprintf("An Admin has set that new API keys live %s. Choose an earlier end, or none.", DayCount(*days))
	}
	return p.Refuses(APIKey, now, ends)
}

// KeyEnds is when an API key of a person ends that is made at a moment and whose end was not chosen; nil is never. The settings may be older than the
// policy: what they say is shortened to what it allows, and where they say never, and it wants an end, that is after DefaultKeyDays.
func (p Policy) KeyEnds(person Person, now time.Time) *time.Time {
	days := p.KeyDaysOf(person)
	if days == 0 && p.ExpiryRequired && p.LongestKeyDays == 0 {
		days = DefaultKeyDays
	}
	if days == 0 {
		return p.Latest(APIKey, now)
	}
	ends := p.Shortened(APIKey, now, Instant(now.AddDate(0, 0, days)))
	return &ends
}

// RefusesDays says what the policy has against a setting; it is empty where it has nothing.
func (p Policy) RefusesDays(days int) string {
	switch {
	case p.LongestKeyDays > 0 && (days == 0 || days > p.LongestKeyDays):
		return fmt.Sprintf("Admins decided that an API key lives %s at most. Choose fewer.", DayCount(p.LongestKeyDays))
	case p.ExpiryRequired && days == 0:
		return "Admins decided that everything expires. Choose a number of days."
	}
	return ""
}

// WhyNoKeys is why somebody who may not generate API keys may not.
func (p Policy) WhyNoKeys() string {
	if p.KeyMakers == AdminsMakeKeys {
		return "Admins decided that only people with Admin access generate API keys. Ask an Admin."
	}
	return "Admins decided that nobody generates API keys at present. Keys that there are keep working."
}

// KeyLife is a number of days as the setting shows it.
func KeyLife(days int) string {
	switch days {
	case 0:
		return "never"
	case 365:
		return "a year"
	}
	return DayCount(days)
}

// KindField is the field of a change that says which kind of credential an event is about, where nothing else of the event tells. CredentialKindSaid reads it.
const KindField = "kind"

// Said is the kind as an event says it.
func (k CredentialKind) Said() string { return k.Named()[strings.Index(k.Named(), " ")+1:] }

// CredentialKindSaid is the kind of credential that an event says it is about; empty where it does not.
func (e Event) CredentialKindSaid() CredentialKind {
	for _, c := range e.ChangeList() {
		for _, kind := range []CredentialKind{APIKey, CollectionKey} {
			if c.Field == KindField && c.After == kind.Said() {
				return kind
			}
		}
	}
	return ""
}
