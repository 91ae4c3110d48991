package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tokendesk/models"
)

const onlyAdminsInstall = "Admin access required. Only people with Admin access, and their tokens, install and change collections."

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
		event = installEvent(action, done, n)
		if err := rename(tx, &done.Collection, n.Name); err != nil {
			return event, err
		}
		return event, s.setCurrent(tx, who, &done.Collection, done.Version.ID)
	})
	return done, err
}

// setCurrent makes a version the one that is installed.
func (s *Store) setCurrent(tx *gorm.DB, who models.Actor, c *models.Collection, versionID string) error {
	c.CurrentVersionID, c.InstalledAt, c.InstalledBy, c.CredentialID = versionID, s.now(), who.ID, who.CredentialID
	return one(tx.Model(&models.Collection{}).Where("id = ?", c.ID).Updates(map[string]any{
		"current_version_id": c.CurrentVersionID, "installed_at": c.InstalledAt, "installed_by": c.InstalledBy, "credential_id": c.CredentialID,
	}))
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
		done.Before = current
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
		DoUpdates: clause.Assignments(map[string]any{"name_key": models.Fold(name)}), // as it is
	}).Create(&c).Error
	if err != nil {
		return c, err
	}
	return take[models.Collection](tx.Where("workspace_id = ? AND name_key = ?", workspaceID, c.NameKey))
}

// rename gives a collection the name as its newest version spells it: the same, but for upper and lower case.
func rename(tx *gorm.DB, c *models.Collection, name string) error {
	if c.Name == name {
		return nil
	}
	c.Name = name
	return one(tx.Model(&models.Collection{}).Where("id = ?", c.ID).Updates(map[string]any{"name": name}))
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

func installEvent(action models.Action, done models.Installed, n models.NewInstall) models.Event {
	version := models.Change{Field: "version", After: done.Version.VersionName()}
	if done.Before.Number > 0 && !done.Unchanged {
		version.Before = done.Before.VersionName()
	}
	changes := []models.Change{{Field: "file", After: n.FileName}, version, {Field: "sha256", After: n.SHA256}}
	if c := done.Collection; !done.Unchanged && c.Name != n.Name {
		changes = append(changes, models.Change{Field: "name", Before: c.Name, After: n.Name})
	}
	return collectionEvent(action, done.Collection).WithChanges(changes...)
}
