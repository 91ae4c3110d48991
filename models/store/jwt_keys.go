package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// JWTKeys are the keys that sign sign-in tokens, the newest first; of the old ones those that may still be asked for.
func (s *Store) JWTKeys(ctx context.Context) (list []models.JWTKey, err error) {
	_, err = s.asOf(ctx, func(tx *gorm.DB) (err error) {
		list, err = jwtKeys(fresh(tx))
		return err
	})
	return list, err
}

func jwtKeys(tx *gorm.DB) ([]models.JWTKey, error) {
	var list []models.JWTKey
	return list, translate(tx.Order("created_at DESC, id DESC").Limit(10).Find(&list).Error)
}

// AddJWTKey adds a key, unless there is one that was made since a moment: of two servers that find at once that there is none, one makes it. It answers all.
func (s *Store) AddJWTKey(ctx context.Context, k models.JWTKey, unlessSince time.Time) (list []models.JWTKey, err error) {
	err = s.write(ctx, models.Actor{Kind: models.System}, func(tx *gorm.DB) (event models.Event, err error) {
		if list, err = jwtKeys(fresh(tx)); err != nil {
			return event, err
		}
		if len(list) > 0 && list[0].CreatedAt.After(unlessSince) {
			return event, errUnchanged
		}
		list = append([]models.JWTKey{k}, list...)
		event = models.Event{Action: models.JWTKeyMade, SubjectKind: models.OfInstallation}
		return event.WithChanges(models.Change{Field: "key", After: k.ID}), fresh(tx).Create(&k).Error
	})
	return list, err
}
