package store

import (
	"context"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"tokendesk/migrations"
	"tokendesk/models"
)

const longestSearch = 1000 // bytes; names and addresses are shorter

// People lists people by name, a page at a time, and says where the next page begins; the zero
// Place says that there is none.
func (s *Store) People(ctx context.Context, who models.Actor, f models.PeopleFilter) ([]models.PersonSeen, models.Place, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return nil, models.Place{}, err
	}
	var people []models.Person
	err := s.planned(ctx, func(tx *gorm.DB) error {
		q, err := s.matching(tx, f)
		if err != nil {
			return err
		}
		if f.After.ID != "" {
			q = q.Where("(name_key, id) > (?, ?)", f.After.Key, f.After.ID)
		}
		return q.Order("name_key, id").Limit(f.After.Size() + 1).Find(&people).Error
	})
	if err != nil {
		return nil, models.Place{}, err
	}
	var next models.Place
	if len(people) > f.After.Size() {
		people = people[:f.After.Size()]
		last := people[f.After.Size()-1]
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
	err := s.planned(ctx, func(tx *gorm.DB) error {
		var err error
		if words := models.Fold(f.Query); f.Role == "" && f.Status == "" && searchable(words) && !models.Begins(words) {
			n, err = countUpTo(tx, s.indexed(tx, words), models.CountCap+1)
			return err
		}
		q, err := s.matching(tx, f)
		if err != nil {
			return err
		}
		n, err = countUpTo(tx, q.Select("id"), models.CountCap+1)
		return err
	})
	return int(n), err
}

// fresh begins another query on the same connection or transaction.
func fresh(tx *gorm.DB) *gorm.DB { return tx.Session(&gorm.Session{NewDB: true}) }

func (s *Store) matching(tx *gorm.DB, f models.PeopleFilter) (*gorm.DB, error) {
	q, err := s.called(tx, models.Fold(f.Query))
	if err != nil {
		return nil, err
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
	return q, nil
}

// called are the people whose name or address has these words in it. A common part is found soon on the way along the
// list, unless all who have it are at its end, as those whose name begins with it may be; so as many as one page may
// look through are named by the index of trigrams and put in order. That index knows nothing shorter than
// itself, so fewer letters are the beginning of a name, which is a stretch of the list.
func (s *Store) called(tx *gorm.DB, words string) (*gorm.DB, error) {
	all := fresh(tx).Model(&models.Person{})
	switch {
	case words == "":
		return all, nil
	case !searchable(words):
		return all.Where("1 = 0"), nil
	case models.Begins(words):
		if beyond := following(words); beyond != "" {
			all = all.Where("name_key < ?", beyond)
		}
		return all.Where("name_key >= ?", words), nil
	}
	n, err := countUpTo(tx, s.indexed(tx, words), s.reach+1)
	switch {
	case err != nil || n > int64(s.reach):
		return having(all, words), err
	case s.dialect == migrations.SQLite:
		return all.Where("id IN (SELECT person_id FROM people_search WHERE n IN (?))", trigrams(tx, words)), nil
	}
	// PostgreSQL looks no further into a query that has a limit, and so does not begin with the list.
	return fresh(tx).Table("(?) AS people", having(all, words).Limit(s.reach+1)), nil
}

// searchable says whether anybody can be called so; else a database might refuse to look.
func searchable(words string) bool { return len(words) <= longestSearch && models.Printable(words) }

// having narrows people to those who have words in their name or address.
func having(people *gorm.DB, words string) *gorm.DB {
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(words) + "%"
	return people.Where(`(name_key LIKE ? ESCAPE '\' OR email_key LIKE ? ESCAPE '\')`, like, like)
}

// indexed are the same, in no order, as the index of trigrams has them: a row each.
func (s *Store) indexed(tx *gorm.DB, words string) *gorm.DB {
	if s.dialect == migrations.SQLite {
		return trigrams(tx, words)
	}
	return having(fresh(tx).Model(&models.Person{}), words).Select("1")
}

// following is the first text, in the order of code points, after all that begin with this one; empty where there
// is none.
func following(text string) string {
	letters := []rune(text)
	for len(letters) > 0 {
		last := &letters[len(letters)-1]
		switch *last {
		case utf8.MaxRune:
			letters = letters[:len(letters)-1]
			continue
		case 0xD7FF: // what follows are halves of letters in another encoding
			*last = 0xE000
		default:
			*last++
		}
		return string(letters)
	}
	return ""
}

// trigrams asks SQLite's index for the rows that have these words in a name or an address.
func trigrams(tx *gorm.DB, words string) *gorm.DB {
	phrase := `"` + strings.ReplaceAll(words, `"`, `""`) + `"`
	return fresh(tx).Table("people_trigrams").Select("rowid").Where("people_trigrams MATCH ?", phrase)
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
