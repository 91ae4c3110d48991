package web_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

// consumer is a program that calls a product with a credential.
type consumer struct {
	site  webtest.Site
	token string
}

func (p consumer) call(t testing.TB, method, path, body string, headers ...string) *webtest.Answer {
	t.Helper()
	if strings.HasPrefix(body, "{") {
		headers = append(headers, "Content-Type", "application/json")
	}
	if p.token != "" {
		headers = append(headers, "Authorization", "Bearer "+p.token)
	}
	return p.site.Browser(t).Send(t, method, path, strings.NewReader(body), headers...)
}

// holder makes an API token of the first workspace, and a program that has it.
func holder(t testing.TB, s webtest.Site, n models.NewAPIToken) (consumer, models.Credential) {
	t.Helper()
	if n.Name == "" {
		n.Name = "A program"
	}
	made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", n)
	return consumer{s, text.Reveal()}, made
}

// problem is a refusal as programs are told of it (RFC 9457).
type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	Request                   string `json:"request_id"`
}

// refusedCall insists that a call was refused with a code, in the one shape that refusals have, and answers it.
func refusedCall(t testing.TB, a *webtest.Answer, status int, code string) problem {
	t.Helper()
	var p problem
	var members map[string]any
	if err := json.Unmarshal([]byte(a.Want(t, status).Body), &p); err != nil || json.Unmarshal([]byte(a.Body), &members) != nil {
		t.Fatalf("it is no JSON: %v: %.300s", err, a.Body)
	}
	if p.Code != code {
		t.Fatalf("refused as %q, want %q: %s", p.Code, code, a.Body)
	}
	if len(members) != 6 || p.Type != "about:blank" || p.Title == "" || p.Detail == "" || p.Status != status || p.Request == "" || p.Request != a.Header.Get("X-Request-Id") {
		t.Errorf("the problem is %s, of the request %q", a.Body, a.Header.Get("X-Request-Id"))
	}
	if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("it comes as %q with %q", kind, a.Header.Get("Cache-Control"))
	}
	return p
}

// operation is a call of the product, as a program makes it. In the path and the body, words in angle brackets stand for
// what earlier answers said.
type operation struct {
	scope, method, pattern, path, body string
	status                             int
	keeps                              string // the name under which the ID in its answer is kept
}

