package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// accountAnswer is the envelope of the account API.
type accountAnswer struct {
	Status struct {
		ErrorCode string `json:"error_code"`
		HTTPCode  int    `json:"http_code"`
		Message   string `json:"message"`
	} `json:"status"`
	Data json.RawMessage `json:"data"`
}

// apiUser is somebody's program, with the tokens that it has at the moment.
type apiUser struct {
	s              webtest.Site
	email          string
	token, refresh string
}

// send makes a call and reads its envelope, which every answer has. A body is JSON.
func (p *apiUser) send(t testing.TB, method, path, body string, headers ...string) (*webtest.Answer, accountAnswer) {
	t.Helper()
	if p.token != "" {
		headers = append(headers, "Authorization", "Bearer "+p.token)
	}
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	a := p.s.Browser(t).Send(t, method, path, strings.NewReader(body), headers...)
	var said accountAnswer
	decoder := json.NewDecoder(strings.NewReader(a.Body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil {
		t.Fatalf("%s %s: %d with %.300s: %v", method, path, a.Status, a.Body, err)
	}
	if refused := a.Status != http.StatusOK; said.Status.HTTPCode != a.Status || (said.Status.ErrorCode != "") != refused || refused && string(said.Data) != "null" {
		t.Fatalf("%s %s: %d with %s", method, path, a.Status, a.Body)
	}
	if a.Header.Get("Cache-Control") != "no-store" || len(a.Header.Values("Set-Cookie")) > 0 {
		t.Errorf("%s %s: fields %v", method, path, a.Header)
	}
	return a, said
}

// must makes a call that is let through, and reads its data.
func (p *apiUser) must(t testing.TB, method, path, body, message string, data any) {
	t.Helper()
	a, said := p.send(t, method, path, body)
	if a.Status != http.StatusOK || said.Status.Message != message {
		t.Fatalf("%s %s: %d %q, want 200 %q", method, path, a.Status, said.Status.Message, message)
	}
	if data == nil {
		return
	}
	if err := json.Unmarshal(said.Data, data); err != nil {
		t.Fatalf("%s: %v", said.Data, err)
	}
}

// refused makes a call that is not let through; its message begins as is said.
func (p *apiUser) refused(t testing.TB, method, path, body string, code int, name, begins string, headers ...string) {
	t.Helper()
	a, said := p.send(t, method, path, body, headers...)
	if a.Status != code || said.Status.ErrorCode != name || !strings.HasPrefix(said.Status.Message, begins) {
		t.Errorf("%s %s: %d %s %q, want %d %s %q…", method, path, a.Status, said.Status.ErrorCode, said.Status.Message, code, name, begins)
	}
}

func (p *apiUser) take(t testing.TB, path, body, message string) {
	t.Helper()
	var data struct {
		Token   string `json:"token"`
		Refresh string `json:"refresh_token"`
	}
	p.must(t, "POST", path, body, message, &data)
	p.token, p.refresh = data.Token, data.Refresh
	p.s.Secrets.Add(secret.Text(p.token))
	p.s.Secrets.Add(secret.Text(p.refresh))
}

func signInAs(t testing.TB, s webtest.Site, email string) *apiUser {
	t.Helper()
	p := &apiUser{s: s, email: email}
	p.take(t, "/user/signin", jsonOf("email", email, "password", storetest.Password), "Successful signin")
	return p
}

func (p *apiUser) renew(t testing.TB, workspace string) {
	t.Helper()
	p.take(t, "/user/refresh_token", jsonOf("email", p.email, "refresh_token", p.refresh, "workspace_id", workspace), "Token successfully updated")
}

type madeToken struct {
	Token     string     `json:"token"`
	ExpiresAt *time.Time `json:"expires_at"`
}

func (p *apiUser) mint(t testing.TB, period, message string) madeToken {
	t.Helper()
	var made madeToken
	p.must(t, "GET", "/workspace/automation_token?expiration_period="+period, "", message, &made)
	p.s.Secrets.Add(secret.Text(made.Token))
	return made
}

// jsonOf writes an object of texts.
func jsonOf(namesAndValues ...string) string {
	fields := map[string]string{}
	for i := 0; i < len(namesAndValues); i += 2 {
		fields[namesAndValues[i]] = namesAndValues[i+1]
	}
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(text)
}

type myWorkspaces struct {
	TotalCount int `json:"total_count"`
	Workspaces []struct {
		Name        string `json:"name"`
		Role        string `json:"role"`
		WorkspaceID string `json:"workspace_id"`
	} `json:"workspaces"`
}

// works insists on what a token gets of the workspace's product.
func (p *apiUser) works(t testing.TB, token string, want int) *webtest.Answer {
	t.Helper()
	return p.s.Browser(t).Get(t, "/api/agent-base", "Authorization", "Bearer "+token).Want(t, want)
}

// The owner's path of the guide: sign in, make a token of each period, use it; and it dies with the password.
func TestTheOwnersPath(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p := signInAs(t, s, "ines@marlowe.example")
		p.works(t, p.token, 200)
		var mine myWorkspaces
		p.must(t, "GET", "/user/workspaces", "", "", &mine)
		if mine.TotalCount != 1 || len(mine.Workspaces) != 1 || mine.Workspaces[0].Name != "Marlowe Press" || mine.Workspaces[0].Role != "owner" {
			t.Errorf("workspaces: %+v", mine)
		}
		now, lasting := s.Clock.Now().UTC(), ""
		for period, ends := range map[string]time.Time{
			"1h": now.Add(time.Hour), "3h": now.Add(3 * time.Hour), "5h": now.Add(5 * time.Hour), "16h": now.Add(16 * time.Hour), "24h": now.Add(24 * time.Hour), "48h": now.Add(48 * time.Hour),
			"1w": now.AddDate(0, 0, 7), "2w": now.AddDate(0, 0, 14), "3w": now.AddDate(0, 0, 21), "1mo": now.AddDate(0, 1, 0), "no_exp": {}, "": now.Add(24 * time.Hour),
		} {
			made := p.mint(t, period, "")
			if (made.ExpiresAt == nil) != ends.IsZero() || made.ExpiresAt != nil && !made.ExpiresAt.Equal(models.Instant(ends)) {
				t.Errorf("%q ends %v, want %v", period, made.ExpiresAt, ends)
			}
			if period == "no_exp" {
				lasting = made.Token
				p.works(t, lasting, 200)
			}
		}
		p.must(t, "POST", "/workspace/automation_token?expiration_period=1h", "", "", nil)
		p.must(t, "POST", "/user/change_password", jsonOf("password", storetest.Password, "new_password", "seven green bicycles under a bridge"), "Password successfully changed", nil)
		p.refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "Incorrect JWT token. Token was revoked. A newer token took its place; or its sign-in has ended")
		p.works(t, lasting, 401).Has(t, "the account password was changed")
		(&apiUser{s: s, token: lasting}).refused(t, "GET", "/workspace/restrictions", "", 401, "credential_revoked", "Token was revoked. It was revoked on")
	}, webtest.Sampled())
}

