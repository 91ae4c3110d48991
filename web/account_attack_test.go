package web_test

import (
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// What was meant to name one token does not end all of them because the name came out empty.
func TestAnEmptyTokenRevokesNothing(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Sampled())
	p := signInAs(t, s, "ines@marlowe.example")
	made := p.mint(t, "no_exp", "")
	for _, body := range []string{`{"token":""}`, `{"token":null}`, `{"token":"","is_automation":true}`, `{"is_automation":null}`, jsonOf("token", made.Token)[:60] + `","is_automation":true}`} {
		p.refused(t, "POST", "/user/revoke_tokens", body, 400, "ambiguous", "")
	}
	p.works(t, made.Token, 200)
	p.works(t, p.token, 200)
}

// A sign-in ends by any refresh token that it had; a sign-in token that a newer one took the place of ends nothing, and that is what is said.
func TestRevokingASignInThatWentOn(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		thief, other := signInAs(t, s, "ines@marlowe.example"), signInAs(t, s, s.Person(t, s.Admin, models.Member).Email)
		leaked, refresh := thief.token, thief.refresh
		thief.renew(t, "")
		owner := signInAs(t, s, "ines@marlowe.example")
		owner.refused(t, "POST", "/user/revoke_tokens", jsonOf("token", leaked), 404, "not_found", "Nothing was revoked:")
		owner.refused(t, "POST", "/user/revoke_tokens", jsonOf("token", other.refresh), 404, "not_found", "Nothing was revoked:")
		owner.must(t, "POST", "/user/revoke_tokens", jsonOf("token", refresh), "Tokens successfully revoked", nil)
		thief.refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "Incorrect JWT token")
		other.must(t, "GET", "/user/workspaces", "", "", nil)
	})
}

