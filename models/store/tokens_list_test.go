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
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// card is a token with what it is sorted by.
type card struct {
	models.Credential
	calls int64
	idle  time.Time
}

// cards puts tokens into a workspace past the store, as many as there are, and gives them what they lack.
func cards(t *testing.T, w storetest.World, product models.Product, list []card) []card {
	t.Helper()
	credentials, usages := make([]models.Credential, len(list)), make([]models.Usage, len(list))
	for i := range list {
		c := &list[i]
		if c.ID == "" {
			c.ID = models.NewID()
		}
		if c.Prefix == "" {
			c.Prefix = product.Prefix + "_" + c.ID[33:]
		}
		c.Kind, c.WorkspaceID, c.ProductID, c.Hash, c.NameKey, c.CreatedAt = models.APIToken, product.WorkspaceID, product.ID, []byte(c.ID), models.Fold(c.Name), w.Clock.Now()
		credentials[i], usages[i] = c.Credential, models.Usage{CredentialID: c.ID, WorkspaceID: c.WorkspaceID, Calls: c.calls, Ranked: c.calls, IdleSince: c.idle}
	}
	must(t, w.DB().CreateInBatches(credentials, 50).Error)
	must(t, w.DB().CreateInBatches(usages, 50).Error)
	return list
}

// anyCards are tokens of all sorts, many of which are the same in what they are sorted by.
func anyCards(random *rand.Rand, now time.Time, n int) []card {
	list := make([]card, n)
	for i := range list {
		c := &list[i]
		c.Name, c.Enabled = []string{"Build", "build server", "Zoë %", "100%", `a_b\c`, "Mail", "İstanbul", "x"}[random.IntN(8)], random.IntN(3) > 0
		c.calls, c.idle = int64(random.IntN(5)), now.Add(-time.Duration(random.IntN(20))*time.Hour)
		at := now.Add(time.Duration(random.IntN(21)-10) * time.Hour) // one of them this very moment
		if random.IntN(3) > 0 {
			c.ExpiresAt = &at
		}
		if random.IntN(4) == 0 {
			c.RevokedAt, c.RevokeReason = &now, "over"
		}
	}
	return list
}

// expected is the list as a page's words have it: what the filter means, in the order that is asked for.
func expected(all []card, f models.TokenFilter, now time.Time) (ids []string) {
	var list []card
	for _, c := range all {
		part := strings.Contains(c.NameKey, models.Fold(f.Query))
		begins := strings.TrimSuffix(f.Query, "...")
		if len(begins) >= 5 && begins[4] == '_' && strings.HasPrefix(c.Prefix, begins) {
			part = true
		}
		if part && (f.Status == "" || c.State(now) == f.Status) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b card) int { return cmp.Or(order(a, b, f.Sort, now), strings.Compare(b.ID, a.ID)) })
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

// order compares by what a list is sorted by; what is the same in that is sorted by ID, the newest first.
func order(a, b card, sort models.TokenSort, now time.Time) int {
	switch sort {
	case models.MostUsed:
		return cmp.Compare(b.calls, a.calls)
	case models.Unused:
		return cmp.Or(a.idle.Compare(b.idle), strings.Compare(a.ID, b.ID))
	case models.ExpiringFirst:
		ranks := map[models.State]int{models.Expired: 2, models.Revoked: 3}
		rank := func(c card) int {
			if r := ranks[c.State(now)]; r > 0 || c.ExpiresAt != nil {
				return r
			}
			return 1
		}
		switch n := cmp.Compare(rank(a), rank(b)); {
		case n != 0:
			return n
		case rank(a) == 0:
			return cmp.Or(a.ExpiresAt.Compare(*b.ExpiresAt), strings.Compare(a.ID, b.ID))
		case rank(a) == 2:
			return b.ExpiresAt.Compare(*a.ExpiresAt)
		}
	}
	return 0
}

