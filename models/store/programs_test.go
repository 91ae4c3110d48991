package store_test

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Seed 000: a program begins in the workspace that its person owns, of several in the oldest; and otherwise in the one that they have
// been in for longest. What they may open as an Admin of the installation does not count.
func TestProgramBeginsAtHome(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member) // joins what is the only workspace
		a.Clock.Advance(time.Hour)
		second := a.workspace(t, root, "Second")
		ann, bea := a.Person(t, root, models.Admin), a.Person(t, root, models.Member)
		a.Clock.Advance(time.Hour)
		third := a.workspace(t, storetest.As(ann), "Third")
		begins := func(what, email, want string, role models.WorkspaceRole) {
			t.Helper()
			s, _, err := a.SignInProgram(t.Context(), guest, models.SignIn{Email: email, Password: storetest.Password})
			must(t, err)
			if s.Workspace.Slug != want || s.Workspace.Role != role || s.Session.WorkspaceID != s.Workspace.ID {
				t.Errorf("%s begins in %s as its %s, want %s as its %s", what, s.Workspace.Slug, s.Workspace.Role, want, role)
			}
			if e := lastEvent(t, w); e.Action != models.SessionStarted || e.WorkspaceID != s.Workspace.ID || e.SubjectID != s.Session.ID || e.PersonID != s.Person.ID || e.ActorKind != models.Human {
				t.Errorf("%s: the event is %+v", what, e)
			}
		}
		begins("the Owner of two", "ines@marlowe.example", home, models.WorkspaceOwner)
		begins("the Owner of one, an Admin of all", ann.Email, "third", models.WorkspaceOwner)
		begins("a member of one", tom.Email, home, models.WorkspaceMember)
		join(t, w, third, tom, models.WorkspaceAdmin)
		begins("a member of two", tom.Email, home, models.WorkspaceMember)
		join(t, w, second, ann, models.WorkspaceMember)
		exec(t, w, "UPDATE memberships SET created_at = ? WHERE workspace_id = ?", a.Clock.Now().Add(-90*time.Minute), second.ID)
		begins("the Owner of a younger one", ann.Email, "third", models.WorkspaceOwner)
		_, err := a.RemoveMember(t.Context(), root, home, tom.ID)
		must(t, err)
		a.Clock.Advance(time.Hour)
		join(t, w, second, tom, models.WorkspaceMember)
		begins("a member who left the first", tom.Email, "third", models.WorkspaceAdmin)
		unchanged(t, w, "nobody's", func() {
			_, tokens, err := a.SignInProgram(t.Context(), guest, models.SignIn{Email: bea.Email, Password: storetest.Password})
			wantKind(t, "a member of none", err, models.Forbidden)
			if tokens != (store.ProgramTokens{}) {
				t.Error("tokens were answered")
			}
		})
	})
}

// What a program's session is: found by the random value in its token alone, for ninety days at most, and never by a cookie. The
// row says where it came from.
func TestSignInProgram(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		now := a.Clock.Now()
		cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
		one, two := a.signIn(t, "INES@marlowe.example "), a.signIn(t, "ines@marlowe.example")
		s := one.Session
		if s.Kind != models.OfProgram || s.PersonID != root.ID || s.CreatedAt != now || s.SeenAt != now || s.ConfirmedAt != now || s.ExpiresAt != now.Add(90*24*time.Hour) || s.Browser != "curl/8" || s.Address != guest.Address {
			t.Errorf("the session is %+v", s)
		}
		seen, err := a.FindProgram(t.Context(), one.hash)
		if err != nil || seen.Session.ID != s.ID || seen.Person.ID != root.ID || seen.Workspace.Slug != home || seen.Workspace.Role != models.WorkspaceOwner {
			t.Errorf("found %+v (%v)", seen, err)
		}
		if seen.Person.SeenAt == nil || *seen.Person.SeenAt != now {
			t.Errorf("the person was last here at %v", seen.Person.SeenAt)
		}
		if one.refresh == two.refresh || one.hash == two.hash || one.token == two.token || one.refresh.Kind() != "rfsh" {
			t.Error("two sign-ins share something")
		}
		for _, text := range a.Secrets.All() {
			if text == cookie {
				continue
			}
			if _, err := a.FindSession(t.Context(), text); models.KindOf(err) != models.NotFound {
				t.Errorf("a program's secret opens the console: %v", err)
			}
		}
		find(t, w, cookie)
		for _, other := range []signedIn{{hash: one.refresh.Hash()}, {hash: one.token.Hash()}, {}} {
			a.finds(t, "another hash", other, false)
		}
		if list, err := a.Sessions(t.Context(), root, root.ID); err != nil || len(list) != 3 {
			t.Errorf("listed %d (%v)", len(list), err)
		}
	})
}

// S9: an unknown address, a wrong password and a deactivated person get the same answer, and nothing is written.
func TestSignInProgramRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		gone := a.Person(t, root, models.Member)
		_, err := a.DeactivatePerson(t.Context(), root, gone.ID)
		must(t, err)
		unchanged(t, w, "refused sign-ins", func() {
			for _, in := range []models.SignIn{
				{Email: "ines@marlowe.example", Password: storetest.Password + " "}, {Email: "ines@marlowe.example"}, {},
				{Email: "nobody@marlowe.example", Password: storetest.Password}, {Email: "\x00", Password: storetest.Password}, {Email: gone.Email, Password: storetest.Password},
			} {
				seen, tokens, err := a.SignInProgram(t.Context(), guest, in)
				if models.KindOf(err) != models.Unauthorized || err.Error() != store.BadSignIn || tokens != (store.ProgramTokens{}) || seen.Session.ID != "" {
					t.Errorf("%q: %+v (%v)", in.Email, seen.Session, err)
				}
			}
		})
		isEmpty(t, w, "sessions", "refresh_tokens")
	})
}

