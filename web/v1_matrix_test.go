package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// Every call of the management API with every kind of credential, of every role in and out of the workspace, alive and dead (security rules
// T9, T10 and T11): what comes of it is what the columns below say, worked out here once more, and nobody is ever answered with 500.
func TestManagementAPIAgainstEveryCredential(t *testing.T) {
	t.Parallel()
	var cases atomic.Int64
	t.Cleanup(func() { // when both databases are done
		if t.Logf("%d cases", cases.Load()); cases.Load() < 5000 {
			t.Errorf("only %d cases", cases.Load())
		}
	})
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newManaged(t, s)
		asked := map[string]bool{}
		for _, row := range web.Managed() {
			id := strings.TrimPrefix(row.Name, "v1.")
			need, known := managedNeeds[id]
			if !known {
				t.Errorf("%s %s (%s) is not in the table of this test", row.Method, row.Path, id)
				continue
			}
			asked[id] = true
			for _, c := range m.callers {
				m.ask(t, row, id, need, c)
				cases.Add(1)
			}
			if row.Method != http.MethodGet && need.answer < 300 && !m.changes[id] && id != "findCredential" && id != "reportCredentials" && id != "verifyCredentials" {
				t.Errorf("%s changes nothing, so this test shows nothing of it", id)
			}
			s.Clock.Advance(2 * time.Second) // or sign-in tokens would be told that it is too much
		}
		for id := range managedNeeds {
			if !asked[id] {
				t.Errorf("there is no call %s", id)
			}
		}
	})
}

// need is what a call takes.
type need struct {
	right  string // see rightOf
	answer int    // where the right is there
}

// What each call takes, and how it is answered then. Where that is a refusal of another kind, it shows that the right was there.
var managedNeeds = map[string]need{
	"openapi": {"anyone", 200},
	"getMe":   {"person", 200}, "getAPIKeySettings": {"person", 200}, "setAPIKeySettings": {"everywhere", 200},
	"listAPIKeys": {"everywhere", 200}, "createAPIKey": {"everywhere", 201}, "getAPIKey": {"everywhere", 200}, "renameAPIKey": {"everywhere", 200},
	"regenerateAPIKey": {"everywhere", 200}, "deleteAPIKey": {"everywhere", 204},
	"listPeople": {"admin", 200}, "createPerson": {"admin", 201}, "getPerson": {"admin", 200}, "editPerson": {"admin", 200},
	"deactivatePerson": {"admin", 200}, "activatePerson": {"admin", 200}, "signPersonOut": {"admin", 200},
	"listWorkspaces": {"person", 200}, "createWorkspace": {"admin", 201}, "getWorkspace": {"open", 200}, "editWorkspace": {"run", 200},
	"deleteWorkspace": {"own", 409}, // it has tokens
	"listMembers":     {"open", 200}, "addMember": {"run", 201}, "getMember": {"open", 200}, "changeMember": {"run", 200}, "removeMember": {"run", 204}, "handOver": {"own", 200},
	"listProducts": {"open", 200}, "createProduct": {"run", 422}, // its prefix is taken
	"getProduct": {"open", 200}, "editProduct": {"run", 200}, "setResources": {"run", 409}, // the revision is another
	"listTokens": {"run", 200}, "createToken": {"run", 201}, "listAutomationTokens": {"open", 200}, "getToken": {"run", 200}, "renameToken": {"run", 200},
	"regenerateToken": {"run", 200}, "activateToken": {"run", 200}, "deactivateToken": {"run", 200}, "revokeToken": {"run", 200},
	"listCollections": {"open", 200}, "getCollection": {"read", 200}, "listFiles": {"read", 200}, "getFile": {"read", 200}, "getArchive": {"read", 200}, "listVersions": {"open", 200},
	"makeCurrent": {"admin", 200}, "deleteCollection": {"admin", 422}, // that is not its name
	"shareCollection": {"open", 201}, "listAccessKeysOf": {"open", 200}, "listAccessKeys": {"person", 200}, "deleteAccessKey": {"endshare", 204},
	"listCredentials": {"admin", 200}, "findCredential": {"admin", 200}, "getCredential": {"admin", 200}, "revokeCredential": {"admin", 200}, "revokeCredentials": {"admin", 200},
	"reportCredentials": {"anyone", 200}, "verifyCredentials": {"everywhere", 200},
	"getPolicy": {"person", 200}, "setPolicy": {"admin", 200},
	"listAuditEvents": {"run", 200}, "getAuditEvent": {"run", 200},
}

