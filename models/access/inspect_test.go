package access

import (
	"errors"
	"testing"
	"time"

	"tokendesk/models"
)

// asking is a Member's program.
func asking() *models.Actor {
	return &models.Actor{Kind: models.Program, ID: p9, Role: models.Member, CredentialID: "c9"}
}

// Who asks about a credential hears of it where they run its workspace, by what they are there now, or are an Admin of the installation; and else
// what they would hear of one that does not exist, of which nothing is counted (security rule T9).
func TestAskersHearOfTheirWorkspaces(t *testing.T) {
	gone := models.Fail(models.NotFound, "That workspace does not exist.")
	several := models.Fail(models.Ambiguous, "There are several.")
	for name, c := range map[string]struct {
		kind    models.CredentialKind
		role    models.WorkspaceRole // of who asks, in w1
		opens   string               // for a credential of everywhere
		err     error                // of OpensFor
		roleErr error
		want    Code
	}{
		"an API token, by its Owner":         {models.APIToken, models.WorkspaceOwner, "", nil, nil, Allowed},
		"an API token, by an Admin there":    {models.APIToken, models.WorkspaceAdmin, "", nil, nil, Allowed},
		"an API token, by a Member there":    {models.APIToken, models.WorkspaceMember, "", nil, nil, CredentialUnknown},
		"an API token, by nobody there":      {models.APIToken, "", "", nil, nil, CredentialUnknown},
		"an access key, by an Admin there":   {models.CollectionKey, models.WorkspaceAdmin, "", nil, nil, Allowed},
		"an API key of their workspace":      {models.APIKey, models.WorkspaceAdmin, w1, nil, nil, Allowed},
		"an API key of another":              {models.APIKey, models.WorkspaceAdmin, w2, nil, nil, CredentialUnknown},
		"an API key of nowhere":              {models.APIKey, models.WorkspaceAdmin, "", gone, nil, CredentialUnknown},
		"a bearer token of several":          {models.Bearer, models.WorkspaceAdmin, "", several, nil, CredentialUnknown},
		"when the workspace cannot be read":  {models.Bearer, models.WorkspaceAdmin, "", errors.New("away"), nil, VerifierUnavailable},
		"when the role cannot be found out":  {models.APIToken, models.WorkspaceAdmin, "", nil, errors.New("away"), VerifierUnavailable},
		"no role is good when it is unknown": {models.APIToken, "", "", nil, errors.New("away"), VerifierUnavailable},
	} {
		text, grant := mint(t), goodGrant()
		grant.Credential.Kind = c.kind
		from := &source{knows: text.Hash(), grant: grant, opens: models.Opens{WorkspaceID: c.opens, CallsAMinute: 9}, opensErr: c.err, rolesErr: c.roleErr, roles: map[string]models.WorkspaceRole{p9 + " " + w1: c.role}}
		if !everywhere(c.kind) {
			from.grant.Credential.WorkspaceID, from.grant.Opens = w1, models.Opens{WorkspaceID: w1, CallsAMinute: 9}
			from.opens = from.grant.Opens
		}
		tally, to := NewTally(), &counted{}
		d := NewGate(from, tally, atNoon).Decide(t.Context(), Call{Presented: Presented{Text: text, Code: Allowed}, Need: Need{Live: true}, Asker: asking()})
		if d.Code != c.want || (d.Code != Allowed) != !d.Matched() {
			t.Errorf("%s: %s by %s of %s", name, d.Code, d.Check, d.Known.ID)
		}
		must(t, tally.Flush(t.Context(), to))
		if counts := len(to.batch) == 1; counts != (c.want == Allowed) {
			t.Errorf("%s: it counted %v", name, to.batch)
		}
	}
}

