package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// Token is everything about one API token.
func (h *Handlers) Token(c echo.Context) error {
	return h.showToken(c, h.apiTokens(), http.StatusOK, views.Form{})
}

// RenameToken gives an API token another name.
func (h *Handlers) RenameToken(c echo.Context) error { return h.renameToken(c, h.apiTokens()) }

// ActivateToken lets an inactive API token open its product again.
func (h *Handlers) ActivateToken(c echo.Context) error { return h.switchToken(c, h.apiTokens(), true) }

// DeactivateToken has an API token refused until it is activated again.
func (h *Handlers) DeactivateToken(c echo.Context) error {
	return h.switchToken(c, h.apiTokens(), false)
}

// RevokeTokenPage asks before an API token is revoked.
func (h *Handlers) RevokeTokenPage(c echo.Context) error {
	return h.askRevoke(c, h.apiTokens(), http.StatusOK, views.Form{})
}

// RevokeToken ends an API token for good.
func (h *Handlers) RevokeToken(c echo.Context) error { return h.revokeToken(c, h.apiTokens()) }

// RegenerateTokenPage asks before an API token gets another secret.
func (h *Handlers) RegenerateTokenPage(c echo.Context) error {
	return h.askRegenerate(c, http.StatusOK, views.Form{})
}

// RegenerateToken gives an API token another secret and shows it, in this one answer and never again.
func (h *Handlers) RegenerateToken(c echo.Context) error {
	f, err := form(c, "form_id", "expiration", "expires_at")
	if err != nil {
		return err
	}
	ctx, who := c.Request().Context(), actor(c)
	w, err := h.Store.Workspace(ctx, who, c.Param("workspace"))
	if err != nil {
		return err
	}
	page, err := h.page(c) // before the secret is made: what fails after that would lose it
	if err != nil {
		return err
	}
	made, text, err := h.Store.RegenerateAPIToken(ctx, who, w.ID, c.Param("id"),
		models.Regeneration{Expiration: models.Expiration(f["expiration"]), ExpiresAt: f["expires_at"], Zone: h.zone(c)}, f["form_id"])
	if err == nil {
		defer text.Wipe()
		return h.revealToken(c, page, w, made, text, true)
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.tokenShown(c, page, w, models.APIToken, again.SubjectID)
	}
	back, status, err := refused(err, without(f, "form_id"))
	if err != nil {
		return err
	}
	return h.askRegenerate(c, status, back)
}

func (h *Handlers) askRegenerate(c echo.Context, code int, back views.Form) error {
	w, t, several, err := h.aToken(c, h.apiTokens())
	if err != nil {
		return err
	}
	if t.RevokedAt != nil {
		return models.Fail(models.Conflict, "%s was revoked and stays revoked. Create another token.", t.Name)
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	f := views.TokenForm{Path: tokensPath(w), Workspace: w.Name, FormID: secret.FormID(), Form: back}
	if err := h.offerExpirations(c, &f, &t.Credential); err != nil {
		return err
	}
	return show(c, code, views.TokenRegenerate(page, h.tokenCard(c, w, t, several), f, tokensPath(w)))
}
