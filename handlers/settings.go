package handlers

import (
	"net/http"

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
