package store_test

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// A request that was under way when its session ended brings nothing back: neither the note that it is in
// use nor what its next page would have shown.
func TestEndedSessionStaysEnded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
		seen, who := find(t, w, cookie)
		if err := w.EndSession(t.Context(), who, seen.Session.ID); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(2 * time.Minute)
		if err := w.TouchSession(t.Context(), seen); err != nil {
			t.Errorf("touch: %v", err)
		}
		if err := w.SaveSessionData(t.Context(), seen.Session.ID, []byte("note")); err != nil {
			t.Errorf("save: %v", err)
		}
		wantOver(t, w, cookie)
		if n := number(t, w, "SELECT count(*) FROM sessions"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

// A session's use is written down once a minute at most, and never backwards; its data is what was saved
// last. Neither is an event.
func TestTouchAndData(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
		began := w.Clock.Now()
		unchanged(t, w, "use", func() {
			old, _ := find(t, w, cookie)
			for _, step := range []struct {
				on   time.Duration
				want time.Duration
			}{{59 * time.Second, 0}, {time.Second, time.Minute}, {59 * time.Second, time.Minute}, {time.Second, 2 * time.Minute}} {
				w.Clock.Advance(step.on)
				seen, _ := find(t, w, cookie)
				if err := w.TouchSession(t.Context(), seen); err != nil {
					t.Fatal(err)
				}
				if seen, _ = find(t, w, cookie); seen.Session.SeenAt != began.Add(step.want) {
					t.Errorf("seen at %s, want %s", seen.Session.SeenAt, began.Add(step.want))
				}
			}
			if seen, _ := find(t, w, cookie); seen.Person.SeenAt == nil || *seen.Person.SeenAt != began.Add(2*time.Minute) {
				t.Errorf("the person was seen at %v", seen.Person.SeenAt)
			}
			for _, data := range [][]byte{[]byte("note \x00\xff"), nil} {
				if err := w.SaveSessionData(t.Context(), old.Session.ID, data); err != nil {
					t.Fatal(err)
				}
				if seen, _ := find(t, w, cookie); string(seen.Session.Data) != string(data) {
					t.Errorf("the data is %q, want %q", seen.Session.Data, data)
				}
			}
		})
	})
}

// What is over takes no room for ever, and what is not is left alone.
func TestPrune(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		w.Token(t, admin, admin.ID) // its form is used
		signIn(t, w, "ines@marlowe.example", storetest.Password)
		w.Clock.Advance(30*time.Minute - time.Microsecond)
		fresh := signIn(t, w, "ines@marlowe.example", storetest.Password)
		w.Clock.Advance(time.Microsecond)
		count := func(what string, sessions, forms int64) {
			t.Helper()
			if err := w.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s, f := number(t, w, "SELECT count(*) FROM sessions"), number(t, w, "SELECT count(*) FROM used_forms"); s != sessions || f != forms {
				t.Errorf("%s: %d sessions and %d forms are left", what, s, f)
			}
		}
		count("after half an hour", 1, 1)
		find(t, w, fresh)
		w.Clock.Advance(40 * 24 * time.Hour)
		count("after a month", 0, 0)
		if err := w.DB().Exec("DELETE FROM people WHERE id = ?", admin.ID).Error; err == nil {
			t.Error("a person could be deleted from under their credential: foreign keys are off")
		}
	})
}

// S2: checking the password once more gives the session a new secret, and the old one is refused from
// then on; a wrong password changes nothing, and nobody confirms a session that is not theirs or is over.
func TestConfirmSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := w.Person(t, admin, models.Member)
		cookie, others := signIn(t, w, "ines@marlowe.example", storetest.Password), signIn(t, w, member.Email, storetest.Password)
		before, who := find(t, w, cookie)
		foreign, _ := find(t, w, others)
		w.Clock.Advance(20 * time.Minute)
		unchanged(t, w, "a check that fails", func() {
			_, err := w.ConfirmSession(t.Context(), who, storetest.Password+"!")
			wantField(t, "a wrong password", err, "current_password", "not your current password")
			stolen := who
			stolen.SessionID = foreign.Session.ID
			_, err = w.ConfirmSession(t.Context(), stolen, storetest.Password)
			wantKind(t, "somebody else's session", err, models.Unauthorized)
			_, err = w.ConfirmSession(t.Context(), models.Actor{Kind: models.Human}, storetest.Password)
			wantKind(t, "nobody", err, models.NotFound)
		})
		find(t, w, cookie)
		text, err := w.ConfirmSession(t.Context(), who, storetest.Password)
		if err != nil {
			t.Fatal(err)
		}
		wantOver(t, w, cookie)
		after, _ := find(t, w, text.Reveal())
		if after.Session.ID != before.Session.ID || after.Session.ConfirmedAt != w.Clock.Now() || after.Session.ExpiresAt != before.Session.ExpiresAt {
			t.Errorf("before %+v, after %+v", before.Session, after.Session)
		}
		if e := lastEvent(t, w); e.Action != models.SessionConfirmed || e.SubjectID != before.Session.ID {
			t.Errorf("the event is %+v", e)
		}
		if err := w.EndSession(t.Context(), who, who.SessionID); err != nil {
			t.Fatal(err)
		}
		_, err = w.ConfirmSession(t.Context(), who, storetest.Password)
		wantKind(t, "a session that is over", err, models.Unauthorized)
	})
}
