package handlers

import (
	"errors"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
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

// RefusedInstall notes that what somebody wanted to install was not fit for it.
func (h *Handlers) RefusedInstall(c echo.Context, err error) {
	var unsafe *archive.Refusal
	reason := string(models.KindOf(err))
	switch {
	case errors.Is(err, archive.ErrNotZip):
		reason = "not-a-zip"
	case errors.As(err, &unsafe):
		reason = string(unsafe.Code)
	}
	h.Refusals.Add(models.Refused{Action: models.InstallRefused, Reason: reason, Who: actor(c)})
}

// Denied notes that somebody asked for what they may not have.
func (h *Handlers) Denied(c echo.Context) {
	who, reason := actor(c), "forbidden"
	if who.Kind == models.Guest { // guests are sent to sign in, unless another site sent them
		reason = "cross_site"
	}
	h.Refusals.Add(models.Refused{Action: models.AccessDenied, Reason: reason, Asked: c.Request().Method + " " + c.Path(), Who: who})
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
