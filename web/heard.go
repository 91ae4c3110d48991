package web

import (
	"context"
	"slices"
	"time"

	"tokendesk/models"
	"tokendesk/web/gateway"
)

// Ended ends the calls to products that are still under way when an event takes away what let them in: a stream must not outlive
// its token. Whoever waits for the event to be in effect is told after this.
func (s *Server) Ended(e models.Event) {
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
		if !e.Changed("role") {
			return
		}
		whose = func(c gateway.Caller) bool { return c.Person == e.SubjectID }
	case models.SessionEnded, models.SessionStolen, models.SessionRenewed: // renewed: the token before is good for nothing, and the next one is given out after this
		whose = func(c gateway.Caller) bool { return c.Credential == e.SubjectID }
	case models.SessionStarted: // one too many ends the person's oldest, and the event does not say which
		if !e.Changed(models.SignInsEnded) {
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
		signIns, automation := e.Changed(models.SignInsEnded), e.Changed(models.AutomationEnded)
		whose = func(c gateway.Caller) bool {
			return c.Person == e.SubjectID && c.Workspace == e.WorkspaceID && (signedIn(c) && signIns || automatic(c) && automation)
		}
	case models.MemberRemoved:
		whose = func(c gateway.Caller) bool { return c.Person == e.SubjectID && c.Workspace == e.WorkspaceID }
	case models.WorkspaceDeleted:
		whose = func(c gateway.Caller) bool { return c.Workspace == e.SubjectID }
	default:
		if !e.Touches().Everything {
			return
		}
		whose = func(gateway.Caller) bool { return true }
	}
	s.handlers.Gateway.Cut(whose)
}

// Lapsed ends all calls to products: nobody knows what has changed.
func (s *Server) Lapsed() { s.handlers.Gateway.Cut(func(gateway.Caller) bool { return true }) }

// ownedBy tells which workspaces the person of an event owns. Where that cannot be found out, all of them: a call that is cut can be made again.
func (s *Server) ownedBy(e models.Event) func(workspace string) bool {
	if !e.Changed(models.AutomationEnded) {
		return func(string) bool { return false }
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // replicas are waited for
	defer cancel()
	list, err := s.handlers.Store.OwnedWorkspaces(ctx, e.SubjectID)
	return func(workspace string) bool { return err != nil || slices.Contains(list, workspace) }
}

func signedIn(c gateway.Caller) bool  { return c.Kind == string(models.SignInToken) }
func automatic(c gateway.Caller) bool { return c.Kind == string(models.AutomationToken) }

// replaced is the ID of the bearer token in whose place the new one came.
func replaced(e models.Event) string {
	for _, c := range e.ChangeList() {
		if c.Field == "replaces" {
			return c.After
		}
	}
	return "none"
}
