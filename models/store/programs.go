package store

import (
	"context"
	"errors"
	"strconv"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// RefreshPrefix is what refresh tokens begin with.
const RefreshPrefix = "rfsh"

// mostPrograms are a person's at a time: who signs in once more ends the one that was used least lately.
const mostPrograms = 50

// ProgramTokens is what a program has of its session, and nobody else: the random value that its sign-in token carries, and the
// refresh token.
type ProgramTokens struct{ Random, Refresh secret.Text }

// Refusals of the account API.
var (
	badRefresh   = models.BadRefreshToken
	notMember    = models.Fail(models.Forbidden, "You are not a member of that workspace. GET /user/workspaces lists yours.")
	noMoreMember = models.Fail(models.Forbidden, "You are not a member of the workspace that you were in any more. Switch to another with workspace_id, or sign in again with POST /user/signin.")
	noneAtAll    = models.Fail(models.Forbidden, "You are not a member of any workspace. Its Owner or an Admin of it can add you under Members.")
)

// SignInProgram checks a password and starts a session of a program, in the workspace that the person owns; of several in the oldest
// one, and of none in the one that they have been in for longest. What it refuses, and how, is as in SignIn.
func (s *Store) SignInProgram(ctx context.Context, who models.Actor, in models.SignIn) (models.ProgramSeen, ProgramTokens, error) {
	var seen models.ProgramSeen
	var tokens ProgramTokens
	person, err := s.signIn(ctx, who, in, func(tx *gorm.DB, who models.Actor, person models.Person) (event models.Event, err error) {
		home, err := homeOf(tx, person.ID)
		if err != nil {
			return event, err
		}
		if seen.Workspace, err = memberWorkspace(tx, person.ID, home); err != nil {
			return event, err
		}
		var hash secret.Hash
		tokens.Random, hash = secret.NewSignIn()
		_, seen.Session = s.newSession(who, in.Browser)
		seen.Session.Kind, seen.Session.Hash, seen.Session.WorkspaceID = models.OfProgram, hash[:], home
		seen.Session.ExpiresAt = seen.Session.CreatedAt.Add(models.ProgramLife)
		if err := startSession(tx, seen.Session); err != nil {
			return event, err
		}
		event = sessionEvent(models.SessionStarted, seen.Session.ID, person)
		event.WorkspaceID = home
		changes := []models.Change{{Field: "program", After: seen.Session.Browser}}
		ended, err := endOldPrograms(tx, person.ID)
		if err != nil {
			return event, err
		}
		if ended > 0 {
			changes = append(changes, models.Change{Field: models.SignInsEnded, After: strconv.Itoa(ended)})
		}
		tokens.Refresh, err = s.newRefreshToken(tx, seen.Session.ID)
		return event.WithChanges(changes...), err
	})
	seen.Person = person
	if err != nil {
		tokens.Refresh.Wipe()
		return seen, ProgramTokens{}, err
	}
	return seen, tokens, nil
}

// endOldPrograms ends what a person has more than mostPrograms, and answers how many those were.
func endOldPrograms(tx *gorm.DB, personID string) (int, error) {
	var old []string
	err := fresh(tx).Model(&models.Session{}).Where("person_id = ? AND kind = ?", personID, models.OfProgram).
		Order("seen_at DESC, id DESC").Offset(mostPrograms).Limit(1000).Pluck("id", &old).Error
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return len(old), fresh(tx).Where("id IN ?", old).Delete(&models.Session{}).Error
}

// homeOf is the workspace in which somebody begins.
func homeOf(tx *gorm.DB, personID string) (string, error) {
	m, err := take[models.Membership](fresh(tx).Where("person_id = ?", personID).
		Order("CASE role WHEN 'Owner' THEN 0 ELSE 1 END").Order("created_at, workspace_id"))
	if models.KindOf(err) == models.NotFound {
		return "", noneAtAll
	}
	return m.WorkspaceID, err
}

// memberWorkspace is a workspace that somebody is a member of, by its ID or slug. What they may do as an Admin of the installation
// does not count.
func memberWorkspace(tx *gorm.DB, personID, slugOrID string) (models.WorkspaceSeen, error) {
	w, err := workspaceOf(tx, models.Actor{Kind: models.Human, ID: personID}, slugOrID)
	if models.KindOf(err) == models.NotFound {
		return w, notMember
	}
	return w, err
}

func (s *Store) newRefreshToken(tx *gorm.DB, sessionID string) (secret.Text, error) {
	text, err := secret.Mint(RefreshPrefix, nil)
	if err != nil {
		return "", err
	}
	hash := text.Hash()
	return text, tx.Create(&models.RefreshToken{Hash: hash[:], SessionID: sessionID, CreatedAt: s.now()}).Error
}

// RenewProgram uses up a refresh token: the session has another sign-in token from now on, another refresh token, and the workspace
// that was asked for. What it had before is good for nothing. A refresh token that was used before ends the session, for two have it now, and
// one of them is not the one whom it was given to. Any that cannot be used is models.Ambiguous, with the person where only the email address
// is another; a workspace that is not the person's is models.Forbidden, with the person, and uses nothing up.
func (s *Store) RenewProgram(ctx context.Context, who models.Actor, refresh secret.Text, r models.Renewal) (models.ProgramSeen, ProgramTokens, error) {
	var tokens ProgramTokens
	hash := refresh.Hash()
	var token models.RefreshToken
	var seen models.ProgramSeen
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		token, seen, err = presented(tx, hash) // what nobody was given keeps no writer waiting
		return err
	})
	if err != nil {
		return seen, tokens, err
	}
	if !seen.Session.Live(s.now()) || !seen.Person.Active() {
		return models.ProgramSeen{}, tokens, badRefresh
	}
	if token.UsedAt == nil && models.EmailKey(r.Email) != seen.Person.EmailKey {
		return models.ProgramSeen{Person: seen.Person}, tokens, badRefresh
	}
	who.Kind, who.ID, who.Name, who.Role, who.SessionID = models.Program, seen.Person.ID, seen.Person.Name, seen.Person.Role, seen.Session.ID
	stolen := false
	err = s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		var token models.RefreshToken
		if token, seen, err = presented(tx, hash); err != nil {
			return event, err
		}
		if token.UsedAt != nil {
			stolen = true
			event = sessionEvent(models.SessionStolen, seen.Session.ID, seen.Person)
			event.WorkspaceID = seen.Session.WorkspaceID
			return event, one(tx.Where("id = ?", seen.Session.ID).Delete(&models.Session{}))
		}
		if models.EmailKey(r.Email) != seen.Person.EmailKey {
			return event, badRefresh
		}
		event, tokens, err = s.renew(tx, &seen, token, r)
		return event, err
	})
	if models.KindOf(err) == models.Unauthorized { // it ended meanwhile
		err = badRefresh
	}
	if err == nil && stolen {
		err = models.Fail(models.Ambiguous, "Invalid refresh token. It was used before, so that two may have it: the sign-in has ended. Sign in again with POST /user/signin.").Named(badRefresh.Code)
	}
	if models.KindOf(err) == models.Forbidden {
		return models.ProgramSeen{Person: seen.Person}, ProgramTokens{}, err
	}
	if err != nil {
		tokens.Refresh.Wipe()
		return models.ProgramSeen{}, ProgramTokens{}, err
	}
	return seen, tokens, nil
}

