package handlers

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// UseTheAPI leads through the account API, with this installation's address and the reader's own workspaces.
func (h *Handlers) UseTheAPI(c echo.Context) error {
	list, _, err := h.Store.Memberships(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	g := views.APIGuide{
		Email:  visit(c).Seen.Person.Email,
		Limits: "A token may make so many calls a minute as the workspace's settings say.",
	}
	var here models.WorkspaceSeen
	for i, w := range list {
		g.Workspaces = append(g.Workspaces, views.APIWorkspace{Name: w.Name, Role: string(w.Role), ID: w.ID})
		if i == 0 || page.Workspace != nil && w.Slug == page.Workspace.Slug {
			here = w
			g.Here = g.Workspaces[i]
			g.Limits = fmt.Sprintf("In %s an automation token may make %s a minute, and a person's sign-in tokens %s together.",
				w.Name, plainly(w.CallsAMinute(models.AutomationToken), "call", "calls"), plainly(w.CallsAMinute(models.SignInToken), "call", "calls"))
		}
	}
	if here.ID != "" {
		_, _, g.Try = h.accessOf(c, here, models.Credential{Kind: models.AutomationToken})
	}
	policy, err := h.Store.Policy(c.Request().Context())
	if err != nil {
		return err
	}
	now := h.Clock()
	g.Decided = policy.Say(models.AutomationToken)
	for _, period := range models.ExpirationPeriods {
		if ends, _ := period.Ends(now); policy.Offers(models.AutomationToken, now, ends) {
			g.Periods = append(g.Periods, views.APIPeriod{Value: string(period), Meaning: period.Meaning()})
		}
	}
	return show(c, http.StatusOK, views.UseTheAPI(page, g))
}
