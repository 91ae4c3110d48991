package store

import (
	"context"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// RevokeHeld ends what somebody holds all of, which is the proof that they may (RFC 7009): a credential, or of a refresh token the sign-in that it
// is of. What is not there, is over, or was replaced by another secret ends nothing, and is no error. It answers whether something ended.
func (s *Store) RevokeHeld(ctx context.Context, who models.Actor, text secret.Text) (ended bool, err error) {
	hash := text.Hash()
	var credential, session []string // what nobody was given keeps no writer waiting
	_, err = s.asOf(ctx, func(tx *gorm.DB) error {
		err := fresh(tx).Model(&models.Credential{}).Where("hash = ? AND revoked_at IS NULL", hash[:]).Limit(1).Pluck("id", &credential).Error
		if err == nil && len(credential) == 0 {
			err = fresh(tx).Model(&models.RefreshToken{}).Where("hash = ?", hash[:]).Limit(1).Pluck("session_id", &session).Error
		}
		return err
	})
	switch {
	case err != nil:
		return false, err
	case len(credential) > 0:
		return s.revokeHeld(ctx, who, hash)
	case len(session) > 0:
		return s.endHeld(ctx, who, func(tx *gorm.DB) *gorm.DB { return tx.Where("id = ?", session[0]) })
	}
	s.settleBefore(ctx) // it may have ended a moment ago
	return false, nil
}

func (s *Store) revokeHeld(ctx context.Context, who models.Actor, hash secret.Hash) (ended bool, err error) {
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		c, err := take[models.Credential](lock(tx).Where("hash = ?", hash[:]))
		if models.KindOf(err) == models.NotFound { // it has another secret by now
			return event, errUnchanged
		}
		if err != nil {
			return event, err
		}
		if state := c.State(s.now()); state != models.Active && state != models.Inactive {
			return event, errUnchanged
		}
		event = tokenEvent(models.CredentialRevoked, c)
		if c.Kind == models.Bearer { // it has no name of its own
			owner, err := withID[models.Person](tx, c.PersonID)
			if err != nil {
				return event, err
			}
			event = credentialEvent(models.CredentialRevoked, c, owner)
		}
		ended = true
		return s.revoke(tx, who, &c, models.Revocation{Reason: models.RevokedByHolder}, event)
	})
	return ended && err == nil, err
}

// EndHeldSignIn is RevokeHeld for a sign-in token, by the hash of the random value in it.
func (s *Store) EndHeldSignIn(ctx context.Context, who models.Actor, hash secret.Hash) (ended bool, err error) {
	which := func(tx *gorm.DB) *gorm.DB { return tx.Where("hash = ?", hash[:]) }
	if there, err := s.hasProgram(ctx, which); err != nil || !there {
		return false, err
	}
	return s.endHeld(ctx, who, which)
}

// endHeld ends the session of a program for who holds something of it.
func (s *Store) endHeld(ctx context.Context, who models.Actor, which func(*gorm.DB) *gorm.DB) (ended bool, err error) {
	return s.endProgram(ctx, who, which, models.SessionEnded, models.RevokedByHolder)
}

// endProgram ends the session of a program, if there is one, and tells why.
func (s *Store) endProgram(ctx context.Context, who models.Actor, which func(*gorm.DB) *gorm.DB, as models.Action, reason string) (ended bool, err error) {
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		session, err := take[models.Session](which(fresh(tx)).Where("kind = ?", models.OfProgram))
		if models.KindOf(err) == models.NotFound {
			return event, errUnchanged
		}
		if err != nil {
			return event, err
		}
		person, err := withID[models.Person](tx, session.PersonID)
		if err != nil {
			return event, err
		}
		event = sessionEvent(as, session.ID, person)
		event.WorkspaceID = session.WorkspaceID
		ended = true
		return event.WithChanges(models.Change{Field: models.SignInsEnded, After: "1"}, models.Change{Field: "reason", After: reason}),
			one(tx.Where("id = ?", session.ID).Delete(&models.Session{}))
	})
	return ended && err == nil, err
}

// hasProgram says whether there is a session of a program; what is no session's keeps no writer waiting. One that is not there may have ended a moment ago,
// which is waited for.
func (s *Store) hasProgram(ctx context.Context, which func(*gorm.DB) *gorm.DB) (bool, error) {
	var found []string
	_, err := s.asOf(ctx, func(tx *gorm.DB) error {
		return which(fresh(tx)).Model(&models.Session{}).Where("kind = ?", models.OfProgram).Limit(1).Pluck("id", &found).Error
	})
	if err == nil && len(found) == 0 {
		s.settleBefore(ctx)
	}
	return len(found) > 0, err
}