// tokenPages reads a list to its end and runs between between two pages.
func tokenPages(t *testing.T, w storetest.World, f models.TokenFilter, between func(page int)) (ids []string, pages int) {
	t.Helper()
	for pages = 1; pages < 200; pages++ {
		found, err := w.APITokens(t.Context(), command, home, f)
		must(t, err)
		for _, seen := range found.Tokens {
			ids = append(ids, seen.ID)
		}
		more := found.Next != models.TokenPlace{}
		if len(found.Tokens) > models.PageSize || found.Looked > 0 && !more || more && (len(found.Tokens) < models.PageSize) != (found.Looked > 0) {
			t.Fatalf("page %d has %d tokens, looked through %d, and goes on at %+v", pages, len(found.Tokens), found.Looked, found.Next)
		}
		if !more {
			return ids, pages
		}
		f.After = found.Next
		between(pages)
	}
	t.Fatal("the list does not end")
	return nil, 0
}

var tokenSorts = []models.TokenSort{models.Newest, models.ExpiringFirst, models.MostUsed, models.Unused, ""}

// Each order with each filter is what a slow look through all tokens finds, to the last page, also where one page looks
// through few of them only; and other workspaces' tokens and other credentials are in none.
func TestTokenListsAreWhatIsAskedFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		w.Token(t, admin, admin.ID)
		other, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		random, now := rand.New(rand.NewPCG(3, 4)), w.Clock.Now()
		cards(t, w, firstProduct(t, w, other.Slug), anyCards(random, now, 60))
		all := cards(t, w, firstProduct(t, w, home), anyCards(random, now, 130))
		near := w
		near.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = 60 })
		states := []models.State{"", models.Active, models.Inactive, models.Expired, models.Revoked}
		queries := []string{"", "BUILD", "%", "_", `\`, "i", "nobody", all[7].Prefix, all[9].Prefix[:6] + "...", "prod_"}
		for _, sort := range tokenSorts {
			for i := range len(states) * len(queries) {
				status, query := states[i/len(queries)], queries[i%len(queries)]
				odd := query != "" && query != "BUILD"
				if odd && (status != "" || sort != models.Newest) { // how a query is read is the same in all
					continue
				}
				f := models.TokenFilter{Sort: sort, Status: status, Query: query}
				want := expected(all, f, now)
				for reach, w := range map[string]storetest.World{"far": w, "near": near} {
					if reach == "near" && query != "" {
						continue
					}
					if got, _ := tokenPages(t, w, f, func(int) {}); !slices.Equal(got, want) {
						t.Errorf("%+v, %s: %d of %d tokens, or in another order", f, reach, len(got), len(want))
					}
				}
			}
		}
	})
}

// A list that is read page by page has every token that was there when it began, each once, whatever is added meanwhile,
// wherever in the list that is.
func TestTokenPagesWhileTokensAreAdded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product, random, now := firstProduct(t, w, home), rand.New(rand.NewPCG(5, 6)), w.Clock.Now()
		all := cards(t, w, product, anyCards(random, now, 230))
		for _, sort := range tokenSorts {
			f := models.TokenFilter{Sort: sort}
			got, pages := tokenPages(t, w, f, func(int) {
				w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "new", Expiration: models.ForAWeek})
				cards(t, w, product, anyCards(random, now, 3))
			})
			seen := map[string]int{}
			for _, id := range got {
				if seen[id]++; seen[id] > 1 {
					t.Errorf("%s: %s is listed twice", sort, id)
				}
			}
			got = slices.DeleteFunc(got, func(id string) bool { return !slices.ContainsFunc(all, func(c card) bool { return c.ID == id }) })
			if want := expected(all, f, now); !slices.Equal(got, want) || pages < 5 {
				t.Errorf("%s: %d of %d tokens on %d pages, or in another order", sort, len(got), len(want), pages)
			}
		}
	})
}

// Where a page ends with a part of the order, the next one begins with the next part.
func TestTokenPagesEndWithAPart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		now := w.Clock.Now()
		list := make([]card, 4*models.PageSize)
		for i := range list {
			soon, past := now.Add(time.Duration(i+1)*time.Minute), now.Add(-time.Duration(i)*time.Minute)
			list[i].ExpiresAt = []*time.Time{&soon, nil, &past, nil}[i/models.PageSize]
			if i >= 3*models.PageSize {
				list[i].RevokedAt = &now
			}
		}
		all := cards(t, w, firstProduct(t, w, home), list)
		near := w
		near.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = models.PageSize })
		for _, f := range []models.TokenFilter{{Sort: models.ExpiringFirst}, {Sort: models.ExpiringFirst, Query: "prod_"}} {
			for reach, w := range map[string]storetest.World{"far": w, "near": near} {
				if got, _ := tokenPages(t, w, f, func(int) {}); !slices.Equal(got, expected(all, f, now)) {
					t.Errorf("%q, %s: %d of %d tokens, or in another order", f.Query, reach, len(got), len(all))
				}
			}
		}
	})
}

// Where what is looked for is rare and far away, each page looks through so many tokens and says how many, and going on
// leads there and to the end.
func TestTokensNear(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		list, now := make([]card, 200), w.Clock.Now()
		for i := range list {
			at := now.Add(time.Duration(i) * time.Minute)
			list[i].Name, list[i].Enabled, list[i].ExpiresAt, list[i].calls, list[i].idle = fmt.Sprint("Token ", i), true, &at, int64(200-i), at
		}
		list[0].Enabled, list[0].ExpiresAt = false, nil
		list = cards(t, w, firstProduct(t, w, home), list)
		w.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = 60 })
		for _, c := range []struct {
			sort  models.TokenSort
			pages int
		}{{models.Newest, 4}, {models.MostUsed, 4}, {models.Unused, 4}, {models.ExpiringFirst, 4}} {
			f := models.TokenFilter{Sort: c.sort, Status: models.Inactive}
			found, pages := tokenPages(t, w, f, func(int) {})
			if !slices.Equal(found, []string{list[0].ID}) || pages != c.pages {
				t.Errorf("%s: %v on %d pages", c.sort, found, pages)
			}
		}
		first, err := w.APITokens(t.Context(), command, home, models.TokenFilter{Status: models.Inactive})
		if err != nil || first.Looked != 60 || len(first.Tokens) != 0 || first.Next.ID != list[140].ID {
			t.Errorf("the first page is %+v (%v)", first, err)
		}
	})
}

// A part of the order that becomes shorter while a page looks through it is left behind, and nothing that comes after it.
func TestTokensNearWhileSomeAreRevoked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		list, now := make([]card, 70), w.Clock.Now()
		for i := range list {
			if at := now.Add(time.Hour); i < 60 {
				list[i].ExpiresAt, list[i].Enabled = &at, true
			}
		}
		list = cards(t, w, firstProduct(t, w, home), list)
		w.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = 60 })
		w.ListenStatements(func(sql string) {
			if strings.Contains(sql, "count(*)") {
				exec(t, w, "UPDATE credentials SET revoked_at = ? WHERE id = ?", now, list[30].ID)
			}
		})
		found, pages := tokenPages(t, w, models.TokenFilter{Sort: models.ExpiringFirst, Status: models.Inactive}, func(int) {})
		if len(found) != 10 || pages != 2 || slices.Contains(found, list[30].ID) {
			t.Errorf("%d tokens on %d pages", len(found), pages)
		}
	})
}

// What can be in no name is found nowhere, and no text that somebody types is a failure.
func TestTokenQueriesThatFindNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "Build"})
		for _, query := range []string{"\x00", "build\x00", "\xff", "' OR 1=1 --", "prod_" + strings.Repeat("A", 40), "PROD_", strings.Repeat("b", 100_000), strings.Repeat("%", 60_000)} {
			for _, sort := range tokenSorts {
				if found, err := w.APITokens(t.Context(), admin, home, models.TokenFilter{Query: query, Sort: sort}); err != nil || len(found.Tokens) != 0 {
					t.Errorf("%.20q: %d tokens (%v)", query, len(found.Tokens), err)
				}
			}
		}
	})
}
