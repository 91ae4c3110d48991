package store_test

import (
	"slices"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// regenerated is a card with the secrets that it had, the newest last.
type regenerated struct {
	id    string
	texts []secret.Text
}

func (r *regenerated) again(t *testing.T, w storetest.World, who models.Actor, e models.Expiration) {
	t.Helper()
	_, text, err := w.RegenerateAPIToken(t.Context(), who, home, r.id, models.Regeneration{Expiration: e}, secret.FormID())
	must(t, err)
	r.texts = append(r.texts, text)
}

// wantStates insists on what each secret of a card is told to be.
func wantStates(t *testing.T, w storetest.World, what string, r regenerated, states ...models.State) {
	t.Helper()
	for i, text := range r.texts {
		if state := stateOf(t, w, text); state != states[i] {
			t.Errorf("%s: secret %d is %q, want %q", what, i+1, state, states[i])
		}
	}
}

// afterwards is what was done to tokens after a backup.
type afterwards struct {
	admin                                  models.Actor
	once, twice, ended, revived, off, same regenerated
	file                                   string
}

func tokensAfterwards(t *testing.T, w storetest.World) (was afterwards) {
	t.Helper()
	was.admin = w.SetUp(t)
	for _, r := range []*regenerated{&was.once, &was.twice, &was.ended, &was.revived, &was.off, &was.same} {
		card, text := w.WorkspaceToken(t, was.admin, home, models.NewAPIToken{Name: "a", Expiration: models.ForAWeek})
		r.id, r.texts = card.ID, []secret.Text{text}
	}
	was.twice.again(t, w, was.admin, "") // of which the backup knows
	w.Clock.Advance(6 * 24 * time.Hour)
	was.file = backup(t, w)

	w.Clock.Advance(time.Hour)
	was.once.again(t, w, was.admin, "")
	was.twice.again(t, w, was.admin, "")
	was.twice.again(t, w, was.admin, "")
	was.ended.again(t, w, was.admin, "")
	_, err := w.RevokeAPIToken(t.Context(), was.admin, home, was.ended.id, models.Revocation{Reason: "lost"})
	must(t, err)
	_, err = w.SwitchAPIToken(t.Context(), was.admin, home, was.off.id, false)
	must(t, err)
	w.Clock.Advance(22 * time.Hour)
	was.revived.again(t, w, was.admin, models.NoExpiration)
	return was
}

const (
	isActive, isInactive, isReplaced, isRevoked, isUnknown = models.Active, models.Inactive, models.Replaced, models.Revoked, models.State("")
)

// A secret that was replaced since the backup stays dead, and says that it was replaced; the card has the one that it has
// now, which goes on, for as long as it was given. What was revoked or switched off since stays so too.
func TestRestoreKeepsSecretsReplaced(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	was := tokensAfterwards(t, w)
	cardBefore := seenToken(t, w, was.twice.id)
	done := restore(t, w, was.file, false)
	want := []store.Taken{{What: "credentials still revoked", Count: 1}, {What: "credentials still inactive", Count: 1}, {What: "API tokens still regenerated", Count: 4}}
	if !slices.Equal(done.StillTaken, want) {
		t.Errorf("it kept %+v", done.StillTaken)
	}
	wantStates(t, w, "regenerated", was.once, isReplaced, isActive)
	wantStates(t, w, "regenerated before and after", was.twice, isReplaced, isReplaced, isReplaced, isActive)
	wantStates(t, w, "regenerated and revoked", was.ended, isReplaced, isRevoked)
	wantStates(t, w, "regenerated for ever", was.revived, isReplaced, isActive)
	wantStates(t, w, "switched off", was.off, isInactive)
	wantStates(t, w, "as it was", was.same, isActive)
	if now := seenToken(t, w, was.twice.id); now.Prefix != cardBefore.Prefix || now.Last4 != cardBefore.Last4 || *now.ExpiresAt != *cardBefore.ExpiresAt {
		t.Errorf("the card was %+v, and is %+v", cardBefore, now)
	}
	w.Clock.Advance(24 * time.Hour)
	wantStates(t, w, "the day after", was.once, isReplaced, models.Expired)
	wantStates(t, w, "the day after, for ever", was.revived, isReplaced, isActive)
	was.revived.again(t, w, was.admin, "")
	wantStates(t, w, "regenerated once more", was.revived, isReplaced, isReplaced, isActive)
}

// Exactly as it was is with the secrets of then, and those that came later are nobody's. Back to what was before is with
// all of them, and with nothing taken away by the way there.
func TestRestoreSecretsExactly(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	was := tokensAfterwards(t, w)
	done := restore(t, w, was.file, true)
	if len(done.StillTaken) != 0 {
		t.Errorf("it kept %+v", done.StillTaken)
	}
	wantStates(t, w, "regenerated", was.once, isActive, isUnknown)
	wantStates(t, w, "regenerated before and after", was.twice, isReplaced, isActive, isUnknown, isUnknown)
	wantStates(t, w, "regenerated and revoked", was.ended, isActive, isUnknown)
	wantStates(t, w, "regenerated for ever", was.revived, isActive, isUnknown)
	wantStates(t, w, "switched off", was.off, isActive)

	if back := restore(t, w, done.Kept, false); len(back.StillTaken) != 0 {
		t.Errorf("on the way back it kept %+v", back.StillTaken)
	}
	wantStates(t, w, "back, regenerated", was.once, isReplaced, isActive)
	wantStates(t, w, "back, regenerated often", was.twice, isReplaced, isReplaced, isReplaced, isActive)
	wantStates(t, w, "back, regenerated and revoked", was.ended, isReplaced, isRevoked)
	wantStates(t, w, "back, switched off", was.off, isInactive)
}

// A workspace that was deleted since the backup stays so: nobody opens it, it has no members, and its slug is another's.
// Exactly as it was, it is there again with all of them.
func TestRestoreKeepsWorkspacesDeleted(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	who := program(t, w)
	admin := models.Actor{Kind: models.Human, ID: who.ID, Name: who.Name, Role: models.Admin}
	ann := w.Person(t, admin, models.Member)
	ws, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Harbour"})
	must(t, err)
	_, err = w.AddMember(t.Context(), admin, ws.Slug, models.NewMember{Email: ann.Email, Role: models.WorkspaceMember})
	must(t, err)
	card, text := w.WorkspaceToken(t, admin, ws.Slug, models.NewAPIToken{Name: "a"})
	n := archive("tools.zip", "PK tools")
	n.Workspace = ws.Slug
	install(t, w, who, n)
	file := backup(t, w)

	w.Clock.Advance(time.Hour)
	_, err = w.RevokeAPIToken(t.Context(), admin, ws.Slug, card.ID, models.Revocation{})
	must(t, err)
	_, err = w.DeleteWorkspace(t.Context(), admin, ws.Slug, ws.Name)
	must(t, err)
	must(t, w.Prune(t.Context()))
	_, err = w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Harbour"}) // which the backup does not know
	must(t, err)

	exact := restore(t, w, file, true)
	if seen, err := w.Workspace(t.Context(), storetest.As(ann), ws.Slug); err != nil || seen.ID != ws.ID || len(exact.StillTaken) != 0 || stateOf(t, w, text) != models.Active {
		t.Errorf("exactly as it was, it is %+v (%v), with %+v", seen, err, exact.StillTaken)
	}
	restore(t, w, exact.Kept, true)
	done := restore(t, w, file, false)
	want := []store.Taken{{What: "credentials still revoked", Count: 1}, {What: "workspaces still deleted", Count: 1}}
	if !slices.Equal(done.StillTaken, want) {
		t.Errorf("it kept %+v", done.StillTaken)
	}
	wantDeleted(t, w, ws, admin, storetest.As(ann), command)
	if state := stateOf(t, w, text); state != models.Revoked {
		t.Errorf("its token is %s", state)
	}
	must(t, w.Prune(t.Context()))
	isEmpty(t, w, "collections", "blobs")
	if again, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Harbour"}); err != nil || again.Slug != ws.Slug {
		t.Errorf("the next one is %+v (%v)", again, err)
	}
}

