package store_test

import (
	"sync"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// Whoever holds all of a credential may end it, once: many at once leave one event. What is over, was replaced or never was ends nothing.
func TestRevokeHeld(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		card, first := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		_, second, err := w.RegenerateAPIToken(t.Context(), admin, home, card.ID, models.Regeneration{}, secret.FormID())
		must(t, err)
		_, gone := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "b", Expiration: models.ForAWeek})
		w.Clock.Advance(8 * 24 * 3600e9)
		_, live := w.Token(t, admin, admin.ID)
		unknown, err := secret.Mint("user", nil)
		must(t, err)
		before := events(t, w, "")
		for _, nothing := range []secret.Text{first, gone, unknown} {
			if ended, err := w.RevokeHeld(t.Context(), guest, nothing); err != nil || ended {
				t.Errorf("something ended: %v (%v)", ended, err)
			}
		}
		if events(t, w, "") != before || stateOf(t, w, second) != models.Active || stateOf(t, w, gone) != models.Expired {
			t.Error("it changed something")
		}
		for _, text := range []secret.Text{second, live} {
			before := events(t, w, models.CredentialRevoked)
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					if _, err := w.RevokeHeld(t.Context(), guest, text); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if n := events(t, w, models.CredentialRevoked) - before; n != 1 || stateOf(t, w, text) != models.Revoked {
				t.Errorf("%d events, and it is %s", n, stateOf(t, w, text))
			}
		}
		if e := lastEvent(t, w); e.SubjectName != "Ines Moreau" || e.ActorKind != models.Guest || e.PersonID != admin.ID {
			t.Errorf("the event is %+v", e)
		}
	})
}

// A refresh token, also one that was used up, and a sign-in token end the sign-in that they are of, and no other.
func TestEndHeldSignIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		sign := func() (models.ProgramSeen, secret.Text) {
			t.Helper()
			seen, tokens, err := w.SignInProgram(t.Context(), guest, models.SignIn{Email: "ines@marlowe.example", Password: storetest.Password})
			must(t, err)
			return seen, tokens.Refresh
		}
		one, refresh := sign()
		other, _ := sign()
		for _, want := range []bool{true, false} {
			if ended, err := w.RevokeHeld(t.Context(), guest, refresh); err != nil || ended != want {
				t.Errorf("ended is %v, want %v (%v)", ended, want, err)
			}
		}
		if e := lastEvent(t, w); e.Action != models.SessionEnded || e.SubjectID != one.Session.ID || e.WorkspaceID != one.Workspace.ID {
			t.Errorf("the event is %+v", e)
		}
		hash := secret.Hash(other.Session.Hash)
		for _, want := range []bool{true, false} {
			if ended, err := w.EndHeldSignIn(t.Context(), guest, hash); err != nil || ended != want {
				t.Errorf("ended is %v, want %v (%v)", ended, want, err)
			}
		}
		_, err := w.FindProgram(t.Context(), hash)
		wantKind(t, "the other sign-in", err, models.NotFound)
	})
}

// The role is the one of this moment, and none where there is no workspace any more.
func TestRoleIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Doomed"})
		must(t, err)
		person := w.Person(t, admin, models.Member)
		want := func(personID string, want models.WorkspaceRole) {
			t.Helper()
			if role, _, err := w.RoleIn(t.Context(), personID, made.ID); err != nil || role != want {
				t.Errorf("the role is %q, want %q (%v)", role, want, err)
			}
		}
		want(admin.ID, models.WorkspaceOwner)
		want(person.ID, "")
		_, err = w.AddMember(t.Context(), admin, made.ID, models.NewMember{Email: person.Email, Role: models.WorkspaceAdmin})
		must(t, err)
		want(person.ID, models.WorkspaceAdmin)
		_, err = w.DeleteWorkspace(t.Context(), admin, made.ID, "Doomed")
		must(t, err)
		want(person.ID, "")
	})
}
