package handlers

import (
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// historyShown is how many events a token's page tells; the log has all of them.
const historyShown = 10

// showToken is the page of a token of either kind.
func (h *Handlers) showToken(c echo.Context, d desk, code int, back views.Form) error {
	w, t, names, err := h.aToken(c, d)
	if err != nil {
		return err
	}
	v := views.TokenPage{Card: h.tokenCard(c, w, t, names), Form: back, List: tokensPath(w)}
	v.Card.Named = false // the field for it is on this page
	if t.Kind == models.AutomationToken {
		v.ActsAs = t.PersonName
	} else if v.Access, v.Gone, err = h.scopesOf(c, w, t.Credential); err != nil {
		return err
	}
	days, err := d.days(c.Request().Context(), actor(c), w.ID, t.ID, h.Clock().AddDate(0, 0, 1-chartDays))
	if err != nil {
		return err
	}
	v.Chart = chartOf(days, h.Clock())
	if v.Card.MayHistory {
		if err := h.history(c, w, t.ID, &v); err != nil {
			return err
		}
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, code, views.Token(page, v))
}

// scopesOf are what a token is narrowed to, and which of that its product no longer has; neither where it is not narrowed.
func (h *Handlers) scopesOf(c echo.Context, w models.WorkspaceSeen, t models.Credential) (access []views.ScopeGroup, gone []string, err error) {
	products, err := h.Store.Products(c.Request().Context(), actor(c), w.ID)
	for _, p := range products {
		if p.ID != t.ProductID || len(t.Scopes) == 0 {
			continue
		}
		access = scopeGroups(p.Resources, t.Scopes)
		for _, scope := range t.Scopes {
			if !p.Resources.Has(scope) {
				gone = append(gone, scope)
			}
		}
	}
	return access, gone, err
}

// history tells the newest events of a token.
func (h *Handlers) history(c echo.Context, w models.WorkspaceSeen, id string, v *views.TokenPage) error {
	found, err := h.Store.EventsNear(c.Request().Context(), actor(c), models.EventFilter{WorkspaceID: w.ID, SubjectID: id, Limit: historyShown + 1})
	if err != nil {
		return err
	}
	log := "/w/" + w.Slug + "/settings/audit"
	if len(found.Events) > historyShown {
		found.Events = found.Events[:historyShown]
		v.AllEvents = log + "?" + url.Values{"subject": {id}}.Encode()
	}
	for _, e := range found.Events {
		entry := h.entryFor(actor(c), e, log)
		entry.Time.Text = shortly(e.At, h.Clock()) // its own page has all of it
		v.History = append(v.History, entry)
	}
	return nil
}

// chartDays is how many days a token's chart shows.
const chartDays = 30

// chartOf lays the calls of the last days out, today last.
func chartOf(days []models.UsageDay, now time.Time) []views.ChartDay {
	calls := map[string]models.UsageDay{}
	for _, d := range days {
		calls[d.Day] = d
	}
	chart := make([]views.ChartDay, chartDays)
	for i := range chart {
		day := now.UTC().AddDate(0, 0, i+1-chartDays)
		d := calls[day.Format(time.DateOnly)]
		chart[i] = views.ChartDay{Text: day.Format("2 Jan"), Accepted: d.Calls, Refused: d.Refused}
	}
	return chart
}
