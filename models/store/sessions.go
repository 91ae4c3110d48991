package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

const sessionDomain = "tokendesk/session/v1"

// BadSignIn is the same for an unknown address, a wrong password and a deactivated person, so that
// nobody learns who has an account (security rule S9).
const BadSignIn = "The email address and password don't match."

// SignIn checks a password and starts a session; its secret is for the cookie. The session that the
// browser had before ends with the same transaction. A wrong pair is models.Unauthorized; a server
// that is busy with other sign-ins is models.Unavailable. The person is whose address it is, on a refusal too,
// for the log and never for the answer; nobody where the address is unknown.
func (s *Store) SignIn(ctx context.Context, who models.Actor, in models.SignIn) (secret.Text, models.Person, error) {
	var text secret.Text
	person, err := s.signIn(ctx, who, in, func(tx *gorm.DB, who models.Actor, person models.Person) (event models.Event, err error) {
		var session models.Session
		text, session = s.newSession(who, in.Browser)
		if in.Before != "" {
			if err := tx.Where("id = ?", in.Before).Delete(&models.Session{}).Error; err != nil {
				return event, err
			}
		}
		event = sessionEvent(models.SessionStarted, session.ID, person)
		return event.WithChanges(models.Change{Field: "browser", After: session.Browser}), startSession(tx, session)
	})
	if err != nil {
		text = ""
	}
	return text, person, err
}

// compareAgain says that the password was compared with a hash that is no longer the person's: it was
// changed meanwhile, or another sign-in has made the hash anew.
var compareAgain = models.Fail(models.Unauthorized, BadSignIn)

// signIn checks a password, and has begin start what is to start in one transaction with the check that it is still true.
func (s *Store) signIn(ctx context.Context, who models.Actor, in models.SignIn, begin func(*gorm.DB, models.Actor, models.Person) (models.Event, error)) (models.Person, error) {
	person, err := s.signInOnce(ctx, who, in, begin)
	if errors.Is(err, compareAgain) {
		person, err = s.signInOnce(ctx, who, in, begin)
	}
	return person, err
}

func (s *Store) signInOnce(ctx context.Context, who models.Actor, in models.SignIn, begin func(*gorm.DB, models.Actor, models.Person) (models.Event, error)) (models.Person, error) {
	hasher := s.strangers
	if in.Familiar {
		hasher = s.hasher
	}
	person, err := s.PersonByEmail(ctx, in.Email)
	switch {
	case models.KindOf(err) == models.NotFound:
		if err := busy(hasher.VerifyNobody(ctx, in.Password)); err != nil {
			return person, err
		}
		return person, models.Fail(models.Unauthorized, BadSignIn)
	case err != nil:
		return person, err
	}
	rehash, err := s.checkPassword(ctx, hasher, person, in.Password)
	if err != nil {
		return person, err
	}
	who.Kind, who.ID, who.Name, who.Role = models.Human, person.ID, person.Name, person.Role
	return person, s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if err := stillTrue(tx, person); err != nil {
			return event, err
		}
		if rehash != "" {
			if err := one(tx.Model(&models.Person{}).Where("id = ?", person.ID).Updates(map[string]any{"password_hash": rehash})); err != nil {
				return event, err
			}
		}
		return begin(tx, who, person)
	})
}

// stillTrue keeps a person as they are to the end of the transaction. A change since they were read wins:
// it has ended all their sessions, and one that began now would be one too many.
func stillTrue(tx *gorm.DB, person models.Person) error {
	now, err := lockPerson(tx, person.ID)
	switch {
	case err != nil:
		return err
	case !now.Active():
		return models.Fail(models.Unauthorized, BadSignIn)
	case now.PasswordHash != person.PasswordHash:
		return compareAgain
	}
	return nil
}

