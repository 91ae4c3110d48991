package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const setupDomain = "tokendesk/setup/v1"

// setupCode lets whoever holds it make the first Admin.
type setupCode struct {
	Hash      []byte
	ExpiresAt time.Time
}

// OfferSetup makes a set-up code while there is no Admin; empty when there is one. Codes from
// before stay good until their time is over: two servers that start at once both print one.
func (s *Store) OfferSetup(ctx context.Context, who models.Actor) (secret.Text, error) {
	if done, err := s.HasAdmin(ctx); done || err != nil {
		return "", err
	}
	code, hash := secret.Random(setupDomain)
	err := s.write(ctx, who, func(tx *gorm.DB) (models.Event, error) {
		now := s.now()
		if err := tx.Exec("DELETE FROM setup_codes WHERE expires_at <= ?", now).Error; err != nil {
			return models.Event{}, err
		}
		err := tx.Create(&setupCode{Hash: hash[:], ExpiresAt: now.Add(models.SetupCodeLife)}).Error
		return models.Event{Action: models.SetupOffered, SubjectKind: models.OfInstallation}, err
	})
	return code, err
}

// SetupOpen says whether the code may still set this installation up.
func (s *Store) SetupOpen(ctx context.Context, code string) (bool, error) {
	if done, err := s.HasAdmin(ctx); done || err != nil {
		return false, err
	}
	hash := secret.HashOf(setupDomain, code)
	var found int64
	err := s.db.WithContext(ctx).Table("setup_codes").Where("hash = ? AND expires_at > ?", hash[:], s.now()).Count(&found).Error
	return found == 1, translate(err)
}

// SetUp makes the first Admin and the first workspace, once. The code is used up by the same
// transaction; a wrong, used or late one is models.Forbidden.
func (s *Store) SetUp(ctx context.Context, who models.Actor, code string, n models.NewPerson, ws models.NewWorkspace) (models.Person, models.Workspace, error) {
	n.Role = models.Admin
	person, err := s.newPerson(ctx, &n, ws.Clean())
	if err != nil {
		return models.Person{}, models.Workspace{}, err
	}
	var workspace models.Workspace
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if err = useSetupCode(tx, code, s.now()); err != nil {
			return event, err
		}
		if err = insertPerson(tx, &person); err != nil {
			return event, err
		}
		workspace, err = s.admitFirstAdmin(tx, person, ws.Name)
		event = models.Event{
			Action: models.SetupCompleted, SubjectKind: models.OfPerson, SubjectID: person.ID, SubjectName: person.Name,
			PersonID: person.ID, WorkspaceID: workspace.ID,
		}
		return event.WithChanges(models.Change{Field: "email", After: person.Email}, models.Change{Field: "workspace", After: workspace.Name}), err
	})
	return person, workspace, err
}

// useSetupCode uses the code up. Whoever comes second waits here, and then finds no code: all of them
// go with the first Admin. One that another server offered at that moment is good for nothing.
func useSetupCode(tx *gorm.DB, code string, now time.Time) error {
	admins, err := countOtherAdmins(tx, "")
	if err != nil {
		return err
	}
	hash := secret.HashOf(setupDomain, code)
	used := tx.Exec("DELETE FROM setup_codes WHERE hash = ? AND expires_at > ?", hash[:], now)
	if used.Error == nil && (used.RowsAffected == 0 || admins > 0) {
		return models.Fail(models.Forbidden, "This set-up address is no longer valid. Restart the server: it prints a new one.")
	}
	return used.Error
}

// AddAdmin is SetUp for machines: the command line adds an Admin, and with the first one the first
// workspace, "Main" where no name is given. It also serves for every later Admin, who has no say in that name.
func (s *Store) AddAdmin(ctx context.Context, who models.Actor, n models.NewPerson, ws models.NewWorkspace) (models.Person, error) {
	n.Role = models.Admin
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return models.Person{}, err
	}
	named := ws.Name != ""
	if !named {
		ws.Name = "Main"
	}
	person, err := s.newPerson(ctx, &n, ws.Clean())
	if err != nil {
		return models.Person{}, err
	}
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if err := insertPerson(tx, &person); err != nil {
			return event, err
		}
		workspace, err := s.admitFirstAdmin(tx, person, ws.Name)
		if err == nil && named && workspace.Name != ws.Name {
			err = models.Fail(models.Conflict, "There is a workspace already, %s: leave the workspace out. Nobody was added.", workspace.Name)
		}
		return personEvent(models.PersonCreated, person).WithChanges(
			models.Change{Field: "email", After: person.Email}, models.Change{Field: "role", After: string(person.Role)},
			models.Change{Field: "workspace", After: workspace.Name}), err
	})
	return person, err
}

// admitFirstAdmin ends all set-up codes and gives the person a workspace: the installation's only
// one, or a new one where there is none yet.
func (s *Store) admitFirstAdmin(tx *gorm.DB, person models.Person, name string) (models.Workspace, error) {
	if err := tx.Exec("DELETE FROM setup_codes").Error; err != nil {
		return models.Workspace{}, err
	}
	w, exists, err := firstWorkspace(tx)
	if err != nil {
		return w, err
	}
	if !exists {
		return s.insertWorkspace(tx, name, person)
	}
	_, err = joinOnlyWorkspace(tx, person)
	return w, err
}
