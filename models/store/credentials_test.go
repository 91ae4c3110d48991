package store_test

import (
	"fmt"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Seed 001: the token is the person's, lives a year, is found by its hash and by nothing else, and the event
// says who made it for whom without saying the secret (T4, T5).
func TestCreateBearerToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		person := w.Person(t, admin, models.Member)
		made, text, before, err := w.CreateBearerToken(t.Context(), admin, person.ID, secret.FormID())
		if err != nil || before != nil {
			t.Fatalf("made %+v in place of %+v (%v)", made, before, err)
		}
		now, s := w.Clock.Now(), text.Reveal()
		if _, ok := secret.Parse(s); !ok || s[:5] != "user_" || made.Prefix != s[:8] || made.Last4 != s[50:] {
			t.Errorf("made %s... ...%s", made.Prefix, made.Last4)
		}
		if made.PersonID != person.ID || made.CreatedBy != admin.ID || made.CreatedAt != now || *made.ExpiresAt != now.AddDate(1, 0, 0) || made.State(now) != models.Active {
			t.Errorf("made %+v", made)
		}
		grant, err := w.GrantOf(t.Context(), text.Hash())
		if err != nil || grant.Credential.ID != made.ID || *grant.Credential.ExpiresAt != *made.ExpiresAt || grant.Owner.ID != person.ID || grant.Owner.Role != models.Member || grant.Owner.Name != person.Name {
			t.Errorf("granted %+v (%v)", grant, err)
		}
		other, _ := secret.Mint("user", nil)
		for _, hash := range []secret.Hash{{}, other.Hash(), secret.HashOf("another domain", s)} {
			if _, err := w.GrantOf(t.Context(), hash); models.KindOf(err) != models.NotFound {
				t.Errorf("%x: %v", hash[:4], err)
			}
		}
		e := lastEvent(t, w)
		if e.Action != models.CredentialCreated || e.ActorID != admin.ID || e.SubjectID != made.ID || e.SubjectName != person.Name || e.PersonID != person.ID {
			t.Errorf("the event is %+v", e)
		}
		if any, err := w.AnyCredential(t.Context()); !any || err != nil {
			t.Errorf("nothing was issued (%v)", err)
		}
	})
}

// A token that is made on 29 February expires a year later, on 1 March, at the same time of day.
func TestBearerTokenOfALeapDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		w.Clock.Advance(time.Date(2028, 2, 29, 23, 59, 59, 999999000, time.UTC).Sub(w.Clock.Now()))
		made, text := w.Token(t, admin, admin.ID)
		if want := time.Date(2029, 3, 1, 23, 59, 59, 999999000, time.UTC); *made.ExpiresAt != want {
			t.Errorf("expires %s", made.ExpiresAt)
		}
		w.Clock.Advance(366*24*time.Hour - time.Microsecond)
		for _, want := range []models.State{models.Active, models.Expired} {
			grant, err := w.GrantOf(t.Context(), text.Hash())
			if err != nil || grant.Credential.State(w.Clock.Now()) != want {
				t.Errorf("at %s it is %s (%v)", w.Clock.Now(), grant.Credential.State(w.Clock.Now()), err)
			}
			w.Clock.Advance(time.Microsecond)
		}
	})
}

// What cannot be made is refused with the reason, makes nothing, and leaves the form good for another try.
func TestCreateBearerTokenRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		gone := w.Person(t, admin, models.Admin)
		if _, err := w.DeactivatePerson(t.Context(), admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		form := secret.FormID()
		unchanged(t, w, "what cannot be made", func() {
			for what, c := range map[string]struct {
				person, form string
				want         models.Kind
			}{
				"of nobody":                  {models.NewID(), form, models.NotFound},
				"of a deactivated person":    {gone.ID, form, models.Conflict},
				"with no form":               {admin.ID, "", models.Invalid},
				"with a short form":          {admin.ID, "x", models.Invalid},
				"with a form of other signs": {admin.ID, "' OR 1=1 --;' OR 1=1 --", models.Invalid},
			} {
				made, text, before, err := w.CreateBearerToken(t.Context(), admin, c.person, c.form)
				wantKind(t, what, err, c.want)
				if made.ID != "" || text != "" || before != nil {
					t.Errorf("%s: made %+v", what, made)
				}
			}
		})
		if n := number(t, w, "SELECT (SELECT count(*) FROM credentials) + (SELECT count(*) FROM used_forms)"); n != 0 {
			t.Errorf("%d rows", n)
		}
		if _, _, _, err := w.CreateBearerToken(t.Context(), admin, admin.ID, form); err != nil {
			t.Errorf("the form, once it can be: %v", err)
		}
	})
}

