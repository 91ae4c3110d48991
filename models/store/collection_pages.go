package store

import (
	"context"

	"gorm.io/gorm"

	"tokendesk/models"
)

var (
	noCollection         = models.Fail(models.NotFound, "There is no such collection in this workspace. It may have been deleted.")
	noCollectionAnywhere = models.Fail(models.NotFound, "There is no such collection, or it is in a workspace that you are not a member of.")
	noVersion            = models.Fail(models.NotFound, "The collection has no such version.")
)

// Collections lists a workspace's collections by name, a page at a time, each with its current
// version and who installed it with which token. Whoever may open the workspace may see them.
func (s *Store) Collections(ctx context.Context, workspaceID string, after models.Place) ([]models.CollectionSeen, models.Place, error) {
	q := s.db.WithContext(ctx).Where("workspace_id = ?", workspaceID)
	if after.ID != "" {
		q = q.Where("(name_key, id) > (?, ?)", after.Key, after.ID)
	}
	var list []models.Collection
	if err := q.Order("name_key, id").Limit(after.Size() + 1).Find(&list).Error; err != nil {
		return nil, models.Place{}, translate(err)
	}
	var next models.Place
	if len(list) > after.Size() {
		list = list[:after.Size()]
		last := list[after.Size()-1]
		next = models.Place{Key: last.NameKey, ID: last.ID}
	}
	seen, err := s.withVersions(ctx, list)
	return seen, next, err
}

// CountVersions counts a collection's versions, up to models.CountCap and one more.
func (s *Store) CountVersions(ctx context.Context, c models.Collection) (int, error) {
	db := s.db.WithContext(ctx)
	n, err := countUpTo(db, db.Model(&models.CollectionVersion{}).Where("collection_id = ?", c.ID).Select("id"), models.CountCap+1)
	return int(n), translate(err)
}

func (s *Store) withVersions(ctx context.Context, list []models.Collection) ([]models.CollectionSeen, error) {
	current := make([]string, len(list))
	for i, c := range list {
		current[i] = c.CurrentVersionID
	}
	var versions []models.CollectionVersion
	if err := s.db.WithContext(ctx).Where("id IN ?", current).Find(&versions).Error; err != nil {
		return nil, translate(err)
	}
	byID, people, tokens := map[string]models.CollectionVersion{}, []string{}, []string{}
	for _, v := range versions {
		byID[v.ID] = v
		people, tokens = append(people, v.InstalledBy), append(tokens, v.CredentialID)
	}
	names, with, err := s.installers(ctx, people, tokens)
	if err != nil {
		return nil, err
	}
	seen := make([]models.CollectionSeen, len(list))
	for i, c := range list {
		v := byID[c.CurrentVersionID]
		seen[i] = models.CollectionSeen{Collection: c, Version: v, InstalledByName: names[v.InstalledBy].Name, Credential: with[v.CredentialID]}
	}
	return seen, nil
}

// installers reads the people and the credentials that installed something, with one query for each.
func (s *Store) installers(ctx context.Context, people, tokens []string) (map[string]models.Person, map[string]models.Credential, error) {
	names, err := s.peopleByID(ctx, people)
	if err != nil {
		return nil, nil, err
	}
	var credentials []models.Credential
	if err := s.db.WithContext(ctx).Where("id IN ?", tokens).Find(&credentials).Error; err != nil {
		return nil, nil, translate(err)
	}
	with := make(map[string]models.Credential, len(credentials))
	for _, c := range credentials {
		with[c.ID] = c
	}
	return names, with, nil
}

// Collection finds one collection of a workspace that the actor may open.
func (s *Store) Collection(ctx context.Context, who models.Actor, workspace, id string) (models.CollectionWithin, error) {
	var within models.CollectionWithin
	var w models.WorkspaceSeen
	var c models.Collection
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		if w, err = workspaceOf(tx, who, workspace); err != nil {
			return err
		}
		c, err = collectionOf(fresh(tx), w.ID, id)
		return err
	})
	if err != nil {
		return within, err
	}
	seen, err := s.withVersions(ctx, []models.Collection{c})
	if err != nil {
		return within, err
	}
	return models.CollectionWithin{CollectionSeen: seen[0], Workspace: w.Workspace}, nil
}