// operations are all of the product that a workspace is born with, in an order in which each finds what it is about.
var operations = []operation{
	{"agents:install", "POST", "/api/agent-base/install", "/api/agent-base/install", `{"name":"Clerk","instructions":"Say what is due."}`, 201, "agent"},
	{"agents:list", "GET", "/api/agent-base", "/api/agent-base", "", 200, ""},
	{"agents:list", "GET", "/api/agent-base/{id}", "/api/agent-base/<agent>", "", 200, ""},
	{"agents:update", "PUT", "/api/agent-base/{id}", "/api/agent-base/<agent>", `{"name":"Head clerk"}`, 200, ""},
	{"triggers:list", "GET", "/api/agent-base/triggers", "/api/agent-base/triggers", "", 200, ""},
	{"triggers:execute", "POST", "/api/agent-base/triggers", "/api/agent-base/triggers", `{"trigger_id":"<trigger>"}`, 200, ""},
	{"triggers:details", "GET", "/api/agent-base/triggers/{id}/details", "/api/agent-base/triggers/<trigger>/details", "", 200, ""},
	{"agent-executions:list", "GET", "/api/agent-base/{id}/executions", "/api/agent-base/<agent>/executions", "", 200, ""},
	{"webhooks:send-events", "POST", "/api/webhook", "/api/webhook", `{"event":"orders"}`, 200, ""},
	{"webhooks:send-events", "POST", "/api/webhook/*", "/api/webhook/orders/created", `{"input":"an order"}`, 200, ""},
	{"integrations:create", "POST", "/api/integrations-base", "/api/integrations-base", `{"type":"mail","scope":"local","product_id":"p1"}`, 201, "integration"},
	{"integrations:list", "GET", "/api/integrations-base", "/api/integrations-base", "", 200, ""},
	{"integrations:list", "GET", "/api/integrations-base/{id}", "/api/integrations-base/<integration>", "", 200, ""},
	{"integrations:list", "GET", "/api/integrations-base/product/{productId}/active", "/api/integrations-base/product/p1/active", "", 200, ""},
	{"integrations:update", "PUT", "/api/integrations-base/{id}", "/api/integrations-base/<integration>", `{"type":"mail","scope":"global"}`, 200, ""},
	{"storage:upload", "POST", "/api/knowledge-base/storage", "/api/knowledge-base/storage?name=tea.txt", "Water the fern on Mondays.", 201, "file"},
	{"storage:list", "GET", "/api/knowledge-base/storage", "/api/knowledge-base/storage", "", 200, ""},
	{"storage:download", "GET", "/api/knowledge-base/storage/{id}", "/api/knowledge-base/storage/<file>", "", 200, ""},
	{"knowledge-base:list", "GET", "/api/knowledge-base", "/api/knowledge-base", "", 200, ""},
	{"knowledge-base:search", "GET", "/api/knowledge-base/search", "/api/knowledge-base/search?q=fern", "", 200, ""},
	{"assistant-chat:chat", "POST", "/api/assistant/chat", "/api/assistant/chat", `{"message":"When is the fern watered?"}`, 200, ""},
	{"assistant-chat:history", "GET", "/api/assistant/chat", "/api/assistant/chat", "", 200, ""},
	{"storage:delete", "DELETE", "/api/knowledge-base/storage/{id}", "/api/knowledge-base/storage/<file>", "", 200, ""},
	{"integrations:delete", "DELETE", "/api/integrations-base/{id}", "/api/integrations-base/<integration>", "", 200, ""},
	{"agents:delete", "DELETE", "/api/agent-base/{id}", "/api/agent-base/<agent>", "", 200, ""},
}

var bracketed = regexp.MustCompile(`<[a-z]+>`)

// The table is the product's: an operation that is added there is called here.
func TestTheOperationsAreAll(t *testing.T) {
	t.Parallel()
	left := map[string]bool{}
	for _, r := range models.DefaultResources() {
		for _, o := range r.Operations {
			left[r.Scope(o.Name)+" "+o.Method+" "+o.Pattern] = true
		}
	}
	for _, o := range operations {
		delete(left, o.scope+" "+o.method+" "+o.pattern)
	}
	if len(left) > 0 || len(operations) != 25 {
		t.Errorf("%d operations, and none is %v", len(operations), left)
	}
}

// Each operation of the eight resources answers through the gateway, as the sample product does, to a token that may use all;
// its chat comes as events.
func TestEveryOperationAnswers(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, made := holder(t, s, models.NewAPIToken{})
		kept := map[string]string{}
		fill := func(text string) string {
			return bracketed.ReplaceAllStringFunc(text, func(name string) string { return kept[name[1:len(name)-1]] })
		}
		for _, o := range operations {
			a := p.call(t, o.method, fill(o.path), fill(o.body)).Want(t, o.status)
			if a.Header.Get("X-Request-Id") == "" || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("RateLimit") == "" {
				t.Errorf("%s %s: the answer's fields are %v", o.method, o.path, a.Header)
			}
			if o.keeps != "" {
				var told struct {
					Data struct {
						ID      string
						Trigger string `json:"trigger_id"`
					}
				}
				if err := json.Unmarshal([]byte(a.Body), &told); err != nil || told.Data.ID == "" {
					t.Fatalf("%s %s: %.300s", o.method, o.path, a.Body)
				}
				if kept[o.keeps] = told.Data.ID; told.Data.Trigger != "" {
					kept["trigger"] = told.Data.Trigger
				}
			}
			switch o.scope {
			case "assistant-chat:chat":
				if kind := a.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") || !strings.Contains(a.Body, "data:") || !strings.Contains(a.Body, `"title":"tea"`) {
					t.Errorf("the chat answers %q: %.500s", kind, a.Body)
				}
			case "storage:download":
				if a.Body != "Water the fern on Mondays." {
					t.Errorf("the download is %q", a.Body)
				}
			}
		}
		s.Flush(t)
		if use := factOf(cardOf(t, s.SignedIn(t, ines).Get(t, tokensTab), made.ID), "Usage"); !strings.HasPrefix(use, "25") {
			t.Errorf("the card says %q", use)
		}
	}, webtest.Sampled())
}

