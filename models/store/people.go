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
