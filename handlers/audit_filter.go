package handlers

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/views"
)

// askedEvents is what an address asks of the audit log.
type askedEvents struct {
	values  map[string]string // as they stand in the address
	filter  models.EventFilter
	log     views.AuditLog // without events
	nothing bool           // what is asked for means nobody, or several: there are no events to show
}

// askedEvents reads the question in an address; within one workspace, where it is given.
func (h *Handlers) askedEvents(c echo.Context, within models.WorkspaceSeen) (askedEvents, error) {
	var a askedEvents
	var err error
	if within.ID != "" && !actor(c).MayReadWorkspaceAudit(within.Role) { // before anything is said of the question
		return a, models.Fail(models.Forbidden, "Only the workspace's Owner and Admins can read its audit log.")
	}
	if a.values, err = query(c, "actor", "action", "subject", "workspace", "from", "to", "after"); err != nil {
		return a, err
	}
	pasted := a.dropSecrets()
	v := a.values
	a.filter.WorkspaceID, a.filter.Action = within.ID, models.Action(v["action"])
	a.log.Filter = views.AuditFilter{Path: "/audit", Actor: v["actor"], Subject: v["subject"], Action: v["action"], Workspace: v["workspace"], From: v["from"], To: v["to"],
		Actions: actionOptions(within.ID != ""), Set: v["actor"]+v["subject"]+v["action"]+v["workspace"]+v["from"]+v["to"] != ""}
	if within.ID != "" {
		a.log.Filter.Path, v["workspace"], a.log.Filter.Workspace = "/w/"+within.Slug+"/settings/audit", "", ""
	}
	if v["after"] != "" {
		if a.filter.Before, err = strconv.ParseInt(v["after"], 10, 64); err != nil || a.filter.Before < 1 {
			return a, models.Fail(models.Ambiguous, "This address does not lead to a page of the log. Start again at its beginning.")
		}
	}
	for _, field := range pasted {
		a.wrong(field, "That is a whole token, which belongs in no address. Its first eight characters are enough.")
	}
	a.readDays()
	if err := h.narrow(c, &a, within); err != nil {
		return a, err
	}
	if err := h.readActor(c, &a); err != nil {
		return a, err
	}
	if err := h.readSubject(c, &a); err != nil {
		return a, err
	}
	if !a.nothing {
		a.log.CSVHref, a.log.JSONHref = a.file(".csv"), a.file(".jsonl")
	}
	return a, nil
}

// file is the address of the same events as a file.
func (a askedEvents) file(ending string) string {
	return strings.Replace(a.with("after", ""), a.log.Filter.Path, a.log.Filter.Path+ending, 1)
}

// wrong says what is wrong with a field of the filter; nothing is shown until it is right.
func (a *askedEvents) wrong(field, message string) {
	a.log.Filter.Form.Errors = append(a.log.Filter.Form.Errors, models.Field{Name: field, Message: message})
	a.nothing = true
}

// readDays reads the first and the last day, both of them included.
func (a *askedEvents) readDays() {
	read := func(field, which string) time.Time {
		text := a.values[field]
		if text == "" {
			return time.Time{}
		}
		at, err := time.Parse(time.DateOnly, text)
		if err != nil || at.Year() < 1970 || at.Year() > 9000 {
			a.wrong(field, "Write the "+which+" day as year-month-day, like 2026-11-21.")
		}
		return at
	}
	a.filter.From, a.filter.To = read("from", "first"), read("to", "last")
	if !a.filter.To.IsZero() {
		a.filter.To = a.filter.To.AddDate(0, 0, 1)
	}
	if !a.filter.From.IsZero() && !a.filter.To.IsZero() && !a.filter.From.Before(a.filter.To) {
		a.wrong("to", "The last day is before the first one. Choose a later day.")
	}
}

// otherActors are those who act without being anybody in particular.
var otherActors = map[string]models.ActorKind{"command line": models.Command, "the server": models.System, "server": models.System, "visitor": models.Guest, "a visitor": models.Guest}

// readActor finds out whom the filter means by who acted: an ID, an address of the network, somebody without
// a name, or a person.
func (h *Handlers) readActor(c echo.Context, a *askedEvents) error {
	text := models.CleanText(a.values["actor"])
	if text == "" {
		return nil
	}
	if kind, ok := otherActors[strings.ToLower(text)]; ok {
		a.filter.ActorKind = kind
		return nil
	}
	if ip, err := netip.ParseAddr(text); err == nil {
		a.filter.Address = ip.String()
		return nil
	}
	if models.ValidID(text) {
		a.filter.ActorID = text
		if !actor(c).MayManagePeople() {
			return nil
		}
		var err error
		a.log.Filter.ActorName, err = h.Store.NameOf(c.Request().Context(), text)
		return err
	}
	people, err := h.Store.FindPeople(c.Request().Context(), actor(c), a.filter.WorkspaceID, text)
	if err != nil {
		return err
	}
	if len(people) == 1 {
		a.filter.ActorID = people[0].ID
		return nil
	}
	if len(people) == 0 {
		is, err := h.Store.IsCommand(c.Request().Context(), actor(c), a.filter.WorkspaceID, strings.TrimSuffix(text, " (command line)"))
		if err != nil {
			return err
		}
		if is {
			a.filter.ActorKind = models.Command
			return nil
		}
	}
	a.choose(text, "actor", peopleParts(people))
	return nil
}

