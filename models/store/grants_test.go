package store_test

import (
	"context"
	"testing"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// What a secret opens is read anew each time: the limit, the product's revision, the end of the workspace.
func TestGrantIsOfNow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product := firstProduct(t, w, home)
		_, text := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		_, bearer := w.Token(t, admin, admin.ID)
		want := models.Opens{WorkspaceID: product.WorkspaceID, Slug: home, ProductID: product.ID, Revision: 1, CallsAMinute: models.DefaultAPICalls}
		opens := func(what string) {
			t.Helper()
			grant, err := w.GrantOf(t.Context(), text.Hash())
			if err != nil || grant.Opens != want {
				t.Errorf("%s: it opens %+v, want %+v (%v)", what, grant.Opens, want, err)
			}
		}
		opens("as made")
		_, err := w.SetCallLimits(t.Context(), admin, home, models.CallLimits{API: 7, User: 50, Automation: 300})
		must(t, err)
		want.CallsAMinute = 7
		opens("with another limit")
		_, err = w.NameProduct(t.Context(), admin, home, product.ID, models.ProductNaming{Name: "Other", Prefix: "prod"})
		must(t, err)
		want.Revision = 2
		opens("with a product that was changed")
		_, err = w.RenameWorkspace(t.Context(), admin, home, models.NewWorkspace{Name: "Elsewhere"})
		must(t, err)
		opens("in a workspace that was renamed")
		exec(t, w, "UPDATE workspaces SET deleted_at = ?", w.Clock.Now())
		want.Closed = true
		opens("in a workspace that was deleted")
		if grant, err := w.GrantOf(t.Context(), bearer.Hash()); err != nil || grant.Opens != (models.Opens{}) || grant.Owner.ID != admin.ID || grant.Owner.Role != models.Admin {
			t.Errorf("a bearer token is granted %+v (%v)", grant, err)
		}
		for _, hash := range []secret.Hash{{}, secret.HashOf("another domain", text.Reveal())} {
			if _, err := w.GrantOf(t.Context(), hash); models.KindOf(err) != models.NotFound {
				t.Errorf("%x: %v", hash[:4], err)
			}
		}
	})
}

// A person's own credential opens the first product of the workspace that the call names, by slug or by ID, or of their
// only one; what is not theirs is not there, and of several one must be named.
func TestOpensFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		first := firstProduct(t, w, home)
		other, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		second := firstProduct(t, w, other.Slug)
		more, err := w.CreateProduct(t.Context(), admin, other.Slug, models.ProductNaming{Name: "Another", Prefix: "more"})
		must(t, err)
		_, err = w.NameProduct(t.Context(), admin, other.Slug, second.ID, models.ProductNaming{Name: "Zebra", Prefix: "zzzz"})
		must(t, err)
		_, err = w.SetCallLimits(t.Context(), admin, other.Slug, models.CallLimits{API: 9, User: 50, Automation: 300})
		must(t, err)
		opensFirst := models.Opens{WorkspaceID: first.WorkspaceID, Slug: home, ProductID: first.ID, Revision: 1, CallsAMinute: models.DefaultAPICalls}
		opensSecond := models.Opens{WorkspaceID: other.ID, Slug: other.Slug, ProductID: second.ID, Revision: 2, CallsAMinute: 9}
		one, both, none := w.Person(t, admin, models.Member), w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		join := func(p models.Person, workspaces ...string) {
			t.Helper()
			for _, name := range workspaces {
				_, err := w.AddMember(t.Context(), admin, name, models.NewMember{Email: p.Email, Role: models.WorkspaceMember})
				must(t, err)
			}
		}
		join(one, other.Slug)
		join(both, home, other.Slug)
		ines := models.Person{ID: admin.ID, Role: models.Admin}
		for _, c := range []struct {
			who       models.Person
			workspace string
			want      models.Opens
			kind      models.Kind
		}{
			{one, "", opensSecond, ""},
			{one, other.Slug, opensSecond, ""},
			{one, other.ID, opensSecond, ""},
			{one, home, models.Opens{}, models.NotFound},
			{one, first.WorkspaceID, models.Opens{}, models.NotFound},
			{one, "no-such", models.Opens{}, models.NotFound},
			{one, "\x00", models.Opens{}, models.NotFound},
			{both, "", models.Opens{}, models.Ambiguous},
			{both, home, opensFirst, ""},
			{both, other.Slug, opensSecond, ""},
			{none, "", models.Opens{}, models.Conflict},
			{none, home, models.Opens{}, models.NotFound},
			{ines, "", models.Opens{}, models.Ambiguous}, // of both; an Admin who were in one would mean that
			{ines, home, opensFirst, ""},
			{models.Person{}, "", models.Opens{}, models.Conflict},
			{models.Person{}, home, models.Opens{}, models.NotFound},
		} {
			opens, err := w.OpensFor(t.Context(), models.Bearer, c.who, c.workspace)
			wantKind(t, c.who.Name+" opens "+c.workspace, err, c.kind)
			if opens.AsOf = (models.Snapshot{}); opens != c.want {
				t.Errorf("%s opens %q: %+v, want %+v", c.who.Name, c.workspace, opens, c.want)
			}
		}
		if opensSecond.ProductID == more.ID {
			t.Error("the first product is not the oldest one")
		}
		_, err = w.DeleteWorkspace(t.Context(), admin, other.Slug, "Other")
		must(t, err)
		_, err = w.OpensFor(t.Context(), models.Bearer, one, "")
		wantKind(t, "none is left", err, models.Conflict)
		opens, err := w.OpensFor(t.Context(), models.Bearer, ines, "")
		if opens.AsOf = (models.Snapshot{}); err != nil || opens != opensFirst {
			t.Errorf("the only one left opens %+v (%v)", opens, err)
		}
	})
}

