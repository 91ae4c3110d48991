package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// memberNames lists all members of a workspace, page by page, each with their role.
func memberNames(t *testing.T, w storetest.World, workspace string) (names []string) {
	t.Helper()
	for after, more := (models.Place{}), true; more; more = after.ID != "" {
		page, next, err := w.Members(t.Context(), command, workspace, after)
		must(t, err)
		for _, m := range page {
			names = append(names, m.Name+" "+string(m.Role))
		}
		after = next
	}
	return names
}

// Members are listed by name, each once, whoever renames them; the Owner is one of them.
func TestMembersAreListedByName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		home, err := w.HomeWorkspace(t.Context(), admin)
		must(t, err)
		var ids []string
		for i := range models.PageSize + 3 {
			person, err := w.CreatePerson(t.Context(), admin, models.NewPerson{Name: fmt.Sprintf("Member %02d", i), Email: fmt.Sprintf("m%d@x.example", i), Role: models.Member, Password: storetest.Password})
			must(t, err)
			ids = append(ids, person.ID)
		}
		_, err = w.EditPerson(t.Context(), admin, ids[7], models.PersonEdit{Name: "aaron", Email: "m7@x.example", Role: models.Member})
		must(t, err)
		names := memberNames(t, w, home.ID)
		if len(names) != models.PageSize+4 || names[0] != "aaron Member" || names[1] != "Ines Moreau Owner" || !slices.IsSortedFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
			t.Errorf("%d members: %q", len(names), names)
		}
		if n, err := w.CountMembers(t.Context(), home.ID); err != nil || n != len(names) {
			t.Errorf("counted %d (%v)", n, err)
		}
	})
}

// Somebody is added by any spelling of their address, changed, removed and added again; each is an event of the
// workspace about the person, and what is so already is none.
func TestMembersComeAndGo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		press, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: " Harbour  Books "})
		must(t, err)
		if press.Name != "Harbour Books" || press.Slug != "harbour-books" {
			t.Errorf("made %+v", press)
		}
		tom := w.Person(t, admin, models.Member)
		add := func(email string, role models.WorkspaceRole) error {
			_, err := w.AddMember(t.Context(), admin, press.Slug, models.NewMember{Email: email, Role: role})
			return err
		}
		must(t, add(" "+strings.ToUpper(tom.Email), models.WorkspaceMember))
		_, err = w.ChangeMember(t.Context(), admin, press.ID, tom.ID, models.WorkspaceAdmin)
		must(t, err)
		before := events(t, w, "")
		_, err = w.ChangeMember(t.Context(), admin, press.ID, tom.ID, models.WorkspaceAdmin)
		must(t, err)
		if events(t, w, "") != before {
			t.Error("the same role again is an event")
		}
		if seen, err := w.Workspace(t.Context(), storetest.As(tom), press.Slug); err != nil || seen.Role != models.WorkspaceAdmin {
			t.Errorf("Tom sees %+v (%v)", seen, err)
		}
		_, err = w.RemoveMember(t.Context(), admin, press.ID, tom.ID)
		must(t, err)
		if _, err := w.Workspace(t.Context(), storetest.As(tom), press.Slug); models.KindOf(err) != models.NotFound {
			t.Errorf("somebody who was removed sees the workspace (%v)", err)
		}
		list, err := w.EventsAfter(t.Context(), before-4, 10)
		must(t, err)
		var told []string
		for _, e := range list {
			if e.WorkspaceID == press.ID && e.PersonID == tom.ID {
				told = append(told, string(e.Action))
			}
		}
		if fmt.Sprint(told) != "[member.added member.changed member.removed]" {
			t.Errorf("the log tells of %v", told)
		}
		must(t, add(tom.Email, models.WorkspaceMember))

		gone := w.Person(t, admin, models.Member)
		_, err = w.DeactivatePerson(t.Context(), admin, gone.ID)
		must(t, err)
		before = events(t, w, "")
		for _, c := range []struct {
			email string
			role  models.WorkspaceRole
			says  string
		}{
			{tom.Email, models.WorkspaceAdmin, "is a member already"}, {"nobody@x.example", models.WorkspaceMember, "Nobody here has this email address"}, {gone.Email, models.WorkspaceMember, "Nobody here"},
			{"", models.WorkspaceMember, "Enter an email address"}, {"tom", models.WorkspaceMember, "format"}, {tom.Email, models.WorkspaceOwner, "Choose a role"}, {tom.Email, "", "Choose a role"}, {tom.Email, "owner", "Choose a role"},
		} {
			if err := add(c.email, c.role); models.KindOf(err) != models.Invalid || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q as %q: %v", c.email, c.role, err)
			}
		}
		for _, id := range []string{admin.ID, models.NewID(), "x", "\x00", ""} {
			_, changed := w.ChangeMember(t.Context(), admin, press.ID, id, models.WorkspaceMember)
			_, removed := w.RemoveMember(t.Context(), admin, press.ID, id)
			want := models.NotFound
			if id == admin.ID { // the Owner
				want = models.Conflict
			}
			if models.KindOf(changed) != want || models.KindOf(removed) != want {
				t.Errorf("%q: %v, %v", id, changed, removed)
			}
		}
		if events(t, w, "") != before {
			t.Error("what was refused is an event")
		}
	})
}

