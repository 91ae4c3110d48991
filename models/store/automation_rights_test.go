package store_test

import (
	"fmt"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Who may do what with a member's automation token: its person everything, as long as they are a member; whoever manages the
// workspace's API tokens everything but to make its secret known, which would act as another person; to everybody else there is
// no such token, or no such workspace.
func TestWhoMayManageAutomationTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		people := map[string]models.Person{}
		for _, name := range []string{"owner", "ws admin", "member", "another member", "elsewhere"} {
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
		join(ws.Slug, "another member", models.WorkspaceMember)
		join(other.Slug, "elsewhere", models.WorkspaceAdmin)
		_, err = w.HandOver(t.Context(), admin, ws.Slug, people["owner"].ID)
		must(t, err)
		_, err = w.RemoveMember(t.Context(), admin, ws.Slug, admin.ID)
		must(t, err)
		bearer, _ := w.Token(t, admin, people["member"].ID)
		program := models.Actor{Kind: models.Program, ID: people["member"].ID, Role: models.Member, CredentialID: bearer.ID}
		const ok, no, hidden = models.Kind(""), models.Forbidden, models.NotFound
		for name, c := range map[string]struct {
			who                            models.Actor
			create, list, rest, regenerate models.Kind
		}{
			"its person":                    {storetest.As(people["member"]), ok, ok, ok, ok},
			"its person's program":          {program, no, ok, ok, no},
			"its Owner":                     {storetest.As(people["owner"]), ok, ok, ok, no},
			"its Admin":                     {storetest.As(people["ws admin"]), ok, ok, ok, no},
			"an Admin of the installation":  {admin, no, ok, ok, no},
			"the command line":              {command, no, ok, ok, no},
			"another Member":                {storetest.As(people["another member"]), ok, ok, hidden, hidden},
			"another workspace's Admin":     {storetest.As(people["elsewhere"]), no, hidden, hidden, hidden},
			"somebody who is not signed in": {guest, no, hidden, hidden, hidden},
			"the server":                    {server, no, hidden, hidden, hidden},
		} {
			card, live := w.Automation(t, storetest.As(people["member"]), ws.Slug, models.NewAutomationToken{Period: "1h"})
			check := func(what string, err error, want models.Kind) { t.Helper(); wantKind(t, what+" by "+name, err, want) }
			before := events(t, w, "")
			_, text, err := w.CreateAutomationToken(t.Context(), c.who, ws.Slug, models.NewAutomationToken{Period: "1h"}, secret.FormID())
			check("create", err, c.create)
			made := events(t, w, "") - before
			list, _, err := w.AutomationTokens(t.Context(), c.who, ws.Slug, models.Place{})
			check("list", err, c.list)
			n, err := w.CountAutomationTokens(t.Context(), c.who, ws.Slug)
			check("count", err, c.list)
			shown := 0
			for _, t := range list {
				if t.ID == card.ID {
					shown++
				}
			}
			if want := c.rest == ok; (shown == 1) != want || n != len(list) {
				t.Errorf("%s sees %d tokens, counted %d, this one among them %d times", name, len(list), n, shown)
			}
			_, second, err := w.RegenerateAutomationToken(t.Context(), c.who, ws.Slug, card.ID, models.AutomationRegeneration{}, secret.FormID())
			check("regenerate", err, c.regenerate)
			if (text != "") != (c.create == ok) || (second != "") != (c.regenerate == ok) {
				t.Errorf("%s: secrets of %d and %d characters", name, len(text), len(second))
			}
			for what, do := range automationMethods(t, w, c.who, ws.Slug, card.ID) {
				check(what, do(), c.rest)
			}
			_, err = w.RevokeAutomationToken(t.Context(), c.who, ws.Slug, card.ID, models.Revocation{})
			check("revoke", err, c.rest)
			if c.rest != ok && (events(t, w, "") != before+made || stateOf(t, w, live) != models.Active) {
				t.Errorf("%s changed something", name)
			}
		}
	})
}

// automationMethods are those that can be called again and again.
func automationMethods(t *testing.T, w storetest.World, who models.Actor, workspace, id string) map[string]func() error {
	return map[string]func() error{
		"look": func() error { _, err := w.AutomationToken(t.Context(), who, workspace, id); return err },
		"days": func() error { _, err := w.AutomationDays(t.Context(), who, workspace, id, w.Clock.Now()); return err },
		"deactivate": func() error {
			_, err := w.SwitchAutomationToken(t.Context(), who, workspace, id, false)
			return err
		},
		"rename": func() error {
			_, err := w.RenameAutomationToken(t.Context(), who, workspace, id, models.TokenNaming{Name: models.NewID()})
			return err
		},
	}
}

