package web_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// A workspace is there for its members and for Admins, and for nobody else: not in a list, not at its
// address, which answers as one that does not exist.
func TestAnotherWorkspaceIsNotThere(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		member := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		secondWorkspace(t, s, "harbour", "Harbour Books")
		stranger := s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email) // with two workspaces nobody says which
		for path, page := range crawl(t, member) {
			if strings.Contains(page.Body, "arbour Books") || strings.Contains(page.Body, "/w/harbour") {
				t.Errorf("%s tells a Member of a workspace that is not theirs", path)
			}
		}
		missing := member.Get(t, "/w/nope/settings").Want(t, 404)
		for _, path := range []string{"/w/harbour/settings", "/w/harbour/settings/collections"} {
			theirs := member.Get(t, path).Want(t, 404)
			if sentence(t, theirs) != sentence(t, missing) {
				t.Errorf("%s says %q, and one that does not exist %q", path, sentence(t, theirs), sentence(t, missing))
			}
		}
		member.Post(t, "/w/harbour/settings", webtest.Form{"name": "Mine"}).Want(t, 404)
		stranger.Get(t, "/").Want(t, 200).Has(t, "You belong to no workspace yet.")
		stranger.Get(t, "/w/marlowe-press/settings").Want(t, 404)

		admin := s.SignedIn(t, "ines@marlowe.example")
		admin.Get(t, "/").Want(t, 200).Has(t, "Harbour Books")
		admin.Get(t, "/w/harbour/settings").Want(t, 200)
		admin.Post(t, "/w/harbour/settings", webtest.Form{"name": "Harbour House"}).To(t, "/w/harbour/settings")
	})
}

// Of more workspaces than fit on a page each is on the overview once, page by page, and in the log's filter one is typed.
func TestManyWorkspaces(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		const many = 2*models.PageSize + 1 // with the first
		for i := range many - 1 {
			secondWorkspace(t, s, fmt.Sprintf("place-%d", i), fmt.Sprintf("Place %d", i%10)) // names that are the same
		}
		admin, seen, pages := s.SignedIn(t, "ines@marlowe.example"), map[string]bool{}, 0
		for path := "/"; path != ""; pages++ {
			page := admin.Get(t, path).Want(t, 200).Page(t)
			for _, row := range page.Find(`section[aria-labelledby="workspaces-title"] li a`).EachIter() {
				seen[row.AttrOr("href", "")] = true
			}
			links := page.Find(`nav[aria-label="Pages"] a`)
			if first := links.FilterFunction(named("First page")).AttrOr("href", ""); (first == "/") != (pages > 0) {
				t.Errorf("page %d leads back to %q", pages, first)
			}
			path = links.FilterFunction(named("Show more")).AttrOr("href", "")
		}
		if len(seen) != many || pages != 3 {
			t.Errorf("%d workspaces on %d pages", len(seen), pages)
		}
		log := admin.Get(t, "/audit?workspace=place-99").Want(t, 200)
		if log.Page(t).Find(`input[name="workspace"]`).AttrOr("value", "") != "place-99" || log.Page(t).Find(`select[name="workspace"]`).Length() > 0 {
			t.Error("the filter has no field for the workspace")
		}
		admin.Get(t, "/audit?workspace=marlowe-press").Want(t, 200).Has(t, "set the console up")
		admin.Get(t, "/audit?workspace=nowhere").Want(t, 422).Has(t, "Write it as its address has it")
		if leads := log.Page(t).Find(`#workspace-menu a[href="/#workspaces-title"]`).Length(); leads != 1 {
			t.Error("the menu does not lead to all of them")
		}
	})
}

// sentence is what an error page says, less the number of the request.
func sentence(t *testing.T, a *webtest.Answer) string {
	t.Helper()
	return strings.ReplaceAll(a.Text(t, "main"), a.Header.Get("X-Request-Id"), "")
}

// With several workspaces a program says which one; one that is in just one of them need not.
func TestInstallingWithSeveralWorkspaces(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		secondWorkspace(t, s, "harbour", "Harbour Books")
		_, mine := s.Token(t, s.Admin, s.Admin.ID) // in the first workspace alone
		_, nobodys := s.Token(t, s.Admin, s.Person(t, s.Admin, models.Admin).ID)
		install := func(token secret.Text, workspace string) *webtest.Answer {
			t.Helper()
			headers := []string{"Content-Type", "multipart/form-data; boundary=edge", "Authorization", "Bearer " + token.Reveal()}
			if workspace != "" {
				headers = append(headers, "X-Workspace-Id", workspace)
			}
			return s.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(smallZip(t)), headers...)
		}
		if said := install(mine, "").Want(t, 200).Envelope(t); said.Data["workspace"] != "marlowe-press" {
			t.Errorf("%v", said.Data)
		}
		if said := install(nobodys, "").Want(t, 400).Envelope(t); !strings.Contains(said.Message, "marlowe-press") || !strings.Contains(said.Message, "harbour") {
			t.Errorf("it says %q", said.Message)
		}
		if said := install(nobodys, "harbour").Want(t, 200).Envelope(t); said.Data["workspace"] != "harbour" || said.Data["version"] != 1.0 || said.Data["unchanged"] != false {
			t.Errorf("%v", said.Data)
		}
		admin := s.SignedIn(t, "ines@marlowe.example")
		for _, slug := range []string{"marlowe-press", "harbour"} {
			if rows := admin.Get(t, "/w/"+slug+"/settings/collections").Want(t, 200).Page(t).Find("tbody tr").Length(); rows != 1 {
				t.Errorf("%s shows %d collections", slug, rows)
			}
		}
	})
}

// secondWorkspace adds a workspace that nobody is a member of. The product has no page for that yet.
func secondWorkspace(t *testing.T, s webtest.Site, slug, name string) {
	t.Helper()
	execute(t, s, "INSERT INTO workspaces (id, slug, name, created_at) VALUES ('"+models.NewID()+"', '"+slug+"', '"+name+"', '2026-11-21 09:30:00+00:00')")
}

// execute does what the product would not, with the database in hand.
func execute(t *testing.T, s webtest.Site, sql string) {
	t.Helper()
	db := rawDatabase(t, s)
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// Two who set the console up at the same moment, on two servers: one does, and the other is told that
// the code no longer works.
func TestTwoSetUpsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := webtest.Start(t, w)
		code, err := s.OfferSetup(t.Context(), models.Actor{Kind: models.System})
		if err != nil {
			t.Fatal(err)
		}
		servers := []webtest.Site{s, webtest.Start(t, s.World, webtest.Over(s.Open(t)))}
		answers := atOnce(2, func(i int) *webtest.Answer {
			form := webtest.Form{"code": code.Reveal(), "name": "Ines", "email": []string{"one@marlowe.example", "two@marlowe.example"}[i], "password": storetest.Password, "workspace": "Marlowe"}
			return servers[i].Browser(t).Post(t, "/setup", form)
		})
		statuses := []int{answers[0].Status, answers[1].Status}
		if (statuses[0] == 303) == (statuses[1] == 303) || max(statuses[0], statuses[1]) > 404 {
			t.Errorf("the two were answered with %v", statuses)
		}
	})
}
