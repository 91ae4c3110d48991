package store

import (
	"context"
	"errors"
	"strings"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const (
	onlyAdminsManage = "Only Admins can see and change people."
	lastAdmin        = "There must always be one active Admin, and this is the last one. Make somebody else an Admin first."
	emailTaken       = "Someone with this email address is already here."
	longestSearch    = 1000 // bytes; names and addresses are shorter
)

// People lists people by name, a page at a time, and says where the next page begins; the zero
// Place says that there is none.
func (s *Store) People(ctx context.Context, who models.Actor, f models.PeopleFilter) ([]models.PersonSeen, models.Place, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return nil, models.Place{}, err
	}
	q := s.matching(ctx, f)
	if f.After.ID != "" {
		q = q.Where("(name_key, id) > (?, ?)", f.After.Key, f.After.ID)
	}
	var people []models.Person
	if err := q.Order("name_key, id").Limit(models.PageSize + 1).Find(&people).Error; err != nil {
		return nil, models.Place{}, translate(err)
	}
	var next models.Place
	if len(people) > models.PageSize {
		people = people[:models.PageSize]
		last := people[models.PageSize-1]
		next = models.Place{Key: last.NameKey, ID: last.ID}
	}
	seen, err := s.withBearer(ctx, people)
	return seen, next, err
}

// CountPeople counts the people that match, the place in the list left aside, up to models.CountCap
// and one more: an exact count would cost what the list saves.
func (s *Store) CountPeople(ctx context.Context, who models.Actor, f models.PeopleFilter) (int, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return 0, err
	}
	var n int64
	first := s.matching(ctx, f).Select("id").Limit(models.CountCap + 1)
	err := s.db.WithContext(ctx).Table("(?) AS counted", first).Count(&n).Error
	return int(n), translate(err)
}

func (s *Store) matching(ctx context.Context, f models.PeopleFilter) *gorm.DB {
	q := s.db.WithContext(ctx).Model(&models.Person{})
	switch words := models.Fold(f.Query); {
	case words == "":
	case len(words) > longestSearch || !models.Printable(words): // nobody is called that, and a database refuses to look
		q = q.Where("1 = 0")
	default:
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(words) + "%"
		q = q.Where(`(name_key LIKE ? ESCAPE '\' OR email_key LIKE ? ESCAPE '\')`, like, like)
	}
	if f.Role != "" {
		q = q.Where("role = ?", f.Role)
	}
	switch f.Status {
	case "active":
		q = q.Where("deactivated_at IS NULL")
	case "deactivated":
		q = q.Where("deactivated_at IS NOT NULL")
	}
	return q
}

// withBearer adds each person's unended bearer token, with one query for all.
func (s *Store) withBearer(ctx context.Context, people []models.Person) ([]models.PersonSeen, error) {
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	var tokens []models.Credential
	err := s.db.WithContext(ctx).Where("kind = ? AND revoked_at IS NULL AND person_id IN ?", models.Bearer, ids).Find(&tokens).Error
	if err != nil {
		return nil, translate(err)
	}
	byPerson := map[string]*models.Credential{}
	for i := range tokens {
		byPerson[tokens[i].PersonID] = &tokens[i]
	}
	seen := make([]models.PersonSeen, len(people))
	for i, p := range people {
		seen[i] = models.PersonSeen{Person: p, Bearer: byPerson[p.ID]}
	}
	return seen, nil
}

// PersonByEmail finds a person by any spelling of their address.
func (s *Store) PersonByEmail(ctx context.Context, email string) (models.Person, error) {
	if !models.Printable(models.EmailKey(email)) { // nobody's, and PostgreSQL would refuse to look
		return models.Person{}, notThere
	}
	return take[models.Person](s.db.WithContext(ctx).Where("email_key = ?", models.EmailKey(email)))
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
		ID: s.newID(), Name: n.Name, NameKey: models.Fold(n.Name), Email: n.Email, EmailKey: models.EmailKey(n.Email),
		Role: n.Role, PasswordHash: hash, PasswordChangedAt: now, CreatedAt: now,
	}, nil
}

// EditPerson changes a person's name, address and role. The last active Admin keeps the role. Who
// loses the role is signed out everywhere (security rule S3).
func (s *Store) EditPerson(ctx context.Context, who models.Actor, id string, edit models.PersonEdit) (models.Person, error) {
	var person models.Person
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return person, err
	}
	if err := edit.Clean().Err(); err != nil {
		return person, err
	}
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		find := lockPerson
		if edit.Role != models.Admin {
			find = lockPersonAndAdmins
		}
		if person, err = find(tx, id); err != nil {
			return event, err
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
		if err == nil && demoted {
			err = tx.Where("person_id = ?", id).Delete(&models.Session{}).Error
		}
		return personEvent(models.PersonChanged, person).WithChanges(changes...), err
	})
	return person, err
}

// DeactivatePerson signs a person out everywhere and has all their credentials refused from now on.
// The last active Admin stays. A person who is deactivated already stays so, without an event.
func (s *Store) DeactivatePerson(ctx context.Context, who models.Actor, id string) (models.Person, error) {
	return s.switchPerson(ctx, who, id, models.PersonDeactivated, lockPersonAndAdmins, func(tx *gorm.DB, p *models.Person) error {
		if !p.Active() {
			return errUnchanged
		}
		if p.ActiveAdmin() {
			if err := keepAnAdmin(tx, p.ID); err != nil {
				return err
			}
		}
		now := s.now()
		p.DeactivatedAt = &now
		return tx.Where("person_id = ?", p.ID).Delete(&models.Session{}).Error
	})
}

// ActivatePerson lifts a deactivation. Credentials that were not revoked work again.
func (s *Store) ActivatePerson(ctx context.Context, who models.Actor, id string) (models.Person, error) {
	return s.switchPerson(ctx, who, id, models.PersonActivated, lockPerson, func(_ *gorm.DB, p *models.Person) error {
		if p.Active() {
			return errUnchanged
		}
		p.DeactivatedAt = nil
		return nil
	})
}

func (s *Store) switchPerson(
	ctx context.Context, who models.Actor, id string, action models.Action,
	find func(*gorm.DB, string) (models.Person, error), decide func(*gorm.DB, *models.Person) error,
) (models.Person, error) {
	var person models.Person
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return person, err
	}
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if person, err = find(tx, id); err != nil {
			return event, err
		}
		if err := decide(tx, &person); err != nil {
			return event, err
		}
		err = one(tx.Model(&models.Person{}).Where("id = ?", id).Updates(map[string]any{"deactivated_at": person.DeactivatedAt}))
		return personEvent(action, person), err
	})
	return person, err
}

func insertPerson(tx *gorm.DB, person *models.Person) error {
	err := tx.Create(person).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return onField("email", models.Fail(models.Invalid, emailTaken))
	}
	return err
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
