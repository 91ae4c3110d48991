package store_test

import (
	"testing"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// A server that is stopped in the middle of a look-up must not keep for ever what it reads, or its connection of a pooler.
func TestALookUpThatStandsStillEnds(t *testing.T) {
	t.Parallel()
	w := storetest.New(t, storetest.Postgres(t, nil))
	err := w.AsOf(t.Context(), func(tx *gorm.DB) error {
		var within string
		if err := tx.Raw("SHOW idle_in_transaction_session_timeout").Row().Scan(&within); err != nil || within != "5s" {
			t.Errorf("it may stand still for %q (%v)", within, err)
		}
		return nil
	})
	must(t, err)
}

// A database that is being restored has nothing in it for a moment. That is no verdict.
func TestADatabaseWithoutItsClock(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		home, err := w.HomeWorkspace(t.Context(), admin)
		must(t, err)
		must(t, w.DB().Exec("DELETE FROM change_clock").Error)
		if _, _, err := w.RoleIn(t.Context(), admin.ID, home.ID); models.KindOf(err) != models.Unavailable {
			t.Errorf("a role is %v", err)
		}
	})
}
