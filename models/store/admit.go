package store

import (
	"gorm.io/gorm"

	"tokendesk/models"
)

// What the answer to a request says when its sender lost the right to it while it was under way.
var (
	sessionOver = models.Fail(models.Unauthorized, "This session is over. Sign in again. Nothing was changed.")
	tokenOver   = models.Fail(models.Unauthorized, "Authentication required. The token stopped being valid while the request was under way. Nothing was changed.")
	roleGone    = models.Fail(models.Forbidden, "Admin access required. The role was taken away while the request was under way. Nothing was changed.")
)

// admit takes the turn to write, which is over with the commit, and asks once more whether the actor
// may act. A request can be held open for long between its guard and its last byte; what was revoked,
// ended, deactivated or demoted meanwhile must not be able to finish it.
func (s *Store) admit(tx *gorm.DB, who models.Actor) error {
	if _, err := readClock(tx); err != nil {
		return err
	}
	return s.standing(tx, who)
}

// standing asks whether who acts is still who they were when their request began.
func (s *Store) standing(tx *gorm.DB, who models.Actor) error {
	if who.Kind != models.Human && who.Kind != models.Program {
		return nil
	}
	if who.Reads != "" { // nobody's, but for the credential
		return s.credentialHolds(tx, who.CredentialID)
	}
	person, err := withID[models.Person](tx, who.ID)
	if models.KindOf(err) == models.NotFound {
		return sessionOver
	}
	if err != nil {
		return err
	}
	if who.Kind == models.Program && who.SessionID == "" {
		err = s.credentialHolds(tx, who.CredentialID)
	} else {
		err = s.sessionHolds(tx, who)
	}
	switch {
	case err != nil:
		return err
	case !person.Active() && who.Kind == models.Program:
		return tokenOver
	case !person.Active():
		return sessionOver
	case who.Role == models.Admin && person.Role != models.Admin:
		return roleGone
	}
	return nil
}

func (s *Store) credentialHolds(tx *gorm.DB, id string) error {
	c, err := withID[models.Credential](tx, id)
	if models.KindOf(err) == models.NotFound || (err == nil && c.State(s.now()) != models.Active) {
		return tokenOver
	}
	return err
}

// sessionHolds lets those pass who have no session yet: they are about to begin one.
func (s *Store) sessionHolds(tx *gorm.DB, who models.Actor) error {
	if who.SessionID == "" {
		return nil
	}
	session, err := withID[models.Session](tx, who.SessionID)
	if models.KindOf(err) == models.NotFound || (err == nil && (session.PersonID != who.ID || !session.Live(s.now()))) {
		return sessionOver
	}
	return err
}
