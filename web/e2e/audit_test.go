package e2e

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// eventful is a console in which "Member 01" and "Member 02" were added, the first was renamed, and a
// collection was installed twice.
func eventful(t *testing.T, s webtest.Site) (member models.Person) {
	t.Helper()
	member = s.Person(t, s.Admin, models.Member)
	s.Person(t, s.Admin, models.Member)
	edit := models.PersonEdit{Name: "Member One", Email: member.Email, Role: models.Member}
	if _, err := s.EditPerson(t.Context(), s.Admin, member.ID, edit); err != nil {
		t.Fatal(err)
	}
	twoVersions(t, s)
	return member
}

const events = ".log > li"

// The log is narrowed down by who acted, by what happened and by the day; a name that several people have
// leads to a choice.
func TestAuditFilters(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		eventful(t, s)
		s.SignedIn(t, "Member2@marlowe.example").Get(t, "/").Want(t, 200)
		b.In("nav[aria-label=Main]").Click("Audit log")
		all := b.Count(events)
		b.Fill("Actor", "member")
		b.Click("Apply")
		if !b.Has("“member” means 2. Which one?") || b.Count(events) != 0 || b.Value("Actor") != "member" {
			t.Errorf("a name of two people is answered with %s", b.Text("main"))
		}
		b.Click("Member 02, Member2@marlowe.example")
		if b.Count(events) != 1 || !strings.Contains(b.Text(events), "Member 02 signed in") {
			t.Errorf("what Member 02 did is %s", b.Text("main"))
		}
		if !strings.Contains(b.Text("form[role=search]"), "Member 02") {
			t.Errorf("the filter does not say whom it means: %s", b.Text("form[role=search]"))
		}
		b.Fill("Actor", "Ines")
		b.Select("Event", "Person added")
		b.Fill("From", "2026-11-21")
		b.Fill("To", "2026-11-21")
		b.Click("Apply")
		if b.Count(events) != 2 || !b.Has("2 events") || b.Value("Actor") != "Ines" || b.Value("From") != "2026-11-21" {
			t.Errorf("the people that Ines added are %s", b.Text("main"))
		}
		b.Fill("From", "2026-11-22")
		b.Click("Apply")
		if !b.Has("The last day is before the first one.") || b.Status() != 422 {
			t.Errorf("days the wrong way round are answered with %d %s", b.Status(), b.Text("main"))
		}
		b.Fill("To", "")
		b.Click("Apply")
		if !b.Has("No events match") {
			t.Errorf("of tomorrow the log says %s", b.Text("main"))
		}
		b.In(".blank").Click("Clear filters")
		if b.Count(events) != all || b.Value("Actor") != "" {
			t.Errorf("without filters there are %d events, not %d", b.Count(events), all)
		}
	})
}

// An event has a page, with what it changed; from there one goes on to its neighbours and back to the log.
func TestAuditEvent(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		eventful(t, s)
		b.Go("/audit?action=person.changed")
		b.ClickCSS(events + " a.at")
		page := b.URL()
		if row := b.Text("tbody tr"); !strings.Contains(row, "Member 01") || !strings.Contains(row, "Member One") || !b.Has("Its hash fits the event before it.") {
			t.Errorf("the event's page says %s", b.Text("main"))
		}
		b.Click("Newer")
		if b.URL() == page || b.Text("h1") != "Ines Moreau signed in" {
			t.Errorf("the newer one is %s", b.Text("h1"))
		}
		b.Click("Older")
		if b.URL() != page {
			t.Errorf("the older one of the newer one is %s", b.URL())
		}
		b.Click("More about this")
		if b.Count(events) != 2 || !b.Has("added Member 01") {
			t.Errorf("about the Member the log says %s", b.Text("main"))
		}
		b.Go(page)
		b.Click("Back to the log")
		if b.URL() != s.URL+"/audit" {
			t.Errorf("the log is %s", b.URL())
		}
		b.Go("/")
		b.ClickCSS(events + ":first-child a.at")
		if !b.Has("installed the collection site") || !strings.HasPrefix(b.URL(), s.URL+"/audit/") {
			t.Errorf("the newest event on the overview leads to %s: %s", b.URL(), b.Text("main"))
		}
		b.Go("/audit/999999")
		if b.Status() != 404 {
			t.Errorf("an event that is not there: %d", b.Status())
		}
	})
}

