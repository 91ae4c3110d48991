package web_test

import (
	"os/exec"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// The page for readers has every call; its commands, as they are copied, run where nothing is to be filled in, and answer as the page says.
func TestTheCommandsOfTheReference(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	key := withKey(t, s, s.Admin).key
	answer := s.SignedIn(t, "ines@marlowe.example").Get(t, "/use-the-api/reference").Want(t, 200)
	page := answer.Page(t)
	ran := 0
	for _, row := range web.Managed() {
		id := strings.TrimPrefix(row.Name, "v1.")
		if id == "openapi" || id == "reportCredentials" {
			continue
		}
		command := page.Find("#curl-" + id).Text()
		if !strings.Contains(command, s.URL+"/v1/") || page.Find("details#"+id+" summary").Length() != 1 {
			t.Errorf("%s is not on the page: %q", id, command)
			continue
		}
		if row.Method != "GET" || strings.Contains(command, "{") {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "bash", "-c", "curl -sS --fail-with-body"+strings.TrimPrefix(strings.TrimSpace(command), "curl"))
		cmd.Env = append(cmd.Environ(), "TOKENDESK_API_KEY="+key)
		said, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(said), "{") {
			t.Errorf("%s: %v: %s", id, err, said)
		}
		ran++
	}
	if ran < 8 {
		t.Errorf("only %d commands ran", ran)
	}
	make := exec.CommandContext(t.Context(), "bash", "-c", strings.TrimSpace(page.Find("#curl-createAPIKey").Text()))
	make.Env = append(make.Environ(), "TOKENDESK_API_KEY="+key)
	if said, err := make.Output(); err != nil || !strings.Contains(string(said), `"token":"pkey_`) {
		t.Errorf("a key is not made: %v: %.100s", err, said)
	}
	member := s.Person(t, s.Admin, models.Member)
	s.SignedIn(t, member.Email).Get(t, "/use-the-api/reference").Want(t, 200)
}
