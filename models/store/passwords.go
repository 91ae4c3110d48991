package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// ChangePassword sets the actor's own password, after a check of the current one. All of the
// person's sessions end, this one too; the caller starts a new one. All automation tokens of the workspaces that the person owns end
// with the same transaction; it answers how many there were.
func (s *Store) ChangePassword(ctx context.Context, who models.Actor, current, next string) (person models.Person, ended int, err error) {
	person, err = withID[models.Person](s.db.WithContext(ctx), who.ID)
	if err != nil {
		return person, 0, err
	}
	var p models.Problems
	p.Add(current == "", "current_password", "Enter your current password.")
	p.Add(next == "", "new_password", "Enter a password.")
	if next != "" {
		problem := secret.CheckPassword(next, person.Name, person.Email)
		p.Add(problem != "", "new_password", problem)
		p.Add(next == current, "new_password", "Choose a password that differs from the current one.")
	}
	if err := p.Err(); err != nil {
		return person, 0, err
	}
	if _, err := s.checkPassword(ctx, s.hasher, person, current); err != nil {
		return person, 0, wrongCurrent(err)
	}
	return s.setPassword(ctx, who, person, next)
}

// SetPassword sets anybody's password from the command line, which has the database anyway.
func (s *Store) SetPassword(ctx context.Context, who models.Actor, personID, next string) error {
	if err := allow(who.Kind == models.Command, "Only the command line sets somebody else's password."); err != nil {
		return err
	}
	person, err := withID[models.Person](s.db.WithContext(ctx), personID)
	if err != nil {
		return err
	}
	if problem := secret.CheckPassword(next, person.Name, person.Email); problem != "" {
		return models.Fail(models.Invalid, "%s", problem)
	}
	_, _, err = s.setPassword(ctx, who, person, next)
	return err
}

// setPassword answers the person as they are afterwards, and how many automation tokens ended.
func (s *Store) setPassword(ctx context.Context, who models.Actor, person models.Person, next string) (_ models.Person, ended int, err error) {
	hash, err := s.hashPassword(ctx, next)
	if err != nil {
		return person, 0, err
	}
	checked := person.PasswordHash
	person.PasswordHash, person.PasswordChangedAt = hash, s.now()
	err = s.write(ctx, who, func(tx *gorm.DB) (models.Event, error) {
		// The password that was checked must still be the one that is replaced.
		res := tx.Model(&models.Person{}).Where("id = ? AND password_hash = ?", person.ID, checked).
			Updates(map[string]any{"password_hash": hash, "password_changed_at": person.PasswordChangedAt})
		if err := one(res); errors.Is(err, gorm.ErrRecordNotFound) {
			return models.Event{}, models.Fail(models.Conflict, "The password was changed just now, from somewhere else. Try again.")
		} else if err != nil {
			return models.Event{}, err
		}
		if ended, err = s.endTokens(tx, who, ownedAutomation(tx, person.ID), models.PasswordWasChanged); err != nil {
			return models.Event{}, err
		}
		return personEvent(models.PasswordChanged, person).WithChanges(endedChange(ended)...), tx.Where("person_id = ?", person.ID).Delete(&models.Session{}).Error
	})
	return person, ended, err
}

// checkPassword compares a password with a person's. It answers a fresh hash where the stored one
// was made with other settings. A wrong one, or a deactivated person, is models.Unauthorized.
func (s *Store) checkPassword(ctx context.Context, hasher Passwords, person models.Person, password string) (rehash string, err error) {
	ok, stale, err := hasher.Verify(ctx, person.PasswordHash, password)
	if err := busy(err); err != nil {
		return "", err
	}
	if !ok || !person.Active() {
		return "", models.Fail(models.Unauthorized, BadSignIn)
	}
	if stale {
		return s.hashPassword(ctx, password)
	}
	return "", nil
}

func (s *Store) hashPassword(ctx context.Context, password string) (string, error) {
	hash, err := s.hasher.Hash(ctx, password)
	return hash, busy(err)
}

// busy says in our words that too many passwords wait to be checked.
func busy(err error) error {
	if errors.Is(err, secret.ErrBusy) {
		full := models.Fail(models.Unavailable, "Many people are signing in just now. Wait a few seconds, then try again.")
		full.RetryAfterSeconds = 5
		return full.Because(err)
	}
	return err
}

// wrongCurrent puts a wrong password beside the field that asked for it.
func wrongCurrent(err error) error {
	if models.KindOf(err) == models.Unauthorized {
		return onField("current_password", models.Fail(models.Invalid, "That is not your current password."))
	}
	return err
}

// PasswordChanged says when the password of the account with this address (models.EmailKey) was last set. An
// account that is not there is models.NotFound.
func (s *Store) PasswordChanged(ctx context.Context, emailKey string) (time.Time, error) {
	p, err := take[models.Person](s.db.WithContext(ctx).Select("id", "password_changed_at").Where("email_key = ?", emailKey))
	return p.PasswordChangedAt, err
}
