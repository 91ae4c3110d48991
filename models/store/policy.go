package store

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"tokendesk/models"
)

const onlyAdminsPolicy = "Only Admins can change the policies."

// Policy is what Admins decided for everybody, as it is now. Anybody may know it: dialogs say so.
func (s *Store) Policy(ctx context.Context) (models.Policy, error) {
	return policyOf(s.db.WithContext(ctx))
}

// policyOf reads the policy, in a transaction as of its turn to write.
func policyOf(tx *gorm.DB) (models.Policy, error) { return take[models.Policy](fresh(tx)) }

// SetPolicy decides for everybody. What was made before stays as it is. A policy that is so already makes no event.
func (s *Store) SetPolicy(ctx context.Context, who models.Actor, e models.PolicyEdit) (models.Policy, error) {
	if err := allow(who.MaySetPolicy(), onlyAdminsPolicy); err != nil {
		return models.Policy{}, err
	}
	if err := e.Clean().Err(); err != nil {
		return models.Policy{}, err
	}
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		before, err := policyOf(tx)
		if err != nil {
			return event, err
		}
		changes := policyChanges(before, e.Policy)
		if len(changes) == 0 {
			return event, errUnchanged
		}
		if e.Reason != "" {
			changes = append(changes, models.Change{Field: "reason", After: e.Reason})
		}
		event = models.Event{Action: models.PolicyChanged, SubjectKind: models.OfInstallation}.WithChanges(changes...)
		return event, one(tx.Model(&models.Policy{}).Where("one = 1").Select("*").Updates(e.Policy))
	})
	if err != nil {
		return models.Policy{}, err
	}
	return e.Policy, nil
}

// policyChanges tells what of a policy is another after a change, in words.
func policyChanges(before, after models.Policy) []models.Change {
	list := []change{
		{"who may generate API keys", string(before.KeyMakers), string(after.KeyMakers)},
		{"life of new API keys", keyLife(before.KeyDays), keyLife(after.KeyDays)},
	}
	for _, kind := range []models.CredentialKind{models.Bearer, models.APIToken, models.AutomationToken, models.APIKey, models.CollectionKey} {
		list = append(list, change{"longest life of " + kind.Named(), daysOr("no limit", before.LongestDays(kind)), daysOr("no limit", after.LongestDays(kind))})
	}
	return changed(append(list,
		change{"everything expires", strconv.FormatBool(before.ExpiryRequired), strconv.FormatBool(after.ExpiryRequired)},
		change{"unused API keys are revoked after", daysOr("never", before.UnusedDays), daysOr("never", after.UnusedDays)})...)
}

func keyLife(days *int) string {
	if days == nil {
		return "each person chooses"
	}
	return daysOr("without end", *days)
}

func daysOr(none string, days int) string {
	if days == 0 {
		return none
	}
	return models.DayCount(days)
}
