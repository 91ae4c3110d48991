package handlers

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// Credentials lists the credentials of everybody.
func (h *Handlers) Credentials(c echo.Context) error {
	return h.showCredentials(c, http.StatusOK, views.Form{}, views.Form{})
}

// showCredentials shows the list that the address asks for; with what is wrong with a form that was sent from it.
func (h *Handlers) showCredentials(c echo.Context, status int, find, picked views.Form) error {
	asked, err := h.askedCredentials(c)
	if err != nil {
		return err
	}
	list := asked.list
	if list.Find = find; !asked.nothing {
		if list, err = h.credentialList(c, asked); err != nil {
			return err
		}
	} else if status == http.StatusOK && list.Filter.Form.HasErrors() {
		status = http.StatusUnprocessableEntity
	}
	list.Filter.Form.Errors = append(list.Filter.Form.Errors, picked.Errors...)
	list.Find = find
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.Credentials(page, list))
}

// credentialList reads one page of the list.
func (h *Handlers) credentialList(c echo.Context, asked askedCredentials) (views.CredentialList, error) {
	ctx, who, list := c.Request().Context(), actor(c), asked.list
	found, err := h.Store.AllCredentials(ctx, who, asked.filter)
	if err != nil {
		return list, err
	}
	for _, row := range found.Rows {
		list.Rows = append(list.Rows, h.credentialLine(row))
	}
	first, more := asked.filter.After.ID == "", found.Next.ID != ""
	total, all := len(found.Rows), true
	if !first || more { // else these are all
		if total, all, err = h.Store.CountAllCredentials(ctx, who, asked.filter); err != nil {
			return list, err
		}
	}
	switch {
	case all || total > models.CountCap:
		list.Count = counted(total, "credential", "credentials")
	case total > 0 && first:
		list.Count = counted(total, "credential", "credentials") + " or more"
	}
	if found.Looked > 0 {
		list.Looked = "Looked through " + humanized(int64(found.Looked)) + " credentials for this page. There may be more further on."
	}
	if more {
		list.OnHref = asked.with("after", h.credentialPlace(found.Next))
	}
	if !first {
		list.FirstHref = asked.with("after", "")
	}
	return list, nil
}

// credentialPlace makes the text that says where the list goes on, signed as by where.
func (h *Handlers) credentialPlace(at models.CredentialPlace) string {
	text, err := json.Marshal(at)
	if err != nil { // text and times always encode
		panic(err)
	}
	return h.Key.Sign("list/credentials", text)
}

// credentialsFrom reads it back; empty text is the beginning.
func (h *Handlers) credentialsFrom(text string, at *models.CredentialPlace) error {
	if text == "" {
		return nil
	}
	plain, ok := h.Key.Verify("list/credentials", text)
	if !ok || json.Unmarshal(plain, at) != nil {
		return models.Fail(models.Ambiguous, "This address does not lead to a page of the list. Start again at its beginning.")
	}
	return nil
}

// kindNouns are what the kinds of credentials are called in a list.
var kindNouns = map[models.CredentialKind]string{
	models.Bearer: "Bearer token", models.APIToken: "API token", models.APIKey: "API key", models.CollectionKey: "Collection access key", models.AutomationToken: "Automation token",
}

// credentialLine is a credential as the list shows it.
func (h *Handlers) credentialLine(k models.CredentialRow) views.CredentialLine {
	now := h.Clock()
	line := views.CredentialLine{
		ID: k.ID, Name: k.Name, Kind: kindNouns[k.Kind], Prefix: k.Prefix, LastFour: k.Last4, Status: status(k.Credential, now),
		Ended: since(k.RevokedAt, now), LastUsed: since(k.Usage.LastUsedAt, now), Days: fortnight(k.Days, now), Expires: since(k.ExpiresAt, now),
	}
	line.Soon = line.Status == "Expires soon"
	if k.Idle && k.State(now) == models.Active {
		line.Status, line.Soon = "Person deactivated", false
	}
	if k.Kind == models.Bearer && k.PersonName != "" { // all of them have one name
		line.Name = "Bearer token of " + k.PersonName
	}
	if k.PersonID != "" {
		line.Owner, line.OwnerHref = k.PersonName, "/people/"+k.PersonID
		if k.Workspace != "" {
			line.OwnerNote = "in " + k.Workspace
		}
		return line
	}
	if line.Owner = k.Workspace; k.WorkspaceSlug != "" {
		line.OwnerHref = "/w/" + k.WorkspaceSlug + "/settings"
	}
	if k.CreatedByName != "" {
		line.OwnerNote = "by " + k.CreatedByName
	}
	return line
}

// FindCredential looks up a whole secret that somebody has. It comes in the body, is compared by its hash, and is in no answer.
func (h *Handlers) FindCredential(c echo.Context) error {
	f, err := form(c, "secret")
	if err != nil {
		return err
	}
	again := func(message string) error {
		return h.showCredentials(c, http.StatusUnprocessableEntity, views.Form{Errors: []models.Field{{Name: "secret", Message: message}}}, views.Form{})
	}
	text, ok := secret.Parse(strings.TrimPrefix(strings.TrimSpace(f["secret"]), "Bearer "))
	if !ok {
		return again("That is not a whole key of Tokendesk: it has 54 characters, and the last six fit the others. Paste it again, all of it.")
	}
	hash := text.Hash()
	found, err := h.Store.AllCredentials(c.Request().Context(), actor(c), models.CredentialFilter{Hash: hash[:]})
	switch {
	case err != nil:
		return err
	case len(found.Rows) == 0:
		return again("No credential of this installation has, or had, that key. It may be another installation's.")
	case found.Rows[0].Before:
		return h.done(c, "/credentials/"+found.Rows[0].ID, "The key belongs to this credential.", " It was replaced since by another one, and is refused.")
	}
	said := findings[found.Rows[0].State(h.Clock())]
	if found.Rows[0].Idle {
		said = "Its person is deactivated: calls with the key are refused as long as that lasts."
	}
	return h.done(c, "/credentials/"+found.Rows[0].ID, "The key belongs to this credential.", " "+said)
}

// findings say what a key is good for that somebody found.
var findings = map[models.State]string{
	models.Active: "It works: whoever has the key can use it.", models.Inactive: "It is inactive: calls with the key are refused until it is activated.",
	models.Expired: "It has expired: calls with the key are refused.", models.Revoked: "It was revoked: calls with the key are refused.", models.Replaced: "It was replaced: calls with the key are refused.",
}
