package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// sundry is a crowd of credentials of all kinds and states, with what a filter may ask of them.
type sundry struct {
	models.Credential
	used *time.Time
	idle time.Time
}

// sundries makes them; many are the same in what they are filtered and sorted by.
func sundries(t *testing.T, w storetest.World, admin models.Actor, n int) (list []sundry, people []string, workspace models.WorkspaceSeen) {
	t.Helper()
	random, now := rand.New(rand.NewPCG(7, 8)), w.Clock.Now()
	for range 3 {
		people = append(people, w.Person(t, admin, models.Member).ID)
	}
	product := firstProduct(t, w, home)
	workspace, err := w.Workspace(t.Context(), admin, home)
	must(t, err)
	collection := install(t, w, admin, archive("tools.zip", "PK")).Collection
	var credentials []models.Credential
	var usages []models.Usage
	for i := range n {
		c := sundry{Credential: models.Credential{ID: models.NewID(), Enabled: random.IntN(4) > 0, CreatedAt: now.AddDate(0, 0, -random.IntN(300)), CreatedBy: people[random.IntN(3)]}}
		c.Kind = []models.CredentialKind{models.Bearer, models.APIToken, models.AutomationToken, models.APIKey, models.CollectionKey}[random.IntN(5)]
		c.Name = []string{"Build", "build server", "Zoë %", "100%", `a_b\c`, "Mail"}[random.IntN(6)]
		switch c.Kind {
		case models.Bearer:
			c.PersonID, c.Name = people[random.IntN(3)], "Bearer token"
		case models.APIToken:
			c.WorkspaceID, c.ProductID = workspace.ID, product.ID
		case models.AutomationToken:
			c.WorkspaceID, c.PersonID = workspace.ID, people[random.IntN(3)]
		case models.APIKey:
			c.PersonID = people[random.IntN(3)]
		default:
			c.WorkspaceID, c.CollectionID = workspace.ID, collection.ID
		}
		c.NameKey, c.Hash = models.Fold(c.Name), []byte(c.ID)
		c.Prefix, c.Last4 = cmp.Or(c.Kind.Prefix(), "prod")+fmt.Sprintf("_%03d", random.IntN(40)), fmt.Sprintf("L%03d", random.IntN(40))
		if end := now.Add(time.Duration(random.IntN(60)-30) * 24 * time.Hour); random.IntN(3) > 0 {
			c.ExpiresAt = &end
		}
		if random.IntN(3) == 0 || c.Kind == models.Bearer && i > 3 { // each person has one bearer token that has not ended
			c.RevokedAt, c.RevokeReason = &now, "over"
			if random.IntN(2) == 0 {
				c.ReplacedBy = models.NewID()
			}
		}
		if c.idle = c.CreatedAt; random.IntN(2) == 0 {
			at := models.Instant(c.CreatedAt.Add(time.Duration(random.Int64N(int64(now.Sub(c.CreatedAt) + 1)))))
			c.used, c.idle = &at, at
		}
		if c.Kind == models.Bearer && c.RevokedAt == nil && slices.ContainsFunc(list, func(o sundry) bool {
			return o.Kind == models.Bearer && o.RevokedAt == nil && o.PersonID == c.PersonID
		}) {
			c.RevokedAt = &now
		}
		list, credentials = append(list, c), append(credentials, c.Credential)
		usages = append(usages, models.Usage{CredentialID: c.ID, LastUsedAt: c.used, IdleSince: c.idle})
	}
	must(t, w.DB().CreateInBatches(credentials, 50).Error)
	must(t, w.DB().CreateInBatches(usages, 50).Error)
	return list, people, workspace
}

