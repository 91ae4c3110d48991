package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/web/gateway"
)

// Ended ends what is under way when an event takes away what let it in, calls to products and downloads: neither must outlive its right. Whoever waits for
// the event to be in effect is told after this.
func (s *Server) Ended(e models.Event) {
	if e.Action == models.ProductChanged {
		s.productChanged(e)
		return
	}
	whose := s.endedBy(e)
	s.handlers.Gateway.Cut(whose)
	s.handlers.Downloads.Cut(func(t handlers.Transfer) bool { return downloadEnded(e, t, whose) })
}

// Lapsed ends all calls to products and all downloads: nobody knows what has changed.
func (s *Server) Lapsed() {
	s.handlers.Gateway.Cut(func(gateway.Caller) bool { return true })
	s.handlers.Downloads.Cut(func(handlers.Transfer) bool { return true })
}

// downloadEnded says whether an event takes away what lets somebody be sent a file: as of a caller, and where they may not read there any more, or there is
// nothing to be read. What is not known yet of a download may be what the event is about.
func downloadEnded(e models.Event, t handlers.Transfer, whose func(gateway.Caller) bool) bool {
	if !t.Found {
		t.Workspace, t.Collection, t.ByRole = cmp.Or(t.Workspace, e.WorkspaceID), e.SubjectID, true
	}
	switch e.Action {
	case models.CollectionDeleted:
		return t.Collection == e.SubjectID
	case models.MemberChanged:
		return t.ByRole && t.Person == e.SubjectID && t.Workspace == e.WorkspaceID
	case models.WorkspaceHandedOver: // the event does not say whose it was
		return t.ByRole && t.Workspace == e.WorkspaceID
	}
	return whose(gateway.Caller{Kind: t.Kind, Credential: t.Credential, Person: t.Person, Workspace: t.Workspace})
}

// endedBy says whose calls an event ends.
func (s *Server) endedBy(e models.Event) func(gateway.Caller) bool {
	switch e.Action {
	case models.CredentialRevoked, models.CredentialLeaked, models.CredentialDeactivated, models.CredentialRegenerated:
		return func(c gateway.Caller) bool { return c.Credential == e.SubjectID }
	case models.CredentialCreated:
		before := replaced(e)
		return func(c gateway.Caller) bool { return c.Credential == before }
	case models.PersonDeactivated:
		return func(c gateway.Caller) bool { return c.Person == e.SubjectID }
	case models.PersonChanged:
		if !e.Changed("role") {
			return nobody
		}
		return func(c gateway.Caller) bool { return c.Person == e.SubjectID }
	case models.SessionEnded, models.SessionStolen, models.SessionRenewed: // renewed: the token before is good for nothing, and the next one is given out after this
		return func(c gateway.Caller) bool { return c.Credential == e.SubjectID }
	case models.SessionStarted: // one too many ends the person's oldest, and the event does not say which
		if !e.Changed(models.SignInsEnded) {
			return nobody
		}
		return func(c gateway.Caller) bool { return signedIn(c) && c.Person == e.PersonID }
	case models.SessionsEnded:
		return func(c gateway.Caller) bool { return (signedIn(c) || browses(c)) && c.Person == e.SubjectID }
	case models.PasswordChanged:
		owned := s.ownedBy(e)
		return func(c gateway.Caller) bool {
			return (signedIn(c) || browses(c)) && c.Person == e.SubjectID || automatic(c) && owned(c.Workspace)
		}
	case models.TokensEnded:
		signIns, automation := e.Changed(models.SignInsEnded), e.Changed(models.AutomationEnded)
		return func(c gateway.Caller) bool {
			return c.Person == e.SubjectID && c.Workspace == e.WorkspaceID && (signedIn(c) && signIns || automatic(c) && automation)
		}
	case models.MemberRemoved:
		return func(c gateway.Caller) bool { return c.Person == e.SubjectID && c.Workspace == e.WorkspaceID }
	case models.WorkspaceDeleted:
		return func(c gateway.Caller) bool { return c.Workspace == e.SubjectID }
	}
	all := e.Touches().Everything
	return func(gateway.Caller) bool { return all }
}

// productChanged ends the calls to a product that it would not take as it took them: those whose method and path are of another operation now, or of none, and WebSockets
// where there are to be none. Where that cannot be found out, all of them. One that begins meanwhile is let in by what the product is now: see access.Gate.Holds.
func (s *Server) productChanged(e models.Event) {
	if s.handlers.Gateway.CallsTo(e.SubjectID) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // replicas are waited for
	defer cancel()
	p, asOf, err := s.handlers.Store.ProductAsOf(ctx, e.SubjectID)
	known, routes := err == nil && asOf.Seq >= e.Seq, access.Compile(p.Resources)
	s.handlers.Gateway.CutOf(e.SubjectID, func(c gateway.Call) bool {
		scope, _ := routes.Match(c.Method, c.Path)
		return known && scope == c.Scope && (p.WebSocket || !c.WebSocket)
	})
}

func nobody(gateway.Caller) bool { return false }

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
func browses(c gateway.Caller) bool   { return c.Kind == handlers.Browser }
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
