package e2e

import (
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// An Admin makes a workspace, adds somebody to it, changes their role, hands it over and leaves.
func TestWorkspaceAndMembers(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		ines, err := s.PersonByEmail(t.Context(), "ines@marlowe.example")
		if err != nil {
			t.Fatal(err)
		}
		tom := s.Person(t, storetest.As(ines), models.Member)
		b.Go("/workspaces/new")
		b.Click("Create workspace")
		if !b.Has("Enter a workspace name.") || b.Status() != 422 {
			t.Errorf("no name is answered with %d %s", b.Status(), b.Text("main"))
		}
		b.Fill("Workspace name", "Harbour Books")
		b.Click("Create workspace")
		if !b.Has("Harbour Books is created. You own it.") {
			t.Errorf("the page says %s", b.Text("main"))
		}
		b.In("nav[aria-label='Workspace settings']").Click("Members")
		b.Fill("Add by email address", "nobody@marlowe.example")
		b.Click("Add member")
		if !b.Has("Nobody here has this email address.") || b.Value("Add by email address") != "nobody@marlowe.example" {
			t.Errorf("an unknown address is answered with %s", b.Text("main"))
		}
		b.Fill("Add by email address", tom.Email)
		b.Click("Add member")
		if !b.Has(tom.Name+" is a member of this workspace now.") || b.Count("tbody tr") != 2 {
			t.Errorf("the page says %s", b.Text("main"))
		}
		b.Select("Role of "+tom.Name, "Admin")
		b.Click("Set role of " + tom.Name)
		if !b.Has("has the role Admin in this workspace now.") {
			t.Errorf("the page says %s", b.Text("main"))
		}
		b.Click("Make Owner: " + tom.Name)
		b.In("main").Click("Make Owner")
		if !b.Has(tom.Name + " owns this workspace now.") {
			t.Errorf("the page says %s", b.Text("main"))
		}
		b.In("tbody").Click("Leave")
		b.In("main").Click("Leave workspace")
		if row := b.Text("tbody"); b.Count("tbody tr") != 1 || !strings.Contains(row, "Owner") {
			t.Errorf("left is %s", row)
		}
	})
}
