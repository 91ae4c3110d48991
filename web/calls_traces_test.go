package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// While the database is away, nobody can say whether a credential is good: it is neither let in nor called bad, and the program
// is told to come back. What can be refused without asking is.
func TestCallsWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		api := newOwnAPI(t)
		p, _ := holder(t, s, models.NewAPIToken{})
		_, bearer := s.Token(t, s.Admin, s.Admin.ID)
		product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
		point(t, s.SignedIn(t, ines), product, pointing(api.URL)).Want(t, 303)
		p.call(t, "GET", "/api/agent-base", "").Want(t, 204)
		api.take()
		away := webtest.Start(t, s.World, webtest.Over(closed(t, s)))
		for _, token := range []string{p.token, bearer.Reveal()} {
			for _, path := range []string{"/api/agent-base", "/api/nothing"} {
				a := consumer{away, token}.call(t, "GET", path, "")
				told := refusedCall(t, a, 503, "verifier_unavailable")
				if a.Header.Get("Retry-After") != "1" || a.Header.Get("WWW-Authenticate") != "" || a.Header.Get("RateLimit") != "" || strings.Contains(strings.ToLower(a.Body), "sql") {
					t.Errorf("%s: %v, %s", path, a.Header, told.Detail)
				}
			}
		}
		refusedCall(t, consumer{site: away}.call(t, "GET", "/api/agent-base", ""), 401, "credential_missing")
		refusedCall(t, consumer{away, garbled(p.token)}.call(t, "GET", "/api/agent-base", ""), 401, "credential_malformed")
		refusedCall(t, consumer{away, p.token}.call(t, "GET", "/api//agent-base", ""), 400, "request_ambiguous")
		if n := len(api.take()); n != 0 {
			t.Errorf("%d calls were let through", n)
		}
		before := s.Changes(t)
		if err := away.Handlers.Refusals.Flush(t.Context(), s.Store); err != nil || s.Changes(t) != before+3 {
			t.Errorf("%d kinds of refusals are told of, want the three that were decided (%v)", s.Changes(t)-before, err)
		}
		p.call(t, "GET", "/api/agent-base", "").Want(t, 204)
	})
}

// Refused calls are in the audit log of the workspace, those of one kind together: with why, for what, how often, in which
// request, and whose token it was where the secret itself matched.
func TestRefusedCallsOfProductsAreTold(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		p, made := holder(t, s, models.NewAPIToken{Name: "Search box", Chosen: true, Scopes: models.Scopes{"knowledge-base:search"}})
		var last *webtest.Answer
		for range 5 {
			last = p.call(t, "GET", "/api/agent-base", "").Want(t, 403)
		}
		p.call(t, "GET", "/api/knowledge-base/storage", "").Want(t, 403) // another operation is another kind
		s.SignedIn(t, ines).Post(t, tokensTab+"/"+made.ID+"/deactivate", nil).Want(t, 303)
		p.call(t, "GET", "/api/agent-base", "").Want(t, 401)
		consumer{site: s}.call(t, "GET", "/api/agent-base", "").Want(t, 401)
		consumer{s, garbled(p.token)}.call(t, "GET", "/api/agent-base", "").Want(t, 401)
		times := map[string]string{}
		for _, e := range told(t, s) {
			if e.Action != models.CallDenied {
				t.Errorf("an event %s", e.Action)
				continue
			}
			known := said(e, "reason") == "scope_missing" || said(e, "reason") == "credential_inactive"
			if known != (e.SubjectID == made.ID && e.SubjectName == "Search box" && e.CredentialID == made.ID && e.WorkspaceID == made.WorkspaceID && e.ActorKind == models.Program) || e.Address != "127.0.0.1" {
				t.Errorf("%+v", e)
			}
			if said(e, "times") == "5" && e.RequestID != last.Header.Get("X-Request-Id") {
				t.Errorf("the last of five was %s, not %s", last.Header.Get("X-Request-Id"), e.RequestID)
			}
			times[said(e, "reason")+" "+said(e, "asked for")] = said(e, "times")
		}
		if len(times) != 5 || times["scope_missing agents:list"] != "5" || times["scope_missing storage:list"] != "1" {
			t.Errorf("the log has %v", times)
		}
		page := admin.Get(t, "/w/marlowe-press/settings/audit?action=call.denied").Want(t, 200)
		page.Has(t, "Search box").HasNot(t, p.token)
		admin.Get(t, tokensTab+"/"+made.ID).Want(t, 200).HasNot(t, p.token)
	})
}

