package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// free is the policy of a new installation.
var free = models.Policy{KeyMakers: models.EveryoneMakesKeys}

func decide(t *testing.T, w storetest.World, admin models.Actor, p models.Policy) {
	t.Helper()
	_, err := w.SetPolicy(t.Context(), admin, models.PolicyEdit{Policy: p})
	must(t, err)
}

// A policy is one event that tells what changed and why; the same again is none; nobody but Admins decides.
func TestSetPolicy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		was, err := w.Policy(t.Context())
		if must(t, err); was != free {
			t.Fatalf("it begins as %+v", was)
		}
		ninety := 90
		next := models.Policy{
			KeyMakers: models.AdminsMakeKeys, KeyDays: &ninety, LongestBearerDays: 1, LongestAPIDays: 2, LongestAutomationDays: 3, LongestKeyDays: 100,
			LongestCollectionDays: 5, ExpiryRequired: true, UnusedDays: 7,
		}
		set, err := w.SetPolicy(t.Context(), admin, models.PolicyEdit{Policy: next, Reason: " audit of  May "})
		if must(t, err); set != next {
			t.Errorf("answered %+v", set)
		}
		got, err := w.Policy(t.Context())
		must(t, err)
		if got.KeyDays == nil || *got.KeyDays != 90 {
			t.Fatalf("kept %+v", got)
		}
		if got.KeyDays = next.KeyDays; got != next {
			t.Errorf("kept %+v, want %+v", got, next)
		}
		e := lastEvent(t, w)
		if e.Action != models.PolicyChanged || e.SubjectKind != models.OfInstallation || e.ActorID != admin.ID || !slices.Equal(e.ChangeList(), []models.Change{
			{Field: "who may generate API keys", Before: "everyone", After: "admins"}, {Field: "life of new API keys", Before: "each person chooses", After: "90 days"},
			{Field: "longest life of a bearer token", Before: "no limit", After: "1 day"}, {Field: "longest life of an API token", Before: "no limit", After: "2 days"},
			{Field: "longest life of an automation token", Before: "no limit", After: "3 days"}, {Field: "longest life of an API key", Before: "no limit", After: "100 days"},
			{Field: "longest life of a collection access key", Before: "no limit", After: "5 days"}, {Field: "everything expires", Before: "false", After: "true"},
			{Field: "unused API keys are revoked after", Before: "never", After: "7 days"}, {Field: "reason", After: "audit of May"},
		}) {
			t.Errorf("the event is %+v", e)
		}
		same := ninety
		next.KeyDays = &same
		unchanged(t, w, "the same", func() {
			_, err := w.SetPolicy(t.Context(), admin, models.PolicyEdit{Policy: next, Reason: "again"})
			must(t, err)
		})
		unchanged(t, w, "what is wrong", func() {
			_, err := w.SetPolicy(t.Context(), admin, models.PolicyEdit{Policy: models.Policy{KeyMakers: "all"}})
			wantField(t, "no such makers", err, "key_makers", "Choose")
		})
		for _, who := range []models.Actor{guest, server, {}, storetest.As(w.Person(t, admin, models.Member))} {
			unchanged(t, w, "not an Admin", func() {
				_, err := w.SetPolicy(t.Context(), who, models.PolicyEdit{Policy: free})
				wantKind(t, string(who.Kind), err, models.Forbidden)
				_, _, _, err = w.UnusedKeys(t.Context(), who, 1, models.Place{})
				wantKind(t, "preview by "+string(who.Kind), err, models.Forbidden)
			})
		}
		decide(t, w, command, free)
		if got, err = w.Policy(t.Context()); err != nil || got != free {
			t.Errorf("back to %+v (%v)", got, err)
		}
	})
}

