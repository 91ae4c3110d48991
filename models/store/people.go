package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const (
	onlyAdminsManage = "Only Admins can see and change people."
	lastAdmin        = "There must always be one active Admin, and this is the last one. Make somebody else an Admin first."
	emailTaken       = "Someone with this email address is already here."
)

// PersonByEmail finds a person by any spelling of their address.
func (s *Store) PersonByEmail(ctx context.Context, email string) (models.Person, error) {
	if !models.Printable(models.EmailKey(email)) { // nobody's, and PostgreSQL would refuse to look
		return models.Person{}, notThere
	}
	var p models.Person
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		p, err = take[models.Person](fresh(tx).Where("email_key = ?", models.EmailKey(email)))
		return err
	})
	return p, err
}

// HasAdmin says whether the installation has been set up.
func (s *Store) HasAdmin(ctx context.Context) (bool, error) {
	n, err := countOtherAdmins(s.db.WithContext(ctx), "")
	return n > 0, translate(err)
}

// CreatePerson adds a person. Where the installation has one workspace, they become its member,
// with the role that matches theirs. A used address is models.Invalid.
func (s *Store) CreatePerson(ctx context.Context, who models.Actor, n models.NewPerson) (models.Person, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return models.Person{}, err
	}
	if who.Kind == models.Program && n.Role == models.Admin {
		return models.Person{}, adminsByHand
	}
	person, err := s.newPerson(ctx, &n, nil)
	if err != nil {
		return models.Person{}, err
	}
	err = s.write(ctx, who, func(tx *gorm.DB) (models.Event, error) {
		if err := insertPerson(tx, &person); err != nil {
			return models.Event{}, err
		}
		joined, err := joinOnlyWorkspace(tx, person)
		event := personEvent(models.PersonCreated, person).WithChanges(
			models.Change{Field: "name", After: person.Name}, models.Change{Field: "email", After: person.Email},
			models.Change{Field: "role", After: string(person.Role)}, models.Change{Field: "workspace", After: joined})
		return event, err
	})
	return person, err
}

// newPerson checks the input, hashes the password and makes the row, outside of any transaction. It
// tells the problems of the rest of the form after its own.
func (s *Store) newPerson(ctx context.Context, n *models.NewPerson, rest models.Problems) (models.Person, error) {
	p := n.Clean()
	if n.Password != "" {
		problem := secret.CheckPassword(n.Password, n.Name, n.Email)
		p.Add(problem != "", "password", problem)
	}
	if err := append(p, rest...).Err(); err != nil {
		return models.Person{}, err
	}
	hash, err := s.hashPassword(ctx, n.Password)
	if err != nil {
		return models.Person{}, err
	}
	now := s.now()
	return models.Person{
		ID: s.newID(), Name: n.Name, NameKey: models.Fold(n.Name), Email: n.Email, EmailKey: models.EmailKey(n.Email), TimeZone: "UTC", KeyDays: models.DefaultKeyDays,
		Role: n.Role, PasswordHash: hash, PasswordChangedAt: now, CreatedAt: now,
	}, nil
}

func insertPerson(tx *gorm.DB, person *models.Person) error {
	err := tx.Create(person).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return onField("email", models.Fail(models.Invalid, emailTaken))
	}
	return err
}

// onField makes a failure of ours the problem of one field, so that the page shows it there.
func onField(field string, err error) error {
	var ours *models.Error
	if !errors.As(err, &ours) || ours.Kind == models.Unavailable {
		return err
	}
	p := models.Problems{}
	p.Add(true, field, ours.Message)
	return p.Err()
}

func personEvent(action models.Action, p models.Person) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfPerson, SubjectID: p.ID, SubjectName: p.Name, PersonID: p.ID}
}