// managedCaller is somebody's credential, or none.
type managedCaller struct {
	name   string
	kind   models.CredentialKind // of what is good, or was; empty: none
	code   access.Code           // Allowed, or how every call is refused
	site   models.Role           // of its person
	role   models.WorkspaceRole  // of its person in the workspace; empty: none
	within string                // "": everywhere; "here": for the workspace; "there": for another one
	opens  string                // of an access key: "this" collection, or "another"
	person models.Person
	header string
	value  string
}

// ask makes the call, and holds the answer against the table.
func (m *managed) ask(t *testing.T, row web.Row, id string, need need, c managedCaller) {
	t.Helper()
	wantStatus, wantCode := rightOf(need, c)
	allowed := wantStatus == need.answer && wantCode == ""
	path, body := m.request(t, row, id, c, allowed)
	if id == "reportCredentials" { // so many an address may make in a minute
		m.Clock.Advance(time.Second)
	}
	var headers []string
	if c.header != "" {
		headers = append(headers, c.header, c.value)
	}
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	before := m.Changes(t)
	a := m.Browser(t).Send(t, row.Method, path, strings.NewReader(body), headers...)
	code := ""
	if a.Status >= 400 {
		code = m.problem(t, row, c, a)
	}
	if allowed && wantStatus >= 400 { // it was let through, and refused for another reason
		wantCode = code
	}
	if a.Status != wantStatus || code != wantCode {
		t.Errorf("%s by %s: %d %s, want %d %s: %.300s", id, c.name, a.Status, code, wantStatus, wantCode, a.Body)
	}
	if changed := m.Changes(t) != before; changed && (!allowed || row.Method == http.MethodGet) {
		t.Errorf("%s by %s: it changed something", id, c.name)
	}
	if allowed && a.Status < 300 && row.Method != http.MethodGet {
		m.changes[id] = m.changes[id] || m.Changes(t) != before
		m.settle(t, id)
	}
}

// problem reads a refusal, which always has the same shape, and answers its code.
func (m *managed) problem(t *testing.T, row web.Row, c managedCaller, a *webtest.Answer) string {
	t.Helper()
	var p struct {
		Type, Title, Detail, Code string
		Status                    int
		RequestID                 string `json:"request_id"`
		Errors                    []struct{ Field, Message string }
	}
	decoder := json.NewDecoder(strings.NewReader(a.Body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil || a.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s %s by %s: %d %s: %.300s (%v)", row.Method, row.Path, c.name, a.Status, a.Header.Get("Content-Type"), a.Body, err)
	}
	if p.Type != "about:blank" || p.Title == "" || p.Detail == "" || p.Status != a.Status || p.RequestID != a.Header.Get("X-Request-Id") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %s by %s: %s", row.Method, row.Path, c.name, a.Body)
	}
	if a.Status == http.StatusUnauthorized && a.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("%s %s by %s: a 401 that does not say how", row.Method, row.Path, c.name)
	}
	if c.value != "" && strings.Contains(a.Body, strings.TrimPrefix(c.value, "Bearer ")) {
		t.Errorf("%s %s by %s: the answer has the credential in it", row.Method, row.Path, c.name)
	}
	return p.Code
}

// rightOf works out how a call is answered: what is not good is refused as that; what is not a person's opens nothing but, for an access key, its
// collection; and what is a person's opens what they may, where it is for.
func rightOf(need need, c managedCaller) (status int, code string) {
	admin := c.site == models.Admin && c.within == ""
	runs := admin || c.role == models.WorkspaceOwner || c.role == models.WorkspaceAdmin
	scope := func() (int, string) { return 403, "scope_missing" }
	switch {
	case need.right == "anyone":
		return need.answer, ""
	case c.code == access.RequestAmbiguous:
		return 400, string(c.code)
	case c.code != access.Allowed:
		return 401, string(c.code)
	case c.kind == models.CollectionKey && need.right == "read" && c.opens == "this":
		return need.answer, ""
	case c.kind == models.CollectionKey && need.right == "read":
		return 403, "wrong_collection"
	case c.kind == models.CollectionKey:
		return scope()
	case need.right == "admin" && (c.kind == models.APIToken || !admin):
		return 403, "admin_required"
	case c.kind == models.APIToken:
		return scope()
	case need.right == "admin", need.right == "person":
		return need.answer, ""
	case need.right == "everywhere" && c.within != "":
		return scope()
	case need.right == "everywhere":
		return need.answer, ""
	case c.role == "" && !admin:
		return 404, "not_found"
	case c.within == "there":
		return 403, "wrong_workspace"
	case need.right == "open", need.right == "read", runs && need.right != "own":
		return need.answer, ""
	case need.right == "own" && (admin || c.role == models.WorkspaceOwner):
		return need.answer, ""
	}
	return scope()
}
