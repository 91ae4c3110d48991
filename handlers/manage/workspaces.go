package manage

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"tokendesk/models"
)

// workspace is one as the caller sees it.
type workspace struct {
	ID        string     `json:"id" required:"true"`
	Slug      string     `json:"slug" required:"true" description:"In addresses of the console; it never changes."`
	Name      string     `json:"name" required:"true"`
	Role      string     `json:"role,omitempty" enum:"Owner,Admin,Member" description:"Yours in it; not there for an Admin of the installation who is no member."`
	CreatedAt time.Time  `json:"created_at" required:"true"`
	Limits    callLimits `json:"limits" required:"true"`
}

// callLimits are how many calls a minute each of a kind may make.
type callLimits struct {
	API        int `json:"api" required:"true" description:"Each API token."`
	User       int `json:"user" required:"true" description:"All sign-in tokens of a person together."`
	Automation int `json:"automation" required:"true" description:"Each automation token."`
}

func workspaceOf(w models.WorkspaceSeen) workspace {
	return workspace{w.ID, w.Slug, w.Name, string(w.Role), w.CreatedAt, callLimits{w.APICallsAMinute, w.UserCallsAMinute, w.AutomationCallsAMinute}}
}

type newWorkspace struct {
	once
	Name string `json:"name" required:"true" maxLength:"60"`
}

type workspaceEdit struct {
	byID
	Name   *string    `json:"name" maxLength:"60"`
	Limits *newLimits `json:"limits"`
}

type newLimits struct {
	API        *int `json:"api" minimum:"1" maximum:"1000000"`
	User       *int `json:"user" minimum:"1" maximum:"1000000"`
	Automation *int `json:"automation" minimum:"1" maximum:"1000000" description:"At least as many as user."`
}

// confirmedByName is what a call brings that removes something with all that is in it.
type confirmedByName struct {
	byID
	Name string `query:"name" json:"-" required:"true" maxLength:"200" description:"Its name as it is written, so that nothing is removed by a slip."`
}

func (a *API) workspaces() []Operation {
	const tag = "Workspaces"
	return []Operation{
		op(Operation{Method: "GET", Path: "/v1/workspaces", ID: "listWorkspaces", Tag: tag, Who: People, Summary: "List the workspaces that you may open, by name"}, a.listWorkspaces),
		op(Operation{Method: "POST", Path: "/v1/workspaces", ID: "createWorkspace", Tag: tag, Who: Admins, Status: http.StatusCreated, Summary: "Create a workspace, which you own"}, a.createWorkspace),
		op(Operation{Method: "GET", Path: "/v1/workspaces/{id}", ID: "getWorkspace", Tag: tag, Who: People, Summary: "One workspace, by its ID or slug"}, a.workspace),
		op(Operation{Method: "PATCH", Path: "/v1/workspaces/{id}", ID: "editWorkspace", Tag: tag, Who: People, Summary: "Change a workspace's name and limits",
			Detail: "Its Owner and Admins may. The name and the limits are two changes in the audit log."}, a.editWorkspace),
		op(Operation{Method: "DELETE", Path: "/v1/workspaces/{id}", ID: "deleteWorkspace", Tag: tag, Who: People, Summary: "Delete a workspace with its members and collections",
			Detail: "Its Owner may, once it has no token any more that is active or inactive."}, a.deleteWorkspace),
	}
}

func (a *API) listWorkspaces(r request, in page) (list[workspace], error) {
	after, err := a.from("workspaces", in)
	if err != nil {
		return list[workspace]{}, err
	}
	found, err := a.h.Store.Workspaces(r.ctx, r.who, after)
	var next models.Place
	if len(found) > after.Size() {
		found = found[:after.Size()]
		last := found[len(found)-1]
		next = models.Place{Key: last.Name, ID: last.ID}
	}
	return listed(found, a.where("workspaces", next), workspaceOf), err
}

func (a *API) createWorkspace(r request, in newWorkspace) (workspace, error) {
	w, err := a.h.Store.CreateWorkspace(r.ctx, r.who, models.NewWorkspace{Name: in.Name})
	return workspaceOf(models.WorkspaceSeen{Workspace: w, Role: models.WorkspaceOwner}), err
}

func (a *API) workspace(r request, in byID) (workspace, error) {
	w, err := a.h.Store.Workspace(r.ctx, r.who, in.ID)
	return workspaceOf(w), err
}

func (a *API) editWorkspace(r request, in workspaceEdit) (workspace, error) {
	w, err := a.h.Store.Workspace(r.ctx, r.who, in.ID)
	if err != nil {
		return workspace{}, err
	}
	if in.Limits != nil { // first: the name is refused for fewer reasons
		if in.Name != nil {
			named := models.NewWorkspace{Name: *in.Name}
			if err := named.Clean().Err(); err != nil {
				return workspace{}, err
			}
		}
		if _, err := a.h.Store.ChangeCallLimits(r.ctx, r.who, w.ID, in.Limits.over); err != nil {
			return workspace{}, err
		}
	}
	if in.Name != nil {
		if _, err := a.h.Store.RenameWorkspace(r.ctx, r.who, w.ID, models.NewWorkspace{Name: *in.Name}); err != nil {
			return workspace{}, err
		}
	}
	return a.workspace(r, in.byID)
}

// over are a workspace's limits with those that were sent in place of its own.
func (n *newLimits) over(w models.Workspace) models.CallLimits {
	limits := models.CallLimits{API: w.APICallsAMinute, User: w.UserCallsAMinute, Automation: w.AutomationCallsAMinute}
	if n.API != nil {
		limits.API = *n.API
	}
	if n.User != nil {
		limits.User = *n.User
	}
	if n.Automation != nil {
		limits.Automation = *n.Automation
	}
	return limits
}

func (a *API) deleteWorkspace(r request, in confirmedByName) (nothing, error) {
	_, err := a.h.Store.DeleteWorkspace(r.ctx, r.who, in.ID, in.Name)
	return nothing{}, asParameter(err)
}

// asParameter names the field that has here what the console has in another one.
func asParameter(err error) error {
	var ours *models.Error
	if !errors.As(err, &ours) {
		return err
	}
	with := *ours
	with.Fields = slices.Clone(ours.Fields)
	for i := range with.Fields {
		switch with.Fields[i].Name {
		case "typed":
			with.Fields[i].Name = "name"
		case "product":
			with.Fields[i].Name = "product_id"
		}
	}
	return &with
}
