package handlers

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/views"
)

// Members lists who belongs to a workspace.
func (h *Handlers) Members(c echo.Context) error {
	return h.showMembers(c, http.StatusOK, views.Form{})
}

// AddMember makes somebody who has an account a member.
func (h *Handlers) AddMember(c echo.Context) error {
	f, err := form(c, "email", "role")
	if err != nil {
		return err
	}
	person, err := h.Store.AddMember(c.Request().Context(), actor(c), c.Param("workspace"), models.NewMember{Email: f["email"], Role: models.WorkspaceRole(f["role"])})
	if err == nil {
		return h.done(c, membersPath(c), person.Name, " is a member of this workspace now.")
	}
	return h.membersAgain(c, err, f)
}

// ChangeMember gives a member another role.
func (h *Handlers) ChangeMember(c echo.Context) error {
	f, err := form(c, "role")
	if err != nil {
		return err
	}
	person, err := h.Store.ChangeMember(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"), models.WorkspaceRole(f["role"]))
	if err == nil {
		return h.done(c, membersPath(c), person.Name, " has the role "+f["role"]+" in this workspace now.")
	}
	return h.membersAgain(c, err, nil)
}

func (h *Handlers) membersAgain(c echo.Context, err error, f map[string]string) error {
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showMembers(c, status, back)
}

// RemoveMemberPage asks before somebody is taken out of a workspace.
func (h *Handlers) RemoveMemberPage(c echo.Context) error {
	return h.showMember(c, http.StatusOK, views.Form{}, views.MemberRemove)
}

// RemoveMember takes somebody out of a workspace. Who leaves may not be able to see it any more.
func (h *Handlers) RemoveMember(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	person, err := h.Store.RemoveMember(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"))
	switch {
	case err == nil && person.ID == actor(c).ID && !actor(c).MayOpenWorkspace(""):
		return h.done(c, "/", "", "You have left the workspace.")
	case err == nil:
		return h.ended(c, membersPath(c), person.Name, " is no member of this workspace any more.")
	}
	back, status, err := refused(err, nil)
	if err != nil {
		return err
	}
	return h.showMember(c, status, back, views.MemberRemove)
}

// HandOverPage asks before a workspace gets another Owner.
func (h *Handlers) HandOverPage(c echo.Context) error {
	return h.showMember(c, http.StatusOK, views.Form{}, views.MemberOwner)
}

// HandOver makes a member the Owner. It needs a recent password check.
func (h *Handlers) HandOver(c echo.Context) error {
	f, err := form(c, "current_password")
	if err != nil {
		return err
	}
	var person models.Person
	if err = h.confirmed(c, f["current_password"]); err == nil {
		person, err = h.Store.HandOver(c.Request().Context(), actor(c), c.Param("workspace"), c.Param("id"))
	}
	if err == nil {
		return h.done(c, membersPath(c), person.Name, " owns this workspace now.")
	}
	back, status, err := refused(err, nil)
	if err != nil {
		return err
	}
	return h.showMember(c, status, back, views.MemberOwner)
}

func membersPath(c echo.Context) string { return "/w/" + c.Param("workspace") + "/settings/members" }

func (h *Handlers) showMembers(c echo.Context, status int, back views.Form) error {
	q, err := query(c, "after")
	if err != nil {
		return err
	}
	after, err := h.from("members", q["after"])
	if err != nil {
		return err
	}
	ctx, who := c.Request().Context(), actor(c)
	w, err := h.Store.Workspace(ctx, who, c.Param("workspace"))
	if err != nil {
		return err
	}
	members, next, err := h.Store.Members(ctx, who, w.ID, after)
	if err != nil {
		return err
	}
	page, err := h.page(c)
	if err != nil {
		return err
	}
	path := "/w/" + w.Slug + "/settings/members"
	list := views.MemberList{Path: path, MayManage: who.MayManageMembers(w.Role), Form: back}
	total := len(members)
	if next.ID != "" || after.ID != "" {
		if total, err = h.Store.CountMembers(ctx, w.ID); err != nil {
			return err
		}
	}
	list.Count = counted(total, "member", "members")
	if next.ID != "" {
		list.MoreHref = path + "?after=" + h.where("members", next)
	}
	if after.ID != "" {
		list.FirstHref = path
	}
	for _, m := range members {
		list.Rows = append(list.Rows, h.memberRow(c, path, w, m))
	}
	return show(c, status, views.SettingsMembers(page, list))
}

func (h *Handlers) memberRow(c echo.Context, path string, w models.WorkspaceSeen, m models.MemberSeen) views.MemberRow {
	who, owner := actor(c), m.Role == models.WorkspaceOwner
	row := views.MemberRow{
		ID: m.PersonID, Name: m.Name, Initials: initials(m.Name), Role: string(m.Role), Active: m.Active, You: m.PersonID == who.ID,
		Added: day(m.CreatedAt, h.Clock()), Path: path + "/" + m.PersonID,
		MayChange: !owner && who.MayManageMembers(w.Role), MayRemove: !owner && (who.MayManageMembers(w.Role) || m.PersonID == who.ID),
		MayOwn: !owner && m.Active && who.MayHandOver(w.Role),
	}
	if who.MayManageMembers(w.Role) || row.You { // others know each other by name
		row.Email = m.Email
	}
	if who.MayManagePeople() {
		row.Href = "/people/" + m.PersonID
	}
	return row
}

// showMember draws a question about one member.
func (h *Handlers) showMember(c echo.Context, status int, back views.Form, draw func(views.Page, views.MemberRow, views.Form) templ.Component) error {
	ctx, who := c.Request().Context(), actor(c)
	w, err := h.Store.Workspace(ctx, who, c.Param("workspace"))
	if err != nil {
		return err
	}
	m, err := h.Store.Member(ctx, who, w.ID, c.Param("id"))
	if err != nil {
		return err
	}
	row := h.memberRow(c, "/w/"+w.Slug+"/settings/members", w, m)
	row.Workspace, row.AskPassword = w.Name, h.askPassword(c)
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, draw(page, row, back))
}

// NewWorkspace is the form that makes a workspace.
func (h *Handlers) NewWorkspace(c echo.Context) error {
	return h.showNewWorkspace(c, http.StatusOK, views.Form{})
}

// CreateWorkspace makes a workspace, whose Owner is whoever asked for it.
func (h *Handlers) CreateWorkspace(c echo.Context) error {
	f, err := form(c, "name")
	if err != nil {
		return err
	}
	w, err := h.Store.CreateWorkspace(c.Request().Context(), actor(c), models.NewWorkspace{Name: f["name"]})
	if err == nil {
		return h.done(c, "/w/"+w.Slug+"/settings", w.Name, " is created. You own it.")
	}
	back, status, err := refused(err, f)
	if err != nil {
		return err
	}
	return h.showNewWorkspace(c, status, back)
}

func (h *Handlers) showNewWorkspace(c echo.Context, status int, back views.Form) error {
	page, err := h.page(c)
	if err != nil {
		return err
	}
	return show(c, status, views.WorkspaceNew(page, back))
}
