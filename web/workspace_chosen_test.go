package web_test

import (
	"net/http"
	"testing"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// The workspace that somebody was in last stays chosen on the pages that are in none, as long as it is there. The cookie
// that remembers it opens nothing.
func TestTheWorkspaceStaysChosen(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		made, err := s.CreateWorkspace(t.Context(), s.Admin, models.NewWorkspace{Name: "Zebra Books"})
		if err != nil {
			t.Fatal(err)
		}
		b := s.SignedIn(t, ines)
		chosen := func(path string) string {
			text := b.Get(t, path).Want(t, http.StatusOK).Page(t).Find(".ws > span:not(.av)").First()
			text.Find("small").Remove()
			return words(text)
		}
		if got := chosen("/"); got != "Marlowe Press" {
			t.Errorf("at first %q is chosen", got)
		}
		b.Get(t, "/w/zebra-books/settings").Want(t, http.StatusOK)
		for _, path := range []string{"/", "/account"} {
			if got := chosen(path); got != "Zebra Books" {
				t.Errorf("%s: %q is chosen", path, got)
			}
		}
		if again := b.Get(t, "/w/zebra-books/settings"); again.Header.Get("Set-Cookie") != "" {
			t.Errorf("the second look sets %s", again.Header.Get("Set-Cookie"))
		}
		if _, err := s.DeleteWorkspace(t.Context(), s.Admin, made.ID, made.Name); err != nil {
			t.Fatal(err)
		}
		if got := chosen("/"); got != "Marlowe Press" {
			t.Errorf("once it is deleted %q is chosen", got)
		}
	})
}
