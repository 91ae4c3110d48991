package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const (
	onlyAdminsCreate = "Only Admins can create bearer tokens."
	onlyAdminsRevoke = "Only Admins can revoke credentials."
)

// CreateBearerToken makes a person's bearer token and ends the one before, in one transaction. The
// secret is answered once and kept nowhere. formID is the one-use number of the form: sent again,
// from a reload, a double click or another server, it makes nothing and answers
// models.ShownAlready with the credential that it made the first time.
func (s *Store) CreateBearerToken(ctx context.Context, who models.Actor, personID, formID string) (made models.Credential, text secret.Text, before *models.Credential, err error) {
	if err := allow(who.MayCreateBearerTokens(), onlyAdminsCreate); err != nil {
		return made, "", nil, err
	}
	if !secret.ValidFormID(formID) {
		return made, "", nil, models.Fail(models.Invalid, "This form is incomplete. Open the record again, then create the token from there.")
	}
	if text, err = secret.Mint(models.Bearer.Prefix(), nil); err != nil {
		return made, "", nil, err
	}
	made = s.newBearer(who, personID, text)
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		person, err := lockPerson(tx, personID) // makes two creations for one person follow each other
		if err != nil {
			return event, err
		}
		if err := useForm(tx, formID, who.ID, made.ID, made.CreatedAt); err != nil {
			return event, err
		}
		if !person.Active() {
			return event, models.Fail(models.Conflict, "%s is deactivated. Activate the person first: a token made now would be refused.", person.Name)
		}
		policy, err := policyOf(tx)
		if err != nil {
			return event, err
		}
		ends := policy.Shortened(models.Bearer, made.CreatedAt, *made.ExpiresAt)
		made.ExpiresAt = &ends
		if before, err = s.replaceBearer(tx, who, made); err != nil {
			return event, err
		}
		event = credentialEvent(models.CredentialCreated, made, person)
		changes := []models.Change{{Field: "token", After: made.Prefix + "..."}, {Field: "expires", After: made.ExpiresAt.Format(time.RFC3339)}}
		if before != nil {
			changes = append(changes, models.Change{Field: "replaces", Before: before.Prefix + "...", After: before.ID})
		}
		return event.WithChanges(changes...), born(tx, &made)
	})
	if err != nil {
		return models.Credential{}, "", nil, err
	}
	return made, text, before, nil
}

func (s *Store) newBearer(who models.Actor, personID string, text secret.Text) models.Credential {
	hash, hint, now := text.Hash(), text.Hint(), s.now()
	expires := models.BearerTokenLife(now)
	return models.Credential{
		ID: s.newID(), Kind: models.Bearer, Name: "Bearer token", NameKey: "bearer token", Prefix: hint.Prefix, Last4: hint.Last4, Hash: hash[:],
		PersonID: personID, Enabled: true, CreatedAt: now, CreatedBy: who.ID, ExpiresAt: &expires,
	}
}

// replaceBearer ends the person's bearer token in favour of the new one; nil when there was none, or when it
// is being revoked just now.
func (s *Store) replaceBearer(tx *gorm.DB, who models.Actor, made models.Credential) (*models.Credential, error) {
	old, err := take[models.Credential](lock(tx).Where("person_id = ? AND kind = ? AND revoked_at IS NULL", made.PersonID, models.Bearer))
	if models.KindOf(err) == models.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = one(tx.Model(&models.Credential{}).Where("id = ? AND revoked_at IS NULL", old.ID).
		Updates(map[string]any{"revoked_at": made.CreatedAt, "revoked_by": who.ID, "replaced_by": made.ID}))
	return &old, err
}

// RevokeCredential ends a credential for good. One that is revoked already stays as it is, without an event.
func (s *Store) RevokeCredential(ctx context.Context, who models.Actor, id string, r models.Revocation) (models.Credential, error) {
	var c models.Credential
	if err := allow(who.MayRevoke(), onlyAdminsRevoke); err != nil {
		return c, err
	}
	if err := r.Clean().Err(); err != nil {
		return c, err
	}
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if c, err = withID[models.Credential](lock(tx), id); err != nil {
			return event, err
		}
		if c.Kind != models.Bearer { // it has a name of its own
			return s.revoke(tx, who, &c, r, tokenEvent(models.CredentialRevoked, c))
		}
		owner, err := withID[models.Person](tx, c.PersonID)
		if err != nil {
			return event, err
		}
		return s.revoke(tx, who, &c, r, credentialEvent(models.CredentialRevoked, c, owner))
	})
	return c, err
}

// revoke ends a credential that the transaction has under lock.
func (s *Store) revoke(tx *gorm.DB, who models.Actor, c *models.Credential, r models.Revocation, event models.Event) (models.Event, error) {
	if c.RevokedAt != nil {
		return event, errUnchanged
	}
	now := s.now()
	c.RevokedAt, c.RevokedBy, c.RevokeReason = &now, who.ID, r.Reason
	err := one(tx.Model(&models.Credential{}).Where("id = ? AND revoked_at IS NULL", c.ID).
		Updates(map[string]any{"revoked_at": now, "revoked_by": who.ID, "revoke_reason": r.Reason}))
	return event.WithChanges(kinded(*c, models.Change{Field: "token", After: c.Prefix + "..."}, models.Change{Field: "reason", After: r.Reason})...), err
}

// RevokeBearerToken ends the bearer token of a person; models.NotFound when there is none to end.
func (s *Store) RevokeBearerToken(ctx context.Context, who models.Actor, personID string, r models.Revocation) (models.Credential, error) {
	if err := allow(who.MayRevoke(), onlyAdminsRevoke); err != nil {
		return models.Credential{}, err
	}
	if !models.ValidID(personID) {
		return models.Credential{}, notThere
	}
	var c models.Credential
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		c, err = take[models.Credential](fresh(tx).Where("person_id = ? AND kind = ? AND revoked_at IS NULL", personID, models.Bearer))
		return err
	})
	if err != nil {
		return c, err
	}
	return s.RevokeCredential(ctx, who, c.ID, r)
}

// Credential finds one by its ID, as a page shows it.
func (s *Store) Credential(ctx context.Context, who models.Actor, id string) (models.CredentialSeen, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return models.CredentialSeen{}, err
	}
	c, err := withID[models.Credential](s.db.WithContext(ctx), id)
	if err != nil {
		return models.CredentialSeen{}, err
	}
	seen, err := s.seeCredentials(ctx, []models.Credential{c})
	if err != nil {
		return models.CredentialSeen{}, err
	}
	return seen[0], nil
}

// Credentials lists the newest credentials of the installation, for the command line.
func (s *Store) Credentials(ctx context.Context, who models.Actor, limit int) ([]models.CredentialSeen, map[string]models.Person, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return nil, nil, err
	}
	var list []models.Credential
	if err := s.db.WithContext(ctx).Order("id DESC").Limit(limit).Find(&list).Error; err != nil {
		return nil, nil, translate(err)
	}
	seen, err := s.seeCredentials(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	for _, c := range list {
		ids = append(ids, c.PersonID)
	}
	owners, err := s.peopleByID(ctx, ids)
	return seen, owners, err
}

// credentialEvent names the subject by its owner: a person has one bearer token, and it has no other name.
func credentialEvent(action models.Action, c models.Credential, owner models.Person) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfCredential, SubjectID: c.ID, SubjectName: owner.Name, PersonID: owner.ID}
}

// AnyCredential says whether anything was ever issued.
func (s *Store) AnyCredential(ctx context.Context) (bool, error) {
	var ids []string
	err := s.db.WithContext(ctx).Model(&models.Credential{}).Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, translate(err)
}
