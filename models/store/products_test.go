package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// A workspace is born with a product of its own: the prefix prod, the eight resources, and the sample as its upstream.
func TestWorkspacesAreBornWithAProduct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		second, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Second"})
		must(t, err)
		var ids []string
		for _, name := range []string{home, second.Slug} {
			list, err := w.Products(t.Context(), admin, name)
			if err != nil || len(list) != 1 {
				t.Fatalf("%s has %+v (%v)", name, list, err)
			}
			p := list[0]
			if p.Name != "Product API" || p.Prefix != "prod" || !p.Sample() || p.Revision != 1 || p.MaxBodyMiB != 2048 || p.ConnectTimeoutS != 3 || p.AnswerTimeoutS != 30 ||
				p.PassCredential || p.WebSocket || len(p.Headers)+len(p.SigningKey) != 0 || !p.CreatedAt.Equal(w.Clock.Now()) || !reflect.DeepEqual(p.Resources, models.DefaultResources()) {
				t.Errorf("%s has %+v", name, p)
			}
			if again, err := w.Product(t.Context(), p.ID); err != nil || !reflect.DeepEqual(again, p) {
				t.Errorf("by its ID it is %+v (%v)", again, err)
			}
			ids = append(ids, p.ID)
		}
		if ids[0] == ids[1] {
			t.Error("two workspaces share one")
		}
		for _, id := range []string{models.NewID(), "x", "\x00", ""} {
			_, err := w.Product(t.Context(), id)
			wantKind(t, "no product", err, models.NotFound)
		}
		if n := events(t, w, models.ProductCreated); n != 0 {
			t.Errorf("%d events", n)
		}
	})
}

// Another product has its name and a prefix that no other of the workspace has, and its tokens begin with it; a workspace
// has so many and no more.
func TestCreateProduct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		create := func(name, prefix string) (models.Product, error) {
			return w.CreateProduct(t.Context(), admin, home, models.ProductNaming{Name: name, Prefix: prefix})
		}
		made, err := create(" Billing  API ", "bill")
		must(t, err)
		if list, err := w.Products(t.Context(), admin, home); err != nil || len(list) != 2 || list[0].Prefix != "prod" || list[1].ID != made.ID || list[1].Name != "Billing API" || len(list[1].Resources) != 8 {
			t.Errorf("listed %+v (%v)", list, err)
		}
		if e := lastEvent(t, w); e.Action != models.ProductCreated || e.SubjectKind != models.OfProduct || e.SubjectID != made.ID || e.SubjectName != "Billing API" || e.WorkspaceID != made.WorkspaceID ||
			!slices.Equal(e.ChangeList(), []models.Change{{Field: "prefix", After: "bill"}}) {
			t.Errorf("the event is %+v", e)
		}
		token, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a", ProductID: made.ID})
		if token.Prefix[:5] != "bill_" || token.ProductID != made.ID {
			t.Errorf("made %+v", token)
		}
		unchanged(t, w, "what is no product", func() {
			_, err := create("Other", "prod")
			wantField(t, "a prefix that is there", err, "prefix", "Another product of this workspace has the prefix prod.")
			_, err = create("Other", "user")
			wantField(t, "a prefix of another kind", err, "prefix", "belongs to another kind")
			_, err = create(" billing api ", "othe")
			wantField(t, "a name that is there", err, "name", "Another product of this workspace has the name Billing API.")
			_, err = create("", "othe")
			wantField(t, "no name", err, "name", "Enter")
		})
		elsewhere, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		_, err = w.CreateProduct(t.Context(), admin, elsewhere.Slug, models.ProductNaming{Name: "Billing API", Prefix: "bill"})
		must(t, err)
		for i := 2; i < models.MostProducts; i++ {
			_, err := create(fmt.Sprint("Many ", i), fmt.Sprintf("m%03d", i))
			must(t, err)
		}
		unchanged(t, w, "one too many", func() {
			_, err := create("Many", "last")
			wantKind(t, "one too many", err, models.Conflict)
		})
	})
}

