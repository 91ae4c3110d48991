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
	return s.changeToken(ctx, who, workspace, id, s.switched(enabled))
}

// RenameAPIToken gives an API token another name. One that was revoked keeps its own.
func (s *Store) RenameAPIToken(ctx context.Context, who models.Actor, workspace, id string, n models.TokenNaming) (models.Credential, error) {
	return s.changeToken(ctx, who, workspace, id, s.renamed(n))
}

// RevokeAPIToken ends an API token for good. One that is revoked already stays as it is, without an event.
func (s *Store) RevokeAPIToken(ctx context.Context, who models.Actor, workspace, id string, r models.Revocation) (models.Credential, error) {
	return s.changeToken(ctx, who, workspace, id, s.revoked(who, r))
}

// RegenerateAPIToken gives an API token another secret, which is answered once, and has the one before say that it was
// replaced; all of it in one transaction, on the same card. Whether it is active or inactive it stays. One that has
// expired needs a new expiration.
func (s *Store) RegenerateAPIToken(ctx context.Context, who models.Actor, workspace, id string, r models.Regeneration, formID string) (made models.Credential, text secret.Text, err error) {
	if !validForm(who, formID) {
		return made, "", incompleteForm
	}
	ends, problems := r.Clean(s.now())
	end := nextEnd{field: endField(who, r.Expiration), ask: "Choose when it expires from now on, or Never.", given: r.Given(), at: ends, problems: problems}
	made, err = s.changeTokenAs(ctx, who, workspace, id, who.MayMintTokens, onlyOwnersMint, s.regenerated(who, end, formID, &text))
	if err != nil {
		text.Wipe()
		return made, "", err
	}
	return made, text, nil
}

// changeToken reads an API token of a workspace under lock and has it changed.
func (s *Store) changeToken(ctx context.Context, who models.Actor, workspace, id string, change cardChange) (models.Credential, error) {
	return s.changeTokenAs(ctx, who, workspace, id, who.MayManageTokens, onlyOwnersTokens, change)
}

// changeTokenAs is changeToken for those who may, by their role in the workspace, or are told otherwise.
func (s *Store) changeTokenAs(
	ctx context.Context, who models.Actor, workspace, id string, may func(models.WorkspaceRole) bool, otherwise string, change cardChange,
) (models.Credential, error) {
	var c models.Credential
	err := s.writeWithin(ctx, who, workspace, func(tx *gorm.DB, w models.WorkspaceSeen) (event models.Event, err error) {
		if err := allow(may(w.Role), otherwise); err != nil {
			return event, err
		}
		if c, err = tokenOf(lock(tx), models.APIToken, w.ID, id); err != nil {
			return event, err
		}
		return change(tx, &c)
	})
	return c, err
}

// tokenOf is a workspace's token of a kind, by its ID.
func tokenOf(tx *gorm.DB, kind models.CredentialKind, workspaceID, id string) (models.Credential, error) {
	if !models.ValidID(id) {
		return models.Credential{}, noSuchToken[kind]
	}
	c, err := take[models.Credential](tx.Where("id = ? AND workspace_id = ? AND kind = ?", id, workspaceID, kind))
	if models.KindOf(err) == models.NotFound {
		err = noSuchToken[kind]
	}
	return c, err
}

var noSuchToken = map[models.CredentialKind]error{
	models.APIToken:        models.Fail(models.NotFound, "There is no such API token in this workspace."),
	models.AutomationToken: models.Fail(models.NotFound, "There is no such automation token in this workspace."),
}

func dayOf(t time.Time) string { return t.UTC().Format("2 Jan 2006") }
