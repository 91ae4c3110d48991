package e2e

import (
	"strings"
	"testing"

	"tokendesk/web/webtest"
)

// From any page one comes to the reference. A call opens with and without scripts, its command can be copied, and the shape of its answer is one
// step away.
func TestAPIReference(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		b.Go("/")
		b.In("#side").Click("API reference")
		if b.Status() != 200 || b.Text("h1") != "API reference" {
			t.Fatalf("the page says %s", b.Text("main"))
		}
		b.Click("List your API keys, newest first GET /v1/api-keys")
		if got := b.Text("#curl-listAPIKeys"); !strings.Contains(got, "'"+s.URL+"/v1/api-keys'") {
			t.Errorf("the command is %q", got)
		}
		if !b.with.NoScript {
			b.In("#listAPIKeys").Click("Copy: With curl")
			b.Wait("Copied")
			if got := b.Clipboard(); !strings.HasPrefix(got, "curl '"+s.URL+"/v1/api-keys' \\\n") {
				t.Errorf("copied is %q", got)
			}
		}
	})
}
