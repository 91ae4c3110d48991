package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// SwitchAPIToken activates or deactivates an API token. One that is so already stays as it is, without an event; one that
// has ended cannot be switched.
func (s *Store) SwitchAPIToken(ctx context.Context, who models.Actor, workspace, id string, enabled bool) (models.Credential, error) {
	return s.changeToken(ctx, who, workspace, id, func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
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
		return tokenEvent(action, *c).WithChanges(models.Change{Field: "token", After: c.Prefix + "..."}),
			one(tx.Model(&models.Credential{}).Where("id = ? AND revoked_at IS NULL", id).Updates(map[string]any{"enabled": enabled}))
	})
}

// RenameAPIToken gives an API token another name. One that was revoked keeps its own.
func (s *Store) RenameAPIToken(ctx context.Context, who models.Actor, workspace, id string, n models.TokenNaming) (models.Credential, error) {
	problems := n.Clean()
	return s.changeToken(ctx, who, workspace, id, func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
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
		return tokenEvent(models.CredentialRenamed, *c).WithChanges(change),
			one(tx.Model(&models.Credential{}).Where("id = ?", id).Updates(map[string]any{"name": c.Name, "name_key": c.NameKey}))
	})
}

// RevokeAPIToken ends an API token for good. One that is revoked already stays as it is, without an event.
func (s *Store) RevokeAPIToken(ctx context.Context, who models.Actor, workspace, id string, r models.Revocation) (models.Credential, error) {
	problems := r.Clean()
	return s.changeToken(ctx, who, workspace, id, func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
		if err := problems.Err(); err != nil {
			return event, err
		}
		return s.revoke(tx, who, c, r, tokenEvent(models.CredentialRevoked, *c))
	})
}

// RegenerateAPIToken gives an API token another secret, which is answered once, and has the one before say that it was
// replaced; all of it in one transaction, on the same card. Whether it is active or inactive it stays. One that has
// expired needs a new expiration.
func (s *Store) RegenerateAPIToken(ctx context.Context, who models.Actor, workspace, id string, r models.Regeneration, formID string) (made models.Credential, text secret.Text, err error) {
	if !secret.ValidFormID(formID) {
		return made, "", incompleteForm
	}
	now := s.now()
	ends, problems := r.Clean(now)
	if err := allow(who.Kind == models.Human, mintInBrowser); err != nil {
		return made, "", err
	}
	made, err = s.changeToken(ctx, who, workspace, id, func(tx *gorm.DB, c *models.Credential) (event models.Event, err error) {
		if err := useForm(tx, formID, who.ID, c.ID, now); err != nil {
			return event, err
		}
		switch state := c.State(now); {
		case state == models.Revoked:
			return event, revokedStays(*c)
		case state == models.Expired && r.Expiration == "":
			problems.Add(true, "expiration", "Choose when it expires from now on, or Never.")
		}
		if err := problems.Err(); err != nil {
			return event, err
		}
		before := models.Secret{Hash: c.Hash, CredentialID: c.ID, Prefix: c.Prefix, Last4: c.Last4, ReplacedAt: now, ReplacedBy: who.ID}
		if text, err = secret.Mint(c.Prefix[:4], nil); err != nil {
			return event, err
		}
		hash, hint := text.Hash(), text.Hint()
		changes := []models.Change{{Field: "token", Before: before.Prefix + "... ending in " + before.Last4, After: hint.Prefix + "... ending in " + hint.Last4}}
		if r.Expiration != "" {
			changes = append(changes, changed(change{"expires", expiryName(c.ExpiresAt), expiryName(ends)})...)
			c.ExpiresAt = ends
		}
		c.Hash, c.Prefix, c.Last4 = hash[:], hint.Prefix, hint.Last4
		if err := tx.Create(&before).Error; err != nil {
			return event, err
		}
		return tokenEvent(models.CredentialRegenerated, *c).WithChanges(changes...), one(tx.Model(&models.Credential{}).
			Where("id = ? AND hash = ? AND revoked_at IS NULL", id, before.Hash).
			Updates(map[string]any{"hash": c.Hash, "prefix": c.Prefix, "last4": c.Last4, "expires_at": c.ExpiresAt}))
	})
	if err != nil {
		text.Wipe()
		return made, "", err
	}
	return made, text, nil
}

func revokedStays(c models.Credential) error {
	return models.Fail(models.Conflict, "%s was revoked on %s and stays revoked. Create another token.", c.Name, dayOf(*c.RevokedAt))
}

func dayOf(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// changeToken reads an API token of a workspace under lock and has it changed.
func (s *Store) changeToken(ctx context.Context, who models.Actor, workspace, id string, decide func(*gorm.DB, *models.Credential) (models.Event, error)) (models.Credential, error) {
	var c models.Credential
	err := s.writeWithin(ctx, who, workspace, func(tx *gorm.DB, w models.WorkspaceSeen) (event models.Event, err error) {
		if err := allow(who.MayManageTokens(w.Role), onlyOwnersTokens); err != nil {
			return event, err
		}
		if c, err = tokenOf(lock(tx), w.ID, id); err != nil {
			return event, err
		}
		return decide(tx, &c)
	})
	return c, err
}

func tokenOf(tx *gorm.DB, workspaceID, id string) (models.Credential, error) {
	if !models.ValidID(id) {
		return models.Credential{}, noToken
	}
	c, err := take[models.Credential](tx.Where("id = ? AND workspace_id = ? AND kind = ?", id, workspaceID, models.APIToken))
	if models.KindOf(err) == models.NotFound {
		err = noToken
	}
	return c, err
}
