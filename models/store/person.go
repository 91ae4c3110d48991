package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"tokendesk/models"
)

// EditPerson changes a person's name, address and role. The last active Admin keeps the role. Who
// loses the role is signed out everywhere (security rule S3) and becomes a Member of the workspaces whose
// Admin they were; who owns one stays its Owner.
func (s *Store) EditPerson(ctx context.Context, who models.Actor, id string, edit models.PersonEdit) (models.Person, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return models.Person{}, err
	}
	if err := edit.Clean().Err(); err != nil {
		return models.Person{}, err
	}
	return s.ChangePerson(ctx, who, id, func(models.Person) models.PersonEdit { return edit })
}

// ChangePerson is EditPerson for who changes a part: to is asked what the person is to be like, of what they are like when it is the change's turn.
// A program makes nobody an Admin and moves no Admin to another address: who signs in so would outlive what it came with (security rule T10).
func (s *Store) ChangePerson(ctx context.Context, who models.Actor, id string, to func(models.Person) models.PersonEdit) (models.Person, error) {
	var person models.Person
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return person, err
	}
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if person, err = lockPersonAndAdmins(tx, id); err != nil {
			return event, err
		}
		edit := to(person)
		if err := edit.Clean().Err(); err != nil {
			return event, err
		}
		if who.Kind == models.Program && edit.Role == models.Admin && (person.Role != models.Admin || edit.Email != person.Email) {
			return event, adminsByHand
		}
		if person.ActiveAdmin() && edit.Role != models.Admin {
			if err := keepAnAdmin(tx, id); err != nil {
				return event, onField("role", err)
			}
		}
		demoted := person.Role == models.Admin && edit.Role != models.Admin
		changes := edit.Apply(&person)
		if len(changes) == 0 {
			return event, errUnchanged
		}
		err = one(tx.Model(&models.Person{}).Where("id = ?", id).Updates(map[string]any{
			"name": person.Name, "name_key": person.NameKey, "email": person.Email, "email_key": person.EmailKey, "role": person.Role,
		}))
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			err = onField("email", models.Fail(models.Invalid, emailTaken))
		}
		if err == nil {
			err = tx.Model(&models.Membership{}).Where("person_id = ?", id).Updates(map[string]any{"name_key": person.NameKey}).Error
		}
		if err == nil && demoted {
			err = dropAdmin(tx, id)
		}
		return personEvent(models.PersonChanged, person).WithChanges(changes...), err
	})
	return person, err
}

var adminsByHand = models.Fail(models.Forbidden, "Admins are made, and their email addresses changed, in the console alone: who signs in so outlives the credential of a program.")

// dropAdmin takes what came with the role: the sessions, and being an Admin of workspaces.
func dropAdmin(tx *gorm.DB, personID string) error {
	if err := tx.Where("person_id = ?", personID).Delete(&models.Session{}).Error; err != nil {
		return err
	}
	return tx.Model(&models.Membership{}).Where("person_id = ? AND role = ?", personID, models.WorkspaceAdmin).
		Updates(map[string]any{"role": models.WorkspaceMember}).Error
}

// DeactivatePerson signs a person out everywhere and has all their credentials refused from now on. Automation tokens end for good.
// The last active Admin stays. A person who is deactivated already stays so, without an event.
func (s *Store) DeactivatePerson(ctx context.Context, who models.Actor, id string) (models.Person, error) {
	return s.switchPerson(ctx, who, id, models.PersonDeactivated, lockPersonAndAdmins, func(tx *gorm.DB, p *models.Person) ([]models.Change, error) {
		if !p.Active() {
			return nil, errUnchanged
		}
		if p.ActiveAdmin() {
			if err := keepAnAdmin(tx, p.ID); err != nil {
				return nil, err
			}
		}
		now := s.now()
		p.DeactivatedAt = &now
		if err := tx.Where("person_id = ?", p.ID).Delete(&models.Session{}).Error; err != nil {
			return nil, err
		}
		return s.endAutomation(tx, who, fresh(tx).Where("person_id = ?", p.ID), models.PersonWasDeactivated)
	})
}

// ActivatePerson lifts a deactivation. Credentials that were not revoked work again.
func (s *Store) ActivatePerson(ctx context.Context, who models.Actor, id string) (models.Person, error) {
	return s.switchPerson(ctx, who, id, models.PersonActivated, lockPerson, func(_ *gorm.DB, p *models.Person) ([]models.Change, error) {
		if p.Active() {
			return nil, errUnchanged
		}
		p.DeactivatedAt = nil
		return nil, nil
	})
}

func (s *Store) switchPerson(
	ctx context.Context, who models.Actor, id string, action models.Action,
	find func(*gorm.DB, string) (models.Person, error), decide func(*gorm.DB, *models.Person) ([]models.Change, error),
) (models.Person, error) {
	var person models.Person
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return person, err
	}
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if person, err = find(tx, id); err != nil {
			return event, err
		}
		changes, err := decide(tx, &person)
		if err != nil {
			return event, err
		}
		err = one(tx.Model(&models.Person{}).Where("id = ?", id).Updates(map[string]any{"deactivated_at": person.DeactivatedAt}))
		return personEvent(action, person).WithChanges(changes...), err
	})
	return person, err
}

// Person finds somebody by their ID: for Admins anybody, for others themself.
func (s *Store) Person(ctx context.Context, who models.Actor, id string) (models.Person, error) {
	if err := allow(who.MayManagePeople() || who.ID != "" && who.ID == id, onlyAdminsManage); err != nil {
		return models.Person{}, err
	}
	p, err := withID[models.Person](s.db.WithContext(ctx), id)
	if models.KindOf(err) == models.NotFound {
		err = models.Fail(models.NotFound, "That person does not exist.")
	}
	return p, err
}

// NameOf is the name of the person whose ID this is; empty where it is nobody's.
func (s *Store) NameOf(ctx context.Context, id string) (string, error) {
	person, err := withID[models.Person](s.db.WithContext(ctx), id)
	if models.KindOf(err) == models.NotFound {
		return "", nil
	}
	return person.Name, err
}

// lockPerson reads a person and keeps the row as it is to the end of the transaction.
func lockPerson(tx *gorm.DB, id string) (models.Person, error) {
	return withID[models.Person](lock(tx), id)
}

// lockPersonAndAdmins is lockPerson for a change that may cost the installation an Admin: it locks all
// active Admins too, in one order, so that two who demote each other at once follow each other, and
// the second finds out.
func lockPersonAndAdmins(tx *gorm.DB, id string) (models.Person, error) {
	var locked []string
	all := tx.Model(&models.Person{}).Where("id = ? OR (role = ? AND deactivated_at IS NULL)", id, models.Admin)
	if models.ValidID(id) {
		if err := lock(all).Order("id").Pluck("id", &locked).Error; err != nil {
			return models.Person{}, err
		}
	}
	return withID[models.Person](tx, id)
}

// keepAnAdmin refuses when nobody but this person is an active Admin; lockPersonAndAdmins came before.
func keepAnAdmin(tx *gorm.DB, id string) error {
	others, err := countOtherAdmins(tx, id)
	if err == nil && others == 0 {
		return models.Fail(models.Conflict, lastAdmin)
	}
	return err
}

func countOtherAdmins(db *gorm.DB, id string) (n int64, err error) {
	err = db.Model(&models.Person{}).Where("role = ? AND deactivated_at IS NULL AND id <> ?", models.Admin, id).Count(&n).Error
	return n, err
}
