package handlers

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// desk is where a workspace's tokens of a kind are managed: what the store does with one of them.
type desk struct {
	kind   models.CredentialKind
	find   func(ctx context.Context, who models.Actor, workspace, id string) (models.CredentialSeen, error)
	days   func(ctx context.Context, who models.Actor, workspace, id string, from time.Time) ([]models.UsageDay, error)
	rename func(ctx context.Context, who models.Actor, workspace, id string, n models.TokenNaming) (models.Credential, error)
	turn   func(ctx context.Context, who models.Actor, workspace, id string, enabled bool) (models.Credential, error)
	revoke func(ctx context.Context, who models.Actor, workspace, id string, r models.Revocation) (models.Credential, error)
}

func (h *Handlers) apiTokens() desk {
	s := h.Store
	return desk{models.APIToken, s.APIToken, s.UsageDays, s.RenameAPIToken, s.SwitchAPIToken, s.RevokeAPIToken}
}

func (h *Handlers) automation() desk {
	s := h.Store
	return desk{models.AutomationToken, s.AutomationToken, s.AutomationDays, s.RenameAutomationToken, s.SwitchAutomationToken, s.RevokeAutomationToken}
}

func (h *Handlers) deskOf(kind models.CredentialKind) desk {
	if kind == models.AutomationToken {
		return h.automation()
	}
	return h.apiTokens()
}

// tokensPath is the tab on which tokens of both kinds are.
func tokensPath(w models.WorkspaceSeen) string { return "/w/" + w.Slug + "/settings/api-tokens" }

// kindPath is where the tokens of a kind have their own pages.
func kindPath(w models.WorkspaceSeen, kind models.CredentialKind) string {
	return "/w/" + w.Slug + "/settings/" + kindNames[kind]
}

var kindNames = map[models.CredentialKind]string{models.APIToken: "api-tokens", models.AutomationToken: "automation-tokens"}

func tabPath(c echo.Context) string { return "/w/" + c.Param("workspace") + "/settings/api-tokens" }

func tokenPath(c echo.Context, d desk) string {
	return "/w/" + c.Param("workspace") + "/settings/" + kindNames[d.kind] + "/" + c.Param("id")
}

func (h *Handlers) renameToken(c echo.Context, d desk) error {
	f, err := form(c, "name")
	if err != nil {
		return err
	}
	t, err := d.rename(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), models.TokenNaming{Name: f["name"]})
	if err == nil {
		return h.done(c, tokenPath(c, d), t.Name, " is its name now.")
	}
	return h.tokenAgain(c, d, err, f)
}

func (h *Handlers) switchToken(c echo.Context, d desk, enabled bool) error {
	if _, err := form(c); err != nil {
		return err
	}
	t, err := d.turn(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), enabled)
	switch {
	case err != nil:
		return h.tokenAgain(c, d, err, nil)
	case enabled:
		return h.done(c, tabPath(c), t.Name, " is active. Calls with it are accepted.")
	}
	return h.ended(c, tabPath(c), t.Name, " is inactive. Calls with it are refused until you activate it.")
}

func (h *Handlers) revokeToken(c echo.Context, d desk) error {
	f, err := form(c, "reason")
	if err != nil {
		return err
	}
	t, err := d.revoke(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), models.Revocation{Reason: f["reason"]})
	if err == nil {
		return h.ended(c, tabPath(c), t.Name, " is revoked. Calls with it are refused.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.askRevoke(c, d, status, back)
}

func (h *Handlers) tokenAgain(c echo.Context, d desk, err error, f map[string]string) error {
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showToken(c, d, status, back)
}

// aToken reads the token that a page is about. Where there are several it names what it opens, or whose it is.
func (h *Handlers) aToken(c echo.Context, d desk) (w models.WorkspaceSeen, t models.CredentialSeen, names bool, err error) {
	ctx, who := c.Request().Context(), actor(c)
	if w, err = h.Store.Workspace(ctx, who, c.Param("workspace")); err != nil {
		return w, t, false, err
	}
	if t, err = d.find(ctx, who, w.ID, c.Param("id")); err != nil {
		return w, t, false, err
	}
	if d.kind == models.AutomationToken {
		return w, t, who.MayManageTokens(w.Role), nil
	}
	products, err := h.Store.Products(ctx, who, w.ID)
	return w, t, len(products) > 1, err
}

func (h *Handlers) askRevoke(c echo.Context, d desk, code int, back views.Form) error {
	w, t, names, err := h.aToken(c, d)
	if err != nil {
		return err
	}
	if t.RevokedAt != nil {
		return models.Fail(models.Conflict, "%s is revoked already, and stays revoked.", t.Name)
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, code, views.TokenRevoke(page, h.tokenCard(c, w, t, names), back, tokensPath(w)))
}
