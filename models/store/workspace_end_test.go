package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// A workspace that is deleted is there for nobody, by its slug or its ID; its members are gone, its slug is free for
// another one, and what happened in it stays in the log. Prune then removes its collections, and no other's.
func TestDeleteWorkspace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		admin := models.Actor{Kind: models.Human, ID: who.ID, Name: who.Name, Role: models.Admin}
		owner, member := w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		ws, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Harbour Books"})
		must(t, err)
		for _, p := range []models.Person{owner, member} {
			_, err := w.AddMember(t.Context(), admin, ws.Slug, models.NewMember{Email: p.Email, Role: models.WorkspaceMember})
			must(t, err)
		}
		_, err = w.HandOver(t.Context(), admin, ws.Slug, owner.ID)
		must(t, err)
		card, text := w.WorkspaceToken(t, admin, ws.Slug, models.NewAPIToken{Name: "a"})
		_, err = w.RevokeAPIToken(t.Context(), admin, ws.Slug, card.ID, models.Revocation{})
		must(t, err)
		for _, content := range []string{"PK one", "PK two", "PK shared"} {
			n := archive(content[3:]+".zip", content)
			n.Workspace = ws.Slug
			install(t, w, who, n)
		}
		shared := archive("shared.zip", "PK shared")
		shared.Workspace = home
		kept := install(t, w, who, shared)
		told := number(t, w, "SELECT count(*) FROM events WHERE workspace_id = ?", ws.ID)

		deleted, err := w.DeleteWorkspace(t.Context(), storetest.As(owner), ws.Slug, " Harbour  Books ")
		if err != nil || deleted.ID != ws.ID || deleted.DeletedAt == nil || !deleted.DeletedAt.Equal(w.Clock.Now()) {
			t.Fatalf("deleted %+v (%v)", deleted, err)
		}
		if e := lastEvent(t, w); e.Action != models.WorkspaceDeleted || e.ActorID != owner.ID || e.SubjectID != ws.ID || e.SubjectName != "Harbour Books" || e.WorkspaceID != ws.ID ||
			!slices.Equal(e.ChangeList(), []models.Change{{Field: "name", Before: "Harbour Books"}}) {
			t.Errorf("the event is %+v", e)
		}
		wantDeleted(t, w, ws, admin, storetest.As(owner), storetest.As(member), command, who)
		if grant, err := w.GrantOf(t.Context(), text.Hash()); err != nil || !grant.Opens.Closed || grant.Credential.State(w.Clock.Now()) != models.Revoked {
			t.Errorf("its token is granted %+v (%v)", grant, err)
		}
		if seen, err := w.Credential(t.Context(), admin, card.ID); err != nil || seen.Name != "a" {
			t.Errorf("its card is %+v (%v)", seen, err)
		}
		again, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Harbour Books"})
		if err != nil || again.Slug != ws.Slug || again.ID == ws.ID {
			t.Fatalf("the next one is %+v (%v)", again, err)
		}
		if found, err := w.APITokens(t.Context(), admin, again.Slug, models.TokenFilter{}); err != nil || len(found.Tokens) != 0 {
			t.Errorf("the next one has the tokens %+v (%v)", found.Tokens, err)
		}
		must(t, w.Prune(t.Context()))
		must(t, w.Prune(t.Context())) // there is nothing left to do
		whole(t, w)
		if left := number(t, w, "SELECT count(*) FROM collections"); left != 1 || string(content(t, w, kept.Version.SHA256)) != "PK shared" || number(t, w, "SELECT count(*) FROM blobs") != 1 {
			t.Errorf("%d collections and %d archives are left", left, number(t, w, "SELECT count(*) FROM blobs"))
		}
		list, err := w.Events(t.Context(), admin, models.EventFilter{WorkspaceID: ws.ID, Limit: 100})
		if err != nil || int64(len(list)) != told+1 {
			t.Errorf("%d events of it are left, of %d (%v)", len(list), told+1, err)
		}
		_, err = w.Events(t.Context(), storetest.As(owner), models.EventFilter{WorkspaceID: ws.ID, Limit: 100})
		wantKind(t, "its log, to who was its Owner", err, models.NotFound)
	})
}

