package handlers

import (
	"errors"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// RenameKeyPage is the form that gives an API key another name.
func (h *Handlers) RenameKeyPage(c echo.Context) error {
	return h.askOfKey(c, http.StatusOK, views.Form{}, views.APIKeyRename)
}

// RenameKey gives an API key another name.
func (h *Handlers) RenameKey(c echo.Context) error {
	f, err := form(c, "name")
	if err != nil {
		return err
	}
	k, err := h.Store.RenameAPIKey(c.Request().Context(), actor(c), c.Param("id"), models.TokenNaming{Name: f["name"]})
	if err == nil {
		return h.done(c, keysPath, k.Name, " is its name now.")
	}
	return h.keyAgain(c, err, f, views.APIKeyRename)
}

// DeleteKeyPage asks before an API key is deleted.
func (h *Handlers) DeleteKeyPage(c echo.Context) error {
	return h.askOfKey(c, http.StatusOK, views.Form{}, views.APIKeyDelete)
}

// DeleteKey ends an API key for good.
func (h *Handlers) DeleteKey(c echo.Context) error {
	f, err := form(c, "reason")
	if err != nil {
		return err
	}
	k, err := h.Store.RevokeAPIKey(c.Request().Context(), actor(c), c.Param("id"), models.Revocation{Reason: f["reason"]})
	if err == nil {
		return h.ended(c, keysPath, k.Name, " is deleted. Calls with it are refused.")
	}
	return h.keyAgain(c, err, f, views.APIKeyDelete)
}

// RegenerateKeyPage asks before an API key gets another secret.
func (h *Handlers) RegenerateKeyPage(c echo.Context) error {
	return h.askRegenerateKey(c, http.StatusOK, views.Form{})
}

// RegenerateKey gives an API key another secret and shows it, in this one answer and never again.
func (h *Handlers) RegenerateKey(c echo.Context) error {
	f, err := form(c, "form_id")
	if err != nil {
		return err
	}
	page, err := h.page(c) // before the secret is made: what fails after that would lose it
	if err != nil {
		return err
	}
	made, text, err := h.Store.RegenerateAPIKey(c.Request().Context(), actor(c), c.Param("id"), models.KeyRegeneration{}, f["form_id"])
	if err == nil {
		defer text.Wipe()
		return h.revealKey(c, page, made, text, true)
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.keyShown(c, page, again.SubjectID)
	}
	back, status, err := refused(err, nil)
	if err != nil {
		return err
	}
	return h.askRegenerateKey(c, status, back)
}

func (h *Handlers) askRegenerateKey(c echo.Context, code int, back views.Form) error {
	policy, err := h.Store.Policy(c.Request().Context())
	if err != nil {
		return err
	}
	if !policy.MayGenerateKeys(actor(c).Role) {
		return models.Fail(models.Forbidden, "%s", policy.WhyNoKeys())
	}
	return h.askOfKey(c, code, back, func(p views.Page, k views.KeyRow, f views.Form) templ.Component {
		return views.APIKeyRegenerate(p, k, h.keyForm(c, policy, f))
	})
}

func (h *Handlers) keyAgain(c echo.Context, err error, f map[string]string, ask func(views.Page, views.KeyRow, views.Form) templ.Component) error {
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.askOfKey(c, status, back, ask)
}

// askOfKey is a page about one of one's own keys that has not been deleted.
func (h *Handlers) askOfKey(c echo.Context, code int, back views.Form, ask func(views.Page, views.KeyRow, views.Form) templ.Component) error {
	k, err := h.Store.APIKey(c.Request().Context(), actor(c), c.Param("id"))
	if err != nil {
		return err
	}
	if k.RevokedAt != nil {
		return models.Fail(models.Conflict, "%s was deleted or revoked, and stays so. Generate another key.", k.Name)
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, code, ask(page, h.keyRow(c, k), back))
}
