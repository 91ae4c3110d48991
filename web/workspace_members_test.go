package web_test

import (
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const memberships = "/w/marlowe-press/settings/members"

// memberRow is what the list says of somebody, "" where they are not in it.
func memberRow(t *testing.T, page *webtest.Answer, id string) string {
	t.Helper()
	return strings.Join(strings.Fields(page.Page(t).Find(`tr[data-person-id="`+id+`"]`).Text()), " ")
}

// An Admin makes a workspace, owns it, and is told what is wrong with a name.
func TestCreatingAWorkspace(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, "ines@marlowe.example")
		admin.Get(t, "/").Want(t, 200).Has(t, "New workspace")
		for name, says := range map[string]string{"": "Enter a workspace name.", "  ": "Enter a workspace name.", strings.Repeat("x", 61): "60 characters or fewer", "a\u202eb": "can't be shown"} {
			back := admin.Post(t, "/workspaces", webtest.Form{"name": name}).Want(t, 422)
			if said := back.Problem(t, "name"); !strings.Contains(said, says) {
				t.Errorf("%q: it says %q", name, said)
			}
		}
		admin.Post(t, "/workspaces", webtest.Form{"name": "Harbour <b>"}).To(t, "/w/harbour-b/settings")
		admin.Get(t, "/w/harbour-b/settings").Want(t, 200).Has(t, "Harbour <b>").Has(t, "You own it.")
		admin.Post(t, "/workspaces", webtest.Form{"name": "Harbour <b>"}).To(t, "/w/harbour-b-2/settings")
		admin.Get(t, "/audit").Has(t, "created the workspace")
		member := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		member.Get(t, "/workspaces/new").Want(t, 403)
		if page := member.Get(t, "/").Want(t, 200); strings.Contains(page.Body, "/workspaces/new") {
			t.Error("a Member is led to where they may not go")
		}
	})
}

// Members are added, changed and removed on their page, which offers what its reader may do and nothing else.
func TestMembersPage(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, "ines@marlowe.example")
		admin.Post(t, "/workspaces", webtest.Form{"name": "Harbour"}).Want(t, 303) // from now on nobody joins by themself
		tom, ann := s.Person(t, s.Admin, models.Member), s.Person(t, s.Admin, models.Member)
		for _, c := range []struct{ email, role, field, says string }{
			{"", "Member", "email", "Enter an email address."}, {"nobody@x.example", "Member", "email", "Nobody here has this email address."}, {tom.Email, "Owner", "role", "Choose a role."},
		} {
			back := admin.Post(t, memberships, webtest.Form{"email": c.email, "role": c.role}).Want(t, 422)
			if said := back.Problem(t, c.field); !strings.Contains(said, c.says) || back.Page(t).Find("#email").AttrOr("value", "") != c.email {
				t.Errorf("%q as %q: it says %q", c.email, c.role, said)
			}
		}
		admin.Post(t, memberships, webtest.Form{"email": tom.Email, "role": "Member"}).To(t, memberships)
		admin.Post(t, memberships, webtest.Form{"email": ann.Email, "role": "Admin"}).To(t, memberships)
		list := admin.Get(t, memberships).Want(t, 200).Has(t, "3 members")
		if row := memberRow(t, list, tom.ID); !strings.Contains(row, tom.Email) || !strings.Contains(row, "Remove") || !strings.Contains(row, "Make Owner") {
			t.Errorf("the row says %q", row)
		}
		if row := memberRow(t, list, s.Admin.ID); !strings.Contains(row, "Owner") || strings.Contains(row, "Remove") {
			t.Errorf("the Owner's row says %q", row)
		}

		his, hers := s.SignedIn(t, tom.Email), s.SignedIn(t, ann.Email)
		seen := his.Get(t, memberships).Want(t, 200)
		if row := memberRow(t, seen, ann.ID); !strings.Contains(row, ann.Name) || strings.Contains(row, ann.Email) {
			t.Errorf("a Member sees of another one %q", row)
		}
		if n := seen.Page(t).Find(`main form, main a[href$="/hand-over"]`).Length(); n != 0 || seen.Page(t).Find(`main a[href$="/remove"]`).Length() != 1 {
			t.Errorf("a Member has %d forms: %s", n, memberRow(t, seen, tom.ID))
		}
		his.Post(t, memberships+"/"+ann.ID, webtest.Form{"role": "Member"}).Want(t, 403)
		hers.Post(t, memberships+"/"+tom.ID, webtest.Form{"role": "Admin"}).To(t, memberships)
		hers.Get(t, memberships).Want(t, 200).Has(t, "has the role Admin in this workspace now.")
		hers.Post(t, memberships+"/"+s.Admin.ID, webtest.Form{"role": "Member"}).Want(t, http.StatusConflict).Has(t, "Hand it over to another member first.")
		hers.Get(t, memberships+"/"+tom.ID+"/hand-over").Want(t, 200)
		hers.Post(t, memberships+"/"+tom.ID+"/hand-over", nil).Want(t, 403)

		his.Get(t, memberships+"/"+tom.ID+"/remove").Want(t, 200).Has(t, "Leave Marlowe Press?")
		his.Post(t, memberships+"/"+tom.ID+"/remove", nil).To(t, "/")
		his.Get(t, "/").Want(t, 200).Has(t, "You have left the workspace.")
		his.Get(t, memberships).Want(t, 404)
		hers.Get(t, "/w/marlowe-press/settings/audit").Want(t, 200).Has(t, "from the workspace Marlowe Press")
		for _, odd := range []string{"x", models.NewID(), "%00", tom.ID} {
			for _, what := range []string{"/remove", "/hand-over"} {
				admin.Get(t, memberships+"/"+odd+what).Want(t, 404)
				admin.Post(t, memberships+"/"+odd+what, nil).Want(t, 404)
			}
		}
	})
}

// Handing a workspace over asks for the password when it was last given a while ago, and leaves one Owner.
func TestHandingOver(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		tom := s.Person(t, s.Admin, models.Member)
		admin := s.SignedIn(t, "ines@marlowe.example")
		s.Clock.Advance(models.RecentSignIn)
		page := admin.Get(t, memberships+"/"+tom.ID+"/hand-over").Want(t, 200).Has(t, "Make "+tom.Name+" the Owner of Marlowe Press?")
		if page.Page(t).Find(`main input[name="current_password"]`).Length() != 1 {
			t.Error("the password is not asked for")
		}
		before := s.Changes(t)
		admin.Post(t, memberships+"/"+tom.ID+"/hand-over", webtest.Form{"current_password": "wrong"}).Want(t, 422)
		if s.Changes(t) != before {
			t.Error("it was handed over without the password")
		}
		admin.Post(t, memberships+"/"+tom.ID+"/hand-over", webtest.Form{"current_password": storetest.Password}).To(t, memberships)
		list := admin.Get(t, memberships).Want(t, 200).Has(t, "owns this workspace now.")
		if row := memberRow(t, list, tom.ID); !strings.Contains(row, "Owner") || strings.Contains(row, "Make Owner") {
			t.Errorf("the new Owner's row says %q", row)
		}
		owners := 0
		for _, cell := range list.Page(t).Find(`td[data-l="Role"]`).EachIter() {
			if strings.TrimSpace(cell.Text()) == "Owner" {
				owners++
			}
		}
		if owners != 1 {
			t.Errorf("there are %d Owners", owners)
		}
	})
}
