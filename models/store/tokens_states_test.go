package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// What may be done with a card, and what a card can be before.
var (
	tokenActions = map[string]func(t *testing.T, w storetest.World, who models.Actor, id string) (models.Credential, secret.Text, error){
		"activate":   switching(true),
		"deactivate": switching(false),
		"rename": func(t *testing.T, w storetest.World, who models.Actor, id string) (models.Credential, secret.Text, error) {
			c, err := w.RenameAPIToken(t.Context(), who, home, id, models.TokenNaming{Name: " another  name "})
			return c, "", err
		},
		"revoke": func(t *testing.T, w storetest.World, who models.Actor, id string) (models.Credential, secret.Text, error) {
			c, err := w.RevokeAPIToken(t.Context(), who, home, id, models.Revocation{Reason: "again"})
			return c, "", err
		},
		"regenerate":          regenerating(""),
		"regenerate for ever": regenerating(models.NoExpiration),
		"regenerate for 1w":   regenerating(models.ForAWeek),
		"regenerate for soon": regenerating("soon"),
	}
	tokenStates = map[string][]string{ // how a card comes to be so
		"active": nil, "inactive": {"deactivate"}, "expired": {"wait"}, "expired, off": {"deactivate", "wait"}, "revoked": {"revoke"}, "revoked, off": {"deactivate", "revoke"},
	}
)

func switching(enabled bool) func(*testing.T, storetest.World, models.Actor, string) (models.Credential, secret.Text, error) {
	return func(t *testing.T, w storetest.World, who models.Actor, id string) (models.Credential, secret.Text, error) {
		c, err := w.SwitchAPIToken(t.Context(), who, home, id, enabled)
		return c, "", err
	}
}

func regenerating(e models.Expiration) func(*testing.T, storetest.World, models.Actor, string) (models.Credential, secret.Text, error) {
	return func(t *testing.T, w storetest.World, who models.Actor, id string) (models.Credential, secret.Text, error) {
		return w.RegenerateAPIToken(t.Context(), who, home, id, models.Regeneration{Expiration: e}, secret.FormID())
	}
}

// Seed 003, every edge of the life of a card: from each state, what each action leaves it as, which event that is, and
// how it is refused otherwise. What is refused or changes nothing leaves no trace; a secret that was replaced stays dead.
func TestTokenStates(t *testing.T) {
	const (
		none                            = models.Action("")
		active, inactive, expired, dead = models.Active, models.Inactive, models.Expired, models.Revoked
		conflict, invalid               = models.Conflict, models.Invalid
	)
	edges := []struct {
		from, action string
		after        models.State
		event        models.Action
		kind         models.Kind
	}{
		{"active", "activate", active, none, ""},
		{"active", "deactivate", inactive, models.CredentialDeactivated, ""},
		{"active", "rename", active, models.CredentialRenamed, ""},
		{"active", "revoke", dead, models.CredentialRevoked, ""},
		{"active", "regenerate", active, models.CredentialRegenerated, ""},
		{"active", "regenerate for ever", active, models.CredentialRegenerated, ""},
		{"active", "regenerate for 1w", active, models.CredentialRegenerated, ""},
		{"active", "regenerate for soon", active, none, invalid},

		{"inactive", "activate", active, models.CredentialActivated, ""},
		{"inactive", "deactivate", inactive, none, ""},
		{"inactive", "rename", inactive, models.CredentialRenamed, ""},
		{"inactive", "revoke", dead, models.CredentialRevoked, ""},
		{"inactive", "regenerate", inactive, models.CredentialRegenerated, ""},
		{"inactive", "regenerate for ever", inactive, models.CredentialRegenerated, ""},
		{"inactive", "regenerate for 1w", inactive, models.CredentialRegenerated, ""},
		{"inactive", "regenerate for soon", inactive, none, invalid},

		{"expired", "activate", expired, none, conflict},
		{"expired", "deactivate", expired, none, conflict},
		{"expired", "rename", expired, models.CredentialRenamed, ""},
		{"expired", "revoke", dead, models.CredentialRevoked, ""},
		{"expired", "regenerate", expired, none, invalid},
		{"expired", "regenerate for ever", active, models.CredentialRegenerated, ""},
		{"expired", "regenerate for 1w", active, models.CredentialRegenerated, ""},
		{"expired", "regenerate for soon", expired, none, invalid},

		{"expired, off", "activate", expired, none, conflict},
		{"expired, off", "deactivate", expired, none, conflict},
		{"expired, off", "rename", expired, models.CredentialRenamed, ""},
		{"expired, off", "revoke", dead, models.CredentialRevoked, ""},
		{"expired, off", "regenerate", expired, none, invalid},
		{"expired, off", "regenerate for ever", inactive, models.CredentialRegenerated, ""},
		{"expired, off", "regenerate for 1w", inactive, models.CredentialRegenerated, ""},
		{"expired, off", "regenerate for soon", expired, none, invalid},

		{"revoked", "activate", dead, none, conflict},
		{"revoked", "deactivate", dead, none, conflict},
		{"revoked", "rename", dead, none, conflict},
		{"revoked", "revoke", dead, none, ""},
		{"revoked", "regenerate", dead, none, conflict},
		{"revoked", "regenerate for ever", dead, none, conflict},
		{"revoked", "regenerate for 1w", dead, none, conflict},
		{"revoked", "regenerate for soon", dead, none, conflict},

		{"revoked, off", "activate", dead, none, conflict},
		{"revoked, off", "deactivate", dead, none, conflict},
		{"revoked, off", "rename", dead, none, conflict},
		{"revoked, off", "revoke", dead, none, ""},
		{"revoked, off", "regenerate", dead, none, conflict},
		{"revoked, off", "regenerate for ever", dead, none, conflict},
		{"revoked, off", "regenerate for 1w", dead, none, conflict},
		{"revoked, off", "regenerate for soon", dead, none, conflict},
	}
	if want := len(tokenStates) * len(tokenActions); len(edges) != want {
		t.Fatalf("%d edges, of %d", len(edges), want)
	}
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		for _, edge := range edges {
			name := edge.action + " what is " + edge.from
			card, old := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "card", Expiration: models.ForAWeek})
			for _, step := range tokenStates[edge.from] {
				if step == "wait" {
					w.Clock.Advance(card.ExpiresAt.Sub(w.Clock.Now()))
					continue
				}
				_, _, err := tokenActions[step](t, w, admin, card.ID)
				must(t, err)
			}
			before, last := seenToken(t, w, card.ID), lastEvent(t, w)
			w.Clock.Advance(time.Second)
			said, text, err := tokenActions[edge.action](t, w, admin, card.ID)
			wantKind(t, name, err, edge.kind)
			after, now := seenToken(t, w, card.ID), w.Clock.Now()
			if after.State(now) != edge.after {
				t.Errorf("%s: it is %s, want %s", name, after.State(now), edge.after)
			}
			if err == nil && !reflect.DeepEqual(said, after.Credential) {
				t.Errorf("%s: it answers %+v of %+v", name, said, after.Credential)
			}
			e := lastEvent(t, w)
			if edge.event == none && (e.ID != last.ID || !reflect.DeepEqual(before, after)) {
				t.Errorf("%s: there is the event %+v, and %+v became %+v", name, e, before, after)
			}
			if edge.event != none && (e.Seq != last.Seq+1 || e.Action != edge.event || e.SubjectID != card.ID || e.WorkspaceID != card.WorkspaceID || e.ActorID != admin.ID || len(e.ChangeList()) == 0) {
				t.Errorf("%s: the event is %+v", name, e)
			}
			live := old
			if edge.event == models.CredentialRegenerated {
				live = text
				if state := stateOf(t, w, old); state != models.Replaced {
					t.Errorf("%s: the secret from before is %s", name, state)
				}
			} else if text != "" {
				t.Errorf("%s: a secret of %d characters is answered", name, len(text))
			}
			if state := stateOf(t, w, live); state != edge.after {
				t.Errorf("%s: its secret is %s, want %s", name, state, edge.after)
			}
		}
	})
}