// What nobody may tell who asks is answered from memory like anything else, and so takes no longer than that, whoever's it is; until something changes.
func TestMemoryOfWhatIsNotToBeHeard(t *testing.T) {
	several := models.Fail(models.Ambiguous, "There are several.")
	for name, kind := range map[string]models.CredentialKind{"another workspace's token": models.APIToken, "a key for several workspaces": models.APIKey} {
		r := remember(t)
		r.call.Asker, r.call.Need.Route.Workspace = asking(), ""
		if kind == models.APIKey {
			r.grant, r.opensErr = goodGrant(), several
			r.grant.Credential.Kind = kind
		}
		r.asOf(5)
		r.decide(t, CredentialUnknown, 1)
		looked := r.looked
		r.decide(t, CredentialUnknown, 0)
		if r.looked != looked {
			t.Errorf("%s: asked %d times more", name, r.looked-looked)
		}
		r.opensErr, r.opens = nil, models.Opens{WorkspaceID: w1, CallsAMinute: 9, ProductID: x1}
		r.roles = map[string]models.WorkspaceRole{p9 + " " + w1: models.WorkspaceAdmin}
		r.happened(6, models.MemberAdded, p9)
		r.happened(7, models.MemberRemoved, p1)
		r.asOf(7)
		if d := r.gate.Decide(t.Context(), r.call); !d.Allowed() {
			t.Errorf("%s: then %s by %s: %v", name, d.Code, d.Check, d.Cause)
		}
	}
}

// What is over, and what its person may not do any more, is told as that to who may hear it, and as nothing to everybody else.
func TestAskersHearWhyOnlyOfTheirs(t *testing.T) {
	past := noon.Add(-time.Hour)
	for want, spoil := range map[Code]func(*models.Grant){
		CredentialRevoked:  func(g *models.Grant) { g.Credential.RevokedAt = &past },
		CredentialReplaced: func(g *models.Grant) { g.Credential.RevokedAt, g.Credential.ReplacedBy = &past, "c2" },
		CredentialExpired:  func(g *models.Grant) { g.Credential.ExpiresAt = &past },
		CredentialInactive: func(g *models.Grant) { g.Credential.Enabled = false },
		OwnerDeactivated:   func(g *models.Grant) { g.Owner.DeactivatedAt = &past },
	} {
		text, grant := mint(t), goodGrant()
		grant.Credential.Kind, grant.Credential.WorkspaceID, grant.Opens.WorkspaceID = models.AutomationToken, w1, w1
		spoil(&grant)
		for role, told := range map[models.WorkspaceRole]Code{models.WorkspaceAdmin: want, models.WorkspaceMember: CredentialUnknown} {
			gate := NewGate(&source{knows: text.Hash(), grant: grant, roles: map[string]models.WorkspaceRole{p9 + " " + w1: role}}, NewTally(), atNoon)
			unknown := gate.Decide(t.Context(), Call{Presented: Presented{Text: mint(t), Code: Allowed}, Need: Need{Live: true}, Asker: asking()})
			d := gate.Decide(t.Context(), Call{Presented: Presented{Text: text, Code: Allowed}, Need: Need{Live: true}, Asker: asking()})
			if d.Code != told || told == CredentialUnknown && (d.Check != unknown.Check || d.Detail != unknown.Detail) {
				t.Errorf("%s, by a workspace's %s: %s by %s: %s", want, role, d.Code, d.Check, d.Detail)
			}
		}
	}
}

// What a good credential may do is told as one text: all of its product, or what it is narrowed to and the product still has.
func TestLiveTellsTheScope(t *testing.T) {
	product := models.Product{ID: x1, Revision: 3, Resources: models.Resources{{Key: "a", Operations: []models.Operation{{Name: "list", Method: "GET", Pattern: "/api/a"}, {Name: "list", Method: "GET", Pattern: "/api/a/{id}"}, {Name: "make", Method: "POST", Pattern: "/api/a"}}}}}
	for want, scopes := range map[string]models.Scopes{"a:list a:make": nil, "a:make": {"a:make", "b:gone"}, "": {"b:gone"}} {
		text, grant := mint(t), goodGrant()
		grant.Credential.Kind, grant.Credential.Scopes, grant.Credential.WorkspaceID, grant.Credential.ProductID = models.APIToken, scopes, w1, x1
		grant.Opens = models.Opens{WorkspaceID: w1, ProductID: x1, Revision: 3, CallsAMinute: 1}
		gate := NewGate(&source{knows: text.Hash(), grant: grant, product: product}, NewTally(), atNoon)
		for range 3 { // which no limit holds up
			d := gate.Decide(t.Context(), Call{Presented: Presented{Text: text, Code: Allowed}, Need: Need{Live: true}})
			if d.Code != Allowed || d.Scope != want || d.Product == nil || d.Limit.Window != 0 {
				t.Errorf("of %v it tells %s, %q", scopes, d.Code, d.Scope)
			}
		}
		if len(grant.Credential.Scopes) != len(scopes) {
			t.Error("the credential's own scopes changed")
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
