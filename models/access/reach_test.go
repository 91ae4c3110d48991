package access

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
)

// atProduct is a call of a credential to a product, with all that decides about it.
type atProduct struct {
	source
	call  Call
	taken int // calls that the limit has been asked for already
}

// goodCall is an API token's call that passes: narrowed to what it asks for, of its own workspace, within its limit.
func goodCall(t testing.TB) *atProduct {
	t.Helper()
	expires, text := noon.AddDate(1, 0, 0), mint(t)
	path, ok := CanonicalPath("/api/knowledge-base/search")
	if !ok {
		t.Fatal("the path is refused")
	}
	return &atProduct{
		source: source{
			knows: text.Hash(),
			grant: models.Grant{
				Credential: models.Credential{ID: c1, Kind: models.APIToken, WorkspaceID: w1, ProductID: x1, Enabled: true, ExpiresAt: &expires, Scopes: models.Scopes{"knowledge-base:search", "storage:list"}},
				Opens:      models.Opens{WorkspaceID: w1, Slug: "press", ProductID: x1, Revision: 4, CallsAMinute: 3},
			},
			product: models.Product{ID: x1, Revision: 4, Resources: models.DefaultResources()},
		},
		call: Call{Presented: Presented{Text: text, Code: Allowed}, Need: Need{Route: &Route{Method: "GET", Path: path, Workspace: "press"}}, Address: "192.0.2.7"},
	}
}

