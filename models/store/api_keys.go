package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const (
	keysOfOnesOwn = "API keys are for everywhere that their person may be. They take a sign-in in the console, a bearer token or an API key."
	outlivesIts   = "The credential with which you ask ends before that. Choose an end no later than its own."
)

var noSuchKey = models.Fail(models.NotFound, "There is no such API key of yours.")

// CreateAPIKey makes an API key of the actor's own. The secret is answered once and kept nowhere. formID is the one-use number of the console's form,
// as in CreateBearerToken; a program may leave it empty. What a program makes ends no later than what it came with.
func (s *Store) CreateAPIKey(ctx context.Context, who models.Actor, n models.NewAPIKey, formID string) (made models.Credential, text secret.Text, err error) {
	if err := allow(who.MayHaveKeys(), keysOfOnesOwn); err != nil {
		return made, "", err
	}
	if !validForm(who, formID) {
		return made, "", incompleteForm
	}
	now := s.now()
	problems := n.Clean(now)
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		person, policy, err := keyMaker(tx, who)
		if err != nil {
			return event, err
		}
		made.ID = s.newID()
		if err := useFormOf(tx, who, formID, made.ID, now); err != nil {
			return event, err
		}
		ends := n.ExpiresAt
		if n.Given {
			refusal := policy.RefusesKey(now, ends)
			problems.Add(refusal != "", "expires_at", refusal)
			problems.Add(outlives(who, ends), "expires_at", outlivesIts)
		} else {
			ends = models.Earliest(policy.KeyEnds(person, now), who.Until)
		}
		if err := problems.Err(); err != nil {
			return event, err
		}
		if err := roomForKey(tx, who.ID, now); err != nil {
			return event, err
		}
		if text, err = secret.Mint(models.APIKey.Prefix(), nil); err != nil {
			return event, err
		}
		hash, hint := text.Hash(), text.Hint()
		made = models.Credential{
			ID: made.ID, Kind: models.APIKey, Name: n.Name, NameKey: models.Fold(n.Name), Prefix: hint.Prefix, Last4: hint.Last4, Hash: hash[:],
			PersonID: who.ID, Enabled: true, CreatedAt: now, CreatedBy: who.ID, ExpiresAt: ends,
		}
		event = tokenEvent(models.CredentialCreated, made).WithChanges(kinded(made,
			models.Change{Field: "token", After: made.Prefix + "..."}, models.Change{Field: "expires", After: expiryName(ends)})...)
		return event, born(tx, &made)
	})
	if err != nil {
		text.Wipe()
		return models.Credential{}, "", err
	}
	return made, text, nil
}

// outlives says whether an end is later than that of the credential with which a program came (security rule T10).
func outlives(who models.Actor, ends *time.Time) bool {
	return who.Until != nil && (ends == nil || ends.After(*who.Until))
}

// keyMaker is the actor as they are at their turn to write, who may generate API keys by the policy of that moment.
func keyMaker(tx *gorm.DB, who models.Actor) (models.Person, models.Policy, error) {
	policy, err := policyOf(tx)
	if err != nil {
		return models.Person{}, policy, err
	}
	person, err := lockPerson(tx, who.ID)
	if err != nil {
		return person, policy, err
	}
	return person, policy, allow(policy.MayGenerateKeys(person.Role), policy.WhyNoKeys())
}

// roomForKey refuses more than so many keys of a person that have not ended.
func roomForKey(tx *gorm.DB, personID string, now time.Time) error {
	live := keysOf(tx, personID).Model(&models.Credential{}).Select("id").Where("expires_at IS NULL OR expires_at > ?", now)
	n, err := countUpTo(tx, live, models.MostKeys)
	if err == nil && n >= models.MostKeys {
		err = models.Fail(models.Conflict, "You have %d API keys, which is the most. Delete one that you do not need first.", models.MostKeys)
	}
	return err
}

