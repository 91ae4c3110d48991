package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Seed 000: each refresh gives another sign-in token and another refresh token, and what was before is good for nothing. The session stays
// the same one, to its end after ninety days, and says when it was refreshed last.
func TestRenewProgram(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		first := a.signIn(t, "ines@marlowe.example")
		a.Clock.Advance(29 * 24 * time.Hour)
		next, tokens, err := a.RenewProgram(t.Context(), guest, first.refresh, models.Renewal{Email: " INES@Marlowe.example"})
		must(t, err)
		e := lastEvent(t, w)
		if e.Action != models.SessionRenewed || e.ActorKind != models.Program || e.ActorID != root.ID || e.SessionID != first.Session.ID || e.SubjectID != first.Session.ID ||
			e.WorkspaceID != first.Workspace.ID || e.Changes != "" || e.Address != guest.Address || e.PersonID != root.ID {
			t.Errorf("the event is %+v", e)
		}
		second := a.write(t, next, tokens)
		if next.Session.ID != first.Session.ID || next.Session.ExpiresAt != first.Session.ExpiresAt || next.Session.SeenAt != a.Clock.Now() || next.Workspace.ID != first.Workspace.ID || next.Person.ID != root.ID {
			t.Errorf("renewed to %+v", next.Session)
		}
		a.finds(t, "the first sign-in token", first, false)
		a.finds(t, "the second", second, true)
		a.Clock.Advance(30*24*time.Hour - time.Microsecond)
		third := a.renew(t, second, "")
		a.Clock.Advance(30 * 24 * time.Hour)
		a.refused(t, "a refresh token of thirty days", third.refresh, models.Renewal{Email: third.Person.Email}, models.Ambiguous)
		a.finds(t, "after thirty days", third, false)
	})
}

// Ninety days after the password was checked a sign-in is over, however it was refreshed.
func TestProgramLife(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		a.SetUp(t)
		s := a.signIn(t, "ines@marlowe.example")
		for range 9 {
			a.Clock.Advance(10*24*time.Hour - time.Microsecond)
			s = a.renew(t, s, "")
		}
		a.finds(t, "just before", s, true)
		a.Clock.Advance(9 * time.Microsecond)
		a.finds(t, "at the end", s, false)
		a.refused(t, "at the end", s.refresh, models.Renewal{Email: s.Person.Email}, models.Ambiguous)
	})
}

// Seed 000, the team member's path: a refresh takes a program to another workspace of its person's, by ID or slug. One that is not theirs is
// refused and uses nothing up: who mistyped it, or was just removed, need not sign in again, and nobody learns which workspaces there are.
func TestSwitchWorkspace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member)
		second, third := a.workspace(t, root, "Second"), a.workspace(t, root, "Third")
		join(t, w, second, tom, models.WorkspaceMember)
		s := a.signIn(t, tom.Email)
		for _, to := range []string{second.ID, home, second.Slug, ""} {
			before := s.Workspace
			next, tokens, err := a.RenewProgram(t.Context(), guest, s.refresh, models.Renewal{Email: tom.Email, WorkspaceID: to})
			must(t, err)
			if to == "" {
				to = before.ID
			}
			if next.Workspace.ID != to && next.Workspace.Slug != to || next.Session.WorkspaceID != next.Workspace.ID || next.Workspace.Role != models.WorkspaceMember {
				t.Errorf("to %s: it is in %s", to, next.Workspace.Slug)
			}
			e := lastEvent(t, w)
			moved := slices.Equal(e.ChangeList(), []models.Change{{Field: "workspace", After: next.Workspace.Name}})
			if e.Action != models.SessionRenewed || e.WorkspaceID != next.Workspace.ID || moved != (before.ID != next.Workspace.ID) {
				t.Errorf("to %s: the event is %+v", to, e)
			}
			s = a.write(t, next, tokens)
			a.finds(t, "in "+to, s, true)
		}
		_, err := a.RemoveMember(t.Context(), root, second.Slug, tom.ID)
		must(t, err)
		unchanged(t, w, "a workspace that is not theirs", func() {
			words := ""
			for _, to := range []string{third.ID, third.Slug, "no-such", models.NewID(), "\x00"} {
				err := a.refused(t, "to "+to, s.refresh, models.Renewal{Email: tom.Email, WorkspaceID: to}, models.Forbidden)
				if words == "" {
					words = err.Error()
				}
				if err.Error() != words {
					t.Errorf("to %q: %v, and not %s", to, err, words)
				}
			}
			if err := a.refused(t, "where they were", s.refresh, models.Renewal{Email: tom.Email}, models.Forbidden); !strings.HasPrefix(err.Error(), "You are not a member of the workspace that you were in any more.") {
				t.Errorf("where they were: %v", err)
			}
		})
		s = a.renew(t, s, home)
		a.finds(t, "back home", s, true)
	})
}

