package store

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// Memberships lists the workspaces that the actor is a member of, those that they own first and then the oldest, up to
// models.PageSize; and tells how many there are, up to models.CountCap and one more.
func (s *Store) Memberships(ctx context.Context, who models.Actor) (list []models.WorkspaceSeen, total int, err error) {
	mine := func(tx *gorm.DB) *gorm.DB {
		return fresh(tx).Table("memberships").Joins("JOIN workspaces ON workspaces.id = memberships.workspace_id AND workspaces.deleted_at IS NULL").Where("memberships.person_id = ?", who.ID)
	}
	_, err = s.asOf(ctx, func(tx *gorm.DB) error {
		n, err := countUpTo(tx, mine(tx).Select("memberships.workspace_id"), models.CountCap+1)
		if err != nil {
			return err
		}
		total = int(n)
		return mine(tx).Select("workspaces.*, memberships.role AS role").
			Order("CASE memberships.role WHEN 'Owner' THEN 0 ELSE 1 END, memberships.created_at, memberships.workspace_id").Limit(models.PageSize).Find(&list).Error
	})
	return list, total, err
}

// EndProgram ends the session that has a sign-in token, if it is the actor's own. Any other is models.NotFound.
func (s *Store) EndProgram(ctx context.Context, who models.Actor, hash secret.Hash) error {
	return s.endOneOfMine(ctx, who, func(tx *gorm.DB) *gorm.DB { return tx.Where("hash = ?", hash[:]) })
}

// EndProgramOf is EndProgram by any refresh token that the session had.
func (s *Store) EndProgramOf(ctx context.Context, who models.Actor, refresh secret.Hash) error {
	return s.endOneOfMine(ctx, who, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("id IN (SELECT session_id FROM refresh_tokens WHERE hash = ?)", refresh[:])
	})
}

func (s *Store) endOneOfMine(ctx context.Context, who models.Actor, which func(*gorm.DB) *gorm.DB) error {
	return s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		session, err := take[models.Session](which(fresh(tx)).Where("kind = ? AND person_id = ?", models.OfProgram, who.ID))
		if err != nil {
			return event, err
		}
		event = models.Event{Action: models.SessionEnded, SubjectKind: models.OfSession, SubjectID: session.ID, SubjectName: who.Name, PersonID: who.ID, WorkspaceID: session.WorkspaceID}
		return event, one(tx.Where("id = ?", session.ID).Delete(&models.Session{}))
	})
}

// EndMine ends what the actor has in a workspace: the sessions of programs, the automation tokens, or both, in one transaction.
func (s *Store) EndMine(ctx context.Context, who models.Actor, workspace string, sessions, automation bool) error {
	return s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		w, err := memberWorkspace(tx, who.ID, workspace)
		if err != nil {
			return event, err
		}
		event = models.Event{Action: models.TokensEnded, SubjectKind: models.OfPerson, SubjectID: who.ID, SubjectName: who.Name, PersonID: who.ID, WorkspaceID: w.ID}
		var changes []models.Change
		if automation {
			if changes, err = s.endAutomation(tx, who, fresh(tx).Where("workspace_id = ? AND person_id = ?", w.ID, who.ID), models.RevokedByItsPerson); err != nil {
				return event, err
			}
		}
		if sessions {
			res := fresh(tx).Where("kind = ? AND workspace_id = ? AND person_id = ?", models.OfProgram, w.ID, who.ID).Delete(&models.Session{})
			if res.Error != nil {
				return event, res.Error
			}
			if res.RowsAffected > 0 {
				changes = append(changes, models.Change{Field: models.SignInsEnded, After: strconv.FormatInt(res.RowsAffected, 10)})
			}
		}
		if len(changes) == 0 {
			return event, errUnchanged
		}
		return event.WithChanges(changes...), nil
	})
}

// RevokeMine ends an automation token of the actor's own by its secret. One that is not theirs, or is not there, is models.NotFound.
func (s *Store) RevokeMine(ctx context.Context, who models.Actor, hash secret.Hash) error {
	return s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		c, err := take[models.Credential](lock(tx).Where("hash = ? AND kind = ? AND person_id = ?", hash[:], models.AutomationToken, who.ID))
		if err != nil {
			return event, err
		}
		return s.revoke(tx, who, &c, models.Revocation{}, tokenEvent(models.CredentialRevoked, c))
	})
}
