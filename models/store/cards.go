package store

import (
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// cardChange changes a token of a workspace, or an API key, that the transaction has under lock. Whose it is, and whether the actor may, was asked before.
type cardChange func(tx *gorm.DB, c *models.Credential) (models.Event, error)

// switched activates or deactivates.
func (s *Store) switched(enabled bool) cardChange {
	return func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
		switch c.State(s.now()) {
		case models.Revoked:
			return event, revokedStays(*c)
		case models.Expired:
			return event, models.Fail(models.Conflict, "%s expired on %s. Regenerate it with a new expiration, or create another one.", c.Name, dayOf(*c.ExpiresAt))
		}
		if c.Enabled == enabled {
			return event, errUnchanged
		}
		c.Enabled = enabled
		action := models.CredentialDeactivated
		if enabled {
			action = models.CredentialActivated
		}
		return tokenEvent(action, *c).WithChanges(kinded(*c, models.Change{Field: "token", After: c.Prefix + "..."})...),
			one(tx.Model(&models.Credential{}).Where("id = ? AND revoked_at IS NULL", c.ID).Updates(map[string]any{"enabled": enabled}))
	}
}

// renamed gives it another name.
func (s *Store) renamed(n models.TokenNaming) cardChange {
	problems := n.Clean()
	return func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
		switch {
		case len(problems) > 0:
			return event, problems.Err()
		case c.State(s.now()) == models.Revoked:
			return event, revokedStays(*c)
		case c.Name == n.Name:
			return event, errUnchanged
		}
		change := models.Change{Field: "name", Before: c.Name, After: n.Name}
		c.Name, c.NameKey = n.Name, models.Fold(n.Name)
		return tokenEvent(models.CredentialRenamed, *c).WithChanges(kinded(*c, change)...),
			one(tx.Model(&models.Credential{}).Where("id = ?", c.ID).Updates(map[string]any{"name": c.Name, "name_key": c.NameKey}))
	}
}

// revoked ends it for good.
func (s *Store) revoked(who models.Actor, r models.Revocation) cardChange {
	problems := r.Clean()
	return func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
		if err := problems.Err(); err != nil {
			return event, err
		}
		return s.revoke(tx, who, c, r, tokenEvent(models.CredentialRevoked, *c))
	}
}

// nextEnd is what a form that regenerates says of when the token ends.
type nextEnd struct {
	field    string // of the form
	ask      string // what the form says where it must be given
	given    bool   // otherwise it stays as it is
	at       *time.Time
	problems models.Problems
}

// regenerated gives it another secret, which text has then. Without a form's number, for a program, it is done each time that it is asked for.
func (s *Store) regenerated(who models.Actor, end nextEnd, formID string, text *secret.Text) cardChange {
	return func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
		now := s.now()
		if err := useFormOf(tx, who, formID, c.ID, now); err != nil {
			return event, err
		}
		switch state := c.State(now); {
		case state == models.Revoked:
			return event, revokedStays(*c)
		case state == models.Expired && !end.given:
			end.problems.Add(true, end.field, end.ask)
		}
		at, err := end.heldFor(tx, who, *c, now)
		if err != nil {
			return event, err
		}
		before := models.Secret{Hash: c.Hash, CredentialID: c.ID, Prefix: c.Prefix, Last4: c.Last4, ReplacedAt: now, ReplacedBy: who.ID}
		if *text, err = secret.Mint(c.Prefix[:4], nil); err != nil {
			return event, err
		}
		hash, hint := text.Hash(), text.Hint()
		changes := []models.Change{{Field: "token", Before: before.Prefix + "... ending in " + before.Last4, After: hint.Prefix + "... ending in " + hint.Last4}}
		changes = append(changes, changed(change{"expires", expiryName(c.ExpiresAt), expiryName(at)})...)
		c.ExpiresAt = at
		c.Hash, c.Prefix, c.Last4 = hash[:], hint.Prefix, hint.Last4
		if err := tx.Create(&before).Error; err != nil {
			return event, err
		}
		return tokenEvent(models.CredentialRegenerated, *c).WithChanges(kinded(*c, changes...)...), one(tx.Model(&models.Credential{}).
			Where("id = ? AND hash = ? AND revoked_at IS NULL", c.ID, before.Hash).
			Updates(map[string]any{"hash": c.Hash, "prefix": c.Prefix, "last4": c.Last4, "expires_at": c.ExpiresAt}))
	}
}

func revokedStays(c models.Credential) error {
	another := "Create another token."
	if c.Kind == models.APIKey {
		another = "Generate another key."
	}
	return models.Fail(models.Conflict, "%s was revoked on %s and stays revoked. %s", c.Name, dayOf(*c.RevokedAt), another)
}

// kinded adds to the changes of an event which kind of key it is about: an API key is its person's as a bearer token is, and a collection access key
// its workspace's as an API token is.
func kinded(c models.Credential, changes ...models.Change) []models.Change {
	if c.Kind != models.APIKey && c.Kind != models.CollectionKey {
		return changes
	}
	return append(changes, models.Change{Field: models.KindField, After: c.Kind.Said()})
}
