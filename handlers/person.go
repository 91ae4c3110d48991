package handlers

import (
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// Person is one person's record.
func (h *Handlers) Person(c echo.Context) error {
	return h.showRecord(c, http.StatusOK, func(p views.Page, r views.Record) templ.Component { return views.Person(p, r) })
}

// EditPerson changes name, address and role. A new address or role needs a recent password check.
func (h *Handlers) EditPerson(c echo.Context) error {
	f, err := form(c, "name", "email", "role", "current_password")
	if err != nil {
		return err
	}
	ctx, id := c.Request().Context(), c.Param("id")
	was, err := h.Store.PersonRecord(ctx, actor(c), id)
	if err != nil {
		return err
	}
	edit := models.PersonEdit{Name: f["name"], Email: f["email"], Role: models.Role(f["role"])}
	err = edit.Clean().Err()
	if err == nil && (edit.Email != was.Person.Email || edit.Role != was.Person.Role) {
		err = h.confirmed(c, f["current_password"])
	}
	var person models.Person
	if err == nil {
		person, err = h.Store.EditPerson(ctx, actor(c), id, edit)
	}
	if err == nil {
		return h.done(c, "/people/"+id, "", "Changes to "+person.Name+" are saved.")
	}
	back, status, err := refused(err, without(f, passwords...))
	if err != nil {
		return err
	}
	return h.showRecord(c, status, func(p views.Page, r views.Record) templ.Component {
		r.Form = back
		return views.Person(p, r)
	})
}

// DeactivatePage asks before somebody is deactivated.
func (h *Handlers) DeactivatePage(c echo.Context) error {
	return h.showRecord(c, http.StatusOK, func(p views.Page, r views.Record) templ.Component {
		return views.PersonDeactivate(p, r, views.Form{})
	})
}

// Deactivate signs somebody out everywhere and has their credentials refused.
func (h *Handlers) Deactivate(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	person, err := h.Store.DeactivatePerson(c.Request().Context(), actor(c), c.Param("id"))
	if err == nil {
		return h.ended(c, "/people/"+person.ID, person.Name, " is deactivated: signed out everywhere, and their credentials are refused.")
	}
	back, status, err := refused(err, nil)
	if err != nil {
		return err
	}
	return h.showRecord(c, status, func(p views.Page, r views.Record) templ.Component { return views.PersonDeactivate(p, r, back) })
}

// Activate lifts a deactivation.
func (h *Handlers) Activate(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	person, err := h.Store.ActivatePerson(c.Request().Context(), actor(c), c.Param("id"))
	if err != nil {
		return err
	}
	return h.done(c, "/people/"+person.ID, person.Name, " is active again. Credentials that were not revoked work again.")
}

// SignOutPersonPage asks before somebody's sessions end.
func (h *Handlers) SignOutPersonPage(c echo.Context) error {
	return h.showRecord(c, http.StatusOK, func(p views.Page, r views.Record) templ.Component {
		return views.PersonSignOut(p, r, views.Form{})
	})
}

// SignOutPerson ends all sessions of somebody, oneself included.
func (h *Handlers) SignOutPerson(c echo.Context) error {
	f, err := form(c, "current_password")
	if err != nil {
		return err
	}
	id := c.Param("id")
	var person models.Person
	if err = h.confirmed(c, f["current_password"]); err == nil {
		person, err = h.Store.SignOutEverywhere(c.Request().Context(), actor(c), id)
	}
	if err == nil && id == actor(c).ID {
		h.leave(c)
		return seeOther(c, "/signin?out=1")
	}
	if err == nil {
		return h.done(c, "/people/"+id, person.Name, " is signed out everywhere.")
	}
	back, status, err := refused(err, nil)
	if err != nil {
		return err
	}
	return h.showRecord(c, status, func(p views.Page, r views.Record) templ.Component { return views.PersonSignOut(p, r, back) })
}

// showRecord reads the record that the address names and draws a page of it.
func (h *Handlers) showRecord(c echo.Context, status int, draw func(views.Page, views.Record) templ.Component) error {
	record, err := h.Store.PersonRecord(c.Request().Context(), actor(c), c.Param("id"))
	if err != nil {
		return err
	}
	return h.drawRecord(c, status, record, draw)
}

func (h *Handlers) drawRecord(c echo.Context, status int, record models.PersonRecord, draw func(views.Page, views.Record) templ.Component) error {
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, draw(page, h.record(c, record)))
}