// meant is the list as the words of the filter have it.
func meant(all []sundry, f models.CredentialFilter, now time.Time) (ids []string) {
	var list []sundry
	for _, c := range all {
		state, ended := c.State(now), c.RevokedAt != nil || c.ExpiresAt != nil && !c.ExpiresAt.After(now)
		words, text := models.Fold(f.Query), strings.TrimRight(f.Query, ".")
		switch {
		case f.Kind != "" && c.Kind != f.Kind,
			f.Status == models.Revoked && c.RevokedAt == nil,
			f.Status != "" && f.Status != models.Revoked && state != f.Status,
			f.OwnerID == models.NobodysCredentials && c.PersonID != "",
			f.OwnerID != "" && f.OwnerID != models.NobodysCredentials && c.PersonID != f.OwnerID,
			f.WorkspaceID != "" && c.WorkspaceID != f.WorkspaceID,
			f.CreatedBy != "" && c.CreatedBy != f.CreatedBy,
			f.ExpiresWithin > 0 && (ended || c.ExpiresAt == nil || c.ExpiresAt.After(now.Add(f.ExpiresWithin))),
			f.NeverExpires && (c.RevokedAt != nil || c.ExpiresAt != nil),
			(f.NeverUsed || f.UnusedFor > 0) && f.Status == "" && ended,
			f.NeverUsed && c.used != nil,
			f.UnusedFor > 0 && !c.idle.Before(now.Add(-f.UnusedFor)),
			!strings.Contains(c.NameKey, words) && c.Last4 != text && !(len(text) >= 5 && strings.HasPrefix(c.Prefix, text)):
		default:
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b sundry) int {
		switch {
		case f.ExpiresWithin > 0:
			return cmp.Or(a.ExpiresAt.Compare(*b.ExpiresAt), cmp.Compare(a.ID, b.ID))
		case f.Status == models.Expired:
			return cmp.Or(b.ExpiresAt.Compare(*a.ExpiresAt), cmp.Compare(b.ID, a.ID))
		}
		return cmp.Compare(b.ID, a.ID)
	})
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

// allPages reads a list to its end.
func allPages(t *testing.T, s *store.Store, who models.Actor, f models.CredentialFilter) (ids []string, looked bool) {
	t.Helper()
	for range 1000 {
		found, err := s.AllCredentials(t.Context(), who, f)
		must(t, err)
		for _, row := range found.Rows {
			ids = append(ids, row.ID)
		}
		looked = looked || found.Looked > 0
		if f.After = found.Next; found.Next.ID == "" {
			return ids, looked
		}
	}
	t.Fatalf("%+v has no end", f)
	return nil, false
}

// The list of all credentials has what its filter says, each once and in order, however far the store looks; and its count is the list's.
func TestAllCredentials(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := w.SetUp(t)
		all, people, workspace := sundries(t, w, who, 400)
		random, now := rand.New(rand.NewPCG(1, 9)), w.Clock.Now()
		near := w.OpenWith(t, func(set *store.Settings) { set.Reach = 40 })
		day := 24 * time.Hour
		either := func(values ...string) string { return values[random.IntN(len(values))] }
		shortened := false
		for i := range 400 {
			f := models.CredentialFilter{
				Kind: models.CredentialKind(either("", "", "", "bearer", "api", "automation", "key", "collection")), Status: models.State(either("", "", "active", "inactive", "expired", "revoked")),
				OwnerID: either("", "", "", people[0], models.NobodysCredentials), WorkspaceID: either("", "", "", workspace.ID), CreatedBy: either("", "", "", people[1]),
				Query: either("", "", "", "", "BUILD", "%", "_", `\`, "ma", "token", "nobody", "pkey_01", "auto_...", "L007", all[9].Prefix+"..."), Limit: 1 + random.IntN(60),
			}
			switch random.IntN(6) {
			case 0:
				f.ExpiresWithin = time.Duration(1+random.IntN(30)) * day
			case 1:
				f.NeverExpires = true
			case 2:
				f.UnusedFor = time.Duration(1+random.IntN(200)) * day
			case 3:
				f.NeverUsed = true
			}
			if i < 12 { // each part by itself
				f = []models.CredentialFilter{{}, {Kind: "key"}, {Status: models.Active}, {Status: models.Inactive}, {Status: models.Expired}, {Status: models.Revoked}, {OwnerID: people[0]},
					{OwnerID: models.NobodysCredentials}, {WorkspaceID: workspace.ID}, {CreatedBy: people[1]}, {ExpiresWithin: 14 * day}, {UnusedFor: 90 * day}}[i]
				f.Limit = 7
			}
			want := meant(all, f, now)
			for name, s := range map[string]*store.Store{"far": w.Store, "near": near} {
				got, looked := allPages(t, s, who, f)
				if shortened = shortened || looked; !slices.Equal(got, want) {
					t.Errorf("%+v, %s: %d credentials instead of %d, or in another order", f, name, len(got), len(want))
				}
				n, complete, err := s.CountAllCredentials(t.Context(), who, f)
				if err != nil || complete && n != len(want) || n > len(want) || name == "far" && !complete {
					t.Errorf("%+v, %s: counts %d of %d, all: %t (%v)", f, name, n, len(want), complete, err)
				}
			}
		}
		if !shortened {
			t.Error("no page ended before it had looked through everything")
		}
	})
}

// A whole secret finds its credential, also one that it had before; and Members see nothing of anybody.
func TestCredentialByItsSecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, before := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "Build"})
		_, text, err := w.RegenerateAPIToken(t.Context(), admin, home, made.ID, models.Regeneration{}, secret.FormID())
		must(t, err)
		for _, c := range []struct {
			text   secret.Text
			before bool
		}{{text, false}, {before, true}} {
			hash := c.text.Hash()
			found, err := w.AllCredentials(t.Context(), admin, models.CredentialFilter{Hash: hash[:]})
			if err != nil || len(found.Rows) != 1 || found.Rows[0].ID != made.ID || found.Rows[0].Before != c.before || found.Rows[0].WorkspaceSlug != home {
				t.Errorf("finds %+v (%v)", found.Rows, err)
			}
		}
		other := secret.HashOf("x", "y")
		if found, err := w.AllCredentials(t.Context(), admin, models.CredentialFilter{Hash: other[:]}); err != nil || len(found.Rows) > 0 {
			t.Errorf("a secret of nothing finds %d (%v)", len(found.Rows), err)
		}
		member := storetest.As(w.Person(t, admin, models.Member))
		_, errs := w.AllCredentials(t.Context(), member, models.CredentialFilter{})
		_, _, counts := w.CountAllCredentials(t.Context(), member, models.CredentialFilter{})
		_, one := w.CredentialByID(t.Context(), member, made.ID)
		_, some := w.CredentialsByID(t.Context(), member, []string{made.ID})
		_, days := w.CredentialDays(t.Context(), member, made.ID, w.Clock.Now())
		_, figures := w.Figures(t.Context(), member)
		_, revoked := w.RevokeCredentials(t.Context(), member, []string{made.ID}, models.Revocation{})
		for i, err := range []error{errs, counts, one, some, days, figures, revoked} {
			if models.KindOf(err) != models.Forbidden {
				t.Errorf("%d: a Member gets %v", i, err)
			}
		}
	})
}

// Many are revoked at once, all or none, each with an event of its own; and those that were revoked before keep their own reason.
func TestRevokeCredentials(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin, ctx := w.SetUp(t), t.Context()
		person := w.Person(t, admin, models.Member)
		bearer, _ := w.Token(t, admin, person.ID)
		a, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "A"})
		b, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "B"})
		_, err := w.RevokeCredential(ctx, admin, b.ID, models.Revocation{Reason: "long ago"})
		must(t, err)
		last, err := w.LastEvent(ctx)
		must(t, err)
		for name, c := range map[string]struct {
			ids    []string
			reason string
			kind   models.Kind
		}{
			"none": {nil, "", models.Invalid}, "one that is not there": {[]string{a.ID, models.NewID()}, "", models.NotFound}, "no ID": {[]string{a.ID, "x"}, "", models.NotFound},
			"too many": {slices.Repeat([]string{a.ID}, 1), strings.Repeat("x", 201), models.Invalid},
		} {
			if _, err := w.RevokeCredentials(ctx, admin, c.ids, models.Revocation{Reason: c.reason}); models.KindOf(err) != c.kind {
				t.Errorf("%s: %v", name, err)
			}
		}
		var many []string
		for range models.MostRevoked + 1 {
			many = append(many, models.NewID())
		}
		if _, err := w.RevokeCredentials(ctx, admin, many, models.Revocation{}); models.KindOf(err) != models.Invalid {
			t.Errorf("more than 1,000: %v", err)
		}
		ended, err := w.RevokeCredentials(ctx, admin, []string{a.ID, b.ID, bearer.ID, a.ID}, models.Revocation{Reason: "audit of tools"})
		if err != nil || len(ended) != 2 {
			t.Fatalf("%d ended (%v)", len(ended), err)
		}
		events, err := w.EventsAfter(ctx, last, 10)
		if err != nil || len(events) != 2 {
			t.Fatalf("%d events (%v)", len(events), err)
		}
		for _, e := range events {
			if e.Action != models.CredentialRevoked || e.SubjectID != a.ID && e.SubjectID != bearer.ID || !strings.Contains(e.Changes, "audit of tools") {
				t.Errorf("tells %+v", e)
			}
		}
		for id, reason := range map[string]string{a.ID: "audit of tools", bearer.ID: "audit of tools", b.ID: "long ago"} {
			if c, err := w.CredentialByID(ctx, admin, id); err != nil || c.RevokeReason != reason || c.State(w.Clock.Now()) != models.Revoked || c.RevokedByName != admin.Name {
				t.Errorf("%s: %+v (%v)", id, c, err)
			}
		}
		if ended, err := w.RevokeCredentials(ctx, admin, []string{a.ID}, models.Revocation{}); err != nil || len(ended) > 0 {
			t.Errorf("again: %d ended (%v)", len(ended), err)
		}
		if now, _ := w.LastEvent(ctx); now != last+2 {
			t.Errorf("%d events were made", now-last)
		}
		if chain, err := w.VerifyEvents(ctx); err != nil || chain.Broken != "" {
			t.Errorf("the chain: %+v (%v)", chain, err)
		}
	})
}
