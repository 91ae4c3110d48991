package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Whatever days two servers count at once, in whatever order, each day of each credential has all of its calls, and so have the sums.
func TestDaysTurn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product := firstProduct(t, w, home)
		list := cards(t, w, product, make([]card, 6))
		random := rand.New(rand.NewPCG(7, 11))
		day := func(n int) string { return fmt.Sprintf("2026-11-%02d", 17+n) }
		type of struct{ id, day string }
		want, totals := map[of]models.UsageDay{}, map[string]int64{}
		servers := []*store.Store{w.Store, w.Open(t)}
		for round := range 40 {
			type sent struct {
				batch []models.Usage
				days  []models.UsageDay
			}
			var flushes [4]sent
			for i := range flushes {
				f := &flushes[i]
				for _, c := range list {
					if random.IntN(4) == 0 {
						continue
					}
					u := models.Usage{CredentialID: c.ID}
					for n := range 5 { // the later days come later, most of the time
						if far := n - round/10; random.IntN(1+4*far*far) > 0 {
							continue
						}
						d := models.UsageDay{CredentialID: c.ID, Day: day(n), Calls: random.Int64N(3), Refused: random.Int64N(2)}
						u.Calls, u.Refused, f.days = u.Calls+d.Calls, u.Refused+d.Refused, append(f.days, d)
						sum := want[of{c.ID, d.Day}]
						sum.CredentialID, sum.Day, sum.Calls, sum.Refused = c.ID, d.Day, sum.Calls+d.Calls, sum.Refused+d.Refused
						want[of{c.ID, d.Day}] = sum
						totals[d.Day] += d.Calls
					}
					f.batch = append(f.batch, u)
				}
				if i == 3 && len(f.batch) > 0 { // days of what has no other count
					f.batch = f.batch[1:]
				}
			}
			for _, err := range atOnce(len(flushes), func(i int) error {
				return servers[(i+round)%2].RecordUsage(t.Context(), storetest.Flush(), flushes[i].batch, flushes[i].days)
			}) {
				must(t, err)
			}
		}
		maps.DeleteFunc(want, func(_ of, d models.UsageDay) bool { return d.Calls+d.Refused == 0 })
		from, all := time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC), map[string]int64{}
		for _, c := range list {
			var days []models.UsageDay
			for n := range 5 {
				if d, ok := want[of{c.ID, day(n)}]; ok {
					days, all[c.ID] = append(days, d), all[c.ID]+d.Calls
				}
			}
			got, err := w.UsageDays(t.Context(), admin, home, c.ID, from)
			got = slices.DeleteFunc(got, func(d models.UsageDay) bool { return d.Calls+d.Refused == 0 }) // a flush may have such
			if err != nil || !slices.Equal(got, days) {
				t.Errorf("counted %+v, want %+v (%v)", got, days, err)
			}
			if seen := seenToken(t, w, c.ID); len(seen.Days) < len(days) {
				t.Errorf("the card has %+v", seen.Days)
			}
		}
		ids := make([]string, len(list))
		for i, c := range list {
			ids[i] = c.ID
		}
		if got, err := w.CredentialCalls(t.Context(), admin, ids, from); err != nil || !maps.Equal(got, all) {
			t.Errorf("calls are %v, want %v (%v)", got, all, err)
		}
		for n := range 5 {
			if got := number(t, w, "SELECT coalesce(sum(calls), 0) FROM usage_totals WHERE day = '"+day(n)+"'"); got != totals[day(n)] {
				t.Errorf("%s has %d calls in all, want %d", day(n), got, totals[day(n)])
			}
		}
		if n := number(t, w, "SELECT count(*) FROM usage_days"); n == 0 {
			t.Error("no day turned")
		}
	})
}