// What the policy refuses is made by nobody and in no way: not new, not with another secret on an old card, whether the end is
// chosen or kept. What was made before stays as it is.
func TestPolicyHolds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		old, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "old"})
		auto, _, err := w.CreateAutomationToken(t.Context(), admin, home, models.NewAutomationToken{Period: "no_exp"}, secret.FormID())
		must(t, err)
		api := func(e models.Expiration, date string) error {
			_, _, err := w.CreateAPIToken(t.Context(), admin, home, models.NewAPIToken{Name: "a", Expiration: e, ExpiresAt: date}, secret.FormID())
			return err
		}
		again := func(e models.Expiration) error {
			_, _, err := w.RegenerateAPIToken(t.Context(), admin, home, old.ID, models.Regeneration{Expiration: e}, secret.FormID())
			return err
		}
		automation := func(p models.ExpirationPeriod) error {
			_, _, err := w.CreateAutomationToken(t.Context(), admin, home, models.NewAutomationToken{Period: p}, secret.FormID())
			return err
		}
		autoAgain := func(p models.ExpirationPeriod) error {
			_, _, err := w.RegenerateAutomationToken(t.Context(), admin, home, auto.ID, models.AutomationRegeneration{Period: p}, secret.FormID())
			return err
		}
		decide(t, w, admin, models.Policy{KeyMakers: models.EveryoneMakesKeys, LongestAPIDays: 31, LongestAutomationDays: 6, LongestBearerDays: 10})
		unchanged(t, w, "what is too long", func() {
			wantField(t, "never", api(models.NoExpiration, ""), "expiration", "an API token lives 31 days at most")
			wantField(t, "nothing said", api("", ""), "expiration", "31 days")
			wantField(t, "three months", api(models.ForThree, ""), "expiration", "31 days")
			wantField(t, "a day too late", api(models.OnADate, w.Clock.Now().AddDate(0, 0, 32).Format("2006-01-02T15:04")), "expires_at", "31 days")
			wantField(t, "an end that is kept", again(""), "expiration", "31 days")
			wantField(t, "regenerated for a year", again(models.ForAYear), "expiration", "31 days")
			wantField(t, "automation without end", automation("no_exp"), "expiration_period", "an automation token lives 6 days at most")
			wantField(t, "automation for a week", automation("1w"), "expiration_period", "6 days")
			wantField(t, "automation kept", autoAgain(""), "expiration_period", "6 days")
			wantField(t, "automation regenerated", autoAgain("no_exp"), "expiration_period", "6 days")
		})
		must(t, api(models.ForAMonth, ""))
		must(t, api(models.OnADate, w.Clock.Now().AddDate(0, 0, 31).Format("2006-01-02T15:04")))
		must(t, again(models.ForAWeek))
		must(t, again(""))
		must(t, automation("48h"))
		must(t, automation(models.DefaultPeriod))
		must(t, autoAgain("48h"))
		bearer, _ := w.Token(t, admin, admin.ID)
		if !bearer.ExpiresAt.Equal(w.Clock.Now().AddDate(0, 0, 10)) {
			t.Errorf("a bearer token ends on %s", bearer.ExpiresAt)
		}
		if e := lastEvent(t, w); !strings.Contains(e.Changes, bearer.ExpiresAt.Format(time.RFC3339)) {
			t.Errorf("the event is %s", e.Changes)
		}
		decide(t, w, admin, models.Policy{KeyMakers: models.EveryoneMakesKeys, ExpiryRequired: true})
		unchanged(t, w, "what never ends", func() {
			wantField(t, "never", api(models.NoExpiration, ""), "expiration", "everything expires")
			wantField(t, "automation without end", automation("no_exp"), "expiration_period", "everything expires")
		})
		must(t, api(models.ForAYear, ""))
		if bearer, _ = w.Token(t, admin, admin.ID); !bearer.ExpiresAt.Equal(models.BearerTokenLife(w.Clock.Now())) {
			t.Errorf("a bearer token ends on %s", bearer.ExpiresAt)
		}
	})
}