// StartSession signs in a person whose password was set just now, without a check of it.
func (s *Store) StartSession(ctx context.Context, who models.Actor, person models.Person, browser string) (secret.Text, error) {
	who.Kind, who.ID, who.Name, who.Role = models.Human, person.ID, person.Name, person.Role
	who.SessionID = "" // the one before ended with the old password
	text, session := s.newSession(who, browser)
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if err := stillTrue(tx, person); err != nil {
			return event, err
		}
		event = sessionEvent(models.SessionStarted, session.ID, person)
		return event.WithChanges(models.Change{Field: "browser", After: session.Browser}), startSession(tx, session)
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

func (s *Store) newSession(who models.Actor, browser string) (secret.Text, models.Session) {
	text, hash := secret.Random(sessionDomain)
	now := s.now()
	return text, models.Session{
		ID: s.newID(), Kind: models.OfBrowser, Hash: hash[:], PersonID: who.ID, CreatedAt: now, SeenAt: now, ConfirmedAt: now,
		ExpiresAt: now.Add(models.SessionLife), Address: who.Address, Browser: models.Shorten(models.OnlyPrintable(browser), 200),
	}
}

// startSession stores a session and notes when its person was last here.
func startSession(tx *gorm.DB, session models.Session) error {
	if err := tx.Create(&session).Error; err != nil {
		return err
	}
	return one(tx.Model(&models.Person{}).Where("id = ?", session.PersonID).Updates(map[string]any{"seen_at": session.CreatedAt}))
}

// FindSession reads the session that a cookie names, with its person. One that is over, idle too
// long, or of a person who is deactivated is models.NotFound.
func (s *Store) FindSession(ctx context.Context, cookie string) (models.SessionSeen, error) {
	hash := secret.HashOf(sessionDomain, cookie)
	var seen models.SessionSeen
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		if seen.Session, err = take[models.Session](fresh(tx).Where("hash = ? AND kind = ?", hash[:], models.OfBrowser)); err == nil {
			seen.Person, err = withID[models.Person](fresh(tx), seen.Session.PersonID)
		}
		return err
	})
	if err != nil {
		return models.SessionSeen{}, err
	}
	if !seen.Session.Live(s.now()) || !seen.Person.Active() {
		return models.SessionSeen{}, models.Fail(models.NotFound, "This session is over.")
	}
	return seen, nil
}

// TouchSession notes that a session is in use, once a minute at most. Like usage it is a counter
// and makes no event. It never brings back a session that ended.
func (s *Store) TouchSession(ctx context.Context, seen models.SessionSeen) error {
	now := s.now()
	if now.Before(seen.Session.SeenAt.Add(time.Minute)) {
		return nil
	}
	db := s.db.WithContext(ctx)
	err := db.Model(&models.Session{}).Where("id = ? AND seen_at < ?", seen.Session.ID, now).Updates(map[string]any{"seen_at": now}).Error
	if err == nil {
		err = db.Model(&models.Person{}).Where("id = ?", seen.Person.ID).Updates(map[string]any{"seen_at": now}).Error
	}
	return translate(err)
}

// SaveSessionData keeps what the session's next page shows. It never brings back a session that ended.
func (s *Store) SaveSessionData(ctx context.Context, id string, data []byte) error {
	return translate(s.db.WithContext(ctx).Model(&models.Session{}).Where("id = ?", id).Updates(map[string]any{"data": data}).Error)
}