// An index follows the calls and the last use from afar, and no page shows it: a list by use is in order, and what was idle for long is told to the moment.
func TestIndexesFollowFromAfar(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin, now := w.SetUp(t), w.Clock.Now()
		list := cards(t, w, firstProduct(t, w, home), make([]card, 2))
		use := func(i int, calls int64, at time.Time) {
			t.Helper()
			must(t, w.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{{CredentialID: list[i].ID, Calls: calls, LastUsedAt: &at}}, nil))
		}
		order := func(what string, sort models.TokenSort, first, second int) {
			t.Helper()
			found, err := w.APITokens(t.Context(), admin, home, models.TokenFilter{Sort: sort})
			if err != nil || len(found.Tokens) != 2 || found.Tokens[0].ID != list[first].ID || found.Tokens[1].ID != list[second].ID {
				t.Errorf("%s: listed %+v (%v)", what, found.Tokens, err)
			}
		}
		use(0, 100_000, now)
		use(1, 100_010, now.Add(time.Minute))
		order("more calls", models.MostUsed, 1, 0)
		order("used before", models.Unused, 0, 1)
		use(0, 20, now.Add(2*time.Minute))
		order("a little more", models.MostUsed, 0, 1)
		order("used a little later", models.Unused, 1, 0)
		if n := number(t, w, "SELECT count(*) FROM usages WHERE ranked = 100000 AND calls = 100020"); n != 1 {
			t.Error("ranked follows each call")
		}
		use(0, 81, now.Add(time.Hour))
		u := seenToken(t, w, list[0].ID).Usage
		if u.Ranked != 100_101 || u.IdleSince != now.Add(time.Hour) || !u.Used {
			t.Errorf("far enough: %+v", u)
		}
		use(0, 1, now.Add(119*time.Minute)) // idle_since says an hour less
		who := storetest.As(models.Person{ID: admin.ID, Role: models.Admin})
		w.Clock.Advance(models.UnusedLong + 119*time.Minute)
		idle := func(what string, want int) {
			t.Helper()
			found, err := w.AllCredentials(t.Context(), who, models.CredentialFilter{UnusedFor: models.UnusedLong, Kind: models.APIToken})
			if err != nil || len(found.Rows) != want {
				t.Errorf("%s: %d are unused, want %d (%v)", what, len(found.Rows), want, err)
			}
		}
		idle("to the moment", 1)
		w.Clock.Advance(time.Second)
		idle("a second later", 2)
	})
}

// Rows of usage that were there before the indexes followed from afar have in them what they would have been given since.
func TestUpgradeRanksUsage(t *testing.T) {
	eachAtStep(t, 9, func(t *testing.T, w storetest.World) {
		now := w.Clock.Now()
		exec(t, w, "INSERT INTO people (id, name, name_key, email, email_key, role, password_hash, password_changed_at, created_at) VALUES ('p', 'A', 'a', 'a', 'a', 'Admin', 'x', ?, ?)", now, now)
		for i, id := range []string{"card", "used", "unused"} {
			exec(t, w, `INSERT INTO credentials (id, kind, name, name_key, prefix, last4, hash, person_id, scopes, enabled, created_at, created_by, revoked_at, revoked_by, revoke_reason, replaced_by)
				VALUES (?, 'bearer', 'b', 'b', 'user_000', 'abcd', ?, 'p', '', true, ?, '', ?, '', '', '')`, id, []byte(id), now, now)
			at := []any{now, now, nil}[i]
			exec(t, w, "INSERT INTO usages (credential_id, calls, refused, late, last_used_at, last_address, workspace_id, idle_since) VALUES (?, 5, 6, 7, ?, '', ?, ?)", id, at, []any{"w", nil, nil}[i], now)
		}
		if _, err := w.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for what, query := range map[string]string{
			"a card's":       "credential_id = 'card' AND used AND ranked = 5 AND calls = 5 AND refused = 6 AND late = 7",
			"of what was":    "credential_id = 'used' AND used AND ranked = 0 AND calls = 5",
			"of what wasn't": "credential_id = 'unused' AND NOT used AND last_used_at IS NULL AND day = '' AND day_calls = 0",
		} {
			if n := number(t, w, "SELECT count(*) FROM usages WHERE "+query); n != 1 {
				t.Errorf("the row %s used is another", what)
			}
		}
	})
}
