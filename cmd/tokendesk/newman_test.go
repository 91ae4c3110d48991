package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tokendesk/models/store/storetest"
)

// ranByNewman is what Postman's own runner tells of a run.
type ranByNewman struct {
	passed    bool
	sent      []string // the requests, in their order
	failures  []string // what was asserted, and is not so
	token     string   // the automation token that it made
	workspace string   // that the last request was counted in
}

// newman runs a collection with variables, pairs of name and value.
func newman(t *testing.T, collection string, variables ...string) ranByNewman {
	t.Helper()
	program := os.Getenv("TOKENDESK_TEST_NEWMAN")
	if program == "" {
		if os.Getenv("TOKENDESK_TEST_REQUIRE") != "" {
			t.Fatal("TOKENDESK_TEST_NEWMAN does not name newman")
		}
		t.Skip("TOKENDESK_TEST_NEWMAN does not name newman: ./.ci/test fetches it")
	}
	report := filepath.Join(t.TempDir(), "report.json")
	args := []string{program, "run", collection, "--reporters", "json", "--reporter-json-export", report}
	for i := 0; i < len(variables); i += 2 {
		args = append(args, "--env-var", variables[i]+"="+variables[i+1])
	}
	said, err := exec.CommandContext(t.Context(), "node", args...).CombinedOutput()
	var told struct {
		Run struct {
			Executions []struct {
				Item struct {
					Name string `json:"name"`
				} `json:"item"`
				Response *struct {
					Stream struct {
						Data []uint16 `json:"data"` // bytes
					} `json:"stream"`
				} `json:"response"`
			} `json:"executions"`
			Failures []struct {
				Error struct {
					Test string `json:"test"`
				} `json:"error"`
			} `json:"failures"`
		} `json:"run"`
	}
	read(t, report, &told)
	ran := ranByNewman{passed: err == nil}
	for _, e := range told.Run.Executions {
		if e.Response == nil { // it was left out
			continue
		}
		ran.sent = append(ran.sent, e.Item.Name)
		var body []byte
		for _, b := range e.Response.Stream.Data {
			body = append(body, byte(b))
		}
		var answer struct {
			Data struct {
				Token     string `json:"token"`
				Workspace string `json:"workspace_id"`
			} `json:"data"`
		}
		_ = json.Unmarshal(body, &answer) // the product's is another
		switch e.Item.Name {
		case "GET Workspace Automation Token":
			ran.token = answer.Data.Token
		case "GET Workspace Restrictions":
			ran.workspace = answer.Data.Workspace
		}
	}
	for _, f := range told.Run.Failures {
		ran.failures = append(ran.failures, f.Error.Test)
	}
	if ran.passed != (len(ran.failures) == 0) {
		t.Fatalf("newman: %v with %q: %s", err, ran.failures, said)
	}
	return ran
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// collectionOf keeps the collection that a server offers in a file.
func (b browser) collectionOf(t *testing.T) string {
	t.Helper()
	text := b.get(t, "/postman_collection.json").want(t, http.StatusOK).body
	if !strings.Contains(text, `"`+b.base+`"`) {
		t.Errorf("the collection does not have the address %s", b.base)
	}
	file := filepath.Join(t.TempDir(), "tokendesk.postman_collection.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Postman's own runner passes the collection against a server that was just set up: on the Owner's path, and on the path of a team member, whose sign-in
// begins in their own workspace.
func TestPostmanRunsTheCollection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		s := in.serve(t)
		admin := s.setUp(t)
		file := admin.collectionOf(t)
		const owner, member = "ines@marlowe.example", "odile@marlowe.example"

		ran := newman(t, file, "email", owner, "password", storetest.Password, "expiration_period", "1mo")
		if !ran.passed || !slices.Equal(ran.sent, inOrder) {
			t.Errorf("the owner's path: sent %q, failed %q", ran.sent, ran.failures)
		}
		mine, workspace := ran.token, ran.workspace
		s.opens(t, mine, http.StatusOK)

		admin.addPerson(t, "Odile Ferrand", member)
		theirs := s.browser(t)
		if status := theirs.signIn(t, member, storetest.Password); status != http.StatusSeeOther {
			t.Fatalf("the member does not get in: %d", status)
		}
		theirs.post(t, "/workspaces", url.Values{"name": {"Odile's own"}}).want(t, http.StatusSeeOther)
		ran = newman(t, file, "email", member, "password", storetest.Password, "workspace_name", "Marlowe Press")
		if !ran.passed || !slices.Equal(ran.sent, inOrder) || ran.workspace != workspace {
			t.Errorf("the member's path: sent %q, failed %q, in %s", ran.sent, ran.failures, ran.workspace)
		}
		s.opens(t, ran.token, http.StatusOK)

		const next = "seven green bicycles under a bridge"
		last := newman(t, file, "email", owner, "password", storetest.Password, "allow_ending", "yes", "new_password", next)
		if !last.passed || !slices.Equal(last.sent, append(slices.Clone(inOrder), "POST User Revoke Tokens", "POST User Change Password")) {
			t.Errorf("the requests that end: sent %q, failed %q", last.sent, last.failures)
		}
		for _, token := range []string{mine, ran.token, last.token} { // the member's too: it was made in the Owner's workspace
			s.opens(t, token, http.StatusUnauthorized)
		}
		if status := s.browser(t).signIn(t, owner, next); status != http.StatusSeeOther {
			t.Errorf("the new password is answered with %d", status)
		}
		r := s.stop(t)
		for _, token := range []string{mine, ran.token, last.token} {
			wantNoSecret(t, token, r.out, r.err)
		}
	})
}