// A token that may search the knowledge base may do that, and HEAD for it, and nothing else: every other operation is
// refused with the scope that it lacks, in words and in the challenge.
func TestANarrowedToken(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, _ := holder(t, s, models.NewAPIToken{Chosen: true, Scopes: models.Scopes{"knowledge-base:search"}})
		for _, o := range operations {
			a := p.call(t, o.method, bracketed.ReplaceAllString(o.path, "x"), o.body)
			if o.scope == "knowledge-base:search" {
				a.Want(t, 200)
				continue
			}
			told := refusedCall(t, a, 403, "scope_missing")
			if told.Title != "Token is not allowed to do this" || !strings.Contains(told.Detail, "the operation "+o.scope+",") {
				t.Errorf("%s: it says %q, %q", o.scope, told.Title, told.Detail)
			}
			if got, want := a.Header.Get("WWW-Authenticate"), `Bearer realm="tokendesk", error="insufficient_scope", error_description="Token is not allowed to do this", scope="`+o.scope+`"`; got != want {
				t.Errorf("%s: the challenge is %s", o.scope, got)
			}
		}
		if a := p.call(t, "HEAD", "/api/knowledge-base/search?q=fern", "").Want(t, 200); a.Body != "" {
			t.Error("HEAD has a body")
		}
		if a := p.call(t, "HEAD", "/api/agent-base", "").Want(t, 403); a.Body != "" || !strings.Contains(a.Header.Get("WWW-Authenticate"), `scope="agents:list"`) {
			t.Errorf("HEAD is refused with %q", a.Header.Get("WWW-Authenticate"))
		}
		refusedCall(t, p.call(t, "GET", "/api/nothing", ""), 404, "no_such_resource")
		a := p.call(t, "DELETE", "/api/knowledge-base/search", "")
		if told := refusedCall(t, a, 405, "method_not_allowed"); a.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("it takes %q, and says %q", a.Header.Get("Allow"), told.Detail)
		}
	}, webtest.Sampled())
}

// Whatever an Admin does to a token is felt by its very next call, and the one that is refused is told which it was: the
// program learns what only its holder may know.
func TestTheNextCallFeelsIt(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		p, made := holder(t, s, models.NewAPIToken{Expiration: models.ForAWeek})
		token, get := tokensTab+"/"+made.ID, func(p consumer) *webtest.Answer { t.Helper(); return p.call(t, "GET", "/api/agent-base", "") }
		refused := func(p consumer, code, title, detail string) {
			t.Helper()
			a := get(p)
			if told := refusedCall(t, a, 401, code); told.Title != title || !strings.Contains(told.Detail, detail) {
				t.Errorf("it says %q, %q", told.Title, told.Detail)
			}
			if got, want := a.Header.Get("WWW-Authenticate"), `Bearer realm="tokendesk", error="invalid_token", error_description="`+title+`"`; got != want {
				t.Errorf("the challenge is %s", got)
			}
			if a.Header.Get("RateLimit") != "" || a.Header.Get("RateLimit-Policy") != "" {
				t.Error("a call that was not counted is told of a limit")
			}
		}
		get(p).Want(t, 200)
		admin.Post(t, token+"/deactivate", nil).Want(t, 303)
		refused(p, "credential_inactive", "Token is inactive", "It can be switched on again.")
		admin.Post(t, token+"/activate", nil).Want(t, 303)
		get(p).Want(t, 200)
		text, _ := shownToken(t, s, regenerate(t, admin, token))
		refused(p, "credential_replaced", "Token was replaced by a newer one", "It was replaced on 21 November 2026, 09:30 UTC.")
		old := p
		p = consumer{s, text}
		get(p).Want(t, 200)
		s.Clock.Advance(7*24*time.Hour - time.Microsecond)
		get(p).Want(t, 200)
		s.Clock.Advance(time.Microsecond)
		refused(p, "credential_expired", "Token has expired", "It expired on 28 November 2026, 09:30 UTC.")
		admin = s.SignedIn(t, ines)
		text, _ = shownToken(t, s, regenerate(t, admin, token, "expiration", "no_exp"))
		refused(p, "credential_replaced", "Token was replaced by a newer one", "It was replaced on 28 November 2026")
		p = consumer{s, text}
		get(p).Want(t, 200)
		admin.Post(t, token+"/revoke", nil).Want(t, 303)
		refused(p, "credential_revoked", "Token was revoked", "It was revoked on 28 November 2026")
		refused(old, "credential_replaced", "Token was replaced by a newer one", "")
	}, webtest.Sampled())
}

