package store

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"tokendesk/models"
)

// MakeCurrent makes another version of a collection the one that is installed. The one that is stays so,
// without an event.
func (s *Store) MakeCurrent(ctx context.Context, who models.Actor, workspace, id string, number int) (models.VersionSeen, error) {
	var to models.CollectionVersion
	c, err := s.changeCollection(ctx, who, workspace, id, func(tx *gorm.DB, c *models.Collection) (event models.Event, err error) {
		if to, err = versionOf(tx, c.ID, number); err != nil {
			return event, err
		}
		if to.ID == c.CurrentVersionID {
			return event, errUnchanged
		}
		from, err := withID[models.CollectionVersion](tx, c.CurrentVersionID)
		if err != nil {
			return event, err
		}
		event = collectionEvent(models.CollectionRestored, *c).WithChanges(
			models.Change{Field: "version", Before: from.VersionName(), After: to.VersionName()},
			models.Change{Field: "sha256", Before: from.SHA256, After: to.SHA256})
		return event, s.setCurrent(tx, who, c, to.ID)
	})
	if err != nil {
		return models.VersionSeen{}, err
	}
	return s.Version(ctx, c, number)
}

// DeleteCollection removes a collection with all its versions, and the archives that no other collection
// has; its access keys end with it. typed must be its name.
func (s *Store) DeleteCollection(ctx context.Context, who models.Actor, workspace, id, typed string) (models.Collection, error) {
	return s.changeCollection(ctx, who, workspace, id, func(tx *gorm.DB, c *models.Collection) (event models.Event, err error) {
		if models.CleanText(typed) != c.Name {
			return event, onField("typed", models.Fail(models.Invalid, "Type the name as it is written: %s", c.Name))
		}
		var versions []models.CollectionVersion
		if err := tx.Where("collection_id = ?", c.ID).Order("sha256").Find(&versions).Error; err != nil {
			return event, err
		}
		if err := removeCollection(tx, c.ID, versions); err != nil {
			return event, err
		}
		ended, err := s.endShares(tx, who, c.ID)
		return collectionEvent(models.CollectionDeleted, *c).WithChanges(append([]models.Change{{Field: "versions", Before: strconv.Itoa(len(versions))}}, ended...)...), err
	})
}

func removeCollection(tx *gorm.DB, id string, versions []models.CollectionVersion) error {
	for _, v := range versions {
		if err := tx.Where("version_id = ?", v.ID).Delete(&models.CollectionFile{}).Error; err != nil {
			return err
		}
	}
	if err := tx.Where("collection_id = ?", id).Delete(&models.CollectionVersion{}).Error; err != nil {
		return err
	}
	for _, v := range versions {
		if err := dropBlob(tx, v.SHA256); err != nil {
			return err
		}
	}
	return one(tx.Where("id = ?", id).Delete(&models.Collection{}))
}

// changeCollection finds a collection for whoever may change it, and keeps it from others to the end of
// the transaction. Rows are locked in the order in which an installation locks them: the collection, the
// archives by their hashes, and the number of the event; after that only the access keys that end.
func (s *Store) changeCollection(ctx context.Context, who models.Actor, workspace, id string, fn func(*gorm.DB, *models.Collection) (models.Event, error)) (models.Collection, error) {
	var c models.Collection
	if err := allow(who.MayInstall(), onlyAdminsInstall); err != nil {
		return c, err
	}
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return c, err
	}
	err = s.writeLong(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if c, err = collectionOf(lock(tx), w.ID, id); err != nil {
			return event, err
		}
		return fn(tx, &c)
	})
	return c, err
}

func collectionEvent(action models.Action, c models.Collection) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfCollection, SubjectID: c.ID, SubjectName: c.Name, WorkspaceID: c.WorkspaceID}
}
