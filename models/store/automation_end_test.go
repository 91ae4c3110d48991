package store_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// fleet is automation tokens of several people in several workspaces, by "whose in which", and other credentials beside them.
func fleet(t *testing.T, a account) (root models.Actor, ann models.Person, tokens map[string]secret.Text) {
	t.Helper()
	root = a.SetUp(t)
	ann = a.Person(t, root, models.Admin)
	second, third := a.workspace(t, storetest.As(ann), "Second"), a.workspace(t, storetest.As(ann), "Third")
	for _, w := range []models.Workspace{second, third} {
		join(t, a.World, w, models.Person{ID: root.ID}, models.WorkspaceAdmin)
	}
	tokens = map[string]secret.Text{}
	for name, who := range map[string]models.Actor{"root": root, "ann": storetest.As(ann)} {
		for _, workspace := range []string{home, second.Slug, third.Slug} {
			_, tokens[name+" in "+workspace] = a.automation(t, who, workspace, "no_exp")
		}
	}
	_, tokens["ann in second, expired"] = a.automation(t, storetest.As(ann), second.Slug, "1h")
	_, tokens["ann in second, at the last moment"] = a.automation(t, storetest.As(ann), second.Slug, "3h")
	revoked, text := a.automation(t, storetest.As(ann), second.Slug, "no_exp")
	tokens["ann in second, revoked"] = text
	_, err := a.RevokeCredential(t.Context(), root, revoked.ID, models.Revocation{Reason: "lost"})
	must(t, err)
	_, tokens["an API token of second"] = a.WorkspaceToken(t, root, second.Slug, models.NewAPIToken{Name: "a"})
	_, tokens["ann's bearer token"] = a.Token(t, root, ann.ID)
	a.Clock.Advance(3*time.Hour - time.Microsecond)
	return root, ann, tokens
}

// endedNow insists that exactly these have ended with the last event, for a reason, and that it says how many there were.
func endedNow(t *testing.T, a account, who models.Actor, tokens map[string]secret.Text, reason string, want ...string) {
	t.Helper()
	now := a.Clock.Now()
	ended := map[string]bool{}
	for _, name := range want {
		ended[name] = true
	}
	for name, text := range tokens {
		grant, err := a.GrantOf(t.Context(), text.Hash())
		must(t, err)
		c := grant.Credential
		if got := c.RevokedAt != nil && c.RevokedAt.Equal(now); got != ended[name] {
			t.Errorf("%s: revoked %v, because %q", name, c.RevokedAt, c.RevokeReason)
		}
		if ended[name] && (c.RevokeReason != reason || c.RevokedBy != who.ID || c.State(now) != models.Revoked) {
			t.Errorf("%s: revoked by %q, because %q", name, c.RevokedBy, c.RevokeReason)
		}
	}
	changes := lastEvent(t, a.World).ChangeList()
	told := models.Change{Field: "automation tokens revoked", After: strconv.Itoa(len(want))}
	if !slices.Contains(changes, told) {
		t.Errorf("the event says %+v", changes)
	}
}

// Seed 000, the master account's password: when the Owner of workspaces changes it, every automation token of those ends in the same
// transaction, whosever it is; none elsewhere, their own neither, and nothing that is another kind of credential. The number was told before.
func TestPasswordEndsAutomation(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, a account, ann models.Person) (by models.Actor){
		"in the console": func(t *testing.T, a account, ann models.Person) models.Actor {
			_, who := find(t, a.World, signIn(t, a.World, ann.Email, storetest.Password))
			_, _, err := a.ChangePassword(t.Context(), who, storetest.Password, another)
			must(t, err)
			return who
		},
		"by a program": func(t *testing.T, a account, ann models.Person) models.Actor {
			who := a.signIn(t, ann.Email).who()
			_, _, err := a.ChangePassword(t.Context(), who, storetest.Password, another)
			must(t, err)
			return who
		},
		"at the command line": func(t *testing.T, a account, ann models.Person) models.Actor {
			must(t, a.SetPassword(t.Context(), command, ann.ID, another))
			return command
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, w storetest.World) {
				a := newAccount(t, w)
				_, ann, tokens := fleet(t, a)
				n, err := a.CountOwnedAutomation(t.Context(), storetest.As(ann))
				if err != nil || n != 5 {
					t.Errorf("counted %d (%v)", n, err)
				}
				who := change(t, a, ann)
				if e := lastEvent(t, w); e.Action != models.PasswordChanged {
					t.Errorf("the event is %+v", e)
				}
				endedNow(t, a, who, tokens, models.PasswordWasChanged, "ann in second", "ann in third", "root in second", "root in third", "ann in second, at the last moment")
				if n, err := a.CountOwnedAutomation(t.Context(), storetest.As(ann)); err != nil || n != 0 {
					t.Errorf("afterwards counted %d (%v)", n, err)
				}
				if _, err := a.ActivatePerson(t.Context(), command, ann.ID); err != nil { // brings nothing back
					t.Error(err)
				}
				if state := stateOf(t, w, tokens["ann in second"]); state != models.Revoked {
					t.Errorf("it is %s again", state)
				}
			})
		})
	}
}

