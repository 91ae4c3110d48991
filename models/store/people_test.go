package store_test

import (
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// S10: one address is one account, in whatever case it is typed; the message stands beside the field.
func TestEmailIsTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		unchanged(t, w, "an address that is taken", func() {
			for _, email := range []string{"ines@marlowe.example", " INES@Marlowe.Example "} {
				_, err := w.CreatePerson(t.Context(), admin, models.NewPerson{Name: "A", Email: email, Role: models.Member, Password: storetest.Password})
				wantField(t, "a new person", err, "email", "already here")
				_, err = w.EditPerson(t.Context(), admin, member.ID, models.PersonEdit{Name: "A", Email: email, Role: models.Member})
				wantField(t, "an edit", err, "email", "already here")
			}
		})
		if _, err := w.EditPerson(t.Context(), admin, admin.ID, models.PersonEdit{Name: "Ines", Email: "INES@marlowe.example", Role: models.Admin}); err != nil {
			t.Errorf("one's own address in another case: %v", err)
		}
		failed := atOnce(8, func(i int) error {
			_, err := w.CreatePerson(t.Context(), admin, models.NewPerson{Name: "A", Email: []string{"new@x.example", "NEW@x.example"}[i%2], Role: models.Member, Password: storetest.Password})
			return err
		})
		if got := kinds(failed); got[""] != 1 || got[models.Invalid] != 7 {
			t.Errorf("at once: %v", failed)
		}
	})
}

// An edit keeps what it was given, its event tells each change with before and after, and one that
// changes nothing is no event.
func TestEditPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		edited, err := w.EditPerson(t.Context(), admin, member.ID, models.PersonEdit{Name: " Tom  Ito ", Email: "Tom@x.example", Role: models.Admin})
		if err != nil {
			t.Fatal(err)
		}
		record, err := w.PersonRecord(t.Context(), admin, member.ID)
		if err != nil || record.Person != edited || edited.Name != "Tom Ito" || edited.EmailKey != "tom@x.example" || !edited.ActiveAdmin() {
			t.Errorf("edited %+v, read %+v (%v)", edited, record.Person, err)
		}
		want := []models.Change{{Field: "name", Before: member.Name, After: "Tom Ito"}, {Field: "email", Before: member.Email, After: "Tom@x.example"}, {Field: "role", Before: "Member", After: "Admin"}}
		if e := lastEvent(t, w); e.Action != models.PersonChanged || e.PersonID != member.ID || !slices.Equal(e.ChangeList(), want) {
			t.Errorf("the event is %+v", e)
		}
		unchanged(t, w, "the same again", func() {
			if _, err := w.EditPerson(t.Context(), admin, member.ID, models.PersonEdit{Name: "Tom Ito", Email: "Tom@x.example", Role: models.Admin}); err != nil {
				t.Error(err)
			}
		})
		unchanged(t, w, "an edit that does not validate", func() {
			_, err := w.EditPerson(t.Context(), admin, member.ID, models.PersonEdit{Name: "\u202e", Email: "tom", Role: "Owner"})
			if len(fields(err)) != 3 {
				t.Errorf("got %v", err)
			}
		})
	})
}

// S3, T9: who is deactivated, or loses the role, is signed out everywhere at once, and their token carries
// only the rights that they have now; activating brings the token back, and no session.
func TestDeactivationEndsAccess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other := w.Person(t, admin, models.Admin)
		_, text := w.Token(t, admin, other.ID)
		signedIn := func() string { return signIn(t, w, other.Email, storetest.Password) }
		first, second := signedIn(), signedIn()
		if _, err := w.DeactivatePerson(t.Context(), admin, other.ID); err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, first, second)
		if grant, err := w.GrantOf(t.Context(), text.Hash()); err != nil || grant.Owner.Active() {
			t.Errorf("the token's owner is active (%v)", err)
		}
		unchanged(t, w, "deactivated again", func() {
			if _, err := w.DeactivatePerson(t.Context(), admin, other.ID); err != nil {
				t.Error(err)
			}
		})
		if _, err := w.ActivatePerson(t.Context(), admin, other.ID); err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, first, second)
		if grant, err := w.GrantOf(t.Context(), text.Hash()); err != nil || !grant.Owner.ActiveAdmin() {
			t.Errorf("the token's owner is %+v (%v)", grant.Owner, err)
		}
		unchanged(t, w, "activated again", func() {
			if _, err := w.ActivatePerson(t.Context(), admin, other.ID); err != nil {
				t.Error(err)
			}
		})
		third := signedIn()
		if _, err := w.EditPerson(t.Context(), admin, other.ID, models.PersonEdit{Name: other.Name, Email: other.Email, Role: models.Member}); err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, third)
		if grant, err := w.GrantOf(t.Context(), text.Hash()); err != nil || grant.Owner.Role != models.Member {
			t.Errorf("the token carries the role %q (%v)", grant.Owner.Role, err)
		}
		if n := events(t, w, models.PersonDeactivated) + events(t, w, models.PersonActivated); n != 2 {
			t.Errorf("%d events", n)
		}
	})
}

