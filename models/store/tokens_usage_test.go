package store_test

import (
	"slices"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// A card has what was counted, of the last fourteen days, refused calls too; an unused one is idle since it was made, and
// a used one since its last use, whatever is counted late.
func TestCardsShowTheirUse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made := w.Clock.Now()
		card, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		record := func(u models.Usage, days ...models.UsageDay) {
			t.Helper()
			u.CredentialID = card.ID
			for i := range days {
				days[i].CredentialID = card.ID
			}
			must(t, w.RecordUsage(t.Context(), storetest.Flush(), []models.Usage{u}, days))
		}
		idle := func(what string, want time.Time) {
			t.Helper()
			u := seenToken(t, w, card.ID).Usage
			if u.IdleSince != want || u.WorkspaceID != card.WorkspaceID {
				t.Errorf("%s: idle since %s in %q, want %s", what, u.IdleSince, u.WorkspaceID, want)
			}
		}
		idle("before any call", made)
		early, used, late := made.Add(-time.Hour), made.Add(time.Hour), made.Add(2*time.Hour)
		record(models.Usage{Calls: 1, LastUsedAt: &early}) // another server's clock is behind
		idle("after a call before it was made", made)
		record(models.Usage{Refused: 2, LastUsedAt: &used}, models.UsageDay{Day: "2026-11-21", Refused: 2})
		idle("after a refused call", used)
		record(models.Usage{Late: 3, LastLateAt: &late}, models.UsageDay{Day: "2026-11-21", Refused: 3}, models.UsageDay{Day: "2026-11-08", Calls: 4}, models.UsageDay{Day: "2026-11-07", Calls: 5})
		idle("after late calls", used)
		record(models.Usage{Calls: 6, LastUsedAt: &early}, models.UsageDay{Day: "2026-11-21", Calls: 6})
		idle("after what was written down late", used)
		seen := seenToken(t, w, card.ID)
		want := []models.UsageDay{{CredentialID: card.ID, Day: "2026-11-08", Calls: 4}, {CredentialID: card.ID, Day: "2026-11-21", Calls: 6, Refused: 5}}
		if !slices.Equal(seen.Days, want) || seen.Usage.Calls != 7 || seen.Usage.Refused != 2 || seen.Usage.Late != 3 {
			t.Errorf("the card has %+v", seen)
		}
		if found, err := w.APITokens(t.Context(), admin, home, models.TokenFilter{}); err != nil || len(found.Tokens) != 1 || !slices.Equal(found.Tokens[0].Days, want) || found.Tokens[0].Usage != seen.Usage && found.Tokens[0].Usage.Calls != 7 {
			t.Errorf("listed %+v (%v)", found, err)
		}
	})
}