// What is no credential, or more than one, is refused before anything is looked up, and learns nothing.
func TestCallsWithoutACredential(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, _ := holder(t, s, models.NewAPIToken{})
		good, nobody := p.token, consumer{site: s}
		unknown, err := secret.Mint("prod", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			headers   []string
			status    int
			code      string
			challenge string
		}{
			{nil, 401, "credential_missing", `Bearer realm="tokendesk"`},
			{[]string{"Cookie", "sid=" + session(t, s, person(t, s, s.Admin.ID))}, 401, "credential_missing", `Bearer realm="tokendesk"`},
			{[]string{"Authorization", "Bearer " + garbled(good)}, 401, "credential_malformed", `Bearer realm="tokendesk", error="invalid_token"`},
			{[]string{"Authorization", "Bearer  " + good}, 401, "credential_malformed", `Bearer realm="tokendesk", error="invalid_token"`},
			{[]string{"X-API-Key", "Bearer " + good}, 401, "credential_malformed", `Bearer realm="tokendesk", error="invalid_token"`},
			{[]string{"X-API-Token", unknown.Reveal()}, 401, "credential_unknown", `Bearer realm="tokendesk", error="invalid_token"`},
			{[]string{"Authorization", "Bearer " + good, "X-API-Key", good}, 400, "request_ambiguous", `Bearer realm="tokendesk", error="invalid_request"`},
			{[]string{"X-API-Key", good, "X-API-Key", good}, 400, "request_ambiguous", `Bearer realm="tokendesk", error="invalid_request"`},
			{[]string{"X-API-Key", good, "X-Workspace-Id", "marlowe-press", "X-Workspace-Id", "marlowe-press"}, 400, "request_ambiguous", `Bearer realm="tokendesk", error="invalid_request"`},
			{[]string{"X-API-Key", good, "X_Api_Key", good}, 400, "request_ambiguous", `Bearer realm="tokendesk", error="invalid_request"`},
			{[]string{"X-API-Key", good, "X-Workspace-Id", "harbour"}, 403, "wrong_workspace", `Bearer realm="tokendesk", error="insufficient_scope", error_description="Token belongs to another workspace"`},
		} {
			a := nobody.call(t, "GET", "/api/agent-base", "", c.headers...)
			refusedCall(t, a, c.status, c.code)
			if got := a.Header.Get("WWW-Authenticate"); got != c.challenge {
				t.Errorf("%s: the challenge is %s", c.code, got)
			}
			if strings.Contains(a.Body, good[5:25]) {
				t.Errorf("%s: the answer echoes the token", c.code)
			}
		}
		refusedCall(t, nobody.call(t, "GET", "/api/agent-base?access_token="+good, ""), 400, "request_ambiguous")
		refusedCall(t, nobody.call(t, "GET", "/api/agent-base?access_key="+good, ""), 401, "credential_missing")
		for field, scheme := range map[string]string{"Authorization": "bearer ", "X-API-Key": "", "X-API-Token": ""} {
			nobody.call(t, "GET", "/api/agent-base", "", field, scheme+good, "X-Workspace-Id", "marlowe-press").Want(t, http.StatusOK)
		}
	}, webtest.Sampled())
}
