package store

import (
	"context"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const onlyItsPerson = "Only the person whose automation token it is can regenerate it, signed in to the console: it acts as them."

// SwitchAutomationToken activates or deactivates an automation token, as SwitchAPIToken does.
func (s *Store) SwitchAutomationToken(ctx context.Context, who models.Actor, workspace, id string, enabled bool) (models.Credential, error) {
	return s.changeAutomation(ctx, who, workspace, id, s.switched(enabled))
}

// RenameAutomationToken gives an automation token another name, as RenameAPIToken does.
func (s *Store) RenameAutomationToken(ctx context.Context, who models.Actor, workspace, id string, n models.TokenNaming) (models.Credential, error) {
	return s.changeAutomation(ctx, who, workspace, id, s.renamed(n))
}

// RevokeAutomationToken ends an automation token for good, as RevokeAPIToken does.
func (s *Store) RevokeAutomationToken(ctx context.Context, who models.Actor, workspace, id string, r models.Revocation) (models.Credential, error) {
	return s.changeAutomation(ctx, who, workspace, id, s.revoked(who, r))
}

// RegenerateAutomationToken gives an automation token another secret, as RegenerateAPIToken does. It takes its own person, who must still
// be a member: whoever regenerates somebody else's, an Admin for example, would be handed a credential that acts as that person.
func (s *Store) RegenerateAutomationToken(ctx context.Context, who models.Actor, workspace, id string, r models.AutomationRegeneration, formID string) (made models.Credential, text secret.Text, err error) {
	if !secret.ValidFormID(formID) {
		return made, "", incompleteForm
	}
	ends, problems := r.Clean(s.now())
	end := nextEnd{field: "expiration_period", ask: "Choose how long it lives from now on.", given: r.Period != "", at: ends, problems: problems}
	regenerate := s.regenerated(who, end, formID, &text)
	made, err = s.changeAutomationIn(ctx, who, workspace, id, func(tx *gorm.DB, w models.WorkspaceSeen, c *models.Credential) (models.Event, error) {
		if err := allow(who.MayRegenerateAutomation(w.Role, c.PersonID), onlyItsPerson); err != nil {
			return models.Event{}, err
		}
		return regenerate(tx, c)
	})
	if err != nil {
		text.Wipe()
		return made, "", err
	}
	return made, text, nil
}

// changeAutomation reads an automation token of a workspace under lock and has it changed. Somebody else's is not there for
// whoever may not manage it.
func (s *Store) changeAutomation(ctx context.Context, who models.Actor, workspace, id string, change cardChange) (models.Credential, error) {
	return s.changeAutomationIn(ctx, who, workspace, id, func(tx *gorm.DB, _ models.WorkspaceSeen, c *models.Credential) (models.Event, error) {
		return change(tx, c)
	})
}

func (s *Store) changeAutomationIn(
	ctx context.Context, who models.Actor, workspace, id string, change func(*gorm.DB, models.WorkspaceSeen, *models.Credential) (models.Event, error),
) (models.Credential, error) {
	var c models.Credential
	err := s.writeWithin(ctx, who, workspace, func(tx *gorm.DB, w models.WorkspaceSeen) (event models.Event, err error) {
		if c, err = automationOf(lock(tx), who, w, id); err != nil {
			return event, err
		}
		return change(tx, w, &c)
	})
	return c, err
}

// automationOf is an automation token of a workspace that the actor may manage, by its ID.
func automationOf(tx *gorm.DB, who models.Actor, w models.WorkspaceSeen, id string) (models.Credential, error) {
	c, err := tokenOf(tx, models.AutomationToken, w.ID, id)
	if err == nil && !who.MayManageAutomation(w.Role, c.PersonID) {
		return models.Credential{}, noSuchToken[models.AutomationToken]
	}
	return c, err
}