// seenToken is a card as its page shows it.
func seenToken(t *testing.T, w storetest.World, id string) models.CredentialSeen {
	t.Helper()
	seen, err := w.APIToken(t.Context(), command, home, id)
	must(t, err)
	return seen
}

// The messages say what to do: with a revoked card to make another, with an expired one to regenerate it.
func TestTokenRefusalsSayWhatToDo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		revoked, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "Build"})
		_, err := w.RevokeAPIToken(t.Context(), admin, home, revoked.ID, models.Revocation{})
		must(t, err)
		expired, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "Mail", Expiration: models.ForAWeek})
		w.Clock.Advance(30 * 24 * time.Hour)
		for _, c := range []struct {
			action, id, says string
		}{
			{"activate", revoked.ID, "Build was revoked on 21 Nov 2026 and stays revoked. Create another token."},
			{"rename", revoked.ID, "Build was revoked on 21 Nov 2026 and stays revoked. Create another token."},
			{"regenerate", revoked.ID, "Build was revoked on 21 Nov 2026 and stays revoked. Create another token."},
			{"deactivate", expired.ID, "Mail expired on 28 Nov 2026. Regenerate it with a new expiration, or create another one."},
			{"regenerate", expired.ID, "There is a problem. expiration: Choose when it expires from now on, or Never."},
			{"regenerate for soon", expired.ID, "There is a problem. expiration: Choose when the token expires, or Never."},
		} {
			if _, _, err := tokenActions[c.action](t, w, admin, c.id); fmt.Sprint(err) != c.says {
				t.Errorf("%s: %v", c.action, err)
			}
		}
		_, err = w.RenameAPIToken(t.Context(), admin, home, expired.ID, models.TokenNaming{Name: " "})
		wantField(t, "no name", err, "name", "Enter")
		_, err = w.RevokeAPIToken(t.Context(), admin, home, expired.ID, models.Revocation{Reason: "\u202e"})
		wantField(t, "a reason that hides", err, "reason", "can't be shown")
		unchanged(t, w, "the same name", func() {
			_, err := w.RenameAPIToken(t.Context(), admin, home, expired.ID, models.TokenNaming{Name: " Mail "})
			must(t, err)
		})
	})
}
