package store

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// CreateAutomationToken makes an automation token of the actor's own in a workspace that they are a member of. The secret is answered once and kept nowhere.
// formID is the one-use number of the console's form, as in CreateBearerToken; empty for a program.
func (s *Store) CreateAutomationToken(ctx context.Context, who models.Actor, workspace string, n models.NewAutomationToken, formID string) (made models.Credential, text secret.Text, err error) {
	if who.Kind == models.Human && !secret.ValidFormID(formID) {
		return made, "", incompleteForm
	}
	now := s.now()
	chosen, problems := n.Clean(now)
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		w, err := memberWorkspace(tx, who.ID, workspace)
		if err != nil {
			return event, err
		}
		if err := allow(who.MayMintAutomation(w.Role), "An automation token takes a sign-in with the password, in the console or with POST /user/signin."); err != nil {
			return event, err
		}
		made.ID = s.newID()
		if who.Kind == models.Human {
			if err := useForm(tx, formID, who.ID, made.ID, now); err != nil {
				return event, err
			}
		}
		ends, err := heldEnd(tx, who, newEnd{models.AutomationToken, now, chosen, true, "expiration_period"}, &problems)
		if err != nil {
			return event, err
		}
		if err := problems.Err(); err != nil {
			return event, err
		}
		if text, err = secret.Mint(models.AutomationToken.Prefix(), nil); err != nil {
			return event, err
		}
		hash, hint := text.Hash(), text.Hint()
		made = models.Credential{
			ID: made.ID, Kind: models.AutomationToken, Name: n.Name, NameKey: models.Fold(n.Name), Prefix: hint.Prefix, Last4: hint.Last4, Hash: hash[:],
			PersonID: who.ID, WorkspaceID: w.ID, Enabled: true, CreatedAt: now, CreatedBy: who.ID, ExpiresAt: ends,
		}
		if err := born(tx, &made); err != nil {
			return event, err
		}
		return tokenEvent(models.CredentialCreated, made).WithChanges(
			models.Change{Field: "token", After: made.Prefix + "..."}, models.Change{Field: "expires", After: expiryName(ends)}), nil
	})
	if err != nil {
		text.Wipe()
		return models.Credential{}, "", err
	}
	return made, text, nil
}

// endAutomation ends, in the transaction of what ends them, the automation tokens that a query lets through and that have not ended. It
// tells how many there were as a change of the event.
func (s *Store) endAutomation(tx *gorm.DB, who models.Actor, of *gorm.DB, reason string) ([]models.Change, error) {
	ended, err := s.endTokens(tx, who, of.Where("kind = ?", models.AutomationToken), reason)
	return endedChange(ended), err
}

// endTokens ends the tokens that a query lets through and that have not ended, and answers how many there were.
func (s *Store) endTokens(tx *gorm.DB, who models.Actor, of *gorm.DB, reason string) (int, error) {
	now := s.now()
	res := of.Model(&models.Credential{}).Where("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", now).
		Updates(map[string]any{"revoked_at": now, "revoked_by": who.ID, "revoke_reason": reason})
	return int(res.RowsAffected), res.Error
}

// endedChange tells how many automation tokens ended.
func endedChange(n int) []models.Change {
	if n == 0 {
		return nil
	}
	return []models.Change{{Field: models.AutomationEnded, After: strconv.Itoa(n)}}
}

// ownedAutomation are the automation tokens of the workspaces that somebody owns.
func ownedAutomation(tx *gorm.DB, personID string) *gorm.DB {
	owned := fresh(tx).Model(&models.Membership{}).Select("workspace_id").Where("person_id = ? AND role = ?", personID, models.WorkspaceOwner)
	return fresh(tx).Where("workspace_id IN (?) AND kind = ?", owned, models.AutomationToken)
}

// OwnedWorkspaces are the IDs of the workspaces that somebody owns.
func (s *Store) OwnedWorkspaces(ctx context.Context, personID string) ([]string, error) {
	var list []string
	err := s.db.WithContext(ctx).Model(&models.Membership{}).Where("person_id = ? AND role = ?", personID, models.WorkspaceOwner).Pluck("workspace_id", &list).Error
	return list, translate(err)
}

// CountOwnedAutomation counts the automation tokens that a change of the actor's password ends, up to models.CountCap and one more.
func (s *Store) CountOwnedAutomation(ctx context.Context, who models.Actor) (int, error) {
	return s.countLive(ctx, ownedAutomation(s.db.WithContext(ctx), who.ID))
}
