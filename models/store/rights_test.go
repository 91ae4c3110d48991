package store_test

import (
	"bytes"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// Every method that is for Admins only refuses everybody else, as Forbidden and before anything is written
// (T9). A Member's token has a Member's rights; an Admin's opens all of it but what makes tokens (T10).
func TestOnlyAdminsMay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		person, other := w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		token, _ := w.Token(t, admin, other.ID)
		own, _ := w.Token(t, admin, admin.ID)
		program := models.Actor{Kind: models.Program, ID: admin.ID, Role: models.Admin, CredentialID: own.ID}
		methods := adminMethods(t, w, other, token)
		createToken := func(who models.Actor) error {
			_, _, _, err := w.CreateBearerToken(t.Context(), who, other.ID, secret.FormID())
			return err
		}
		revokeToken := func(who models.Actor) error {
			_, err := w.RevokeBearerToken(t.Context(), who, other.ID, models.Revocation{})
			return err
		}
		refused := []models.Actor{
			{}, guest, server, storetest.As(person),
			{Kind: models.Program, ID: person.ID, Role: models.Member, CredentialID: token.ID},
			{Kind: models.Human, ID: person.ID, Role: "admin"},
		}
		for name, do := range methods {
			for _, who := range refused {
				unchanged(t, w, name, func() { wantKind(t, name+" by "+string(who.Kind), do(who), models.Forbidden) })
			}
		}
		for _, who := range append(refused, program, command) {
			unchanged(t, w, "a token", func() { wantKind(t, "CreateBearerToken by "+string(who.Kind), createToken(who), models.Forbidden) })
		}
		for _, who := range refused {
			unchanged(t, w, "a token", func() { wantKind(t, "RevokeBearerToken by "+string(who.Kind), revokeToken(who), models.Forbidden) })
		}
		for _, who := range []models.Actor{admin, program} {
			for name, do := range methods {
				wantKind(t, name+" by an Admin, as "+string(who.Kind), do(who), "")
			}
		}
		wantKind(t, "ActivatePerson", methods["ActivatePerson"](admin), "")
		wantKind(t, "CreateBearerToken by an Admin", createToken(admin), "")
		wantKind(t, "RevokeBearerToken by a program", revokeToken(program), "")
	})
}

// adminMethods are those that a test can call with any actor, on a person and their token.
func adminMethods(t *testing.T, w storetest.World, other models.Person, token models.Credential) map[string]func(models.Actor) error {
	return map[string]func(who models.Actor) error{
		"People": func(who models.Actor) error {
			_, _, err := w.People(t.Context(), who, models.PeopleFilter{})
			return err
		},
		"CountPeople": func(who models.Actor) error {
			_, err := w.CountPeople(t.Context(), who, models.PeopleFilter{})
			return err
		},
		"CreatePerson": func(who models.Actor) error {
			_, err := w.CreatePerson(t.Context(), who, models.NewPerson{Name: "A", Email: models.NewID() + "@x.example", Role: models.Member, Password: storetest.Password})
			return err
		},
		"EditPerson": func(who models.Actor) error {
			_, err := w.EditPerson(t.Context(), who, other.ID, models.PersonEdit{Name: models.NewID(), Email: other.Email, Role: models.Member})
			return err
		},
		"DeactivatePerson": func(who models.Actor) error { _, err := w.DeactivatePerson(t.Context(), who, other.ID); return err },
		"ActivatePerson":   func(who models.Actor) error { _, err := w.ActivatePerson(t.Context(), who, other.ID); return err },
		"PersonRecord":     func(who models.Actor) error { _, err := w.PersonRecord(t.Context(), who, other.ID); return err },
		"Sessions":         func(who models.Actor) error { _, err := w.Sessions(t.Context(), who, other.ID); return err },
		"SignOutEverywhere": func(who models.Actor) error {
			_, err := w.SignOutEverywhere(t.Context(), who, other.ID)
			return err
		},
		"RevokeCredential": func(who models.Actor) error {
			_, err := w.RevokeCredential(t.Context(), who, token.ID, models.Revocation{})
			return err
		},
		"Credential":  func(who models.Actor) error { _, err := w.Credential(t.Context(), who, token.ID); return err },
		"Credentials": func(who models.Actor) error { _, _, err := w.Credentials(t.Context(), who, 10); return err },
		"Events": func(who models.Actor) error {
			_, err := w.Events(t.Context(), who, models.EventFilter{Limit: 10})
			return err
		},
		"CountEvents": func(who models.Actor) error {
			_, _, err := w.CountEvents(t.Context(), who, models.EventFilter{})
			return err
		},
		"Event":            func(who models.Actor) error { _, err := w.Event(t.Context(), who, "", 1); return err },
		"FindPeople":       func(who models.Actor) error { _, err := w.FindPeople(t.Context(), who, "", "x"); return err },
		"FindCollections":  func(who models.Actor) error { _, err := w.FindCollections(t.Context(), who, "", "x"); return err },
		"FindCredentials":  func(who models.Actor) error { _, err := w.FindCredentials(t.Context(), who, "user_"); return err },
		"EndedCredentials": func(who models.Actor) error { _, err := w.EndedCredentials(t.Context(), who, other.ID, ""); return err },
		"CountEnded":       func(who models.Actor) error { _, err := w.CountEnded(t.Context(), who, other.ID); return err },
		"AddAdmin": func(who models.Actor) error {
			_, err := w.AddAdmin(t.Context(), who, models.NewPerson{Name: "A", Email: models.NewID() + "@x.example", Password: storetest.Password}, press)
			return err
		},
		"InstallCollection": func(who models.Actor) error {
			_, err := w.InstallCollection(t.Context(), who, archive("tools.zip", "PK"))
			return err
		},
	}
}