// wantDeleted insists that nobody can open a workspace or finds it in a list.
func wantDeleted(t *testing.T, w storetest.World, ws models.Workspace, everybody ...models.Actor) {
	t.Helper()
	for _, who := range everybody {
		for _, name := range []string{ws.Slug, ws.ID} {
			_, err := w.Workspace(t.Context(), who, name)
			wantKind(t, "opened by "+who.Name, err, models.NotFound)
			_, err = w.DeleteWorkspace(t.Context(), who, name, ws.Name)
			wantKind(t, "deleted again by "+who.Name, err, models.NotFound)
			_, err = w.APITokens(t.Context(), who, name, models.TokenFilter{})
			wantKind(t, "its tokens, by "+who.Name, err, models.NotFound)
		}
		list, err := w.Workspaces(t.Context(), who, models.Place{})
		if err != nil || slices.ContainsFunc(list, func(seen models.WorkspaceSeen) bool { return seen.ID == ws.ID }) {
			t.Errorf("%s sees %+v (%v)", who.Name, list, err)
		}
	}
	if n := number(t, w, "SELECT count(*) FROM memberships WHERE workspace_id = ?", ws.ID); n != 0 {
		t.Errorf("%d members are left", n)
	}
}

// It takes the name, typed as it is written, and that no token could open anything any more: the answer says how many
// could. What has ended does not count, whichever way it did.
func TestDeleteWorkspaceRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		boss := storetest.As(w.Person(t, admin, models.Member))
		member := storetest.As(w.Person(t, admin, models.Member))
		_, err := w.ChangeMember(t.Context(), admin, home, boss.ID, models.WorkspaceAdmin)
		must(t, err)
		ws, err := w.Workspace(t.Context(), admin, home)
		must(t, err)
		live := func(want int) {
			t.Helper()
			if n, err := w.LiveTokens(t.Context(), ws.ID); err != nil || n != want {
				t.Errorf("%d tokens are live, want %d (%v)", n, want, err)
			}
		}
		refused := func(what, typed string, who models.Actor, kind models.Kind, says string) {
			t.Helper()
			unchanged(t, w, what, func() {
				_, err := w.DeleteWorkspace(t.Context(), who, home, typed)
				if models.KindOf(err) != kind || !strings.Contains(fmt.Sprint(err), says) {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		const name = "Marlowe Press"
		refused("by a Member", name, member, models.Forbidden, "Only the workspace's Owner")
		refused("by its Admin", name, boss, models.Forbidden, "Only the workspace's Owner")
		refused("another name", "marlowe press", admin, models.Invalid, "Type the name as it is written: Marlowe Press")
		refused("no name", "", admin, models.Invalid, "Type the name")
		live(0)
		first, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a", Expiration: models.ForAWeek})
		live(1)
		refused("with one", name, admin, models.Conflict, "Marlowe Press can't be deleted while it has 1 token that is active or inactive. Revoke them first.")
		second, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "b"})
		_, err = w.SwitchAPIToken(t.Context(), admin, home, second.ID, false)
		must(t, err)
		live(2)
		refused("with two, and no name", "", admin, models.Conflict, "while it has 2 tokens that are active or inactive")
		w.Clock.Advance(first.ExpiresAt.Sub(w.Clock.Now()))
		live(1)
		_, err = w.RevokeAPIToken(t.Context(), admin, home, second.ID, models.Revocation{})
		must(t, err)
		live(0)
		_, err = w.DeleteWorkspace(t.Context(), command, home, name)
		must(t, err)
	})
}

// A token that is made while its workspace is deleted either keeps it from being deleted or is not made.
func TestDeleteWorkspaceWhileMakingTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		stores := []*store.Store{w.Store, w.Open(t)}
		for round := range 10 {
			ws, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: fmt.Sprint("Round ", round)})
			must(t, err)
			failed := atOnce(2, func(i int) error {
				if i == round%2 {
					_, err := stores[i].DeleteWorkspace(t.Context(), admin, ws.Slug, ws.Name)
					return err
				}
				_, _, err := stores[i].CreateAPIToken(t.Context(), admin, ws.Slug, models.NewAPIToken{Name: "a"}, fmt.Sprintf("form-of-the-round-%d", round))
				return err
			})
			got := fmt.Sprint(models.KindOf(failed[round%2]), " ", models.KindOf(failed[1-round%2]))
			if got != "conflict " && got != " not_found" {
				t.Errorf("round %d: %v", round, failed)
			}
		}
		if n := number(t, w, "SELECT count(*) FROM credentials c JOIN workspaces w ON w.id = c.workspace_id WHERE w.deleted_at IS NOT NULL"); n != 0 {
			t.Errorf("%d tokens of deleted workspaces", n)
		}
	})
}

