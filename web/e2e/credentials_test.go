package e2e

import (
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// credentialPages are the addresses of the dashboard over all credentials, with something on each.
func credentialPages(t *testing.T, s webtest.Site) map[string]string {
	t.Helper()
	pages := map[string]string{
		"credentials": "/credentials", "credentials-filtered": "/credentials?kind=api&status=active&owner=workspace", "credentials-none": "/credentials?q=zyzzyva",
		"credentials-choose": "/credentials?owner=marlowe.example", "credentials-error": "/credentials?workspace=nowhere",
	}
	for name, f := range map[string]models.CredentialFilter{
		"credential": {Query: "Deploy pipeline"}, "credential-revoked": {Query: "Contractor staging"}, "credential-bearer": {Kind: models.Bearer, Status: models.Active}, "credential-replaced": {Kind: models.Bearer, Status: models.Revoked},
	} {
		found, err := s.AllCredentials(t.Context(), s.Admin, f)
		if err != nil || len(found.Rows) == 0 {
			t.Fatalf("%s: %d credentials (%v)", name, len(found.Rows), err)
		}
		pages[name] = "/credentials/" + found.Rows[0].ID
	}
	return pages
}

// An Admin finds the owner of a key that turned up somewhere, selects what is to go, reads what will stop, and revokes it with a reason.
func TestCredentialsOfEverybody(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		ines, err := s.PersonByEmail(t.Context(), "ines@marlowe.example")
		if err != nil {
			t.Fatal(err)
		}
		admin := storetest.As(ines)
		_, text := s.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "Build server"})
		s.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "Mail relay"})
		s.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "Night job"})
		b.Go("/")
		b.In("nav[aria-label=Main]").Click("Credentials")
		if b.Count("tr[data-token-id]") != 3 {
			t.Errorf("the list says %s", b.Text("main"))
		}
		b.ClickCSS("summary")
		b.Fill("The whole key", text.Reveal())
		b.Click("Look it up")
		if !b.Has("It works: whoever has the key can use it.") || !strings.HasPrefix(b.Text("h1"), "Build server") || strings.Contains(b.HTML(), text.Reveal()) || strings.Contains(b.URL(), text.Reveal()) {
			t.Errorf("looking a key up leads to %s: %s", b.URL(), b.Text("main"))
		}
		b.Go("/credentials")
		b.Fill("Search", text.Reveal()) // a whole key belongs in no address
		b.Click("Apply")
		if b.with.NoScript && !b.Has("belongs in no address") || !b.with.NoScript && (!b.Has("It works: whoever has the key can use it.") || strings.Contains(b.URL(), text.Reveal())) || strings.Contains(b.HTML(), text.Reveal()) {
			t.Errorf("a whole key in the search leads to %s: %s", b.URL(), b.Text("main"))
		}
		b.Go("/credentials")
		b.Fill("Search", "build")
		b.Click("Apply")
		if b.Count("tr[data-token-id]") != 1 || b.Value("Search") != "build" {
			t.Errorf("the search shows %s", b.Text("main"))
		}
		b.Click("Clear filters")
		for _, row := range []string{"1", "3"} {
			b.ClickCSS("tbody tr:nth-child(" + row + ") input[name=id]")
		}
		b.Look("credentials-selected")
		b.Click("Revoke selected")
		b.Look("credentials-revoke")
		if b.Text("h1") != "Revoke 2 credentials?" || !b.Has("1 workspace") || !b.Has("None of these was ever used.") {
			t.Errorf("the question is %s", b.Text("main"))
		}
		b.Fill("Reason (optional)", "audit of tools")
		b.Click("Revoke 2 credentials")
		if !b.Has("2 credentials are revoked.") || b.Count("[data-s=revoked]") != 2 {
			t.Errorf("the list says %s", b.Text("main"))
		}
		b.Click("Build server")
		if !b.Has("It was revoked by Ines Moreau") || !b.Has("audit of tools") {
			t.Errorf("its page says %s", b.Text("main"))
		}
	})
}