// A password that changes while the old one is compared wins: no session begins with it.
func TestSignInProgramOfWhatIsStillTrue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w, h, _, member := watch(t, w)
		h.meanwhile = func() { must(t, w.SetPassword(t.Context(), command, member.ID, another)) }
		_, tokens, err := w.SignInProgram(t.Context(), guest, models.SignIn{Email: member.Email, Password: storetest.Password})
		wantKind(t, "the old password", err, models.Unauthorized)
		if tokens != (store.ProgramTokens{}) {
			t.Error("tokens were answered")
		}
		isEmpty(t, w, "sessions", "refresh_tokens")
	})
}

// Whatever ends a program's session ends it at once, with its refresh tokens; what only keeps it out for a time is over with that.
func TestProgramEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(t *testing.T, a account, root models.Actor, s signedIn) error
		back func(t *testing.T, a account, root models.Actor, s signedIn) error // nil: it is over for good
	}{
		"signed out": {end: func(t *testing.T, a account, _ models.Actor, s signedIn) error {
			return a.EndSession(t.Context(), s.who(), s.Session.ID)
		}},
		"ended by an Admin": {end: func(t *testing.T, a account, root models.Actor, s signedIn) error {
			return a.EndSession(t.Context(), root, s.Session.ID)
		}},
		"signed out everywhere": {end: func(t *testing.T, a account, root models.Actor, s signedIn) error {
			_, err := a.SignOutEverywhere(t.Context(), root, s.Person.ID)
			return err
		}},
		"another password": {end: func(t *testing.T, a account, _ models.Actor, s signedIn) error {
			_, _, err := a.ChangePassword(t.Context(), s.who(), storetest.Password, another)
			return err
		}},
		"a password set": {end: func(t *testing.T, a account, _ models.Actor, s signedIn) error {
			return a.SetPassword(t.Context(), command, s.Person.ID, another)
		}},
		"demoted": {end: func(t *testing.T, a account, root models.Actor, s signedIn) error {
			_, err := a.EditPerson(t.Context(), root, s.Person.ID, models.PersonEdit{Name: s.Person.Name, Email: s.Person.Email, Role: models.Member})
			return err
		}},
		"deactivated, and activated": {end: func(t *testing.T, a account, root models.Actor, s signedIn) error {
			if _, err := a.DeactivatePerson(t.Context(), root, s.Person.ID); err != nil {
				return err
			}
			a.finds(t, "while deactivated", s, false)
			_, err := a.ActivatePerson(t.Context(), root, s.Person.ID)
			return err
		}},
		"idle": {end: func(_ *testing.T, a account, _ models.Actor, _ signedIn) error {
			a.Clock.Advance(models.RefreshTokenLife)
			return nil
		}},
		"idle, and pruned": {end: func(t *testing.T, a account, _ models.Actor, _ signedIn) error {
			a.Clock.Advance(models.RefreshTokenLife)
			return a.Prune(t.Context())
		}},
		"out of the workspace": {
			func(t *testing.T, a account, root models.Actor, s signedIn) error {
				_, err := a.RemoveMember(t.Context(), root, home, s.Person.ID)
				return err
			},
			func(t *testing.T, a account, root models.Actor, s signedIn) error {
				_, err := a.AddMember(t.Context(), root, home, models.NewMember{Email: s.Person.Email, Role: models.WorkspaceMember})
				return err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, w storetest.World) {
				a := newAccount(t, w)
				root := a.SetUp(t)
				ann := a.Person(t, root, models.Admin)
				a.Clock.Advance(time.Minute)
				s, of := a.signIn(t, ann.Email), a.signIn(t, "ines@marlowe.example")
				a.finds(t, "before", s, true)
				must(t, c.end(t, a, root, s))
				a.finds(t, "after", s, false)
				if name[:4] != "idle" {
					a.finds(t, "somebody else's", of, true)
				}
				if c.back != nil {
					must(t, c.back(t, a, root, s))
					a.finds(t, "back", s, true)
					return
				}
				unchanged(t, w, "a refresh", func() {
					a.refused(t, "its refresh token", s.refresh, models.Renewal{Email: ann.Email}, models.Ambiguous)
				})
			})
		})
	}
}

// Half an hour without use ends a browser's session and not a program's: that one is listed, and kept, as long as its refresh token is
// good. Then both are pruned away, and the refresh tokens with it.
func TestProgramsOutliveBrowsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		s := a.signIn(t, "ines@marlowe.example")
		signIn(t, w, "ines@marlowe.example", storetest.Password)
		listed := func(what string, want, rows int64) {
			t.Helper()
			list, err := a.Sessions(t.Context(), root, root.ID)
			must(t, err)
			must(t, a.Prune(t.Context()))
			if n := number(t, w, "SELECT count(*) FROM sessions"); int64(len(list)) != want || n != rows || want > 0 && list[len(list)-1].ID != s.Session.ID {
				t.Errorf("%s: %d are listed, %d kept", what, len(list), n)
			}
		}
		listed("at once", 2, 2)
		a.Clock.Advance(models.SessionIdle)
		listed("after half an hour", 1, 1)
		a.Clock.Advance(models.RefreshTokenLife - models.SessionIdle - time.Microsecond)
		listed("just before thirty days", 1, 1)
		a.Clock.Advance(time.Microsecond)
		listed("after thirty days", 0, 0)
		isEmpty(t, w, "refresh_tokens")
	})
}
