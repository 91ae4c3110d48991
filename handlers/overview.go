package handlers

import (
	"net/http"
	"net/url"

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
		start.FirstRun = !issued
	}
	return show(c, http.StatusOK, views.Overview(page, start))
}