// Two who make a product at once get two, unless they want one prefix or one name: then one of them is told so.
func TestCreateProductAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		stores := []*store.Store{w.Store, w.Open(t)}
		failed := atOnce(10, func(i int) error {
			_, err := stores[i%2].CreateProduct(t.Context(), admin, home, models.ProductNaming{Name: fmt.Sprint("Many ", i), Prefix: fmt.Sprintf("sam%d", i/2)})
			return err
		})
		if got := kinds(failed); got[""] != 5 || got[models.Invalid] != 5 {
			t.Errorf("%v", failed)
		}
		failed = atOnce(6, func(i int) error {
			_, err := stores[i%2].CreateProduct(t.Context(), admin, home, models.ProductNaming{Name: "One", Prefix: fmt.Sprintf("one%d", i)})
			return err
		})
		if got := kinds(failed); got[""] != 1 || got[models.Invalid] != 5 {
			t.Errorf("of one name: %v", failed)
		}
	})
}

// A product's name may always change; its prefix only until a token has it, be that revoked since.
func TestNameProduct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product := firstProduct(t, w, home)
		other, err := w.CreateProduct(t.Context(), admin, home, models.ProductNaming{Name: "Other", Prefix: "othe"})
		must(t, err)
		name := func(name, prefix string) (models.Product, error) {
			return w.NameProduct(t.Context(), admin, home, product.ID, models.ProductNaming{Name: name, Prefix: prefix})
		}
		named, err := name("Press API", "prss")
		if err != nil || named.Name != "Press API" || named.Prefix != "prss" || named.Revision != 2 {
			t.Errorf("named %+v (%v)", named, err)
		}
		if e := lastEvent(t, w); e.Action != models.ProductChanged || e.SubjectName != "Press API" ||
			!slices.Equal(e.ChangeList(), []models.Change{{Field: "name", Before: "Product API", After: "Press API"}, {Field: "prefix", Before: "prod", After: "prss"}}) {
			t.Errorf("the event is %+v", e)
		}
		unchanged(t, w, "what changes nothing", func() {
			same, err := name(" Press API", "prss")
			if err != nil || same.Revision != 2 {
				t.Errorf("the same again is %+v (%v)", same, err)
			}
			_, err = name("Press API", "othe")
			wantField(t, "the other one's prefix", err, "prefix", "Another product")
			_, err = name("OTHER", "prss")
			wantField(t, "the other one's name", err, "name", "Another product of this workspace has the name Other.")
			_, err = name("Press API", "Prss")
			wantField(t, "capitals", err, "prefix", "4 lower-case")
		})
		token, _ := w.WorkspaceToken(t, admin, home, models.NewAPIToken{Name: "a", ProductID: product.ID})
		_, err = w.RevokeAPIToken(t.Context(), admin, home, token.ID, models.Revocation{})
		must(t, err)
		unchanged(t, w, "a prefix that is used", func() {
			_, err := name("New", "news")
			wantField(t, "a prefix that was used", err, "prefix", "Tokens with the prefix prss exist already")
		})
		if again, err := name("New", "prss"); err != nil || again.Name != "New" {
			t.Errorf("named %+v (%v)", again, err)
		}
		if list, err := w.Products(t.Context(), admin, home); err != nil || list[0].Name != "New" || list[1].Name != "Other" || list[1].Revision != other.Revision {
			t.Errorf("the products are %+v (%v)", list, err)
		}
	})
}

