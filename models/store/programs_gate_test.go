package store_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

const knowledge = "/api/knowledge-base"

// Seed 000: a sign-in token and an automation token open the gateway of the workspace that they are for, with who their person is at
// the time of the call, and each at its own rate.
func TestProgramsOpenTheGateway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member)
		second := a.workspace(t, root, "Second")
		join(t, w, second, tom, models.WorkspaceMember)
		_, err := a.SetCallLimits(t.Context(), root, second.Slug, models.CallLimits{API: 7, User: 3, Automation: 5})
		must(t, err)
		s := a.renew(t, a.signIn(t, tom.Email), second.Slug)
		made, auto := a.automation(t, s.who(), second.Slug, "no_exp")
		product := firstProduct(t, w, second.Slug)
		for kind, c := range map[models.CredentialKind]struct {
			text  secret.Text
			id    string
			calls int
		}{models.SignInToken: {s.token, s.Session.ID, 3}, models.AutomationToken: {auto, made.ID, 5}} {
			for i := range c.calls {
				d := a.decide(t, c.text, knowledge)
				if !d.Allowed() || d.Product == nil || d.Product.ID != product.ID || access.TextOf(d.Workspace) != second.ID || d.Limit.Quota != c.calls || d.Limit.Remaining != c.calls-1-i {
					t.Fatalf("%s, call %d: %s, %s, %+v", kind, i, d.Code, d.Detail, d.Limit)
				}
				if k := &d.Known; access.TextOf(k.Person) != tom.ID || access.TextOf(k.ID) != c.id || k.Kind() != kind {
					t.Errorf("%s: known as %+v", kind, k)
				}
			}
			if d := a.decide(t, c.text, knowledge); d.Code != access.RateLimited {
				t.Errorf("%s, one call more: %s", kind, d.Code)
			}
			if d := a.decide(t, c.text, "/api/no-such"); d.Code != access.RateLimited {
				t.Errorf("%s, elsewhere: %s", kind, d.Code)
			}
		}
		a.Clock.Advance(time.Minute)
		if d := a.decide(t, s.token, "/api/no-such"); d.Code != access.NoSuchResource {
			t.Errorf("what is not there: %s", d.Code)
		}
		_, err = a.SetCallLimits(t.Context(), root, second.Slug, models.CallLimits{API: 7, User: 40, Automation: 50})
		must(t, err)
		if d := a.decide(t, s.token, knowledge); d.Limit.Quota != 40 {
			t.Errorf("another limit: %+v", d.Limit)
		}
		for _, text := range []secret.Text{s.token, auto} {
			call := access.Call{Presented: access.Present([]string{"Bearer " + text.Reveal()}, nil, nil)}
			path, _ := access.CanonicalPath(knowledge)
			for workspace, want := range map[string]access.Code{"": access.Allowed, second.Slug: access.Allowed, second.ID: access.Allowed, home: access.WrongWorkspace, "no-such": access.WrongWorkspace} {
				call.Need.Route = &access.Route{Method: "GET", Path: path, Workspace: workspace}
				if d := a.gate.Decide(t.Context(), call); d.Code != want {
					t.Errorf("in %q: %s", workspace, d.Code)
				}
			}
		}
		_, err = a.EditPerson(t.Context(), root, tom.ID, models.PersonEdit{Name: "Thomas", Email: tom.Email, Role: models.Admin})
		must(t, err)
		for _, text := range []secret.Text{s.token, auto} {
			if d := a.decide(t, text, ""); d.Grant().Owner.Name != "Thomas" || d.Actor("", "").Role != models.Member || d.Actor("", "").Within != second.ID || !a.decide(t, text, knowledge).Allowed() { // an Admin's rights are for everywhere
				t.Errorf("after a promotion it acts as %+v", d.Actor("", ""))
			}
		}
		for _, field := range [][3][]string{{nil, {s.token.Reveal()}, nil}, {nil, nil, {s.token.Reveal()}}} {
			if p := access.Present(field[0], field[1], field[2]); p.Code != access.CredentialMalformed {
				t.Errorf("a sign-in token in another field: %s", p.Code)
			}
		}
	})
}

