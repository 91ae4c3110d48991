package web_test

import (
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// A Member sees neither People nor the button nor the log (issue 2): no page that links lead to has a way
// there, and the addresses themselves, pages and forms, answer 403 with what to do.
func TestMembersSeeWhatIsTheirs(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newMatrix(t, s)
		p := s.Person(t, s.Admin, models.Member)
		member := s.SignedIn(t, p.Email)
		pages := crawl(t, member)
		for path, page := range pages {
			if page.Status != 200 {
				t.Errorf("a link leads to %s: status %d", path, page.Status)
			}
			for _, link := range page.Page(t).Find("a[href], form[action], button[formaction]").EachIter() {
				for _, attr := range []string{"href", "action", "formaction"} {
					if to := link.AttrOr(attr, ""); strings.HasPrefix(to, "/people") || strings.HasPrefix(to, "/audit") {
						t.Errorf("%s leads to %s", path, to)
					}
				}
			}
			if strings.Contains(page.Body, "Create Bearer Token") || strings.Contains(page.Body, s.Admin.Name) && path != "/w/marlowe-press/settings/members" || strings.Contains(page.Body, "ines@marlowe.example") {
				t.Errorf("%s shows what is for Admins", path)
			}
		}
		for _, path := range []string{"/", "/account", "/w/marlowe-press/settings", "/w/marlowe-press/settings/collections"} {
			if pages[path] == nil {
				t.Errorf("no link leads a Member to %s", path)
			}
		}
		for _, row := range web.Rows() {
			if row.Guard != "admins" {
				continue
			}
			r := m.request(t, row, p, m.targets["active"])
			r.AddCookie(&http.Cookie{Name: "sid", Value: session(t, s, p)})
			a := s.Browser(t).Do(t, r)
			if a.Status != 403 || !strings.Contains(a.Text(t, "h1"), "Admin access required") || !strings.Contains(a.Text(t, "main"), "Ask an Admin to change your role.") {
				t.Errorf("%s %s: status %d: %s", row.Method, row.Path, a.Status, a.Text(t, "main"))
			}
			a.HasNot(t, m.targets["active"].Email)
		}
	})
}

// A Member looks at their workspace's settings and changes none; a workspace that is not theirs is not
// there, and reads as one that does not exist.
func TestMembersAndWorkspaces(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p := s.Person(t, s.Admin, models.Member)
		member, before := s.SignedIn(t, p.Email), s.Changes(t)
		page := member.Get(t, "/w/marlowe-press/settings").Want(t, 200)
		if page.Page(t).Find(`main form[action="/w/marlowe-press/settings"]`).Length() > 0 {
			t.Error("a Member is offered to rename the workspace")
		}
		member.Post(t, "/w/marlowe-press/settings", webtest.Form{"name": "Mine"}).Want(t, 403).Has(t, "Only the workspace's Owner and Admins can change it.")
		for _, path := range []string{"/w/nope/settings", "/w/nope/settings/collections", "/w/" + models.NewID() + "/settings"} {
			member.Get(t, path).Want(t, 404)
		}
		member.Post(t, "/w/nope/settings", webtest.Form{"name": "Mine"}).Want(t, 404)
		if s.Changes(t) != before {
			t.Errorf("%d changes", s.Changes(t)-before)
		}
		admin := s.SignedIn(t, "ines@marlowe.example")
		admin.Post(t, "/w/marlowe-press/settings", webtest.Form{"name": "  Marlowe   House "}).To(t, "/w/marlowe-press/settings")
		admin.Get(t, "/w/marlowe-press/settings").Has(t, "The workspace's name is saved.").Has(t, "Marlowe House")
		member.Get(t, "/").Want(t, 200).Has(t, "Marlowe House")
	})
}

// There is always one active Admin: the last one cannot be demoted, not even by themself, nor
// deactivated, and the page says why; a second Admin lifts it, and takes it up again by leaving.
func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	const why = "There must always be one active Admin, and this is the last one. Make somebody else an Admin first."
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, record := s.SignedIn(t, "ines@marlowe.example"), "/people/"+s.Admin.ID
		demote := webtest.Form{"name": "Ines Moreau", "email": "ines@marlowe.example", "role": "Member"}
		stays := func() {
			t.Helper()
			before := s.Changes(t)
			if said := admin.Post(t, record, demote).Want(t, 422).Problem(t, "role"); said != "Error: "+why {
				t.Errorf("beside the role it says %q", said)
			}
			if said := admin.Post(t, record+"/deactivate", nil).Want(t, 409).Text(t, `[role="alert"]`); !strings.Contains(said, why) {
				t.Errorf("the page says %q", said)
			}
			if s.Changes(t) != before || !person(t, s, s.Admin.ID).ActiveAdmin() {
				t.Error("the last Admin is gone")
			}
		}
		stays()
		s.Person(t, s.Admin, models.Member) // a Member is no Admin
		stays()
		second := s.Person(t, s.Admin, models.Admin)
		admin.Post(t, "/people/"+second.ID+"/deactivate", nil).Want(t, 303) // nor is one who is deactivated
		stays()
		admin.Post(t, "/people/"+second.ID+"/activate", nil).Want(t, 303)
		admin.Post(t, record, demote).Want(t, 303)
		s.SignedIn(t, "ines@marlowe.example").Get(t, "/people").Want(t, 403)
		other := s.SignedIn(t, second.Email)
		other.Post(t, "/people/"+second.ID+"/deactivate", nil).Want(t, 409).Has(t, why)
	})
}

// Two Admins who demote each other at the same moment do not both succeed.
func TestTwoAdminsDemoteEachOther(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		one, two := person(t, s, s.Admin.ID), s.Person(t, s.Admin, models.Admin)
		servers := []webtest.Site{s, webtest.Start(t, s.World, webtest.Over(s.Open(t)))}
		by, whom := []string{session(t, s, one), session(t, s, two)}, []models.Person{two, one}
		atOnce(2, func(i int) *webtest.Answer {
			return servers[i].Browser(t).With(t, "sid", by[i]).Post(t, "/people/"+whom[i].ID, webtest.Form{"name": whom[i].Name, "email": whom[i].Email, "role": "Member"})
		})
		if admins := map[bool]int{true: 1}[person(t, s, one.ID).ActiveAdmin()] + map[bool]int{true: 1}[person(t, s, two.ID).ActiveAdmin()]; admins != 1 {
			t.Errorf("%d Admins are left, want one", admins)
		}
	})
}
