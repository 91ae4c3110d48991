package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// home is the slug of the workspace that SetUp makes.
const home = "marlowe-press"

// firstProduct is the product that a workspace was born with.
func firstProduct(t *testing.T, w storetest.World, workspace string) models.Product {
	t.Helper()
	list, err := w.Products(t.Context(), command, workspace)
	if err != nil || len(list) == 0 {
		t.Fatalf("products: %+v (%v)", list, err)
	}
	return list[0]
}

// stateOf is what a secret that is presented now is told to be; empty where nobody knows it.
func stateOf(t *testing.T, w storetest.World, text secret.Text) models.State {
	t.Helper()
	grant, err := w.GrantOf(t.Context(), text.Hash())
	if models.KindOf(err) == models.NotFound {
		return ""
	}
	must(t, err)
	return grant.Credential.State(w.Clock.Now())
}

// Seed 003: the token begins with its product's prefix, is the workspace's and nobody's, is found by its hash with
// what it opens, and is on its card at once. The event says what it is, and not the secret (T4, T5).
func TestCreateAPIToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product, now := firstProduct(t, w, home), w.Clock.Now()
		made, text, err := w.CreateAPIToken(t.Context(), admin, home, models.NewAPIToken{Name: "  Build   Server ", Expiration: models.ForAWeek}, secret.FormID())
		must(t, err)
		s := text.Reveal()
		if _, ok := secret.Parse(s); !ok || s[:5] != "prod_" || made.Prefix != s[:8] || made.Last4 != s[50:] {
			t.Errorf("made %s... ...%s", made.Prefix, made.Last4)
		}
		if made.Kind != models.APIToken || made.Name != "Build Server" || made.PersonID != "" || made.ProductID != product.ID || made.WorkspaceID != product.WorkspaceID ||
			made.CreatedBy != admin.ID || made.CreatedAt != now || *made.ExpiresAt != now.AddDate(0, 0, 7) || len(made.Scopes) != 0 || made.State(now) != models.Active {
			t.Errorf("made %+v", made)
		}
		grant, err := w.GrantOf(t.Context(), text.Hash())
		opens := models.Opens{WorkspaceID: product.WorkspaceID, Slug: home, ProductID: product.ID, Revision: 1, CallsAMinute: models.DefaultAPICalls}
		if err != nil || grant.Credential.ID != made.ID || grant.Owner != (models.Person{}) || grant.Opens != opens {
			t.Errorf("granted %+v (%v)", grant, err)
		}
		seen, err := w.APIToken(t.Context(), admin, home, made.ID)
		if err != nil || seen.ID != made.ID || seen.CreatedByName != "Ines Moreau" || seen.Product != product.Name || seen.Usage.Calls != 0 || seen.Usage.LastUsedAt != nil || seen.Usage.IdleSince != now {
			t.Errorf("its card has %+v (%v)", seen, err)
		}
		if n, err := w.CountAPITokens(t.Context(), product.WorkspaceID); err != nil || n != 1 {
			t.Errorf("%d tokens (%v)", n, err)
		}
		e := lastEvent(t, w)
		want := fmt.Sprint([]models.Change{{Field: "token", After: made.Prefix + "..."}, {Field: "expires", After: "2026-11-28T09:30:15Z"}, {Field: "access", After: "every resource"}})
		if e.Action != models.CredentialCreated || e.ActorID != admin.ID || e.SubjectKind != models.OfCredential || e.SubjectID != made.ID || e.SubjectName != "Build Server" ||
			e.WorkspaceID != product.WorkspaceID || e.PersonID != "" || fmt.Sprint(e.ChangeList()) != want {
			t.Errorf("the event is %+v", e)
		}
		if found := storetest.Traces([]byte(everything(t, w)+w.Log.String()), s); len(found) > 0 {
			t.Errorf("the database or the log has %q of it", found)
		}
	})
}

// A token is narrowed to the operations that were chosen, each once; without a choice none are kept, whatever was
// ticked, and the token opens all.
func TestAPITokenScopes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		ticked := models.Scopes{"storage:list", "agents:list", "storage:list"}
		for _, c := range []struct {
			chosen bool
			want   models.Scopes
			event  string
		}{{true, models.Scopes{"agents:list", "storage:list"}, "agents:list storage:list"}, {false, nil, "every resource"}} {
			made, text := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a", Chosen: c.chosen, Scopes: append(models.Scopes{}, ticked...)})
			event := lastEvent(t, w).ChangeList()
			grant, err := w.GrantOf(t.Context(), text.Hash())
			must(t, err)
			seen, err := w.APIToken(t.Context(), admin, home, made.ID)
			must(t, err)
			for _, got := range []models.Scopes{made.Scopes, grant.Credential.Scopes, seen.Scopes} {
				if got.String() != c.want.String() || len(got) != len(c.want) {
					t.Errorf("chosen %v: %q", c.chosen, got)
				}
			}
			if event[2] != (models.Change{Field: "access", After: c.event}) {
				t.Errorf("the event tells %+v", event)
			}
		}
	})
}

