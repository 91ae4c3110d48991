package handlers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/views"
)

// Every action reads as a sentence: one that was forgotten would be an empty line in the log.
func TestEveryActionIsTold(t *testing.T) {
	all := actions(t)
	if len(all) != len(telling) || len(all) < 10 {
		t.Errorf("%d actions, %d of them told", len(all), len(telling))
	}
	h := &Handlers{Clock: models.SystemClock}
	for _, action := range all {
		how := telling[action]
		if how.sentence == "" || how.glyph == "" || strings.HasPrefix(string(action), "credential.") && !strings.Contains(how.sentence, "bearer") && !strings.Contains(how.sentence, "{token}") {
			t.Errorf("%s is told as %+v", action, how)
		}
		entry := h.entry(models.Event{
			Action: action, ActorKind: models.Human, ActorName: "Ines", SubjectKind: models.OfPerson, SubjectName: "Tom", PersonID: "p1", At: noon, Seq: 7, RequestID: "r1",
		}, "/audit")
		said := text(entry)
		if strings.Contains(said, "{") || strings.Contains(how.sentence, "{subject}") != strings.Contains(said, "Tom") || strings.HasPrefix(said, "Ines ") == (action == models.SignInRefused || action == models.SessionStolen || action == models.CredentialLeaked) {
			t.Errorf("%s reads %q", action, said)
		}
	}
}

