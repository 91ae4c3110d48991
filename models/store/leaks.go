package store

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// ReportLeaked takes away what somebody found where it does not belong: each text that is a credential is revoked, and each that is or was a
// refresh token ends the sign-in of its program. That they have all of it is the proof; they need be nobody. One event a credential tells the
// audit log. What is over already, or was replaced by another secret, is told once and not again. It answers how many it took away.
func (s *Store) ReportLeaked(ctx context.Context, who models.Actor, texts []secret.Text) (revoked int, err error) {
	hashes := make([][]byte, len(texts))
	for i, text := range texts {
		hash := text.Hash()
		hashes[i] = hash[:]
	}
	var live []models.Credential
	var before []models.Secret
	var refresh []models.RefreshToken
	_, err = s.asOf(ctx, func(tx *gorm.DB) error {
		return errors.Join(
			fresh(tx).Select("id", "hash").Where("hash IN ?", hashes).Find(&live).Error,
			fresh(tx).Select("credential_id", "hash").Where("hash IN ?", hashes).Find(&before).Error,
			fresh(tx).Select("session_id", "hash").Where("hash IN ?", hashes).Find(&refresh).Error,
		)
	})
	if err != nil {
		return 0, err
	}
	var did bool
	count := func(err error) error {
		if did && err == nil {
			revoked++
		}
		return err
	}
	for _, c := range live {
		if did, err = s.reportLeaked(ctx, who, c.ID, c.Hash); count(err) != nil {
			return revoked, err
		}
	}
	for _, b := range before {
		if did, err = s.reportLeaked(ctx, who, b.CredentialID, b.Hash); count(err) != nil {
			return revoked, err
		}
	}
	var sessions []string
	for _, r := range refresh {
		if !slices.Contains(sessions, r.SessionID) {
			sessions = append(sessions, r.SessionID)
		}
	}
	for _, id := range sessions {
		if did, err = s.reportProgram(ctx, who, func(tx *gorm.DB) *gorm.DB { return tx.Where("id = ?", id) }); count(err) != nil {
			return revoked, err
		}
	}
	return revoked, nil
}

// reportLeaked revokes a credential that has a hash, if it still has, or tells that what it had before was found.
func (s *Store) reportLeaked(ctx context.Context, who models.Actor, id string, hash []byte) (did bool, err error) {
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		c, err := withID[models.Credential](lock(tx), id)
		if err != nil {
			return event, err
		}
		event = tokenEvent(models.CredentialLeaked, c)
		if c.Kind == models.Bearer { // it has no name of its own
			owner, err := withID[models.Person](tx, c.PersonID)
			if err != nil {
				return event, err
			}
			event = credentialEvent(models.CredentialLeaked, c, owner)
		}
		state := c.State(s.now())
		if did = bytes.Equal(c.Hash, hash) && (state == models.Active || state == models.Inactive); did {
			return s.revoke(tx, who, &c, models.Revocation{Reason: models.ReportedAsLeaked}, event)
		}
		told, err := reported(tx, c.ID)
		if err != nil || told {
			return event, orUnchanged(err)
		}
		was := "replaced"
		if bytes.Equal(c.Hash, hash) {
			was = string(state)
		}
		return event.WithChanges(models.Change{Field: "it was over", After: was}), nil
	})
	return did && err == nil, err
}

// reported says whether a credential was reported before.
func reported(tx *gorm.DB, id string) (bool, error) {
	var found []int64
	err := fresh(tx).Model(&models.Event{}).Where("subject_id = ? AND action = ?", id, models.CredentialLeaked).Limit(1).Pluck("seq", &found).Error
	return len(found) > 0, err
}

func orUnchanged(err error) error {
	if err != nil {
		return err
	}
	return errUnchanged
}

// ReportLeakedSignIn ends the sign-in that a sign-in token is of, by the hash of the random value in it. One that is over is not told.
func (s *Store) ReportLeakedSignIn(ctx context.Context, who models.Actor, hash secret.Hash) (ended bool, err error) {
	which := func(tx *gorm.DB) *gorm.DB { return tx.Where("hash = ?", hash[:]) }
	if there, err := s.hasProgram(ctx, which); err != nil || !there {
		return false, err
	}
	return s.reportProgram(ctx, who, which)
}

// reportProgram ends the session of a program that something of was found.
func (s *Store) reportProgram(ctx context.Context, who models.Actor, which func(*gorm.DB) *gorm.DB) (ended bool, err error) {
	return s.endProgram(ctx, who, which, models.CredentialLeaked, models.ReportedAsLeaked)
}
