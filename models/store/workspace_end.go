package store

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"tokendesk/models"
)

// DeleteWorkspace takes a workspace out of use, with its members and collections. typed must be its name. It is refused
// while tokens of the workspace could still open something: whoever has one should hear of its end first. Its row
// stays, because what has ended stays listed; its collections are removed by Prune.
func (s *Store) DeleteWorkspace(ctx context.Context, who models.Actor, slug, typed string) (models.Workspace, error) {
	var w models.Workspace
	err := s.writeWithin(ctx, who, slug, func(tx *gorm.DB, seen models.WorkspaceSeen) (event models.Event, err error) {
		if w = seen.Workspace; !who.MayDeleteWorkspace(seen.Role) {
			return event, models.Fail(models.Forbidden, "Only the workspace's Owner can delete it.")
		}
		live, err := s.liveTokens(tx, w.ID)
		if err != nil {
			return event, err
		}
		if live > 0 {
			return event, models.Fail(models.Conflict, "%s can't be deleted while it has %s. Revoke them first.", w.Name, howManyTokens(live))
		}
		if models.CleanText(typed) != w.Name {
			return event, onField("typed", models.Fail(models.Invalid, "Type the name as it is written: %s", w.Name))
		}
		now := s.now()
		w.DeletedAt = &now
		if err := tx.Where("workspace_id = ?", w.ID).Delete(&models.Membership{}).Error; err != nil {
			return event, err
		}
		return workspaceEvent(models.WorkspaceDeleted, w).WithChanges(models.Change{Field: "name", Before: w.Name}),
			one(tx.Model(&models.Workspace{}).Where("id = ? AND deleted_at IS NULL", w.ID).Updates(map[string]any{"deleted_at": now}))
	})
	return w, err
}

// LiveTokens counts the tokens of a workspace that have not ended, up to models.CountCap and one more.
func (s *Store) LiveTokens(ctx context.Context, workspaceID string) (int, error) {
	n, err := s.liveTokens(s.db.WithContext(ctx), workspaceID)
	return n, translate(err)
}

func (s *Store) liveTokens(tx *gorm.DB, workspaceID string) (int, error) {
	live := fresh(tx).Model(&models.Credential{}).Select("id").
		Where("workspace_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", workspaceID, s.now())
	n, err := countUpTo(tx, live, models.CountCap+1)
	return int(n), err
}

func howManyTokens(n int) string {
	switch {
	case n == 1:
		return "1 token that is active or inactive"
	case n > models.CountCap:
		return "more than 1,000 tokens that are active or inactive"
	}
	return strconv.Itoa(n) + " tokens that are active or inactive"
}

// SetCallLimits says how many calls a minute each API token of a workspace, each automation token and each sign-in may make.
func (s *Store) SetCallLimits(ctx context.Context, who models.Actor, slug string, l models.CallLimits) (models.Workspace, error) {
	return s.ChangeCallLimits(ctx, who, slug, func(models.Workspace) models.CallLimits { return l })
}

// ChangeCallLimits is SetCallLimits for who changes a part: to is asked what they are to be, of what they are when it is the change's turn.
func (s *Store) ChangeCallLimits(ctx context.Context, who models.Actor, slug string, to func(models.Workspace) models.CallLimits) (models.Workspace, error) {
	var w models.Workspace
	err := s.writeWithin(ctx, who, slug, func(tx *gorm.DB, seen models.WorkspaceSeen) (event models.Event, err error) {
		if w = seen.Workspace; !who.MayEditWorkspace(seen.Role) {
			return event, models.Fail(models.Forbidden, "Only the workspace's Owner and Admins can change its limits.")
		}
		l := to(w)
		if err := l.Clean().Err(); err != nil {
			return event, err
		}
		changes := changed(
			change{"calls a minute of each API token", strconv.Itoa(w.APICallsAMinute), strconv.Itoa(l.API)},
			change{"calls a minute of each sign-in", strconv.Itoa(w.UserCallsAMinute), strconv.Itoa(l.User)},
			change{"calls a minute of each automation token", strconv.Itoa(w.AutomationCallsAMinute), strconv.Itoa(l.Automation)},
		)
		if len(changes) == 0 {
			return event, errUnchanged
		}
		w.APICallsAMinute, w.UserCallsAMinute, w.AutomationCallsAMinute = l.API, l.User, l.Automation
		return workspaceEvent(models.WorkspaceChanged, w).WithChanges(changes...), one(tx.Model(&models.Workspace{}).Where("id = ?", w.ID).
			Updates(map[string]any{"api_calls_a_minute": l.API, "user_calls_a_minute": l.User, "automation_calls_a_minute": l.Automation}))
	})
	return w, err
}

// pruneWorkspaces removes the collections of workspaces that were deleted, one collection a transaction.
func (s *Store) pruneWorkspaces(ctx context.Context) error {
	var left []models.Collection
	gone := s.db.WithContext(ctx).Model(&models.Workspace{}).Select("id").Where("deleted_at IS NOT NULL")
	if err := s.db.WithContext(ctx).Where("workspace_id IN (?)", gone).Order("id").Find(&left).Error; err != nil {
		return translate(err)
	}
	for _, c := range left {
		err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			c, err := withID[models.Collection](lock(tx), c.ID)
			if models.KindOf(err) == models.NotFound {
				return nil
			}
			if err != nil {
				return err
			}
			var versions []models.CollectionVersion
			if err := tx.Where("collection_id = ?", c.ID).Order("sha256").Find(&versions).Error; err != nil {
				return err
			}
			return removeCollection(tx, c.ID, versions)
		})
		if err != nil {
			return translate(err)
		}
	}
	return nil
}
