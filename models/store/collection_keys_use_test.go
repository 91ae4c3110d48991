package store_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// endOf is when a collection access key ends, as it is written down.
func endOf(t *testing.T, w storetest.World, id string) time.Time {
	t.Helper()
	var c models.Credential
	must(t, w.DB().Where("id = ?", id).Take(&c).Error)
	return *c.ExpiresAt
}

// Each accepted use pushes the end to sixty days after it: never beyond the day that was set, never back, and nothing revives what had ended.
func TestUsePushesTheEndOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s, made := newShared(t, w), w.Clock.Now()
		days := func(n int) time.Time { return made.AddDate(0, 0, n) }
		for what, c := range map[string]struct {
			latest  int   // days; 0: none
			used    []int // days after it was made
			revoked bool
			want    int // days until which it lives
		}{
			"not used":                             {want: 60},
			"used at once":                         {used: []int{0}, want: 60},
			"used once":                            {used: []int{10}, want: 70},
			"used again and again":                 {used: []int{10, 50, 100, 150}, want: 210},
			"written down in another order":        {used: []int{30, 10, 20}, want: 90},
			"used up to the day that was set":      {latest: 90, used: []int{20, 70}, want: 90},
			"not as far as the day that was set":   {latest: 90, used: []int{20}, want: 80},
			"used again on that day's eve":         {latest: 60, used: []int{59}, want: 60},
			"used at the moment that it ended":     {used: []int{60}, want: 60},
			"used after it ended":                  {used: []int{61}, want: 60},
			"used before the server's clock began": {used: []int{-5}, want: 60},
			"revoked":                              {used: []int{10}, revoked: true, want: 60},
		} {
			key, _ := w.Share(t, s.member, s.tools.ID, what)
			if c.latest > 0 {
				exec(t, w, "UPDATE credentials SET latest_expires_at = ? WHERE id = ?", days(c.latest), key.ID)
			}
			if c.revoked {
				_, err := w.RevokeCollectionKey(t.Context(), s.member, key.ID, models.Revocation{})
				must(t, err)
			}
			for _, day := range c.used {
				at := days(day)
				for range 2 { // a batch whose answer was lost comes again
					must(t, w.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{{CredentialID: key.ID, Calls: 1, LastUsedAt: &at, KeptBy: &at}}, nil))
				}
			}
			if got := endOf(t, w, key.ID); !got.Equal(days(c.want)) {
				t.Errorf("%s: it ends after %s, want %d days", what, got.Sub(made), c.want)
			}
		}
		api, _ := w.WorkspaceToken(t, s.admin, home, models.NewAPIToken{Name: "a", Expiration: models.ForAWeek})
		at := days(1)
		must(t, w.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{{CredentialID: api.ID, Calls: 1, LastUsedAt: &at, KeptBy: &at}}, nil))
		if got := endOf(t, w, api.ID); !got.Equal(*api.ExpiresAt) {
			t.Errorf("an API token ends %s", got)
		}
	})
}

// Two servers let calls of some keys pass in any order, write them down in batches of any size, at once, and what was not written down again. In the end each
// key ends sixty days after its last call, or on the day that was set.
func TestTwoServersPushTheEndOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := newShared(t, w)
		other := w.Open(t)
		random := rand.New(rand.NewPCG(6, uint64(len(w.URL))))
		made := w.Clock.Now()
		var keys []models.Credential
		last, latest := map[string]time.Time{}, map[string]time.Time{}
		for i := range 6 {
			key, _ := w.Share(t, s.member, s.tools.ID, fmt.Sprint(i))
			if i%2 == 1 {
				latest[key.ID] = made.AddDate(0, 0, 61+i*3)
				exec(t, w, "UPDATE credentials SET latest_expires_at = ? WHERE id = ?", latest[key.ID], key.ID)
			}
			keys = append(keys, key)
		}
		for range 12 {
			tallies := []*access.Tally{access.NewTally(), access.NewTally()}
			for range 40 {
				key, at := keys[random.IntN(len(keys))], models.Instant(made.Add(time.Duration(random.Int64N(int64(50*24*time.Hour)))))
				outcome := []models.Outcome{models.CallAccepted, models.CallRefused, models.CallLate}[random.IntN(3)]
				tallies[random.IntN(2)].Add(uuid.MustParse(key.ID), true, outcome, at, netip.MustParseAddr("192.0.2.7"))
				if outcome == models.CallAccepted && at.After(last[key.ID]) {
					last[key.ID] = at
				}
			}
			var both sync.WaitGroup
			for i, to := range []access.Recorder{w.Store, other} {
				both.Go(func() {
					if err := tallies[i].Flush(t.Context(), to); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			for _, key := range keys {
				want := *key.ExpiresAt
				if at := last[key.ID]; !at.IsZero() {
					want = at.Add(models.CollectionKeyLife)
				}
				if day, bound := latest[key.ID]; bound && day.Before(want) {
					want = day
				}
				if got := endOf(t, w, key.ID); !got.Equal(want) {
					t.Errorf("it ends %s, want %s", got, want)
				}
			}
		}
	})
}

// Over the gate: reading its collection pushes a key's end out, and what is refused does not; it lives as long as it is used, until the day that was set.
func TestAKeyLivesByBeingUsed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := newShared(t, w)
		tally := access.NewTally()
		gate := access.NewGate(w, tally, w.Clock.Now)
		key, text := w.Share(t, s.member, s.tools.ID, "a")
		exec(t, w, "UPDATE credentials SET latest_expires_at = ? WHERE id = ?", w.Clock.Now().AddDate(0, 0, 150), key.ID)
		decide := func(text secret.Text, collection string, want access.Code) {
			t.Helper()
			got := gate.Decide(t.Context(), access.Call{Presented: access.Present([]string{"Bearer " + text.Reveal()}, nil, nil), Need: access.Need{Collection: collection}, Address: "192.0.2.1"})
			if got.Code != want {
				t.Errorf("got %s by %s (%v), want %s", got.Code, got.Check, got.Cause, want)
			}
			must(t, tally.Flush(t.Context(), w))
		}
		ends := func(want time.Time) {
			t.Helper()
			if got := endOf(t, w, key.ID); !got.Equal(want) {
				t.Errorf("it ends %s, want %s", got, want)
			}
		}
		decide(text, models.NewID(), access.WrongCollection)
		decide(text, "", access.ScopeMissing)
		ends(*key.ExpiresAt)
		for range 2 {
			w.Clock.Advance(59 * 24 * time.Hour)
			decide(text, s.tools.ID, access.Allowed)
			decide(text, models.NewID(), access.WrongCollection)
		}
		ends(key.CreatedAt.AddDate(0, 0, 150))
		w.Clock.Advance(32 * 24 * time.Hour)
		decide(text, s.tools.ID, access.CredentialExpired)
		ends(key.CreatedAt.AddDate(0, 0, 150))
		if u := used(t, w, key.ID).Usage; u.Calls != 2 || u.Refused != 4 || u.Late != 1 {
			t.Errorf("written down: %+v", u)
		}
		_, again := w.Share(t, s.member, s.tools.ID, "b")
		_, err := w.RevokeCollectionKey(t.Context(), s.member, keyOf(t, w, again), models.Revocation{})
		must(t, err)
		decide(again, s.tools.ID, access.CredentialRevoked)
	})
}

// keyOf is the ID of a secret's credential.
func keyOf(t *testing.T, w storetest.World, text secret.Text) string {
	t.Helper()
	grant, err := w.GrantOf(t.Context(), text.Hash())
	must(t, err)
	return grant.Credential.ID
}