// The exports are files with the events of the filter.
func TestAuditExports(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		eventful(t, s)
		b.Go("/audit?action=person.created")
		table := b.Download(func() { b.Click("Export CSV") })
		rows, err := csv.NewReader(bytes.NewReader(table.Content)).ReadAll()
		if err != nil || len(rows) != 3 || table.Name != "audit-2026-11-21.csv" {
			t.Errorf("%s has the rows %v (%v)", table.Name, rows, err)
		}
		lines := b.Download(func() { b.Click("Export JSON Lines") })
		count := 0
		for all := bufio.NewScanner(bytes.NewReader(lines.Content)); all.Scan(); count++ {
			var event struct{ Action string }
			if err := json.Unmarshal(all.Bytes(), &event); err != nil || event.Action != "person.created" {
				t.Errorf("the line %s (%v)", all.Bytes(), err)
			}
		}
		if count != 2 || lines.Name != "audit-2026-11-21.jsonl" || b.URL() != s.URL+"/audit?action=person.created" {
			t.Errorf("%s has %d lines; the page is %s", lines.Name, count, b.URL())
		}
	})
}

// A workspace's Owner who is a Member of the site reads the workspace's own log, and its exports; a Member of
// the workspace does not.
func TestWorkspaceAudit(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		member := eventful(t, s)
		other := s.Person(t, s.Admin, models.Admin)
		edit := models.PersonEdit{Name: "Ines Moreau", Email: "ines@marlowe.example", Role: models.Member}
		if _, err := s.EditPerson(t.Context(), storetest.As(other), s.Admin.ID, edit); err != nil {
			t.Fatal(err)
		}
		signIn(b, "ines@marlowe.example")
		b.In(".side").Click("Settings")
		b.In("nav[aria-label='Workspace settings']").Click("Audit log")
		if b.Count(events) != 3 || b.Has("Person added") || b.Has("Member One") {
			t.Errorf("the workspace's log says %s", b.Text("main"))
		}
		b.Select("Event", "Collection installed")
		b.Click("Apply")
		b.ClickCSS(events + ":first-child a.at")
		if !b.Has("installed the collection site") || !strings.HasPrefix(b.URL(), s.URL+"/w/marlowe-press/settings/audit/") {
			t.Errorf("its event is %s: %s", b.URL(), b.Text("main"))
		}
		b.Click("Back to the log")
		if got := b.Download(func() { b.Click("Export CSV") }); bytes.Count(got.Content, []byte("\n")) != 4 {
			t.Errorf("%s is %s", got.Name, got.Content)
		}
		b.Go("/audit")
		if b.Status() != 403 {
			t.Errorf("the installation's log: %d", b.Status())
		}
		b.Go("/")
		b.Click("Your account menu")
		b.Click("Sign out")
		signIn(b, member.Email)
		b.In(".side").Click("Settings")
		if b.In("nav[aria-label='Workspace settings']").Has("Audit log") {
			t.Error("a Member of the workspace is shown its log")
		}
		for _, path := range []string{"", ".csv", "/1"} {
			if b.Go("/w/marlowe-press/settings/audit" + path); b.Status() != 403 {
				t.Errorf("%s answers a Member with %d", b.URL(), b.Status())
			}
		}
	})
}

// The filters by keyboard alone.
func TestAuditByKeyboard(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		eventful(t, s)
		b.Go("/")
		b.TabTo("Audit log")
		b.Press("Enter")
		b.TabTo("Actor")
		b.Type("Ines")
		b.TabTo("Event")
		b.Type("Person a") // "Person activated" comes first
		b.Press("ArrowDown")
		b.TabTo("Apply")
		b.Press("Enter")
		if b.Count(events) != 2 || !b.Has("2 events") {
			t.Errorf("the keyboard led to %s: %s", b.URL(), b.Text("main"))
		}
		b.Evaluate("document.querySelector('.log a.at').focus()")
		b.Press("Enter")
		if !strings.HasPrefix(b.URL(), s.URL+"/audit/") {
			t.Errorf("Enter on an event leads to %s", b.URL())
		}
	})
}

// All tokens of a person that ended are a page away from the record, and as many pages as it takes.
func TestEveryEndedToken(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		for range models.PageSize + 4 {
			s.Token(t, s.Admin, s.Admin.ID)
		}
		b.Go("/people/" + s.Admin.ID)
		b.Click("Show all")
		if b.Count("[data-token-id]") != models.PageSize || !b.Has("All tokens that ended") {
			t.Errorf("the page lists %d: %s", b.Count("[data-token-id]"), b.Text("main"))
		}
		b.Click("Older")
		if b.Count("[data-token-id]") != 3 {
			t.Errorf("the next page lists %d", b.Count("[data-token-id]"))
		}
		b.Click("Newest")
		if b.Count("[data-token-id]") != models.PageSize {
			t.Errorf("back on the first page: %s", b.URL())
		}
	})
}
