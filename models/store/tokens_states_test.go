package store_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// cardKind is a kind of token that lives on a card: how one is made, for a week, and what may be done with it.
type cardKind struct {
	make       func(t *testing.T, w storetest.World, who models.Actor) (models.Credential, secret.Text)
	seen       func(t *testing.T, w storetest.World, id string) models.CredentialSeen
	turn       func(storetest.World) func(context.Context, models.Actor, string, string, bool) (models.Credential, error)
	rename     func(storetest.World) func(context.Context, models.Actor, string, string, models.TokenNaming) (models.Credential, error)
	revoke     func(storetest.World) func(context.Context, models.Actor, string, string, models.Revocation) (models.Credential, error)
	regenerate func(t *testing.T, w storetest.World, who models.Actor, id, life string) (models.Credential, secret.Text, error)
}

var cardKinds = map[string]cardKind{
	"API token": {
		make: func(t *testing.T, w storetest.World, who models.Actor) (models.Credential, secret.Text) {
			return w.WorkspaceToken(t, who, home, models.NewAPIToken{Name: "card", Expiration: models.ForAWeek})
		},
		seen: seenToken,
		turn: func(w storetest.World) func(context.Context, models.Actor, string, string, bool) (models.Credential, error) {
			return w.SwitchAPIToken
		},
		rename: func(w storetest.World) func(context.Context, models.Actor, string, string, models.TokenNaming) (models.Credential, error) {
			return w.RenameAPIToken
		},
		revoke: func(w storetest.World) func(context.Context, models.Actor, string, string, models.Revocation) (models.Credential, error) {
			return w.RevokeAPIToken
		},
		regenerate: func(t *testing.T, w storetest.World, who models.Actor, id, life string) (models.Credential, secret.Text, error) {
			return w.RegenerateAPIToken(t.Context(), who, home, id, models.Regeneration{Expiration: models.Expiration(life)}, secret.FormID())
		},
	},
	"automation token": {
		make: func(t *testing.T, w storetest.World, who models.Actor) (models.Credential, secret.Text) {
			return w.Automation(t, who, home, models.NewAutomationToken{Name: "card", Period: "1w"})
		},
		seen: func(t *testing.T, w storetest.World, id string) models.CredentialSeen {
			t.Helper()
			seen, err := w.AutomationToken(t.Context(), command, home, id)
			must(t, err)
			return seen
		},
		turn: func(w storetest.World) func(context.Context, models.Actor, string, string, bool) (models.Credential, error) {
			return w.SwitchAutomationToken
		},
		rename: func(w storetest.World) func(context.Context, models.Actor, string, string, models.TokenNaming) (models.Credential, error) {
			return w.RenameAutomationToken
		},
		revoke: func(w storetest.World) func(context.Context, models.Actor, string, string, models.Revocation) (models.Credential, error) {
			return w.RevokeAutomationToken
		},
		regenerate: func(t *testing.T, w storetest.World, who models.Actor, id, life string) (models.Credential, secret.Text, error) {
			return w.RegenerateAutomationToken(t.Context(), who, home, id, models.AutomationRegeneration{Period: models.ExpirationPeriod(life)}, secret.FormID())
		},
	},
}

// What may be done with a card, and what a card can be before.
var (
	tokenActions = map[string]func(t *testing.T, w storetest.World, kind cardKind, who models.Actor, id string) (models.Credential, secret.Text, error){
		"activate":   switching(true),
		"deactivate": switching(false),
		"rename": func(t *testing.T, w storetest.World, kind cardKind, who models.Actor, id string) (models.Credential, secret.Text, error) {
			c, err := kind.rename(w)(t.Context(), who, home, id, models.TokenNaming{Name: " another  name "})
			return c, "", err
		},
		"revoke": func(t *testing.T, w storetest.World, kind cardKind, who models.Actor, id string) (models.Credential, secret.Text, error) {
			c, err := kind.revoke(w)(t.Context(), who, home, id, models.Revocation{Reason: "again"})
			return c, "", err
		},
		"regenerate":          regenerating(""),
		"regenerate for ever": regenerating("no_exp"),
		"regenerate for 1w":   regenerating("1w"),
		"regenerate for soon": regenerating("soon"),
	}
	tokenStates = map[string][]string{ // how a card comes to be so
		"active": nil, "inactive": {"deactivate"}, "expired": {"wait"}, "expired, off": {"deactivate", "wait"}, "revoked": {"revoke"}, "revoked, off": {"deactivate", "revoke"},
	}
)

func switching(enabled bool) func(*testing.T, storetest.World, cardKind, models.Actor, string) (models.Credential, secret.Text, error) {
	return func(t *testing.T, w storetest.World, kind cardKind, who models.Actor, id string) (models.Credential, secret.Text, error) {
		c, err := kind.turn(w)(t.Context(), who, home, id, enabled)
		return c, "", err
	}
}

func regenerating(life string) func(*testing.T, storetest.World, cardKind, models.Actor, string) (models.Credential, secret.Text, error) {
	return func(t *testing.T, w storetest.World, kind cardKind, who models.Actor, id string) (models.Credential, secret.Text, error) {
		return kind.regenerate(t, w, who, id, life)
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
	edges := []tokenEdge{
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
		for called, kind := range cardKinds {
			for _, edge := range edges {
				edge.walk(t, w, kind, admin, edge.action+" an "+called+" that is "+edge.from)
			}
		}
	})
}

// tokenEdge is what an action makes of a card in a state: what it is after, which event that is, and how it is refused otherwise.
type tokenEdge struct {
	from, action string
	after        models.State
	event        models.Action
	kind         models.Kind
}

func (edge tokenEdge) walk(t *testing.T, w storetest.World, kind cardKind, admin models.Actor, name string) {
	t.Helper()
	card, old := kind.make(t, w, admin)
	for _, step := range tokenStates[edge.from] {
		if step == "wait" {
			w.Clock.Advance(card.ExpiresAt.Sub(w.Clock.Now()))
			continue
		}
		_, _, err := tokenActions[step](t, w, kind, admin, card.ID)
		must(t, err)
	}
	before, last := kind.seen(t, w, card.ID), lastEvent(t, w)
	w.Clock.Advance(time.Second)
	said, text, err := tokenActions[edge.action](t, w, kind, admin, card.ID)
	wantKind(t, name, err, edge.kind)
	after, now := kind.seen(t, w, card.ID), w.Clock.Now()
	if after.State(now) != edge.after {
		t.Errorf("%s: it is %s, want %s", name, after.State(now), edge.after)
	}
	if err == nil && !reflect.DeepEqual(said, after.Credential) {
		t.Errorf("%s: it answers %+v of %+v", name, said, after.Credential)
	}
	e := lastEvent(t, w)
	if edge.event == "" && (e.ID != last.ID || !reflect.DeepEqual(before, after)) {
		t.Errorf("%s: there is the event %+v, and %+v became %+v", name, e, before, after)
	}
	if edge.event != "" && (e.Seq != last.Seq+1 || e.Action != edge.event || e.SubjectID != card.ID || e.WorkspaceID != card.WorkspaceID || e.PersonID != card.PersonID || e.ActorID != admin.ID || len(e.ChangeList()) == 0) {
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
			if _, _, err := tokenActions[c.action](t, w, cardKinds["API token"], admin, c.id); fmt.Sprint(err) != c.says {
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
