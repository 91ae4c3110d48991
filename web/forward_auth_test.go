package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"tokendesk/models"
	"tokendesk/web/sample"
	"tokendesk/web/webtest"
)

// asked is a question of a proxy about a call with a token.
func asked(t *testing.T, s webtest.Site, token, query string, fields ...string) *webtest.Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/forward-auth"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return s.Browser(t).Do(t, r)
}

// A trusted proxy gets the gateway's decision about exactly the call that it tells of (security rule G3), with who calls, signed.
func TestForwardAuth(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Search", Chosen: true, Scopes: models.Scopes{"knowledge-base:search"}})
		target := "/api/knowledge-base/search?q=a%20b"
		for _, pair := range [][2]string{{"X-Forwarded-Method", "X-Forwarded-Uri"}, {"X-Original-Method", "X-Original-URI"}} {
			a := asked(t, s, text.Reveal(), "", pair[0], "GET", pair[1], target).Want(t, http.StatusOK)
			sentOn := httptest.NewRequest("GET", target, nil)
			sentOn.Header = a.Header
			who, err := sample.Verify(sentOn, s.Handlers.Sample.Key, s.Clock.Now())
			if want := (sample.Caller{Workspace: made.WorkspaceID, Kind: "api", Credential: made.ID, Scope: "knowledge-base:search", RequestID: who.RequestID}); err != nil || who != want || !models.ValidID(who.RequestID) {
				t.Errorf("%+v calls: %v", who, err)
			}
			fields := slices.Sorted(maps.Keys(a.Header))
			if want := []string{"Cache-Control", "Content-Length", "Date", "X-Tokendesk-Identity"}; !slices.Equal(fields, want) || a.Body != "" {
				t.Errorf("the answer has the fields %q, and the body %q", fields, a.Body)
			}
		}
		for name, c := range map[string]struct {
			status int
			code   string
			token  string
			fields []string
		}{
			"another operation":  {403, "scope_missing", text.Reveal(), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/agent-base"}},
			"another method":     {405, "method_not_allowed", text.Reveal(), []string{"X-Forwarded-Method", "DELETE", "X-Forwarded-Uri", "/api/knowledge-base/search"}},
			"no resource":        {404, "no_such_resource", text.Reveal(), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/nope"}},
			"no token":           {401, "credential_missing", "", []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", target}},
			"nothing told":       {400, "request_ambiguous", text.Reveal(), nil},
			"half told":          {400, "request_ambiguous", text.Reveal(), []string{"X-Forwarded-Uri", target}},
			"told twice":         {400, "request_ambiguous", text.Reveal(), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", target, "X-Forwarded-Uri", "/api/agent-base"}},
			"told in two ways":   {400, "request_ambiguous", text.Reveal(), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", target, "X-Original-Method", "GET", "X-Original-URI", target}},
			"dots":               {400, "request_ambiguous", text.Reveal(), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/agent-base/../knowledge-base/search"}},
			"an escape too many": {400, "request_ambiguous", text.Reveal(), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/knowledge%2Dbase/search"}},
			"a whole address":    {400, "request_ambiguous", text.Reveal(), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "http://x" + target}},
			"a token in it":      {400, "request_ambiguous", text.Reveal(), []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", target + "&access_token=x"}},
		} {
			a := asked(t, s, c.token, "", c.fields...)
			if a.Status != c.status || codeIn(a.Body) != c.code || a.Header.Get("X-Tokendesk-Identity") != "" {
				t.Errorf("%s: status %d: %s", name, a.Status, a.Body)
			}
			if a := asked(t, s, c.token, "?for=nginx", c.fields...); a.Status != 401 && a.Status != 403 || a.Header.Get("X-Tokendesk-Status") != fmt.Sprint(c.status) {
				t.Errorf("%s, for nginx: status %d, really %s", name, a.Status, a.Header.Get("X-Tokendesk-Status"))
			}
		}
	}, webtest.Sampled(), webtest.Trusting("127.0.0.0/8"), webtest.Asking("127.0.0.0/8"))
}

// Whoever is no proxy that may ask learns nothing, one whose word about addresses is believed included, whatever is told of the call.
func TestForwardAuthIsForProxies(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Sampled(), webtest.Trusting("127.0.0.0/8"))
	_, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "All"})
	a := asked(t, s, text.Reveal(), "", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/agent-base", "X-Forwarded-For", "127.0.0.1")
	a.Want(t, http.StatusForbidden).Has(t, "TOKENDESK_FORWARD_AUTH_FROM")
	if codeIn(a.Body) != "proxy_not_trusted" {
		t.Error(a.Body)
	}
}

// Where the operator has it so, a proxy learns the decision alone: nothing of who calls, whatever the question says.
func TestForwardAuthWithoutIdentity(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Asking("127.0.0.0/8"), webtest.Anonymous(), webtest.Sampled())
	_, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "A"})
	for query, status := range map[string]int{"": 200, "?identity=on": 200, "?for=nginx": 200} {
		a := s.Browser(t).Get(t, "/forward-auth"+query, "Authorization", "Bearer "+text.Reveal(), "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/agent-base").Want(t, status)
		for name := range a.Header {
			if name != "Cache-Control" && name != "Content-Length" && name != "Date" {
				t.Errorf("%s: it tells %s", query, name)
			}
		}
	}
	s.Browser(t).Get(t, "/forward-auth", "Authorization", "Bearer "+text.Reveal()[:50], "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/agent-base").Want(t, 401)
}
