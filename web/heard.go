package web

import (
	"tokendesk/models"
	"tokendesk/web/gateway"
)

// Heard ends the calls to products that are still under way when what let them in is taken away: a stream must not outlive
// its token. The store tells of each event after its commit, and before whoever caused it gets an answer.
func (s *Server) Heard(e models.Event) {
	var whose func(gateway.Caller) bool
	switch e.Action {
	case models.CredentialRevoked, models.CredentialDeactivated, models.CredentialRegenerated:
		whose = func(c gateway.Caller) bool { return c.Credential == e.SubjectID }
	case models.CredentialCreated:
		before := replaced(e)
		whose = func(c gateway.Caller) bool { return c.Credential == before }
	case models.PersonDeactivated:
		whose = func(c gateway.Caller) bool { return c.Person == e.SubjectID }
	case models.MemberRemoved:
		whose = func(c gateway.Caller) bool { return c.Person == e.SubjectID && c.Workspace == e.WorkspaceID }
	case models.WorkspaceDeleted:
		whose = func(c gateway.Caller) bool { return c.Workspace == e.SubjectID }
	default:
		return
	}
	s.handlers.Gateway.Cut(whose)
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
