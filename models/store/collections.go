package store

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tokendesk/models"
)

// chunkBytes is how much of an archive one row holds.
const chunkBytes = 256 << 10

const onlyAdminsInstall = "Admin access required. The token must belong to a person with Admin access."

// InstallCollection keeps a checked archive and makes it the collection's current version, in one
// transaction: all of it or nothing. Bytes of an earlier version make that one current again, and no
// new one; bytes that are current already change nothing.
func (s *Store) InstallCollection(ctx context.Context, who models.Actor, n models.NewInstall) (models.Installed, error) {
	if err := allow(who.MayInstall(), onlyAdminsInstall); err != nil {
		return models.Installed{}, err
	}
	if err := n.Clean().Err(); err != nil {
		return models.Installed{}, err
	}
	workspace, err := s.installInto(ctx, who, n.Workspace)
	if err != nil {
		return models.Installed{}, err
	}
	done := models.Installed{Workspace: workspace.Workspace}
	err = s.writeLong(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if done.Collection, err = s.lockCollection(tx, workspace.ID, n.Name); err != nil {
			return event, err
		}
		action, err := s.chooseVersion(tx, who, &done, n)
		if err != nil || done.Unchanged {
			return installEvent(action, done, n), err
		}
		c := &done.Collection
		c.CurrentVersionID, c.InstalledAt, c.InstalledBy, c.CredentialID = done.Version.ID, s.now(), who.ID, who.CredentialID
		err = one(tx.Model(&models.Collection{}).Where("id = ?", c.ID).Updates(map[string]any{
			"current_version_id": c.CurrentVersionID, "installed_at": c.InstalledAt, "installed_by": c.InstalledBy, "credential_id": c.CredentialID,
		}))
		return installEvent(action, done, n), err
	})
	return done, err
}

// chooseVersion finds the version that has these bytes, or adds one, and says which of the three it was:
// new bytes, bytes that are current already, or bytes of an earlier version.
func (s *Store) chooseVersion(tx *gorm.DB, who models.Actor, done *models.Installed, n models.NewInstall) (models.Action, error) {
	before, current := done.Collection.CurrentVersionID, models.CollectionVersion{}
	if before != "" {
		var err error
		if current, err = withID[models.CollectionVersion](tx, before); err != nil {
			return "", err
		}
		done.Before = current.Number
	}
	found, there, err := findVersion(tx, done.Collection.ID, n.SHA256)
	switch {
	case err != nil:
		return "", err
	case !there:
		done.Version, err = s.addVersion(tx, who, done.Collection.ID, n)
		return models.CollectionInstalled, err
	}
	done.Version, done.Unchanged, done.Again = found, found.ID == before, found.ID != before
	if done.Unchanged {
		return models.CollectionReinstalled, nil
	}
	return models.CollectionRestored, nil
}

func (s *Store) installInto(ctx context.Context, who models.Actor, workspace string) (models.WorkspaceSeen, error) {
	if workspace == "" {
		return s.HomeWorkspace(ctx, who)
	}
	return s.Workspace(ctx, who, workspace)
}

// lockCollection finds or makes the collection of a name, and keeps others from installing under
// it to the end of the transaction: the update of the row that is there takes its lock.
func (s *Store) lockCollection(tx *gorm.DB, workspaceID, name string) (models.Collection, error) {
	c := models.Collection{ID: s.newID(), WorkspaceID: workspaceID, Name: name, NameKey: models.Fold(name), CreatedAt: s.now(), InstalledAt: s.now()}
	err := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "workspace_id"}, {Name: "name_key"}},
		DoUpdates: clause.Assignments(map[string]any{"name": name}),
	}).Create(&c).Error
	if err != nil {
		return c, err
	}
	return take[models.Collection](tx.Where("workspace_id = ? AND name_key = ?", workspaceID, c.NameKey))
}

func findVersion(tx *gorm.DB, collectionID, sha256 string) (models.CollectionVersion, bool, error) {
	v, err := take[models.CollectionVersion](tx.Where("collection_id = ? AND sha256 = ?", collectionID, sha256))
	if models.KindOf(err) == models.NotFound {
		return v, false, nil
	}
	return v, err == nil, err
}