// readSubject finds out what the filter means by what it was about: an ID, a person, a token by its
// beginning, or a collection.
func (h *Handlers) readSubject(c echo.Context, a *askedEvents) error {
	text, ctx, who := models.CleanText(a.values["subject"]), c.Request().Context(), actor(c)
	if text == "" {
		return nil
	}
	people, err := h.Store.FindPeople(ctx, who, a.filter.WorkspaceID, text)
	if err != nil {
		return err
	}
	collections, err := h.Store.FindCollections(ctx, who, a.filter.WorkspaceID, text)
	if err != nil {
		return err
	}
	gone, err := h.Store.FindDeleted(ctx, who, a.filter.WorkspaceID, text)
	if err != nil {
		return err
	}
	var credentials []models.Credential
	if who.MayManagePeople() {
		if credentials, err = h.Store.FindCredentials(ctx, who, strings.TrimRight(text, ".…")); err != nil {
			return err
		}
	}
	if models.ValidID(text) {
		return h.subjectByID(c, a, text)
	}
	found := peopleParts(people)
	for _, k := range collections {
		found = append(found, views.Part{Text: "the collection " + k.Name, Href: k.ID})
	}
	for _, k := range gone {
		found = append(found, views.Part{Text: "the collection " + k.Name + ", which was deleted", Href: k.ID})
	}
	for _, k := range credentials {
		found = append(found, views.Part{Text: "the token " + k.Prefix + "... ending in " + k.Last4, Href: k.ID})
	}
	switch {
	case len(found) == 1 && len(people) == 1:
		a.filter.PersonID = people[0].ID
	case len(found) == 1:
		a.filter.SubjectID = found[0].Href
	default:
		a.choose(text, "subject", found)
	}
	return nil
}

// subjectByID tells a person, whose tokens and sessions are meant too, from everything else.
func (h *Handlers) subjectByID(c echo.Context, a *askedEvents, id string) error {
	name, err := h.Store.NameOf(c.Request().Context(), id)
	if name != "" {
		a.filter.PersonID = id
	} else {
		a.filter.SubjectID = id
	}
	if actor(c).MayManagePeople() { // others read in the events whom they may know of
		a.log.Filter.SubjectName = name
	}
	return err
}

// dropSecrets keeps whole tokens, which somebody pasted, out of the page and of further addresses, and says in
// which fields they were.
func (a *askedEvents) dropSecrets() (fields []string) {
	for _, field := range []string{"actor", "subject", "action", "workspace", "from", "to"} {
		if secret.Mask(a.values[field]) != a.values[field] {
			a.values[field] = ""
			fields = append(fields, field)
		}
	}
	return fields
}

func peopleParts(people []models.Person) []views.Part {
	var parts []views.Part
	for _, p := range people {
		parts = append(parts, views.Part{Text: p.Name + ", " + p.Email, Href: p.ID})
	}
	return parts
}

// choose asks which of several was meant, or says that there is none. The parts carry IDs, and get addresses.
func (a *askedEvents) choose(text, field string, found []views.Part) {
	a.nothing = true
	shown := models.Shorten(text, 60)
	switch {
	case len(found) == 0:
		a.log.Choose = fmt.Sprintf("Nothing here is called “%s”. Check the spelling, or search by email address.", shown)
	case len(found) >= store.FoundMost:
		a.log.Choose = fmt.Sprintf("“%s” means many. Type more of it or an email address, or choose:", shown)
	default:
		a.log.Choose = fmt.Sprintf("“%s” means %d. Which one?", shown, len(found))
	}
	for _, part := range found {
		a.log.Choices = append(a.log.Choices, views.Part{Text: part.Text, Href: a.with(field, part.Href)})
	}
}

// narrow narrows the installation's log to one workspace.
func (h *Handlers) narrow(c echo.Context, a *askedEvents, within models.WorkspaceSeen) error {
	if within.ID != "" {
		return nil
	}
	ctx, who := c.Request().Context(), actor(c)
	list, err := h.Store.Workspaces(ctx, who, models.Place{})
	if err != nil {
		return err
	}
	if a.log.Filter.TypeWorkspace = len(list) > models.PageSize; a.log.Filter.TypeWorkspace { // too many for a menu
		list = nil
	}
	slug, listed := a.values["workspace"], false
	for _, w := range list {
		a.log.Filter.Workspaces = append(a.log.Filter.Workspaces, views.Option{Value: w.Slug, Text: w.Name})
		if listed = listed || w.Slug == slug; w.Slug == slug {
			a.filter.WorkspaceID = w.ID
		}
	}
	if len(list) < 2 { // nothing to choose from
		a.log.Filter.Workspaces = nil
	}
	if slug == "" || listed {
		return nil
	}
	w, err := h.Store.Workspace(ctx, who, slug)
	if models.KindOf(err) == models.NotFound {
		message := "There is no such workspace. Choose one from the list."
		if a.log.Filter.Workspaces == nil {
			a.log.Filter.TypeWorkspace, message = true, "There is no such workspace. Write it as its address has it, like marlowe-press."
		}
		a.wrong("workspace", message)
		return nil
	}
	a.filter.WorkspaceID = w.ID
	if !a.log.Filter.TypeWorkspace {
		a.log.Filter.Workspaces = append(a.log.Filter.Workspaces, views.Option{Value: w.Slug, Text: w.Name})
	}
	return err
}
