package store_test

import (
	"fmt"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Seed 003: regenerating keeps the card, with its name, its scopes, its beginning and what was counted for it, and changes
// its secret; the one before says that it was replaced, and when, for good. The event tells both by what may be shown.
func TestRegenerate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other := storetest.As(w.Person(t, admin, models.Admin))
		was, first := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "Build", Chosen: true, Scopes: models.Scopes{"agents:list"}, Expiration: models.ForAWeek})
		made := w.Clock.Now()
		w.Clock.Advance(time.Hour)
		used := w.Clock.Now()
		must(t, w.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{{CredentialID: was.ID, Calls: 7, LastUsedAt: &used, LastAddress: "192.0.2.1"}}, []models.UsageDay{{CredentialID: was.ID, Day: "2026-11-21", Calls: 7}}))
		w.Clock.Advance(time.Hour)
		at := w.Clock.Now()
		card, second, err := w.RegenerateAPIToken(t.Context(), other, home, was.ID, models.Regeneration{}, secret.FormID())
		must(t, err)
		w.Secrets.Add(second)
		seen := seenToken(t, w, was.ID)
		if card.ID != was.ID || seen.Name != "Build" || seen.CreatedAt != made || seen.CreatedByName != "Ines Moreau" || *seen.ExpiresAt != *was.ExpiresAt || seen.Scopes.String() != "agents:list" ||
			seen.Usage.Calls != 7 || *seen.Usage.LastUsedAt != used || len(seen.Days) != 1 || seen.Days[0].Calls != 7 {
			t.Errorf("the card is %+v", seen)
		}
		if s := second.Reveal(); seen.Prefix != s[:8] || seen.Last4 != s[50:] || s[:5] != "prod_" || s == first.Reveal() {
			t.Errorf("the card shows %s... ...%s", seen.Prefix, seen.Last4)
		}
		w.Clock.Advance(time.Hour)
		grant, err := w.GrantOf(t.Context(), first.Hash())
		if c := grant.Credential; err != nil || c.State(w.Clock.Now()) != models.Replaced || c.ID != was.ID || *c.RevokedAt != at || grant.Opens.Slug != home {
			t.Errorf("the first secret is told %+v (%v)", grant, err)
		}
		e := lastEvent(t, w)
		want := models.Change{Field: "token", Before: was.Prefix + "... ending in " + was.Last4, After: seen.Prefix + "... ending in " + seen.Last4}
		if e.ActorID != other.ID || e.SubjectName != "Build" || len(e.ChangeList()) != 1 || e.ChangeList()[0] != want {
			t.Errorf("the event is %+v", e)
		}
		_, third, err := w.RegenerateAPIToken(t.Context(), admin, home, was.ID, models.Regeneration{Expiration: models.NoExpiration}, secret.FormID())
		must(t, err)
		w.Secrets.Add(third)
		if said := lastEvent(t, w).ChangeList(); len(said) != 2 || said[1] != (models.Change{Field: "expires", Before: "2026-11-28T09:30:15Z", After: "never"}) {
			t.Errorf("the event tells %+v", said)
		}
		if states := fmt.Sprint(stateOf(t, w, first), stateOf(t, w, second), stateOf(t, w, third)); states != "replacedreplacedactive" {
			t.Errorf("the secrets are %s", states)
		}
		_, err = w.RevokeAPIToken(t.Context(), admin, home, was.ID, models.Revocation{})
		must(t, err)
		if states := fmt.Sprint(stateOf(t, w, first), stateOf(t, w, second), stateOf(t, w, third)); states != "replacedreplacedrevoked" {
			t.Errorf("after revoking, they are %s", states)
		}
		for _, s := range w.Secrets.All()[1:] {
			if found := storetest.Traces([]byte(everything(t, w)+w.Log.String()), s); len(found) > 0 {
				t.Errorf("the database or the log has %q", found)
			}
		}
	})
}

