package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

const onlyAdminsSee = "Only Admins can see the credentials of everybody."

// AllCredentials lists the credentials of the installation, a page at a time. Where no index has all of what is asked for, as many are looked
// through for a page as the store reaches, and the page says where it goes on.
func (s *Store) AllCredentials(ctx context.Context, who models.Actor, f models.CredentialFilter) (found models.CredentialsFound, err error) {
	if err := allow(who.MaySeeCredentials(), onlyAdminsSee); err != nil {
		return found, err
	}
	if f.Limit == 0 {
		f.Limit = models.PageSize
	}
	if len(f.Hash) > 0 {
		return s.byHash(ctx, f)
	}
	if !searchable(models.Fold(f.Query)) {
		return found, nil
	}
	var list []models.Credential
	err = s.byIndex(ctx, func(tx *gorm.DB) error {
		q := s.asking(f)
		from, few, err := s.chooseSource(tx, q)
		if err != nil {
			return err
		}
		if few {
			if err := q.among(tx, from.limited(tx, s.reach+1)).Limit(f.Limit + 1).Find(&list).Error; err != nil {
				return err
			}
		} else if list, found.Next, found.Looked, err = s.walk(tx, q, from); err != nil {
			return err
		}
		if len(list) > f.Limit {
			list, found.Looked = list[:f.Limit], 0
			found.Next = q.placeOf(list[f.Limit-1])
		}
		return nil
	})
	if err != nil {
		return found, err
	}
	found.Rows, err = s.credentialRows(ctx, list)
	return found, err
}

// CountAllCredentials counts the credentials that match, the place in the list left aside, up to models.CountCap and one more; and says whether
// these are all: it looks no further than AllCredentials does for the first page.
func (s *Store) CountAllCredentials(ctx context.Context, who models.Actor, f models.CredentialFilter) (n int, all bool, err error) {
	if err := allow(who.MaySeeCredentials(), onlyAdminsSee); err != nil {
		return 0, false, err
	}
	f.After = models.CredentialPlace{}
	if len(f.Hash) > 0 {
		found, err := s.byHash(ctx, f)
		return len(found.Rows), true, err
	}
	if !searchable(models.Fold(f.Query)) {
		return 0, true, nil
	}
	err = s.byIndex(ctx, func(tx *gorm.DB) error {
		n, all, err = s.countCredentials(tx, f)
		return err
	})
	return n, all, err
}

func (s *Store) countCredentials(tx *gorm.DB, f models.CredentialFilter) (n int, all bool, err error) {
	q := s.asking(f)
	from, few, err := s.chooseSource(tx, q)
	if err != nil {
		return 0, false, err
	}
	room := s.reach + 1
	if from.exact {
		room = models.CountCap + 1
	}
	found, err := countUpTo(tx, q.among(tx, from.limited(tx, room)).Select("listed.id"), models.CountCap+1)
	return int(found), (few || from.exact) && found <= models.CountCap, err
}

// walk reads a page along a stretch that has the order of the list: a little at first, because what is common is found soon, and then as far
// as the store reaches.
func (s *Store) walk(tx *gorm.DB, q *asked, from source) (list []models.Credential, next models.CredentialPlace, looked int, err error) {
	want := q.filter.Limit + 1
	for room := 4 * want; ; room = s.reach - looked {
		if room = min(room, s.reach-looked); from.exact {
			room = want
		}
		var some []models.Credential
		if err := q.among(tx, from.limited(tx, room)).Limit(want - len(list)).Find(&some).Error; err != nil {
			return nil, next, 0, err
		}
		if list = append(list, some...); len(list) == want || from.exact {
			return list, next, 0, nil
		}
		var last []models.Credential
		if err := from.last(tx, room).Find(&last).Error; err != nil {
			return nil, next, 0, err
		}
		if len(last) == 0 { // that was all of it
			return list, models.CredentialPlace{}, 0, nil
		}
		looked += room
		next = q.placeOf(last[0])
		if looked >= s.reach {
			return list, next, looked, nil
		}
		from.at = next
	}
}

