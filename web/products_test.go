package web_test

import (
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// productsOf are the products of the first workspace, the first made first.
func productsOf(t testing.TB, s webtest.Site) []models.Product {
	t.Helper()
	list, err := s.Products(t.Context(), s.Admin, "marlowe-press")
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list
}

// A workspace with several products asks for which one a token is, and names it on the card; a prefix stays as it is once a
// token has it.
func TestSeveralProducts(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, resources := s.SignedIn(t, ines), "/w/marlowe-press/settings/resources"
		only := admin.Get(t, tokensTab).Want(t, 200)
		if only.Page(t).Find("dialog#create").Length() != 1 || only.Page(t).Find(`[name="product"]`).Length() != 0 {
			t.Error("with one product the list has no form that asks for none")
		}
		for _, c := range []struct{ name, prefix, field, says string }{
			{"", "shop", "name", "Enter a product name."}, {"Shop", "Shop", "prefix", "4 lower-case letters or digits"}, {"Shop", "shops", "prefix", "4 lower-case letters or digits"},
			{"Shop", "user", "prefix", "belongs to another kind of credential"}, {"Shop", "prod", "prefix", "Another product of this workspace has the prefix prod."},
			{"product api", "shop", "name", "Another product of this workspace has the name Product API."},
		} {
			back := admin.Post(t, "/w/marlowe-press/settings/products", webtest.Form{"name": c.name, "prefix": c.prefix}).Want(t, 422)
			if told := back.Problem(t, c.field); !strings.Contains(told, c.says) {
				t.Errorf("%+v: it says %q", c, told)
			}
		}
		admin.Post(t, "/w/marlowe-press/settings/products", webtest.Form{"name": "Shop", "prefix": "shop"}).To(t, resources)
		admin.Get(t, resources).Want(t, 200).Has(t, "Shop is saved. Its tokens begin with shop_.")
		shop := productsOf(t, s)[1]

		for _, path := range []string{"/new", "/new?product=", "/new?product=x", "/new?product=" + models.NewID()} {
			page := admin.Get(t, tokensTab+path).Want(t, 200)
			form := page.Page(t).Find(`form[method="get"][action="` + tokensTab + `/new"]`)
			if offers := words(form); !strings.Contains(offers, "Product API (prod)") || !strings.Contains(offers, "Shop (shop)") || form.Find(`[name="product"][value="`+shop.ID+`"]`).Length() != 1 || page.Page(t).Find(`[name="form_id"]`).Length() != 0 {
				t.Errorf("%s offers %q", path, offers)
			}
		}
		numbered := func() string { return admin.Get(t, tokensTab+"/new?product="+shop.ID).Want(t, 200).Value(t, "form_id") }
		if admin.Get(t, tokensTab).Page(t).Find("dialog#create").Length() > 0 {
			t.Error("the list has a form although its operations depend on the product")
		}
		for _, product := range []string{"", models.NewID(), "x"} {
			back := sent(t, admin, tokensTab, numbered(), "name", "Till", "product", product, "access", "all").Want(t, 422)
			if told := back.Problem(t, "product"); !strings.Contains(told, "Choose the product that the token opens.") {
				t.Errorf("%q: it says %q", product, told)
			}
		}
		token, id := shownToken(t, s, sent(t, admin, tokensTab, numbered(), "name", "Till", "product", shop.ID, "access", "all"))
		if card := words(cardOf(t, admin.Get(t, tokensTab), id)); !strings.HasPrefix(token, "shop_") || !strings.Contains(card, "Shop") {
			t.Errorf("%.5s… is on the card %s", token, card)
		}
		path := "/w/marlowe-press/settings/products/" + shop.ID
		back := admin.Post(t, path, webtest.Form{"name": "Shop", "prefix": "till"}).Want(t, 422)
		if told := back.Problem(t, "prefix"); !strings.Contains(told, "Tokens with the prefix shop exist already") {
			t.Errorf("it says %q", told)
		}
		admin.Post(t, path, webtest.Form{"name": "Corner shop", "prefix": "shop"}).To(t, resources)
		if card := words(cardOf(t, admin.Get(t, tokensTab), id)); !strings.Contains(card, "Corner shop") {
			t.Errorf("the card says %s", card)
		}
	})
}