// A kind of token is found among its own, in its own workspace: an API token is no automation token, and the other way round.
func TestAutomationTokensStayWhereTheyAre(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		mine, _ := w.Automation(t, admin, home, models.NewAutomationToken{Period: "no_exp"})
		theirs, text := w.Automation(t, admin, other.Slug, models.NewAutomationToken{Period: "no_exp"})
		card, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "card"})
		bearer, _ := w.Token(t, admin, admin.ID)
		unchanged(t, w, "what is not there", func() {
			for _, id := range []string{theirs.ID, card.ID, bearer.ID, models.NewID(), "x", "\x00", ""} {
				for what, do := range automationMethods(t, w, admin, home, id) {
					wantKind(t, fmt.Sprintf("%s %q", what, id), do(), models.NotFound)
				}
				_, err := w.RevokeAutomationToken(t.Context(), admin, home, id, models.Revocation{})
				wantKind(t, "revoke", err, models.NotFound)
				_, second, err := w.RegenerateAutomationToken(t.Context(), admin, home, id, models.AutomationRegeneration{}, secret.FormID())
				if wantKind(t, "regenerate", err, models.NotFound); second != "" {
					t.Error("a secret was answered")
				}
			}
			methods := tokenMethods(t, w, admin, home, mine.ID)
			delete(methods, "list")
			for what, do := range methods {
				wantKind(t, what+" an automation token as an API token", do(), models.NotFound)
			}
		})
		found, err := w.APITokens(t.Context(), admin, home, models.TokenFilter{Sort: models.MostUsed})
		if err != nil || len(found.Tokens) != 1 || found.Tokens[0].ID != card.ID {
			t.Errorf("the API tokens are %+v (%v)", found.Tokens, err)
		}
		if state := stateOf(t, w, text); state != models.Active {
			t.Errorf("theirs is %s", state)
		}
	})
}

// Whoever is not a member any more has no token there to regenerate: it ended when they left, and being added again does not
// bring it back.
func TestWhoeverLeftRegeneratesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		boss := storetest.As(w.Person(t, admin, models.Admin)) // may open every workspace
		card, text := w.Automation(t, boss, home, models.NewAutomationToken{Period: "no_exp"})
		_, err := w.RemoveMember(t.Context(), admin, home, boss.ID)
		must(t, err)
		regenerate := func() error {
			_, _, err := w.RegenerateAutomationToken(t.Context(), boss, home, card.ID, models.AutomationRegeneration{Period: "1h"}, secret.FormID())
			return err
		}
		wantKind(t, "regenerate after leaving", regenerate(), models.Forbidden)
		person, err := w.PersonRecord(t.Context(), admin, boss.ID)
		must(t, err)
		_, err = w.AddMember(t.Context(), admin, home, models.NewMember{Email: person.Person.Email, Role: models.WorkspaceAdmin})
		must(t, err)
		wantKind(t, "regenerate after coming back", regenerate(), models.Conflict)
		if state := stateOf(t, w, text); state != models.Revoked {
			t.Errorf("it is %s", state)
		}
	})
}

// A member who leaves while they regenerate a token, on another server, ends with no live secret, whichever comes first.
func TestRegenerateWhileLeaving(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		person := w.Person(t, admin, models.Member)
		member, stores := storetest.As(person), []*store.Store{w.Store, w.Open(t)}
		for round := range 20 {
			card, old := w.Automation(t, member, home, models.NewAutomationToken{Period: "no_exp"})
			var text secret.Text
			failed := atOnce(2, func(i int) (err error) {
				if i == round%2 {
					_, err = stores[i].RemoveMember(t.Context(), admin, home, member.ID)
					return err
				}
				_, text, err = stores[i].RegenerateAutomationToken(t.Context(), member, home, card.ID, models.AutomationRegeneration{}, secret.FormID())
				return err
			})
			wantKind(t, "leave", failed[round%2], "")
			regenerated := models.KindOf(failed[1-round%2])
			if regenerated != "" && regenerated != models.NotFound { // the workspace is not theirs to see any more
				t.Errorf("regenerate: %v", failed[1-round%2])
			}
			want := map[bool]string{true: "replaced revoked", false: "revoked "}[regenerated == ""]
			if got := fmt.Sprintf("%s %s", stateOf(t, w, old), stateOf(t, w, text)); got != want || (text != "") != (regenerated == "") {
				t.Errorf("round %d: the secrets are %q, want %q", round, got, want)
			}
			_, err := w.AddMember(t.Context(), admin, home, models.NewMember{Email: person.Email, Role: models.WorkspaceMember})
			must(t, err)
		}
	})
}
