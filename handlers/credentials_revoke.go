package handlers

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// revokedShown is how many of those that are about to be revoked are named.
const revokedShown = 50

// RevokeCredentials revokes what was selected. It asks first, on a page that says what will stop.
func (h *Handlers) RevokeCredentials(c echo.Context) error {
	f, ids, err := formWithMany(c, "id", models.MostRevoked, "reason", "confirm", "back")
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return h.showCredentials(c, http.StatusUnprocessableEntity, views.Form{}, views.Form{Errors: []models.Field{{Message: "Select at least one credential."}}})
	}
	back := listAgain(f["back"])
	if f["confirm"] != "1" {
		return h.askRevokeMany(c, http.StatusOK, ids, back, views.Form{})
	}
	ended, err := h.Store.RevokeCredentials(c.Request().Context(), actor(c), ids, models.Revocation{Reason: f["reason"]})
	if err == nil {
		if len(ended) == 0 {
			return h.done(c, back, "Nothing changed.", " They were revoked already.")
		}
		return h.ended(c, back, plainly(len(ended), "credential is", "credentials are")+" revoked.", " Every call that uses one of them is refused from now on.")
	}
	form, status, err := refused(err, map[string]string{"reason": f["reason"]})
	if err != nil {
		return err
	}
	return h.askRevokeMany(c, status, ids, back, form)
}

// listAgain is where to go on after a revocation: the page that it began on, unless somebody's whole key stands in its address.
func listAgain(back string) string {
	plain, err := url.QueryUnescape(back)
	if back = local(back); back == "/" || err != nil || secret.Mask(plain) != plain {
		return "/credentials"
	}
	return back
}

// askRevokeMany asks before credentials are revoked.
func (h *Handlers) askRevokeMany(c echo.Context, status int, ids []string, back string, form views.Form) error {
	ctx, who := c.Request().Context(), actor(c)
	rows, err := h.Store.CredentialsByID(ctx, who, ids)
	if err != nil {
		return err
	}
	calls, err := h.Store.CredentialCalls(ctx, who, ids, h.Clock().AddDate(0, 0, 1-models.FigureDays))
	if err != nil {
		return err
	}
	q := views.CredentialRevoke{Form: form, Back: back}
	people, workspaces := map[string]bool{}, map[string]bool{}
	var last *models.CredentialRow
	for i, k := range rows {
		if k.RevokedAt != nil {
			q.Already++
			continue
		}
		if k.PersonID != "" {
			people[k.PersonID] = true
		} else {
			workspaces[k.WorkspaceID] = true
		}
		if used := k.Usage.LastUsedAt; used != nil && (last == nil || used.After(*last.Usage.LastUsedAt)) {
			last = &rows[i]
		}
		q.IDs = append(q.IDs, k.ID)
		if q.Calls += calls[k.ID]; len(q.Rows) < revokedShown {
			line := h.credentialLine(k)
			line.Calls = calls[k.ID]
			q.Rows = append(q.Rows, line)
		}
	}
	if len(q.IDs) == 0 {
		return models.Fail(models.Conflict, "What you selected was revoked already, and stays revoked.")
	}
	if q.More = len(q.IDs) - len(q.Rows); last != nil {
		q.Last = since(last.Usage.LastUsedAt, h.Clock())
	}
	q.Whose = whose(len(people), len(workspaces))
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.CredentialsRevoke(page, q))
}

// whose says of how many people and workspaces something is.
func whose(people, workspaces int) string {
	switch {
	case workspaces == 0:
		return plainly(people, "person", "people")
	case people == 0:
		return plainly(workspaces, "workspace", "workspaces")
	}
	return plainly(people, "person", "people") + " and " + plainly(workspaces, "workspace", "workspaces")
}
