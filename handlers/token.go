package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// historyShown is how many events a token's page tells; the log has all of them.
const historyShown = 10

// Token is everything about one API token.
func (h *Handlers) Token(c echo.Context) error { return h.showToken(c, http.StatusOK, views.Form{}) }

// RenameToken gives an API token another name.
func (h *Handlers) RenameToken(c echo.Context) error {
	f, err := form(c, "name")
	if err != nil {
		return err
	}
	t, err := h.Store.RenameAPIToken(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), models.TokenNaming{Name: f["name"]})
	if err == nil {
		return h.done(c, tokenPath(c), t.Name, " is its name now.")
	}
	return h.tokenAgain(c, err, f)
}

// ActivateToken lets an inactive API token open its product again.
func (h *Handlers) ActivateToken(c echo.Context) error { return h.switchToken(c, true) }

// DeactivateToken has an API token refused until it is activated again.
func (h *Handlers) DeactivateToken(c echo.Context) error { return h.switchToken(c, false) }

func (h *Handlers) switchToken(c echo.Context, enabled bool) error {
	if _, err := form(c); err != nil {
		return err
	}
	t, err := h.Store.SwitchAPIToken(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), enabled)
	switch {
	case err != nil:
		return h.tokenAgain(c, err, nil)
	case enabled:
		return h.done(c, listPath(c), t.Name, " is active. Calls with it are accepted.")
	}
	return h.done(c, listPath(c), t.Name, " is inactive. Calls with it are refused until you activate it.")
}

// RevokeTokenPage asks before an API token is revoked.
func (h *Handlers) RevokeTokenPage(c echo.Context) error {
	return h.askRevoke(c, http.StatusOK, views.Form{})
}

// RevokeToken ends an API token for good.
func (h *Handlers) RevokeToken(c echo.Context) error {
	f, err := form(c, "reason")
	if err != nil {
		return err
	}
	t, err := h.Store.RevokeAPIToken(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), models.Revocation{Reason: f["reason"]})
	if err == nil {
		return h.done(c, listPath(c), t.Name, " is revoked. Calls with it are refused.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.askRevoke(c, status, back)
}

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
		return h.revealToken(c, page, w, made, text, "Token regenerated")
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.tokenShown(c, page, w, again.SubjectID)
	}
	back, status, err := refused(err, without(f, "form_id"))
	if err != nil {
		return err
	}
	return h.askRegenerate(c, status, back)
}

func listPath(c echo.Context) string  { return "/w/" + c.Param("workspace") + "/settings/api-tokens" }
func tokenPath(c echo.Context) string { return listPath(c) + "/" + c.Param("id") }

func (h *Handlers) tokenAgain(c echo.Context, err error, f map[string]string) error {
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showToken(c, status, back)
}

// aToken reads the token that a page is about.
func (h *Handlers) aToken(c echo.Context) (w models.WorkspaceSeen, t models.CredentialSeen, products []models.Product, err error) {
	ctx, who := c.Request().Context(), actor(c)
	if w, err = h.Store.Workspace(ctx, who, c.Param("workspace")); err != nil {
		return w, t, nil, err
	}
	if t, err = h.Store.APIToken(ctx, who, w.ID, c.Param("id")); err != nil {
		return w, t, nil, err
	}
	products, err = h.Store.Products(ctx, who, w.ID)
	return w, t, products, err
}

func (h *Handlers) askRevoke(c echo.Context, code int, back views.Form) error {
	w, t, products, err := h.aToken(c)
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
	return show(c, code, views.TokenRevoke(page, h.tokenCard(c, w, t, len(products) > 1), back, tokensPath(w)))
}

func (h *Handlers) askRegenerate(c echo.Context, code int, back views.Form) error {
	w, t, products, err := h.aToken(c)
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
	h.offerExpirations(c, &f)
	return show(c, code, views.TokenRegenerate(page, h.tokenCard(c, w, t, len(products) > 1), f, tokensPath(w)))
}

func (h *Handlers) showToken(c echo.Context, code int, back views.Form) error {
	w, t, products, err := h.aToken(c)
	if err != nil {
		return err
	}
	ctx, who := c.Request().Context(), actor(c)
	v := views.TokenPage{Card: h.tokenCard(c, w, t, len(products) > 1), Form: back, List: tokensPath(w)}
	for _, p := range products {
		if p.ID == t.ProductID && len(t.Scopes) > 0 {
			v.Access = scopeGroups(p.Resources, t.Scopes)
			for _, scope := range t.Scopes {
				if !p.Resources.Has(scope) {
					v.Gone = append(v.Gone, scope)
				}
			}
		}
	}
	days, err := h.Store.UsageDays(ctx, who, w.ID, t.ID, h.Clock().AddDate(0, 0, 1-chartDays))
	if err != nil {
		return err
	}
	v.Chart = chartOf(days, h.Clock())
	found, err := h.Store.EventsNear(ctx, who, models.EventFilter{WorkspaceID: w.ID, SubjectID: t.ID, Limit: historyShown + 1})
	if err != nil {
		return err
	}
	log := "/w/" + w.Slug + "/settings/audit"
	if len(found.Events) > historyShown {
		found.Events = found.Events[:historyShown]
		v.AllEvents = log + "?" + url.Values{"subject": {t.ID}}.Encode()
	}
	for _, e := range found.Events {
		entry := h.entryFor(who, e, log)
		entry.Time.Text = shortly(e.At, h.Clock()) // its own page has all of it
		v.History = append(v.History, entry)
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, code, views.Token(page, v))
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
