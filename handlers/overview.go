package handlers

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// recentShown is how many events the overview lists.
const recentShown = 6

// Overview is where one begins.
func (h *Handlers) Overview(c echo.Context) error {
	ctx, who := c.Request().Context(), actor(c)
	q, err := query(c, "after")
	if err != nil {
		return err
	}
	after, err := h.from("workspaces", q["after"])
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	list, err := h.Store.Workspaces(ctx, who, after)
	if err != nil {
		return err
	}
	var start views.Start
	if len(list) > models.PageSize {
		list = list[:models.PageSize]
		last := list[models.PageSize-1]
		start.MoreHref = "/?" + url.Values{"after": {h.where("workspaces", models.Place{Key: last.Name, ID: last.ID})}}.Encode()
	}
	if after.ID != "" {
		start.FirstHref = "/"
	}
	counts, err := h.Store.CountCollections(ctx, list)
	if err != nil {
		return err
	}
	for _, w := range list {
		start.Workspaces = append(start.Workspaces, views.WorkspaceCard{
			WorkspaceLink: h.workspaceLink(c, w.Workspace), Role: string(w.Role), Collections: counts[w.ID],
		})
	}
	if who.MayReadAudit() {
		events, err := h.Store.Events(ctx, who, models.EventFilter{Limit: recentShown})
		if err != nil {
			return err
		}
		for _, e := range events {
			entry := h.entry(e, "/audit")
			entry.Time.Text = shortly(e.At, h.Clock())
			start.Recent = append(start.Recent, entry)
		}
		issued, err := h.Store.AnyCredential(ctx)
		if err != nil {
			return err
		}
		if start.FirstRun = !issued; issued {
			if err := h.figures(c, &start); err != nil {
				return err
			}
		}
	}
	return show(c, http.StatusOK, views.Overview(page, start))
}

// figures counts what there is of credentials, and adds up how much they are used. Each number leads to the list that it counts.
func (h *Handlers) figures(c echo.Context, start *views.Start) error {
	counts, err := h.Store.Figures(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	first := h.Clock().UTC().AddDate(0, 0, 1-models.FigureDays).Format(time.DateOnly)
	number := func(n models.Count) string {
		switch {
		case n.N > models.CountCap:
			return humanized(models.CountCap) + "+"
		case n.Least:
			return humanized(int64(n.N)) + "+"
		}
		return humanized(int64(n.N))
	}
	start.Figures = []views.Figure{
		{Label: "Active credentials", Glyph: "key", Number: number(counts.Active), Href: "/credentials?status=active"},
		{Label: "Inactive", Glyph: "pause", Number: number(counts.Inactive), Href: "/credentials?status=inactive"},
		{Label: "Expired", Glyph: "hourglass", Number: number(counts.Expired), Href: "/credentials?status=expired"},
		{Label: "Revoked or replaced", Glyph: "ban", Number: number(counts.Revoked), Href: "/credentials?status=revoked"},
	}
	start.Signs = []views.Figure{
		{Label: "Expire within 14 days", Glyph: "clock", Number: number(counts.ExpireSoon), Href: "/credentials?expires=14d", Warn: counts.ExpireSoon.N > 0},
		{Label: "Unused for 90 days", Glyph: "hourglass", Number: number(counts.Unused), Href: "/credentials?unused=90d"},
		{Label: "Reports of refused calls", Glyph: "warn", Number: number(counts.RefusedCalls), Note: "in 30 days; one may tell of many", Href: "/audit?action=call.denied&from=" + first},
	}
	days, accepted, refused := make([]models.UsageDay, len(counts.Days)), int64(0), int64(0)
	for i, d := range counts.Days {
		days[i] = models.UsageDay{Day: d.Day, Calls: d.Calls, Refused: d.Refused}
		accepted, refused = accepted+d.Calls, refused+d.Refused
	}
	start.Chart = chartOf(days, h.Clock())
	start.Calls = plainly(int(accepted), "call was accepted", "calls were accepted") + " and " + humanized(refused) + " refused in the last 30 days."
	return nil
}