// Where a product's calls go is for Admins of the installation alone; each setting is kept, and the event tells what
// differs, but of what is sealed only that it was set.
func TestPointProduct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product := firstProduct(t, w, home)
		usual := models.ProductUpstream{ConnectTimeoutS: 3, AnswerTimeoutS: 30, MaxBodyMiB: 2048}
		point := func(u models.ProductUpstream) (models.Product, error) {
			return w.PointProduct(t.Context(), admin, home, product.ID, firstProduct(t, w, home).Revision, u)
		}
		all := models.ProductUpstream{
			Upstream: "https://api.x.example", ConnectTimeoutS: 5, AnswerTimeoutS: 60, MaxBodyMiB: 7, PassCredential: true, WebSocket: true, Headers: []byte("sealed\x00"), SigningKey: []byte("key\xff"),
		}
		unchanged(t, w, "as it is", func() { _, err := point(usual); must(t, err) })
		_, err := point(all)
		must(t, err)
		p := firstProduct(t, w, home)
		got := models.ProductUpstream{
			Upstream: p.Upstream, ConnectTimeoutS: p.ConnectTimeoutS, AnswerTimeoutS: p.AnswerTimeoutS, MaxBodyMiB: p.MaxBodyMiB, PassCredential: p.PassCredential, WebSocket: p.WebSocket, Headers: p.Headers, SigningKey: p.SigningKey,
		}
		if !reflect.DeepEqual(got, all) || p.Revision != 2 || p.Sample() {
			t.Errorf("it is %+v", p)
		}
		want := []models.Change{
			{Field: "upstream", Before: "the sample product", After: "https://api.x.example"}, {Field: "time to connect", Before: "3 s", After: "5 s"}, {Field: "time to answer", Before: "30 s", After: "60 s"},
			{Field: "largest request", Before: "2048 MiB", After: "7 MiB"}, {Field: "credential passed on", Before: "no", After: "yes"}, {Field: "WebSockets", Before: "no", After: "yes"},
			{Field: "header fields", After: "set"}, {Field: "signing key", After: "made"},
		}
		if e := lastEvent(t, w); e.Action != models.ProductChanged || !slices.Equal(e.ChangeList(), want) {
			t.Errorf("the event tells %+v", e.ChangeList())
		}
		all.SigningKey = nil // as it is
		unchanged(t, w, "the same again", func() { _, err := point(all); must(t, err) })
		unchanged(t, w, "numbers that are none", func() {
			_, err := point(models.ProductUpstream{ConnectTimeoutS: 31, AnswerTimeoutS: 30, MaxBodyMiB: 1})
			wantField(t, "too patient", err, "connect_timeout", "1 to 30")
		})
		unchanged(t, w, "a form from before somebody else's change", func() {
			for _, seen := range []int64{1, 3, 0} {
				_, err := w.PointProduct(t.Context(), admin, home, product.ID, seen, usual)
				wantKind(t, fmt.Sprint("revision ", seen), err, models.Conflict)
			}
		})
		back, err := point(usual)
		if err != nil || !back.Sample() || string(back.SigningKey) != "key\xff" || len(firstProduct(t, w, home).Headers) != 0 {
			t.Errorf("back at the sample it is %+v (%v)", back, err)
		}
	})
}

// A signing key is replaced by people who have seen that there is one, once for each form.
func TestSetSigningKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		product, form := firstProduct(t, w, home), secret.FormID()
		set := func(revision int64, key, form string) error {
			_, err := w.SetSigningKey(t.Context(), admin, home, product.ID, revision, []byte(key), form)
			return err
		}
		unchanged(t, w, "a form from before somebody else's change", func() {
			for _, seen := range []int64{0, 2} {
				wantKind(t, fmt.Sprint("revision ", seen), set(seen, "other", form), models.Conflict)
			}
		})
		must(t, set(1, "one", form))
		unchanged(t, w, "the form again", func() { wantKind(t, "shown", set(1, "two", form), models.ShownAlready) })
		if p := firstProduct(t, w, home); string(p.SigningKey) != "one" || p.Revision != 2 || !slices.Equal(lastEvent(t, w).ChangeList(), []models.Change{{Field: "signing key", After: "made"}}) {
			t.Errorf("it is %+v", p)
		}
		must(t, set(2, "two", secret.FormID()))
	})
}

