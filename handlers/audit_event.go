package handlers

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// AuditEvent is one event of the log, with everything that is known of it.
func (h *Handlers) AuditEvent(c echo.Context) error {
	e, err := h.auditEvent(c, "", "/audit")
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.AuditEventPage(page, e))
}

// WorkspaceAuditEvent is one event of a workspace's log.
func (h *Handlers) WorkspaceAuditEvent(c echo.Context) error {
	w, err := h.Store.Workspace(c.Request().Context(), actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	e, err := h.auditEvent(c, w.ID, "/w/"+w.Slug+"/settings/audit")
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.SettingsAuditEvent(page, e))
}

func (h *Handlers) auditEvent(c echo.Context, workspaceID, log string) (views.AuditEvent, error) {
	seq, err := strconv.ParseInt(c.Param("number"), 10, 64)
	if err != nil || seq < 1 || strconv.FormatInt(seq, 10) != c.Param("number") { // one spelling
		return views.AuditEvent{}, models.Fail(models.NotFound, "There is no such event.")
	}
	e, err := h.Store.Event(c.Request().Context(), actor(c), workspaceID, seq)
	if err != nil {
		return views.AuditEvent{}, err
	}
	page := views.AuditEvent{
		Entry: h.entryFor(actor(c), e.Event, log), Number: humanized(e.Seq), Action: string(e.Action), Changes: changed(e.Event),
		Hash: hex.EncodeToString(e.Hash), HashBefore: hex.EncodeToString(e.HashBefore), Holds: e.Holds, LogHref: log,
	}
	page.Time.Text = e.At.UTC().Format("2 January 2006, 15:04:05") + " UTC"
	at := func(seq int64) string {
		if seq == 0 {
			return ""
		}
		return log + "/" + strconv.FormatInt(seq, 10)
	}
	page.OlderHref, page.NewerHref = at(e.Older), at(e.Newer)
	if e.ActorID != "" {
		page.SameActor = log + "?" + url.Values{"actor": {e.ActorID}}.Encode()
	}
	if about := e.SubjectID; about != "" {
		page.SameSubject = log + "?" + url.Values{"subject": {about}}.Encode()
	}
	page.Facts, err = h.facts(c, e.Event)
	return page, err
}

// aboutPrefix says what a subject is whose name does not: it is a token's own, or that of the person whose thing it is.
func aboutPrefix(e models.Event) string {
	switch kind := tokenOf(e); {
	case kindWords[kind] != "":
		return "the " + kindWords[kind] + " "
	case kind == models.Bearer:
		return "the bearer token of "
	case e.SubjectKind == models.OfSession:
		return "a session of "
	}
	return ""
}

// facts are who, with what, from where and about what.
func (h *Handlers) facts(c echo.Context, e models.Event) ([]views.Fact, error) {
	admin := actor(c).MayManagePeople()
	who := views.Fact{Label: "Who", Text: actorName(e)}
	if e.ActorID != "" && admin {
		who.Href = "/people/" + e.ActorID
	}
	list := []views.Fact{who, {Label: "When", Text: e.At.UTC().Format(time.RFC3339Nano), Mono: true}, {Label: "From", Text: e.Address, Mono: true}}
	if e.CredentialID != "" {
		with := views.Fact{Label: "With token", Text: e.CredentialID, Mono: true}
		if admin {
			switch k, err := h.Store.Credential(c.Request().Context(), actor(c), e.CredentialID); models.KindOf(err) {
			case "":
				with.Text, with.Href = k.Prefix+"... ending in "+k.Last4, credentialPath(k.Credential)
			case models.NotFound: // of a database that was restored since
			default:
				return nil, err
			}
		}
		list = append(list, with)
	}
	about := views.Fact{Label: "About", Text: aboutPrefix(e) + e.SubjectName}
	if about.Href = subjectPath(e); !admin && strings.HasPrefix(about.Href, "/people/") {
		about.Href = ""
	}
	list = append(list, about,
		views.Fact{Label: "Its kind", Text: string(e.SubjectKind)}, views.Fact{Label: "Its ID", Text: e.SubjectID, Mono: true},
		views.Fact{Label: "Session", Text: e.SessionID, Mono: true}, views.Fact{Label: "Request", Text: e.RequestID, Mono: true})
	var known []views.Fact
	for _, f := range list {
		if f.Text != "" {
			known = append(known, f)
		}
	}
	return known, nil
}
