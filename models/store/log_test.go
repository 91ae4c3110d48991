package store_test

import (
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// What the database refuses because it is there already is no failure to log; what it cannot do is, and without
// the values that were meant for it (T6).
func TestTheLogOfStatements(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		taken := w.Person(t, admin, models.Member)
		_, err := w.CreatePerson(t.Context(), admin, models.NewPerson{Name: "Second", Email: taken.Email, Role: models.Member, Password: storetest.Password})
		if models.KindOf(err) != models.Invalid {
			t.Fatalf("the address is taken: %v", err)
		}
		if log := w.Log.String(); strings.Contains(log, "level=ERROR") {
			t.Errorf("the log has %s", log)
		}
		if err := w.DB().Exec("ALTER TABLE people RENAME TO folk").Error; err != nil {
			t.Fatal(err)
		}
		if _, err := w.PersonByEmail(t.Context(), taken.Email); models.KindOf(err) != models.Unavailable {
			t.Fatalf("without a table: %v", err)
		}
		if log := w.Log.String(); !strings.Contains(log, "level=ERROR") || strings.Contains(log, taken.Email) {
			t.Errorf("the log has %s", log)
		}
	})
}