// A password of somebody who owns nothing ends no token, and the event speaks of none.
func TestPasswordOfAMember(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member)
		_, text := a.automation(t, storetest.As(tom), home, "no_exp")
		if n, err := a.CountOwnedAutomation(t.Context(), storetest.As(tom)); err != nil || n != 0 {
			t.Errorf("counted %d (%v)", n, err)
		}
		_, _, err := a.ChangePassword(t.Context(), storetest.As(tom), storetest.Password, another)
		must(t, err)
		if e := lastEvent(t, w); e.Changes != "" || stateOf(t, w, text) != models.Active {
			t.Errorf("the event says %s, and the token is %s", e.Changes, stateOf(t, w, text))
		}
	})
}

// A password whose change fails ends nothing.
func TestPasswordThatStaysEndsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		_, ann, tokens := fleet(t, a)
		release := trap(t, w)
		_, _, err := a.ChangePassword(t.Context(), storetest.As(ann), storetest.Password, another)
		wantKind(t, "a commit that fails", err, models.Unavailable)
		release()
		_, _, err = a.ChangePassword(t.Context(), storetest.As(ann), another, storetest.Password)
		wantKind(t, "a wrong password", err, models.Invalid)
		if n, err := a.CountOwnedAutomation(t.Context(), storetest.As(ann)); err != nil || n != 5 || stateOf(t, w, tokens["ann in second"]) != models.Active {
			t.Errorf("%d are left (%v)", n, err)
		}
	})
}

// Whoever leaves a workspace has no automation token there any more, and who is deactivated none anywhere; coming back brings none back.
func TestLeavingEndsAutomation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root, ann, tokens := fleet(t, a)
		_, err := a.RemoveMember(t.Context(), root, home, ann.ID)
		must(t, err)
		if e := lastEvent(t, w); e.Action != models.MemberRemoved || e.PersonID != ann.ID {
			t.Errorf("the event is %+v", e)
		}
		endedNow(t, a, root, tokens, models.PersonLeft, "ann in "+home)
		_, err = a.AddMember(t.Context(), root, home, models.NewMember{Email: ann.Email, Role: models.WorkspaceMember})
		must(t, err)
		_, tokens["ann in home again"] = a.automation(t, storetest.As(ann), home, "no_exp")
		a.Clock.Advance(-time.Minute) // a server whose clock is behind: the tokens of three hours are not over yet
		_, err = a.DeactivatePerson(t.Context(), root, ann.ID)
		must(t, err)
		endedNow(t, a, root, tokens, models.PersonWasDeactivated, "ann in second", "ann in third", "ann in second, at the last moment", "ann in home again")
		_, err = a.ActivatePerson(t.Context(), root, ann.ID)
		must(t, err)
		for name, want := range map[string]models.State{"ann in " + home: models.Revoked, "ann in second": models.Revoked, "root in second": models.Active, "ann's bearer token": models.Active, "an API token of second": models.Active} {
			if state := stateOf(t, w, tokens[name]); state != want {
				t.Errorf("%s is %s", name, state)
			}
		}
	})
}

// What a new password ends is not made again by what is under way at that moment, on two servers: of the Owner nothing is left, neither
// a sign-in nor an automation token, and whoever came late is told so.
func TestPasswordChangesWhileProgramsAct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		a.SetUp(t)
		stores := []*store.Store{w.Store, w.Open(t)}
		passwords := []string{storetest.Password, another}
		for round := range 5 {
			current, next := passwords[round%2], passwords[1-round%2]
			seen, tokens, err := a.SignInProgram(t.Context(), guest, models.SignIn{Email: "ines@marlowe.example", Password: current})
			must(t, err)
			s := a.write(t, seen, tokens)
			failed := atOnce(13, func(i int) (err error) {
				to := stores[i%2]
				switch {
				case i == 6:
					err = to.SetPassword(t.Context(), command, s.Person.ID, next)
				case i == 7:
					_, _, err = to.RenewProgram(t.Context(), guest, s.refresh, models.Renewal{Email: s.Person.Email})
				case i%3 == 0:
					_, _, err = to.SignInProgram(t.Context(), guest, models.SignIn{Email: s.Person.Email, Password: current})
				default:
					_, _, err = to.CreateAutomationToken(t.Context(), s.who(), home, models.NewAutomationToken{Period: "no_exp"}, "")
				}
				return err
			})
			if got := kinds(failed); failed[6] != nil || got[""]+got[models.Unauthorized]+got[models.Ambiguous] != len(failed) || got[models.Ambiguous] > 1 {
				t.Fatalf("round %d: they ended as %v: %v", round, got, failed)
			}
			isEmpty(t, w, "sessions", "refresh_tokens")
			if n := number(t, w, "SELECT count(*) FROM credentials WHERE revoked_at IS NULL"); n != 0 {
				t.Fatalf("round %d: %d automation tokens are left", round, n)
			}
		}
		if c := verify(t, w); c.Broken != "" {
			t.Errorf("the chain: %+v", c)
		}
	})
}