// The team member's path: they begin in their own workspace, are told so, switch, and make a token of the other one.
func TestTheTeamMembersPath(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		member := s.Person(t, s.Admin, models.Admin)
		own, err := s.CreateWorkspace(t.Context(), storetest.As(member), models.NewWorkspace{Name: "Their own"})
		if err != nil {
			t.Fatal(err)
		}
		p := signInAs(t, s, member.Email)
		var mine myWorkspaces
		p.must(t, "GET", "/user/workspaces", "", "", &mine)
		if mine.TotalCount != 2 || mine.Workspaces[0].WorkspaceID != own.ID || mine.Workspaces[0].Role != "owner" || mine.Workspaces[1].Role != "admin" {
			t.Fatalf("workspaces: %+v", mine)
		}
		const forgot = "You are in your own workspace. For a token of another one, switch with POST /user/refresh_token first."
		p.mint(t, "1h", forgot)
		other := mine.Workspaces[1].WorkspaceID
		p.refused(t, "GET", "/workspace/automation_token?workspace_id="+other, "", 403, "wrong_workspace", "You are in your own workspace: switch with POST /user/refresh_token first.")
		p.works(t, p.token, 200)
		s.Browser(t).Get(t, "/api/agent-base", "Authorization", "Bearer "+p.token, "X-Workspace-Id", other).Want(t, 403).Has(t, "Switch with POST /user/refresh_token first.")

		before := *p
		p.renew(t, other)
		before.refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "Incorrect JWT token")
		made := p.mint(t, "24h", "")
		p.works(t, made.Token, 200)
		auto := &apiUser{s: s, token: made.Token}
		auto.must(t, "GET", "/user/workspaces", "", "", &mine)
		auto.refused(t, "GET", "/workspace/automation_token", "", 403, "scope_missing", "Token is not allowed to do this. This call takes a sign-in token, made with POST /user/signin. What was sent is an automation token.")

		p.refused(t, "POST", "/user/refresh_token", jsonOf("email", p.email, "refresh_token", p.refresh, "workspace_id", models.NewID()), 403, "forbidden", "You are not a member of that workspace")
		p.renew(t, "") // nothing was used up by that
		if _, err := s.RemoveMember(t.Context(), s.Admin, other, member.ID); err != nil {
			t.Fatal(err)
		}
		p.works(t, made.Token, 401).Has(t, "the person left the workspace")
		p.refused(t, "GET", "/workspace/automation_token", "", 401, "credential_revoked", "Incorrect JWT token")
		p.renew(t, own.ID)
		p.mint(t, "1h", "")
	}, webtest.Sampled())
}
