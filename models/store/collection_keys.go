package store

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const (
	onlyMembersShare = "Only members of the workspace, and Admins, share its collections."
	onlyItsMaker     = "Only whoever made the access key, and the workspace's Owner and Admins, can revoke it."
)

var (
	noSharedCollection = models.Fail(models.NotFound, "That collection does not exist, or you are not a member of its workspace.")
	noSuchAccessKey    = models.Fail(models.NotFound, "That access key does not exist, or you are not a member of its workspace.")
)

// CreateCollectionKey shares a collection of a workspace that the actor may open: it makes a key that reads the collection, another one each time. The secret
// is answered once and kept nowhere. formID is as in CreateAPIKey. What a program makes ends no later than what it came with, however it is used.
func (s *Store) CreateCollectionKey(ctx context.Context, who models.Actor, collectionID string, n models.NewCollectionKey, formID string) (made models.Credential, text secret.Text, err error) {
	if !validForm(who, formID) {
		return made, "", incompleteForm
	}
	now := s.now()
	problems := n.Clean()
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		c, w, err := sharedCollection(tx, who, collectionID)
		if err != nil {
			return event, err
		}
		if err := allow(who.MayShare(w.Role), onlyMembersShare); err != nil {
			return event, err
		}
		made.ID = s.newID()
		if err := useFormOf(tx, who, formID, made.ID, now); err != nil {
			return event, err
		}
		if err := problems.Err(); err != nil {
			return event, err
		}
		if err := roomForAccessKey(tx, c, now); err != nil {
			return event, err
		}
		policy, err := policyOf(tx)
		if err != nil {
			return event, err
		}
		if text, err = secret.Mint(models.CollectionKey.Prefix(), nil); err != nil {
			return event, err
		}
		made = newCollectionKey(who, made.ID, c, n.Name, policy, now, text)
		event = tokenEvent(models.CredentialCreated, made).WithChanges(kinded(made,
			models.Change{Field: "token", After: made.Prefix + "..."}, models.Change{Field: "expires", After: expiryName(made.ExpiresAt)}, models.Change{Field: "collection", After: c.Name})...)
		return event, born(tx, &made)
	})
	if err != nil {
		text.Wipe()
		return models.Credential{}, "", err
	}
	return made, text, nil
}

func newCollectionKey(who models.Actor, id string, of models.Collection, name string, policy models.Policy, now time.Time, text secret.Text) models.Credential {
	hash, hint := text.Hash(), text.Hint()
	latest := models.Earliest(policy.Latest(models.CollectionKey, now), who.Until)
	ends := models.Instant(now.Add(models.CollectionKeyLife))
	return models.Credential{
		ID: id, Kind: models.CollectionKey, Name: name, NameKey: models.Fold(name), Prefix: hint.Prefix, Last4: hint.Last4, Hash: hash[:],
		WorkspaceID: of.WorkspaceID, CollectionID: of.ID, Enabled: true, CreatedAt: now, CreatedBy: who.ID,
		ExpiresAt: models.Earliest(&ends, latest), LatestExpiresAt: latest,
	}
}

// sharedCollection is a collection in a workspace that the actor may open, with that.
func sharedCollection(tx *gorm.DB, who models.Actor, id string) (models.Collection, models.WorkspaceSeen, error) {
	c, err := withID[models.Collection](fresh(tx), id)
	var w models.WorkspaceSeen
	if err == nil {
		w, err = workspaceOf(tx, who, c.WorkspaceID)
	}
	if models.KindOf(err) == models.NotFound {
		err = noSharedCollection
	}
	return c, w, err
}

func roomForAccessKey(tx *gorm.DB, c models.Collection, now time.Time) error {
	live := keysOfCollection(tx, c.ID).Model(&models.Credential{}).Select("id").Where("expires_at > ?", now)
	n, err := countUpTo(tx, live, models.MostCollectionKeys)
	if err == nil && n >= models.MostCollectionKeys {
		err = models.Fail(models.Conflict, "%s has 1,000 access keys, which is the most. Delete those that nobody needs first.", c.Name)
	}
	return err
}

// keysOfCollection are the access keys of a collection that were not revoked; those that have expired are among them.
func keysOfCollection(tx *gorm.DB, id string) *gorm.DB {
	return fresh(tx).Where("collection_id = ? AND revoked_at IS NULL", id)
}

// RevokeCollectionKey ends a collection access key for good: one's own, and for whoever runs the workspace anybody's. One that is revoked already stays as it
// is, without an event.
func (s *Store) RevokeCollectionKey(ctx context.Context, who models.Actor, id string, r models.Revocation) (models.Credential, error) {
	var c models.Credential
	problems := r.Clean()
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		var w models.WorkspaceSeen
		if c, w, err = accessKeyOf(lock(tx), who, id); err != nil {
			return event, err
		}
		if err := allow(who.MayEndShare(w.Role, c.CreatedBy), onlyItsMaker); err != nil {
			return event, err
		}
		if err := problems.Err(); err != nil {
			return event, err
		}
		return s.revoke(tx, who, &c, r, tokenEvent(models.CredentialRevoked, c))
	})
	return c, err
}

// accessKeyOf is a collection access key of a workspace that the actor may open, with that.
func accessKeyOf(tx *gorm.DB, who models.Actor, id string) (models.Credential, models.WorkspaceSeen, error) {
	c, err := withID[models.Credential](tx.Where("kind = ?", models.CollectionKey), id)
	var w models.WorkspaceSeen
	if err == nil {
		w, err = workspaceOf(tx, who, c.WorkspaceID)
	}
	if models.KindOf(err) == models.NotFound {
		err = noSuchAccessKey
	}
	return c, w, err
}

// endShares revokes the access keys of a collection that is being deleted, and tells how many there were. It takes the turn to write first: a key that is made
// meanwhile is there by then, or finds no collection. Those that have expired are ended as well, for a use that is written down late might push them out. Their
// rows are taken in the order in which uses are written down.
func (s *Store) endShares(tx *gorm.DB, who models.Actor, collectionID string) ([]models.Change, error) {
	if _, err := readClock(tx); err != nil {
		return nil, err
	}
	var list []models.Credential
	if err := lock(keysOfCollection(tx, collectionID)).Select("id", "expires_at").Order("id").Find(&list).Error; err != nil || len(list) == 0 {
		return nil, err
	}
	now, live := s.now(), 0
	for _, c := range list {
		if c.State(now) != models.Expired {
			live++
		}
	}
	err := keysOfCollection(tx, collectionID).Model(&models.Credential{}).
		Updates(map[string]any{"revoked_at": now, "revoked_by": who.ID, "revoke_reason": models.CollectionWasDeleted}).Error
	if live == 0 {
		return nil, err
	}
	return []models.Change{{Field: models.SharesEnded, After: strconv.Itoa(live)}}, err
}
