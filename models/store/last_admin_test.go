package store_test

import (
	"fmt"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// There is always an active Admin: the last one can be neither demoted nor deactivated, by themselves or
// by the command line, and the message says what to do. One who is deactivated does not count.
func TestTheLastAdminStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other := w.Person(t, admin, models.Admin)
		if _, err := w.DeactivatePerson(t.Context(), admin, other.ID); err != nil {
			t.Fatal(err)
		}
		demote := models.PersonEdit{Name: "Ines Moreau", Email: "ines@marlowe.example", Role: models.Member}
		for _, who := range []models.Actor{admin, command} {
			unchanged(t, w, "the last Admin", func() {
				_, err := w.EditPerson(t.Context(), who, admin.ID, demote)
				wantField(t, "demoted", err, "role", "Make somebody else an Admin first.")
				_, err = w.DeactivatePerson(t.Context(), who, admin.ID)
				wantKind(t, "deactivated", err, models.Conflict)
			})
		}
		if _, err := w.ActivatePerson(t.Context(), admin, other.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.EditPerson(t.Context(), admin, admin.ID, demote); err != nil {
			t.Errorf("with another Admin: %v", err)
		}
		_, err := w.DeactivatePerson(t.Context(), storetest.As(other), other.ID)
		wantKind(t, "then the other one is the last", err, models.Conflict)
	})
}

// Two Admins who take each other's place away at the same moment, in any way, do not both succeed; the
// one who comes second is told why, and not that the database broke.
func TestTheLastAdminStaysAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		first := w.SetUp(t)
		second := storetest.As(w.Person(t, first, models.Admin))
		both, stores := []models.Actor{first, second}, []*store.Store{w.Store, w.Open(t)}
		restore := func(who models.Actor, email string) {
			exec(t, w, "UPDATE people SET role = 'Admin', deactivated_at = NULL WHERE id = ?", who.ID)
			exec(t, w, "UPDATE people SET email = ?, email_key = ? WHERE id = ?", email, email, who.ID)
		}
		for round := range 50 {
			failed := atOnce(2, func(i int) error {
				victim := both[(i+round/2)%2]
				if (round>>i)&1 == 0 {
					_, err := stores[i].DeactivatePerson(t.Context(), both[i], victim.ID)
					return err
				}
				_, err := stores[i].EditPerson(t.Context(), both[i], victim.ID, models.PersonEdit{Name: "A", Email: fmt.Sprintf("%d@x.example", i), Role: models.Member})
				return err
			})
			got := kinds(failed)
			if got[""] != 1 || got[models.Conflict]+got[models.Invalid]+got[models.Forbidden]+got[models.Unauthorized] != 1 {
				t.Fatalf("round %d: %v", round, failed)
			}
			if n := number(t, w, "SELECT count(*) FROM people WHERE role = 'Admin' AND deactivated_at IS NULL"); n != 1 {
				t.Fatalf("round %d: %d Admins are left", round, n)
			}
			restore(first, "first@x.example")
			restore(second, "second@x.example")
		}
	})
}
