package store_test

import (
	"fmt"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// Who may do what with a workspace's tokens: its Owner and Admins and the installation's Admins all, in a browser or with a
// program, but the command line learns no secret; a Member nothing; and to everybody else there is no such workspace.
func TestWhoMayManageAPITokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		people := map[string]models.Person{}
		for _, name := range []string{"owner", "ws admin", "member", "elsewhere"} {
			people[name] = w.Person(t, admin, models.Member)
		}
		join := func(workspace, name string, role models.WorkspaceRole) {
			t.Helper()
			_, err := w.AddMember(t.Context(), admin, workspace, models.NewMember{Email: people[name].Email, Role: role})
			must(t, err)
		}
		ws, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Harbour"})
		must(t, err)
		other, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		join(ws.Slug, "owner", models.WorkspaceMember)
		join(ws.Slug, "ws admin", models.WorkspaceAdmin)
		join(ws.Slug, "member", models.WorkspaceMember)
		join(other.Slug, "elsewhere", models.WorkspaceAdmin)
		_, err = w.HandOver(t.Context(), admin, ws.Slug, people["owner"].ID)
		must(t, err)
		_, err = w.RemoveMember(t.Context(), admin, ws.Slug, admin.ID)
		must(t, err)
		bearer, _ := w.Token(t, admin, people["owner"].ID)
		program := models.Actor{Kind: models.Program, ID: people["owner"].ID, Role: models.Member, CredentialID: bearer.ID}
		const ok, no, hidden = models.Kind(""), models.Forbidden, models.NotFound
		for name, c := range map[string]struct {
			who                      models.Actor
			create, regenerate, rest models.Kind
		}{
			"its Owner":                     {storetest.As(people["owner"]), ok, ok, ok},
			"its Admin":                     {storetest.As(people["ws admin"]), ok, ok, ok},
			"an Admin of the installation":  {admin, ok, ok, ok},
			"its Owner's program":           {program, ok, ok, ok},
			"the command line":              {command, no, no, ok},
			"its Member":                    {storetest.As(people["member"]), no, no, no},
			"another workspace's Admin":     {storetest.As(people["elsewhere"]), hidden, hidden, hidden},
			"somebody who is not signed in": {guest, hidden, hidden, hidden},
			"the server":                    {server, hidden, hidden, hidden},
		} {
			card, _ := w.WorkspaceToken(t, admin, ws.Slug, models.NewAPIToken{Name: "a"})
			check := func(what string, err error, want models.Kind) { wantKind(t, what+" by "+name, err, want) }
			before := events(t, w, "")
			_, text, err := w.CreateAPIToken(t.Context(), c.who, ws.Slug, models.NewAPIToken{Name: "b"}, secret.FormID())
			check("create", err, c.create)
			_, second, err := w.RegenerateAPIToken(t.Context(), c.who, ws.Slug, card.ID, models.Regeneration{}, secret.FormID())
			check("regenerate", err, c.regenerate)
			if (text != "") != (c.create == ok) || (second != "") != (c.regenerate == ok) {
				t.Errorf("%s: secrets of %d and %d characters", name, len(text), len(second))
			}
			for what, do := range tokenMethods(t, w, c.who, ws.Slug, card.ID) {
				check(what, do(), c.rest)
			}
			_, err = w.RevokeAPIToken(t.Context(), c.who, ws.Slug, card.ID, models.Revocation{})
			check("revoke", err, c.rest)
			if c.rest != ok && events(t, w, "") != before {
				t.Errorf("%s left events", name)
			}
		}
	})
}

// tokenMethods are those that can be called again and again.
func tokenMethods(t *testing.T, w storetest.World, who models.Actor, workspace, id string) map[string]func() error {
	return map[string]func() error{
		"list": func() error { _, err := w.APITokens(t.Context(), who, workspace, models.TokenFilter{}); return err },
		"look": func() error { _, err := w.APIToken(t.Context(), who, workspace, id); return err },
		"deactivate": func() error {
			_, err := w.SwitchAPIToken(t.Context(), who, workspace, id, false)
			return err
		},
		"rename": func() error {
			_, err := w.RenameAPIToken(t.Context(), who, workspace, id, models.TokenNaming{Name: models.NewID()})
			return err
		},
	}
}

// A workspace's tokens are its own: with the ID of another one's, or of what is no API token, nothing is found and
// nothing changes, whoever asks.
func TestAPITokensStayInTheirWorkspace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		theirs, text := w.WorkspaceToken(t, admin, other.Slug, models.NewAPIToken{Name: "theirs"})
		bearer, _ := w.Token(t, admin, admin.ID)
		unchanged(t, w, "what is not there", func() {
			for _, id := range []string{theirs.ID, bearer.ID, models.NewID(), "x", "\x00", ""} {
				methods := tokenMethods(t, w, admin, home, id)
				delete(methods, "list")
				for what, do := range methods {
					wantKind(t, fmt.Sprintf("%s %q", what, id), do(), models.NotFound)
				}
				_, err := w.RevokeAPIToken(t.Context(), admin, home, id, models.Revocation{})
				wantKind(t, "revoke", err, models.NotFound)
				_, second, err := w.RegenerateAPIToken(t.Context(), admin, home, id, models.Regeneration{}, secret.FormID())
				if wantKind(t, "regenerate", err, models.NotFound); second != "" {
					t.Error("a secret was answered")
				}
			}
		})
		if found, err := w.APITokens(t.Context(), admin, home, models.TokenFilter{}); err != nil || len(found.Tokens) != 0 {
			t.Errorf("listed %+v (%v)", found.Tokens, err)
		}
		if state := stateOf(t, w, text); state != models.Active {
			t.Errorf("theirs is %s", state)
		}
	})
}
