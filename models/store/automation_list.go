package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// AutomationTokens lists a workspace's automation tokens, the newest first, a page at a time: all of them for whoever manages its API tokens,
// and for other members their own.
func (s *Store) AutomationTokens(ctx context.Context, who models.Actor, workspace string, after models.Place) ([]models.CredentialSeen, models.Place, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return nil, models.Place{}, err
	}
	var list []models.Credential
	err = s.planned(ctx, func(tx *gorm.DB) error {
		q := automationFor(tx, who, w)
		if after.ID != "" {
			q = q.Where("id < ?", after.ID)
		}
		return q.Order("id DESC").Limit(after.Size() + 1).Find(&list).Error
	})
	if err != nil {
		return nil, models.Place{}, err
	}
	var next models.Place
	if len(list) > after.Size() {
		list = list[:after.Size()]
		next = models.Place{ID: list[after.Size()-1].ID}
	}
	seen, err := s.seeCredentials(ctx, list)
	return seen, next, err
}

// CountAutomationTokens counts the same, up to models.CountCap and one more.
func (s *Store) CountAutomationTokens(ctx context.Context, who models.Actor, workspace string) (int, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return 0, err
	}
	var n int64
	err = s.planned(ctx, func(tx *gorm.DB) error {
		n, err = countUpTo(tx, automationFor(tx, who, w).Model(&models.Credential{}).Select("id"), models.CountCap+1)
		return err
	})
	return int(n), err
}

// automationFor are the automation tokens of a workspace that the actor may see.
func automationFor(tx *gorm.DB, who models.Actor, w models.WorkspaceSeen) *gorm.DB {
	q := fresh(tx).Where("workspace_id = ? AND kind = ?", w.ID, models.AutomationToken)
	if who.MayManageTokens(w.Role) {
		return q
	}
	return q.Where("person_id = ?", who.ID)
}

// AutomationToken finds one of a workspace's, as its page shows it.
func (s *Store) AutomationToken(ctx context.Context, who models.Actor, workspace, id string) (models.CredentialSeen, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return models.CredentialSeen{}, err
	}
	c, err := automationOf(s.db.WithContext(ctx), who, w, id)
	if err != nil {
		return models.CredentialSeen{}, err
	}
	seen, err := s.seeCredentials(ctx, []models.Credential{c})
	if err != nil {
		return models.CredentialSeen{}, err
	}
	return seen[0], nil
}

// AutomationDays are the days on which an automation token of a workspace was used, as UsageDays.
func (s *Store) AutomationDays(ctx context.Context, who models.Actor, workspaceID, id string, from time.Time) ([]models.UsageDay, error) {
	if _, err := s.AutomationToken(ctx, who, workspaceID, id); err != nil {
		return nil, err
	}
	return s.usageDays(ctx, id, from)
}

// automationOfPerson are the newest automation tokens of a person in all workspaces.
func (s *Store) automationOfPerson(ctx context.Context, personID string, limit int) ([]models.Credential, error) {
	var list []models.Credential
	err := s.db.WithContext(ctx).Where("person_id = ? AND kind = ?", personID, models.AutomationToken).Order("id DESC").Limit(limit).Find(&list).Error
	return list, translate(err)
}

// countLive counts the tokens that a query lets through and that have not ended, up to models.CountCap and one more.
func (s *Store) countLive(ctx context.Context, of *gorm.DB) (int, error) {
	live := of.Model(&models.Credential{}).Select("id").Where("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", s.now())
	n, err := countUpTo(s.db.WithContext(ctx), live, models.CountCap+1)
	return int(n), translate(err)
}
