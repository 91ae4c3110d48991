package store_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// used is what is written down of a credential.
func used(t *testing.T, w storetest.World, id string) models.CredentialSeen {
	t.Helper()
	seen, err := w.Credential(t.Context(), command, id)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// Batches add up, day by day, and none of them is an event.
func TestUsageAddsUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		token, _ := w.Token(t, admin, admin.ID)
		now := w.Clock.Now()
		later := now.Add(time.Hour)
		if u := used(t, w, token.ID); u.Usage != (models.Usage{CredentialID: token.ID, IdleSince: now}) || len(u.Days) != 0 {
			t.Errorf("before any call: %+v", u.Usage)
		}
		unchanged(t, w, "usage", func() {
			for _, batch := range []models.Usage{
				{CredentialID: token.ID, Calls: 3, Refused: 1, LastUsedAt: &now, LastAddress: "192.0.2.1"},
				{CredentialID: token.ID, Refused: 2, Late: 4, LastLateAt: &later},
				{CredentialID: token.ID, Calls: 5, LastUsedAt: &later, LastAddress: "192.0.2.2"},
			} {
				days := []models.UsageDay{{CredentialID: token.ID, Day: "2026-11-20", Calls: 1}, {CredentialID: token.ID, Day: "2026-11-21", Calls: batch.Calls}}
				if err := w.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{batch}, days); err != nil {
					t.Fatal(err)
				}
			}
		})
		u := used(t, w, token.ID)
		if u.Usage.Calls != 8 || u.Usage.Refused != 3 || u.Usage.Late != 4 || *u.Usage.LastUsedAt != later || u.Usage.LastAddress != "192.0.2.2" || *u.Usage.LastLateAt != later {
			t.Errorf("written down: %+v", u.Usage)
		}
		if len(u.Days) != 2 || u.Days[0].Day != "2026-11-20" || u.Days[0].Calls != 3 || u.Days[1].Calls != 8 {
			t.Errorf("by day: %+v", u.Days)
		}
		all, err := w.Figures(t.Context(), admin)
		if want := []models.UsageTotal{{Day: "2026-11-20", Calls: 3}, {Day: "2026-11-21", Calls: 8}}; err != nil || !slices.Equal(all.Days, want) {
			t.Errorf("of all credentials: %+v (%v)", all.Days, err)
		}
		w.Clock.Advance(13 * 24 * time.Hour)
		if u := used(t, w, token.ID); len(u.Days) != 1 || u.Days[0].Day != "2026-11-21" {
			t.Errorf("the last 14 days are %+v", u.Days)
		}
	})
}

// The last use is the latest one, whichever server wrote its batch down first.
func TestUsageKeepsTheLatest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		token, _ := w.Token(t, admin, admin.ID)
		base := w.Clock.Now().Truncate(time.Second)
		at := func(microseconds int) *time.Time {
			moment := base.Add(time.Duration(microseconds) * time.Microsecond)
			return &moment
		}
		latest := *at(999_999)
		for _, moment := range []*time.Time{at(0), at(100_000), at(120_000), at(999_999), at(123_456), at(999_990), at(1), at(0)} { // as text, they differ in length
			batch := []models.Usage{{CredentialID: token.ID, Calls: 1, Late: 1, LastUsedAt: moment, LastAddress: moment.Format("05.000000"), LastLateAt: moment}}
			if err := w.RecordUsage(t.Context(), storetest.Flush(), batch, nil); err != nil {
				t.Fatal(err)
			}
		}
		if u := used(t, w, token.ID).Usage; *u.LastUsedAt != latest || *u.LastLateAt != latest || u.LastAddress != latest.Format("05.000000") || u.Calls != 8 {
			t.Errorf("written down: %+v, last %s", u, u.LastUsedAt)
		}
	})
}

// A batch is written down whole or not at all, so that what failed can be sent again.
func TestUsageIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		token, _ := w.Token(t, admin, admin.ID)
		batch, days := []models.Usage{{CredentialID: token.ID, Calls: 1}}, []models.UsageDay{{CredentialID: token.ID, Day: "2026-11-21", Calls: 1}}
		exec(t, w, "ALTER TABLE usage_totals RENAME TO away")
		wantKind(t, "totals that cannot be written", w.RecordUsage(t.Context(), storetest.Flush(), batch, days), models.Unavailable)
		exec(t, w, "ALTER TABLE away RENAME TO usage_totals")
		if u := used(t, w, token.ID).Usage; u.Calls != 0 {
			t.Errorf("written down: %+v", u)
		}
		wantKind(t, "the same again", w.RecordUsage(t.Context(), storetest.Flush(), batch, days), "")
		if u := used(t, w, token.ID); u.Usage.Calls != 1 || len(u.Days) != 1 {
			t.Errorf("written down: %+v", u)
		}
		if err := w.RecordUsage(t.Context(), storetest.Flush(), nil, nil); err != nil {
			t.Errorf("an empty batch: %v", err)
		}
	})
}

