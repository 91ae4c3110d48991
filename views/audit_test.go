package views_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/views"
)

// The time of an entry leads to the event, and says so to someone who hears only the link.
func TestEntriesLeadToTheirEvents(t *testing.T) {
	doc, _ := draw(t, views.Audit(page(), auditLog("/audit")))
	link := doc.Find(`.log a.at[href="/audit/12408"]`)
	if got := read(link); got != "16:48 , about this event" {
		t.Errorf("the link is called %q", got)
	}
	if doc.Find(".log > li > time").Length() != 1 {
		t.Error("an entry without a page has no plain time")
	}
}

// The filter stands as it was sent, and offers a choice of workspace only where there is one.
func TestAuditFilterKeepsWhatWasAsked(t *testing.T) {
	log := auditLog("/audit")
	f := &log.Filter
	f.Actor, f.Subject, f.Action, f.From, f.To, f.Workspace, f.Set = "mor", "user_0Zr", "credential.revoked", "2026-11-14", "2026-11-21", "quire", true
	doc, _ := draw(t, views.Audit(page(), log))
	for name, want := range map[string]string{"actor": "mor", "subject": "user_0Zr", "from": "2026-11-14", "to": "2026-11-21"} {
		if got := doc.Find("input#"+name).AttrOr("value", ""); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := doc.Find("select[name=action] [selected]").AttrOr("value", ""); got != "credential.revoked" {
		t.Errorf("the event is %q", got)
	}
	if doc.Find("select[name=workspace]").Length() != 0 {
		t.Error("a choice of workspace without workspaces")
	}
	f.Workspaces = []views.Option{{Value: "marlowe", Text: "Marlowe Press"}, {Value: "quire", Text: "Quire Library"}}
	doc, _ = draw(t, views.Audit(page(), log))
	if got := doc.Find("select[name=workspace] [selected]").Text(); got != "Quire Library" {
		t.Errorf("the workspace is %q", got)
	}
}

// Without events the page says why: nothing happened, nothing matches, or the question is not clear yet.
func TestAuditWithoutEvents(t *testing.T) {
	for name, test := range map[string]struct {
		filter        views.AuditFilter
		choose        string
		says, escapes string
	}{
		"nothing":   {views.AuditFilter{Path: "/audit"}, "", "No events here", ""},
		"no match":  {views.AuditFilter{Path: "/audit", Set: true}, "", "No events match", "/audit"},
		"ambiguous": {views.AuditFilter{Path: "/audit", Set: true}, "2 people match “mor”. Which one?", "", ""},
		"wrong":     {views.AuditFilter{Path: "/audit", Set: true, Form: form(nil, "from", "Enter a date")}, "", "", ""},
	} {
		doc, _ := draw(t, views.Audit(page(), views.AuditLog{Filter: test.filter, Choose: test.choose, Choices: []views.Part{{Text: "Ines", Href: "/audit?actor=p1"}}}))
		if said := doc.Find("#empty-title").Text(); said != test.says {
			t.Errorf("%s: says %q, want %q", name, said, test.says)
		}
		if to := doc.Find(".blank a").AttrOr("href", ""); to != test.escapes {
			t.Errorf("%s: leads to %q", name, to)
		}
		if clear := doc.Find(".filters a").Length() == 1; clear != test.filter.Set {
			t.Errorf("%s: there is a way to clear the filters: %v", name, clear)
		}
		if asks := doc.Find(`.note .choices a[href="/audit?actor=p1"]`).Length() == 1; asks != (test.choose != "") {
			t.Errorf("%s: offers a choice: %v", name, asks)
		}
	}
}

// Both exports are links of their own, for the question that stands in the address.
func TestExports(t *testing.T) {
	doc, _ := draw(t, views.SettingsAudit(page(), auditLog("/w/marlowe/settings/audit")))
	for text, want := range map[string]string{"Export CSV": "/w/marlowe/settings/audit.csv", "Export JSON Lines": "/w/marlowe/settings/audit.jsonl"} {
		link := doc.Find(".head a").FilterFunction(func(_ int, s *goquery.Selection) bool { return read(s) == text })
		if to := link.AttrOr("href", ""); to != want {
			t.Errorf("%s leads to %q, want %q", text, to, want)
		}
	}
}

// One event shows what changed, and a value that is not there is heard as nothing, not as a dash.
func TestAnEventShowsBeforeAndAfter(t *testing.T) {
	doc, _ := draw(t, views.AuditEventPage(page(), auditEvent()))
	rows := doc.Find("tbody tr").Map(func(_ int, s *goquery.Selection) string { return read(s) })
	if !slices.Contains(rows, "role Admin Member") || !slices.Contains(rows, "note Out until May — nothing") || !slices.Contains(rows, "phone — nothing 020 7946 0123") {
		t.Errorf("the changes are %q", rows)
	}
	if doc.Find("td [aria-hidden=true]").Length() != 2 {
		t.Error("the dash is read out")
	}
	if said := doc.Find("h1").Text(); said != "Ines Moreau changed Lena Voss" {
		t.Errorf("the heading is %q", said)
	}
	for text, want := range map[string]string{"Newer": "/audit/12406", "Older": "/audit/12404", "Back to the log": "/audit", "More by this actor": "/audit?actor=p1", "More about this": "/audit?subject=p5"} {
		link := doc.Find("main a").FilterFunction(func(_ int, s *goquery.Selection) bool { return read(s) == text })
		if to := link.AttrOr("href", ""); to != want {
			t.Errorf("%s leads to %q, want %q", text, to, want)
		}
	}
}

// The page of an event says whether its hash fits, and what to do when it does not.
func TestAnEventTellsOfItsHash(t *testing.T) {
	for holds, want := range map[bool]string{true: "Its hash fits the event before it.", false: "Its hash does not fit. Run tokendesk audit verify."} {
		e := auditEvent()
		e.Holds = holds
		doc, _ := draw(t, views.AuditEventPage(page(), e))
		note := doc.Find(".note")
		if said := strings.TrimSpace(note.Text()); said != want || note.HasClass("note-ok") != holds || note.HasClass("note-bad") == holds {
			t.Errorf("holds %v: says %q", holds, said)
		}
		if hashes := doc.Find("[aria-labelledby=chain-title] dd").Text(); hashes != e.Hash+e.HashBefore {
			t.Errorf("the hashes are %q", hashes)
		}
	}
}

// The tab with a workspace's own events is there for those who may see them, and for nobody else.
func TestAuditTab(t *testing.T) {
	for may, want := range map[bool]string{true: "General API Tokens Collections Resources Members Audit log", false: "General API Tokens Collections Resources Members"} {
		p := page()
		here := marlowe
		here.MayAudit = may
		p.Workspace = &here
		doc, _ := draw(t, views.SettingsGeneral(p, views.General{}))
		if tabs := read(doc.Find(".tabs")); tabs != want {
			t.Errorf("may %v: the tabs are %q", may, tabs)
		}
	}
	doc, _ := draw(t, views.SettingsAuditEvent(page(), auditEvent()))
	if crumbs := read(doc.Find(".crumbs")); crumbs != "Marlowe Press Settings Audit log Event 12,405" {
		t.Errorf("the breadcrumb is %q", crumbs)
	}
}

// A list of workspaces that is cut off leads to all of them.
func TestTheSwitchLeadsToMore(t *testing.T) {
	p := page()
	for _, more := range []bool{false, true} {
		p.More = more
		doc, _ := draw(t, views.Overview(p, views.Start{}))
		if leads := doc.Find(`#workspace-menu a[href="/#workspaces-title"]`).Text() == "All workspaces"; leads != more {
			t.Errorf("more %v: leads there: %v", more, leads)
		}
	}
}