// After tokens were made, used in every way, put where they do not belong, refused and ended, none is anywhere: not in a column, a
// file, a line of the log or a page; nor is a signing key, or a field that a product is sent.
func TestNoTokenOfAWorkspaceIsAnywhere(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, api := s.SignedIn(t, ines), newOwnAPI(t)
		product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
		const pass = "a pass that only the product may know"
		s.Secrets.Add(pass)
		point(t, admin, product, pointing(api.URL, "headers", "X-Product-Pass: "+pass)).Want(t, 303)
		signingKey(t, s, admin, product)
		admin.Post(t, product+"/test", pointing(api.URL, "headers", "X-Product-Pass: "+pass)).Want(t, 200)

		text, id := shownToken(t, s, fill(t, admin, tokensTab, "name", "Traced", "expiration", "1w", "access", "all"))
		p, token := consumer{s, text}, tokensTab+"/"+id
		misplaced(t, p)
		p.call(t, "GET", "/api/agent-base", "").Want(t, 204)
		api.Close()
		p.call(t, "GET", "/api/agent-base", "").Want(t, 502)
		admin.Post(t, token+"/rename", webtest.Form{"name": "was " + text}).Want(t, 422)
		admin.Post(t, token+"/revoke", webtest.Form{"reason": "seen: " + text}).Want(t, 422)
		admin.Get(t, tokensTab+"?q="+text)
		next, _ := shownToken(t, s, regenerate(t, admin, token))
		p.call(t, "GET", "/api/agent-base", "").Want(t, 401)
		s.Clock.Advance(8 * 24 * time.Hour)
		consumer{s, next}.call(t, "GET", "/api/agent-base", "").Want(t, 401)
		away := webtest.Start(t, s.World, webtest.Over(closed(t, s)))
		consumer{away, next}.call(t, "GET", "/api/agent-base", "").Want(t, 503)
		s.Flush(t)
		s.Refused(t)

		secrets := append(s.Secrets.All(), storetest.Password)
		if len(secrets) < 5 {
			t.Fatalf("only %d secrets were made", len(secrets))
		}
		kept := everything(t, s)
		for place, text := range kept {
			for _, told := range found(text, secrets) {
				t.Errorf("%s has %s", place, told)
			}
		}
		for path, page := range crawl(t, s.SignedIn(t, ines), tokensTab+"/new", token, token+"/regenerate", token+"/revoke", product+"/upstream", product+"/resources") {
			for _, told := range found([]byte(page.Body), secrets) {
				t.Errorf("the page %s has %s", path, told)
			}
		}
		all := bytes.Join([][]byte{kept["the table credentials"], kept["the file tokendesk.db"], kept["the file tokendesk.db-wal"]}, nil)
		if !bytes.Contains(all, []byte(next[:8])) || !strings.Contains(s.Log.String(), "a credential could not be checked") || !strings.Contains(s.Log.String(), "a product did not answer") {
			t.Error("this test looked at nothing")
		}
	})
}

// misplaced puts a token where none belongs; whatever becomes of it, nobody is told what it was.
func misplaced(t testing.TB, p consumer) {
	t.Helper()
	nobody := consumer{site: p.site}
	for _, path := range []string{
		"/api/" + p.token, "/api/agent-base/" + p.token, "/api/agent-base?token=" + p.token, "/api/agent-base?access_token=" + p.token, "/api/webhook/" + p.token + "/x;y",
		"/api/%70rod" + p.token[4:], "/api/x/../" + p.token,
	} {
		for _, who := range []consumer{p, nobody} {
			a := who.call(t, http.MethodGet, path, "", "Referer", p.site.URL+"/"+p.token, "X-Request-Id", p.token, "User-Agent", p.token)
			if a.Status >= 400 {
				a.HasNot(t, p.token[5:30])
			}
		}
	}
	for _, value := range []string{"Bearer  " + p.token, "Basic " + p.token, "Bearer " + garbled(p.token), p.token, "Bearer " + p.token + "," + p.token} {
		nobody.call(t, http.MethodPost, "/api/webhook", p.token, "Authorization", value).HasNot(t, p.token[5:30])
	}
	p.call(t, http.MethodGet, "/api/agent-base", "", "X-Workspace-Id", p.token).Want(t, 403).HasNot(t, p.token[5:30])
	p.call(t, http.MethodGet, "/api/agent-base", "", "X_"+p.token, "x").Want(t, 400).HasNot(t, p.token[30:])
	if secret.Mask(p.token) == p.token {
		t.Error("it is no token")
	}
}
