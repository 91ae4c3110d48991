package handlers

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// Settings is the first tab of a workspace's settings.
func (h *Handlers) Settings(c echo.Context) error {
	return h.showSettings(c, http.StatusOK, views.Form{}, views.Form{})
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
	return h.showSettings(c, status, back, views.Form{})
}

// SaveLimits says how many calls a minute each API token of a workspace may make.
func (h *Handlers) SaveLimits(c echo.Context) error {
	f, err := form(c, "calls_a_minute", "user_calls_a_minute", "automation_calls_a_minute")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	w, err := h.Store.Workspace(ctx, actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	limits := models.CallLimits{API: number(f["calls_a_minute"]), User: w.UserCallsAMinute, Automation: w.AutomationCallsAMinute}
	for name, limit := range map[string]*int{"user_calls_a_minute": &limits.User, "automation_calls_a_minute": &limits.Automation} {
		if typed, sent := f[name]; sent { // what was not sent stays
			*limit = number(typed)
		}
	}
	if _, err = h.Store.SetCallLimits(ctx, actor(c), w.ID, limits); err == nil {
		return h.done(c, "/w/"+w.Slug+"/settings", "", "The limits are saved. They count from the next call.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showSettings(c, status, views.Form{}, back)
}

// number reads a whole number of a form; what is none is 0, which no field allows.
func number(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0
	}
	return n
}

func (h *Handlers) showSettings(c echo.Context, status int, form, limits views.Form) error {
	w, err := h.Store.Workspace(c.Request().Context(), actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.SettingsGeneral(page, views.General{
		Name: w.Name, Slug: w.Slug, MayEdit: actor(c).MayEditWorkspace(w.Role), MayDelete: actor(c).MayDeleteWorkspace(w.Role), Form: form,
		Limits: limits, Calls: strconv.Itoa(w.APICallsAMinute), UserCalls: strconv.Itoa(w.UserCallsAMinute), AutomationCalls: strconv.Itoa(w.AutomationCallsAMinute),
	}))
}

// DeleteWorkspacePage asks before a workspace is deleted.
func (h *Handlers) DeleteWorkspacePage(c echo.Context) error {
	return h.showDeleteWorkspace(c, http.StatusOK, views.Form{})
}

// DeleteWorkspace deletes a workspace whose name was typed.
func (h *Handlers) DeleteWorkspace(c echo.Context) error {
	f, err := form(c, "typed")
	if err != nil {
		return err
	}
	gone, err := h.Store.DeleteWorkspace(c.Request().Context(), actor(c), c.Param("workspace"), f["typed"])
	if err == nil {
		return h.done(c, "/", gone.Name, " is deleted.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showDeleteWorkspace(c, status, back)
}

func (h *Handlers) showDeleteWorkspace(c echo.Context, status int, back views.Form) error {
	ctx, who := c.Request().Context(), actor(c)
	w, err := h.Store.Workspace(ctx, who, c.Param("workspace"))
	if err != nil {
		return err
	}
	if !who.MayDeleteWorkspace(w.Role) {
		return models.Fail(models.Forbidden, "Only the workspace's Owner can delete it.")
	}
	live, err := h.Store.LiveTokens(ctx, w.ID)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	path := "/w/" + w.Slug + "/settings"
	end := views.WorkspaceEnd{Name: w.Name, Path: path + "/delete", Back: path, Form: back}
	if live > 0 {
		end.Tokens = counted(live, "token", "tokens")
	}
	return show(c, status, views.WorkspaceDelete(page, end))
}
