package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// An automation token belongs to who made it, lives as long as was said, is called by its period where it was given no name, and is made
// once by one form. Its event belongs to the person and to the workspace.
func TestAutomationTokenOfAForm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := storetest.As(w.Person(t, admin, models.Member))
		form := secret.FormID()
		made, text, err := w.CreateAutomationToken(t.Context(), member, home, models.NewAutomationToken{Period: "24h"}, form)
		must(t, err)
		w.Secrets.Add(text)
		if s := text.Reveal(); s[:5] != "auto_" || len(s) != 54 || made.Prefix != s[:8] || made.Last4 != s[50:] {
			t.Errorf("the token of %d characters is %s...%s", len(s), made.Prefix, made.Last4)
		}
		if made.Name != "Automation token" || made.PersonID != member.ID || made.CreatedBy != member.ID || !made.ExpiresAt.Equal(w.Clock.Now().Add(24*time.Hour)) {
			t.Errorf("made %+v", made)
		}
		if e := lastEvent(t, w); e.Action != models.CredentialCreated || e.SubjectID != made.ID || e.SubjectName != made.Name || e.PersonID != member.ID || e.WorkspaceID != made.WorkspaceID {
			t.Errorf("the event is %+v", e)
		}
		unchanged(t, w, "what makes nothing", func() {
			_, again, err := w.CreateAutomationToken(t.Context(), member, home, models.NewAutomationToken{Period: "24h"}, form)
			if wantKind(t, "the same form", err, models.ShownAlready); again != "" || subject(err) != made.ID {
				t.Errorf("the form is said to be of %q", subject(err))
			}
			for _, wrong := range []string{"", "x"} {
				_, _, err = w.CreateAutomationToken(t.Context(), member, home, models.NewAutomationToken{Period: "24h"}, wrong)
				wantKind(t, "a form of no number", err, models.Invalid)
			}
			_, _, err = w.CreateAutomationToken(t.Context(), member, home, models.NewAutomationToken{Period: "25h"}, secret.FormID())
			wantField(t, "another period", err, "expiration_period", "1h, 3h, 5h, 16h, 24h, 48h, 1w, 2w, 3w, 1mo, no_exp")
		})
		seen, err := w.AutomationToken(t.Context(), admin, home, made.ID)
		if err != nil || seen.PersonName != member.Name || seen.CreatedByName != member.Name {
			t.Errorf("it is shown as %+v (%v)", seen, err)
		}
	})
}

// The list is paged, the newest first, and every token stands in it once: all of the workspace's for its Owner, and for a Member their
// own, however many others there are.
func TestAutomationTokensArePaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		member := storetest.As(w.Person(t, admin, models.Member))
		card, _ := w.Automation(t, member, home, models.NewAutomationToken{Period: "1h"})
		want := map[string][]string{member.ID: {card.ID}}
		var rows []models.Credential
		for i := range 2*models.PageSize + 20 {
			owner := []string{member.ID, admin.ID, admin.ID}[i%3]
			c := models.Credential{
				ID: models.NewID(), Kind: models.AutomationToken, PersonID: owner, WorkspaceID: card.WorkspaceID, Enabled: true, CreatedAt: w.Clock.Now(), CreatedBy: owner,
			}
			c.Hash, c.Prefix = []byte(c.ID), "auto_"+c.ID[33:]
			rows, want[owner] = append(rows, c), append(want[owner], c.ID)
		}
		must(t, w.DB().CreateInBatches(rows, 50).Error)
		want["all"] = slices.Concat(want[admin.ID], want[member.ID])
		for name, c := range map[string]struct {
			who  models.Actor
			want []string
		}{"the Owner": {admin, want["all"]}, "a Member": {member, want[member.ID]}, "the command line": {command, want["all"]}} {
			slices.Sort(c.want)
			slices.Reverse(c.want)
			var got []string
			for at, more := (models.Place{}), true; more; more = at.ID != "" {
				list, next, err := w.AutomationTokens(t.Context(), c.who, home, at)
				must(t, err)
				if next.ID != "" && len(list) != models.PageSize {
					t.Errorf("%s: a page of %d", name, len(list))
				}
				for _, t := range list {
					got = append(got, t.ID)
				}
				at = next
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s sees %d tokens, want %d, or in another order", name, len(got), len(c.want))
			}
			if n, err := w.CountAutomationTokens(t.Context(), c.who, home); err != nil || n != len(c.want) {
				t.Errorf("%s: counted %d (%v)", name, n, err)
			}
		}
	})
}

