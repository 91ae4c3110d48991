package store_test

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Seed 000: an automation token is the member's own, for the workspace that they are in; it is found by its hash, with what it opens, and ends
// when its period does. The event says what it is, and not the secret (T4, T5).
func TestCreateAutomationToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member)
		s := a.signIn(t, tom.Email)
		for _, period := range models.ExpirationPeriods {
			now := a.Clock.Now()
			ends, _ := period.Ends(now)
			made, text := a.automation(t, s.who(), home, period)
			plain := text.Reveal()
			if _, ok := secret.Parse(plain); !ok || text.Kind() != "auto" || made.Prefix != plain[:8] || made.Last4 != plain[50:] {
				t.Errorf("%s: made %s... ...%s", period, made.Prefix, made.Last4)
			}
			if made.Kind != models.AutomationToken || made.Name != "Automation token" || made.PersonID != tom.ID || made.WorkspaceID != s.Workspace.ID || made.ProductID != "" ||
				made.CreatedBy != tom.ID || made.CreatedAt != now || (made.ExpiresAt == nil) != (period == "no_exp") {
				t.Errorf("%s: made %+v", period, made)
			}
			e := lastEvent(t, w)
			if e.Action != models.CredentialCreated || e.SubjectID != made.ID || e.PersonID != tom.ID || e.WorkspaceID != s.Workspace.ID || e.SessionID != s.Session.ID || e.ActorKind != models.Program || len(e.ChangeList()) != 2 {
				t.Errorf("%s: the event is %+v", period, e)
			}
			grant, err := a.GrantOf(t.Context(), text.Hash())
			if err != nil || grant.Credential.ID != made.ID || grant.Owner.ID != tom.ID || grant.Opens.WorkspaceID != s.Workspace.ID || grant.Opens.ProductID != "" {
				t.Errorf("%s: granted %+v (%v)", period, grant, err)
			}
			if ends == nil {
				a.Clock.Advance(100 * 365 * 24 * time.Hour)
				if state := stateOf(t, w, text); state != models.Active {
					t.Errorf("after a hundred years it is %s", state)
				}
				continue
			}
			if grant.Credential.ExpiresAt == nil || !grant.Credential.ExpiresAt.Equal(*ends) {
				t.Errorf("%s: it ends %v, and not %v", period, grant.Credential.ExpiresAt, ends)
			}
			a.Clock.Advance(ends.Sub(now) - time.Microsecond)
			before := stateOf(t, w, text)
			a.Clock.Advance(time.Microsecond)
			if after := stateOf(t, w, text); before != models.Active || after != models.Expired {
				t.Errorf("%s: it is %s just before its end, and %s at it", period, before, after)
			}
			s = a.signIn(t, tom.Email)
		}
	})
}

