package handlers

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// Audit is the log of every change and every refusal, newest first.
func (h *Handlers) Audit(c echo.Context) error {
	log, err := h.auditLog(c, models.WorkspaceSeen{})
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, auditStatus(log), views.Audit(page, log))
}

// WorkspaceAudit is the log of one workspace.
func (h *Handlers) WorkspaceAudit(c echo.Context) error {
	w, err := h.Store.Workspace(c.Request().Context(), actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	log, err := h.auditLog(c, w)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, auditStatus(log), views.SettingsAudit(page, log))
}

func auditStatus(log views.AuditLog) int {
	if log.Filter.Form.HasErrors() {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// auditLog reads one page of the log that the address asks for; of one workspace, where it is given.
func (h *Handlers) auditLog(c echo.Context, within models.WorkspaceSeen) (views.AuditLog, error) {
	asked, err := h.askedEvents(c, within)
	if err != nil {
		return views.AuditLog{}, err
	}
	log := asked.log
	if asked.nothing {
		return log, nil
	}
	ctx, who, f := c.Request().Context(), actor(c), asked.filter
	f.Limit = models.PageSize + 1
	found, err := h.Store.EventsNear(ctx, who, f)
	if err != nil {
		return log, err
	}
	events, further := found.Events, found.Further
	if len(events) > models.PageSize {
		events = events[:models.PageSize]
		further = events[models.PageSize-1].Seq
	}
	if found.Further > 0 {
		log.Since = moment(found.Since, h.Clock())
	}
	total, all := len(events), true
	if f.Before > 0 || further > 0 { // else these are all
		if total, all, err = h.Store.CountEvents(ctx, who, f); err != nil {
			return log, err
		}
	}
	if all || f.Before == 0 || total > models.CountCap { // else there may be any number of them on the pages until here
		log.Count = countedEvents(total, all, log.Filter.Set || within.ID != "")
	}
	if further > 0 {
		log.OlderHref = asked.with("after", strconv.FormatInt(further, 10))
	}
	if f.Before > 0 {
		log.NewestHref = asked.with("after", "")
	}
	asked.name(&log.Filter, events)
	log.Days = h.days(who, events, log.Filter.Path)
	return log, nil
}

// name says by the newest event whom and what the IDs in a filter mean, where that is not known yet: links carry IDs, and
// nobody reads those.
func (a askedEvents) name(f *views.AuditFilter, events []models.Event) {
	by, about := a.values["actor"], a.values["subject"]
	for _, e := range events {
		if by != "" && e.ActorID == by {
			f.ActorName = cmp.Or(f.ActorName, e.ActorName)
		}
		if about != "" && e.SubjectID == about {
			f.SubjectName = cmp.Or(f.SubjectName, e.SubjectName)
		}
		if about != "" && e.ActorID == about {
			f.SubjectName = cmp.Or(f.SubjectName, e.ActorName)
		}
	}
}

// countedEvents says how many events there are; or at least are, where not all of the log was looked through.
func countedEvents(n int, all, filtered bool) string {
	switch {
	case !all && n == 0:
		return ""
	case !all && n <= models.CountCap:
		return counted(n, "event", "events") + " or more"
	case filtered:
		return counted(n, "event", "events")
	}
	return plainly(n, "event", "events")
}

// with is the address of the log with one part of the question changed.
func (a askedEvents) with(name, value string) string {
	changed := url.Values{}
	for k, v := range a.values {
		if v != "" {
			changed.Set(k, v)
		}
	}
	if value == "" {
		changed.Del(name)
	} else {
		changed.Set(name, value)
	}
	if len(changed) == 0 {
		return a.log.Filter.Path
	}
	return a.log.Filter.Path + "?" + changed.Encode()
}

// days puts events under the headings of their days.
func (h *Handlers) days(who models.Actor, events []models.Event, log string) []views.AuditDay {
	var days []views.AuditDay
	for _, e := range events {
		heading := dayHeading(e.At, h.Clock())
		if len(days) == 0 || days[len(days)-1].Heading != heading {
			days = append(days, views.AuditDay{Heading: heading})
		}
		entry := h.entryFor(who, e, log)
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