// The operations to choose from are those of the product that was chosen, when the form is opened and when it comes back.
func TestOperationsOfTheChosenProduct(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		admin.Post(t, "/w/marlowe-press/settings/products", webtest.Form{"name": "Shop", "prefix": "shop"}).Want(t, 303)
		first, shop := productsOf(t, s)[0], productsOf(t, s)[1]
		tills, _ := models.ParseResources("Tills (tills)\n  open POST /api/tills")
		if _, err := s.SetResources(t.Context(), s.Admin, "marlowe-press", shop.ID, shop.Revision, tills); err != nil {
			t.Fatal(err)
		}
		has := func(page *webtest.Answer, scope string) bool {
			return page.Page(t).Find(`[name="scope"][value="`+scope+`"]`).Length() == 1
		}
		form := func(product string) *webtest.Answer {
			return admin.Get(t, tokensTab+"/new?product="+product).Want(t, 200)
		}
		if page := form(shop.ID); !has(page, "tills:open") || has(page, "agents:list") || page.Value(t, "product") != shop.ID || !strings.Contains(words(page.Page(t).Find("main")), "It opens Shop (shop)") {
			t.Errorf("for the shop it has %s", words(page.Page(t).Find("main")))
		}
		if page := form(first.ID); has(page, "tills:open") || !has(page, "agents:list") || page.Value(t, "product") != first.ID {
			t.Errorf("for the first it has %s", words(page.Page(t).Find("main")))
		}
		back := sent(t, admin, tokensTab, form(shop.ID).Value(t, "form_id"), "name", "Till", "product", shop.ID, "access", "chosen", "scope", "agents:list").Want(t, 422)
		if told := back.Problem(t, "scope"); !strings.Contains(told, "Shop has no operation of that name. Choose from those that are shown here.") || !has(back, "tills:open") || has(back, "agents:list") {
			t.Errorf("it says %q above %s", told, words(back.Page(t).Find(".scopes")))
		}
		token, _ := shownToken(t, s, sent(t, admin, tokensTab, back.Value(t, "form_id"), "name", "Till", "product", back.Value(t, "product"), "access", "chosen", "scope", "tills:open"))
		if !strings.HasPrefix(token, "shop_") {
			t.Errorf("the token begins with %.5s", token)
		}
	})
}

// A product of another workspace is nobody's here.
func TestAnotherWorkspacesProduct(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin := s.SignedIn(t, ines)
	admin.Post(t, "/workspaces", webtest.Form{"name": "Harbour"}).Want(t, 303)
	ours := productsOf(t, s)[0]
	fill(t, admin, "/w/harbour/settings/api-tokens", "name", "x", "product", ours.ID, "access", "all").Want(t, 422)
	for _, page := range []string{"/resources", "/upstream"} {
		admin.Get(t, "/w/harbour/settings/products/"+ours.ID+page).Want(t, 404)
	}
	admin.Post(t, "/w/harbour/settings/products/"+ours.ID, webtest.Form{"name": "Theirs", "prefix": "prod"}).Want(t, 404)
}

// A workspace is not deleted while a token of it is alive, and says how many are; when its name is typed it is gone for
// everybody, with the menu's entry.
func TestDeletingAWorkspace(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		const path = "/w/marlowe-press/settings/delete"
		memberOf := s.Person(t, s.Admin, models.Member)
		admin, member := s.SignedIn(t, ines), s.SignedIn(t, memberOf.Email)
		var tokens []string
		for _, name := range []string{"One", "Two"} {
			made, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: name})
			tokens = append(tokens, tokensTab+"/"+made.ID)
		}
		admin.Post(t, tokens[1]+"/deactivate", nil).Want(t, 303) // it counts: it could be activated
		admin.Get(t, path).Want(t, 200).Has(t, "Marlowe Press can’t be deleted yet").Has(t, "2 tokens, active or inactive.")
		admin.Post(t, path, webtest.Form{"typed": "Marlowe Press"}).Want(t, 409).Has(t, "2 tokens")
		admin.Post(t, tokens[0]+"/revoke", nil).Want(t, 303)
		admin.Post(t, path, webtest.Form{"typed": "Marlowe Press"}).Want(t, 409).Has(t, "1 token")
		admin.Post(t, tokens[1]+"/revoke", nil).Want(t, 303)

		member.Get(t, path).Want(t, 403)
		member.Post(t, path, webtest.Form{"typed": "Marlowe Press"}).Want(t, 403)
		back := admin.Post(t, path, webtest.Form{"typed": "Marlow Press"}).Want(t, 422)
		if told := back.Problem(t, "typed"); !strings.Contains(told, "Type the name as it is written: Marlowe Press") || back.Value(t, "typed") != "Marlow Press" {
			t.Errorf("it says %q", told)
		}
		admin.Post(t, path, webtest.Form{"typed": " Marlowe Press "}).To(t, "/")
		admin.Get(t, "/").Want(t, 200).Has(t, "Marlowe Press is deleted.")
		for _, gone := range []string{"", "/api-tokens", "/resources", "/members", "/delete"} {
			admin.Get(t, "/w/marlowe-press/settings"+gone).Want(t, 404)
			member.Get(t, "/w/marlowe-press/settings"+gone).Want(t, 404)
		}
		if page := member.Get(t, "/").Want(t, 200); strings.Contains(page.Body, "/w/marlowe-press") {
			t.Error("a member is still led to it")
		}
	})
}