func (s *Store) addVersion(tx *gorm.DB, who models.Actor, collectionID string, n models.NewInstall) (models.CollectionVersion, error) {
	var last int
	err := tx.Model(&models.CollectionVersion{}).Where("collection_id = ?", collectionID).Select("COALESCE(MAX(number), 0)").Scan(&last).Error
	if err != nil {
		return models.CollectionVersion{}, err
	}
	if err := s.keepBlob(tx, n); err != nil {
		return models.CollectionVersion{}, err
	}
	v := models.CollectionVersion{
		ID: s.newID(), CollectionID: collectionID, Number: last + 1, Label: n.Label, Description: n.Description, FileName: n.FileName,
		SHA256: n.SHA256, Size: n.Size, Entries: len(n.Files), InstalledAt: s.now(), InstalledBy: who.ID, CredentialID: who.CredentialID,
	}
	if err := tx.Create(&v).Error; err != nil {
		return v, err
	}
	files := make([]models.CollectionFile, len(n.Files))
	for i, f := range n.Files {
		f.VersionID = v.ID
		files[i] = f
	}
	if len(files) == 0 {
		return v, nil
	}
	return v, tx.CreateInBatches(files, 500).Error
}

// keepBlob stores the archive's bytes in chunks, once: the same bytes under another name or in
// another workspace share them.
func (s *Store) keepBlob(tx *gorm.DB, n models.NewInstall) error {
	res := tx.Exec("INSERT INTO blobs (sha256, size, created_at) VALUES (?, ?, ?) ON CONFLICT (sha256) DO NOTHING", n.SHA256, n.Size, s.now())
	if res.Error != nil || res.RowsAffected == 0 {
		return res.Error
	}
	chunk, content := make([]byte, min(n.Size, chunkBytes)), io.NewSectionReader(n.Content, 0, n.Size)
	for number, left := 0, n.Size; left > 0; number, left = number+1, left-int64(len(chunk)) {
		chunk = chunk[:min(left, chunkBytes)]
		if _, err := io.ReadFull(content, chunk); err != nil {
			return fmt.Errorf("read the archive, %d bytes before its end: %w", left, err)
		}
		if err := tx.Exec("INSERT INTO blob_chunks (sha256, number, bytes) VALUES (?, ?, ?)", n.SHA256, number, chunk).Error; err != nil {
			return err
		}
	}
	return nil
}

// Collections lists a workspace's collections by name, a page at a time, each with its current
// version and who installed it with which token.
func (s *Store) Collections(ctx context.Context, workspaceID string, after models.Place) ([]models.CollectionSeen, models.Place, error) {
	q := s.db.WithContext(ctx).Where("workspace_id = ?", workspaceID)
	if after.ID != "" {
		q = q.Where("(name_key, id) > (?, ?)", after.Key, after.ID)
	}
	var list []models.Collection
	if err := q.Order("name_key, id").Limit(models.PageSize + 1).Find(&list).Error; err != nil {
		return nil, models.Place{}, translate(err)
	}
	var next models.Place
	if len(list) > models.PageSize {
		list = list[:models.PageSize]
		last := list[models.PageSize-1]
		next = models.Place{Key: last.NameKey, ID: last.ID}
	}
	seen, err := s.withVersions(ctx, list)
	return seen, next, err
}

func (s *Store) withVersions(ctx context.Context, list []models.Collection) ([]models.CollectionSeen, error) {
	current := make([]string, len(list))
	people, tokens := []string{}, []string{}
	for i, c := range list {
		current[i] = c.CurrentVersionID
		people, tokens = append(people, c.InstalledBy), append(tokens, c.CredentialID)
	}
	var versions []models.CollectionVersion
	if err := s.db.WithContext(ctx).Where("id IN ?", current).Find(&versions).Error; err != nil {
		return nil, translate(err)
	}
	byID := map[string]models.CollectionVersion{}
	for _, v := range versions {
		byID[v.ID] = v

	}
	names, err := s.peopleByID(ctx, people)
	if err != nil {
		return nil, err
	}
	var credentials []models.Credential
	if err := s.db.WithContext(ctx).Where("id IN ?", tokens).Find(&credentials).Error; err != nil {
		return nil, translate(err)
	}
	with := map[string]models.Credential{}
	for _, c := range credentials {
		with[c.ID] = c
	}
	seen := make([]models.CollectionSeen, len(list))
	for i, c := range list {
		v := byID[c.CurrentVersionID]
		seen[i] = models.CollectionSeen{Collection: c, Version: v, InstalledByName: names[c.InstalledBy].Name, Credential: with[c.CredentialID]}
	}
	return seen, nil
}

func installEvent(action models.Action, done models.Installed, n models.NewInstall) models.Event {
	event := models.Event{
		Action: action, SubjectKind: models.OfCollection, SubjectID: done.Collection.ID, SubjectName: done.Collection.Name,
		WorkspaceID: done.Workspace.ID,
	}
	version := models.Change{Field: "version", After: done.Version.VersionName()}
	if done.Before > 0 && !done.Unchanged {
		version.Before = strconv.Itoa(done.Before)
	}
	return event.WithChanges(
		models.Change{Field: "file", After: n.FileName}, version,
		models.Change{Field: "sha256", After: n.SHA256})
}
