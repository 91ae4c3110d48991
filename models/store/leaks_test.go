package store_test

import (
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// Whoever has all of a credential may have it revoked, of whatever kind it is, and the audit log says so; nothing else of what they
// show does anything.
func TestReportLeaked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		bearer, bearerText := w.Token(t, admin, admin.ID)
		api, apiText := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "Build server"})
		auto, autoText, err := w.CreateAutomationToken(t.Context(), admin, home, models.NewAutomationToken{Period: "1h"}, secret.FormID())
		must(t, err)
		key, keyText := aKey(t, w, admin.ID, "Laptop", 1)
		_, safe := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "safe"})
		unknown, err := secret.Mint("auto", nil)
		must(t, err)
		report := func(want int, texts ...secret.Text) {
			t.Helper()
			if n, err := w.ReportLeaked(t.Context(), guest, texts); err != nil || n != want {
				t.Errorf("took away %d, want %d (%v)", n, want, err)
			}
		}
		unchanged(t, w, "nothing", func() { report(0); report(0, unknown) })
		before := events(t, w, "")
		report(4, bearerText, apiText, unknown, autoText, keyText, keyText)
		if n := events(t, w, "") - before; n != 4 || events(t, w, models.CredentialLeaked) != 4 {
			t.Errorf("%d events", n)
		}
		for _, c := range []struct {
			was  models.Credential
			text secret.Text
			name string
		}{{bearer, bearerText, "Ines Moreau"}, {api, apiText, "Build server"}, {auto, autoText, "Automation token"}, {key, keyText, "Laptop"}} {
			grant, err := w.GrantOf(t.Context(), c.text.Hash())
			must(t, err)
			got := grant.Credential
			if got.State(w.Clock.Now()) != models.Revoked || got.RevokeReason != "reported as leaked" || got.RevokedBy != "" {
				t.Errorf("%s: %+v", c.was.Kind, got)
			}
			list, err := w.Events(t.Context(), admin, models.EventFilter{SubjectID: c.was.ID, Action: models.CredentialLeaked, Limit: 9})
			must(t, err)
			if len(list) != 1 || list[0].ActorKind != models.Guest || list[0].Address != guest.Address || list[0].SubjectName != c.name || list[0].WorkspaceID != c.was.WorkspaceID {
				t.Errorf("%s: %+v", c.was.Kind, list)
			}
		}
		if state := stateOf(t, w, safe); state != models.Active {
			t.Errorf("another is %s", state)
		}
		unchanged(t, w, "again", func() { report(0, bearerText, apiText, autoText, keyText) })
	})
}

// What is over is told once, and the card of a secret that was replaced keeps the one that it has now.
func TestReportWhatIsOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		card, first := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		_, second, err := w.RegenerateAPIToken(t.Context(), admin, home, card.ID, models.Regeneration{}, secret.FormID())
		must(t, err)
		_, gone := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "b", Expiration: models.ForAWeek})
		idle, idleText := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "c"})
		_, err = w.SwitchAPIToken(t.Context(), admin, home, idle.ID, false)
		must(t, err)
		w.Clock.Advance(8 * 24 * 3600e9)
		report := func(want int, text secret.Text, told string, state models.State) {
			t.Helper()
			before := events(t, w, models.CredentialLeaked)
			for range 3 {
				n, err := w.ReportLeaked(t.Context(), guest, []secret.Text{text})
				if err != nil || n != want {
					t.Errorf("took away %d, want %d (%v)", n, want, err)
				}
				want = 0
			}
			if n := events(t, w, models.CredentialLeaked) - before; n != 1 {
				t.Errorf("%d events", n)
			}
			if changes := lastEvent(t, w).ChangeList(); told != "" && (len(changes) != 1 || changes[0].After != told) {
				t.Errorf("it tells %+v", changes)
			}
			if got := stateOf(t, w, text); got != state {
				t.Errorf("it is %s, want %s", got, state)
			}
		}
		report(0, first, "replaced", models.Replaced)
		if state := stateOf(t, w, second); state != models.Active {
			t.Errorf("the secret that came after is %s", state)
		}
		report(1, second, "", models.Revoked)
		report(0, gone, "expired", models.Expired)
		report(1, idleText, "", models.Revoked)
	})
}

// A refresh token, also one that was used up, and a sign-in token end the sign-in that they are of.
func TestReportSignIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		sign := func() (models.ProgramSeen, secret.Text, secret.Hash) {
			t.Helper()
			seen, tokens, err := w.SignInProgram(t.Context(), guest, models.SignIn{Email: "ines@marlowe.example", Password: storetest.Password})
			must(t, err)
			return seen, tokens.Refresh, secret.Hash(seen.Session.Hash)
		}
		one, refresh, _ := sign()
		_, _, other := sign()
		renewed, _, err := w.RenewProgram(t.Context(), guest, refresh, models.Renewal{Email: "ines@marlowe.example"})
		must(t, err)
		if n, err := w.ReportLeaked(t.Context(), guest, []secret.Text{refresh}); err != nil || n != 1 {
			t.Errorf("took away %d (%v)", n, err)
		}
		_, err = w.FindProgram(t.Context(), secret.Hash(renewed.Session.Hash))
		wantKind(t, "the sign-in", err, models.NotFound)
		if e := lastEvent(t, w); e.Action != models.CredentialLeaked || e.SubjectKind != models.OfSession || e.SubjectID != one.Session.ID || e.SubjectName != "Ines Moreau" || e.WorkspaceID != one.Workspace.ID {
			t.Errorf("the event is %+v", e)
		}
		if _, err := w.FindProgram(t.Context(), other); err != nil {
			t.Errorf("another sign-in: %v", err)
		}
		for _, want := range []bool{true, false} {
			before := events(t, w, "")
			ended, err := w.ReportLeakedSignIn(t.Context(), guest, other)
			if err != nil || ended != want || events(t, w, "") != before+map[bool]int64{true: 1}[want] {
				t.Errorf("ended is %v (%v)", ended, err)
			}
		}
		_, err = w.FindProgram(t.Context(), other)
		wantKind(t, "the other sign-in", err, models.NotFound)
	})
}