// The gate and the store together: whatever is done to a card or to its product is felt by the very next call, which is
// told what it was, and every call is counted on the card.
func TestGateFeelsEachChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product := firstProduct(t, w, home)
		card, first := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a", Expiration: models.ForAWeek, Chosen: true, Scopes: models.Scopes{"knowledge-base:search"}})
		tally := access.NewTally()
		gate := access.NewGate(w, tally, w.Clock.Now)
		call := func(text secret.Text, path string) access.Code {
			t.Helper()
			canonical, ok := access.CanonicalPath(path)
			if !ok {
				t.Fatal(path)
			}
			d := gate.Decide(t.Context(), access.Call{
				Presented: access.Presented{Text: text, Code: access.Allowed}, Address: "192.0.2.1",
				Need: access.Need{Route: &access.Route{Method: "GET", Path: canonical}},
			})
			if d.Cause != nil {
				t.Errorf("%s: %v", path, d.Cause)
			}
			return d.Code
		}
		const search, list = "/api/knowledge-base/search", "/api/knowledge-base"
		second := first
		for i, step := range []struct {
			change func() error
			path   string
			want   access.Code
		}{
			{nil, search, access.Allowed},
			{nil, list, access.ScopeMissing},
			{nil, "/api/nothing", access.NoSuchResource},
			{func() error { _, err := w.SwitchAPIToken(t.Context(), admin, home, card.ID, false); return err }, search, access.CredentialInactive},
			{func() error { _, err := w.SwitchAPIToken(t.Context(), admin, home, card.ID, true); return err }, search, access.Allowed},
			{func() error {
				r := models.DefaultResources()
				r[4].Operations[1].Pattern = "/api/knowledge-base/find"
				_, err := w.SetResources(t.Context(), admin, home, product.ID, 1, r)
				return err
			}, search, access.NoSuchResource},
			{nil, "/api/knowledge-base/find", access.Allowed},
			{func() error {
				_, err := w.SetResources(t.Context(), admin, home, product.ID, 2, models.DefaultResources())
				return err
			}, search, access.Allowed},
			{func() error {
				_, err := w.SetCallLimits(t.Context(), admin, home, models.CallLimits{API: 1, User: 50, Automation: 300})
				return err
			}, search, access.RateLimited},
			{func() error {
				_, err := w.SetCallLimits(t.Context(), admin, home, models.CallLimits{API: 1000, User: 50, Automation: 300})
				return err
			}, search, access.Allowed},
			{func() (err error) {
				_, second, err = w.RegenerateAPIToken(t.Context(), admin, home, card.ID, models.Regeneration{}, secret.FormID())
				return err
			}, search, access.Allowed},
			{func() error { w.Clock.Advance(card.ExpiresAt.Sub(w.Clock.Now())); return nil }, search, access.CredentialExpired},
			{func() error {
				_, err := w.RevokeAPIToken(t.Context(), admin, home, card.ID, models.Revocation{})
				return err
			}, search, access.CredentialRevoked},
		} {
			if step.change != nil {
				must(t, step.change())
			}
			if got := call(second, step.path); got != step.want {
				t.Errorf("step %d: %s, want %s", i, got, step.want)
			}
		}
		if got := call(first, search); got != access.CredentialReplaced {
			t.Errorf("the secret from before: %s", got)
		}
		must(t, tally.Flush(t.Context(), w))
		u := seenToken(t, w, card.ID)
		if u.Usage.Calls != 6 || u.Usage.Refused != 4 || u.Usage.Late != 4 {
			t.Errorf("counted %+v", u.Usage)
		}
		if len(u.Days) != 2 || u.Days[0].Calls != 6 || u.Days[0].Refused != 5 || u.Days[1].Refused != 3 {
			t.Errorf("by day %+v", u.Days)
		}
	})
}

// halfAway knows credentials, and does not answer when it is asked for more.
type halfAway struct{ *store.Store }

func (h halfAway) ProductAsOf(ctx context.Context, id string) (models.Product, models.Snapshot, error) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return h.Store.ProductAsOf(ctx, id)
}

// A database that goes away while a product is read is an outage: nothing is counted, and nothing opens.
func TestGateOverAProductThatIsAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		card, text := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		tally := access.NewTally()
		path, _ := access.CanonicalPath("/api/agent-base")
		call := access.Call{Presented: access.Presented{Text: text, Code: access.Allowed}, Need: access.Need{Route: &access.Route{Method: "GET", Path: path}}}
		for source, want := range map[access.Source]access.Code{halfAway{w.Store}: access.VerifierUnavailable, w.Store: access.Allowed} {
			d := access.NewGate(source, tally, w.Clock.Now).Decide(t.Context(), call)
			if d.Code != want || (d.Cause == nil) != (want == access.Allowed) || (d.Product == nil) == (want == access.Allowed) {
				t.Errorf("decided %+v", d)
			}
		}
		must(t, tally.Flush(t.Context(), w))
		if u := seenToken(t, w, card.ID).Usage; u.Calls != 1 || u.Refused != 0 || u.Late != 0 {
			t.Errorf("counted %+v", u)
		}
	})
}
