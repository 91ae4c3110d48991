package store_test

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

const another = "another lantern over the quiet harbour"

// S3: a new password ends every session of the person, this one too, and nobody else's; the old password
// opens nothing any more.
func TestChangePassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		cookies := []string{signIn(t, w, member.Email, storetest.Password), signIn(t, w, member.Email, storetest.Password)}
		admins := signIn(t, w, "ines@marlowe.example", storetest.Password)
		_, who := find(t, w, cookies[0])
		w.Clock.Advance(time.Minute)
		person, _, err := w.ChangePassword(t.Context(), who, storetest.Password, another)
		if err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, cookies...)
		find(t, w, admins)
		if e := lastEvent(t, w); e.Action != models.PasswordChanged || e.PersonID != member.ID || e.Changes != "" {
			t.Errorf("the event is %+v", e)
		}
		_, _, err = w.SignIn(t.Context(), guest, models.SignIn{Email: member.Email, Password: storetest.Password})
		wantKind(t, "the old password", err, models.Unauthorized)
		signIn(t, w, member.Email, another)
		if read, err := w.PersonByEmail(t.Context(), member.Email); err != nil || read.PasswordChangedAt != w.Clock.Now() {
			t.Errorf("changed at %s (%v)", read.PasswordChangedAt, err)
		}
		if _, err := w.StartSession(t.Context(), who, person, "Firefox"); err != nil {
			t.Errorf("the session that follows: %v", err)
		}
	})
}

// What is wrong is told beside its field, and nothing changes.
func TestChangePasswordRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
		unchanged(t, w, "a password that is refused", func() {
			for _, c := range []struct{ current, next, field, says string }{
				{storetest.Password + "x", another, "current_password", "not your current password"},
				{"", another, "current_password", "Enter"},
				{storetest.Password, "", "new_password", "Enter"},
				{storetest.Password, "too short", "new_password", "15"},
				{storetest.Password, "Ines Moreau 123", "new_password", ""},
				{storetest.Password, storetest.Password, "new_password", "differs"},
			} {
				_, _, err := w.ChangePassword(t.Context(), admin, c.current, c.next)
				wantField(t, c.current+" to "+c.next, err, c.field, c.says)
			}
			_, _, err := w.ChangePassword(t.Context(), models.Actor{}, storetest.Password, another)
			wantKind(t, "nobody's password", err, models.NotFound)
		})
		find(t, w, cookie)
		signIn(t, w, "ines@marlowe.example", storetest.Password)
	})
}

// Of two changes at once one holds; the other is told that it came late, and not that the person is gone.
func TestChangePasswordAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, h, _, member := watch(t, w)
		who := storetest.As(member)
		h.meanwhile = func() {
			if _, _, err := w.ChangePassword(t.Context(), who, storetest.Password, another); err != nil {
				t.Errorf("the first: %v", err)
			}
		}
		_, _, err := w.ChangePassword(t.Context(), who, storetest.Password, "a third lantern over the quiet harbour")
		wantKind(t, "the second", err, models.Conflict)
		signIn(t, w, member.Email, another)
	})
}

// The session that follows a new password, or the set-up, is started only while the person is still as they
// were: another change, or a deactivation, that came in between has ended all their sessions, this one too.
func TestStartSessionOfWhatIsStillTrue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, _, _, member := watch(t, w)
		who := storetest.As(member)
		changed, _, err := w.ChangePassword(t.Context(), who, storetest.Password, another)
		if err != nil {
			t.Fatal(err)
		}
		for what, meanwhile := range map[string]string{
			"a newer password": "UPDATE people SET password_hash = 'newer' WHERE id = ?",
			"a deactivation":   "UPDATE people SET deactivated_at = created_at WHERE id = ?",
		} {
			exec(t, w, meanwhile, member.ID)
			unchanged(t, w, what, func() {
				text, err := w.StartSession(t.Context(), guest, changed, "Firefox")
				wantKind(t, what, err, models.Unauthorized)
				if text != "" || number(t, w, "SELECT count(*) FROM sessions") != 0 {
					t.Errorf("%s: a session was started", what)
				}
			})
			exec(t, w, "UPDATE people SET password_hash = ?, deactivated_at = NULL WHERE id = ?", changed.PasswordHash, member.ID)
		}
		if _, err := w.StartSession(t.Context(), guest, changed, "Firefox"); err != nil {
			t.Error(err)
		}
	})
}

// Only the command line sets somebody else's password, by the same rules; it ends their sessions as well.
func TestSetPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		cookie := signIn(t, w, member.Email, storetest.Password)
		unchanged(t, w, "who may not", func() {
			for _, who := range []models.Actor{admin, storetest.As(member), guest, server, {Kind: models.Program, ID: admin.ID, Role: models.Admin}} {
				wantKind(t, string(who.Kind), w.SetPassword(t.Context(), who, member.ID, another), models.Forbidden)
			}
			wantKind(t, "a short one", w.SetPassword(t.Context(), command, member.ID, "short"), models.Invalid)
			wantKind(t, "nobody's", w.SetPassword(t.Context(), command, models.NewID(), another), models.NotFound)
		})
		if err := w.SetPassword(t.Context(), command, member.ID, another); err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, cookie)
		signIn(t, w, member.Email, another)
		if n := events(t, w, models.PasswordChanged); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}
