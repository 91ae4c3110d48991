package e2e

import (
	"testing"

	"tokendesk/web/webtest"
)

// From any page one comes to the guide; its commands are there to read without scripts, and to copy with them.
func TestUseTheAPI(t *testing.T) {
	everyway(t, func(t *testing.T, s webtest.Site, b *Tab) {
		setUp(t, s, b)
		b.Go("/")
		b.In("#side").Click("Use the API")
		if b.Status() != 200 || b.Text("h1") != "Use the API" || b.Text("#postman-address") != s.URL+"/postman_collection.json" {
			t.Fatalf("the page says %s", b.Text("main"))
		}
		if got := b.Text("[aria-labelledby=switch-title] tbody"); got == "" {
			t.Error("no workspace is listed")
		}
		if !b.with.NoScript {
			b.Click("Copy: The collection's address")
			b.Wait("Copied")
			if got := b.Clipboard(); got != s.URL+"/postman_collection.json" {
				t.Errorf("copied is %q", got)
			}
		}
	})
}
