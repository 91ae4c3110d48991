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
		if how.sentence == "" || how.glyph == "" || strings.Contains(how.sentence, "token") && !strings.Contains(how.sentence, "bearer") && !strings.Contains(how.sentence, "API token") {
			t.Errorf("%s is told as %+v", action, how)
		}
		entry := h.entry(models.Event{
			Action: action, ActorKind: models.Human, ActorName: "Ines", SubjectKind: models.OfPerson, SubjectName: "Tom", PersonID: "p1", At: noon, Seq: 7, RequestID: "r1",
		}, "/audit")
		said := text(entry)
		if strings.Contains(said, "{") || strings.Contains(how.sentence, "{subject}") != strings.Contains(said, "Tom") || strings.HasPrefix(said, "Ines ") == (action == models.SignInRefused) {
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
		models.OfPerson: "/people/p1", models.OfSession: "/people/p1", models.OfCredential: "/people/p1", models.OfWorkspace: "/w/s1/settings", models.OfCollection: "/w/w1/settings/collections/s1", models.OfProduct: "/w/w1/settings/resources", models.OfInstallation: "",
	} {
		e := models.Event{SubjectKind: kind, PersonID: "p1", SubjectID: "s1", WorkspaceID: "w1"}
		if got := subjectPath(e); got != want {
			t.Errorf("a %s leads to %q, want %q", kind, got, want)
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
