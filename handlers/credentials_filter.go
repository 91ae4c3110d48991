package handlers

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/views"
)

// credentialFields are what an address may ask of the list of all credentials.
var credentialFields = []string{"q", "kind", "status", "owner", "workspace", "expires", "unused", "created_by"}

// askedCredentials is what an address asks of the list of all credentials.
type askedCredentials struct {
	values  map[string]string // as they stand in the address
	filter  models.CredentialFilter
	list    views.CredentialList // without rows
	nothing bool                 // what is asked for is wrong, or means nobody or several: there is nothing to show
}

// askedCredentials reads the question in an address.
func (h *Handlers) askedCredentials(c echo.Context) (askedCredentials, error) {
	var a askedCredentials
	var err error
	if a.values, err = query(c, append([]string{"after"}, credentialFields...)...); err != nil {
		return a, err
	}
	v := a.values
	var pasted []string
	for _, field := range credentialFields { // whole keys stay out of the page and of further addresses
		if secret.Mask(v[field]) != v[field] {
			v[field] = ""
			pasted = append(pasted, field)
		}
	}
	f := views.CredentialFilter{Q: v["q"], Kind: v["kind"], Status: v["status"], Expires: v["expires"], Unused: v["unused"], Owner: v["owner"], CreatedBy: v["created_by"], Workspace: v["workspace"]}
	f.Set = slices.ContainsFunc(credentialFields, func(name string) bool { return v[name] != "" })
	a.list.Filter = f
	for _, field := range pasted {
		a.wrong(field, "That is a whole key, which belongs in no address. Look it up with the form below.")
	}
	if err := h.credentialsFrom(v["after"], &a.filter.After); err != nil {
		return a, err
	}
	a.readChoices()
	a.filter.Query = v["q"]
	if err := h.askedPerson(c, &a, "owner", &a.filter.OwnerID, &a.list.Filter.OwnerName); err != nil {
		return a, err
	}
	if err := h.askedPerson(c, &a, "created_by", &a.filter.CreatedBy, &a.list.Filter.MakerName); err != nil {
		return a, err
	}
	if err := h.askedWorkspace(c, &a); err != nil {
		return a, err
	}
	if a.list.Back = a.with("after", v["after"]); !a.nothing {
		a.list.CSVHref = "/credentials.csv" + a.with("after", "")[len("/credentials"):]
	}
	return a, nil
}

// wrong says what is wrong with a field of the filter; nothing is shown until it is right.
func (a *askedCredentials) wrong(field, message string) {
	a.list.Filter.Form.Errors = append(a.list.Filter.Form.Errors, models.Field{Name: field, Message: message})
	a.nothing = true
}

// spans are the times that a filter may mean.
var spans = map[string]time.Duration{
	"7d": 7 * 24 * time.Hour, "14d": models.ExpiringSoon, "30d": 30 * 24 * time.Hour, "60d": 60 * 24 * time.Hour, "90d": models.UnusedLong, "180d": 180 * 24 * time.Hour,
}

var (
	credentialKinds  = []models.CredentialKind{models.APIToken, models.Bearer, models.APIKey, models.CollectionKey, models.AutomationToken}
	credentialStates = []models.State{models.Active, models.Inactive, models.Expired, models.Revoked}
)

// readChoices reads what is chosen from menus.
func (a *askedCredentials) readChoices() {
	v, unknown := a.values, "There is no such choice. Choose one from the menu."
	if a.filter.Kind = models.CredentialKind(v["kind"]); v["kind"] != "" && !slices.Contains(credentialKinds, a.filter.Kind) {
		a.wrong("kind", unknown)
	}
	if a.filter.Status = models.State(v["status"]); v["status"] != "" && !slices.Contains(credentialStates, a.filter.Status) {
		a.wrong("status", unknown)
	}
	switch a.filter.ExpiresWithin = spans[v["expires"]]; {
	case v["expires"] == "never":
		a.filter.NeverExpires = true
	case v["expires"] != "" && a.filter.ExpiresWithin == 0:
		a.wrong("expires", unknown)
	}
	switch a.filter.UnusedFor = spans[v["unused"]]; {
	case v["unused"] == "never":
		a.filter.NeverUsed = true
	case v["unused"] != "" && a.filter.UnusedFor == 0:
		a.wrong("unused", unknown)
	}
}

// askedPerson finds out whom a field means: nobody, a person by their ID, or by their name or address.
func (h *Handlers) askedPerson(c echo.Context, a *askedCredentials, field string, id, name *string) (err error) {
	text := models.CleanText(a.values[field])
	switch {
	case text == "":
		return nil
	case field == "owner" && models.Fold(text) == models.NobodysCredentials:
		*id = models.NobodysCredentials
		return nil
	case models.ValidID(text):
		*id = text
		*name, err = h.Store.NameOf(c.Request().Context(), text)
		return err
	}
	people, err := h.Store.FindPeople(c.Request().Context(), actor(c), "", text)
	if err != nil {
		return err
	}
	if len(people) == 1 {
		*id = people[0].ID
		return nil
	}
	a.nothing = true
	shown := models.Shorten(text, 60)
	switch {
	case len(people) == 0:
		a.list.Choose = fmt.Sprintf("Nobody here is called “%s”. Check the spelling, or search by email address.", shown)
	case len(people) >= store.FoundMost:
		a.list.Choose = fmt.Sprintf("“%s” means many. Type more of it or an email address, or choose:", shown)
	default:
		a.list.Choose = fmt.Sprintf("“%s” means %d. Which one?", shown, len(people))
	}
	for _, part := range peopleParts(people) {
		a.list.Choices = append(a.list.Choices, views.Part{Text: part.Text, Href: a.with(field, part.Href)})
	}
	return nil
}

// askedWorkspace offers the workspaces, where they fit into a menu, and finds the one that is asked for by its address.
func (h *Handlers) askedWorkspace(c echo.Context, a *askedCredentials) error {
	ctx, who := c.Request().Context(), actor(c)
	list, err := h.Store.Workspaces(ctx, who, models.Place{})
	if err != nil {
		return err
	}
	if len(list) > models.PageSize {
		list = nil
	}
	for _, w := range list {
		a.list.Filter.Workspaces = append(a.list.Filter.Workspaces, views.Option{Value: w.Slug, Text: w.Name})
	}
	slug := a.values["workspace"]
	if slug == "" {
		return nil
	}
	w, err := h.Store.Workspace(ctx, who, slug)
	if models.KindOf(err) == models.NotFound {
		a.list.Filter.Workspaces = nil // what was typed is shown, to be put right
		a.wrong("workspace", "There is no such workspace. Write it as its address has it, like marlowe-press.")
		return nil
	}
	a.filter.WorkspaceID, a.list.Filter.Workspace = w.ID, w.Slug
	return err
}

// with is the address of the list with one part of the question changed.
func (a askedCredentials) with(name, value string) string {
	changed := url.Values{}
	for _, field := range credentialFields {
		if a.values[field] != "" {
			changed.Set(field, a.values[field])
		}
	}
	if changed.Del(name); value != "" {
		changed.Set(name, value)
	}
	if len(changed) == 0 {
		return "/credentials"
	}
	return "/credentials?" + changed.Encode()
}