// Whoever is a member of the workspace may, with the password: in the console, or as a program that signed in. No token makes another one (T10), and
// an Admin of the installation who is no member has nothing there to act with.
func TestWhoMayMakeAutomationTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member)
		second := a.workspace(t, root, "Second")
		ann := a.Person(t, root, models.Admin)
		s := a.signIn(t, tom.Email)
		bearer, _ := a.Token(t, root, tom.ID)
		auto, _ := a.automation(t, s.who(), home, "1h")
		ended := a.signIn(t, tom.Email)
		must(t, a.EndSession(t.Context(), root, ended.Session.ID))
		used := secret.FormID()
		_, _, err := a.CreateAutomationToken(t.Context(), storetest.As(tom), home, models.NewAutomationToken{Period: "1h"}, used)
		must(t, err)
		as := func(credential models.Credential) models.Actor {
			return models.Actor{Kind: models.Program, ID: tom.ID, Role: models.Member, CredentialID: credential.ID}
		}
		good := models.NewAutomationToken{Period: "1h"}
		unchanged(t, w, "who may not", func() {
			for what, c := range map[string]struct {
				who       models.Actor
				workspace string
				n         models.NewAutomationToken
				form      string
				want      models.Kind
			}{
				"with a bearer token":              {as(bearer), home, good, "", models.Forbidden},
				"with an automation token":         {as(auto), home, good, "", models.Forbidden},
				"a sign-in that has ended":         {ended.who(), home, good, "", models.Unauthorized},
				"somebody else's sign-in":          {models.Actor{Kind: models.Program, ID: root.ID, Role: models.Admin, SessionID: s.Session.ID}, home, good, "", models.Unauthorized},
				"nobody":                           {guest, home, good, "", models.Forbidden},
				"the command line":                 {command, home, good, "", models.Forbidden},
				"another workspace":                {s.who(), second.ID, good, "", models.Forbidden},
				"no workspace":                     {s.who(), "no-such", good, "", models.Forbidden},
				"an Admin who is no member":        {storetest.As(ann), home, good, secret.FormID(), models.Forbidden},
				"a form without its number":        {storetest.As(tom), home, good, "", models.Invalid},
				"a form that was sent":             {storetest.As(tom), home, good, used, models.ShownAlready},
				"no period":                        {s.who(), home, models.NewAutomationToken{}, "", models.Invalid},
				"a period of another vendor's":     {s.who(), home, models.NewAutomationToken{Period: "720h"}, "", models.Invalid},
				"in a form, a period that is none": {storetest.As(tom), home, models.NewAutomationToken{Period: "30d"}, secret.FormID(), models.Invalid},
			} {
				made, text, err := a.CreateAutomationToken(t.Context(), c.who, c.workspace, c.n, c.form)
				wantKind(t, what, err, c.want)
				if text != "" || made.ID != "" {
					t.Errorf("%s: made %+v", what, made)
				}
			}
		})
		_, _, err = a.CreateAutomationToken(t.Context(), s.who(), home, models.NewAutomationToken{Period: "30d"}, "")
		wantField(t, "a period that is none", err, "expiration_period", models.PeriodList())
		again := secret.FormID() // is not used up by what was refused
		_, _, err = a.CreateAutomationToken(t.Context(), storetest.As(tom), home, models.NewAutomationToken{Period: "soon"}, again)
		wantKind(t, "a form with a wrong period", err, models.Invalid)
		_, _, err = a.CreateAutomationToken(t.Context(), storetest.As(tom), home, good, again)
		wantKind(t, "the form again, as it should be", err, "")
		for _, who := range []models.Actor{root, a.signIn(t, "ines@marlowe.example").who()} {
			a.automation(t, who, second.Slug, models.DefaultPeriod)
		}
	})
}

// An automation token that an Admin revokes tells its workspace so, as its creation did.
func TestRevokeAutomationToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		tom := a.Person(t, root, models.Member)
		made, text := a.automation(t, storetest.As(tom), home, "no_exp")
		_, err := a.RevokeCredential(t.Context(), storetest.As(tom), made.ID, models.Revocation{})
		wantKind(t, "a Member", err, models.Forbidden)
		_, err = a.RevokeCredential(t.Context(), root, made.ID, models.Revocation{Reason: "lost"})
		must(t, err)
		if e := lastEvent(t, w); e.Action != models.CredentialRevoked || e.SubjectID != made.ID || e.PersonID != tom.ID || e.WorkspaceID != made.WorkspaceID || e.SubjectName != made.Name {
			t.Errorf("the event is %+v", e)
		}
		if state := stateOf(t, w, text); state != models.Revoked {
			t.Errorf("it is %s", state)
		}
	})
}

// A workspace's automation tokens are none of its API tokens: in no order and through no filter, and however many there are, they take no room
// in what is looked through for a page.
func TestAutomationTokensAreNoAPITokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		a.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = 20 })
		who := a.signIn(t, "ines@marlowe.example").who()
		var used []models.Usage
		for i := range 60 {
			at := w.Clock.Now()
			made, _ := a.automation(t, who, home, "no_exp")
			if i%2 == 0 {
				used = append(used, models.Usage{CredentialID: made.ID, Calls: 100, LastUsedAt: &at})
			}
			if i == 30 {
				w.WorkspaceToken(t, root, home, models.NewAPIToken{Name: "Automation token"})
			}
			a.Clock.Advance(time.Second)
		}
		must(t, w.RecordUsage(t.Context(), storetest.Flush(), used, nil))
		for _, sort := range tokenSorts {
			for _, f := range []models.TokenFilter{{Sort: sort}, {Sort: sort, Status: models.Active}, {Sort: sort, Query: "auto"}} {
				found, err := a.APITokens(t.Context(), root, home, f)
				if err != nil || len(found.Tokens) != 1 || found.Tokens[0].Kind != models.APIToken || found.Looked != 0 || found.Next.ID != "" {
					t.Errorf("%+v: found %d, looked through %d (%v)", f, len(found.Tokens), found.Looked, err)
				}
			}
		}
		if n, err := a.CountAPITokens(t.Context(), firstProduct(t, w, home).WorkspaceID); err != nil || n != 1 {
			t.Errorf("counted %d (%v)", n, err)
		}
	})
}