// Who may do what with products: who runs the workspace changes its resources, Admins of the installation where calls go,
// each Member looks, and to everybody else there are none. A product of another workspace is not there.
func TestWhoMayChangeProducts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		owner, boss, member := w.Person(t, admin, models.Member), w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		other, err := w.CreateWorkspace(t.Context(), admin, models.NewWorkspace{Name: "Other"})
		must(t, err)
		stranger := w.Person(t, admin, models.Member)
		_, err = w.AddMember(t.Context(), admin, other.Slug, models.NewMember{Email: stranger.Email, Role: models.WorkspaceAdmin})
		must(t, err)
		_, err = w.ChangeMember(t.Context(), admin, home, boss.ID, models.WorkspaceAdmin)
		must(t, err)
		_, err = w.HandOver(t.Context(), admin, home, owner.ID)
		must(t, err)
		product, foreign := firstProduct(t, w, home), firstProduct(t, w, other.Slug)
		token, _ := w.Token(t, admin, owner.ID)
		const ok, no, hidden = models.Kind(""), models.Forbidden, models.NotFound
		n := 0
		for name, c := range map[string]struct {
			who               models.Actor
			look, edit, point models.Kind
		}{
			"an Admin":            {admin, ok, ok, ok},
			"the command line":    {command, ok, ok, ok},
			"the Owner":           {storetest.As(owner), ok, ok, no},
			"its Admin":           {storetest.As(boss), ok, ok, no},
			"the Owner's program": {models.Actor{Kind: models.Program, ID: owner.ID, Role: models.Member, CredentialID: token.ID}, ok, ok, no},
			"a Member":            {storetest.As(member), ok, no, no},
			"somebody else":       {storetest.As(stranger), hidden, hidden, hidden},
			"a visitor":           {guest, hidden, hidden, hidden},
		} {
			n++
			p, err := w.Product(t.Context(), product.ID)
			must(t, err)
			_, err = w.Products(t.Context(), c.who, home)
			wantKind(t, "look by "+name, err, c.look)
			_, err = w.CreateProduct(t.Context(), c.who, home, models.ProductNaming{Name: fmt.Sprint("New ", n), Prefix: fmt.Sprintf("n%03d", n)})
			wantKind(t, "create by "+name, err, c.edit)
			_, err = w.NameProduct(t.Context(), c.who, home, product.ID, models.ProductNaming{Name: models.NewID(), Prefix: "prod"})
			wantKind(t, "name by "+name, err, c.edit)
			if c.edit == ok {
				p.Revision++
			}
			_, err = w.SetResources(t.Context(), c.who, home, product.ID, p.Revision, models.Resources{})
			wantKind(t, "resources by "+name, err, c.edit)
			_, err = w.PointProduct(t.Context(), c.who, home, product.ID, firstProduct(t, w, home).Revision, models.ProductUpstream{Upstream: "http://127.0.0.1:" + fmt.Sprint(n), ConnectTimeoutS: 1, AnswerTimeoutS: 1, MaxBodyMiB: 1})
			wantKind(t, "point by "+name, err, c.point)
		}
		for _, id := range []string{foreign.ID, models.NewID(), "x", "\x00"} {
			_, err := w.NameProduct(t.Context(), admin, home, id, models.ProductNaming{Name: "Mine", Prefix: "mine"})
			wantKind(t, "another workspace's", err, models.NotFound)
			_, err = w.PointProduct(t.Context(), admin, home, id, 1, models.ProductUpstream{ConnectTimeoutS: 1, AnswerTimeoutS: 1, MaxBodyMiB: 1})
			wantKind(t, "another workspace's", err, models.NotFound)
		}
		if p, err := w.Product(t.Context(), foreign.ID); err != nil || p.Revision != 1 {
			t.Errorf("the other one is %+v (%v)", p, err)
		}
	})
}
