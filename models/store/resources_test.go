package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Resources are changed by whoever has seen what is there: a form from before somebody else's change is refused, and
// changes nothing. The event tells operation by operation.
func TestSetResources(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product := firstProduct(t, w, home)
		set := func(revision int64, r models.Resources) (models.Product, error) {
			return w.SetResources(t.Context(), admin, home, product.ID, revision, r)
		}
		want := models.Resources{{Key: "notes", Name: "Notes", Operations: []models.Operation{{Name: "list", Method: "GET", Pattern: "/api/notes"}}}}
		changed, err := set(1, models.Resources{{Key: " notes ", Name: "Notes", Operations: []models.Operation{{Name: "list", Method: "get", Pattern: "/api/notes"}, {}}}})
		if err != nil || changed.Revision != 2 || !reflect.DeepEqual(changed.Resources, want) {
			t.Fatalf("it is %+v (%v)", changed, err)
		}
		said := lastEvent(t, w).ChangeList()
		if len(said) != 8+25+2 || said[0] != (models.Change{Field: "resource agents", Before: "Agents"}) || said[34] != (models.Change{Field: "operation notes:list", After: "GET /api/notes"}) {
			t.Errorf("the event tells %d changes: %+v", len(said), said)
		}
		unchanged(t, w, "what is refused, or changes nothing", func() {
			_, err := set(1, models.DefaultResources())
			wantKind(t, "a stale form", err, models.Conflict)
			_, err = set(3, models.DefaultResources())
			wantKind(t, "a form from nowhere", err, models.Conflict)
			_, err = set(2, models.Resources{{Key: "notes", Name: "Notes"}})
			wantField(t, "no operation", err, "operations", "Notes: add at least one operation.")
			same, err := set(2, want)
			if err != nil || same.Revision != 2 {
				t.Errorf("the same again is %+v (%v)", same, err)
			}
		})
		if p := firstProduct(t, w, home); p.Revision != 2 || !reflect.DeepEqual(p.Resources, want) {
			t.Errorf("it is %+v", p)
		}
		two := append(models.Resources{{Key: "more", Name: "More", Operations: []models.Operation{{Name: "list", Method: "GET", Pattern: "/api/more"}}}}, want...)
		_, err = set(2, two)
		must(t, err)
		_, err = set(3, models.Resources{two[1], two[0]})
		must(t, err)
		if p := firstProduct(t, w, home); p.Resources[0].Key != "notes" || p.Resources[1].Key != "more" || !slices.Equal(lastEvent(t, w).ChangeList(), []models.Change{{Field: "resources", After: "in another order"}}) {
			t.Errorf("in another order they are %+v", p.Resources)
		}
		if none, err := set(4, nil); err != nil || none.Revision != 5 || len(firstProduct(t, w, home).Resources) != 0 {
			t.Errorf("with no resources it is %+v (%v)", none, err)
		}
		stores := []*store.Store{w.Store, w.Open(t)}
		failed := atOnce(6, func(i int) error {
			mine := models.Resources{{Key: "notes", Name: fmt.Sprint("Notes ", i), Operations: slices.Clone(want[0].Operations)}}
			_, err := stores[i%2].SetResources(t.Context(), admin, home, product.ID, 5, mine)
			return err
		})
		if got := kinds(failed); got[""] != 1 || got[models.Conflict] != 5 {
			t.Errorf("many at once: %v", failed)
		}
	})
}

// Before resources become others it can be asked which tokens lose by it: those that could still open something, active or not, the first few by name.
func TestTokensLosing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product := firstProduct(t, w, home)
		other, err := w.CreateProduct(t.Context(), admin, home, models.ProductNaming{Name: "Other", Prefix: "othe"})
		must(t, err)
		token := func(name string, n models.NewAPIToken) models.Credential {
			n.Name, n.Chosen = name, len(n.Scopes) > 0
			if n.ProductID == "" {
				n.ProductID = product.ID
			}
			made, _ := w.WorkspaceToken(t, admin, home, n)
			return made
		}
		search := models.Scopes{"knowledge-base:search"}
		token("Ended", models.NewAPIToken{Scopes: search, Expiration: models.ForAWeek})
		w.Clock.Advance(8 * 24 * time.Hour)
		token("Everything", models.NewAPIToken{})
		off := token("Off", models.NewAPIToken{Scopes: models.Scopes{"agents:list", "knowledge-base:search"}})
		_, err = w.SwitchAPIToken(t.Context(), admin, home, off.ID, false)
		must(t, err)
		token("Elsewhere", models.NewAPIToken{ProductID: other.ID, Scopes: search})
		token("Kept", models.NewAPIToken{Scopes: models.Scopes{"agents:list"}})
		gone := token("Gone", models.NewAPIToken{Scopes: search})
		_, err = w.RevokeAPIToken(t.Context(), admin, home, gone.ID, models.Revocation{})
		must(t, err)
		losing := func(change func(string) string) models.Losers {
			t.Helper()
			to, wrong := models.ParseResources(change(models.DefaultResources().Text()))
			if len(wrong) > 0 {
				t.Fatal(wrong)
			}
			found, err := w.TokensLosing(t.Context(), admin, home, product.ID, to)
			must(t, err)
			return found
		}
		same := func(text string) string { return text }
		renamed := func(text string) string { return strings.ReplaceAll(text, "(knowledge-base)", "(docs)") }
		none := func(string) string { return "" }
		if got := losing(same); got.Count != 0 || len(got.Scopes) != 0 {
			t.Errorf("as it is: %+v", got)
		}
		if got := losing(renamed); got.Count != 1 || !reflect.DeepEqual(got.Tokens, []models.Loser{{Name: "Off", Scopes: search}}) || got.Looked != 0 {
			t.Errorf("with another key: %+v", got)
		}
		if got := losing(none); got.Count != 3 || !got.Empty || len(got.Tokens) != 3 || got.Tokens[0].Name != "Everything" || !slices.Equal(got.Tokens[0].Scopes, models.DefaultResources().Scopes()) {
			t.Errorf("with nothing left: %+v", got)
		}
		for range 5 {
			token("More", models.NewAPIToken{Scopes: search})
		}
		if got := losing(renamed); got.Count != 6 || len(got.Tokens) != 5 {
			t.Errorf("with five more: %+v", got)
		}
		w.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = 7 })
		if got := losing(none); got.Looked != 7 || got.Count != 7 {
			t.Errorf("of 8 tokens: %+v", got)
		}
		_, err = w.TokensLosing(t.Context(), storetest.As(w.Person(t, admin, models.Member)), home, product.ID, nil)
		wantKind(t, "a Member", err, models.Forbidden)
	})
}
