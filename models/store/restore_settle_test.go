package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

const later = "seven umbrellas beneath a paper moon"

// What was taken away after the backup: a token revoked, one replaced and one switched off, a person
// deactivated, an Admin made a Member, a member removed, the workspace handed over, a password changed.
type taking struct {
	admin                                             models.Actor
	ann, bob, cal, eve                                models.Person
	revoked, replaced, inactive, deactivated, demoted models.Credential
	wasRevoked, wasReplaced                           models.Credential // as they were afterwards
}

func takeAway(t *testing.T, w storetest.World) (was taking, file string) {
	t.Helper()
	was.admin = w.SetUp(t)
	was.ann, was.bob, was.cal = w.Person(t, was.admin, models.Member), w.Person(t, was.admin, models.Member), w.Person(t, was.admin, models.Member)
	was.eve = w.Person(t, was.admin, models.Admin)
	was.revoked, _ = w.Token(t, was.admin, was.ann.ID)
	was.replaced, _ = w.Token(t, was.admin, was.bob.ID)
	was.deactivated, _ = w.Token(t, was.admin, was.cal.ID)
	was.demoted, _ = w.Token(t, was.admin, was.eve.ID)
	was.inactive, _ = w.Token(t, was.admin, was.admin.ID)
	file = backup(t, w)

	w.Clock.Advance(time.Hour)
	var err error
	_, err = w.RevokeCredential(t.Context(), was.admin, was.revoked.ID, models.Revocation{Reason: "lost laptop"})
	must(t, err)
	w.Token(t, was.admin, was.bob.ID)
	exec(t, w, "UPDATE credentials SET enabled = ? WHERE id = ?", false, was.inactive.ID)
	_, err = w.DeactivatePerson(t.Context(), was.admin, was.cal.ID)
	must(t, err)
	_, err = w.EditPerson(t.Context(), was.admin, was.eve.ID, models.PersonEdit{Name: was.eve.Name, Email: was.eve.Email, Role: models.Member})
	must(t, err)
	home, err := w.HomeWorkspace(t.Context(), was.admin)
	must(t, err)
	_, err = w.RemoveMember(t.Context(), was.admin, home.ID, was.ann.ID)
	must(t, err)
	_, err = w.HandOver(t.Context(), was.admin, home.ID, was.bob.ID)
	must(t, err)
	must(t, w.SetPassword(t.Context(), command, was.admin.ID, later))
	was.wasRevoked, was.wasReplaced = used(t, w, was.revoked.ID).Credential, used(t, w, was.replaced.ID).Credential
	return was, file
}

// What was taken away since the backup stays so, in every detail; and what a restoration kept is in its
// event, by count.
func TestRestoreKeepsWhatWasTakenAway(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	was, file := takeAway(t, w)
	done := restore(t, w, file, false)
	want := []store.Taken{
		{What: "credentials still revoked", Count: 2}, {What: "credentials still inactive", Count: 1}, {What: "people still deactivated", Count: 1},
		{What: "people still without the Admin role", Count: 1},
		{What: "members still without a workspace's Admin role", Count: 1}, {What: "workspaces still handed over", Count: 1}, {What: "members still removed", Count: 1}, {What: "passwords still changed", Count: 1},
	}
	if !slices.Equal(done.StillTaken, want) || done.NoAdmin {
		t.Errorf("it kept %+v", done)
	}
	if said := lastEvent(t, w).ChangeList(); len(said) != 4+len(want) || said[4] != (models.Change{Field: "credentials still revoked", After: "2"}) {
		t.Errorf("the event tells %v", said)
	}
	for _, c := range []models.Credential{was.wasRevoked, was.wasReplaced} {
		now := used(t, w, c.ID).Credential
		if fmt.Sprint(*now.RevokedAt, now.RevokedBy, now.RevokeReason, now.ReplacedBy) != fmt.Sprint(*c.RevokedAt, c.RevokedBy, c.RevokeReason, c.ReplacedBy) {
			t.Errorf("%s was %+v, and is %+v", c.ID, c, now)
		}
	}
	if c := used(t, w, was.inactive.ID); c.State(w.Clock.Now()) != models.Inactive {
		t.Errorf("%+v", c.Credential)
	}
	cal, eve := record(t, w, was.cal), record(t, w, was.eve)
	if cal.Active() || eve.Role != models.Member || number(t, w, "SELECT count(*) FROM memberships WHERE person_id = ? AND role = 'Member'", eve.ID) != 1 {
		t.Errorf("deactivated %+v, demoted %+v", cal, eve)
	}
	if owners := number(t, w, "SELECT count(*) FROM memberships WHERE role = 'Owner' AND person_id = ?", was.bob.ID); owners != 1 ||
		number(t, w, "SELECT count(*) FROM memberships WHERE person_id = ?", was.ann.ID) != 0 || number(t, w, "SELECT count(*) FROM memberships WHERE person_id = ? AND role = 'Admin'", was.admin.ID) != 1 {
		t.Errorf("the members are %q", memberNames(t, w, "marlowe-press"))
	}
	wantPassword(t, w, later, storetest.Password)
}

// Exactly as it was is exactly as it was, but for the sessions.
func TestRestoreExactly(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	was, file := takeAway(t, w)
	cookie := signIn(t, w, "ines@marlowe.example", later)
	done := restore(t, w, file, true)
	if len(done.StillTaken) != 0 || done.NoAdmin {
		t.Errorf("it kept %+v", done)
	}
	if said := lastEvent(t, w).ChangeList(); !slices.Contains(said, models.Change{Field: "exact", After: "yes"}) {
		t.Errorf("the event tells %v", said)
	}
	for _, id := range []string{was.revoked.ID, was.replaced.ID, was.inactive.ID, was.deactivated.ID, was.demoted.ID} {
		if c := used(t, w, id); c.State(w.Clock.Now()) != models.Active {
			t.Errorf("%+v", c.Credential)
		}
	}
	if cal, eve := record(t, w, was.cal), record(t, w, was.eve); !cal.Active() || eve.Role != models.Admin {
		t.Errorf("%+v, %+v", cal, eve)
	}
	wantPassword(t, w, storetest.Password, later)
	wantOver(t, w, cookie)
}

