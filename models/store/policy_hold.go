package store

import (
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// newEnd is what was said of when a credential ends that is about to be made or regenerated.
type newEnd struct {
	kind   models.CredentialKind
	from   time.Time  // when it is made
	chosen *time.Time // nil: never
	given  bool       // chosen was said, and is not just what is meant where nothing is
	field  string     // of the form
}

// endField is the field that tells when an API token ends. A program has one for it, and a form has two.
func endField(who models.Actor, e models.Expiration) string {
	if e == models.OnADate || who.Kind == models.Program {
		return "expires_at"
	}
	return "expiration"
}

// heldEnd is when the credential ends: as was chosen, where the policy allows it. What a program makes ends with the program's own
// credential at the latest (security rule T10), and so it does where nothing was said. Only an automation token may outlive the sign-in
// that made it, which took the password. The transaction has its turn to write, so that no credential slips past a policy.
func heldEnd(tx *gorm.DB, who models.Actor, end newEnd, p *models.Problems) (*time.Time, error) {
	policy, err := policyOf(tx)
	if err != nil || len(*p) > 0 {
		return end.chosen, err
	}
	at := end.chosen
	if until := who.Until; who.Kind == models.Program && until != nil && end.kind != models.AutomationToken && endsAfter(at, *until) {
		if end.given {
			p.Add(true, end.field, "What a program makes ends with its own credential at the latest, on "+dayOf(*until)+".")
			return at, nil
		}
		ends := policy.Shortened(end.kind, end.from, models.Instant(*until))
		at = &ends
	}
	wrong := policy.Refuses(end.kind, end.from, at)
	p.Add(wrong != "", end.field, wrong)
	return at, nil
}

// endsAfter says whether an end, which may be never, is after a moment.
func endsAfter(end *time.Time, than time.Time) bool { return end == nil || end.After(than) }

// heldFor is when a credential ends that is regenerated: as was chosen, or else as it did before, and in both cases no later than
// heldEnd has it. What is wrong with it is an error.
func (end nextEnd) heldFor(tx *gorm.DB, who models.Actor, c models.Credential, now time.Time) (*time.Time, error) {
	next := newEnd{c.Kind, now, c.ExpiresAt, end.given, end.field}
	if end.given {
		next.chosen = end.at
	}
	at, err := heldEnd(tx, who, next, &end.problems)
	if err != nil {
		return nil, err
	}
	return at, end.problems.Err()
}