// keysOf are a person's API keys that were not revoked; those that have expired are among them. The kind is written out, or no plan would find the index
// that has these only.
func keysOf(tx *gorm.DB, personID string) *gorm.DB {
	return fresh(tx).Where("person_id = ? AND kind = 'key' AND revoked_at IS NULL", personID)
}

// RenameAPIKey gives an API key of one's own another name. One that was revoked keeps its own.
func (s *Store) RenameAPIKey(ctx context.Context, who models.Actor, id string, n models.TokenNaming) (models.Credential, error) {
	return s.changeKey(ctx, who, id, s.renamed(n))
}

// RevokeAPIKey ends an API key of one's own for good. One that is revoked already stays as it is, without an event.
func (s *Store) RevokeAPIKey(ctx context.Context, who models.Actor, id string, r models.Revocation) (models.Credential, error) {
	return s.changeKey(ctx, who, id, s.revoked(who, r))
}

// RegenerateAPIKey gives an API key of one's own another secret, which is answered once, and has the one before say that it was replaced; all of it in one
// transaction, on the same card. It ends when a key would that was made now, also where it has expired. That takes the right to generate one.
func (s *Store) RegenerateAPIKey(ctx context.Context, who models.Actor, id string, _ models.KeyRegeneration, formID string) (made models.Credential, text secret.Text, err error) {
	if !validForm(who, formID) {
		return made, "", incompleteForm
	}
	made, err = s.changeKey(ctx, who, id, func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
		person, policy, err := keyMaker(tx, who)
		if err != nil {
			return event, err
		}
		now := s.now()
		if c.State(now) == models.Expired { // it counts again
			if err := roomForKey(tx, who.ID, now); err != nil {
				return event, err
			}
		}
		end := nextEnd{given: true, at: models.Earliest(policy.KeyEnds(person, now), who.Until)}
		return s.regenerated(who, end, formID, &text)(tx, c)
	})
	if err != nil {
		text.Wipe()
		return made, "", err
	}
	return made, text, nil
}

// changeKey reads an API key of the actor's own under lock and has it changed. Somebody else's is not there.
func (s *Store) changeKey(ctx context.Context, who models.Actor, id string, change cardChange) (models.Credential, error) {
	var c models.Credential
	if err := allow(who.MayHaveKeys(), keysOfOnesOwn); err != nil {
		return c, err
	}
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if c, err = keyOf(lock(tx), who, id); err != nil {
			return event, err
		}
		return change(tx, &c)
	})
	return c, err
}

func keyOf(tx *gorm.DB, who models.Actor, id string) (models.Credential, error) {
	c, err := withID[models.Credential](tx.Where("kind = ? AND person_id = ?", models.APIKey, who.ID), id)
	if models.KindOf(err) == models.NotFound {
		err = noSuchKey
	}
	return c, err
}

// SetKeySettings says how long the actor's next API keys live. It is models.Conflict where an Admin decided that for everybody.
func (s *Store) SetKeySettings(ctx context.Context, who models.Actor, k models.KeySettings) error {
	if err := allow(who.MayHaveKeys(), keysOfOnesOwn); err != nil {
		return err
	}
	problems := k.Clean()
	return s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		policy, err := policyOf(tx)
		if err != nil {
			return event, err
		}
		if policy.KeyDays != nil {
			return event, models.Fail(models.Conflict, "An Admin has set for everybody how long new API keys live: %s.", models.KeyLife(*policy.KeyDays))
		}
		refusal := policy.RefusesDays(k.Days)
		problems.Add(refusal != "", "expiration_days", refusal)
		if err := problems.Err(); err != nil {
			return event, err
		}
		person, err := lockPerson(tx, who.ID)
		if err != nil {
			return event, err
		}
		if person.KeyDays == k.Days {
			return event, errUnchanged
		}
		return personEvent(models.PersonChanged, person).WithChanges(models.Change{Field: "new API keys expire after", Before: models.KeyLife(person.KeyDays), After: models.KeyLife(k.Days)}),
			one(tx.Model(&models.Person{}).Where("id = ?", who.ID).Updates(map[string]any{"key_days": k.Days}))
	})
}
