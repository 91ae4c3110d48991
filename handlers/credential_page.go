package handlers

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// CredentialPage is everything about one credential of any kind.
func (h *Handlers) CredentialPage(c echo.Context) error {
	ctx, who, now := c.Request().Context(), actor(c), h.Clock()
	k, err := h.Store.CredentialByID(ctx, who, c.Param("id"))
	if err != nil {
		return err
	}
	v := views.CredentialPage{Line: h.credentialLine(k), Own: ownPage(k), Death: h.death(k)}
	v.Facts = h.credentialFacts(k, v.Line)
	days, err := h.Store.CredentialDays(ctx, who, k.ID, now.AddDate(0, 0, 1-chartDays))
	if err != nil {
		return err
	}
	v.Chart = chartOf(days, now)
	found, err := h.Store.EventsNear(ctx, who, models.EventFilter{SubjectID: k.ID, Limit: historyShown + 1})
	if err != nil {
		return err
	}
	if len(found.Events) > historyShown {
		found.Events = found.Events[:historyShown]
		v.AllEvents = "/audit?" + url.Values{"subject": {k.ID}}.Encode()
	}
	for _, e := range found.Events {
		entry := h.entryFor(who, e, "/audit")
		entry.Time.Text = shortly(e.At, now)
		v.History = append(v.History, entry)
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.Credential(page, v))
}

// ownPage is where a credential is managed by those whose it is; empty where there is no such page.
func ownPage(k models.CredentialRow) string {
	switch {
	case k.Kind == models.Bearer:
		return "/people/" + k.PersonID
	case kindNames[k.Kind] != "" && k.WorkspaceSlug != "":
		return "/w/" + k.WorkspaceSlug + "/settings/" + kindNames[k.Kind] + "/" + k.ID
	case k.CollectionID != "" && k.WorkspaceSlug != "":
		return "/w/" + k.WorkspaceSlug + "/settings/collections/" + k.CollectionID
	}
	return ""
}

// death says why and when a credential ended.
func (h *Handlers) death(k models.CredentialRow) []views.Part {
	now := h.Clock()
	if k.RevokedAt == nil {
		if k.State(now) != models.Expired {
			return nil
		}
		return []views.Part{{Text: "It expired on "}, moment(*k.ExpiresAt, now).Said(), {Text: ". Calls with it are refused."}}
	}
	by := k.RevokedByName
	if by == "" {
		by = "the command line or the server"
	}
	parts := []views.Part{{Text: "It was revoked by " + by + " on "}, moment(*k.RevokedAt, now).Said()}
	if k.ReplacedBy != "" {
		parts = []views.Part{{Text: "It was replaced by "}, views.Said("a newer one", "/credentials/"+k.ReplacedBy), {Text: ", which " + by + " made on "}, moment(*k.RevokedAt, now).Said()}
	}
	if k.RevokeReason != "" {
		parts = append(parts, views.Part{Text: ": "}, views.Part{Text: k.RevokeReason, Strong: true})
	}
	return append(parts, views.Part{Text: ". Calls with it are refused."})
}

func (h *Handlers) credentialFacts(k models.CredentialRow, line views.CredentialLine) []views.CredentialFact {
	now := h.Clock()
	facts := []views.CredentialFact{{Label: "Owner", Parts: []views.Part{views.Said(line.Owner, line.OwnerHref)}, Note: line.OwnerNote}}
	opens := func(label, name string) {
		if name != "" {
			facts = append(facts, views.CredentialFact{Label: label, Parts: []views.Part{{Text: name}}})
		}
	}
	opens("Product", k.Product)
	opens("Collection", k.Collection)
	opens("Narrowed to", k.Scopes.String())
	created := moment(k.CreatedAt, now)
	facts = append(facts, views.CredentialFact{Label: "Created", Parts: []views.Part{created.Said()}, Note: by(k.CreatedByName, created.Relative)})
	end := views.CredentialFact{Label: "Expiration", Parts: []views.Part{{Text: "Never"}}}
	if k.ExpiresAt != nil {
		at := moment(*k.ExpiresAt, now)
		end.Parts, end.Note = []views.Part{at.Said()}, at.Relative
	}
	used := views.CredentialFact{Label: "Last used", Parts: []views.Part{{Text: "Never"}}}
	if k.Usage.LastUsedAt != nil {
		at := moment(*k.Usage.LastUsedAt, now)
		used.Parts, used.Note = []views.Part{at.Said()}, at.Relative+", from "+k.Usage.LastAddress
	}
	calls := views.CredentialFact{Label: "Calls", Parts: []views.Part{{Text: plainly(int(k.Usage.Calls), "accepted", "accepted")}}, Note: plainly(int(k.Usage.Refused), "refused", "refused")}
	if k.Usage.Late > 0 {
		calls.Note += ", " + plainly(int(k.Usage.Late), "after its end", "after its end")
	}
	return append(facts, end, used, calls)
}

func by(name, when string) string {
	if name == "" {
		return when
	}
	return "by " + name + ", " + when
}
