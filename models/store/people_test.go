package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// crowd puts people in, as many as are named, without their ceremony, and answers their IDs.
func crowd(t *testing.T, w storetest.World, names ...string) (ids []string) {
	t.Helper()
	people := make([]models.Person, len(names))
	for i, name := range names {
		id, now := models.NewID(), w.Clock.Now()
		ids = append(ids, id)
		people[i] = models.Person{
			ID: id, Name: name, NameKey: models.Fold(name), Email: id + "@x.example", EmailKey: id + "@x.example", Role: models.Member,
			PasswordHash: "none", PasswordChangedAt: now, CreatedAt: now,
		}
	}
	if err := w.DB().CreateInBatches(people, 50).Error; err != nil {
		t.Fatal(err)
	}
	return ids
}

// pages reads a list to its end and runs between between two pages.
func pages(t *testing.T, w storetest.World, f models.PeopleFilter, between func(page int)) (all []models.PersonSeen) {
	t.Helper()
	for page := 1; page < 100; page++ {
		list, next, err := w.People(t.Context(), command, f)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, list...); next == (models.Place{}) {
			return all
		}
		if len(list) != models.PageSize {
			t.Fatalf("page %d has %d rows and is not the last", page, len(list))
		}
		f.After = next
		between(page)
	}
	t.Fatal("the list does not end")
	return nil
}

// A list of a few hundred people in pages has everybody once, by name and then by ID, compared byte by
// byte, also while people come and go before and after the page that is being read.
func TestPeoplePages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		var names []string
		for i := range 260 {
			names = append(names, []string{"Anna", "anna", "Ánna", "Zoë %d", "b_%d", "李 %d", "A", "Émile %d", "-%d", "ines"}[i%10])
			if strings.Contains(names[i], "%d") {
				names[i] = fmt.Sprintf(names[i], i)
			}
		}
		ids := crowd(t, w, names...)
		all := pages(t, w, models.PeopleFilter{}, func(page int) {
			crowd(t, w, "  first", fmt.Sprint("anna ", page), "\U0010fffflast")
		})
		key := func(p models.PersonSeen) string { return p.NameKey + "\x00" + p.ID }
		if !slices.IsSortedFunc(all, func(a, b models.PersonSeen) int { return strings.Compare(key(a), key(b)) }) {
			t.Error("the list is out of order")
		}
		seen := map[string]int{}
		for _, p := range all {
			if seen[p.ID]++; seen[p.ID] > 1 {
				t.Errorf("%s is listed twice", p.Name)
			}
		}
		for i, id := range ids {
			if seen[id] == 0 {
				t.Errorf("%s is missing", names[i])
			}
		}
	})
}

// A search finds part of a name or an address, in any case, and takes what is typed as it is: signs that
// mean something to SQL, and bytes that mean nothing to anybody, included.
func TestPeopleSearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		crowd(t, w, "100% sure", "under_score", `back\slash`, "Émile Żurek", "O'Brien", "underXscore", "100 sure", "Two  Words")
		for query, want := range map[string]string{
			"%": "100% sure", "0% s": "100% sure", "_": "under_score", "r_s": "under_score", `\`: `back\slash`, `k\s`: `back\slash`, "'": "O'Brien",
			"ÉMILE": "Émile Żurek", "żur": "Émile Żurek", "  e  Ż": "Émile Żurek", "o w": "Two Words", "INES@MARLOWE": "Ines Moreau", "' OR 1=1 --": "", "%%": "",
			"\\%": "", "100%\x00 sure": "", "\xff": "", "nobody": "", strings.Repeat("a", 60_000): "", strings.Repeat("%", 3000): "",
		} {
			list, next, err := w.People(t.Context(), admin, models.PeopleFilter{Query: query})
			found := ""
			for _, p := range list {
				found += models.CleanText(p.Name)
			}
			if err != nil || found != want || next != (models.Place{}) {
				t.Errorf("%.20q finds %q (%v), want %q", query, found, err, want)
			}
			if n, err := w.CountPeople(t.Context(), admin, models.PeopleFilter{Query: query}); err != nil || n != len(list) {
				t.Errorf("%.20q counts %d (%v), want %d", query, n, err, len(list))
			}
		}
	})
}

// Role and status narrow the list, together and with a search; the person's live token is shown, and
// none that was revoked.
func TestPeopleFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other, member, gone := w.Person(t, admin, models.Admin), w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		if _, err := w.DeactivatePerson(t.Context(), admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		w.Token(t, admin, member.ID)
		token, _ := w.Token(t, admin, member.ID)
		ended, _ := w.Token(t, admin, other.ID)
		if _, err := w.RevokeCredential(t.Context(), admin, ended.ID, models.Revocation{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			f    models.PeopleFilter
			want []string
		}{
			{models.PeopleFilter{}, []string{other.ID, admin.ID, member.ID, gone.ID}},
			{models.PeopleFilter{Role: models.Admin}, []string{other.ID, admin.ID}},
			{models.PeopleFilter{Status: "active"}, []string{other.ID, admin.ID, member.ID}},
			{models.PeopleFilter{Status: "deactivated"}, []string{gone.ID}},
			{models.PeopleFilter{Role: models.Admin, Status: "deactivated"}, nil},
			{models.PeopleFilter{Role: models.Admin, Status: "active", Query: "ines"}, []string{admin.ID}},
			{models.PeopleFilter{Role: "Owner"}, nil},
		} {
			list, _, err := w.People(t.Context(), admin, c.f)
			var ids []string
			for _, p := range list {
				ids = append(ids, p.ID)
				if (p.Bearer != nil) != (p.ID == member.ID) || p.Bearer != nil && p.Bearer.ID != token.ID {
					t.Errorf("%s has the token %+v", p.Name, p.Bearer)
				}
			}
			if err != nil || !slices.Equal(ids, c.want) {
				t.Errorf("%+v: %v (%v)", c.f, ids, err)
			}
		}
	})
}

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
			if got[""] != 1 || got[models.Conflict]+got[models.Invalid] != 1 {
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
		if list, err := w.Workspaces(t.Context(), storetest.As(made)); err != nil || len(list) != 1 || list[0].Role != models.WorkspaceMember {
			t.Errorf("they are in %+v (%v)", list, err)
		}
		for _, email := range []string{"", "nobody@x.example", "\x00", "\xff", "%", made.Email + "\x00"} {
			if _, err := w.PersonByEmail(t.Context(), email); models.KindOf(err) != models.NotFound {
				t.Errorf("%q: %v", email, err)
			}
		}
	})
}