// T10: what a program makes ends with its own credential at the latest: then where it says nothing, and not at all where it says
// later. A form's number is used up by a program too that sends one.
func TestProgramsOutliveNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		bearer, _ := w.Token(t, admin, admin.ID)
		who := models.Actor{Kind: models.Program, ID: admin.ID, Name: admin.Name, Role: models.Admin, CredentialID: bearer.ID, Until: bearer.ExpiresAt}
		until := *bearer.ExpiresAt
		at := func(d time.Duration) *time.Time { end := until.Add(d); return &end }
		create := func(n models.NewAPIToken, form string) (models.Credential, error) {
			n.Name = "a"
			made, text, err := w.CreateAPIToken(t.Context(), who, home, n, form)
			if (text == "") != (err != nil) {
				t.Errorf("%d characters with %v", len(text), err)
			}
			return made, err
		}
		made, err := create(models.NewAPIToken{}, "")
		if must(t, err); made.ExpiresAt == nil || !made.ExpiresAt.Equal(until) {
			t.Errorf("nothing said: ends %v", made.ExpiresAt)
		}
		if e := lastEvent(t, w); e.CredentialID != bearer.ID || !strings.Contains(e.Changes, until.Format(time.RFC3339)) {
			t.Errorf("the event is %+v", e)
		}
		made, err = create(models.NewAPIToken{EndGiven: true, EndsAt: at(0)}, "")
		must(t, err)
		unchanged(t, w, "later", func() {
			for name, n := range map[string]models.NewAPIToken{"later": {EndGiven: true, EndsAt: at(time.Microsecond)}, "never": {EndGiven: true}, "a preset": {Expiration: models.NoExpiration}} {
				_, err := create(n, "")
				wantField(t, name, err, "expires_at", "What a program makes ends with its own credential at the latest, on 21 Nov 2027.")
			}
			_, err := create(models.NewAPIToken{EndGiven: true, EndsAt: &time.Time{}}, "")
			wantField(t, "past", err, "expires_at", "future")
		})
		again := func(id string, r models.Regeneration) (models.Credential, error) {
			made, _, err := w.RegenerateAPIToken(t.Context(), who, home, id, r, "")
			return made, err
		}
		endless, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "endless"})
		brief, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "brief", Expiration: models.ForAWeek})
		if made, err = again(endless.ID, models.Regeneration{}); err != nil || made.ExpiresAt == nil || !made.ExpiresAt.Equal(until) {
			t.Errorf("endless: ends %v (%v)", made.ExpiresAt, err)
		}
		if made, err = again(brief.ID, models.Regeneration{}); err != nil || !made.ExpiresAt.Equal(*brief.ExpiresAt) {
			t.Errorf("brief: ends %v (%v)", made.ExpiresAt, err)
		}
		_, err = again(brief.ID, models.Regeneration{EndGiven: true})
		wantField(t, "for ever", err, "expires_at", "at the latest")
		decide(t, w, admin, models.Policy{KeyMakers: models.EveryoneMakesKeys, LongestAPIDays: 30})
		if made, err = create(models.NewAPIToken{}, ""); err != nil || !made.ExpiresAt.Equal(w.Clock.Now().AddDate(0, 0, 30)) {
			t.Errorf("with a policy: ends %v (%v)", made.ExpiresAt, err)
		}
		decide(t, w, admin, free)
		form := secret.FormID()
		_, err = create(models.NewAPIToken{}, form)
		must(t, err)
		_, err = create(models.NewAPIToken{}, form)
		wantKind(t, "the same form", err, models.ShownAlready)
		_, err = create(models.NewAPIToken{}, "short")
		wantKind(t, "no form at all", err, models.Invalid)
		who.Until = nil
		if made, err = create(models.NewAPIToken{}, ""); err != nil || made.ExpiresAt != nil {
			t.Errorf("of what never ends: ends %v (%v)", made.ExpiresAt, err)
		}
	})
}