// Whoever presents what has ended hears that it has, of an automation token also when and why, and what to do. An Admin's words are for
// the log, and not for whoever holds the token.
func TestProgramsHearWhatEnded(t *testing.T) {
	type ends func(t *testing.T, a account, root models.Actor, s signedIn, made models.Credential) error
	const again = "POST /user/signin"
	for name, c := range map[string]struct {
		end          ends
		signIn, auto access.Code
		says         string // to whoever presents the automation token
	}{
		"nothing": {func(*testing.T, account, models.Actor, signedIn, models.Credential) error { return nil }, access.Allowed, access.Allowed, ""},
		"left": {func(t *testing.T, a account, root models.Actor, s signedIn, _ models.Credential) error {
			_, err := a.RemoveMember(t.Context(), root, home, s.Person.ID)
			return err
		}, access.CredentialRevoked, access.CredentialRevoked, "It was revoked on 21 November 2026, 09:30 UTC: the person left the workspace."},
		"deactivated": {func(t *testing.T, a account, root models.Actor, s signedIn, _ models.Credential) error {
			_, err := a.DeactivatePerson(t.Context(), root, s.Person.ID)
			return err
		}, access.CredentialRevoked, access.CredentialRevoked, "It was revoked on 21 November 2026, 09:30 UTC: the person was deactivated."},
		"the Owner's password": {func(t *testing.T, a account, root models.Actor, _ signedIn, _ models.Credential) error {
			_, _, err := a.ChangePassword(t.Context(), root, storetest.Password, another)
			return err
		}, access.Allowed, access.CredentialRevoked, "It was revoked on 21 November 2026, 09:30 UTC: the account password was changed."},
		"the member's password": {func(t *testing.T, a account, _ models.Actor, s signedIn, _ models.Credential) error {
			_, _, err := a.ChangePassword(t.Context(), s.who(), storetest.Password, another)
			return err
		}, access.CredentialRevoked, access.Allowed, ""},
		"revoked by an Admin": {func(t *testing.T, a account, root models.Actor, _ signedIn, made models.Credential) error {
			_, err := a.RevokeCredential(t.Context(), root, made.ID, models.Revocation{Reason: "Tom is not to be trusted"})
			return err
		}, access.Allowed, access.CredentialRevoked, "It was revoked on 21 November 2026, 09:30 UTC. Its person can create another one"},
		"half an hour": {func(_ *testing.T, a account, _ models.Actor, _ signedIn, _ models.Credential) error {
			a.Clock.Advance(models.SignInTokenLife)
			return nil
		}, access.CredentialUnknown, access.Allowed, ""},
		"its period": {func(_ *testing.T, a account, _ models.Actor, _ signedIn, _ models.Credential) error {
			a.Clock.Advance(time.Hour)
			return nil
		}, access.CredentialUnknown, access.CredentialExpired, "It expired on 21 November 2026, 10:30 UTC. Create a new token with GET /workspace/automation_token"},
		"a refresh": {func(t *testing.T, a account, _ models.Actor, s signedIn, _ models.Credential) error {
			if next := a.renew(t, s, ""); !a.decide(t, next.token, knowledge).Allowed() {
				t.Error("the next sign-in token is refused")
			}
			return nil
		}, access.CredentialRevoked, access.Allowed, ""},
		"signed out": {func(t *testing.T, a account, _ models.Actor, s signedIn, _ models.Credential) error {
			return a.EndSession(t.Context(), s.who(), s.Session.ID)
		}, access.CredentialRevoked, access.Allowed, ""},
		"out past the store": {func(t *testing.T, a account, _ models.Actor, s signedIn, _ models.Credential) error {
			return a.DB().Exec("DELETE FROM memberships WHERE person_id = ?", s.Person.ID).Error
		}, access.CredentialRevoked, access.WrongWorkspace, "The person whose token this is does not belong to that workspace."},
		"deactivated past the store": {func(t *testing.T, a account, _ models.Actor, s signedIn, _ models.Credential) error {
			return a.DB().Exec("UPDATE people SET deactivated_at = created_at WHERE id = ?", s.Person.ID).Error
		}, access.CredentialRevoked, access.OwnerDeactivated, "Ask an Admin"},
		"the workspace, past the store": {func(t *testing.T, a account, _ models.Actor, _ signedIn, _ models.Credential) error {
			return a.DB().Exec("UPDATE workspaces SET deleted_at = created_at").Error
		}, access.CredentialRevoked, access.WrongWorkspace, "Its workspace was deleted."},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, w storetest.World) {
				a := newAccount(t, w)
				root := a.SetUp(t)
				s := a.signIn(t, a.Person(t, root, models.Member).Email)
				made, auto := a.automation(t, s.who(), home, "1h")
				must(t, c.end(t, a, root, s, made))
				d := a.decide(t, s.token, knowledge)
				if d.Code != c.signIn || (d.Code != access.Allowed) != strings.Contains(d.Detail, again) || d.Code != access.Allowed && d.Grant().Owner.ID != "" {
					t.Errorf("the sign-in token: %s, %s", d.Code, d.Detail)
				}
				d = a.decide(t, auto, knowledge)
				if d.Code != c.auto || !strings.HasPrefix(d.Detail, c.says) || (d.Detail == "") != d.Allowed() || strings.Contains(d.Detail, "trusted") {
					t.Errorf("the automation token: %s, %s", d.Code, d.Detail)
				}
			})
		})
	}
}