// What is no refresh token of the person's is refused in the same words, whatever is wrong with it, and changes nothing: neither does a
// wrong address use one up.
func TestRenewProgramRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member)
		s, of := a.signIn(t, tom.Email), a.signIn(t, "ines@marlowe.example")
		unknown, err := secret.Mint("rfsh", nil)
		must(t, err)
		good := s.refresh
		unchanged(t, w, "what is refused", func() {
			for what, c := range map[string]struct {
				refresh secret.Text
				email   string
			}{
				"nothing": {"", tom.Email}, "unknown": {unknown, tom.Email}, "a short one": {"1234567890abcdef", tom.Email}, "a part": {good[:53], tom.Email}, "more": {good + "0", tom.Email},
				"in capitals": {secret.Text(strings.ToUpper(good.Reveal())), tom.Email}, "with a space": {" " + good, tom.Email}, "a NUL": {"\x00", tom.Email}, "the sign-in token": {s.token, tom.Email},
				"without an address": {good, ""}, "somebody else's address": {good, "ines@marlowe.example"}, "somebody else's token": {of.refresh, tom.Email}, "an address that is none": {good, "\x00"},
			} {
				if err := a.refused(t, what, c.refresh, models.Renewal{Email: c.email}, models.Ambiguous); !errors.Is(err, models.BadRefreshToken) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
		exec(t, w, "UPDATE people SET deactivated_at = created_at WHERE id = ?", tom.ID) // past the store, which would end the session
		a.refused(t, "of a deactivated person", good, models.Renewal{Email: tom.Email}, models.Ambiguous)
		exec(t, w, "UPDATE people SET deactivated_at = NULL")
		a.renew(t, s, "")
	})
}

// Two who present one refresh token are one too many: whichever of them comes second, all of the sign-in ends, whatever else is wrong with
// what they sent; the log keeps it, and no other sign-in of the person is touched.
func TestStolenRefreshToken(t *testing.T) {
	for name, r := range map[string]models.Renewal{
		"as before": {Email: "ines@marlowe.example"}, "with another address": {Email: "nobody@marlowe.example"}, "for a workspace that is not there": {Email: "ines@marlowe.example", WorkspaceID: "no-such"}, "with nothing": {},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, w storetest.World) {
				a := newAccount(t, w)
				root := a.SetUp(t)
				first, other := a.signIn(t, "ines@marlowe.example"), a.signIn(t, "ines@marlowe.example")
				cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
				second := a.renew(t, first, "")
				third := a.renew(t, second, "")
				before := events(t, w, "")
				if err := a.refused(t, "used before", first.refresh, r, models.Ambiguous); !strings.HasPrefix(err.Error(), "Invalid refresh token. It was used before, so that two may have it: the sign-in has ended.") {
					t.Errorf("it says %v", err)
				}
				if e := lastEvent(t, w); e.Action != models.SessionStolen || e.SubjectID != first.Session.ID || e.PersonID != root.ID || e.WorkspaceID != first.Workspace.ID || e.Address != guest.Address || e.Seq != before+1 {
					t.Errorf("the event is %+v", e)
				}
				a.finds(t, "the newest sign-in token", third, false)
				unchanged(t, w, "afterwards", func() {
					for _, s := range []signedIn{first, second, third} {
						a.refused(t, "afterwards", s.refresh, models.Renewal{Email: s.Person.Email}, models.Ambiguous)
					}
				})
				a.finds(t, "another sign-in", other, true)
				a.renew(t, other, "")
				find(t, w, cookie)
				if n := number(t, w, "SELECT count(*) FROM refresh_tokens WHERE session_id = ?", first.Session.ID); n != 0 {
					t.Errorf("%d refresh tokens are kept", n)
				}
			})
		})
	}
}

// 200 uses of one refresh token at once, on two servers: exactly one wins, then the sign-in ends, once, and nothing else breaks.
func TestRefreshTokenAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		a.SetUp(t)
		s, other := a.signIn(t, "ines@marlowe.example"), a.signIn(t, "ines@marlowe.example")
		cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
		before := events(t, w, "")
		stores := []*store.Store{w.Store, w.Open(t)}
		seen, tokens := make([]models.ProgramSeen, 200), make([]store.ProgramTokens, 200)
		failed := atOnce(200, func(i int) (err error) {
			seen[i], tokens[i], err = stores[i%2].RenewProgram(t.Context(), guest, s.refresh, models.Renewal{Email: s.Person.Email})
			return err
		})
		if got := kinds(failed); got[""] != 1 || got[models.Ambiguous] != 199 {
			t.Fatalf("they ended as %v: %v", got, errors.Join(failed...))
		}
		won := slices.Index(failed, nil)
		for i := range tokens {
			if (tokens[i] != store.ProgramTokens{}) != (i == won) {
				t.Errorf("number %d was answered with tokens, or not: %v", i, failed[i])
			}
		}
		if events(t, w, "") != before+2 || events(t, w, models.SessionRenewed) != 1 || events(t, w, models.SessionStolen) != 1 {
			t.Errorf("%d events more", events(t, w, "")-before)
		}
		winner := a.write(t, seen[won], tokens[won])
		a.finds(t, "the winner", winner, false)
		a.refused(t, "the winner's next", winner.refresh, models.Renewal{Email: s.Person.Email}, models.Ambiguous)
		a.finds(t, "another sign-in", other, true)
		a.renew(t, other, "")
		find(t, w, cookie)
		if c := verify(t, w); c.Broken != "" {
			t.Errorf("the chain: %+v", c)
		}
		if log := w.Log.String(); strings.Contains(log, "level=ERROR") {
			t.Errorf("the log has %s", log)
		}
	})
}

// One use at a time, of ever the next token, by two servers: all of them win.
func TestRefreshTokensFollowEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		a.SetUp(t)
		s := a.signIn(t, "ines@marlowe.example")
		second := a
		second.Store = w.Open(t)
		for i := range 20 {
			s = []account{a, second}[i%2].renew(t, s, "")
		}
		if n := number(t, w, "SELECT count(*) FROM refresh_tokens WHERE used_at IS NULL"); n != 1 || events(t, w, models.SessionRenewed) != 20 {
			t.Errorf("%d are unused", n)
		}
	})
}