// The limits of a workspace are changed by who runs it, within bounds, and are an event when they change.
func TestSetCallLimits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := storetest.As(w.Person(t, admin, models.Member))
		set := func(who models.Actor, api, user, automation int) error {
			_, err := w.SetCallLimits(t.Context(), who, home, models.CallLimits{API: api, User: user, Automation: automation})
			return err
		}
		unchanged(t, w, "what is refused, or as it is", func() {
			wantKind(t, "by a Member", set(member, 5, 50, 300), models.Forbidden)
			wantKind(t, "by a visitor", set(guest, 5, 50, 300), models.NotFound)
			wantField(t, "none", set(admin, 0, 50, 300), "calls_a_minute", "whole number from 1 to 1,000,000")
			wantField(t, "too many", set(admin, models.MostCallsAMinute+1, 50, 300), "calls_a_minute", "whole number")
			wantField(t, "automation below a sign-in", set(admin, 600, 50, 49), "automation_calls_a_minute", "at least as many")
			wantKind(t, "the same", set(admin, models.DefaultAPICalls, models.DefaultUserCalls, models.DefaultAutomationCalls), "")
		})
		for _, l := range []models.CallLimits{{API: 1, User: 1, Automation: 1}, {API: models.MostCallsAMinute, User: models.MostCallsAMinute, Automation: models.MostCallsAMinute}, {API: 60, User: models.MostCallsAMinute, Automation: models.MostCallsAMinute}} {
			must(t, set(admin, l.API, l.User, l.Automation))
			if ws, err := w.Workspace(t.Context(), member, home); err != nil || ws.APICallsAMinute != l.API || ws.UserCallsAMinute != l.User || ws.AutomationCallsAMinute != l.Automation {
				t.Errorf("it is %+v (%v)", ws, err)
			}
		}
		if e := lastEvent(t, w); e.Action != models.WorkspaceChanged || !slices.Equal(e.ChangeList(), []models.Change{{Field: "calls a minute of each API token", Before: "1000000", After: "60"}}) {
			t.Errorf("the event is %+v", e)
		}
	})
}

// A person chooses their own time zone, which is UTC until then; whoever is no person has none.
func TestSetTimeZone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		ann := w.Person(t, admin, models.Member)
		if ann.TimeZone != "UTC" || ann.Zone() != time.UTC {
			t.Errorf("a new person is in %q", ann.TimeZone)
		}
		token, _ := w.Token(t, admin, ann.ID)
		set := func(who models.Actor, zone string) error {
			return w.SetTimeZone(t.Context(), who, models.ZoneChoice{Name: zone})
		}
		unchanged(t, w, "what is refused, or as it is", func() {
			for _, who := range []models.Actor{guest, command, server, {Kind: models.Program, ID: ann.ID, CredentialID: token.ID}} {
				wantKind(t, "by "+string(who.Kind), set(who, "Europe/London"), models.Forbidden)
			}
			for _, zone := range []string{"", "Local", "Mars/Olympus", "../etc/passwd", "\x00"} {
				wantField(t, zone, set(storetest.As(ann), zone), "time_zone", "Enter a time zone by its name")
			}
			wantKind(t, "the same", set(storetest.As(ann), "UTC"), "")
		})
		must(t, set(storetest.As(ann), " America/New_York "))
		if e := lastEvent(t, w); e.Action != models.PersonChanged || e.SubjectID != ann.ID || !slices.Equal(e.ChangeList(), []models.Change{{Field: "time zone", Before: "UTC", After: "America/New_York"}}) {
			t.Errorf("the event is %+v", e)
		}
		if now := record(t, w, ann); now.Zone().String() != "America/New_York" || record(t, w, models.Person{ID: admin.ID}).TimeZone != "UTC" {
			t.Errorf("they are in %q", now.TimeZone)
		}
	})
}
