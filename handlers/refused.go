package handlers

import (
	"errors"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/archive"
)

// The refusals that the audit log tells of. Each is counted in memory and written down in the background,
// so that being refused costs the server next to nothing, and as much for everybody.

// RefusedCall notes that a program's call was refused before it was let in; grant is what its credential
// opens, where it showed one that exists.
func (h *Handlers) RefusedCall(c echo.Context, code string, grant models.Grant) {
	who := Guest(c)
	if o := grant.Owner; o.ID != "" {
		who.Kind, who.ID, who.Name, who.CredentialID = models.Program, o.ID, o.Name, grant.Credential.ID
	}
	h.Refusals.Add(models.Refused{Action: models.InstallRefused, Reason: code, Who: who})
}

// RefusedProduct notes that a call to a product was refused. What the credential and its owner are called is looked up when it is written down.
func (h *Handlers) RefusedProduct(address, requestID string, d access.Decision) {
	k := &d.Known
	r := models.Refused{
		Action: models.CallDenied, Reason: string(d.Code), Asked: d.Scope, WorkspaceID: access.TextOf(d.Workspace),
		Who: models.Actor{Kind: models.Guest, Address: address, RequestID: requestID},
	}
	if d.Matched() {
		id := access.TextOf(k.ID)
		r.SubjectKind, r.SubjectID, r.PersonID, r.Credential = models.OfCredential, id, access.TextOf(k.Person), k.Kind()
		r.Who.Kind, r.Who.ID, r.Who.CredentialID = models.Program, r.PersonID, id
		if r.WorkspaceID == "" {
			r.WorkspaceID = access.TextOf(k.Workspace)
		}
		if k.Kind() == models.SignInToken {
			r.SubjectKind, r.SubjectName, r.Who.SessionID, r.Who.CredentialID = models.OfSession, "Sign-in token", id, ""
		}
	}
	h.Refusals.Add(r)
}

// RefusedAccount notes that a call of the account API was refused before it was let in.
func (h *Handlers) RefusedAccount(c echo.Context, d access.Decision) {
	d.Scope = c.Request().Method + " " + c.Path()
	h.RefusedProduct(c.RealIP(), RequestID(c), d)
}

// RefusedInstall notes that what somebody wanted to install was not fit for it, and what they were told.
func (h *Handlers) RefusedInstall(c echo.Context, err error, told string) {
	var unsafe *archive.Refusal
	reason := string(models.KindOf(err))
	switch {
	case errors.Is(err, errNoFile):
		reason = "no-file"
	case errors.Is(err, archive.ErrNotZip):
		reason = "not-a-zip"
	case errors.As(err, &unsafe):
		reason = string(unsafe.Code)
	}
	named, _ := c.Get(namedKey).(upload)
	h.Refusals.Add(models.Refused{
		Action: models.InstallRefused, Reason: reason, Who: actor(c), Told: told, WorkspaceID: h.aimedAt(c, named.workspace),
		File: models.Shorten(models.OnlyPrintable(named.name), 200),
	})
}

// aimedAt is the workspace that a request was about, where it is one that its sender may open.
func (h *Handlers) aimedAt(c echo.Context, named string) string {
	who, ctx := actor(c), c.Request().Context()
	if who.ID == "" {
		return ""
	}
	find := func() (models.WorkspaceSeen, error) { return h.Store.Workspace(ctx, who, named) }
	if named == "" {
		find = func() (models.WorkspaceSeen, error) { return h.Store.HomeWorkspace(ctx, who) }
	}
	w, err := find()
	if err != nil { // not theirs, or not to be found out: the refusal is told without it
		return ""
	}
	return w.ID
}

// Denied notes that somebody asked for what they may not have.
func (h *Handlers) Denied(c echo.Context, reason string) {
	who := actor(c)
	r := models.Refused{Action: models.AccessDenied, Reason: reason, Asked: c.Request().Method + " " + c.Path(), Who: who}
	if workspace := c.Param("workspace"); workspace != "" {
		r.WorkspaceID = h.aimedAt(c, workspace)
	}
	h.Refusals.Add(r)
}

// refusedSignIn notes a sign-in that was refused. Where nobody has the address, it is not kept: people type
// passwords into the wrong field.
func (h *Handlers) refusedSignIn(c echo.Context, reason string, person models.Person) {
	r := models.Refused{Action: models.SignInRefused, Reason: reason, Who: Guest(c), SubjectKind: models.OfInstallation, SubjectName: person.Name}
	if person.ID != "" {
		r.SubjectKind, r.SubjectID, r.SubjectName, r.PersonID = models.OfPerson, person.ID, person.Name, person.ID
	}
	h.Refusals.Add(r)
}