// A workspace has one Owner, always: handing it over makes the one before an Admin, and only they or an Admin of the
// installation can do it.
func TestHandOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		home, err := w.HomeWorkspace(t.Context(), admin)
		must(t, err)
		tom, ann := w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		_, err = w.HandOver(t.Context(), admin, home.ID, tom.ID)
		must(t, err)
		owners := func() (list []string) {
			for _, name := range memberNames(t, w, home.ID) {
				if strings.HasSuffix(name, " Owner") {
					list = append(list, strings.TrimSuffix(name, " Owner"))
				}
			}
			return list
		}
		if list := owners(); !slices.Equal(list, []string{tom.Name}) {
			t.Errorf("the owners are %q", list)
		}
		if _, err := w.HandOver(t.Context(), storetest.As(ann), home.ID, ann.ID); models.KindOf(err) != models.Forbidden {
			t.Errorf("a member takes the workspace: %v", err)
		}
		_, err = w.ChangeMember(t.Context(), storetest.As(tom), home.ID, ann.ID, models.WorkspaceAdmin)
		must(t, err)
		if _, err := w.HandOver(t.Context(), storetest.As(ann), home.ID, ann.ID); models.KindOf(err) != models.Forbidden {
			t.Errorf("an Admin of the workspace takes it: %v", err)
		}
		if _, err := w.RemoveMember(t.Context(), storetest.As(ann), home.ID, tom.ID); models.KindOf(err) != models.Conflict {
			t.Errorf("the Owner is removed: %v", err)
		}
		_, err = w.DeactivatePerson(t.Context(), admin, ann.ID)
		must(t, err)
		if _, err := w.HandOver(t.Context(), storetest.As(tom), home.ID, ann.ID); models.KindOf(err) != models.Conflict {
			t.Errorf("somebody deactivated gets it: %v", err)
		}
		if list := owners(); !slices.Equal(list, []string{tom.Name}) {
			t.Errorf("the owners are %q", list)
		}
	})
}

// Who may change members is asked at the moment of the change: a Member may only leave, and somebody from elsewhere does
// not learn that there is such a workspace.
func TestWhoMayChangeMembers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		home, err := w.HomeWorkspace(t.Context(), admin)
		must(t, err)
		tom, ann := w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		stranger := w.Person(t, admin, models.Member)
		_, err = w.RemoveMember(t.Context(), admin, home.ID, stranger.ID)
		must(t, err)
		for who, want := range map[*models.Person]models.Kind{&tom: models.Forbidden, &stranger: models.NotFound} {
			as := storetest.As(*who)
			_, added := w.AddMember(t.Context(), as, home.Slug, models.NewMember{Email: stranger.Email, Role: models.WorkspaceMember})
			_, changed := w.ChangeMember(t.Context(), as, home.Slug, ann.ID, models.WorkspaceAdmin)
			_, removed := w.RemoveMember(t.Context(), as, home.Slug, ann.ID)
			_, owned := w.HandOver(t.Context(), as, home.Slug, who.ID)
			_, renamed := w.RenameWorkspace(t.Context(), as, home.Slug, models.NewWorkspace{Name: "Mine"})
			for what, err := range map[string]error{"add": added, "change": changed, "remove": removed, "own": owned, "rename": renamed} {
				if models.KindOf(err) != want {
					t.Errorf("%s by %s: %v", what, who.Name, err)
				}
			}
			if _, err := w.CreateWorkspace(t.Context(), as, models.NewWorkspace{Name: "Mine"}); models.KindOf(err) != models.Forbidden {
				t.Errorf("%s makes a workspace: %v", who.Name, err)
			}
		}
		if _, _, err := w.Members(t.Context(), storetest.As(stranger), home.Slug, models.Place{}); models.KindOf(err) != models.NotFound {
			t.Errorf("a stranger reads the members: %v", err)
		}
		_, err = w.RemoveMember(t.Context(), storetest.As(tom), home.Slug, tom.ID)
		must(t, err)
	})
}
