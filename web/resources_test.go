package web_test

import (
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

// What an Admin makes of the resources is felt by the next call. Two who edit at once do not undo one another's work, and
// patterns between which nobody could choose are refused as the pair that they are.
func TestEditingResources(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		api, admin := newOwnAPI(t), s.SignedIn(t, ines)
		product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
		point(t, admin, product, pointing(api.URL)).Want(t, 303)
		p, _ := holder(t, s, models.NewAPIToken{Chosen: true, Scopes: models.Scopes{"agents:list", "storage:list"}})
		p.call(t, "GET", "/api/agent-base", "").Want(t, 204)
		page := admin.Get(t, product+"/resources").Want(t, 200)
		text, revision := page.Page(t).Find("textarea#resources").Text(), page.Value(t, "revision")
		if strings.TrimSpace(text) != strings.TrimSpace(models.DefaultResources().Text()) {
			t.Fatalf("the page has\n%s", text)
		}
		save := func(text, revision string) *webtest.Answer {
			t.Helper()
			return admin.Post(t, product+"/resources", webtest.Form{"resources": text, "revision": revision})
		}
		moved := "Agents (agents)\r\n  list GET /api/v2/agents\r\n  list GET /api/v2/agents/{id}\r\n\r\nThings\r\n\tlist GET /api/things/*\r\n"
		asked := save(moved, revision).Want(t, 422)
		admin.Post(t, product+"/resources", webtest.Form{"resources": moved, "revision": revision, "lose": loseBox(t, asked)}).To(t, "/w/marlowe-press/settings/resources")
		refusedCall(t, p.call(t, "GET", "/api/agent-base", ""), 404, "no_such_resource")
		p.call(t, "GET", "/api/v2/agents/7", "").Want(t, 204)
		if told := refusedCall(t, p.call(t, "GET", "/api/things/a/b", ""), 403, "scope_missing"); !strings.Contains(told.Detail, "things:list") {
			t.Errorf("it says %s", told.Detail)
		}

		save(text, revision).Want(t, 409).Has(t, "Somebody else has changed this product meanwhile.").Has(t, "/api/agent-base/{id}/executions")
		page = admin.Get(t, product+"/resources").Want(t, 200)
		revision = page.Value(t, "revision")
		for wrong, says := range map[string][]string{
			"A (a)\n  list GET /api/a/{x}/b\n  get GET /api/a/b/{y}": {"Lines 2 and 3: GET /api/a/{x}/b and GET /api/a/b/{y} both match GET /api/a/b/b", "neither is more exact"},
			"A (a)\n  list GET /api/a/{x}\n  get GET /api/a/{y}":     {"GET /api/a/{x} (a:list) and GET /api/a/{y} (a:get) both match", "never reached"},
			"  list GET /api/a":                                  {"Line 1: an operation stands below its resource."},
			"A (a)\n  list GET":                                  {"Line 2: an operation is a name, a method and a path"},
			"A (a)\n  list GET /api/a/../b":                      {"Line 2: the path must not have . or .. as a part of its own."},
			"A (a)\n  list GET /people":                          {"Line 2: the path must begin with /api/."},
			"A (a)\n  list GET /api/a\nB (a)\n  list GET /api/b": {"Lines 1 and 3: Two resources have the key a."},
		} {
			back := save(wrong, revision).Want(t, 422)
			told := words(back.Page(t).Find(".errs")) + back.Problem(t, "resources")
			for _, says := range says {
				if !strings.Contains(told, says) {
					t.Errorf("%q: it says %s", wrong, told)
				}
			}
			if kept := back.Page(t).Find("textarea#resources").Text(); strings.TrimSpace(kept) != strings.TrimSpace(wrong) || back.Value(t, "revision") != revision {
				t.Errorf("%q comes back as %q", wrong, kept)
			}
		}
		p.call(t, "GET", "/api/v2/agents", "").Want(t, 204) // as it was
		save(text, revision).Want(t, 303)
		p.call(t, "GET", "/api/agent-base", "").Want(t, 204)
		save(text, "no number").Want(t, 400)
	})
}

// loseBox is what the box to tick stands for.
func loseBox(t testing.TB, asked *webtest.Answer) string {
	t.Helper()
	return asked.Page(t).Find(`input#lose[type="checkbox"]:not([checked])`).AttrOr("value", "")
}

