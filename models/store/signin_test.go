package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// watched is a store whose passwords are plain, and which says what it was asked to compare: a test can do
// something between the comparison and what follows it.
type watched struct {
	mu        sync.Mutex
	compared  []string // whom with
	old       bool     // hashes were made with other settings
	meanwhile func()   // runs once, after a comparison
	err       error
}

func (h *watched) Hash(_ context.Context, password string) (string, error) {
	return "plain:" + password, h.err
}

func (h *watched) Verify(_ context.Context, phc, password string) (bool, bool, error) {
	ok := phc == "plain:"+password || phc == "old:"+password
	h.note("somebody")
	return ok, h.old && phc == "old:"+password, h.err
}

func (h *watched) VerifyNobody(context.Context, string) error {
	h.note("nobody")
	return h.err
}

func (h *watched) note(whom string) {
	h.mu.Lock()
	h.compared = append(h.compared, whom)
	do := h.meanwhile
	h.meanwhile = nil
	h.mu.Unlock()
	if do != nil {
		do()
	}
}

// watch opens the world with a watched hasher and sets it up with an Admin and a Member.
func watch(t *testing.T, w storetest.World) (storetest.World, *watched, models.Actor, models.Person) {
	t.Helper()
	h := &watched{}
	w.Store = w.OpenWith(t, func(set *store.Settings) { set.Hasher = h })
	admin := w.SetUp(t)
	return w, h, admin, w.Person(t, admin, models.Member)
}

// S9: an unknown address, a wrong password and a deactivated person get the same answer after the same
// work, whatever the address is made of, and nothing is written.
func TestSignInTellsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, h, admin, member := watch(t, w)
		gone := w.Person(t, admin, models.Member)
		if _, err := w.DeactivatePerson(t.Context(), admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		unchanged(t, w, "refused sign-ins", func() {
			for _, c := range []struct{ email, password, work string }{
				{"nobody@marlowe.example", storetest.Password, "nobody"},
				{"", storetest.Password, "nobody"},
				{"\x00", storetest.Password, "nobody"},
				{member.Email + "\x00", storetest.Password, "nobody"},
				{"\xff\xfe", storetest.Password, "nobody"},
				{"' OR 1=1 --", storetest.Password, "nobody"},
				{"%", storetest.Password, "nobody"},
				{member.Email, storetest.Password + " ", "somebody"},
				{member.Email, "", "somebody"},
				{member.Email, member.PasswordHash, "somebody"},
				{gone.Email, storetest.Password, "somebody"},
				{gone.Email, "wrong", "somebody"},
			} {
				h.compared = nil
				text, _, err := w.SignIn(t.Context(), guest, models.SignIn{Email: c.email, Password: c.password})
				var e *models.Error
				if !errors.As(err, &e) || e.Kind != models.Unauthorized || e.Message != store.BadSignIn || e.Fields != nil || text != "" {
					t.Errorf("%q with %q: %v", c.email, c.password, err)
				}
				if len(h.compared) != 1 || h.compared[0] != c.work {
					t.Errorf("%q with %q: compared with %v", c.email, c.password, h.compared)
				}
			}
		})
		if n := number(t, w, "SELECT count(*) FROM sessions"); n != 0 {
			t.Errorf("%d sessions were started", n)
		}
	})
}

// Whoever signs in may spell the address in any case, and the browser's session from before ends with it (S2).
func TestSignIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, _, _, member := watch(t, w)
		first := signIn(t, w, " "+member.Email+"\t", storetest.Password)
		seen, _ := find(t, w, first)
		text, person, err := w.SignIn(t.Context(), guest, models.SignIn{
			Email: "MEMBER1@Marlowe.Example", Password: storetest.Password, Before: seen.Session.ID, Browser: "Mozilla\x1b[2J\x00\xff" + string(make([]rune, 300)),
		})
		if err != nil || person.ID != member.ID {
			t.Fatalf("%+v (%v)", person, err)
		}
		wantOver(t, w, first)
		again, _ := find(t, w, text.Reveal())
		if again.Session.ID == seen.Session.ID || again.Session.Browser != "Mozilla[2J" {
			t.Errorf("the new session is %+v", again.Session)
		}
	})
}

