package handlers

import (
	"net/http"
	"net/url"

	"github.com/dustin/go-humanize"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/views"
)

// People lists everybody who can sign in.
func (h *Handlers) People(c echo.Context) error {
	q, err := query(c, "q", "role", "status", "after")
	if err != nil {
		return err
	}
	if secret.Mask(q["q"]) != q["q"] {
		return models.Fail(models.Invalid, "That is a whole token, which belongs in no address. Search for people by name or email address.")
	}
	after, err := h.from("people", q["after"])
	if err != nil {
		return err
	}
	want := models.PeopleFilter{Query: q["q"], Role: models.Role(q["role"]), Status: q["status"], After: after}
	people, next, err := h.Store.People(c.Request().Context(), actor(c), want)
	if err != nil {
		return err
	}
	total := len(people)
	if after.ID != "" || next.ID != "" { // else everybody who matches is on this page
		if total, err = h.Store.CountPeople(c.Request().Context(), actor(c), want); err != nil {
			return err
		}
	}
	list := views.PeopleList{Q: q["q"], Role: q["role"], Status: q["status"], Begins: models.Begins(q["q"]), Count: counted(total, "person", "people")}
	for _, p := range people {
		list.Rows = append(list.Rows, h.personRow(p))
	}
	filter := url.Values{"q": {q["q"]}, "role": {q["role"]}, "status": {q["status"]}}
	if after.ID != "" {
		list.FirstHref = "/people?" + filter.Encode()
	}
	if next.ID != "" {
		filter.Set("after", h.where("people", next))
		list.MoreHref = "/people?" + filter.Encode()
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.People(page, list))
}

// counted writes a number that was counted up to models.CountCap.
func counted(n int, one, many string) string {
	switch {
	case n == 1:
		return "1 " + one
	case n > models.CountCap:
		return humanize.Comma(models.CountCap) + "+ " + many
	}
	return humanize.Comma(int64(n)) + " " + many
}

// atMost writes a number that was counted up to models.CountCap, in a sentence.
func atMost(n int, one, many string) string {
	if n > models.CountCap {
		return "More than " + humanize.Comma(models.CountCap) + " " + many
	}
	return counted(n, one, many)
}

// plainly writes a number that was counted to the end.
func plainly(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanized(int64(n)) + " " + many
}

func humanized(n int64) string { return humanize.Comma(n) }

func (h *Handlers) personRow(p models.PersonSeen) views.PersonRow {
	row := views.PersonRow{
		ID: p.ID, Name: p.Name, Email: p.Email, Initials: initials(p.Name), Role: string(p.Role), Active: p.Active(),
		LastActive: since(p.SeenAt, h.Clock()),
	}
	if p.Bearer != nil {
		row.BearerPrefix, row.BearerLastFour = p.Bearer.Prefix, p.Bearer.Last4
	}
	return row
}

// NewPerson is the form for adding somebody.
func (h *Handlers) NewPerson(c echo.Context) error {
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.PeopleNew(page, views.Form{}, h.askPassword(c)))
}

// CreatePerson adds somebody and opens their record.
func (h *Handlers) CreatePerson(c echo.Context) error {
	f, err := form(c, "name", "email", "role", "password", "current_password")
	if err != nil {
		return err
	}
	var person models.Person
	if models.Role(f["role"]) == models.Admin {
		err = h.confirmed(c, f["current_password"]) // or else this were a way around the other forms that ask
	}
	if err == nil {
		person, err = h.Store.CreatePerson(c.Request().Context(), actor(c), models.NewPerson{
			Name: f["name"], Email: f["email"], Role: models.Role(f["role"]), Password: f["password"],
		})
	}
	if err == nil {
		return h.done(c, "/people/"+person.ID, person.Name, " is added. Tell them their password: they can change it once they are signed in.")
	}
	back, status, err := refused(err, without(f, passwords...))
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.PeopleNew(page, back, h.askPassword(c)))
}