// A call of the account API that names another workspace than the token's, or something in the wrong place, does nothing.
func TestAccountCallsThatMeanSomethingElse(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Sampled())
	other, err := s.CreateWorkspace(t.Context(), s.Admin, models.NewWorkspace{Name: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	p := signInAs(t, s, "ines@marlowe.example")
	for _, c := range []struct {
		method, path, body string
		status             int
		headers            []string
	}{
		{"GET", "/workspace/automation_token?expiration_period=1h", "", 403, []string{"X-Workspace-Id", other.ID}},
		{"GET", "/workspace/automation_token?expiration_period=1h", "", 403, []string{"X-Workspace-Id", "marlowe-press", "X-Workspace-Id", other.ID}},
		{"POST", "/workspace/automation_token", `{"expiration_period":"1h","workspace_id":"` + other.ID + `"}`, 403, nil},
		{"POST", "/workspace/automation_token?expiration_period=3h", `{"expiration_period":"1h"}`, 400, nil},
		{"POST", "/workspace/automation_token", `{"expiration":"1h"}`, 400, nil},
		{"GET", "/workspace/automation_token?expiration=1h", "", 400, nil},
		{"GET", "/workspace/restrictions", "", 403, []string{"X-Workspace-Id", other.ID}},
		{"GET", "/workspace/restrictions?workspace_id=" + other.ID, "", 400, nil},
		{"GET", "/user/workspaces?x=1", "", 400, nil},
		{"POST", "/user/revoke_tokens?workspace_id=" + other.ID, "", 400, nil},
		{"POST", "/user/revoke_tokens?is_automation=true", "", 400, nil},
		{"POST", "/user/revoke_tokens", "", 403, []string{"X-Workspace-Id", other.ID}},
	} {
		before := s.Changes(t)
		if a, _ := p.send(t, c.method, c.path, c.body, c.headers...); a.Status != c.status || s.Changes(t) != before {
			t.Errorf("%s %s %s %v: %d %s", c.method, c.path, c.body, c.headers, a.Status, a.Body)
		}
	}
	var made madeToken
	p.must(t, "POST", "/workspace/automation_token", `{"expiration_period":"1h","name":"Nightly export"}`, "You are in your own workspace. For a token of another one, switch with POST /user/refresh_token first.", &made)
	if !made.ExpiresAt.Equal(models.Instant(s.Clock.Now().Add(models.SignInTokenLife * 2))) {
		t.Errorf("it ends %v", made.ExpiresAt)
	}
	s.SignedIn(t, "ines@marlowe.example").Get(t, "/w/marlowe-press/settings/api-tokens").Has(t, "Nightly export")
}

// What is refused by API is noted as what it is, and as whose: neither a right password of somebody who is a member of nothing, nor a refresh token that comes for a foreign
// workspace or with another address, comes from another site.
func TestRefusedSignInsOfProgramsAreNoted(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	alone := s.Person(t, s.Admin, models.Member)
	if _, err := s.RemoveMember(t.Context(), s.Admin, "marlowe-press", alone.ID); err != nil {
		t.Fatal(err)
	}
	p, nobody := signInAs(t, s, "ines@marlowe.example"), &apiUser{s: s}
	noted := func(what string, action models.Action, reason, actor, subject string) {
		t.Helper()
		s.Refused(t)
		list, err := s.Events(t.Context(), s.Admin, models.EventFilter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if e := list[0]; e.Action != action || said(e, "reason") != reason || e.ActorID != actor || e.SubjectID != subject {
			t.Errorf("%s is noted as %+v", what, e)
		}
	}
	nobody.refused(t, "POST", "/user/signin", jsonOf("email", alone.Email, "password", storetest.Password), 403, "forbidden", "You are not a member of any workspace.")
	noted("a right password", models.AccessDenied, "forbidden", alone.ID, "")
	nobody.refused(t, "POST", "/user/refresh_token", jsonOf("email", p.email, "refresh_token", p.refresh, "workspace_id", models.NewID()), 403, "forbidden", "")
	noted("a foreign workspace", models.AccessDenied, "forbidden", s.Admin.ID, "")
	nobody.refused(t, "POST", "/user/refresh_token", jsonOf("email", "thief@x.example", "refresh_token", p.refresh), 400, "invalid_refresh_token", "")
	noted("another address", models.SignInRefused, "other_address", "", s.Admin.ID)
	p.renew(t, "")
}

// Renewals count with the calls, and a person's programs are bounded: the one that was used least lately ends. Ending one's own is never too much.
func TestProgramsOfAPersonAreBounded(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p := signInAs(t, s, "ines@marlowe.example")
		n := 0
		for ; n < 60; n++ {
			a, _ := (&apiUser{s: s}).send(t, "POST", "/user/refresh_token", jsonOf("email", p.email, "refresh_token", p.refresh))
			if a.Status == 429 && a.Header.Get("Retry-After") != "" {
				break
			}
			for name, into := range map[string]*string{"token": &p.token, "refresh_token": &p.refresh} {
				_, rest, _ := strings.Cut(a.Want(t, 200).Body, `"`+name+`":"`)
				*into, _, _ = strings.Cut(rest, `"`)
			}
		}
		if n != 50 {
			t.Errorf("%d renewals in one moment", n)
		}
		p.refused(t, "GET", "/user/workspaces", "", 429, "rate_limited", "Too many requests")
		p.must(t, "POST", "/user/revoke_tokens", `{"is_automation":true}`, "Tokens successfully revoked", nil)
		for range 50 {
			signInAs(t, s, "ines@marlowe.example")
		}
		p.refused(t, "POST", "/user/revoke_tokens", "", 401, "credential_revoked", "Incorrect JWT token")
		if list, err := s.Store.Sessions(t.Context(), s.Admin, s.Admin.ID); err != nil || len(list) != 50 {
			t.Errorf("%d sessions (%v)", len(list), err)
		}
	})
}

// The log of a workspace does not tell its Admins of which others their members are.
func TestAWorkspacesLogNamesNoOther(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	hidden, err := s.CreateWorkspace(t.Context(), s.Admin, models.NewWorkspace{Name: "Hidden merger"})
	if err != nil {
		t.Fatal(err)
	}
	p := signInAs(t, s, "ines@marlowe.example")
	var mine myWorkspaces
	p.must(t, "GET", "/user/workspaces", "", "", &mine)
	for range 2 {
		for _, w := range mine.Workspaces {
			p.renew(t, w.WorkspaceID)
		}
	}
	for _, kind := range []string{".jsonl", ".csv"} {
		log := s.SignedIn(t, "ines@marlowe.example").Get(t, "/w/marlowe-press/settings/audit"+kind).Want(t, 200).Has(t, "session.renewed").Body
		if strings.Contains(log, hidden.ID) || strings.Contains(log, "Hidden merger") {
			t.Errorf("%s tells of the other workspace", kind)
		}
	}
}
