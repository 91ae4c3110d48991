package store

import (
	"context"

	"gorm.io/gorm"

	"tokendesk/models"
)

// Policy is what Admins decided for everybody, as it is now. Anybody may know it: dialogs say so.
func (s *Store) Policy(ctx context.Context) (models.Policy, error) {
	return policyOf(s.db.WithContext(ctx))
}

// policyOf reads the policy, in a transaction as of its turn to write.
func policyOf(tx *gorm.DB) (models.Policy, error) { return take[models.Policy](fresh(tx)) }
