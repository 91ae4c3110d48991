package manage

import (
	"strconv"
	"time"

	"tokendesk/models"
)

// event is one line of the audit log.
type event struct {
	Number       int64     `json:"number" required:"true"`
	ID           string    `json:"id" required:"true"`
	At           time.Time `json:"at" required:"true"`
	Action       string    `json:"action" required:"true" description:"What happened, like credential.revoked."`
	Actor        actor     `json:"actor" required:"true"`
	Subject      subject   `json:"subject" required:"true"`
	PersonID     string    `json:"person_id,omitempty" description:"Whose thing the subject is."`
	WorkspaceID  string    `json:"workspace_id,omitempty"`
	Address      string    `json:"address,omitempty" description:"Where the actor came from."`
	RequestID    string    `json:"request_id,omitempty"`
	Changes      []change  `json:"changes,omitempty"`
	CredentialID string    `json:"credential_id,omitempty" description:"With which the actor came."`
}

type actor struct {
	Kind string `json:"kind" required:"true" enum:"guest,person,program,command,system"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type subject struct {
	Kind string `json:"kind" required:"true"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type change struct {
	Field  string `json:"field" required:"true"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

func eventOf(e models.Event) event {
	shape := event{
		Number: e.Seq, ID: e.ID, At: e.At, Action: string(e.Action), Actor: actor{string(e.ActorKind), e.ActorID, e.ActorName},
		Subject: subject{string(e.SubjectKind), e.SubjectID, e.SubjectName}, PersonID: e.PersonID, WorkspaceID: e.WorkspaceID,
		Address: e.Address, RequestID: e.RequestID, CredentialID: e.CredentialID,
	}
	for _, c := range e.ChangeList() {
		shape.Changes = append(shape.Changes, change{c.Field, c.Before, c.After})
	}
	return shape
}

type askedEvents struct {
	page
	Actor     string `query:"actor_id" json:"-" maxLength:"36" description:"The ID of the person who acted."`
	Action    string `query:"action" json:"-" maxLength:"60"`
	Subject   string `query:"subject_id" json:"-" maxLength:"36" description:"The ID of what it was about."`
	Person    string `query:"person_id" json:"-" maxLength:"36" description:"The ID of whose thing that is."`
	Workspace string `query:"workspace_id" json:"-" maxLength:"36" description:"Its Owner and Admins must give it; Admins of the installation read all."`
	From      string `query:"from" json:"-" maxLength:"40" description:"RFC 3339; that moment and later."`
	To        string `query:"to" json:"-" maxLength:"40" description:"RFC 3339; before that moment."`
}

type oneEvent struct {
	Number    string `path:"number" json:"-" required:"true"`
	Workspace string `query:"workspace_id" json:"-" maxLength:"36" description:"Its Owner and Admins must give it."`
}

func (a *API) audit() []Operation {
	const tag = "Audit log"
	return []Operation{
		op(Operation{Method: "GET", Path: "/v1/audit-events", ID: "listAuditEvents", Tag: tag, Who: People, Summary: "List the audit log, newest first",
			Detail: "Admins of the installation read all of it, and a workspace's Owner and Admins that of their workspace."}, a.listEvents),
		op(Operation{Method: "GET", Path: "/v1/audit-events/{number}", ID: "getAuditEvent", Tag: tag, Who: People, Summary: "One event, by its number"}, a.event),
	}
}

func (a *API) listEvents(r request, in askedEvents) (list[event], error) {
	at, err := a.from("audit", in.page)
	if err != nil {
		return list[event]{}, err
	}
	f := models.EventFilter{ActorID: in.Actor, Action: models.Action(in.Action), SubjectID: in.Subject, PersonID: in.Person, WorkspaceID: in.Workspace, Limit: in.limit() + 1}
	for _, id := range []string{in.Actor, in.Subject, in.Person, in.Workspace} {
		if id != "" && !models.ValidID(id) {
			return list[event]{}, models.Fail(models.Ambiguous, "actor_id, subject_id, person_id and workspace_id are IDs, like 01956d2e-6c1a-7f00-8000-000000000000.")
		}
	}
	if f.Before, err = below(at); err != nil {
		return list[event]{}, err
	}
	for text, to := range map[*string]*time.Time{&in.From: &f.From, &in.To: &f.To} {
		if *text == "" {
			continue
		}
		if *to, err = time.Parse(time.RFC3339, *text); err != nil || to.Year() < 1970 || to.Year() > 9000 {
			return list[event]{}, models.Fail(models.Ambiguous, "from and to are moments as RFC 3339 writes them, like 2026-11-21T09:00:00Z.")
		}
	}
	found, err := a.h.Store.EventsNear(r.ctx, r.who, f)
	if err != nil {
		return list[event]{}, err
	}
	next, on := "", found.Further
	if len(found.Events) > in.limit() {
		found.Events = found.Events[:in.limit()]
		on = found.Events[len(found.Events)-1].Seq
	}
	if on != 0 {
		next = a.where("audit", models.Place{Key: strconv.FormatInt(on, 10)})
	}
	return listed(found.Events, next, eventOf), nil
}

func (a *API) event(r request, in oneEvent) (event, error) {
	n, err := strconv.ParseInt(in.Number, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != in.Number {
		return event{}, models.Fail(models.NotFound, "There is no such event.")
	}
	if in.Workspace != "" && !models.ValidID(in.Workspace) {
		return event{}, models.Fail(models.Ambiguous, "workspace_id is an ID, like 01956d2e-6c1a-7f00-8000-000000000000.")
	}
	e, err := a.h.Store.Event(r.ctx, r.who, in.Workspace, n)
	return eventOf(e.Event), err
}