// archive is a collection to install.
func archive(name, content string) models.NewInstall {
	return models.NewInstall{FileName: name, SHA256: sum(content), Size: int64(len(content)), Content: bytes.NewReader([]byte(content))}
}

// Whoever is a member of a workspace sees it; a Member sees no other, and is not told that there is one.
// Only its Owner and Admins, and Admins of the installation, change it.
func TestWorkspaceRights(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		person := w.Person(t, admin, models.Member)
		member := storetest.As(person)
		second := oneMoreWorkspace(t, w, "Second", person)
		if list, err := w.Workspaces(t.Context(), admin, models.Place{}); err != nil || len(list) != 2 || list[0].Role != models.WorkspaceOwner || list[1].Role != "" {
			t.Errorf("an Admin sees %+v (%v)", list, err)
		}
		if list, err := w.Workspaces(t.Context(), member, models.Place{}); err != nil || len(list) != 2 || list[0].Role != models.WorkspaceMember || list[1].Role != models.WorkspaceOwner {
			t.Errorf("a member of both sees %+v (%v)", list, err)
		}
		stranger := storetest.As(w.Person(t, admin, models.Member)) // with two workspaces there is no telling which is theirs
		for _, who := range []models.Actor{stranger, guest} {
			if list, err := w.Workspaces(t.Context(), who, models.Place{}); err != nil || len(list) != 0 {
				t.Errorf("a stranger sees %+v (%v)", list, err)
			}
			for _, name := range []string{"marlowe-press", second.Slug, second.ID, "no-such"} {
				_, err := w.Workspace(t.Context(), who, name)
				wantKind(t, "a stranger opens "+name, err, models.NotFound)
				_, err = w.RenameWorkspace(t.Context(), who, name, models.NewWorkspace{Name: "Mine"})
				wantKind(t, "a stranger renames "+name, err, models.NotFound)
			}
		}
		unchanged(t, w, "a member", func() {
			_, err := w.RenameWorkspace(t.Context(), member, "marlowe-press", models.NewWorkspace{Name: "Mine"})
			wantKind(t, "a member renames it", err, models.Forbidden)
			_, err = w.RenameWorkspace(t.Context(), admin, "marlowe-press", models.NewWorkspace{Name: " "})
			wantField(t, "no name", err, "name", "Enter")
			_, err = w.RenameWorkspace(t.Context(), admin, "marlowe-press", models.NewWorkspace{Name: " Marlowe  Press "})
			wantKind(t, "the same name", err, "")
		})
		for _, who := range []models.Actor{member, admin} {
			renamed, err := w.RenameWorkspace(t.Context(), who, second.Slug, models.NewWorkspace{Name: "Of " + who.Name})
			if err != nil || renamed.Slug != second.Slug || renamed.Name != "Of "+who.Name {
				t.Errorf("renamed to %+v (%v)", renamed, err)
			}
		}
		if e := lastEvent(t, w); e.Action != models.WorkspaceChanged || e.WorkspaceID != second.ID || len(e.ChangeList()) != 1 {
			t.Errorf("the event is %+v", e)
		}
	})
}

// A program that names no workspace means its person's only one, or an Admin's only one there is; where
// there are several the answer names them.
func TestHomeWorkspace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		person := w.Person(t, admin, models.Member)
		home := func(who models.Actor) string {
			t.Helper()
			seen, err := w.HomeWorkspace(t.Context(), who)
			if err != nil {
				return string(models.KindOf(err)) + ": " + err.Error()
			}
			return seen.Slug
		}
		outside := models.Actor{Kind: models.Program, ID: models.NewID(), Role: models.Admin}
		for name, who := range map[string]models.Actor{"the Owner": admin, "a member": storetest.As(person), "an Admin who is in none": outside} {
			if got := home(who); got != "marlowe-press" {
				t.Errorf("%s: %s", name, got)
			}
		}
		oneMoreWorkspace(t, w, "Second", person)
		if got := home(admin); got != "marlowe-press" {
			t.Errorf("the Owner of one of two: %s", got)
		}
		const several = "ambiguous: There are several workspaces. Say which one with the form field 'workspace', one of: marlowe-press second."
		for _, who := range []models.Actor{storetest.As(person), outside} {
			if got := home(who); got != several {
				t.Errorf("of two: %s", got)
			}
		}
		if got := home(guest); got[:8] != "conflict" {
			t.Errorf("of none: %s", got)
		}
	})
}

// oneMoreWorkspace makes one more workspace, of an owner, past the store, which makes only the first one today.
func oneMoreWorkspace(t *testing.T, w storetest.World, name string, owner models.Person) models.Workspace {
	t.Helper()
	ws := models.BornWorkspace(models.NewID(), name, w.Clock.Now())
	if err := w.DB().Create(&ws).Error; err != nil {
		t.Fatal(err)
	}
	m := models.Membership{WorkspaceID: ws.ID, PersonID: owner.ID, Role: models.WorkspaceOwner, CreatedAt: w.Clock.Now()}
	if err := w.DB().Create(&m).Error; err != nil {
		t.Fatal(err)
	}
	return ws
}