// A person's record has their automation tokens of all workspaces, the newest first, a page of them, and counts the live ones. Those that ended are
// not among the bearer tokens that ended.
func TestAutomationOnTheRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		gone, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Gone"})
		must(t, err)
		var ids []string
		for _, workspace := range []string{home, other.Slug, gone.Slug} {
			made, _ := w.Automation(t, admin, workspace, models.NewAutomationToken{Name: workspace, Period: "1h"})
			ids = append(ids, made.ID)
		}
		_, err = w.RevokeAutomationToken(t.Context(), admin, gone.Slug, ids[2], models.Revocation{})
		must(t, err)
		_, err = w.DeleteWorkspace(t.Context(), admin, gone.Slug, "Gone")
		must(t, err)
		record, err := w.PersonRecord(t.Context(), admin, admin.ID)
		must(t, err)
		var seen []string
		for _, c := range record.Automation {
			seen = append(seen, c.Name+" in "+record.Workspaces[c.WorkspaceID])
		}
		if got := fmt.Sprint(seen, record.LiveAutomation, record.MoreAutomation); got != "[gone in  other in Other marlowe-press in Marlowe Press] 2 false" {
			t.Errorf("the record has %s", got)
		}
		ended, err := w.CountEnded(t.Context(), admin, admin.ID)
		if err != nil || ended != 0 || len(record.Earlier) != 0 || record.Bearer != nil {
			t.Errorf("the record has %d bearer tokens that ended (%v): %+v", ended, err, record)
		}
		for range models.PageSize {
			w.Automation(t, admin, home, models.NewAutomationToken{Period: "1h"})
		}
		w.Clock.Advance(2 * time.Hour)
		w.Automation(t, admin, home, models.NewAutomationToken{Name: "the newest", Period: "1h"})
		record, err = w.PersonRecord(t.Context(), admin, admin.ID)
		if err != nil || len(record.Automation) != models.PageSize || !record.MoreAutomation || record.LiveAutomation != 1 || record.Automation[0].Name != "the newest" {
			t.Errorf("the record has %d tokens, of which %d live (%v)", len(record.Automation), record.LiveAutomation, err)
		}
	})
}

// A new password ends the automation tokens of the workspaces that the person owns, whoever's they are, and no others: as many as
// were told before, and as are answered and written down.
func TestPasswordTellsWhatItEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		owner := storetest.As(w.Person(t, admin, models.Admin))
		person := w.Person(t, admin, models.Member)
		member := storetest.As(person)
		theirs, err := w.CreateWorkspace(t.Context(), owner, models.NewWorkspace{Name: "Theirs"})
		must(t, err)
		_, err = w.AddMember(t.Context(), owner, theirs.Slug, models.NewMember{Email: person.Email, Role: models.WorkspaceMember})
		must(t, err)
		token := func(who models.Actor, workspace string, period models.ExpirationPeriod) secret.Text {
			_, text := w.Automation(t, who, workspace, models.NewAutomationToken{Period: period})
			return text
		}
		over := token(owner, theirs.Slug, "1h")
		w.Clock.Advance(2 * time.Hour)
		dead := []secret.Text{token(owner, theirs.Slug, "no_exp"), token(member, theirs.Slug, "1mo")}
		stays := []secret.Text{token(owner, home, "no_exp"), token(member, home, "no_exp")}
		if n, err := w.CountOwnedAutomation(t.Context(), owner); err != nil || n != 2 {
			t.Errorf("counted %d before (%v)", n, err)
		}
		_, ended, err := w.ChangePassword(t.Context(), owner, storetest.Password, another)
		if err != nil || ended != 2 {
			t.Errorf("%d ended (%v)", ended, err)
		}
		if said := lastEvent(t, w).ChangeList(); len(said) != 1 || said[0] != (models.Change{Field: models.AutomationEnded, After: "2"}) {
			t.Errorf("the event says %+v", said)
		}
		for _, text := range dead {
			grant, err := w.GrantOf(t.Context(), text.Hash())
			if c := grant.Credential; err != nil || c.State(w.Clock.Now()) != models.Revoked || c.RevokeReason != models.PasswordWasChanged || c.RevokedBy != owner.ID {
				t.Errorf("it is %+v (%v)", c, err)
			}
		}
		if states := fmt.Sprint(stateOf(t, w, over), stateOf(t, w, stays[0]), stateOf(t, w, stays[1])); states != "expiredactiveactive" {
			t.Errorf("the others are %s", states)
		}
	})
}

// What programs have signed in to stands among a person's sessions, with its workspace, and can be ended as those of browsers: its refresh token
// is good for nothing then.
func TestProgramsAmongSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		signIn(t, w, "ines@marlowe.example", storetest.Password)
		seen, tokens, err := w.SignInProgram(t.Context(), guest, models.SignIn{Email: "ines@marlowe.example", Password: storetest.Password, Browser: "curl/8"})
		must(t, err)
		w.Secrets.Add(tokens.Random)
		w.Secrets.Add(tokens.Refresh)
		list, err := w.Sessions(t.Context(), admin, admin.ID)
		must(t, err)
		names, err := w.SessionWorkspaces(t.Context(), list)
		must(t, err)
		at := slices.IndexFunc(list, func(s models.Session) bool { return s.ID == seen.Session.ID })
		if len(list) != 2 || at < 0 || list[at].Kind != models.OfProgram || len(names) != 1 || names[list[at].WorkspaceID] != "Marlowe Press" {
			t.Fatalf("the sessions are %+v, in %v", list, names)
		}
		must(t, w.EndSession(t.Context(), admin, seen.Session.ID))
		_, _, err = w.RenewProgram(t.Context(), guest, tokens.Refresh, models.Renewal{Email: "ines@marlowe.example"})
		wantKind(t, "renew what was ended", err, models.Ambiguous)
		if list, err = w.Sessions(t.Context(), admin, admin.ID); err != nil || len(list) != 1 || list[0].Kind != models.OfBrowser {
			t.Errorf("then the sessions are %+v (%v)", list, err)
		}
	})
}
