package e2e

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

// An Admin decides how long API tokens live and after how long keys that nobody uses end: sees how many those are before it is saved, and that the
// next form follows. The same with scripts and without.
func TestPolicies(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, b *Tab) {
		for _, name := range []string{"Old laptop", "Workshop"} {
			if _, _, err := s.CreateAPIKey(t.Context(), s.Admin, models.NewAPIKey{Name: name}, secret.FormID()); err != nil {
				t.Fatal(err)
			}
		}
		s.Clock.Advance(10 * 24 * time.Hour)
		signIn(b, "ines@marlowe.example") // the session is over
		b.In(".side").Click("Policies")
		look := func(name string) {
			if !b.with.NoScript {
				b.Look(name)
			}
		}
		b.Click("The same for everybody")
		b.Fill("Days", "60")
		b.In("main").Fill("API tokens", "31")
		b.Click("Everything expires Nothing new may live forever.")
		b.Fill("Revoke after days without use", "7")
		b.Fill("Reason (optional)", "The audit of May")
		b.Click("Save policies")
		if !b.Has("This revokes 2 API keys within the hour.") || b.In("main").Value("API tokens") != "31" || b.Value("Days") != "60" || !b.Checked("Everything expires Nothing new may live forever.") {
			t.Fatalf("before it is saved the page says %s", b.Text("main"))
		}
		look("policies-ask")
		if told := b.Text("#unused-keys"); !strings.Contains(told, "Old laptop") || !strings.Contains(told, "Workshop") {
			t.Errorf("the preview says %s", told)
		}
		b.Fill("Revoke after days without use", "20")
		b.Click("See what it would revoke today")
		if !b.Has("No API key has been unused for 20 days.") || b.In("main").Value("API tokens") != "31" || b.Value("Days") != "60" || b.Value("Reason (optional)") != "The audit of May" {
			t.Errorf("the preview of 20 days says %s", b.Text("main"))
		}
		look("policies-preview")
		b.Fill("Revoke after days without use", "7")
		b.Click("Save policies")
		b.Click("Save policies")
		if !b.Has("The policies are saved.") || !b.Has("Today it revokes 2 API keys.") {
			t.Errorf("after it is saved the page says %s", b.Text("main"))
		}
		b.Go(tokensTab + "/new")
		if told := b.Text("main"); !strings.Contains(told, "Admins decided: at most 31 days.") || strings.Contains(told, "Never") {
			t.Errorf("the form of a token says %s", told)
		}
		look("policies-token")
	})
}
