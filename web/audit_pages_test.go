package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// Following the log to its end shows every event once, and "Newest" leads back.
func TestTheLogIsPaged(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	for range models.PageSize {
		s.Person(t, s.Admin, models.Member)
	}
	admin := s.SignedIn(t, "ines@marlowe.example")
	s.Clock.Advance(time.Minute)
	shown, pages := 0, 0
	for path := "/audit"; path != ""; pages++ {
		page := admin.Get(t, path).Want(t, 200)
		shown += page.Page(t).Find("main ol > li").Length()
		links := page.Page(t).Find(`nav[aria-label="Pages"] a`)
		if newest := links.FilterFunction(named("Newest")).AttrOr("href", ""); newest != map[bool]string{true: "", false: "/audit"}[path == "/audit"] {
			t.Errorf("on %s Newest leads to %q", path, newest)
		}
		path = links.FilterFunction(named("Older")).AttrOr("href", "")
	}
	if int64(shown) != s.Changes(t) || pages != 2 {
		t.Errorf("%d of %d events on %d pages", shown, s.Changes(t), pages)
	}
}

// Where what is asked for is in many events each and together in few, one page looks through so many, says how far
// back that was and leads further back, until the oldest is found.
func TestTheLogIsSearchedInSteps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := webtest.Start(t, w, webtest.Over(w.OpenWith(t, func(set *store.Settings) { set.Reach = 5 })))
		s.Admin = s.SetUp(t)
		first := s.Person(t, s.Admin, models.Member)
		for range 12 { // the Admin changes others, and somebody else changes the first
			s.Person(t, s.Admin, models.Member)
			_, err := s.EditPerson(t.Context(), models.Actor{Kind: models.Command}, first.ID, models.PersonEdit{Name: first.Name + fmt.Sprint(s.Changes(t)), Email: first.Email, Role: first.Role})
			if err != nil {
				t.Fatal(err)
			}
		}
		s.Clock.Advance(time.Hour)
		admin := s.SignedIn(t, "ines@marlowe.example")
		path, pages := "/audit?actor="+s.Admin.ID+"&subject="+first.ID, 0
		for ; path != "" && pages < 10; pages++ {
			page := admin.Get(t, path).Want(t, 200)
			lines, further := page.Page(t).Find("main ol > li"), page.Page(t).Find("main a").FilterFunction(named("Look further back"))
			path = further.AttrOr("href", "")
			if path == "" {
				if lines.Length() != 1 || !strings.Contains(lines.Text(), "added "+first.Name) {
					t.Errorf("the last page shows %d events", lines.Length())
				}
				continue
			}
			if lines.Length() > 0 {
				t.Errorf("page %d shows %d events", pages, lines.Length())
			}
			page.Has(t, "No events so far").Has(t, "Nothing since 21 Nov 2026, 09:30 UTC has all of this.")
		}
		if pages < 2 || pages > 4 {
			t.Errorf("found after %d pages", pages)
		}
		file := admin.Get(t, "/audit.csv?actor="+s.Admin.ID+"&subject="+first.ID).Want(t, 200)
		if n := strings.Count(file.Body, "person.created"); n != 1 {
			t.Errorf("the file has %d of the events", n)
		}
	})
}

// No value of any parameter of the log is more than it can take, on its pages and in its files.
func TestHostileQuestionsToTheLog(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		busy(t, s)
		admin := s.SignedIn(t, "ines@marlowe.example")
		for name, value := range hostile {
			if len(value) > 5000 {
				value = value[:5000]
			}
			for _, path := range []string{"/audit", "/audit.csv", "/w/marlowe-press/settings/audit", "/w/marlowe-press/settings/audit.jsonl"} {
				for _, parameter := range []string{"actor", "action", "subject", "workspace", "from", "to", "after"} {
					told := "GET " + path + " with " + name + " in " + parameter
					harmless(t, told, name, admin.Get(t, path+"?"+webtest.Form{parameter: value}.Encode()))
				}
			}
		}
	})
}

// The log of a workspace is for its Owner and its Admins, who need be no Admins of the installation: it has the
// workspace's events and no others, and no link to what they may not see. A Member is refused, whatever they ask.
func TestTheWorkspacesLog(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, _, collection := busy(t, s)
		leading, member := s.Person(t, s.Admin, models.Member), s.Person(t, s.Admin, models.Member)
		execute(t, s, "UPDATE memberships SET role = 'Admin' WHERE person_id = '"+leading.ID+"'")
		leader, log := s.SignedIn(t, leading.Email), "/w/marlowe-press/settings/audit"
		page := leader.Get(t, log).Want(t, 200)
		want := shown(t, s, models.EventFilter{WorkspaceID: collection.Workspace.ID})
		if got := seqs(t, page); !slices.Equal(got, want) || len(want) < 2 {
			t.Errorf("it shows %v, want %v", got, want)
		}
		pages := crawl(t, leader, log)
		if pages[log] == nil || pages[log+"/"+want[0]] == nil || pages[log+".csv"] == nil {
			t.Error("no link leads there")
		}
		for path, page := range pages {
			if page.Status != 200 {
				t.Errorf("a link leads to %s: status %d", path, page.Status)
			}
			for _, link := range page.Page(t).Find("a[href]").EachIter() {
				if to := link.AttrOr("href", ""); strings.HasPrefix(to, "/people") || strings.HasPrefix(to, "/audit") {
					t.Errorf("%s leads to %s", path, to)
				}
			}
			if path != memberships { // where the workspace's Admins know everybody
				page.HasNot(t, "elsewhere.example")
			}
		}
		if got := seqs(t, leader.Get(t, log+"?actor=okafor").Want(t, 200)); len(got) != 1 {
			t.Errorf("of Tom it shows %v", got)
		}
		if got := seqs(t, leader.Get(t, log+"?workspace=other&action=collection.installed").Want(t, 200)); len(got) != 2 {
			t.Errorf("of installations it shows %v", got)
		}
		person := shown(t, s, models.EventFilter{Action: models.PersonCreated})[0]
		for _, path := range []string{"/audit", "/audit.csv", "/audit.jsonl", "/audit/" + want[0]} {
			leader.Get(t, path).Want(t, 403)
		}
		leader.Get(t, log+"/"+person).Want(t, 404)
		secondWorkspace(t, s, "harbour", "Harbour Books")
		leader.Get(t, "/w/harbour/settings/audit").Want(t, 404)
		leader.Get(t, "/w/harbour/settings/audit.csv").Want(t, 404)

		other := s.SignedIn(t, member.Email)
		if n := other.Get(t, "/w/marlowe-press/settings").Want(t, 200).Page(t).Find(`a[href*="audit"]`).Length(); n != 0 {
			t.Error("a Member is led to the log")
		}
		for _, tail := range []string{"", ".csv", ".jsonl", "/" + want[0], "/1", "?from=wrong", "?actor=nobody+at+all", "?actor=" + models.NewID(), ".csv?from=wrong", "?after=x"} {
			other.Get(t, log+tail).Want(t, 403).HasNot(t, "House pages")
		}
	})
}
