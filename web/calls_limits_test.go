package web_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// Each token may make so many calls a minute as the settings say, from the next call on: they are counted down on every answer,
// and who has none left is told when there is room again, which is true to the second.
func TestTheCallLimit(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		p, _ := holder(t, s, models.NewAPIToken{Chosen: true, Scopes: models.Scopes{"agents:list"}})
		other, _ := holder(t, s, models.NewAPIToken{Name: "Another"})
		if a := other.call(t, "GET", "/api/agent-base", "").Want(t, 200); a.Header.Get("RateLimit-Policy") != `"api";q=600;w=60` {
			t.Errorf("without being set, the limit is %s", a.Header.Get("RateLimit-Policy"))
		}
		admin.Post(t, "/w/marlowe-press/settings/limits", webtest.Form{"calls_a_minute": "3"}).Want(t, 303)
		told := func(a *webtest.Answer, limit string) *webtest.Answer {
			t.Helper()
			if policy := a.Header.Get("RateLimit-Policy"); policy != `"api";q=3;w=60` || a.Header.Get("RateLimit") != limit {
				t.Errorf("status %d says %s, %s, want %s", a.Status, policy, a.Header.Get("RateLimit"), limit)
			}
			return a
		}
		told(p.call(t, "GET", "/api/agent-base", "").Want(t, 200), `"api";r=2;t=20`)
		told(p.call(t, "GET", "/api/knowledge-base", "").Want(t, 403), `"api";r=1;t=20`) // refused later than the limit: it counts
		told(p.call(t, "GET", "/api/agent-base", "").Want(t, 200), `"api";r=0;t=20`)
		s.Clock.Advance(5 * time.Second)
		for range 3 { // being refused costs nothing
			a := told(p.call(t, "GET", "/api/agent-base", ""), `"api";r=0;t=15`)
			if said := refusedCall(t, a, 429, "rate_limited"); a.Header.Get("Retry-After") != "15" || !strings.Contains(said.Detail, "3 calls a minute. Try again in 15 s.") || said.Title != "Too many requests" {
				t.Errorf("Retry-After %q: %s", a.Header.Get("Retry-After"), said.Detail)
			}
		}
		other.call(t, "GET", "/api/agent-base", "").Want(t, 200) // each for itself
		s.Clock.Advance(15*time.Second - time.Microsecond)
		told(p.call(t, "GET", "/api/agent-base", "").Want(t, 429), `"api";r=0;t=1`)
		s.Clock.Advance(time.Microsecond)
		told(p.call(t, "GET", "/api/agent-base", "").Want(t, 200), `"api";r=0;t=20`)
		admin.Post(t, "/w/marlowe-press/settings/limits", webtest.Form{"calls_a_minute": "1000"}).Want(t, 303)
		s.Clock.Advance(time.Second) // the minute is used up, and room comes back at the new pace
		if a := p.call(t, "GET", "/api/agent-base", "").Want(t, 200); a.Header.Get("RateLimit-Policy") != `"api";q=1000;w=60` || a.Header.Get("RateLimit") != `"api";r=15;t=1` {
			t.Errorf("then the limit is %s, %s", a.Header.Get("RateLimit-Policy"), a.Header.Get("RateLimit"))
		}
	}, webtest.Sampled())
}

// A person's own token opens the product of the workspace that they belong to; of several they say which, by its name in
// addresses or its ID.
func TestPeopleAtTheGateway(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		tom := s.Person(t, s.Admin, models.Member) // of the only workspace
		_, text := s.Token(t, s.Admin, tom.ID)
		member := consumer{s, text.Reveal()}
		get := func(p consumer, workspace string) *webtest.Answer {
			t.Helper()
			if workspace == "" {
				return p.call(t, "GET", "/api/agent-base", "")
			}
			return p.call(t, "GET", "/api/agent-base", "", "X-Workspace-Id", workspace)
		}
		if a := get(member, "").Want(t, 200); a.Header.Get("RateLimit-Policy") != `"bearer";q=600;w=60` {
			t.Errorf("the limit is %s", a.Header.Get("RateLimit-Policy"))
		}
		home, err := s.Workspace(t.Context(), s.Admin, "marlowe-press")
		if err != nil {
			t.Fatal(err)
		}
		get(member, "marlowe-press").Want(t, 200)
		get(member, home.ID).Want(t, 200)
		admin.Post(t, "/workspaces", webtest.Form{"name": "Harbour"}).Want(t, 303)
		_, text = s.Token(t, s.Admin, s.Person(t, s.Admin, models.Member).ID) // of none
		stranger := consumer{s, text.Reveal()}
		for _, workspace := range []string{"harbour", "nowhere", models.NewID()} {
			said := refusedCall(t, get(member, workspace), 403, "wrong_workspace")
			if !strings.Contains(said.Detail, "does not belong to that workspace") {
				t.Errorf("%s: it says %s", workspace, said.Detail)
			}
			refusedCall(t, get(stranger, workspace), 403, "wrong_workspace")
		}
		refusedCall(t, get(stranger, "marlowe-press"), 403, "wrong_workspace")
		get(member, "").Want(t, 200)

		admin.Post(t, "/w/harbour/settings/members", webtest.Form{"email": tom.Email, "role": "Member"}).Want(t, 303)
		said := refusedCall(t, get(member, ""), 400, "request_ambiguous")
		if !strings.Contains(said.Detail, "Say which one with X-Workspace-Id.") {
			t.Errorf("it says %s", said.Detail)
		}
		get(member, "harbour").Want(t, 200)
		get(member, "marlowe-press").Want(t, 200)
		admin.Post(t, "/w/harbour/settings/members/"+tom.ID+"/remove", nil).Want(t, 303)
		get(member, "").Want(t, 200)
		admin.Post(t, "/people/"+tom.ID+"/deactivate", nil).Want(t, 303)
		refusedCall(t, get(member, ""), 401, "owner_deactivated")
	}, webtest.Sampled())
}