// What cannot be made is refused with all reasons at once, makes nothing, and leaves the form good for another try.
func TestCreateAPITokenRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		elsewhere := firstProduct(t, w, other.Slug)
		_, err = w.CreateProduct(t.Context(), admin, other.Slug, models.ProductNaming{Name: "Second", Prefix: "two2"})
		must(t, err)
		form := secret.FormID()
		unchanged(t, w, "what cannot be made", func() {
			for what, c := range map[string]struct {
				in     string
				n      models.NewAPIToken
				fields string
			}{
				"nothing filled in":               {home, models.NewAPIToken{Expiration: "soon", Chosen: true}, "name expiration scope"},
				"a date in the past":              {home, models.NewAPIToken{Name: "a", Expiration: models.OnADate, ExpiresAt: "2026-11-21T09:30"}, "expires_at"},
				"an operation that there is not":  {home, models.NewAPIToken{Name: "a", Chosen: true, Scopes: models.Scopes{"agents:list", "agents:sing"}}, "scope"},
				"no operation":                    {home, models.NewAPIToken{Name: "a", Chosen: true}, "scope"},
				"another workspace's product":     {home, models.NewAPIToken{Name: "a", ProductID: elsewhere.ID}, "product"},
				"no product at all":               {home, models.NewAPIToken{Name: "a", ProductID: models.NewID()}, "product"},
				"what is no product's ID":         {home, models.NewAPIToken{Name: "a", ProductID: "\x00"}, "product"},
				"one of two products, but not so": {other.Slug, models.NewAPIToken{Name: "a"}, "product"},
			} {
				made, text, err := w.CreateAPIToken(t.Context(), admin, c.in, c.n, form)
				var told []string
				for _, f := range fields(err) {
					told = append(told, f.Name)
				}
				if strings.Join(told, " ") != c.fields || made.ID != "" || text != "" {
					t.Errorf("%s: %v (%+v)", what, err, made)
				}
			}
			for _, wrong := range []string{"", "x", "' OR 1=1 --;' OR 1=1 --"} {
				_, text, err := w.CreateAPIToken(t.Context(), admin, home, models.NewAPIToken{Name: "a"}, wrong)
				if models.KindOf(err) != models.Invalid || text != "" {
					t.Errorf("the form %q: %v", wrong, err)
				}
			}
		})
		if n := number(t, w, "SELECT (SELECT count(*) FROM credentials) + (SELECT count(*) FROM used_forms) + (SELECT count(*) FROM usages)"); n != 0 {
			t.Errorf("%d rows", n)
		}
		_, text, err := w.CreateAPIToken(t.Context(), admin, home, models.NewAPIToken{Name: "a"}, form)
		if err != nil || text == "" {
			t.Errorf("the form, once it can be: %v", err)
		}
	})
}

// R1: one form makes one token, sent again at once, by a reload much later, or filled in otherwise: whoever comes second
// is told what it made, and gets no secret.
func TestOneFormMakesOneAPIToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		form, n := secret.FormID(), models.NewAPIToken{Name: "a", Expiration: models.OnADate, ExpiresAt: "2026-11-22T09:30"}
		texts, stores := make([]secret.Text, 10), []*store.Store{w.Store, w.Open(t)}
		failed := atOnce(len(texts), func(i int) (err error) {
			_, texts[i], err = stores[i%2].CreateAPIToken(t.Context(), admin, home, n, form)
			return err
		})
		if got := kinds(failed); got[""] != 1 || got[models.ShownAlready] != len(texts)-1 {
			t.Fatalf("got %v: %v", got, failed)
		}
		found, err := w.APITokens(t.Context(), admin, home, models.TokenFilter{})
		if err != nil || len(found.Tokens) != 1 {
			t.Fatalf("made %+v (%v)", found.Tokens, err)
		}
		for i, err := range failed {
			if (texts[i] != "") != (err == nil) || err != nil && subject(err) != found.Tokens[0].ID {
				t.Errorf("number %d: a secret of %d characters, %v of %q", i, len(texts[i]), err, subject(err))
			}
		}
		w.Clock.Advance(48 * time.Hour) // the date is over by now
		for _, again := range []models.NewAPIToken{n, {Name: "b"}, {}} {
			_, text, err := w.CreateAPIToken(t.Context(), admin, home, again, form)
			if models.KindOf(err) != models.ShownAlready || subject(err) != found.Tokens[0].ID || text != "" {
				t.Errorf("%+v: %v", again, err)
			}
		}
		_, text, err := w.RegenerateAPIToken(t.Context(), admin, home, found.Tokens[0].ID, models.Regeneration{}, form)
		if models.KindOf(err) != models.ShownAlready || text != "" {
			t.Errorf("regenerated with it: %v", err)
		}
	})
}

// An Admin of the installation ends an API token as they end any credential; the event is the workspace's.
func TestRevokeCredentialEndsAPITokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, text := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a"})
		_, err := w.RevokeCredential(t.Context(), command, made.ID, models.Revocation{Reason: "leaked"})
		must(t, err)
		e := lastEvent(t, w)
		if state := stateOf(t, w, text); state != models.Revoked || e.Action != models.CredentialRevoked || e.WorkspaceID != made.WorkspaceID || e.SubjectName != "a" || e.PersonID != "" {
			t.Errorf("it is %s, the event %+v", state, e)
		}
		list, owners, err := w.Credentials(t.Context(), command, 10)
		if err != nil || len(list) != 1 || list[0].RevokeReason != "leaked" || list[0].Product != "Product API" || len(owners) != 0 {
			t.Errorf("listed %+v of %v (%v)", list, owners, err)
		}
	})
}