// presented is a refresh token with its session and person.
func presented(tx *gorm.DB, hash secret.Hash) (token models.RefreshToken, seen models.ProgramSeen, err error) {
	token, err = take[models.RefreshToken](fresh(tx).Where("hash = ?", hash[:]))
	if err == nil {
		seen.Session, err = withID[models.Session](fresh(tx), token.SessionID)
	}
	if err == nil {
		seen.Person, err = withID[models.Person](fresh(tx), seen.Session.PersonID)
	}
	if models.KindOf(err) == models.NotFound {
		err = badRefresh
	}
	return token, seen, err
}

// renew gives a session that the transaction has under lock what it is to have next.
func (s *Store) renew(tx *gorm.DB, seen *models.ProgramSeen, used models.RefreshToken, r models.Renewal) (event models.Event, tokens ProgramTokens, err error) {
	now, before, workspace := s.now(), seen.Session.WorkspaceID, r.WorkspaceID
	if workspace == "" {
		workspace = before
	}
	if seen.Workspace, err = memberWorkspace(tx, seen.Person.ID, workspace); err != nil {
		if models.KindOf(err) == models.Forbidden && workspace == before {
			err = noMoreMember
		}
		return event, tokens, err
	}
	if r.Allow != nil { // here, although it may take Redis 50 ms: of many that send one token at once, the one who uses it up is counted, and no other
		if err := r.Allow(*seen); err != nil {
			return event, tokens, err
		}
	}
	err = one(tx.Model(&models.RefreshToken{}).Where("hash = ? AND used_at IS NULL", used.Hash).Updates(map[string]any{"used_at": now}))
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return event, tokens, badRefresh
	}
	if err != nil {
		return event, tokens, err
	}
	var hash secret.Hash
	tokens.Random, hash = secret.NewSignIn()
	seen.Session.Hash, seen.Session.WorkspaceID, seen.Session.SeenAt = hash[:], seen.Workspace.ID, now
	if err = one(tx.Model(&models.Session{}).Where("id = ?", seen.Session.ID).
		Updates(map[string]any{"hash": seen.Session.Hash, "workspace_id": seen.Workspace.ID, "seen_at": now})); err != nil {
		return event, tokens, err
	}
	event = sessionEvent(models.SessionRenewed, seen.Session.ID, seen.Person)
	event.WorkspaceID = seen.Workspace.ID
	if before != seen.Workspace.ID {
		event = event.WithChanges(models.Change{Field: "workspace", After: seen.Workspace.Name})
	}
	tokens.Refresh, err = s.newRefreshToken(tx, seen.Session.ID)
	return event, tokens, err
}

// FindProgram reads the session of a program by its sign-in token's random value, with its person and workspace. One that is over, that has
// another token by now, whose person is deactivated or is not a member of the workspace any more is models.NotFound.
func (s *Store) FindProgram(ctx context.Context, hash secret.Hash) (models.ProgramSeen, error) {
	seen, _, err := s.findProgram(ctx, hash)
	return seen, err
}

func (s *Store) findProgram(ctx context.Context, hash secret.Hash) (seen models.ProgramSeen, asOf models.Snapshot, err error) {
	asOf, err = s.asOf(ctx, func(tx *gorm.DB) (err error) {
		if seen.Session, err = take[models.Session](fresh(tx).Where("hash = ? AND kind = ?", hash[:], models.OfProgram)); err != nil {
			return err
		}
		if seen.Person, err = withID[models.Person](fresh(tx), seen.Session.PersonID); err != nil {
			return err
		}
		seen.Workspace, err = memberWorkspace(fresh(tx), seen.Person.ID, seen.Session.WorkspaceID)
		return err
	})
	if models.KindOf(err) == models.Forbidden {
		err = notThere
	}
	if err == nil && (!seen.Session.Live(s.now()) || !seen.Person.Active()) {
		err = notThere
	}
	if err != nil {
		return models.ProgramSeen{}, asOf, err
	}
	return seen, asOf, nil
}
