package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// NewAutomation is the form that makes an automation token, as a page of its own.
func (h *Handlers) NewAutomation(c echo.Context) error {
	return h.showNewAutomation(c, http.StatusOK, views.Form{})
}

// CreateAutomation makes an automation token and shows it, as CreateToken does.
func (h *Handlers) CreateAutomation(c echo.Context) error {
	f, err := form(c, "name", "expiration_period", "form_id")
	if err != nil {
		return err
	}
	ctx, who := c.Request().Context(), actor(c)
	w, err := h.Store.Workspace(ctx, who, c.Param("workspace"))
	if err != nil {
		return err
	}
	page, err := h.page(c) // before the token is made: what fails after that would lose it
	if err != nil {
		return err
	}
	made, text, err := h.Store.CreateAutomationToken(ctx, who, w.ID, models.NewAutomationToken{Name: f["name"], Period: models.ExpirationPeriod(f["expiration_period"])}, f["form_id"])
	if err == nil {
		defer text.Wipe()
		return h.revealToken(c, page, w, made, text, false)
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.tokenShown(c, page, w, models.AutomationToken, again.SubjectID)
	}
	back, status, err := refused(err, without(f, "form_id"))
	if err != nil {
		return err
	}
	return h.showNewAutomation(c, status, back)
}

// Automation is everything about one automation token.
func (h *Handlers) Automation(c echo.Context) error {
	return h.showToken(c, h.automation(), http.StatusOK, views.Form{})
}

// RenameAutomation gives an automation token another name.
func (h *Handlers) RenameAutomation(c echo.Context) error { return h.renameToken(c, h.automation()) }

// ActivateAutomation lets an inactive automation token act for its person again.
func (h *Handlers) ActivateAutomation(c echo.Context) error {
	return h.switchToken(c, h.automation(), true)
}

// DeactivateAutomation has an automation token refused until it is activated again.
func (h *Handlers) DeactivateAutomation(c echo.Context) error {
	return h.switchToken(c, h.automation(), false)
}

// RevokeAutomationPage asks before an automation token is revoked.
func (h *Handlers) RevokeAutomationPage(c echo.Context) error {
	return h.askRevoke(c, h.automation(), http.StatusOK, views.Form{})
}

// RevokeAutomation ends an automation token for good.
func (h *Handlers) RevokeAutomation(c echo.Context) error { return h.revokeToken(c, h.automation()) }

// RegenerateAutomationPage asks before one of one's own automation tokens gets another secret.
func (h *Handlers) RegenerateAutomationPage(c echo.Context) error {
	return h.askRegenerateAutomation(c, http.StatusOK, views.Form{})
}

// RegenerateAutomation gives one of one's own automation tokens another secret and shows it, as RegenerateToken does.
func (h *Handlers) RegenerateAutomation(c echo.Context) error {
	f, err := form(c, "form_id", "expiration_period")
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
	made, text, err := h.Store.RegenerateAutomationToken(ctx, who, w.ID, c.Param("id"), models.AutomationRegeneration{Period: models.ExpirationPeriod(f["expiration_period"])}, f["form_id"])
	if err == nil {
		defer text.Wipe()
		return h.revealToken(c, page, w, made, text, true)
	}
	if again := (*models.Error)(nil); errors.As(err, &again) && again.Kind == models.ShownAlready {
		return h.tokenShown(c, page, w, models.AutomationToken, again.SubjectID)
	}
	back, status, err := refused(err, without(f, "form_id"))
	if err != nil {
		return err
	}
	return h.askRegenerateAutomation(c, status, back)
}