// A server that has too many passwords to compare says so, for known and unknown addresses alike, with how
// long to wait; whatever else the hasher cannot do is no wrong password either.
func TestSignInWhenBusy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, h, _, member := watch(t, w)
		for cause, want := range map[error]models.Kind{secret.ErrBusy: models.Unavailable, errors.New("no memory"): models.Internal, context.Canceled: models.Internal} {
			h.err = cause
			for _, email := range []string{member.Email, "nobody@marlowe.example"} {
				_, _, err := w.SignIn(t.Context(), guest, models.SignIn{Email: email, Password: storetest.Password})
				wantKind(t, email+" while "+cause.Error(), err, want)
				var e *models.Error
				if want == models.Unavailable && (!errors.As(err, &e) || e.RetryAfterSeconds <= 0) {
					t.Errorf("nothing says when to try again: %v", err)
				}
			}
		}
	})
}

// A change between the comparison and the session wins: a password that was changed, or a person who was
// deactivated, in that moment starts no session with what was true before.
func TestSignInLosesToAChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, h, admin, member := watch(t, w)
		for what, change := range map[string]func() error{
			"the password is changed": func() error {
				_, _, err := w.ChangePassword(t.Context(), storetest.As(member), storetest.Password, another)
				return err
			},
			"the person is deactivated": func() error {
				_, err := w.DeactivatePerson(t.Context(), admin, member.ID)
				return err
			},
		} {
			h.meanwhile = func() {
				if err := change(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			text, _, err := w.SignIn(t.Context(), guest, models.SignIn{Email: member.Email, Password: storetest.Password})
			wantKind(t, "signed in while "+what, err, models.Unauthorized)
			if n := number(t, w, "SELECT count(*) FROM sessions"); n != 0 || text != "" {
				t.Errorf("%s: %d sessions", what, n)
			}
			exec(t, w, "UPDATE people SET password_hash = ?, deactivated_at = NULL WHERE id = ?", member.PasswordHash, member.ID)
		}
	})
}

// The same, raced: after a sign-in with the old password and a change of it at once, there is no session.
func TestSignInAgainstAChangeAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, _, _, member := watch(t, w)
		for round := range 20 {
			failed := atOnce(4, func(i int) error {
				if i == 0 {
					_, _, err := w.ChangePassword(t.Context(), storetest.As(member), storetest.Password, another)
					return err
				}
				_, _, err := w.SignIn(t.Context(), guest, models.SignIn{Email: member.Email, Password: storetest.Password})
				return err
			})
			if failed[0] != nil {
				t.Fatalf("round %d: %v", round, failed[0])
			}
			for _, err := range failed[1:] {
				if kind := models.KindOf(err); kind != "" && kind != models.Unauthorized {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			if n := number(t, w, "SELECT count(*) FROM sessions"); n != 0 {
				t.Fatalf("round %d: %d sessions with the old password", round, n)
			}
			exec(t, w, "UPDATE people SET password_hash = ? WHERE id = ?", member.PasswordHash, member.ID)
		}
	})
}

// S8: a hash of older settings is made anew at sign-in. It is the same password: no session ends, nothing
// says that it was changed, and another sign-in at that moment goes through as well.
func TestSignInRehashes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, h, _, member := watch(t, w)
		kept := signIn(t, w, member.Email, storetest.Password)
		exec(t, w, "UPDATE people SET password_hash = ? WHERE id = ?", "old:"+storetest.Password, member.ID)
		h.old = true
		w.Clock.Advance(time.Minute)
		var first string
		h.meanwhile = func() { first = signIn(t, w, member.Email, storetest.Password) }
		second := signIn(t, w, member.Email, storetest.Password)
		for _, cookie := range []string{kept, first, second} {
			find(t, w, cookie)
		}
		person, err := w.PersonByEmail(t.Context(), member.Email)
		if err != nil || person.PasswordHash != "plain:"+storetest.Password || person.PasswordChangedAt != member.PasswordChangedAt {
			t.Errorf("%+v (%v)", person, err)
		}
		if n := events(t, w, models.PasswordChanged); n != 0 {
			t.Errorf("%d events", n)
		}
	})
}
