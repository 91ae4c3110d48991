package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// Audit is the log of every change, newest first.
func (h *Handlers) Audit(c echo.Context) error {
	q, err := query(c, "after")
	if err != nil {
		return err
	}
	var before int64
	if q["after"] != "" {
		if before, err = strconv.ParseInt(q["after"], 10, 64); err != nil || before < 1 {
			return models.Fail(models.Ambiguous, "This address does not lead to a page of the log. Start again at its beginning.")
		}
	}
	events, err := h.Store.Events(c.Request().Context(), actor(c), before, models.PageSize+1)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	var log views.AuditLog
	if len(events) > models.PageSize {
		events = events[:models.PageSize]
		log.OlderHref = "/audit?after=" + strconv.FormatInt(events[models.PageSize-1].Seq, 10)
	}
	if before > 0 {
		log.NewestHref = "/audit"
	}
	log.Days = h.days(events)
	return show(c, http.StatusOK, views.Audit(page, log))
}

// days puts events under the headings of their days.
func (h *Handlers) days(events []models.Event) []views.AuditDay {
	var days []views.AuditDay
	for _, e := range events {
		heading := dayHeading(e.At, h.Clock())
		if len(days) == 0 || days[len(days)-1].Heading != heading {
			days = append(days, views.AuditDay{Heading: heading})
		}
		entry := h.entry(e)
		entry.Time.Text = e.At.UTC().Format("15:04")
		days[len(days)-1].Entries = append(days[len(days)-1].Entries, entry)
	}
	return days
}

func dayHeading(t, now time.Time) string {
	date := t.UTC().Format("2 January 2006")
	switch now.UTC().Truncate(24 * time.Hour).Sub(t.UTC().Truncate(24 * time.Hour)) {
	case 0:
		return "Today, " + date
	case 24 * time.Hour:
		return "Yesterday, " + date
	}
	return date
}

// telling is how an action reads: a glyph, and the sentence after the actor's name. {subject} stands
// for the subject, with a link where it has a page.
var telling = map[models.Action]struct{ glyph, tone, sentence string }{
	models.SetupOffered:          {"gear", "", "printed a set-up address"},
	models.SetupCompleted:        {"plus", "ok", "set the console up with the first Admin, {subject}"},
	models.PersonCreated:         {"user-plus", "acc", "added {subject}"},
	models.PersonChanged:         {"pencil", "", "changed the record of {subject}"},
	models.PersonDeactivated:     {"pause", "warn", "deactivated {subject}"},
	models.PersonActivated:       {"play", "ok", "activated {subject}"},
	models.PasswordChanged:       {"lock", "", "changed the password of {subject}"},
	models.SessionStarted:        {"user", "", "signed in"},
	models.SessionConfirmed:      {"lock", "", "confirmed their password"},
	models.SessionEnded:          {"logout", "", "ended a session of {subject}"},
	models.SessionsEnded:         {"logout", "", "signed {subject} out everywhere"},
	models.WorkspaceChanged:      {"pencil", "", "changed the workspace {subject}"},
	models.CredentialCreated:     {"plus", "ok", "created a bearer token for {subject}"},
	models.CredentialRevoked:     {"ban", "bad", "revoked the bearer token of {subject}"},
	models.CollectionInstalled:   {"box", "acc", "installed the collection {subject}"},
	models.CollectionRestored:    {"rotate", "warn", "installed an earlier version of the collection {subject}, which is current again"},
	models.CollectionReinstalled: {"box", "", "installed the collection {subject} again, unchanged"},
}

// entry tells an event as a sentence.
func (h *Handlers) entry(e models.Event) views.Entry {
	how := telling[e.Action]
	entry := views.Entry{
		Time: moment(e.At, h.Clock()), Glyph: how.glyph, Tone: how.tone, Actor: actorName(e), Address: e.Address,
		Details: details(e),
	}
	before, after, hasSubject := strings.Cut(how.sentence, "{subject}")
	entry.Sentence = []views.Part{{Text: before}}
	if hasSubject {
		entry.Sentence = append(entry.Sentence, views.Part{Text: e.SubjectName, Href: subjectPath(e)}, views.Part{Text: after})
	}
	return entry
}

func actorName(e models.Event) string {
	switch e.ActorKind {
	case models.Guest:
		return "A visitor"
	case models.System:
		return "The server"
	case models.Command:
		return e.ActorName + " (command line)"
	}
	return e.ActorName
}

func subjectPath(e models.Event) string {
	switch e.SubjectKind {
	case models.OfPerson, models.OfSession, models.OfCredential:
		if e.PersonID != "" {
			return "/people/" + e.PersonID
		}
	}
	return ""
}

func details(e models.Event) []views.Change {
	var list []views.Change
	for _, change := range e.ChangeList() {
		if change.Before != "" || change.After != "" {
			list = append(list, views.Change{Label: change.Field, Before: change.Before, After: change.After})
		}
	}
	if e.CredentialID != "" {
		list = append(list, views.Change{Label: "with credential", After: e.CredentialID})
	}
	return append(list, views.Change{Label: "event", After: strconv.FormatInt(e.Seq, 10)}, views.Change{Label: "request", After: e.RequestID})
}
