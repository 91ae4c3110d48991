package manage

import (
	"net/http"
	"time"

	"tokendesk/models"
)

// member is a person's place in a workspace.
type member struct {
	Person    somebody  `json:"person" required:"true"`
	Email     string    `json:"email" required:"true"`
	Role      string    `json:"role" required:"true" enum:"Owner,Admin,Member"`
	Active    bool      `json:"active" required:"true" description:"Whether the person's account is."`
	CreatedAt time.Time `json:"created_at" required:"true"`
}

func memberOf(m models.MemberSeen) member {
	return member{somebody{m.PersonID, m.Name}, m.Email, string(m.Role), m.Active, m.CreatedAt}
}

type askedMembers struct {
	byID
	page
}

type newMember struct {
	byID
	once
	Email string `json:"email" required:"true" description:"Of somebody who has an account."`
	Role  string `json:"role" required:"true" enum:"Admin,Member"`
}

// oneMember is what a call brings that is about one member.
type oneMember struct {
	byID
	Person string `path:"person_id" json:"-" required:"true" description:"The person's ID."`
}

type memberEdit struct {
	oneMember
	Role string `json:"role" required:"true" enum:"Admin,Member"`
}

func (a *API) members() []Operation {
	const tag, path = "Members", "/v1/workspaces/{id}/members"
	return []Operation{
		op(Operation{Method: "GET", Path: path, ID: "listMembers", Tag: tag, Who: People, Summary: "List a workspace's members, by name"}, a.listMembers),
		op(Operation{Method: "POST", Path: path, ID: "addMember", Tag: tag, Who: People, Status: http.StatusCreated, Summary: "Add a member"}, a.addMember),
		op(Operation{Method: "GET", Path: path + "/{person_id}", ID: "getMember", Tag: tag, Who: People, Summary: "One member"}, a.member),
		op(Operation{Method: "PATCH", Path: path + "/{person_id}", ID: "changeMember", Tag: tag, Who: People, Summary: "Give a member another role"}, a.changeMember),
		op(Operation{Method: "DELETE", Path: path + "/{person_id}", ID: "removeMember", Tag: tag, Who: People, Summary: "Remove a member",
			Detail: "Their automation tokens of the workspace end. Collection access keys that they made stay."}, a.removeMember),
		op(Operation{Method: "POST", Path: path + "/{person_id}:hand-over", ID: "handOver", Tag: tag, Who: People, Summary: "Make a member the Owner",
			Detail: "The Owner may, who becomes an Admin of the workspace."}, a.handOver),
	}
}

func (a *API) listMembers(r request, in askedMembers) (list[member], error) {
	after, err := a.from("members", in.page)
	if err != nil {
		return list[member]{}, err
	}
	found, next, err := a.h.Store.Members(r.ctx, r.who, in.ID, after)
	return listed(found, a.where("members", next), memberOf), err
}

func (a *API) addMember(r request, in newMember) (member, error) {
	p, err := a.h.Store.AddMember(r.ctx, r.who, in.ID, models.NewMember{Email: in.Email, Role: models.WorkspaceRole(in.Role)})
	if err != nil {
		return member{}, err
	}
	return a.member(r, oneMember{in.byID, p.ID})
}

func (a *API) member(r request, in oneMember) (member, error) {
	m, err := a.h.Store.Member(r.ctx, r.who, in.ID, in.Person)
	return memberOf(m), err
}

func (a *API) changeMember(r request, in memberEdit) (member, error) {
	if _, err := a.h.Store.ChangeMember(r.ctx, r.who, in.ID, in.Person, models.WorkspaceRole(in.Role)); err != nil {
		return member{}, err
	}
	return a.member(r, in.oneMember)
}

func (a *API) removeMember(r request, in oneMember) (nothing, error) {
	_, err := a.h.Store.RemoveMember(r.ctx, r.who, in.ID, in.Person)
	return nothing{}, err
}

func (a *API) handOver(r request, in oneMember) (member, error) {
	if _, err := a.h.Store.HandOver(r.ctx, r.who, in.ID, in.Person); err != nil {
		return member{}, err
	}
	return a.member(r, in)
}