// A server that runs while a backup is restored judges by the resources that were restored at the very next call, also
// where it knew later ones; so it does after the way back, and after the next change.
func TestRestoredResourcesAreFelt(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	admin := w.SetUp(t)
	product := firstProduct(t, w, home)
	_, text := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
	gate := access.NewGate(w, access.NewTally(), w.Clock.Now)
	opens := func(what, only string) {
		t.Helper()
		for _, name := range []string{"one", "two", "three"} {
			path, _ := access.CanonicalPath("/api/" + name)
			d := gate.Decide(t.Context(), access.Call{Presented: access.Presented{Text: text, Code: access.Allowed}, Need: access.Need{Route: &access.Route{Method: "GET", Path: path}}})
			if d.Allowed() != (name == only) {
				t.Errorf("%s: %s is %s (%v)", what, path.Escaped(), d.Code, d.Cause)
			}
		}
	}
	set := func(name string) {
		t.Helper()
		p, err := w.Product(t.Context(), product.ID)
		must(t, err)
		_, err = w.SetResources(t.Context(), admin, home, product.ID, p.Revision, models.Resources{{Key: name, Name: name, Operations: []models.Operation{{Name: "get", Method: "GET", Pattern: "/api/" + name}}}})
		must(t, err)
		w.Clock.Advance(time.Minute)
	}
	set("one")
	opens("at first", "one")
	file := backup(t, w)
	set("two")
	opens("after a change", "two")
	done := restore(t, w, file, false)
	opens("restored", "one")
	set("three")
	opens("after another change", "three")
	restore(t, w, done.Kept, true)
	opens("back", "two")
}
