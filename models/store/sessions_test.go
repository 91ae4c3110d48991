package store_test

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// signIn signs a person in and answers the cookie.
func signIn(t *testing.T, w storetest.World, email, password string) string {
	t.Helper()
	text, _, err := w.SignIn(t.Context(), guest, models.SignIn{Email: email, Password: password, Browser: "Firefox"})
	if err != nil {
		t.Fatalf("sign in: %v", err)
	}
	w.Secrets.Add(text)
	return text.Reveal()
}

// find reads the session of a cookie, which must be good, and answers it with its person as the actor.
func find(t *testing.T, w storetest.World, cookie string) (models.SessionSeen, models.Actor) {
	t.Helper()
	seen, err := w.FindSession(t.Context(), cookie)
	if err != nil {
		t.Fatalf("find the session: %v", err)
	}
	who := storetest.As(seen.Person)
	who.SessionID = seen.Session.ID
	return seen, who
}

// wantOver insists that cookies are refused and their rows gone.
func wantOver(t *testing.T, w storetest.World, cookies ...string) {
	t.Helper()
	for _, cookie := range cookies {
		if _, err := w.FindSession(t.Context(), cookie); models.KindOf(err) != models.NotFound {
			t.Errorf("a session is not over: %v", err)
		}
		hash := secret.HashOf(store.SessionDomain, cookie)
		if n := number(t, w, "SELECT count(*) FROM sessions WHERE hash = ?", hash[:]); n != 0 {
			t.Error("the row of a session is still there")
		}
	}
}

// S1: the cookie is found by its hash, with its person, and the row says where it came from; what is near
// the cookie, or is the hash, opens nothing.
func TestSessionIsFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
		seen, _ := find(t, w, cookie)
		now := w.Clock.Now()
		s := seen.Session
		if seen.Person.ID != admin.ID || s.PersonID != admin.ID || s.Browser != "Firefox" || s.Address != guest.Address {
			t.Errorf("found %+v of %s", s, seen.Person.Name)
		}
		if s.CreatedAt != now || s.SeenAt != now || s.ConfirmedAt != now || s.ExpiresAt != now.Add(12*time.Hour) {
			t.Errorf("its times are %+v", s)
		}
		if seen.Person.SeenAt == nil || *seen.Person.SeenAt != now {
			t.Errorf("the person was last here at %v", seen.Person.SeenAt)
		}
		if e := lastEvent(t, w); e.Action != models.SessionStarted || e.ActorKind != models.Human || e.ActorID != admin.ID || e.SubjectID != s.ID {
			t.Errorf("the event is %+v", e)
		}
		hash := secret.HashOf(store.SessionDomain, cookie)
		for _, other := range []string{"", cookie[1:], cookie + "A", " " + cookie, string(hash[:]), hash.Hex(), s.ID, "\x00", "%"} {
			if _, err := w.FindSession(t.Context(), other); models.KindOf(err) != models.NotFound {
				t.Errorf("%q: %v", other, err)
			}
		}
	})
}

// S4: half an hour without use ends a session, and twelve hours end it however it is used, both on the
// server, to the microsecond.
func TestSessionTimesOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		idle, used := signIn(t, w, "ines@marlowe.example", storetest.Password), signIn(t, w, "ines@marlowe.example", storetest.Password)
		touch := func() {
			t.Helper()
			seen, _ := find(t, w, used)
			if err := w.TouchSession(t.Context(), seen); err != nil {
				t.Fatal(err)
			}
		}
		w.Clock.Advance(30*time.Minute - time.Microsecond)
		find(t, w, idle)
		touch()
		w.Clock.Advance(time.Microsecond)
		if _, err := w.FindSession(t.Context(), idle); models.KindOf(err) != models.NotFound {
			t.Errorf("after 30 minutes: %v", err)
		}
		for range 23 {
			w.Clock.Advance(30*time.Minute - 2*time.Microsecond)
			touch()
		}
		w.Clock.Advance(46 * time.Microsecond)
		if _, err := w.FindSession(t.Context(), used); models.KindOf(err) != models.NotFound {
			t.Errorf("after 12 hours: %v", err)
		}
	})
}

// S3: signing out ends the session that is signed out, and no other; with its own cookie nobody ends
// somebody else's, and is not told that there is one.
func TestEndSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		mine, other := signIn(t, w, member.Email, storetest.Password), signIn(t, w, member.Email, storetest.Password)
		admins := signIn(t, w, "ines@marlowe.example", storetest.Password)
		seen, who := find(t, w, mine)
		adminSession, adminWho := find(t, w, admins)
		unchanged(t, w, "somebody else's session", func() {
			wantKind(t, "an Admin's", w.EndSession(t.Context(), who, adminSession.Session.ID), models.NotFound)
		})
		if err := w.EndSession(t.Context(), who, seen.Session.ID); err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, mine)
		find(t, w, other)
		if e := lastEvent(t, w); e.Action != models.SessionEnded || e.SubjectID != seen.Session.ID || e.PersonID != member.ID || e.SessionID != who.SessionID {
			t.Errorf("the event is %+v", e)
		}
		unchanged(t, w, "ended again", func() {
			wantKind(t, "ended again", w.EndSession(t.Context(), who, seen.Session.ID), models.Unauthorized)
		})
		left, _ := find(t, w, other)
		if err := w.EndSession(t.Context(), adminWho, left.Session.ID); err != nil {
			t.Errorf("an Admin ends it: %v", err)
		}
		wantOver(t, w, other)
		find(t, w, admins)
	})
}

// S5: one's own sessions are listed, the last used first, without those that are over; a Member sees
// nobody else's. Signing out everywhere ends all of one person's and nobody else's.
func TestSignOutEverywhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		over := signIn(t, w, member.Email, storetest.Password)
		w.Clock.Advance(20 * time.Minute)
		first := signIn(t, w, member.Email, storetest.Password)
		w.Clock.Advance(5 * time.Minute)
		second := signIn(t, w, member.Email, storetest.Password)
		w.Clock.Advance(5 * time.Minute)
		admins := signIn(t, w, "ines@marlowe.example", storetest.Password)
		seen, who := find(t, w, first)
		if err := w.TouchSession(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		other, _ := find(t, w, second)
		for _, asks := range []models.Actor{who, admin} {
			list, err := w.Sessions(t.Context(), asks, member.ID)
			if err != nil || len(list) != 2 || list[0].ID != seen.Session.ID || list[1].ID != other.Session.ID {
				t.Errorf("listed %+v (%v)", list, err)
			}
		}
		_, err := w.Sessions(t.Context(), who, admin.ID)
		wantKind(t, "an Admin's sessions", err, models.Forbidden)
		_, err = w.SignOutEverywhere(t.Context(), who, admin.ID)
		wantKind(t, "sign an Admin out", err, models.Forbidden)
		if _, err := w.SignOutEverywhere(t.Context(), who, member.ID); err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, over, first, second)
		_, adminWho := find(t, w, admins)
		again := signIn(t, w, member.Email, storetest.Password)
		if _, err := w.SignOutEverywhere(t.Context(), adminWho, member.ID); err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, again)
		find(t, w, admins)
		if n := events(t, w, models.SessionsEnded); n != 2 {
			t.Errorf("%d events", n)
		}
	})
}
