package handlers

import (
	"net/http"

	"github.com/dustin/go-humanize"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// Settings is the first tab of a workspace's settings.
func (h *Handlers) Settings(c echo.Context) error {
	return h.showSettings(c, http.StatusOK, views.Form{})
}

// SaveSettings renames a workspace.
func (h *Handlers) SaveSettings(c echo.Context) error {
	f, err := form(c, "name")
	if err != nil {
		return err
	}
	w, err := h.Store.RenameWorkspace(c.Request().Context(), actor(c), c.Param("workspace"), models.NewWorkspace{Name: f["name"]})
	if err == nil {
		return h.done(c, "/w/"+w.Slug+"/settings", "", "The workspace's name is saved.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showSettings(c, status, back)
}

func (h *Handlers) showSettings(c echo.Context, status int, form views.Form) error {
	w, err := h.Store.Workspace(c.Request().Context(), actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.SettingsGeneral(page, views.General{
		Name: w.Name, Slug: w.Slug, MayEdit: actor(c).MayEditWorkspace(w.Role), Form: form,
	}))
}

// Collections lists what was installed into a workspace.
func (h *Handlers) Collections(c echo.Context) error {
	q, err := query(c, "after")
	if err != nil {
		return err
	}
	after, err := h.from("collections", q["after"])
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	w, err := h.Store.Workspace(ctx, actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	collections, next, err := h.Store.Collections(ctx, w.ID, after)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	list := views.CollectionList{MaxSize: humanize.IBytes(uint64(h.Limits.ArchiveBytes))}
	path := "/w/" + w.Slug + "/settings/collections"
	if next.ID != "" {
		list.OlderHref = path + "?after=" + h.where("collections", next)
	}
	if after.ID != "" {
		list.NewestHref = path
	}
	for _, seen := range collections {
		list.Rows = append(list.Rows, h.collectionRow(c, seen))
	}
	return show(c, http.StatusOK, views.SettingsCollections(page, list))
}

func (h *Handlers) collectionRow(c echo.Context, seen models.CollectionSeen) views.CollectionRow {
	v := seen.Version
	row := views.CollectionRow{
		Name: seen.Name, Description: v.Description, Version: v.Number, Label: v.Label, Size: humanize.IBytes(uint64(v.Size)), Entries: v.Entries,
		SHA256: v.SHA256, FileName: v.FileName, Installed: moment(seen.InstalledAt, h.Clock()), By: seen.InstalledByName,
		TokenPrefix: seen.Credential.Prefix, TokenLastFour: seen.Credential.Last4,
	}
	if actor(c).MayManagePeople() {
		row.ByHref = "/people/" + seen.InstalledBy
	}
	return row
}