// A sign-in keeps no count of its calls; an automation token keeps its own, late ones too.
func TestProgramsAreCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		a.SetUp(t)
		tally := access.NewTally()
		a.gate = access.NewGate(w, tally, w.Clock.Now)
		a.gate.Take(a.ring)
		s := a.signIn(t, "ines@marlowe.example")
		made, auto := a.automation(t, s.who(), home, "1h")
		for range 3 {
			a.decide(t, s.token, knowledge)
			a.decide(t, auto, knowledge)
		}
		a.Clock.Advance(time.Hour)
		a.decide(t, auto, knowledge)
		must(t, tally.Flush(t.Context(), w.Store))
		var counted []models.Usage
		must(t, w.DB().Find(&counted).Error)
		if len(counted) != 1 || counted[0].CredentialID != made.ID || counted[0].Calls != 3 || counted[0].Late != 1 {
			t.Errorf("counted %+v", counted)
		}
	})
}

// An Admin's bearer token opens every workspace. Their automation tokens and sign-ins open one, as long as they are a member of it.
func TestWhatOpensForMembersOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		second := a.workspace(t, root, "Second")
		ann := a.Person(t, root, models.Admin)
		for _, member := range []bool{false, true} {
			if member {
				join(t, w, second, ann, models.WorkspaceMember)
			}
			for kind, calls := range map[models.CredentialKind]int{models.AutomationToken: models.DefaultAutomationCalls, models.SignInToken: models.DefaultUserCalls, models.Bearer: models.DefaultAPICalls} {
				for _, workspace := range []string{second.ID, second.Slug} {
					opens, err := a.OpensFor(t.Context(), kind, ann, workspace)
					if want := member || kind == models.Bearer; (err == nil) != want || err != nil && models.KindOf(err) != models.Forbidden || want && (opens.WorkspaceID != second.ID || opens.CallsAMinute != calls) {
						t.Errorf("%s, a member %v: opens %+v (%v)", kind, member, opens, err)
					}
				}
			}
		}
		for _, kind := range []models.CredentialKind{models.AutomationToken, models.SignInToken} {
			_, err := a.OpensFor(t.Context(), kind, ann, "")
			wantKind(t, "no workspace", err, models.Forbidden)
		}
	})
}