// Resources that live tokens use are taken away only from somebody who was told which tokens lose what, and has ticked that it is meant; what
// is typed after that is asked about again. A product is emptied in the same way, whoever uses it.
func TestTakingOperationsAway(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, before := s.SignedIn(t, ines), productsOf(t, s)[0]
		product, text := "/w/marlowe-press/settings/products/"+before.ID, models.DefaultResources().Text()
		save := func(text, ticked string) *webtest.Answer {
			t.Helper()
			return admin.Post(t, product+"/resources", webtest.Form{"resources": text, "lose": ticked, "revision": admin.Get(t, product+"/resources").Want(t, 200).Value(t, "revision")})
		}
		without := func(text string) string {
			lines := strings.Split(text, "\n")
			return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "  search ") }), "\n")
		}
		empty := save("", "").Want(t, 422)
		if told := empty.Problem(t, "lose"); !strings.Contains(told, "Nothing is saved yet.") || !strings.Contains(words(empty.Page(t).Find("main")), "No resource is left: every call to this product is refused.") {
			t.Errorf("without a resource it says %q", told)
		}
		save(without(text), "").Want(t, 303) // nobody has a token
		save(text, "").Want(t, 303)

		s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Search <box>", Chosen: true, Scopes: models.Scopes{"knowledge-base:search"}})
		now := productsOf(t, s)[0].Revision
		for name, typed := range map[string]string{"nothing left": "", "a line": without(text), "a key": strings.ReplaceAll(text, "(knowledge-base)", "(docs)")} {
			asked := save(typed, "").Want(t, 422)
			if told := words(asked.Page(t).Find("main")); !strings.Contains(told, "1 token loses operations.") || !strings.Contains(told, "Search <box> loses knowledge-base:search") {
				t.Errorf("%s: it says %s", name, told)
			}
			if kept := asked.Page(t).Find("textarea#resources").Text(); strings.TrimSpace(kept) != strings.TrimSpace(typed) {
				t.Errorf("%s comes back as %q", name, kept)
			}
			save(typed, "knowledge-base").Want(t, 422)
		}
		s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Everything"})
		if told := words(save("", "").Want(t, 422).Page(t).Find("main")); !strings.Contains(told, "2 tokens lose operations.") || !strings.Contains(told, "Everything loses agents:list agents:install agents:update agents:delete agent-executions:list and 16 operations more") {
			t.Errorf("it says %s", told)
		}
		line := loseBox(t, save(without(text), "").Want(t, 422))
		save("", line).Want(t, 422) // more than was ticked
		if productsOf(t, s)[0].Revision != now {
			t.Error("something was saved")
		}
		if wrong := save("Agents (agents)\n  list GET /people", line).Want(t, 422); wrong.Problem(t, "lose") != "" {
			t.Error("it asks about a text that cannot be saved")
		}
		save(without(text), line).Want(t, 303)
		if p := productsOf(t, s)[0]; p.Resources.Has("knowledge-base:search") || p.Revision != now+1 {
			t.Errorf("revision %d still has it", p.Revision)
		}
		save(text, "").Want(t, 303)
		save("", loseBox(t, save("", "").Want(t, 422))).Want(t, 303)
		if left := productsOf(t, s)[0].Resources; len(left) != 0 {
			t.Errorf("left is %v", left)
		}
	})
}

// Members of the workspace see what there is, and change nothing; its own Admins change resources, and only Admins of the installation
// where calls go.
func TestWhoMayChangeProducts(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		product, resources := "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID, "/w/marlowe-press/settings/resources"
		tom, ann := s.Person(t, s.Admin, models.Member), s.Person(t, s.Admin, models.Member)
		s.SignedIn(t, ines).Post(t, memberships+"/"+ann.ID, webtest.Form{"role": "Admin"}).Want(t, 303)
		member, owner, before := s.SignedIn(t, tom.Email), s.SignedIn(t, ann.Email), s.Changes(t)
		for _, who := range []*webtest.Agent{member, owner} {
			page := who.Get(t, resources).Want(t, 200).Has(t, "Knowledge Base")
			if who == member && page.Page(t).Find(`main a[href*="/products/"], main form`).Length() > 0 {
				t.Error("a Member is led to what they may not do")
			}
			who.Get(t, product+"/upstream").Want(t, 403)
			for path, form := range map[string]webtest.Form{"/upstream": pointing("http://x.invalid"), "/test": pointing("http://x.invalid"), "/signing-key": {"form_id": secret.FormID()}} {
				who.Post(t, product+path, form).Want(t, 403)
			}
		}
		member.Get(t, product+"/resources").Want(t, 403)
		member.Post(t, product+"/resources", webtest.Form{"resources": "A (a)\n list GET /api/a", "revision": "1"}).Want(t, 403)
		member.Post(t, product, webtest.Form{"name": "x", "prefix": "abcd"}).Want(t, 403)
		if s.Changes(t) != before {
			t.Error("something was changed")
		}
		owner.Post(t, product+"/resources", webtest.Form{"resources": "A (a)\n list GET /api/a", "revision": "1"}).Want(t, 303) // there are no tokens
	})
}