// Whatever stands in a path where an ID should be is not there: it is never SQL, and never a database that
// is said to be away.
func TestWhatIsNoIDIsNotThere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		edit := models.PersonEdit{Name: "A", Email: "a@x.example", Role: models.Member}
		for name, do := range map[string]func(id string) error{
			"PersonRecord":     func(id string) error { _, err := w.PersonRecord(t.Context(), admin, id); return err },
			"EditPerson":       func(id string) error { _, err := w.EditPerson(t.Context(), admin, id, edit); return err },
			"DeactivatePerson": func(id string) error { _, err := w.DeactivatePerson(t.Context(), admin, id); return err },
			"ActivatePerson":   func(id string) error { _, err := w.ActivatePerson(t.Context(), admin, id); return err },
			"SetPassword":      func(id string) error { return w.SetPassword(t.Context(), command, id, storetest.Password) },
			"SignOutEverywhere": func(id string) error {
				_, err := w.SignOutEverywhere(t.Context(), admin, id)
				return err
			},
			"EndSession": func(id string) error { return w.EndSession(t.Context(), admin, id) },
			"CreateBearerToken": func(id string) error {
				_, _, _, err := w.CreateBearerToken(t.Context(), admin, id, secret.FormID())
				return err
			},
			"RevokeBearerToken": func(id string) error {
				_, err := w.RevokeBearerToken(t.Context(), admin, id, models.Revocation{})
				return err
			},
			"RevokeCredential": func(id string) error {
				_, err := w.RevokeCredential(t.Context(), admin, id, models.Revocation{})
				return err
			},
			"Credential":      func(id string) error { _, err := w.Credential(t.Context(), admin, id); return err },
			"Workspace":       func(id string) error { _, err := w.Workspace(t.Context(), admin, id); return err },
			"RenameWorkspace": func(id string) error { _, err := w.RenameWorkspace(t.Context(), admin, id, press); return err },
		} {
			unchanged(t, w, name, func() {
				for _, id := range []string{"", "new", models.NewID(), "\x00", "\xff", "' OR 1=1 --", "1 OR 1=1", strings.ToUpper(admin.ID), admin.ID + " ", strings.Repeat("9", 100_000)} {
					if err := do(id); models.KindOf(err) != models.NotFound {
						t.Errorf("%s of %.40q: %v", name, id, err)
					}
				}
			})
		}
	})
}

// Only the store's own rows: what was written is read back as it was, times included, in whatever zone the
// program runs.
func TestPersonIsReadBackAsWritten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made := w.Person(t, admin, models.Member)
		read, err := w.PersonByEmail(t.Context(), strings.ToUpper(made.Email))
		if err != nil || read != made {
			t.Errorf("made %+v, read %+v (%v)", made, read, err)
		}
		if list, err := w.Workspaces(t.Context(), storetest.As(made), models.Place{}); err != nil || len(list) != 1 || list[0].Role != models.WorkspaceMember {
			t.Errorf("they are in %+v (%v)", list, err)
		}
		for _, email := range []string{"", "nobody@x.example", "\x00", "\xff", "%", made.Email + "\x00"} {
			if _, err := w.PersonByEmail(t.Context(), email); models.KindOf(err) != models.NotFound {
				t.Errorf("%q: %v", email, err)
			}
		}
	})
}
