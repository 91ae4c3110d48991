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

// On a phone no call makes the page wider than the screen: long words break, and commands scroll inside.
func TestReferenceOnAPhone(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		b.Viewport(360, 740)
		b.Go("/use-the-api/reference")
		b.Evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
		if open, all := b.Count("details[open]"), b.Count("details"); open != all || all < 60 {
			t.Fatalf("%d of %d calls are open", open, all)
		}
		if got := b.Evaluate("document.scrollingElement.scrollWidth"); got != "360" {
			t.Errorf("with all calls open the page is %s wide", got)
		}
	})
}
