package handlers

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// zone is the time zone of whoever reads.
func (h *Handlers) zone(c echo.Context) *time.Location { return visit(c).Seen.Person.Zone() }

// tokenCard is a workspace's token as its card shows it. names says that it tells its product, or whose it is.
func (h *Handlers) tokenCard(c echo.Context, w models.WorkspaceSeen, t models.CredentialSeen, names bool) views.TokenCard {
	now, zone, who := h.Clock(), h.zone(c), actor(c)
	card := views.TokenCard{
		ID: t.ID, Path: kindPath(w, t.Kind) + "/" + t.ID, MayRegenerate: true, MayHistory: who.MayReadWorkspaceAudit(w.Role), Name: t.Name, Prefix: t.Prefix, LastFour: t.Last4, Status: status(t.Credential, now),
		Created: momentIn(t.CreatedAt, now, zone), CreatedBy: t.CreatedByName, Reason: t.RevokeReason, RevokedBy: t.RevokedByName,
		Calls: t.Usage.Calls, Refused: t.Usage.Refused + t.Usage.Late, LastFrom: t.Usage.LastAddress, Days: fortnight(t.Days, now),
	}
	if t.ExpiresAt != nil {
		card.Expires = momentIn(*t.ExpiresAt, now, zone)
		card.Soon = card.Status == "Expires soon"
	}
	if t.RevokedAt != nil {
		card.Revoked = momentIn(*t.RevokedAt, now, zone)
		if card.RevokedBy == "" {
			card.RevokedBy = "the command line"
			switch t.RevokeReason {
			case models.ReportedAsLeaked:
				card.RevokedBy = "whoever found it"
			case models.RevokedByHolder:
				card.RevokedBy = "whoever holds it"
			}
		}
	}
	if used := t.Usage.LastUsedAt; used != nil {
		card.LastUsed = momentIn(*used, now, zone)
		card.InUse = now.Sub(*used) < 30*24*time.Hour
	}
	if names {
		card.Product = t.Product
	}
	if t.Kind == models.AutomationToken {
		card.CreatedBy, card.Named, card.MayRegenerate = "", true, who.MayRegenerateAutomation(w.Role, t.PersonID)
		switch {
		case names && t.PersonID == who.ID:
			card.Person = t.PersonName + " (you)"
		case names:
			card.Person = t.PersonName
		}
	}
	return card
}

// presets are the expirations that a form offers.
var presets = []views.Preset{
	{Value: string(models.ForAWeek), Text: "1 week"}, {Value: string(models.ForAMonth), Text: "1 month"}, {Value: string(models.ForThree), Text: "3 months"},
	{Value: string(models.ForAYear), Text: "1 year"}, {Value: string(models.NoExpiration), Text: "Never"}, {Value: string(models.OnADate), Text: "Date and time"},
}

// tokenForm is the form that makes a token for the product that was chosen, or for the only one there is. Where none was, it asks for that.
func (h *Handlers) tokenForm(c echo.Context, w models.WorkspaceSeen, products []models.Product, chosen string, back views.Form, scopes []string) (views.TokenForm, error) {
	f := views.TokenForm{Path: tokensPath(w), Workspace: w.Name, FormID: secret.FormID(), Form: back, Chosen: scopes}
	if err := h.offerExpirations(c, &f, nil); err != nil {
		return f, err
	}
	for _, p := range products {
		if p.ID == chosen || len(products) == 1 {
			f.Resources = scopeGroups(p.Resources, nil)
			if len(products) > 1 {
				f.Product = views.Option{Value: p.ID, Text: p.Name + " (" + p.Prefix + ")"}
			}
			f.Products = nil
			return f, nil
		}
		f.Products = append(f.Products, views.Option{Value: p.ID, Text: p.Name + " (" + p.Prefix + ")"})
	}
	f.Form = views.Form{Values: map[string]string{"product": products[0].ID}}
	if told := back.Error("product"); told != "" { // the other fields are not there yet
		f.Form.Errors = []models.Field{{Name: "product", Message: told}}
	}
	return f, nil
}

