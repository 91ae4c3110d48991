package web

import (
	"context"
	"slices"
	"time"

	"tokendesk/models"
	"tokendesk/web/gateway"
)

// Heard ends the calls to products that are still under way when what let them in is taken away: a stream must not outlive
// its token. The store tells of each event after its commit, and before whoever caused it gets an answer.
func (s *Server) Heard(e models.Event) { s.hear(e, false) }

// hear is Heard; later says that the event may have been told before, so that what came after it may be under way.
func (s *Server) hear(e models.Event, later bool) {
	var whose func(gateway.Caller) bool
	switch e.Action {
	case models.CredentialRevoked, models.CredentialLeaked, models.CredentialDeactivated, models.CredentialRegenerated:
		whose = func(c gateway.Caller) bool { return c.Credential == e.SubjectID }
	case models.CredentialCreated:
		before := replaced(e)
		whose = func(c gateway.Caller) bool { return c.Credential == before }
	case models.PersonDeactivated:
		whose = func(c gateway.Caller) bool { return c.Person == e.SubjectID }
	case models.PersonChanged:
		if !has(e, "role") {
			return
		}
		whose = func(c gateway.Caller) bool { return c.Person == e.SubjectID }
	case models.SessionEnded, models.SessionStolen:
		whose = func(c gateway.Caller) bool { return c.Credential == e.SubjectID }
	case models.SessionRenewed: // the token before is good for nothing, and the next one, which ends in whole seconds, is given out after this
		next := e.At.Truncate(time.Second).Add(models.SignInTokenLife)
		whose = func(c gateway.Caller) bool { return c.Credential == e.SubjectID && (!later || c.Until.Before(next)) }
	case models.SessionStarted: // one too many ends the person's oldest, and the event does not say which
		if !has(e, models.SignInsEnded) {
			return
		}
		whose = func(c gateway.Caller) bool { return signedIn(c) && c.Person == e.PersonID }
	case models.SessionsEnded:
		whose = func(c gateway.Caller) bool { return signedIn(c) && c.Person == e.SubjectID }
	case models.PasswordChanged:
		owned := s.ownedBy(e)
		whose = func(c gateway.Caller) bool {
			return signedIn(c) && c.Person == e.SubjectID || automatic(c) && owned(c.Workspace)
		}
	case models.TokensEnded:
		signIns, automation := has(e, models.SignInsEnded), has(e, models.AutomationEnded)
		whose = func(c gateway.Caller) bool {
			return c.Person == e.SubjectID && c.Workspace == e.WorkspaceID && (signedIn(c) && signIns || automatic(c) && automation)
		}
	case models.MemberRemoved:
		whose = func(c gateway.Caller) bool { return c.Person == e.SubjectID && c.Workspace == e.WorkspaceID }
	case models.WorkspaceDeleted:
		whose = func(c gateway.Caller) bool { return c.Workspace == e.SubjectID }
	default:
		return
	}
	s.handlers.Gateway.Cut(whose)
}

// Hear is Heard for what others did on the same database: another server, the command line. It is to be called every second; the first time it
// finds out where to begin. What it hears, and what this server did itself, it hears once more the next time: a call that was decided on just
// before a change may not be under way yet when the change is told. So a call of the first seconds after a token was regenerated may be
// ended too.
func (s *Server) Hear(ctx context.Context) error {
	last, err := s.handlers.Store.LastEvent(ctx)
	if err != nil {
		return err
	}
	if s.hears && last < s.heard { // another database was put in this one's place: nobody knows what it has of those who were let in
		s.handlers.Gateway.Cut(func(gateway.Caller) bool { return true })
	}
	if !s.hears || last < s.heard {
		s.hears, s.again, s.heard = true, last, last
	}
	for at := s.again; at < last; {
		list, err := s.handlers.Store.EventsAfter(ctx, at, heardAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, e := range list {
			s.hear(e, true)
			at = e.Seq
		}
	}
	s.again, s.heard = s.heard, last
	return nil
}

const heardAtOnce = 500 // events

// ownedBy tells which workspaces the person of an event owns. Where that cannot be found out, all of them: a call that is cut can be made again.
func (s *Server) ownedBy(e models.Event) func(workspace string) bool {
	if !has(e, models.AutomationEnded) {
		return func(string) bool { return false }
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := s.handlers.Store.OwnedWorkspaces(ctx, e.SubjectID)
	return func(workspace string) bool { return err != nil || slices.Contains(list, workspace) }
}

func signedIn(c gateway.Caller) bool  { return c.Kind == string(models.SignInToken) }
func automatic(c gateway.Caller) bool { return c.Kind == string(models.AutomationToken) }

func has(e models.Event, field string) bool {
	return slices.ContainsFunc(e.ChangeList(), func(c models.Change) bool { return c.Field == field })
}

// replaced is the ID of the bearer token in whose place the new one came.
func replaced(e models.Event) string {
	for _, c := range e.ChangeList() {
		if c.Field == "replaces" {
			return c.After
		}
	}
	return "none"
}