// How many calls a token may make in a minute is said in the settings, by those who may, and told beside the resources.
func TestLimitsForm(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		const settings = "/w/marlowe-press/settings"
		admin, member := s.SignedIn(t, ines), s.SignedIn(t, s.Person(t, s.Admin, models.Member).Email)
		for _, typed := range []string{"", "0", "-1", "1000001", "1.5", "many", "99999999999999999999"} {
			back := admin.Post(t, settings+"/limits", webtest.Form{"calls_a_minute": typed}).Want(t, 422)
			field := back.Page(t).Find(`[name="calls_a_minute"]`)
			if told := back.Problem(t, "calls_a_minute"); !strings.Contains(told, "a whole number from 1 to 1,000,000") || field.AttrOr("value", "") != typed {
				t.Errorf("%q comes back as %q with %q", typed, field.AttrOr("value", ""), told)
			}
		}
		admin.Post(t, settings+"/limits", webtest.Form{"calls_a_minute": " 300 "}).To(t, settings)
		if told := admin.Get(t, settings).Want(t, 200).Value(t, "calls_a_minute"); told != "300" {
			t.Errorf("the form has %q", told)
		}
		member.Post(t, settings+"/limits", webtest.Form{"calls_a_minute": "1000000"}).Want(t, 403)
		member.Get(t, settings).Want(t, 200).Has(t, "300 calls a minute for each API token, 300 for each automation token, 50 for a person's sign-ins by the account API together.")
		admin.Get(t, settings+"/resources").Want(t, 200).Has(t, "300 calls a minute for each API token")
	})
}

// A person reads and types times in the time zone that they chose, one of those that there are.
func TestTimeZoneForm(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, colleague := s.SignedIn(t, ines), s.SignedIn(t, s.Person(t, s.Admin, models.Admin).Email)
		made, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Dated"})
		for _, typed := range []string{"", "Local", "Mars/Base", "../../etc/passwd", "europe/nowhere"} {
			back := admin.Post(t, "/account/time-zone", webtest.Form{"time_zone": typed}).Want(t, 422)
			if told := back.Problem(t, "time_zone"); !strings.Contains(told, "Enter a time zone by its name") || back.Page(t).Find(`[name="time_zone"]`).AttrOr("value", "") != typed {
				t.Errorf("%q comes back with %q", typed, told)
			}
		}
		admin.Post(t, "/account/time-zone", webtest.Form{"time_zone": " Asia/Kathmandu "}).To(t, "/account")
		if zone := admin.Get(t, "/account").Want(t, 200).Has(t, "Your time zone is saved.").Value(t, "time_zone"); zone != "Asia/Kathmandu" {
			t.Errorf("the form has %q", zone)
		}
		for who, want := range map[*webtest.Agent]string{admin: "21 Nov 2026 15:15 +0545", colleague: "21 Nov 2026 09:30 UTC"} {
			if got := factOf(cardOf(t, who.Get(t, tokensTab), made.ID), "Created"); !strings.HasPrefix(got, want) {
				t.Errorf("the card says %q, want %q", got, want)
			}
		}
	})
}