// record turns what is known of a person into what their page shows.
func (h *Handlers) record(c echo.Context, m models.PersonRecord) views.Record {
	now, p := h.Clock(), m.Person
	r := views.Record{
		ID: p.ID, Name: p.Name, Email: p.Email, Initials: initials(p.Name), Role: string(p.Role), Active: p.Active(),
		IsYou: p.ID == actor(c).ID, MaySwitch: true, Deactivated: since(p.DeactivatedAt, now),
		AskPassword: h.askPassword(c), FormID: secret.FormID(), Sessions: m.Sessions,
	}
	if days := m.Policy.LongestBearerDays; m.Policy.Shortened(models.Bearer, now, models.BearerTokenLife(now)) != models.BearerTokenLife(now) {
		r.BearerLife = models.DayCount(days)
	}
	if m.Bearer != nil {
		r.Bearer = bearer(*m.Bearer, now)
		if m.Bearer.State(now) == models.Active {
			r.Credentials = 1
		}
	}
	for _, e := range m.Earlier {
		r.Earlier = append(r.Earlier, pastBearer(e, now))
	}
	if m.MoreEnded {
		r.EarlierMore = r.Path() + "/tokens"
	}
	for _, t := range m.Automation {
		r.Automation = append(r.Automation, automationRow(t, m.Workspaces[t.WorkspaceID], now))
	}
	if r.MoreAutomation = m.MoreAutomation; m.LiveAutomation > 0 {
		r.LiveAutomation = atMost(m.LiveAutomation, "automation token", "automation tokens")
	}
	if m.LiveKeys > 0 {
		r.LiveKeys, r.KeysHref = atMost(m.LiveKeys, "API key", "API keys"), "/credentials?"+url.Values{"owner": {p.ID}, "kind": {string(models.APIKey)}}.Encode()
	}
	return r
}

// PersonTokens lists all the bearer tokens of a person that ended.
func (h *Handlers) PersonTokens(c echo.Context) error {
	q, err := query(c, "after")
	if err != nil {
		return err
	}
	after, err := h.from("tokens", q["after"])
	if err != nil {
		return err
	}
	ctx, who := c.Request().Context(), actor(c)
	record, err := h.Store.PersonRecord(ctx, who, c.Param("id"))
	if err != nil {
		return err
	}
	tokens, err := h.Store.EndedCredentials(ctx, who, record.Person.ID, after.ID)
	if err != nil {
		return err
	}
	total, err := h.Store.CountEnded(ctx, who, record.Person.ID)
	if err != nil {
		return err
	}
	list := views.PastBearers{Count: counted(total, "token", "tokens")}
	path := "/people/" + record.Person.ID + "/tokens"
	if len(tokens) > models.PageSize {
		tokens = tokens[:models.PageSize]
		list.OlderHref = path + "?after=" + h.where("tokens", models.Place{ID: tokens[models.PageSize-1].ID})
	}
	if after.ID != "" {
		list.NewestHref = path
	}
	for _, t := range tokens {
		list.Tokens = append(list.Tokens, pastBearer(t, h.Clock()))
	}
	return h.drawRecord(c, http.StatusOK, record, func(p views.Page, r views.Record) templ.Component { return views.PersonTokens(p, r, list) })
}

func bearer(c models.CredentialSeen, now time.Time) *views.Bearer {
	b := &views.Bearer{
		ID: c.ID, Prefix: c.Prefix, LastFour: c.Last4, Status: status(c.Credential, now), Created: day(c.CreatedAt, now), CreatedBy: c.CreatedByName,
		Calls: c.Usage.Calls, Refused: c.Usage.Refused, LastUsed: since(c.Usage.LastUsedAt, now), LastFrom: c.Usage.LastAddress, Days: fortnight(c.Days, now),
	}
	if c.ExpiresAt != nil {
		b.Expires = day(*c.ExpiresAt, now)
	}
	b.InUse = c.Usage.LastUsedAt != nil && now.Sub(*c.Usage.LastUsedAt) < 30*24*time.Hour
	return b
}

func pastBearer(c models.CredentialSeen, now time.Time) views.PastBearer {
	p := views.PastBearer{
		ID: c.ID, Prefix: c.Prefix, LastFour: c.Last4, Status: status(c.Credential, now), Created: day(c.CreatedAt, now), Ended: since(c.RevokedAt, now),
		EndedBy: c.RevokedByName, Reason: c.RevokeReason, CallsAfter: c.Usage.Late,
	}
	if p.EndedBy == "" {
		p.EndedBy = "the command line"
	}
	return p
}

func automationRow(c models.CredentialSeen, workspace string, now time.Time) views.AutomationRow {
	row := views.AutomationRow{
		ID: c.ID, Name: c.Name, Prefix: c.Prefix, LastFour: c.Last4, Status: status(c.Credential, now), Workspace: workspace,
		Created: moment(c.CreatedAt, now), LastUsed: since(c.Usage.LastUsedAt, now), Expires: since(c.ExpiresAt, now), Revoked: since(c.RevokedAt, now),
	}
	if workspace != "" {
		row.Href = credentialPath(c.Credential)
	}
	return row
}

// status is the word for a credential's state, as badges have it.
func status(c models.Credential, now time.Time) string {
	switch state := c.State(now); state {
	case models.Active:
		if c.ExpiresAt != nil && c.ExpiresAt.Sub(now) <= soon {
			return "Expires soon"
		}
		return "Active"
	case models.Inactive:
		return "Inactive"
	case models.Expired:
		return "Expired"
	case models.Replaced:
		return "Replaced"
	}
	return "Revoked"
}

// fortnight lays the calls of the last 14 days out, today last.
func fortnight(days []models.UsageDay, now time.Time) []int {
	calls := make([]int, 14)
	for _, d := range days {
		at, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			continue
		}
		today := now.UTC().Truncate(24 * time.Hour)
		if back := int(today.Sub(at) / (24 * time.Hour)); back >= 0 && back < 14 {
			calls[13-back] = int(d.Calls)
		}
	}
	return calls
}
