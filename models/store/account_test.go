package store_test

import (
	"path/filepath"
	"testing"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// account is a world with what a server takes programs in with: the keys of sign-in tokens, and the gate.
type account struct {
	storetest.World
	ring *access.KeyRing
	gate *access.Gate
}

func newAccount(t *testing.T, w storetest.World) account {
	t.Helper()
	key, err := secret.OpenKey(filepath.Join(w.Dir, "key"))
	must(t, err)
	a := account{w, access.NewKeyRing(w, key, models.NewID, w.Clock.Now), access.NewGate(w, access.NewTally(), w.Clock.Now)}
	a.gate.Take(a.ring)
	return a
}

// signedIn is what a program has that signed in.
type signedIn struct {
	models.ProgramSeen
	token, refresh secret.Text
	hash           secret.Hash // that its session is found by
}

// who is the program as the one who acts.
func (s signedIn) who() models.Actor {
	return models.Actor{Kind: models.Program, ID: s.Person.ID, Name: s.Person.Name, Role: s.Person.Role, SessionID: s.Session.ID, Address: "192.0.2.8"}
}

// write makes of what the store answered what the program is given.
func (a account) write(t *testing.T, seen models.ProgramSeen, tokens store.ProgramTokens) signedIn {
	t.Helper()
	now := a.Clock.Now()
	claims := secret.SignInClaims{PersonID: seen.Person.ID, WorkspaceID: seen.Workspace.ID, Random: tokens.Random, IssuedAt: now, ExpiresAt: now.Add(models.SignInTokenLife)}
	text, err := a.ring.SignIn(t.Context(), claims)
	must(t, err)
	for _, one := range []secret.Text{text, tokens.Random, tokens.Refresh} {
		a.Secrets.Add(one)
	}
	return signedIn{seen, text, tokens.Refresh, claims.Hash()}
}

func (a account) signIn(t *testing.T, email string) signedIn {
	t.Helper()
	seen, tokens, err := a.SignInProgram(t.Context(), guest, models.SignIn{Email: email, Password: storetest.Password, Browser: "curl/8"})
	must(t, err)
	return a.write(t, seen, tokens)
}

// renew uses a refresh token up that must be good; an empty workspace leaves the program where it is.
func (a account) renew(t *testing.T, s signedIn, workspace string) signedIn {
	t.Helper()
	seen, tokens, err := a.RenewProgram(t.Context(), guest, s.refresh, models.Renewal{Email: s.Person.Email, WorkspaceID: workspace})
	must(t, err)
	return a.write(t, seen, tokens)
}

// refused insists that a refresh token is refused as a kind of failure, and answers the failure.
func (a account) refused(t *testing.T, what string, refresh secret.Text, r models.Renewal, want models.Kind) error {
	t.Helper()
	seen, tokens, err := a.RenewProgram(t.Context(), guest, refresh, r)
	wantKind(t, what, err, want)
	if tokens != (store.ProgramTokens{}) || seen.Session.ID != "" {
		t.Errorf("%s: answered with %+v", what, seen.Session)
	}
	return err
}

// finds insists that a program's session is found, or is not.
func (a account) finds(t *testing.T, what string, s signedIn, found bool) {
	t.Helper()
	seen, err := a.FindProgram(t.Context(), s.hash)
	if want := map[bool]models.Kind{true: "", false: models.NotFound}[found]; models.KindOf(err) != want || found != (seen.Session.ID != "") {
		t.Errorf("%s: found %q (%v)", what, seen.Session.ID, err)
	}
}

// decide asks the gate about a text that came as a bearer credential, for a resource of a product, or for nothing in particular.
func (a account) decide(t *testing.T, text secret.Text, path string) access.Decision {
	t.Helper()
	call := access.Call{Presented: access.Present([]string{"Bearer " + text.Reveal()}, nil, nil), Address: "192.0.2.8"}
	if path != "" {
		canonical, ok := access.CanonicalPath(path)
		if !ok {
			t.Fatalf("%q is no path", path)
		}
		call.Need.Route = &access.Route{Method: "GET", Path: canonical}
	}
	return a.gate.Decide(t.Context(), call)
}

// workspace makes one more workspace, of an Admin.
func (a account) workspace(t *testing.T, owner models.Actor, name string) models.Workspace {
	t.Helper()
	w, err := a.CreateWorkspace(t.Context(), owner, models.NewWorkspace{Name: name})
	must(t, err)
	return w
}

// automation makes an automation token.
func (a account) automation(t *testing.T, who models.Actor, workspace string, period models.ExpirationPeriod) (models.Credential, secret.Text) {
	t.Helper()
	formID := ""
	if who.Kind == models.Human {
		formID = secret.FormID()
	}
	made, text, err := a.CreateAutomationToken(t.Context(), who, workspace, models.NewAutomationToken{Period: period}, formID)
	must(t, err)
	a.Secrets.Add(text)
	return made, text
}
