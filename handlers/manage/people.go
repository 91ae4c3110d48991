package manage

import (
	"context"
	"net/http"

	"tokendesk/models"
)

// askedPeople is what the list of people is asked for.
type askedPeople struct {
	page
	Query  string `query:"q" json:"-" maxLength:"200" description:"Part of a name or an email address."`
	Role   string `query:"role" json:"-" enum:"Admin,Member"`
	Status string `query:"status" json:"-" enum:"active,deactivated"`
}

type newPerson struct {
	once
	Name     string `json:"name" required:"true" maxLength:"120"`
	Email    string `json:"email" required:"true"`
	Role     string `json:"role" required:"true" enum:"Admin,Member"`
	Password string `json:"password" secret:"a password" required:"true" description:"At least 15 characters. They can change it under Account."`
}

type personEdit struct {
	byID
	Name  *string `json:"name" maxLength:"120"`
	Email *string `json:"email"`
	Role  *string `json:"role" enum:"Admin,Member"`
}

func (a *API) people() []Operation {
	const tag = "People"
	return []Operation{
		op(Operation{Method: "GET", Path: "/v1/people", ID: "listPeople", Tag: tag, Who: Admins, Summary: "List people, by name"}, a.listPeople),
		op(Operation{Method: "POST", Path: "/v1/people", ID: "createPerson", Tag: tag, Who: Admins, Status: http.StatusCreated, Summary: "Add a person"}, a.createPerson),
		op(Operation{Method: "GET", Path: "/v1/people/{id}", ID: "getPerson", Tag: tag, Who: Admins, Summary: "One person"}, a.person),
		op(Operation{Method: "PATCH", Path: "/v1/people/{id}", ID: "editPerson", Tag: tag, Who: Admins, Summary: "Change a name, an address or a role",
			Detail: "Who loses the role Admin is signed out. The last active Admin keeps it."}, a.editPerson),
		op(Operation{Method: "POST", Path: "/v1/people/{id}:deactivate", ID: "deactivatePerson", Tag: tag, Who: Admins, Summary: "Deactivate a person",
			Detail: "They are signed out, and all their credentials are refused from then on."}, a.changePerson(a.h.Store.DeactivatePerson)),
		op(Operation{Method: "POST", Path: "/v1/people/{id}:activate", ID: "activatePerson", Tag: tag, Who: Admins, Summary: "Activate a person again"}, a.changePerson(a.h.Store.ActivatePerson)),
		op(Operation{Method: "POST", Path: "/v1/people/{id}:sign-out", ID: "signPersonOut", Tag: tag, Who: Admins, Summary: "End all sessions of a person"}, a.changePerson(a.h.Store.SignOutEverywhere)),
	}
}

func (a *API) listPeople(r request, in askedPeople) (list[person], error) {
	after, err := a.from("people", in.page)
	if err != nil {
		return list[person]{}, err
	}
	found, next, err := a.h.Store.People(r.ctx, r.who, models.PeopleFilter{Query: in.Query, Role: models.Role(in.Role), Status: in.Status, After: after})
	return listed(found, a.where("people", next), func(p models.PersonSeen) person { return personOf(p.Person) }), err
}

func (a *API) createPerson(r request, in newPerson) (person, error) {
	p, err := a.h.Store.CreatePerson(r.ctx, r.who, models.NewPerson{Name: in.Name, Email: in.Email, Role: models.Role(in.Role), Password: in.Password})
	return personOf(p), err
}

// someone reads a person, for an Admin.
func (a *API) person(r request, in byID) (person, error) {
	p, err := a.h.Store.Person(r.ctx, r.who, in.ID)
	return personOf(p), err
}

func (a *API) editPerson(r request, in personEdit) (person, error) {
	p, err := a.h.Store.ChangePerson(r.ctx, r.who, in.ID, func(p models.Person) models.PersonEdit {
		edit := models.PersonEdit{Name: p.Name, Email: p.Email, Role: p.Role}
		if in.Name != nil {
			edit.Name = *in.Name
		}
		if in.Email != nil {
			edit.Email = *in.Email
		}
		if in.Role != nil {
			edit.Role = models.Role(*in.Role)
		}
		return edit
	})
	return personOf(p), err
}

// changePerson is a call that does one thing to a person.
func (a *API) changePerson(do func(context.Context, models.Actor, string) (models.Person, error)) func(request, byID) (person, error) {
	return func(r request, in byID) (person, error) {
		p, err := do(r.ctx, r.who, in.ID)
		return personOf(p), err
	}
}