func (h *Handlers) askRegenerateAutomation(c echo.Context, code int, back views.Form) error {
	w, t, names, err := h.aToken(c, h.automation())
	if err != nil {
		return err
	}
	if !actor(c).MayRegenerateAutomation(w.Role, t.PersonID) {
		return models.Fail(models.Forbidden, "Only %s can regenerate this token: it acts as them. You can deactivate or revoke it.", t.PersonName)
	}
	if t.RevokedAt != nil {
		return models.Fail(models.Conflict, "%s was revoked and stays revoked. Create another token.", t.Name)
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	f, err := h.automationForm(c, w, back, &t.Credential)
	if err != nil {
		return err
	}
	return show(c, code, views.TokenRegenerate(page, h.tokenCard(c, w, t, names), f, tokensPath(w)))
}

// listAutomation draws a page of the list of automation tokens; asked are the parameters that the API tokens beside it were asked for with.
func (h *Handlers) listAutomation(c echo.Context, w models.WorkspaceSeen, asked url.Values, after models.Place) (list views.AutomationList, err error) {
	ctx, who := c.Request().Context(), actor(c)
	tokens, next, err := h.Store.AutomationTokens(ctx, who, w.ID, after)
	if err != nil {
		return list, err
	}
	all := who.MayManageTokens(w.Role)
	for _, t := range tokens {
		list.Cards = append(list.Cards, h.tokenCard(c, w, t, all))
	}
	total := len(tokens)
	if after.ID != "" || next.ID != "" {
		if total, err = h.Store.CountAutomationTokens(ctx, who, w.ID); err != nil {
			return list, err
		}
	}
	if list.Count = counted(total, "automation token", "automation tokens"); total == 0 {
		list.Count = ""
	}
	if after.ID != "" {
		list.FirstHref = tokensPath(w) + "?" + asked.Encode() + "#automation"
	}
	if next.ID != "" {
		on := copied(asked)
		on.Set("automation_after", h.where("automation-tokens", next))
		list.MoreHref = tokensPath(w) + "?" + on.Encode() + "#automation"
	}
	list.Path = kindPath(w, models.AutomationToken)
	if list.MayCreate = who.MayMintAutomation(w.Role); list.MayCreate {
		list.Here = true
		list.Create, err = h.automationForm(c, w, views.Form{}, nil)
	}
	return list, err
}

// automationForm is the form that makes an automation token, or gives another secret to one that was made before. It offers what the policy allows.
func (h *Handlers) automationForm(c echo.Context, w models.WorkspaceSeen, back views.Form, was *models.Credential) (views.TokenForm, error) {
	f := views.TokenForm{Path: kindPath(w, models.AutomationToken), Workspace: w.Name, FormID: secret.FormID(), Form: back}
	policy, err := h.Store.Policy(c.Request().Context())
	now := h.Clock()
	f.Policy, f.AskEnd = policy.Say(models.AutomationToken), was != nil && needsEnd(*was, policy, now)
	for _, p := range periods {
		if at, _ := models.ExpirationPeriod(p.Value).Ends(now); policy.Offers(models.AutomationToken, now, at) {
			f.Periods = append(f.Periods, p)
		}
	}
	return f, err
}

// periods are the lives that a form offers, in words.
var periods = []views.Option{
	{Value: "1h", Text: "1 hour"}, {Value: "3h", Text: "3 hours"}, {Value: "5h", Text: "5 hours"}, {Value: "16h", Text: "16 hours"},
	{Value: "24h", Text: "24 hours"}, {Value: "48h", Text: "48 hours"}, {Value: "1w", Text: "1 week"}, {Value: "2w", Text: "2 weeks"},
	{Value: "3w", Text: "3 weeks"}, {Value: "1mo", Text: "1 month"}, {Value: "no_exp", Text: "No expiration"},
}

func (h *Handlers) showNewAutomation(c echo.Context, status int, back views.Form) error {
	w, err := h.Store.Workspace(c.Request().Context(), actor(c), c.Param("workspace"))
	if err != nil {
		return err
	}
	if !actor(c).MayMintAutomation(w.Role) {
		return models.Fail(models.Forbidden, "Only members of the workspace can create automation tokens: they act with a member's rights.")
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	f, err := h.automationForm(c, w, back, nil)
	if err != nil {
		return err
	}
	return show(c, status, views.AutomationNew(page, f))
}