// Counts of credentials that are gone, because an older backup was restored since, are dropped, however many
// there are; they keep nobody else's from being written down.
func TestUsageOfWhatIsGone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		token, _ := w.Token(t, admin, admin.ID)
		var batch []models.Usage
		var days []models.UsageDay
		for _, id := range append(slices.Repeat([]string{""}, 2500), token.ID) {
			if id == "" {
				id = models.NewID()
			}
			batch = append(batch, models.Usage{CredentialID: id, Calls: 1})
			days = append(days, models.UsageDay{CredentialID: id, Day: "2026-11-21", Calls: 1})
		}
		sent := slices.Clone(batch)
		for range 2 {
			wantKind(t, "with some that are gone", w.RecordUsage(t.Context(), storetest.Flush(), batch, days), "")
		}
		if u := used(t, w, token.ID); u.Usage.Calls != 2 || len(u.Days) != 1 || u.Days[0].Calls != 2 {
			t.Errorf("written down: %+v", u)
		}
		if slices.Contains(batch, models.Usage{}) || len(batch) != len(sent) {
			t.Error("the batch was changed")
		}
		wantKind(t, "all gone", w.RecordUsage(t.Context(), storetest.Flush(), batch[1:2], days[1:2]), "")
		wantKind(t, "days that are gone", w.RecordUsage(t.Context(), storetest.Flush(), nil, days[1:2]), "")
		if n := number(t, w, "SELECT (SELECT count(*) FROM usages) + (SELECT count(*) FROM usage_days)"); n != 1 {
			t.Errorf("%d rows are written down", n)
		}
	})
}

// Servers that write at once, batches of the same credentials in different orders, while tokens are revoked
// and replaced, lose nothing and never stand in each other's way.
func TestUsageAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		stores := []*store.Store{w.Store, w.Open(t)}
		var tokens []models.Credential
		for range 4 {
			token, _ := w.Token(t, admin, w.Person(t, admin, models.Member).ID)
			tokens = append(tokens, token)
		}
		const writers, rounds = 6, 10
		failed := atOnce(writers+2, func(i int) error {
			for round := range rounds {
				if i >= writers {
					if err := changeSomething(t, stores[i%2], admin, tokens[round%4], i-writers+round); err != nil {
						return err
					}
					continue
				}
				tally := access.NewTally()
				for n := range tokens {
					tally.Add(uuid.MustParse(tokens[(n+i)%4].ID), false, models.CallAccepted, w.Clock.Now(), netip.MustParseAddr("192.0.2.1"))
				}
				if err := tally.Flush(t.Context(), stores[i%2]); err != nil {
					return err
				}
			}
			return nil
		})
		if got := kinds(failed); got[""] != writers+2 {
			t.Fatalf("%v", failed)
		}
		for _, token := range tokens {
			u := used(t, w, token.ID)
			if u.Usage.Calls != writers*rounds || len(u.Days) != 1 || u.Days[0].Calls != writers*rounds {
				t.Errorf("%s: %d calls, by day %+v", token.ID, u.Usage.Calls, u.Days)
			}
		}
	})
}

// changeSomething revokes a token, or makes the person another one.
func changeSomething(t *testing.T, s *store.Store, admin models.Actor, token models.Credential, n int) error {
	if n%2 == 0 {
		_, err := s.RevokeCredential(t.Context(), admin, token.ID, models.Revocation{})
		return err
	}
	_, _, _, err := s.CreateBearerToken(t.Context(), admin, token.PersonID, secret.FormID())
	return err
}

// The gate and the store together: what a token opens follows the database at every call, and each call is
// written down as what it was.
func TestGateOverTheStore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		owner := w.Person(t, admin, models.Admin)
		token, text := w.Token(t, admin, owner.ID)
		tally := access.NewTally()
		gate := access.NewGate(w, tally, w.Clock.Now)
		decide := func(want access.Code) {
			t.Helper()
			got := gate.Decide(t.Context(), access.Call{Presented: access.Present([]string{"Bearer " + text.Reveal()}, nil, nil), Need: access.Need{Admin: true}, Address: "192.0.2.1"})
			if got.Code != want {
				t.Errorf("got %s by %s (%v), want %s", got.Code, got.Check, got.Cause, want)
			}
		}
		edit := func(role models.Role) {
			t.Helper()
			if _, err := w.EditPerson(t.Context(), admin, owner.ID, models.PersonEdit{Name: owner.Name, Email: owner.Email, Role: role}); err != nil {
				t.Fatal(err)
			}
		}
		decide(access.Allowed)
		edit(models.Member)
		decide(access.AdminRequired)
		edit(models.Admin)
		decide(access.Allowed)
		if _, err := w.DeactivatePerson(t.Context(), admin, owner.ID); err != nil {
			t.Fatal(err)
		}
		decide(access.OwnerDeactivated)
		if _, err := w.ActivatePerson(t.Context(), admin, owner.ID); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(token.ExpiresAt.Sub(w.Clock.Now()))
		decide(access.CredentialExpired)
		_, newer := w.Token(t, admin, owner.ID)
		decide(access.CredentialReplaced)
		text = newer
		decide(access.Allowed)
		if _, err := w.RevokeBearerToken(t.Context(), admin, owner.ID, models.Revocation{}); err != nil {
			t.Fatal(err)
		}
		decide(access.CredentialRevoked)
		if err := tally.Flush(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		if u := used(t, w, token.ID).Usage; u.Calls != 2 || u.Refused != 2 || u.Late != 2 {
			t.Errorf("written down: %+v", u)
		}
	})
}

// An outage is an outage: a database that does not answer is neither "unknown" nor "allowed".
func TestGateOverAStoreThatIsAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		_, text := w.Token(t, admin, admin.ID)
		gone := w.OpenWith(t, func(*store.Settings) {})
		if err := gone.Close(); err != nil {
			t.Fatal(err)
		}
		gate := access.NewGate(gone, access.NewTally(), w.Clock.Now)
		got := gate.Decide(t.Context(), access.Call{Presented: access.Presented{Text: text, Code: access.Allowed}})
		if got.Code != access.VerifierUnavailable || got.Cause == nil {
			t.Errorf("got %s (%v)", got.Code, got.Cause)
		}
	})
}