// decide makes the decision, and answers what was counted.
func (c *atProduct) decide(t *testing.T) (Decision, []models.Usage) {
	t.Helper()
	tally, to := NewTally(), &counted{}
	gate := NewGate(&c.source, tally, atNoon)
	for range c.taken {
		gate.limiter.Take(caller{of: id(c1)}, c.grant.Opens.CallsAMinute, noon)
	}
	d := gate.Decide(t.Context(), c.call)
	if err := tally.Flush(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	return d, to.batch
}

// A call that could not begin, and is decided on again, is one call: of its credential, and against the limit.
func TestACallDecidedAgainCountsOnce(t *testing.T) {
	c := goodCall(t)
	tally, to := NewTally(), &counted{}
	gate := NewGate(&c.source, tally, atNoon)
	first := gate.Decide(t.Context(), c.call)
	again := c.call
	again.Again = true
	for range 5 {
		if d := gate.Decide(t.Context(), again); !d.Allowed() {
			t.Fatalf("again it is %s", d.Code)
		}
	}
	must(t, tally.Flush(t.Context(), to))
	if len(to.batch) != 1 || to.batch[0].Calls != 1 || to.batch[0].Refused != 0 {
		t.Errorf("counted: %+v", to.batch)
	}
	if next := gate.Decide(t.Context(), c.call); !first.Allowed() || next.Limit.Remaining != first.Limit.Remaining-1 {
		t.Errorf("of the limit %d were left, and then %d", first.Limit.Remaining, next.Limit.Remaining)
	}
	c.grant.Credential.RevokedAt = &noon
	if d := gate.Decide(t.Context(), again); d.Code != CredentialRevoked {
		t.Errorf("when it is revoked it is %s", d.Code)
	}
}

// path asks for another path.
func (c *atProduct) path(t *testing.T, method, text string) {
	t.Helper()
	path, ok := CanonicalPath(text)
	if !ok {
		t.Fatalf("%q is refused", text)
	}
	c.call.Need.Route.Method, c.call.Need.Route.Path = method, path
}

// Each check of a call to a product, and what comes before it: every row breaks what its check asks about, all that is
// asked later is broken too, and the earlier one decides. Each outcome is counted once, but for what nobody could find out.
func TestReachDecidesInOrder(t *testing.T) {
	past := noon.Add(-time.Hour)
	refused, late, none := &models.Usage{Refused: 1}, &models.Usage{Late: 1}, (*models.Usage)(nil)
	breaking := []struct {
		check string
		code  Code
		spoil func(*atProduct)
		count *models.Usage
	}{
		{"credential.ended", CredentialReplaced, func(c *atProduct) { c.grant.Credential.RevokedAt, c.grant.Credential.ReplacedBy = &past, c1 }, late},
		{"credential.ended", CredentialRevoked, func(c *atProduct) { c.grant.Credential.RevokedAt = &past }, late},
		{"credential.expired", CredentialExpired, func(c *atProduct) { at := noon; c.grant.Credential.ExpiresAt = &at }, late},
		{"credential.inactive", CredentialInactive, func(c *atProduct) { c.grant.Credential.Enabled = false }, late},
		{"owner.admin", AdminRequired, func(c *atProduct) { c.call.Need.Admin = true }, refused},
		{"workspace", WrongWorkspace, func(c *atProduct) { c.grant.Opens.Closed = true }, refused},
		{"workspace", WrongWorkspace, func(c *atProduct) { c.call.Need.Route.Workspace = w2 }, refused},
		{"limit", RateLimited, func(c *atProduct) { c.taken = 3 }, refused},
		{"product", VerifierUnavailable, func(c *atProduct) { c.productErr = errors.New("the database is away") }, none},
		{"resource", NoSuchResource, func(c *atProduct) { c.path(t, "GET", "/api/nothing") }, refused},
		{"resource", MethodNotAllowed, func(c *atProduct) { c.path(t, "DELETE", "/api/knowledge-base/search") }, refused},
		{"scope", ScopeMissing, func(c *atProduct) { c.grant.Credential.Scopes = models.Scopes{"knowledge-base:list"} }, refused},
		{"allowed", Allowed, func(*atProduct) {}, &models.Usage{Calls: 1}},
	}
	for i, first := range breaking {
		c := goodCall(t)
		for j := len(breaking) - 1; j >= i; j-- { // its own last, for two may spoil one thing
			breaking[j].spoil(c)
		}
		if first.code == CredentialRevoked { // only what was replaced says so
			c.grant.Credential.ReplacedBy = ""
		}
		d, count := c.decide(t)
		if d.Code != first.code || d.Check != first.check || d.Allowed() != (first.code == Allowed) || (d.Detail == "") != d.Allowed() {
			t.Errorf("%s: decided %s by %s: %q", first.code, d.Code, d.Check, d.Detail)
		}
		if (d.Cause != nil) != (first.count == none) || (TextOf(d.Known.ID) == c1) != (first.count != none) || (d.Product != nil) != d.Allowed() {
			t.Errorf("%s: decided %+v", first.code, d)
		}
		switch {
		case first.count == none:
			if len(count) != 0 {
				t.Errorf("%s: counted %+v", first.code, count)
			}
		case len(count) != 1 || count[0].CredentialID != c1 || count[0].Calls != first.count.Calls || count[0].Refused != first.count.Refused || count[0].Late != first.count.Late:
			t.Errorf("%s: counted %+v", first.code, count)
		}
	}
}

// What a decision tells: what the call needs, what the path takes, where the caller stands; and what to do about it.
func TestReachTells(t *testing.T) {
	for what, want := range map[string]struct {
		change  func(*atProduct)
		code    Code
		scope   string
		methods string
		rest    int // -1: no limit was asked
		detail  string
	}{
		"a good call":             {func(*atProduct) {}, Allowed, "knowledge-base:search", "", 2, ""},
		"a HEAD":                  {func(c *atProduct) { c.call.Need.Route.Method = "HEAD" }, Allowed, "knowledge-base:search", "", 2, ""},
		"by the workspace's ID":   {func(c *atProduct) { c.call.Need.Route.Workspace = w1 }, Allowed, "knowledge-base:search", "", 2, ""},
		"of no workspace":         {func(c *atProduct) { c.call.Need.Route.Workspace = "" }, Allowed, "knowledge-base:search", "", 2, ""},
		"with every scope":        {func(c *atProduct) { c.grant.Credential.Scopes = nil }, Allowed, "knowledge-base:search", "", 2, ""},
		"the last call":           {func(c *atProduct) { c.taken = 2 }, Allowed, "knowledge-base:search", "", 0, ""},
		"one too many":            {func(c *atProduct) { c.taken = 3 }, RateLimited, "", "", 0, "This token may make 3 calls a minute. Try again in 20 s."},
		"another scope":           {func(c *atProduct) { c.path(t, "POST", "/api/webhook/a") }, ScopeMissing, "webhooks:send-events", "", 2, "It needs the operation webhooks:send-events, which this token was not given. Create a token that has it."},
		"another method":          {func(c *atProduct) { c.path(t, "PATCH", "/api/agent-base/5") }, MethodNotAllowed, "", "GET, HEAD, PUT, DELETE", 2, "Here it takes GET, HEAD, PUT, DELETE."},
		"another path":            {func(c *atProduct) { c.path(t, "GET", "/api/nothing") }, NoSuchResource, "", "", 2, "The workspace's settings list what there is under Resources."},
		"no path":                 {func(c *atProduct) { c.call.Need.Route.Path = Path{} }, NoSuchResource, "", "", 2, "The workspace's settings list"},
		"another workspace":       {func(c *atProduct) { c.call.Need.Route.Workspace = "other" }, WrongWorkspace, "", "", -1, "X-Workspace-Id names another workspace than the token's."},
		"a workspace that is not": {func(c *atProduct) { c.grant.Opens.Closed = true }, WrongWorkspace, "", "", -1, "Its workspace was deleted."},
		"what needs an Admin":     {func(c *atProduct) { c.call.Need = Need{Admin: true} }, AdminRequired, "", "", -1, "The token must belong to a person with Admin access."},
		"what needs nothing":      {func(c *atProduct) { c.call.Need = Need{} }, Allowed, "", "", -1, ""},
		"a token that is over":    {func(c *atProduct) { c.grant.Credential.ExpiresAt = &noon }, CredentialExpired, "", "", -1, "Create a new token under API Tokens in the workspace's settings and update this tool."},
		"an outage":               {func(c *atProduct) { c.productErr = errors.New("away") }, VerifierUnavailable, "", "", -1, "Try again in a moment."},
	} {
		c := goodCall(t)
		want.change(c)
		d, _ := c.decide(t)
		if d.Code != want.code || d.Scope != want.scope || strings.Join(d.Methods, ", ") != want.methods || !strings.Contains(d.Detail, want.detail) || (want.detail == "") != (d.Detail == "") {
			t.Errorf("%s: decided %+v", what, d)
		}
		if (d.Limit.Window == 0) != (want.rest == -1) || d.Limit.Window > 0 && (d.Limit.Remaining != want.rest || d.Limit.Quota != 3 || d.Limit.Passed != (d.Code != RateLimited)) {
			t.Errorf("%s: the limit is %+v", what, d.Limit)
		}
	}
}

// A call that is refused for its limit costs nothing: after the wait that it is told, one more passes, however often it
// came too early; and each credential has a limit of its own.
func TestReachLimit(t *testing.T) {
	c := goodCall(t)
	now := noon
	gate := NewGate(&c.source, NewTally(), func() time.Time { return now })
	var codes []Code
	for range 3 + 50 {
		codes = append(codes, gate.Decide(t.Context(), c.call).Code)
	}
	if slices.Contains(codes[:3], RateLimited) || slices.ContainsFunc(codes[3:], func(code Code) bool { return code != RateLimited }) {
		t.Errorf("they are %v", codes)
	}
	now = now.Add(gate.Decide(t.Context(), c.call).Limit.Wait)
	if first, second := gate.Decide(t.Context(), c.call), gate.Decide(t.Context(), c.call); first.Code != Allowed || second.Code != RateLimited {
		t.Errorf("after the wait: %s, then %s", first.Code, second.Code)
	}
	c.grant.Credential.ID = c2
	if d := gate.Decide(t.Context(), c.call); d.Code != Allowed || d.Limit.Remaining != 2 {
		t.Errorf("another token: %s, %+v", d.Code, d.Limit)
	}
}

// A person's own token opens the product of the workspace that the call names, as far as that is theirs.
func TestReachWithAPersonsToken(t *testing.T) {
	several := models.Fail(models.Ambiguous, "There are several workspaces. Say which one with the form field 'workspace', one of: a b.")
	for what, c := range map[string]struct {
		err    error
		code   Code
		detail string
	}{
		"theirs":             {nil, Allowed, ""},
		"one of several":     {several, RequestAmbiguous, "This person belongs to several workspaces. Say which one with X-Workspace-Id."},
		"not theirs":         {models.Fail(models.NotFound, "?"), WrongWorkspace, "The person whose token this is does not belong to that workspace."},
		"none at all":        {models.Fail(models.Conflict, "?"), WrongWorkspace, "The person whose token this is does not belong to that workspace."},
		"could not find out": {models.Fail(models.Unavailable, "?"), VerifierUnavailable, "Try again in a moment. The token may be perfectly good."},
		"a failure":          {errors.New("connection refused"), VerifierUnavailable, "Try again in a moment. The token may be perfectly good."},
	} {
		call := goodCall(t)
		opens := call.grant.Opens
		call.grant = goodGrant()
		call.grant.Owner.Role = models.Member
		call.opens, call.opensErr = opens, c.err
		d, count := call.decide(t)
		if d.Code != c.code || d.Detail != c.detail || c.code != Allowed && d.Check != "workspace" {
			t.Errorf("%s: decided %+v", what, d)
		}
		away := c.code == VerifierUnavailable
		if (len(count) == 1) == away || (d.Cause != nil) != away || (TextOf(d.Known.ID) == c1) == away {
			t.Errorf("%s: counted %+v, because of %v", what, count, d.Cause)
		}
		if d.Allowed() && (TextOf(d.Workspace) != opens.WorkspaceID || d.Product == nil || d.Scope != "knowledge-base:search" || d.Limit.Quota != 3) {
			t.Errorf("%s: %+v", what, d)
		}
	}
	call := goodCall(t)
	call.grant = goodGrant()
	call.opensErr = errors.New("nobody asks")
	call.call.Need.Route = nil
	if d, _ := call.decide(t); d.Code != Allowed {
		t.Errorf("where no product is asked for: %+v", d)
	}
}

// A wait is told in whole seconds, of which there is one at least, and is never told too short.
func TestSeconds(t *testing.T) {
	for wait, want := range map[time.Duration]int{0: 1, -time.Second: 1, 1: 1, time.Second: 1, time.Second + 1: 2, 59*time.Second + 999*time.Millisecond: 60, time.Minute: 60} {
		if got := Seconds(wait); got != want {
			t.Errorf("%s: %d", wait, got)
		}
	}
}
