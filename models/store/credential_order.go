package store

import (
	"math"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// asked is a filter of the list of credentials as the database understands it.
type asked struct {
	filter  models.CredentialFilter
	sqlite  bool
	byEnd   bool        // the list is in the order of their end
	parts   []condition // all that the filter asks, of credentials that are "listed" and their "usages"
	usage   bool        // a part asks for the usage
	sources []source    // where those that match may be read from, the most telling first
}

type condition struct {
	sql    string
	values []any
}

// source is where credentials are read from: rows that an index has one after the other.
type source struct {
	rows    func(tx *gorm.DB) *gorm.DB
	ids     func(tx *gorm.DB) *gorm.DB // the same, but only what is in the index
	behind  func(tx *gorm.DB) *gorm.DB // the rows, where a place is given; nil: the same
	id      string                     // the column with the ID
	end     string                     // "expires_at", where the order is by the end
	order   string
	sign    string // of what comes after a place
	ordered bool   // the index has them in the order of the list
	covers  int    // how many parts of the filter it has
	exact   bool   // it has all of them
	at      models.CredentialPlace
}

func (q *asked) part(sql string, values ...any) { q.parts = append(q.parts, condition{sql, values}) }

// along is a table, read along an index. SQLite, which has no statistics, is told which; PostgreSQL finds out.
func (q *asked) along(tx *gorm.DB, table, index string) *gorm.DB {
	if q.sqlite && index != "" {
		return fresh(tx).Table(table + " INDEXED BY " + index)
	}
	return fresh(tx).Table(table)
}

// index adds an index of credentials that covers so many parts, and is in the order of the list where that is by ID.
func (q *asked) index(name string, covers int, sql string, values ...any) {
	ids := func(tx *gorm.DB) *gorm.DB {
		return q.along(tx, "credentials", name).Select("credentials.id").Where(sql, values...)
	}
	rows := func(tx *gorm.DB) *gorm.DB { return ids(tx).Select("credentials.*") }
	q.source(source{covers: covers, ordered: !q.byEnd, id: "credentials.id", ids: ids, rows: rows})
}

// indexByEnd adds the index that is in the order of their end: from a moment on, or up to one. Behind a place the moment says nothing more, and is left out,
// or else SQLite would begin there, and not at the place.
func (q *asked) indexByEnd(begin string, at time.Time, sql string, values ...any) {
	q.index("credentials_end", 1, sql+" AND credentials.expires_at "+begin+" ?", append(values, at)...)
	from := &q.sources[len(q.sources)-1]
	from.ordered = true
	from.behind = func(tx *gorm.DB) *gorm.DB {
		return q.along(tx, "credentials", "credentials_end").Select("credentials.*").Where(sql, values...)
	}
}

// used adds an index of usages, which covers one part, and may be in the order of the list where that is by ID.
func (q *asked) used(name string, ordered bool, sql string, values ...any) {
	q.usage = true
	ids := func(tx *gorm.DB) *gorm.DB {
		return q.along(tx, "usages", name).Select("usages.credential_id").Where(sql, values...)
	}
	rows := func(tx *gorm.DB) *gorm.DB {
		return ids(tx).Select("credentials.*").Joins("JOIN credentials ON credentials.id = usages.credential_id")
	}
	q.source(source{covers: 1, ordered: ordered && !q.byEnd, id: "usages.credential_id", ids: ids, rows: rows})
}

func (q *asked) source(from source) {
	from.at, from.sign, from.order = q.filter.After, "<", from.id+" DESC"
	if q.byEnd {
		from.end, from.order = "credentials.expires_at", "credentials.expires_at DESC, credentials.id DESC"
	}
	if q.filter.ExpiresWithin > 0 {
		from.sign, from.order = ">", "credentials.expires_at, credentials.id"
	}
	q.sources = append(q.sources, from)
}

// limited is so many rows of a source: the next ones in the order of the list, where it has that.
func (from source) limited(tx *gorm.DB, room int) *gorm.DB {
	if !from.ordered {
		return from.rows(tx).Limit(room)
	}
	return from.inOrder(tx).Limit(room)
}

func (from source) inOrder(tx *gorm.DB) *gorm.DB {
	rows := from.rows(tx).Order(from.order)
	if from.at.ID != "" && from.behind != nil {
		rows = from.behind(tx).Order(from.order)
	}
	switch {
	case from.at.ID == "":
		return rows
	case from.end != "":
		return rows.Where("("+from.end+", "+from.id+") "+from.sign+" (?, ?)", from.at.At, from.at.ID)
	}
	return rows.Where(from.id+" "+from.sign+" ?", from.at.ID)
}

// last is the last of so many rows that follow each other; nothing where there are fewer.
func (from source) last(tx *gorm.DB, of int) *gorm.DB {
	return from.inOrder(tx).Offset(of - 1).Limit(1)
}

// among is what of some credentials the filter lets through, in the order of the list and after its place.
func (q *asked) among(tx, some *gorm.DB) *gorm.DB {
	rows := fresh(tx).Table("(?) AS listed", some).Select("listed.*")
	if q.usage {
		rows = rows.Joins("JOIN usages ON usages.credential_id = listed.id")
	}
	for _, p := range q.parts {
		rows = rows.Where(p.sql, p.values...)
	}
	at := q.filter.After
	switch {
	case q.filter.ExpiresWithin > 0:
		if at.ID != "" {
			rows = rows.Where("(listed.expires_at, listed.id) > (?, ?)", at.At, at.ID)
		}
		return rows.Order("listed.expires_at, listed.id")
	case q.byEnd:
		if at.ID != "" {
			rows = rows.Where("(listed.expires_at, listed.id) < (?, ?)", at.At, at.ID)
		}
		return rows.Order("listed.expires_at DESC, listed.id DESC")
	case at.ID != "":
		rows = rows.Where("listed.id < ?", at.ID)
	}
	return rows.Order("listed.id DESC")
}

func (q *asked) placeOf(c models.Credential) models.CredentialPlace {
	at := models.CredentialPlace{ID: c.ID}
	if q.byEnd {
		at.At = *c.ExpiresAt
	}
	return at
}

// chooseSource chooses what to read: an index that has all of the filter in the order of the list, or else the one with the fewest rows, as far
// as they are worth counting; few says that these can all be looked through. Where no index has few, it is the most telling one in the order of the list.
func (s *Store) chooseSource(tx *gorm.DB, q *asked) (chosen source, few bool, err error) {
	fewest := int64(math.MaxInt64)
	for _, from := range q.sources {
		if from.exact && from.ordered {
			return from, false, nil
		}
	}
	for _, from := range q.sources {
		n, err := countUpTo(tx, from.ids(tx), s.reach+1)
		if err != nil {
			return chosen, false, err
		}
		if n < fewest {
			chosen, fewest = from, n
		}
		if fewest <= models.PageSize {
			break
		}
	}
	if fewest <= int64(s.reach) {
		chosen.ordered = false // all of it, from the beginning
		return chosen, true, nil
	}
	for _, from := range q.sources {
		if from.ordered {
			return from, false, nil
		}
	}
	return chosen, false, err
}