// inOrder are the requests that a run sends.
var inOrder = []string{"POST User Signin", "GET User Workspaces", "POST User Refresh Token", "GET Workspace Automation Token", "GET Workspace Restrictions", "GET Agents"}

// What is wrong is a failure of the run, in words.
func TestPostmanTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := onSQLite(t).serve(t)
	file := s.setUp(t).collectionOf(t)
	for want, variables := range map[string][]string{
		"It says 200: Invalid email or password":                   {"password", "wrong"},
		"You are a member of Nowhere, among Marlowe Press":         {"password", storetest.Password, "workspace_name", "Nowhere"},
		"It says 200: Incorrect expiration period. The valid ones": {"password", storetest.Password, "expiration_period", "720h"},
	} {
		ran := newman(t, file, append(variables, "email", "ines@marlowe.example")...)
		if ran.passed || !slices.ContainsFunc(ran.failures, func(f string) bool { return strings.HasPrefix(f, want) }) {
			t.Errorf("%q: %q", variables, ran.failures)
		}
	}
}

// opens insists on what a token gets of the sample product.
func (s server) opens(t *testing.T, token string, want int) {
	t.Helper()
	b := s.browser(t)
	r := b.request(t, http.MethodGet, "/api/agent-base", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if got := b.do(t, r).status; got != want {
		t.Errorf("the token gets %d, want %d", got, want)
	}
}

// With an API key, Postman's own runner passes the management API too, as an Admin and as a Member, and leaves nothing behind that it made.
func TestPostmanRunsTheManagementAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		s := in.serve(t)
		admin := s.setUp(t)
		token := admin.bearerToken(t)
		admin.install(t, token).want(t, http.StatusOK)
		file := admin.collectionOf(t)
		ran := newman(t, file, "postman-api-key", token, "email", "ines@marlowe.example", "password", storetest.Password)
		if !ran.passed || len(ran.sent) != len(inOrder)+26 {
			t.Errorf("sent %d: %q, failed %q", len(ran.sent), ran.sent, ran.failures)
		}
		record := admin.post(t, "/people", url.Values{"name": {"Odile"}, "email": {"odile@marlowe.example"}, "role": {"Member"}, "password": {storetest.Password}}).want(t, http.StatusSeeOther).to
		theirs := admin.tokenOf(t, record)
		ran = newman(t, file, "postman-api-key", theirs, "email", "odile@marlowe.example", "password", storetest.Password)
		if !ran.passed || !slices.Contains(ran.sent, "GET Collection With The Access Key") {
			t.Errorf("a Member: sent %q, failed %q", ran.sent, ran.failures)
		}
		wrong := newman(t, file, "postman-api-key", "pkey_nonsense", "email", "ines@marlowe.example", "password", storetest.Password)
		if wrong.passed || !slices.ContainsFunc(wrong.failures, func(f string) bool {
			return strings.HasPrefix(f, "It says 200: Invalid API Key. Every request requires a valid API Key to be sent")
		}) {
			t.Errorf("with a wrong key it fails as %q", wrong.failures)
		}
		r := s.stop(t)
		wantNoSecret(t, token, r.out, r.err)
	})
}