// Who did it is named by the door they came through, and the subject leads to its page where it has one.
func TestEntry(t *testing.T) {
	h := &Handlers{Clock: models.SystemClock}
	for kind, want := range map[models.ActorKind]string{
		models.Human: "Ines", models.Program: "Ines", models.Command: "Ines (command line)", models.System: "The server", models.Guest: "A visitor",
	} {
		if got := h.entry(models.Event{Action: models.PersonCreated, ActorKind: kind, ActorName: "Ines"}, "/audit").Actor; got != want {
			t.Errorf("%s is %q, want %q", kind, got, want)
		}
	}
	for kind, want := range map[models.SubjectKind]string{
		models.OfPerson: "/people/p1", models.OfSession: "/people/p1", models.OfCredential: "/w/w1/settings/automation-tokens/s1", models.OfWorkspace: "/w/s1/settings", models.OfCollection: "/w/w1/settings/collections/s1", models.OfProduct: "/w/w1/settings/resources", models.OfInstallation: "",
	} {
		e := models.Event{SubjectKind: kind, PersonID: "p1", SubjectID: "s1", WorkspaceID: "w1"}
		if got := subjectPath(e); got != want {
			t.Errorf("a %s leads to %q, want %q", kind, got, want)
		}
	}
	for want, e := range map[string]models.Event{
		"/people/p1":                   {SubjectKind: models.OfCredential, PersonID: "p1", SubjectID: "s1"},
		"/w/w1/settings/api-tokens/s1": {SubjectKind: models.OfCredential, WorkspaceID: "w1", SubjectID: "s1"},
		"/people/p2":                   {SubjectKind: models.OfCredential, PersonID: "p2", WorkspaceID: "w1", SubjectID: "s1", Action: models.CallDenied}, // it may be any token of theirs
		"/people/p3":                   models.Event{SubjectKind: models.OfCredential, PersonID: "p3", WorkspaceID: "w1", SubjectID: "s1", Action: models.CallDenied}.WithChanges(models.Change{Field: models.KindField, After: "API key"}),
		"":                             models.Event{SubjectKind: models.OfCredential, WorkspaceID: "w1", SubjectID: "s1", Action: models.CallDenied}.WithChanges(models.Change{Field: models.KindField, After: "collection access key"}),
		"/w/w2/settings/api-tokens/s2": {SubjectKind: models.OfCredential, WorkspaceID: "w2", SubjectID: "s2", Action: models.CallDenied},
	} {
		if got := subjectPath(e); got != want {
			t.Errorf("%+v leads to %q, want %q", e, got, want)
		}
	}
	e := models.Event{Action: models.PersonChanged, CredentialID: "c1", Seq: 7, RequestID: "r1"}.WithChanges(
		models.Change{Field: "name", Before: "A", After: "B"}, models.Change{Field: "workspace"})
	got := details(e)
	want := []views.Change{{Label: "name", Before: "A", After: "B"}, {Label: "with credential", After: "c1"}, {Label: "event", After: "7"}, {Label: "request", After: "r1"}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}

// What is done with a token is told in the words of its kind, and what else came of something at the end.
func TestTokensAreTold(t *testing.T) {
	h := &Handlers{Clock: models.SystemClock}
	bearer := models.Event{SubjectKind: models.OfCredential, SubjectName: "Tom", PersonID: "p1", Action: models.CredentialCreated}
	api := models.Event{SubjectKind: models.OfCredential, SubjectName: "Build", WorkspaceID: "w1"}
	automation := models.Event{SubjectKind: models.OfCredential, SubjectName: "Nightly", WorkspaceID: "w1", PersonID: "p1"}
	key := models.Event{SubjectKind: models.OfCredential, SubjectName: "CI", PersonID: "p1"}
	share := models.Event{SubjectKind: models.OfCredential, SubjectName: "Access key", WorkspaceID: "w1"}
	aKey, aShare := models.Change{Field: models.KindField, After: "API key"}, models.Change{Field: models.KindField, After: "collection access key"}
	session := models.Event{SubjectKind: models.OfSession, SubjectName: "Tom", PersonID: "p1", WorkspaceID: "w1"}
	ended := models.Change{Field: models.AutomationEnded, After: "2"}
	with := func(e models.Event, action models.Action, changes ...models.Change) models.Event {
		e.Action, e.ActorKind, e.ActorName = action, models.Human, "Ines"
		return e.WithChanges(changes...)
	}
	for want, e := range map[string]models.Event{
		"Ines created a bearer token for Tom":                             with(bearer, models.CredentialCreated),
		"Ines revoked the bearer token of Tom":                            with(bearer, models.CredentialRevoked),
		"Ines created the API token Build":                                with(api, models.CredentialCreated),
		"Ines renamed the API token Build":                                with(api, models.CredentialRenamed),
		"Ines created the automation token Nightly":                       with(automation, models.CredentialCreated),
		"Ines revoked the automation token Nightly":                       with(automation, models.CredentialRevoked),
		"Ines regenerated the automation token Nightly":                   with(automation, models.CredentialRegenerated),
		"Ines activated the automation token Nightly":                     with(automation, models.CredentialActivated),
		"Ines deactivated the automation token Nightly":                   with(automation, models.CredentialDeactivated),
		"Ines renamed the automation token Nightly":                       with(automation, models.CredentialRenamed),
		"Ines generated the API key CI":                                   with(key, models.CredentialCreated, aKey),
		"Ines revoked the API key CI":                                     with(key, models.CredentialRevoked, models.Change{Field: "reason"}, aKey),
		"Ines regenerated the API key CI":                                 with(key, models.CredentialRegenerated, aKey),
		"Ines renamed the API key CI":                                     with(key, models.CredentialRenamed, aKey),
		"Ines shared the collection Tools with the access key Access key": with(share, models.CredentialCreated, models.Change{Field: "collection", After: "Tools"}, aShare),
		"Ines shared a collection with the access key Access key":         with(share, models.CredentialCreated, models.Change{Field: "collection", After: "{subject}"}, aShare),
		"Ines revoked the collection access key Access key":               with(share, models.CredentialRevoked, aShare),
		"Ines deleted the collection Tools, which ended 3 access keys":    with(models.Event{SubjectName: "Tools"}, models.CollectionDeleted, models.Change{Field: models.SharesEnded, After: "3"}),
		"Ines signed in":                                                              with(session, models.SessionStarted, models.Change{Field: "browser", After: "Firefox"}),
		"Ines signed in with a program":                                               with(session, models.SessionStarted, models.Change{Field: "program", After: "curl"}),
		"Ines renewed the sign-in of a program":                                       with(session, models.SessionRenewed),
		"Ines renewed the sign-in of a program, now in Harbour":                       with(session, models.SessionRenewed, models.Change{Field: "workspace", After: "Harbour"}),
		" A refresh token of Tom was used twice: the program is signed out":           with(session, models.SessionStolen),
		"Ines made a new key that signs sign-in tokens":                               with(models.Event{SubjectKind: models.OfInstallation}, models.JWTKeyMade),
		"Ines changed the password of Tom, which ended 2 automation tokens":           with(models.Event{SubjectName: "Tom"}, models.PasswordChanged, ended),
		"Ines deactivated Tom, which ended 2 automation tokens":                       with(models.Event{SubjectName: "Tom"}, models.PersonDeactivated, ended),
		"Ines removed Tom from the workspace Harbour, which ended 1 automation token": with(models.Event{SubjectName: "Tom"}, models.MemberRemoved, models.Change{Field: "workspace", After: "Harbour"}, models.Change{Field: models.AutomationEnded, After: "1"}),
	} {
		if got := text(h.entry(e, "/audit")); got != want {
			t.Errorf("it reads %q, want %q", got, want)
		}
	}
}

func text(e views.Entry) string {
	said := e.Actor + " "
	for _, part := range e.Sentence {
		said += part.Text
	}
	return said
}

// actions lists the constants of models.Action, read from the source that declares them.
func actions(t *testing.T) (all []models.Action) {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), "../models/event.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(source, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Action" && len(spec.Values) == 1 {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, models.Action(value))
		}
		return true
	})
	return all
}
