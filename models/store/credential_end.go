package store

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"tokendesk/models"
)

// born keeps a new credential of any kind, and its usage, by which it is found when it has not been used for long.
func born(tx *gorm.DB, c *models.Credential) error {
	if err := tx.Create(c).Error; err != nil {
		return err
	}
	u := models.Usage{CredentialID: c.ID, IdleSince: c.CreatedAt}
	if c.Kind == models.APIToken { // those of a workspace are sorted by their use
		u.WorkspaceID = c.WorkspaceID
	}
	return tx.Create(&u).Error
}

// CredentialsByID finds credentials of any kind by their IDs, the newest first. One that is not there is models.NotFound.
func (s *Store) CredentialsByID(ctx context.Context, who models.Actor, ids []string) ([]models.CredentialRow, error) {
	if err := allow(who.MaySeeCredentials(), onlyAdminsSee); err != nil {
		return nil, err
	}
	ids, err := someIDs(ids)
	if err != nil {
		return nil, err
	}
	list, err := allWithIDs(s.db.WithContext(ctx), ids)
	if err != nil {
		return nil, translate(err)
	}
	return s.credentialRows(ctx, list)
}

// RevokeCredentials ends credentials for good: all of them or none. Each has an event of its own, so that its history says who did it and why; those
// that were revoked already stay as they are, without an event. It answers those that it ended.
func (s *Store) RevokeCredentials(ctx context.Context, who models.Actor, ids []string, r models.Revocation) (ended []models.Credential, err error) {
	if err := allow(who.MayRevoke(), onlyAdminsRevoke); err != nil {
		return nil, err
	}
	if err := r.Clean().Err(); err != nil {
		return nil, err
	}
	if ids, err = someIDs(ids); err != nil {
		return nil, err
	}
	err = s.writeMany(ctx, who, func(tx *gorm.DB) ([]models.Event, error) {
		list, err := allWithIDs(lock(fresh(tx)), ids)
		if err != nil {
			return nil, err
		}
		owners, err := ownersOf(tx, list)
		if err != nil {
			return nil, err
		}
		var events []models.Event
		for i := range list {
			c := &list[i]
			if c.RevokedAt != nil {
				continue
			}
			event := tokenEvent(models.CredentialRevoked, *c)
			if c.Kind == models.Bearer {
				event = credentialEvent(models.CredentialRevoked, *c, owners[c.PersonID])
			}
			if event, err = s.revoke(tx, who, c, r, event); err != nil {
				return nil, err
			}
			events, ended = append(events, event), append(ended, *c)
		}
		return events, nil
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

// writeMany is write for one change of many things, of which each keeps a history: an event for each of them, or nothing at all.
func (s *Store) writeMany(ctx context.Context, who models.Actor, fn func(tx *gorm.DB) ([]models.Event, error)) error {
	return s.commit(ctx, who, func(tx *gorm.DB) ([]models.Event, error) {
		if err := s.admit(tx, who); err != nil {
			return nil, err
		}
		events, err := fn(tx)
		if err == nil && len(events) == 0 {
			err = errUnchanged
		}
		return events, err
	})
}

// someIDs are the IDs of credentials, each once, in one order, so that two who lock the same wait for each other.
func someIDs(ids []string) ([]string, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	switch {
	case len(ids) == 0:
		return nil, models.Fail(models.Invalid, "Select at least one credential.")
	case len(ids) > models.MostRevoked:
		return nil, models.Fail(models.Invalid, "At most 1,000 credentials can be revoked at once. Select fewer.")
	case slices.ContainsFunc(ids, func(id string) bool { return !models.ValidID(id) }):
		return nil, gone
	}
	return ids, nil
}

var gone = models.Fail(models.NotFound, "One of these credentials does not exist. Open the list again, and select from there.")

// allWithIDs reads credentials, the newest first.
func allWithIDs(tx *gorm.DB, ids []string) ([]models.Credential, error) {
	var list []models.Credential
	if err := tx.Where("id IN ?", ids).Order("id").Find(&list).Error; err != nil { // in the order in which uses are written down, which may lock them too
		return nil, err
	}
	slices.Reverse(list)
	if len(list) < len(ids) {
		return nil, gone
	}
	return list, nil
}

// ownersOf are the people whose bearer tokens these are.
func ownersOf(tx *gorm.DB, list []models.Credential) (map[string]models.Person, error) {
	var ids []string
	for _, c := range list {
		if c.Kind == models.Bearer && c.RevokedAt == nil {
			ids = append(ids, c.PersonID)
		}
	}
	owners := map[string]models.Person{}
	if len(ids) == 0 {
		return owners, nil
	}
	var people []models.Person
	err := fresh(tx).Select("id", "name").Where("id IN ?", ids).Find(&people).Error
	for _, p := range people {
		owners[p.ID] = p
	}
	return owners, err
}