func record(t *testing.T, w storetest.World, p models.Person) models.Person {
	t.Helper()
	r, err := w.PersonRecord(t.Context(), command, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r.Person
}

// wantPassword insists that the first Admin has one password and not the other.
func wantPassword(t *testing.T, w storetest.World, has, hasNot string) {
	t.Helper()
	_, _, err := w.SignIn(t.Context(), guest, models.SignIn{Email: "ines@marlowe.example", Password: hasNot})
	wantKind(t, "the other password", err, models.Unauthorized)
	signIn(t, w, "ines@marlowe.example", has)
}

// The sessions of a backup are over, whoever they were of, and so are the set-up codes: they may have been
// used since. A password that is younger in the backup stays the backup's.
func TestRestoreBringsNobodyBackIn(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	code := offer(t, w)
	empty := backup(t, w)
	admin := w.SetUp(t)
	cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
	older := backup(t, w)
	w.Clock.Advance(time.Hour)
	must(t, w.SetPassword(t.Context(), command, admin.ID, later))
	cookies := []string{cookie, signIn(t, w, "ines@marlowe.example", later)}
	newer := backup(t, w)

	if done := restore(t, w, older, true); done.NoAdmin {
		t.Error("nobody is an Admin")
	}
	wantOver(t, w, cookies...)
	if done := restore(t, w, newer, false); len(done.StillTaken) != 0 {
		t.Errorf("kept %+v", done)
	}
	wantOver(t, w, cookies...)
	wantPassword(t, w, later, storetest.Password)

	if done := restore(t, w, empty, false); !done.NoAdmin {
		t.Errorf("somebody is an Admin: %+v", done)
	}
	if n := number(t, w, "SELECT count(*) FROM setup_codes"); n != 0 {
		t.Errorf("%d set-up codes", n)
	}
	if open, err := w.SetupOpen(t.Context(), code); open || err != nil {
		t.Errorf("the code of the backup opens (%v)", err)
	}
}

// A server that runs finds itself in the list of servers no more, and begins anew; what it may remember of the database before is over by then. Servers of the backup's
// time are waited for by nobody.
func TestRestoreOutlastsWhatServersRemember(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	w.SetUp(t)
	gone := models.Replica{ID: models.NewID(), Name: "gone", StartedAt: w.Clock.Now()}
	if _, err := w.RegisterReplica(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	before := backup(t, w)
	runs := models.Replica{ID: models.NewID(), Name: "runs", StartedAt: w.Clock.Now()}
	if _, err := w.RegisterReplica(t.Context(), runs); err != nil {
		t.Fatal(err)
	}
	begun := models.ReadClocks()
	restore(t, w, before, false)
	if took := begun.AtLeast(models.ReadClocks()); took < models.LeaseUse {
		t.Errorf("it took %s, and what is remembered holds for %s", took, models.LeaseUse)
	}
	if list, err := w.Replicas(t.Context()); err != nil || len(list) > 0 {
		t.Errorf("the servers are %+v (%v)", list, err)
	}
	if _, err := w.RenewLease(t.Context(), runs); models.KindOf(err) != models.NotFound {
		t.Errorf("the server that runs is told %v", err)
	}
}

// When all Admins of the backup have lost the role since, it goes to those who have it now, and back to
// nobody from whom it was taken. Where there is none of them in the backup, nobody is an Admin.
func TestRestoreWithoutAdmins(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	ines := w.SetUp(t)
	ann, bob := w.Person(t, ines, models.Member), w.Person(t, ines, models.Member)
	file := backup(t, w)
	edit := func(who models.Actor, p models.Person, role models.Role) {
		t.Helper()
		_, err := w.EditPerson(t.Context(), who, p.ID, models.PersonEdit{Name: p.Name, Email: p.Email, Role: role})
		must(t, err)
	}
	edit(ines, ann, models.Admin)
	edit(ines, bob, models.Admin)
	edit(command, record(t, w, models.Person{ID: ines.ID}), models.Member)
	done := restore(t, w, file, false)
	last := done.StillTaken[len(done.StillTaken)-1]
	if done.NoAdmin || last != (store.Taken{What: "people still Admins, because nobody else would be", Count: 2}) {
		t.Errorf("%+v", done)
	}
	if ann, ines := record(t, w, ann), record(t, w, models.Person{ID: ines.ID}); ann.Role != models.Admin || ines.Role != models.Member {
		t.Errorf("%+v, %+v", ann, ines)
	}

	newer := w.Person(t, command, models.Admin)
	edit(command, ann, models.Member)
	edit(command, bob, models.Member)
	if done := restore(t, w, file, false); !done.NoAdmin || record(t, w, ann).Role != models.Member {
		t.Errorf("%s is not in the backup: %+v", newer.Name, done)
	}
}

// Another installation's backup takes nothing from this one's people but the place.
func TestRestoreOfAnotherInstallation(t *testing.T) {
	t.Parallel()
	there, here := onSQLite(t), onSQLite(t)
	was, _ := takeAway(t, there)
	file := backup(t, there)
	takeAway(t, here)
	done := restore(t, here, file, false)
	if len(done.StillTaken) != 0 || done.NoAdmin || record(t, here, was.cal).Active() {
		t.Errorf("%+v", done)
	}
}
