package store

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"tokendesk/models"
)

// CollectionKeys lists the collection access keys that were not revoked, the newest first, a page at a time, those that have expired among them: of one
// collection that the actor may open, or, without one, of all the workspaces that they are a member of.
func (s *Store) CollectionKeys(ctx context.Context, who models.Actor, collectionID string, after models.Place) (seen []models.CollectionKeySeen, next models.Place, err error) {
	db := s.db.WithContext(ctx)
	var list []models.Credential
	if collectionID != "" {
		if _, err := s.asOf(ctx, func(tx *gorm.DB) error { _, _, err := sharedCollection(tx, who, collectionID); return err }); err != nil {
			return nil, next, err
		}
		list, next, err = newestKeys(keysOfCollection(db, collectionID), after)
	} else {
		list, next, err = s.keysOfMine(ctx, who, after)
	}
	if err != nil {
		return nil, next, err
	}
	seen, err = s.seeCollectionKeys(ctx, who, list)
	return seen, next, err
}

// keysOfMine is a page of those of all the workspaces that somebody is a member of: the newest of each, and of these the newest.
func (s *Store) keysOfMine(ctx context.Context, who models.Actor, after models.Place) (all []models.Credential, next models.Place, err error) {
	var mine []string
	_, err = s.asOf(ctx, func(tx *gorm.DB) error {
		q := fresh(tx).Table("memberships").Joins("JOIN workspaces ON workspaces.id = memberships.workspace_id AND workspaces.deleted_at IS NULL").Where("memberships.person_id = ?", who.ID)
		if who.Within != "" {
			q = q.Where("memberships.workspace_id = ?", who.Within)
		}
		return q.Pluck("memberships.workspace_id", &mine).Error
	})
	if err != nil {
		return nil, next, err
	}
	for some := range slices.Chunk(mine, workspacesAtOnce) {
		found, err := newestOfEach(s.db.WithContext(ctx), some, after)
		if err != nil {
			return nil, next, translate(err)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b models.Credential) int { return strings.Compare(b.ID, a.ID) })
	if len(all) > after.Size() {
		all = all[:after.Size()]
		next.ID = all[after.Size()-1].ID
	}
	return all, next, nil
}

// workspacesAtOnce is how many queries are put into one statement: SQLite takes 500.
const workspacesAtOnce = 100

// newestOfEach are the newest access keys of each workspace, each along the index, as many as a page has and one more.
func newestOfEach(db *gorm.DB, workspaces []string, after models.Place) (list []models.Credential, err error) {
	var parts []string
	var values []any
	for _, id := range workspaces {
		q := fresh(db).Model(&models.Credential{}).Where("workspace_id = ? AND kind = 'collection' AND revoked_at IS NULL", id)
		if after.ID != "" {
			q = q.Where("id < ?", after.ID)
		}
		parts, values = append(parts, "SELECT * FROM (?) AS newest"), append(values, q.Order("id DESC").Limit(after.Size()+1))
	}
	return list, db.Raw(strings.Join(parts, " UNION ALL "), values...).Scan(&list).Error
}

// CollectionKey finds one in a workspace that the actor may open, as its page shows it; also one that was revoked.
func (s *Store) CollectionKey(ctx context.Context, who models.Actor, id string) (models.CollectionKeySeen, error) {
	var c models.Credential
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		c, _, err = accessKeyOf(tx, who, id)
		return err
	})
	if err != nil {
		return models.CollectionKeySeen{}, err
	}
	seen, err := s.seeCollectionKeys(ctx, who, []models.Credential{c})
	if err != nil {
		return models.CollectionKeySeen{}, err
	}
	return seen[0], nil
}

// seeCollectionKeys adds what a list shows of them, with one query for each kind of thing.
func (s *Store) seeCollectionKeys(ctx context.Context, who models.Actor, list []models.Credential) ([]models.CollectionKeySeen, error) {
	if len(list) == 0 {
		return nil, nil
	}
	credentials, err := s.seeCredentials(ctx, list)
	if err != nil {
		return nil, err
	}
	db := s.db.WithContext(ctx)
	var ids []string
	for _, c := range list {
		ids = append(ids, c.CollectionID)
	}
	var collections []models.Collection
	if err := db.Select("id", "name").Where("id IN ?", ids).Find(&collections).Error; err != nil {
		return nil, translate(err)
	}
	names := map[string]string{}
	for _, c := range collections {
		names[c.ID] = c.Name
	}
	var rows []models.WorkspaceSeen
	err = db.Table("workspaces").Select("workspaces.*, COALESCE(memberships.role, '') AS role").
		Joins("LEFT JOIN memberships ON memberships.workspace_id = workspaces.id AND memberships.person_id = ?", who.ID).Where("workspaces.id IN ?", workspacesOf(list)).Find(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	workspaces := map[string]models.WorkspaceSeen{}
	for _, w := range rows {
		workspaces[w.ID] = w
	}
	seen := make([]models.CollectionKeySeen, len(list))
	for i, c := range credentials {
		w := workspaces[c.WorkspaceID]
		seen[i] = models.CollectionKeySeen{
			CredentialSeen: c, Collection: names[c.CollectionID], Workspace: w.Workspace, Mine: c.CreatedBy == who.ID, MayEnd: c.RevokedAt == nil && who.MayEndShare(w.Role, c.CreatedBy),
		}
	}
	return seen, nil
}