// CollectionByID finds a collection in any workspace that the actor may open, or the one that they come to read with its access key.
func (s *Store) CollectionByID(ctx context.Context, who models.Actor, id string) (models.CollectionWithin, error) {
	var within models.CollectionWithin
	var w models.Workspace
	var c models.Collection
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		c, err = withID[models.Collection](fresh(tx), id)
		if models.KindOf(err) == models.NotFound {
			return noCollectionAnywhere
		}
		if err != nil {
			return err
		}
		if who.Reads != c.ID {
			seen, err := workspaceOf(tx, who, c.WorkspaceID)
			w = seen.Workspace
			return err
		}
		w, err = withID[models.Workspace](fresh(tx), c.WorkspaceID)
		return err
	})
	if err != nil {
		return within, err
	}
	seen, err := s.withVersions(ctx, []models.Collection{c})
	if err != nil {
		return within, err
	}
	return models.CollectionWithin{CollectionSeen: seen[0], Workspace: w}, nil
}

func collectionOf(query *gorm.DB, workspaceID, id string) (models.Collection, error) {
	c, err := withID[models.Collection](query.Where("workspace_id = ?", workspaceID), id)
	if models.KindOf(err) == models.NotFound {
		err = noCollection
	}
	return c, err
}

// Versions lists a collection's versions, newest first, below the one with this number; 0 is the beginning. It answers one more than the limit where there are more.
func (s *Store) Versions(ctx context.Context, c models.Collection, below, limit int) ([]models.VersionSeen, error) {
	q := s.db.WithContext(ctx).Where("collection_id = ?", c.ID)
	if below > 0 {
		q = q.Where("number < ?", below)
	}
	var list []models.CollectionVersion
	if err := q.Order("number DESC").Limit(limit + 1).Find(&list).Error; err != nil {
		return nil, translate(err)
	}
	return s.seeVersions(ctx, c, list)
}

// Version finds one version of a collection.
func (s *Store) Version(ctx context.Context, c models.Collection, number int) (models.VersionSeen, error) {
	v, err := versionOf(s.db.WithContext(ctx), c.ID, number)
	if err != nil {
		return models.VersionSeen{}, err
	}
	seen, err := s.seeVersions(ctx, c, []models.CollectionVersion{v})
	if err != nil {
		return models.VersionSeen{}, err
	}
	return seen[0], nil
}

func versionOf(query *gorm.DB, collectionID string, number int) (models.CollectionVersion, error) {
	v, err := take[models.CollectionVersion](query.Where("collection_id = ? AND number = ?", collectionID, number))
	if models.KindOf(err) == models.NotFound {
		err = noVersion
	}
	return v, err
}

func (s *Store) seeVersions(ctx context.Context, c models.Collection, list []models.CollectionVersion) ([]models.VersionSeen, error) {
	var people, tokens []string
	for _, v := range list {
		people, tokens = append(people, v.InstalledBy), append(tokens, v.CredentialID)
	}
	names, with, err := s.installers(ctx, people, tokens)
	if err != nil {
		return nil, err
	}
	seen := make([]models.VersionSeen, len(list))
	for i, v := range list {
		seen[i] = models.VersionSeen{
			CollectionVersion: v, Current: v.ID == c.CurrentVersionID, InstalledByName: names[v.InstalledBy].Name, Credential: with[v.CredentialID],
		}
	}
	return seen, nil
}

// Files lists the files of a version by their paths, after the one with this path; empty is the beginning. It answers one more than the limit where
// there are more.
func (s *Store) Files(ctx context.Context, v models.CollectionVersion, after string, limit int) ([]models.CollectionFile, error) {
	var list []models.CollectionFile
	err := s.db.WithContext(ctx).Where("version_id = ? AND path > ?", v.ID, after).Order("path").Limit(limit + 1).Find(&list).Error
	return list, translate(err)
}

// File finds one file of a version by its path.
func (s *Store) File(ctx context.Context, v models.CollectionVersion, path string) (models.CollectionFile, error) {
	f, err := take[models.CollectionFile](s.db.WithContext(ctx).Where("version_id = ? AND path = ?", v.ID, path))
	if models.KindOf(err) == models.NotFound {
		err = models.Fail(models.NotFound, "This version has no such file.")
	}
	return f, err
}

// SizeOf counts a collection's versions, and the bytes of their archives.
func (s *Store) SizeOf(ctx context.Context, c models.Collection) (versions int, bytes int64, err error) {
	var row struct {
		Versions int
		Bytes    int64
	}
	err = s.db.WithContext(ctx).Model(&models.CollectionVersion{}).Select("count(*) AS versions, COALESCE(SUM(size), 0) AS bytes").
		Where("collection_id = ?", c.ID).Take(&row).Error
	return row.Versions, row.Bytes, translate(err)
}
