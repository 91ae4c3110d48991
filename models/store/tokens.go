package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const (
	onlyOwnersTokens = "Only the workspace's Owner and Admins can manage its API tokens."
	onlyOwnersMint   = "Only the workspace's Owner and Admins can make a token's secret, in the console or with a credential of theirs."
)

// CreateAPIToken makes an API token of a workspace. The secret is answered once and kept nowhere. formID is the one-use
// number of the form, as in CreateBearerToken; a program may leave it empty. What a program makes ends with its own credential
// at the latest.
func (s *Store) CreateAPIToken(ctx context.Context, who models.Actor, workspace string, n models.NewAPIToken, formID string) (made models.Credential, text secret.Text, err error) {
	if !validForm(who, formID) {
		return made, "", incompleteForm
	}
	now := s.now()
	chosen, problems := n.Clean(now)
	err = s.writeWithin(ctx, who, workspace, func(tx *gorm.DB, w models.WorkspaceSeen) (event models.Event, err error) {
		if err := allow(who.MayMintTokens(w.Role), onlyOwnersMint); err != nil {
			return event, err
		}
		made.ID = s.newID()
		if err := useFormOf(tx, who, formID, made.ID, now); err != nil {
			return event, err
		}
		ends, err := heldEnd(tx, who, newEnd{models.APIToken, now, chosen, n.Given(), endField(who, n.Expiration)}, &problems)
		if err != nil {
			return event, err
		}
		product, err := s.chosenProduct(tx, w.ID, n.ProductID, &problems)
		if err != nil {
			return event, err
		}
		for _, scope := range n.Scopes {
			problems.Add(product.ID != "" && !product.Resources.Has(scope), "scope", product.Name+" has no operation of that name. Choose from those that are shown here.")
		}
		if err := problems.Err(); err != nil {
			return event, err
		}
		if text, err = secret.Mint(product.Prefix, nil); err != nil {
			return event, err
		}
		hash, hint := text.Hash(), text.Hint()
		made = models.Credential{
			ID: made.ID, Kind: models.APIToken, Name: n.Name, NameKey: models.Fold(n.Name), Prefix: hint.Prefix, Last4: hint.Last4, Hash: hash[:],
			WorkspaceID: w.ID, ProductID: product.ID, Scopes: n.Scopes, Enabled: true, CreatedAt: now, CreatedBy: who.ID, ExpiresAt: ends,
		}
		event = tokenEvent(models.CredentialCreated, made).WithChanges(models.Change{Field: "token", After: made.Prefix + "..."},
			models.Change{Field: "expires", After: expiryName(ends)}, models.Change{Field: "access", After: accessName(n.Scopes)})
		return event, born(tx, &made)
	})
	if err != nil {
		text.Wipe()
		return models.Credential{}, "", err
	}
	return made, text, nil
}

var incompleteForm = models.Fail(models.Invalid, "This form is incomplete. Open the list again, then create the token from there.")

// chosenProduct is the product that a new token opens: the one that was chosen, or the only one.
func (s *Store) chosenProduct(tx *gorm.DB, workspaceID, id string, problems *models.Problems) (models.Product, error) {
	var list []models.Product
	if err := fresh(tx).Where("workspace_id = ?", workspaceID).Order("id").Limit(models.MostProducts).Find(&list).Error; err != nil {
		return models.Product{}, err
	}
	for _, p := range list {
		if p.ID == id || (id == "" && len(list) == 1) {
			return p, nil
		}
	}
	problems.Add(true, "product", "Choose the product that the token opens.")
	return models.Product{}, nil
}

// tokenEvent names the subject by its own name; an automation token is its person's too.
func tokenEvent(action models.Action, c models.Credential) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfCredential, SubjectID: c.ID, SubjectName: c.Name, PersonID: c.PersonID, WorkspaceID: c.WorkspaceID}
}

func expiryName(ends *time.Time) string {
	if ends == nil {
		return "never"
	}
	return ends.Format(time.RFC3339)
}

// accessName tells scopes in an event; which ones, as far as there is room.
func accessName(scopes models.Scopes) string {
	if len(scopes) == 0 {
		return "every resource"
	}
	return models.Shorten(scopes.String(), 500)
}