// Many who regenerate one card at once, on two servers, each get a secret, of which one is live: the card's. All the
// others, the first one too, say that they were replaced.
func TestRegenerateAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		card, first := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		stores, texts := []*store.Store{w.Store, w.Open(t)}, make([]secret.Text, 10)
		failed := atOnce(len(texts), func(i int) (err error) {
			_, texts[i], err = stores[i%2].RegenerateAPIToken(t.Context(), admin, home, card.ID, models.Regeneration{}, secret.FormID())
			return err
		})
		if got := kinds(failed); got[""] != len(texts) {
			t.Fatalf("%v", failed)
		}
		live, states := seenToken(t, w, card.ID), map[models.State]int{}
		for _, text := range append(texts, first) {
			state := stateOf(t, w, text)
			states[state]++
			if (state == models.Active) != (text.Hint() == secret.Hint{Prefix: live.Prefix, Last4: live.Last4}) {
				t.Errorf("%+v is %s, and the card shows %s...%s", text.Hint(), state, live.Prefix, live.Last4)
			}
		}
		if states[models.Active] != 1 || states[models.Replaced] != len(texts) {
			t.Errorf("they are %v", states)
		}
		if n := events(t, w, models.CredentialRegenerated); n != int64(len(texts)) {
			t.Errorf("%d events", n)
		}
	})
}

// A form that is sent many times at once regenerates once.
func TestOneFormRegeneratesOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		card, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		stores, form := []*store.Store{w.Store, w.Open(t)}, secret.FormID()
		failed := atOnce(10, func(i int) error {
			_, text, err := stores[i%2].RegenerateAPIToken(t.Context(), admin, home, card.ID, models.Regeneration{}, form)
			if (text != "") != (err == nil) {
				return fmt.Errorf("a secret of %d characters (%w)", len(text), err)
			}
			if err != nil && subject(err) != card.ID {
				return fmt.Errorf("the form is said to be of %q", subject(err))
			}
			return err
		})
		if got := kinds(failed); got[""] != 1 || got[models.ShownAlready] != 9 {
			t.Fatalf("%v", failed)
		}
		for _, wrong := range []string{"", "x", "' OR 1=1 --;' OR 1=1 --"} {
			_, text, err := w.RegenerateAPIToken(t.Context(), admin, home, card.ID, models.Regeneration{}, wrong)
			if models.KindOf(err) != models.Invalid || text != "" {
				t.Errorf("the form %q: %v", wrong, err)
			}
		}
		if n := events(t, w, models.CredentialRegenerated); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

// A card that is revoked while somebody regenerates it ends revoked, whichever comes first: there is never a live secret
// of a revoked card, and whoever was too late is told so.
func TestRegenerateWhileRevoking(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		stores := []*store.Store{w.Store, w.Open(t)}
		for round := range 20 {
			card, old := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
			var text secret.Text
			failed := atOnce(2, func(i int) (err error) {
				if i == round%2 {
					_, err = stores[i].RevokeAPIToken(t.Context(), admin, home, card.ID, models.Revocation{})
					return err
				}
				_, text, err = stores[i].RegenerateAPIToken(t.Context(), admin, home, card.ID, models.Regeneration{}, secret.FormID())
				return err
			})
			wantKind(t, "revoke", failed[round%2], "")
			regenerated := models.KindOf(failed[1-round%2])
			if regenerated != "" && regenerated != models.Conflict {
				t.Errorf("regenerate: %v", failed[1-round%2])
			}
			want := map[bool]string{true: "replaced revoked", false: "revoked "}[regenerated == ""]
			if got := fmt.Sprintf("%s %s", stateOf(t, w, old), stateOf(t, w, text)); got != want || (text != "") != (regenerated == "") {
				t.Errorf("round %d: the secrets are %q, want %q", round, got, want)
			}
			if state := seenToken(t, w, card.ID).State(w.Clock.Now()); state != models.Revoked {
				t.Errorf("round %d: the card is %s", round, state)
			}
		}
	})
}
