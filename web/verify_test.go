package web_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const verifyPath = "/v1/credentials:verify"

type question struct {
	Credential string `json:"credential"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Workspace  string `json:"workspace,omitempty"`
}

type verdict struct {
	Allowed      bool
	Status       int
	Code         string
	Title        string
	Detail       string
	CredentialID string `json:"credential_id"`
	Kind         string
	PersonID     string `json:"person_id"`
	WorkspaceID  string `json:"workspace_id"`
	Scope        string
	ExpiresAt    *time.Time `json:"expires_at"`
	Limit        *struct {
		Quota         int
		WindowSeconds int `json:"window_seconds"`
		Remaining     int
		NextSeconds   int `json:"next_seconds"`
	}
}

// verify asks about calls.
func verify(t testing.TB, p keyed, list ...question) []verdict {
	t.Helper()
	body, err := json.Marshal(map[string]any{"requests": list})
	must(t, err)
	return verdictsIn(t, p.call(t, "POST", verifyPath, string(body)), len(list))
}

func verdictsIn(t testing.TB, a *webtest.Answer, n int) []verdict {
	t.Helper()
	var got struct{ Data []verdict }
	d := json.NewDecoder(strings.NewReader(a.Want(t, 200).Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil || len(got.Data) != n || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%v, %d verdicts of %d: %.300s", err, len(got.Data), n, a.Body)
	}
	return got.Data
}

// An answer is that of the gateway, for every kind of credential, of every role, alive and dead; in the order of the questions; and of a credential that
// is for a workspace which the caller does not run it is that there is none.
func TestVerifyAnswersAsTheGateway(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newManaged(t, s)
		var list []question
		var of []managedCaller
		for _, c := range m.callers {
			if c.header == "Cookie" || c.header == "" || strings.HasPrefix(c.value, "Basic ") || strings.HasPrefix(c.value, "Bearer  ") || c.code == access.RequestAmbiguous {
				continue
			}
			of = append(of, c)
			list = append(list, question{Credential: strings.TrimPrefix(c.value, "Bearer "), Method: "GET", Path: "/api/agent-base"})
		}
		var runner managedCaller
		for _, c := range m.callers {
			if c.name == "an API key of a Member who is an Admin there in X-API-Key" {
				runner = c
			}
		}
		all, some := verify(t, withKey(t, s, s.Admin), list...), verify(t, keyed{s, runner.value}, list...)
		told := 0
		for i, c := range of {
			a := s.Browser(t).Send(t, "GET", "/api/agent-base", nil, c.header, c.value)
			code := codeIn(a.Body)
			if a.Status == 502 { // there is no product, to which it was let through
				code = "allowed"
			}
			if got := all[i]; got.Code != code || got.Allowed != (code == "allowed") || got.Title == "" || got.Status != a.Status && a.Status != 502 || (got.Detail == "") != got.Allowed {
				t.Errorf("%s: verified as %+v, and the gateway says %d %.200s", c.name, got, a.Status, a.Body)
			}
			if hears(runner, c) {
				told++
				if some[i].Code != all[i].Code || some[i].CredentialID != all[i].CredentialID {
					t.Errorf("%s: an Admin of the workspace is told %+v, want %+v", c.name, some[i], all[i])
				}
			} else if c.code == access.Allowed && (some[i].Code != "credential_unknown" || some[i].CredentialID != "" || some[i].PersonID != "" || some[i].Limit != nil) {
				t.Errorf("%s: an Admin of another workspace is told %+v", c.name, some[i])
			}
		}
		if t.Logf("%d, of which %d are the runner's", len(of), told); len(of) < 40 || told < 10 {
			t.Error("that is too few to show anything")
		}
	})
}

// A question counts as a call does, against the same limit, and says where the caller stands.
func TestVerifyCounts(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p := withKey(t, s, s.Admin)
		soon := s.Clock.Now().Add(time.Hour)
		made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "narrow", EndsAt: &soon, EndGiven: true, Chosen: true, Scopes: models.Scopes{"agents:list"}})
		one := question{text.Reveal(), "GET", "/api/agent-base", ""}
		first := verify(t, p, one)[0]
		if first.Limit == nil || first.Limit.Quota < 50 || first.Limit.Remaining != first.Limit.Quota-1 || first.Limit.WindowSeconds != 60 || first.Limit.NextSeconds != 1 ||
			first.Scope != "agents:list" || first.CredentialID != made.ID || first.Kind != "api" || first.WorkspaceID != made.WorkspaceID || first.PersonID != "" || first.ExpiresAt == nil || !first.ExpiresAt.Equal(soon) {
			t.Errorf("it says %+v", first)
		}
		quota := first.Limit.Quota
		for left := quota - 1; left > 0; {
			n := min(left, 100)
			for _, v := range verify(t, p, repeated(one, n)...) {
				if left--; !v.Allowed || v.Limit.Remaining != left {
					t.Fatalf("%d are left: %+v", left, v)
				}
			}
		}
		if v := verify(t, p, one)[0]; v.Code != "rate_limited" || v.Status != 429 || v.Limit.Remaining != 0 || v.Limit.NextSeconds != 1 {
			t.Errorf("when it is too much it says %+v", v)
		}
		refusedCall(t, consumer{s, text.Reveal()}.call(t, "GET", "/api/agent-base", ""), 429, "rate_limited")
		s.Clock.Advance(time.Minute)
		for _, c := range []struct {
			question
			code  string
			scope string
		}{
			{question{text.Reveal(), "POST", "/api/agent-base/install", ""}, "scope_missing", "agents:install"},
			{question{text.Reveal(), "PATCH", "/api/agent-base", ""}, "method_not_allowed", ""},
			{question{text.Reveal(), "GET", "/api/elsewhere", ""}, "no_such_resource", ""},
			{question{text.Reveal(), "GET", "/v1/me", ""}, "no_such_resource", ""},
			{question{text.Reveal(), "GET", "/api/agent-base/", ""}, "request_ambiguous", ""},
			{question{text.Reveal(), "GET", "/api/agent-base?x=1", ""}, "request_ambiguous", ""},
			{question{text.Reveal(), "GET", "api", ""}, "request_ambiguous", ""},
			{question{text.Reveal(), "GET", "/api/agent-base", "another"}, "wrong_workspace", ""},
			{question{text.Reveal(), "GET", "/api/agent-base", "marlowe-press"}, "allowed", "agents:list"},
			{question{text.Reveal(), "HEAD", "/api/agent-base", ""}, "allowed", "agents:list"},
		} {
			if v := verify(t, p, c.question)[0]; v.Code != c.code || v.Scope != c.scope {
				t.Errorf("%s %s: %+v", c.Method, c.Path, v)
			}
		}
		s.Flush(t)
		seen, err := s.CredentialByID(t.Context(), s.Admin, made.ID)
		if err != nil || seen.Usage.Calls != int64(quota)+2 || seen.Usage.Refused != 7 {
			t.Errorf("it counted %+v, with a quota of %d (%v)", seen.Usage, quota, err)
		}
	})
}

func repeated(one question, n int) (list []question) {
	for range n {
		list = append(list, one)
	}
	return list
}

// A body that cannot be read in one way is refused whole, in words that hold nothing of it, and counts nothing.
func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := withKey(t, s, s.Admin)
	made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "asked about"})
	good := fmt.Sprintf(`{"credential":%q,"method":"GET","path":"/api/agent-base"}`, text.Reveal())
	for what, c := range map[string]struct {
		body   string
		status int
	}{
		"an empty object": {"{}", 400}, "a list": {"[" + good + "]", 400}, "null": {"null", 400}, "no list": {`{"requests":` + good + `}`, 400}, "an empty list": {`{"requests":[]}`, 400},
		"null in it": {`{"requests":[null]}`, 400}, "a text in it": {`{"requests":["` + text.Reveal() + `"]}`, 400}, "something after it": {`{"requests":[` + good + `,1]}`, 400}, "another member": {`{"requests":[` + good + `],"x":1}`, 400},
		"another case": {`{"Requests":[` + good + `]}`, 400}, "twice": {`{"requests":[` + good + `],"requests":[]}`, 400}, "another member of one": {`{"requests":[` + strings.Replace(good, "{", `{"scope":"x",`, 1) + `]}`, 400},
		"a member of one twice": {`{"requests":[` + strings.Replace(good, "{", `{"path":"/api",`, 1) + `]}`, 400}, "no method": {`{"requests":[` + strings.Replace(good, `"method":"GET",`, "", 1) + `]}`, 400},
		"an empty path": {`{"requests":[` + strings.Replace(good, "/api/agent-base", "", 1) + `]}`, 400}, "a number": {`{"requests":[` + strings.Replace(good, `"GET"`, "1", 1) + `]}`, 400},
		"a workspace that is none": {`{"workspace":null,"requests":[` + good + `]}`, 400}, "a long one": {`{"workspace":"` + strings.Repeat("w", 101) + `","requests":[` + good + `]}`, 400},
		"more after it": {`{"requests":[` + good + `]}{}`, 400}, "cut short": {`{"requests":[` + good, 400}, "no UTF-8": {"{\"requests\":[{\"credential\":\"\xff\",\"method\":\"GET\",\"path\":\"/api\"}]}", 400},
		"101": {`{"requests":[` + good + strings.Repeat(","+good, 100) + `]}`, 413}, "256 KiB and one": {`{"requests":[` + good + `]}` + strings.Repeat(" ", 256<<10), 413},
	} {
		a := p.call(t, "POST", verifyPath, c.body)
		if a.Status != c.status || strings.Contains(a.Body, text.Reveal()) || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	p.s.Browser(t).Send(t, "POST", verifyPath, strings.NewReader(`{"requests":[`+good+`]}`), "Content-Type", "text/plain", "X-API-Key", p.key).Want(t, 400)
	p.call(t, "POST", verifyPath+"?credential="+text.Reveal(), `{"requests":[`+good+`]}`).Want(t, 400)
	if a := p.call(t, "GET", verifyPath, ""); a.Status != 405 || a.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", a.Status, a.Header)
	}
	s.Flush(t)
	if seen, err := s.CredentialByID(t.Context(), s.Admin, made.ID); err != nil || seen.Usage.Calls+seen.Usage.Refused != 0 {
		t.Errorf("what was refused counted: %+v (%v)", seen.Usage, err)
	}
	escaped := strings.Replace(strings.Replace(good, "_", `\u005f`, 1), `"path":"/api`, `"p\u0061th":"\/api`, 1)
	if v := verdictsIn(t, p.call(t, "POST", verifyPath, " {\n\"requests\" : [ "+escaped+" , "+good+" ] }\n"), 2); !v[0].Allowed || !v[1].Allowed {
		t.Errorf("with escapes it says %+v", v)
	}
	if log := s.Log.String(); strings.Contains(log, text.Reveal()) || strings.Contains(log, p.key) {
		t.Error("the log has a credential")
	}
}

// What is asked with one credential does not stay for the next: many callers at once, whose bodies take the same room, each get their own answers.
func TestVerifyAtOnce(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	one, other := withKey(t, s, s.Admin), withKey(t, s, storetest.As(s.Person(t, s.Admin, models.Member)))
	made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "asked about"})
	done := make(chan error)
	for i := range 8 {
		go func() {
			for n := range 20 {
				p, want := one, made.ID
				if i%2 == 1 {
					p, want = other, ""
				}
				list := append(repeated(question{"x", "GET", "/api", ""}, (i+n)%5), question{text.Reveal(), "GET", "/api/agent-base", ""})
				body, _ := json.Marshal(map[string]any{"requests": list})
				a := p.call(t, "POST", verifyPath, string(body))
				if got := strings.Contains(a.Body, made.ID); a.Status != 200 || got != (want != "") || strings.Count(a.Body, `"allowed"`)-strings.Count(a.Body, `"code":"allowed"`) != len(list) {
					done <- fmt.Errorf("%d: %d %s", i, a.Status, a.Body)
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