// A new token replaces the last: the old one says by which and when, for good, and the person's page shows
// the live one and, newest first, those that went before (seed 001, T14).
func TestBearerTokenIsReplaced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		first, firstText := w.Token(t, admin, admin.ID)
		w.Clock.Advance(time.Hour)
		second, secondText, before, err := w.CreateBearerToken(t.Context(), admin, admin.ID, secret.FormID())
		if err != nil || before == nil || before.ID != first.ID {
			t.Fatalf("in place of %+v (%v)", before, err)
		}
		old, err := w.GrantOf(t.Context(), firstText.Hash())
		if err != nil || old.Credential.State(w.Clock.Now()) != models.Replaced || old.Credential.ReplacedBy != second.ID || *old.Credential.RevokedAt != w.Clock.Now() || old.Credential.RevokedBy != admin.ID {
			t.Errorf("the old one is %+v (%v)", old.Credential, err)
		}
		w.Clock.Advance(time.Hour)
		unchanged(t, w, "revoking what was replaced", func() {
			c, err := w.RevokeCredential(t.Context(), admin, first.ID, models.Revocation{Reason: "again"})
			if err != nil || c.State(w.Clock.Now()) != models.Replaced || c.RevokeReason != "" {
				t.Errorf("it is %+v (%v)", c, err)
			}
		})
		third, _ := w.Token(t, admin, admin.ID)
		record, err := w.PersonRecord(t.Context(), admin, admin.ID)
		if err != nil || record.Bearer == nil || record.Bearer.ID != third.ID || record.Bearer.CreatedByName != "Ines Moreau" {
			t.Fatalf("the record shows %+v (%v)", record.Bearer, err)
		}
		if len(record.Earlier) != 2 || record.Earlier[0].ID != second.ID || record.Earlier[1].ID != first.ID || record.Earlier[0].RevokedByName != "Ines Moreau" {
			t.Errorf("before it %+v", record.Earlier)
		}
		if grant, err := w.GrantOf(t.Context(), secondText.Hash()); err != nil || grant.Credential.ReplacedBy != third.ID {
			t.Errorf("the second is %+v (%v)", grant.Credential, err)
		}
	})
}

// T12: a revocation is for good and says by whom, when and why, once; revoking again changes nothing. An
// expired token can be revoked, and where there is none there is nothing to revoke.
func TestRevoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, text := w.Token(t, admin, admin.ID)
		w.Clock.Advance(366 * 24 * time.Hour)
		at := w.Clock.Now()
		unchanged(t, w, "a reason that does not validate", func() {
			_, err := w.RevokeCredential(t.Context(), admin, made.ID, models.Revocation{Reason: "\u202e"})
			wantField(t, "its reason", err, "reason", "can't be shown")
		})
		c, err := w.RevokeBearerToken(t.Context(), admin, admin.ID, models.Revocation{Reason: "  laptop   lost "})
		if err != nil || c.State(at) != models.Revoked || c.RevokeReason != "laptop lost" {
			t.Fatalf("it is %+v (%v)", c, err)
		}
		if e := lastEvent(t, w); e.Action != models.CredentialRevoked || e.SubjectID != made.ID || e.ChangeList()[1].After != "laptop lost" {
			t.Errorf("the event is %+v", e)
		}
		w.Clock.Advance(time.Hour)
		unchanged(t, w, "revoked again", func() {
			again, err := w.RevokeCredential(t.Context(), command, made.ID, models.Revocation{Reason: "another"})
			if err != nil || *again.RevokedAt != at || again.RevokedBy != admin.ID || again.RevokeReason != "laptop lost" {
				t.Errorf("it is %+v (%v)", again, err)
			}
			_, err = w.RevokeBearerToken(t.Context(), admin, admin.ID, models.Revocation{})
			wantKind(t, "no token to revoke", err, models.NotFound)
		})
		grant, err := w.GrantOf(t.Context(), text.Hash())
		if err != nil || grant.Credential.State(w.Clock.Now()) != models.Revoked || *grant.Credential.RevokedAt != at {
			t.Errorf("it is %+v (%v)", grant.Credential, err)
		}
		next, _ := w.Token(t, admin, admin.ID)
		if seen, err := w.Credential(t.Context(), admin, made.ID); err != nil || seen.State(w.Clock.Now()) != models.Revoked || seen.ReplacedBy != "" {
			t.Errorf("after another one was made it is %+v (%v)", seen, err)
		}
		if list, owners, err := w.Credentials(t.Context(), command, 1); err != nil || len(list) != 1 || list[0].ID != next.ID || owners[admin.ID].Email != "ines@marlowe.example" {
			t.Errorf("listed %+v of %v (%v)", list, owners, err)
		}
	})
}

// The live token is on the person's page whatever the clocks of the servers that made the earlier ones said.
func TestRecordShowsTheLiveTokenFirst(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		backwards := w.OpenWith(t, func(set *store.Settings) {
			n := 9999
			set.NewID = func() string { n--; return fmt.Sprintf("01900000-0000-7000-8000-00000000%d", n) }
		})
		var live models.Credential
		for range 30 {
			made, _, _, err := backwards.CreateBearerToken(t.Context(), admin, admin.ID, secret.FormID())
			if err != nil {
				t.Fatal(err)
			}
			live = made
		}
		record, err := w.PersonRecord(t.Context(), admin, admin.ID)
		if err != nil || record.Bearer == nil || record.Bearer.ID != live.ID || len(record.Earlier) != 20 {
			t.Errorf("the record shows %+v and %d earlier ones (%v)", record.Bearer, len(record.Earlier), err)
		}
	})
}
