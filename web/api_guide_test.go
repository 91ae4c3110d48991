package web_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// The page's own commands, as they are copied, lead a team member from their password to a call: signed in, switched, with an automation token.
func TestTheCommandsOfTheGuide(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatal(program + " is not installed: ./.ci/test installs it")
		}
	}
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		member := s.Person(t, s.Admin, models.Admin)
		if _, err := s.CreateWorkspace(t.Context(), storetest.As(member), models.NewWorkspace{Name: "Their own"}); err != nil {
			t.Fatal(err)
		}
		page := s.SignedIn(t, member.Email).With(t, "workspace", homeID(t, s)).Get(t, "/use-the-api").Want(t, 200).Has(t, "Their own").Has(t, "Marlowe Press").
			Has(t, "an automation token may make 300 calls a minute, and a person's sign-in tokens 50 calls together")
		run := func(id, typed string) string {
			t.Helper()
			cmd := exec.CommandContext(t.Context(), "bash", "-c", page.Page(t).Find("#"+id).Text())
			cmd.Stdin = strings.NewReader(typed + "\n")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v: %s", id, err, out)
			}
			return string(out)
		}
		type answer struct {
			Data struct {
				Token   string `json:"token"`
				Refresh string `json:"refresh_token"`
			} `json:"data"`
		}
		read := func(text string) (a answer) {
			t.Helper()
			if err := json.Unmarshal([]byte(text), &a); err != nil || a.Data.Token == "" {
				t.Fatalf("%v: %s", err, text)
			}
			s.Secrets.Add(secret.Text(a.Data.Token))
			return a
		}
		first := read(run("signin-command", storetest.Password))
		second := read(run("switch-command", first.Data.Refresh))
		made := read(run("mint-command", second.Data.Token))
		if got := run("use-command", made.Data.Token); !strings.Contains(got, "The agents, newest first.") {
			t.Errorf("the product says %s", got)
		}
		p := &apiUser{s: s, token: made.Data.Token}
		var told struct {
			Workspace string `json:"workspace_id"`
		}
		p.must(t, "GET", "/workspace/restrictions", "", "", &told)
		if told.Workspace != homeID(t, s) {
			t.Errorf("the token is for %s", told.Workspace)
		}
		if got := strings.TrimSpace(page.Page(t).Find("#postman-address").Text()); got != s.URL+"/postman_collection.json" {
			t.Errorf("the collection is at %q", got)
		}
		s.Browser(t).Get(t, "/postman_collection.json").Want(t, 200).Has(t, `"`+s.URL+`"`)
	}, webtest.Sampled())
}

// homeID is the ID of the first workspace.
func homeID(t *testing.T, s webtest.Site) string {
	t.Helper()
	w, err := s.Workspace(t.Context(), s.Admin, "marlowe-press")
	if err != nil {
		t.Fatal(err)
	}
	return w.ID
}