// ConfirmSession checks the password of the signed-in person once more and gives the session a new
// secret; the old one is refused from then on (security rules S2 and S5).
func (s *Store) ConfirmSession(ctx context.Context, who models.Actor, password string) (secret.Text, error) {
	person, err := withID[models.Person](s.db.WithContext(ctx), who.ID)
	if err != nil {
		return "", err
	}
	if _, err := s.checkPassword(ctx, s.hasher, person, password); err != nil {
		return "", wrongCurrent(err)
	}
	text, hash := secret.Random(sessionDomain)
	err = s.write(ctx, who, func(tx *gorm.DB) (models.Event, error) {
		update := tx.Model(&models.Session{}).Where("id = ? AND person_id = ?", who.SessionID, who.ID)
		return sessionEvent(models.SessionConfirmed, who.SessionID, person), one(update.Updates(map[string]any{"hash": hash[:], "confirmed_at": s.now()}))
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

// Sessions lists a person's live sessions, the last used first. Only the person and Admins see them.
func (s *Store) Sessions(ctx context.Context, who models.Actor, personID string) ([]models.Session, error) {
	if err := allow(who.ID == personID || who.MayManagePeople(), onlyAdminsManage); err != nil {
		return nil, err
	}
	var list []models.Session
	now := s.now()
	err := s.db.WithContext(ctx).Where("person_id = ? AND expires_at > ?", personID, now).
		Where("(kind = 'browser' AND seen_at > ?) OR (kind = 'program' AND seen_at > ?)", now.Add(-models.SessionIdle), now.Add(-models.RefreshTokenLife)).
		Order("seen_at DESC, id DESC").Limit(100).Find(&list).Error
	return list, translate(err)
}

// SessionWorkspaces names the workspaces in which programs among sessions are, by their IDs.
func (s *Store) SessionWorkspaces(ctx context.Context, list []models.Session) (map[string]string, error) {
	var ids []string
	for _, session := range list {
		if session.WorkspaceID != "" {
			ids = append(ids, session.WorkspaceID)
		}
	}
	return s.workspaceNames(ctx, ids)
}

// EndSession ends one of the actor's own sessions, or, for an Admin, anyone's.
func (s *Store) EndSession(ctx context.Context, who models.Actor, id string) error {
	return s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		session, err := withID[models.Session](tx, id)
		if err != nil {
			return event, err
		}
		if session.PersonID != who.ID && !who.MayManagePeople() { // somebody else's is not there
			return event, models.Fail(models.NotFound, "That session does not exist.")
		}
		person, err := withID[models.Person](tx, session.PersonID)
		if err != nil {
			return event, err
		}
		return sessionEvent(models.SessionEnded, id, person), one(tx.Where("id = ?", id).Delete(&models.Session{}))
	})
}

// SignOutEverywhere ends all sessions of a person: one's own, or, for an Admin, anyone's.
func (s *Store) SignOutEverywhere(ctx context.Context, who models.Actor, personID string) (models.Person, error) {
	if err := allow(who.ID == personID || who.MayManagePeople(), onlyAdminsManage); err != nil {
		return models.Person{}, err
	}
	var person models.Person
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		if person, err = withID[models.Person](tx, personID); err != nil {
			return event, err
		}
		return personEvent(models.SessionsEnded, person), tx.Where("person_id = ?", personID).Delete(&models.Session{}).Error
	})
	return person, err
}

// Prune removes what only takes up space: sessions that are over, forms that were used a month ago, keys that have signed nothing that
// can still be good, and the collections of workspaces that were deleted.
func (s *Store) Prune(ctx context.Context) error {
	now, db := s.now(), s.db.WithContext(ctx)
	err := db.Where("expires_at <= ?", now).Or("kind = 'browser' AND seen_at <= ?", now.Add(-models.SessionIdle)).Or("kind = 'program' AND seen_at <= ?", now.Add(-models.RefreshTokenLife)).Delete(&models.Session{}).Error
	if err == nil {
		err = db.Exec("DELETE FROM used_forms WHERE at < ?", now.AddDate(0, -1, 0)).Error
	}
	if err == nil { // a key signs until the next one is there, and what it signed is good for half an hour
		err = db.Exec("DELETE FROM jwt_keys WHERE created_at < (SELECT max(created_at) FROM jwt_keys WHERE created_at < ?)", now.Add(-2*models.SignInTokenLife)).Error
	}
	if err == nil {
		err = s.pruneFlushes(ctx)
	}
	if err != nil {
		return translate(err)
	}
	return s.pruneWorkspaces(ctx)
}

func sessionEvent(action models.Action, id string, person models.Person) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfSession, SubjectID: id, SubjectName: person.Name, PersonID: person.ID}
}