// byHash finds the credential that has a secret, or had it before.
func (s *Store) byHash(ctx context.Context, f models.CredentialFilter) (found models.CredentialsFound, err error) {
	db := s.db.WithContext(ctx)
	var list []models.Credential
	if err := db.Where("hash = ?", f.Hash).Limit(1).Find(&list).Error; err != nil {
		return found, translate(err)
	}
	before := len(list) == 0
	if before {
		if err := db.Where("id IN (SELECT credential_id FROM replaced_secrets WHERE hash = ?)", f.Hash).Limit(1).Find(&list).Error; err != nil {
			return found, translate(err)
		}
	}
	found.Rows, err = s.credentialRows(ctx, list)
	for i := range found.Rows {
		found.Rows[i].Before = before
	}
	return found, err
}

// CredentialByID finds one of any kind by its ID.
func (s *Store) CredentialByID(ctx context.Context, who models.Actor, id string) (models.CredentialRow, error) {
	if err := allow(who.MaySeeCredentials(), onlyAdminsSee); err != nil {
		return models.CredentialRow{}, err
	}
	c, err := withID[models.Credential](s.db.WithContext(ctx), id)
	if models.KindOf(err) == models.NotFound {
		err = models.Fail(models.NotFound, "There is no such credential.")
	}
	if err != nil {
		return models.CredentialRow{}, err
	}
	rows, err := s.credentialRows(ctx, []models.Credential{c})
	if err != nil {
		return models.CredentialRow{}, err
	}
	return rows[0], nil
}

// CredentialDays are the days on which a credential of any kind was used, as UsageDays.
func (s *Store) CredentialDays(ctx context.Context, who models.Actor, id string, from time.Time) ([]models.UsageDay, error) {
	if err := allow(who.MaySeeCredentials(), onlyAdminsSee); err != nil {
		return nil, err
	}
	return s.usageDays(ctx, id, from)
}

// CredentialCalls is how often each of some credentials was used since a moment's day (UTC).
func (s *Store) CredentialCalls(ctx context.Context, who models.Actor, ids []string, from time.Time) (map[string]int64, error) {
	if err := allow(who.MaySeeCredentials(), onlyAdminsSee); err != nil {
		return nil, err
	}
	ids, err := someIDs(ids)
	if err != nil {
		return nil, err
	}
	var days []models.UsageDay
	err = s.db.WithContext(ctx).Raw("SELECT credential_id, sum(calls) AS calls FROM ("+countedDays+") AS counted GROUP BY credential_id", countedFrom(ids, from)).Scan(&days).Error
	calls := make(map[string]int64, len(days))
	for _, d := range days {
		calls[d.CredentialID] = d.Calls
	}
	return calls, translate(err)
}

// credentialRows adds usage and names to credentials, with one query for each kind of thing.
func (s *Store) credentialRows(ctx context.Context, list []models.Credential) ([]models.CredentialRow, error) {
	if len(list) == 0 {
		return nil, nil
	}
	seen, err := s.seeCredentials(ctx, list)
	if err != nil {
		return nil, err
	}
	db := s.db.WithContext(ctx)
	var workspaces []models.Workspace
	if err := db.Select("id", "name", "slug", "deleted_at").Where("id IN ?", workspacesOf(list)).Find(&workspaces).Error; err != nil {
		return nil, translate(err)
	}
	var ids []string
	for _, c := range list {
		if c.CollectionID != "" {
			ids = append(ids, c.CollectionID)
		}
	}
	collections := map[string]string{}
	if len(ids) > 0 {
		var found []models.Collection
		if err := db.Select("id", "name").Where("id IN ?", ids).Find(&found).Error; err != nil {
			return nil, translate(err)
		}
		for _, k := range found {
			collections[k.ID] = k.Name
		}
	}
	rows := make([]models.CredentialRow, len(seen))
	for i, c := range seen {
		rows[i] = models.CredentialRow{CredentialSeen: c, Collection: collections[c.CollectionID]}
		for _, w := range workspaces {
			if w.ID == c.WorkspaceID {
				if rows[i].Workspace = w.Name; w.DeletedAt == nil {
					rows[i].WorkspaceSlug = w.Slug
				}
			}
		}
	}
	return rows, nil
}
