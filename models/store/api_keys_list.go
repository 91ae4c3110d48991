package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// endedKeysShown is how many keys that were deleted or revoked a person is told of.
const endedKeysShown = 10

// APIKeys lists the actor's own API keys that were not revoked, the newest first, a page at a time; those that have expired are among them.
func (s *Store) APIKeys(ctx context.Context, who models.Actor, after models.Place) ([]models.CredentialSeen, models.Place, error) {
	if err := allow(who.MayHaveKeys(), keysOfOnesOwn); err != nil {
		return nil, models.Place{}, err
	}
	list, next, err := newestKeys(keysOf(s.db.WithContext(ctx), who.ID), after)
	if err != nil {
		return nil, models.Place{}, err
	}
	seen, err := s.seeCredentials(ctx, list)
	return seen, next, err
}

// newestKeys is a page of credentials after a place.
func newestKeys(q *gorm.DB, after models.Place) (list []models.Credential, next models.Place, err error) {
	if after.ID != "" {
		q = q.Where("id < ?", after.ID)
	}
	if err := q.Order("id DESC").Limit(after.Size() + 1).Find(&list).Error; err != nil {
		return nil, next, translate(err)
	}
	if len(list) > after.Size() {
		list = list[:after.Size()]
		next.ID = list[after.Size()-1].ID
	}
	return list, next, nil
}

// CountAPIKeys counts the same, up to models.CountCap and one more.
func (s *Store) CountAPIKeys(ctx context.Context, who models.Actor) (int, error) {
	if err := allow(who.MayHaveKeys(), keysOfOnesOwn); err != nil {
		return 0, err
	}
	db := s.db.WithContext(ctx)
	n, err := countUpTo(db, keysOf(db, who.ID).Model(&models.Credential{}).Select("id"), models.CountCap+1)
	return int(n), translate(err)
}

// EndedAPIKeys lists the newest of the actor's own API keys that were deleted or revoked, a few: an Admin or a policy may have ended one, and its person
// should hear of it where the key is missed.
func (s *Store) EndedAPIKeys(ctx context.Context, who models.Actor) ([]models.CredentialSeen, error) {
	if err := allow(who.MayHaveKeys(), keysOfOnesOwn); err != nil {
		return nil, err
	}
	var list []models.Credential
	err := s.db.WithContext(ctx).Where("person_id = ? AND kind = ? AND revoked_at IS NOT NULL", who.ID, models.APIKey).Order("id DESC").Limit(endedKeysShown).Find(&list).Error
	if err != nil {
		return nil, translate(err)
	}
	return s.seeCredentials(ctx, list)
}

// CountKeysOf counts the API keys of a person that have not ended, up to models.CountCap and one more.
func (s *Store) CountKeysOf(ctx context.Context, who models.Actor, personID string) (int, error) {
	if err := allow(who.MayManagePeople() || who.MayHaveKeys() && who.ID == personID, onlyAdminsManage); err != nil {
		return 0, err
	}
	return s.countLive(ctx, keysOf(s.db.WithContext(ctx), personID))
}

// APIKey finds one of the actor's own, as its page shows it; also one that was revoked.
func (s *Store) APIKey(ctx context.Context, who models.Actor, id string) (models.CredentialSeen, error) {
	if err := allow(who.MayHaveKeys(), keysOfOnesOwn); err != nil {
		return models.CredentialSeen{}, err
	}
	c, err := keyOf(s.db.WithContext(ctx), who, id)
	if err != nil {
		return models.CredentialSeen{}, err
	}
	seen, err := s.seeCredentials(ctx, []models.Credential{c})
	if err != nil {
		return models.CredentialSeen{}, err
	}
	return seen[0], nil
}

// APIKeyDays are the days on which an API key of the actor's own was used, as UsageDays.
func (s *Store) APIKeyDays(ctx context.Context, who models.Actor, id string, from time.Time) ([]models.UsageDay, error) {
	if _, err := s.APIKey(ctx, who, id); err != nil {
		return nil, err
	}
	return s.usageDays(ctx, id, from)
}