// offerExpirations offers what the policy lets an API token have. Where one is regenerated that has expired, or has an end that it could
// not be given today, the form asks for another.
func (h *Handlers) offerExpirations(c echo.Context, f *views.TokenForm, was *models.Credential) error {
	policy, err := h.Store.Policy(c.Request().Context())
	if err != nil {
		return err
	}
	zone := h.zone(c)
	now := h.Clock().In(zone)
	f.Zone, f.Policy = zone.String(), policy.Say(models.APIToken)
	for _, p := range presets {
		if at, ok := models.Expiration(p.Value).Ends(now); ok {
			if !policy.Offers(models.APIToken, now, &at) {
				continue
			}
			p.Ends = at.Format("2 Jan 2006, 15:04 MST")
		} else if p.Value == string(models.NoExpiration) && !policy.Offers(models.APIToken, now, nil) {
			continue
		}
		f.Presets = append(f.Presets, p)
	}
	f.AskEnd = was != nil && needsEnd(*was, policy, now)
	return nil
}

// needsEnd says whether a token cannot be regenerated without another end.
func needsEnd(c models.Credential, policy models.Policy, now time.Time) bool {
	return c.State(now) == models.Expired || !policy.Offers(c.Kind, now, c.ExpiresAt)
}

// scopeGroups are a product's resources with their operations: all, or those of the scopes.
func scopeGroups(resources models.Resources, only models.Scopes) []views.ScopeGroup {
	var groups []views.ScopeGroup
	for _, r := range resources {
		group := views.ScopeGroup{Name: r.Name}
		if len(r.Operations) > 0 {
			group.Path = r.Operations[0].Pattern
		}
		for _, name := range r.OperationNames() {
			if scope := r.Scope(name); only.Allow(scope) {
				text := models.OperationLabel(name)
				group.Operations = append(group.Operations, views.ScopeOption{Value: scope, Text: text, Label: r.Name + ": " + text})
			}
		}
		if len(group.Operations) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

// accessOf says what a token may do, in few words, and names a first call.
func (h *Handlers) accessOf(c echo.Context, w models.WorkspaceSeen, t models.Credential) (access, in, try string) {
	access = "Every resource"
	if t.Kind == models.AutomationToken {
		access = "Your own rights"
	}
	products, err := h.Store.Products(c.Request().Context(), actor(c), w.ID)
	at := slices.IndexFunc(products, func(p models.Product) bool { return p.ID == t.ProductID })
	if t.Kind == models.AutomationToken {
		at = min(0, len(products)-1) // it opens the one that the workspace was born with
	}
	if err != nil || at < 0 {
		return access, "", ""
	}
	resources := products[at].Resources
	in = products[at].Name
	if len(t.Scopes) > 0 {
		access = counted(len(t.Scopes), "operation", "operations")
		var names []string
		for _, group := range scopeGroups(resources, t.Scopes) {
			names = append(names, group.Name)
		}
		in = strings.Join(names, ", ")
	}
	if t.Kind == models.AutomationToken {
		in = "In " + w.Name + ", as they are at each call"
	}
	return access, in, firstCall(resources, t.Scopes)
}

// firstCall is the path and query of a call that a token with these scopes may make, and that needs nothing to be filled in; empty
// where there is none. A search wants something to search for, so anything else comes first.
func firstCall(resources models.Resources, scopes models.Scopes) (search string) {
	for _, r := range resources {
		for _, o := range r.Operations {
			switch {
			case o.Method != http.MethodGet || strings.ContainsAny(o.Pattern, "{*") || !scopes.Allow(r.Scope(o.Name)):
			case !strings.HasSuffix(o.Pattern, "/search"):
				return o.Pattern
			case search == "":
				search = o.Pattern + "?q=token"
			}
		}
	}
	return search
}

// placeOf makes the text that says where a list of tokens goes on, signed as by where.
func (h *Handlers) placeOf(list string, at models.TokenPlace) string {
	text, err := json.Marshal(at)
	if err != nil { // numbers, text and times always encode
		panic(err)
	}
	return h.Key.Sign("list/"+list, text)
}

// placeFrom reads it back; empty text is the beginning.
func (h *Handlers) placeFrom(list, text string, at *models.TokenPlace) error {
	if text == "" {
		return nil
	}
	plain, ok := h.Key.Verify("list/"+list, text)
	if !ok || json.Unmarshal(plain, at) != nil {
		return models.Fail(models.Ambiguous, "This address does not lead to a page of the list. Start again at its beginning.")
	}
	return nil
}

func copied(values url.Values) url.Values {
	to := url.Values{}
	for name, list := range values {
		to[name] = list
	}
	return to
}

// shownOf begins the sentence that says how many of all tokens a filter shows on a page.
func shownOf(n int, more bool) string {
	if more {
		return strconv.Itoa(n) + " on this page, of "
	}
	return strconv.Itoa(n) + " of "
}
