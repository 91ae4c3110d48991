package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// unusedAtOnce is how many API keys are looked at together for those that nobody uses.
const unusedAtOnce = 1000

// UnusedKeys lists the API keys that a policy of so many days would revoke now, the oldest first, and answers where the list goes on; and how
// many there are, up to models.CountCap and one more.
func (s *Store) UnusedKeys(ctx context.Context, who models.Actor, days int, after models.Place) (list []models.CredentialSeen, total int, next models.Place, err error) {
	if err := allow(who.MaySetPolicy(), onlyAdminsPolicy); err != nil || days <= 0 {
		return nil, 0, next, err
	}
	db, cutoff := s.db.WithContext(ctx), s.unusedSince(days)
	n, err := countUpTo(db, unusedKeys(db, cutoff, s.now()).Select("credentials.id"), models.CountCap+1)
	if err != nil {
		return nil, 0, next, translate(err)
	}
	var rows []models.Credential
	if err := unusedKeys(db, cutoff, s.now()).Where("credentials.id > ?", after.ID).Order("credentials.id").Limit(models.PageSize + 1).Find(&rows).Error; err != nil {
		return nil, 0, next, translate(err)
	}
	if len(rows) > models.PageSize {
		rows = rows[:models.PageSize]
		next.ID = rows[len(rows)-1].ID
	}
	list, err = s.seeCredentials(ctx, rows)
	return list, int(n), next, err
}

// RevokeUnused revokes the API keys that nobody has used for as long as the policy says, and answers how many those were. It is the server's own
// doing: each key is a transaction of its own that asks again, so that whoever uses one meanwhile, changes the policy or does the same on another
// server is not in the way; what is looked at together is no more than unusedAtOnce.
func (s *Store) RevokeUnused(ctx context.Context) (revoked int, err error) {
	for after := ""; ; {
		policy, err := s.Policy(ctx)
		if err != nil || policy.UnusedDays == 0 {
			return revoked, err
		}
		db, now := s.db.WithContext(ctx), s.now()
		var some []string // the next of all that are alive, used or not, so that each look has an end
		err = fresh(db).Model(&models.Credential{}).Where("workspace_id IS NULL AND kind = ? AND id > ? AND revoked_at IS NULL", models.APIKey, after).
			Order("id").Limit(unusedAtOnce).Pluck("id", &some).Error
		if err != nil || len(some) == 0 {
			return revoked, translate(err)
		}
		var unused []string
		err = unusedKeys(db, s.unusedSince(policy.UnusedDays), now).Where("credentials.id > ? AND credentials.id <= ?", after, some[len(some)-1]).
			Order("credentials.id").Select("credentials.id").Pluck("id", &unused).Error
		if err != nil {
			return revoked, translate(err)
		}
		for _, id := range unused {
			did, err := s.revokeUnused(ctx, id)
			if err != nil {
				return revoked, err
			}
			if did {
				revoked++
			}
		}
		after = some[len(some)-1]
	}
}

// revokeUnused revokes one of them, if that is still right.
func (s *Store) revokeUnused(ctx context.Context, id string) (did bool, err error) {
	who := models.Actor{Kind: models.System, RequestID: s.newID()}
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		policy, err := policyOf(tx)
		if err != nil {
			return event, err
		}
		c, err := take[models.Credential](unusedKeys(tx, s.unusedSince(policy.UnusedDays), s.now()).Where("credentials.id = ?", id))
		if models.KindOf(err) == models.NotFound || err == nil && policy.UnusedDays == 0 {
			return event, errUnchanged
		}
		if err != nil {
			return event, err
		}
		did = true
		return s.revoke(tx, who, &c, models.Revocation{Reason: models.NotUsedFor(policy.UnusedDays)}, tokenEvent(models.CredentialRevoked, c))
	})
	return did && err == nil, err
}

func (s *Store) unusedSince(days int) time.Time { return models.Instant(s.now().AddDate(0, 0, -days)) }

// unusedKeys are the API keys that are alive and were neither made, used nor regenerated since a moment.
func unusedKeys(tx *gorm.DB, since, now time.Time) *gorm.DB {
	return fresh(tx).Model(&models.Credential{}).Select("credentials.*").
		Joins("LEFT JOIN usages ON usages.credential_id = credentials.id").
		Where("credentials.workspace_id IS NULL AND credentials.kind = ? AND credentials.revoked_at IS NULL", models.APIKey).
		Where("credentials.expires_at IS NULL OR credentials.expires_at > ?", now).
		Where("credentials.created_at <= ? AND (usages.last_used_at IS NULL OR usages.last_used_at <= ?)", since, since).
		Where("NOT EXISTS (SELECT 1 FROM replaced_secrets WHERE replaced_secrets.credential_id = credentials.id AND replaced_secrets.replaced_at > ?)", since)
}
