package web_test

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/sample"
	"tokendesk/web/webtest"
)

// ownAPI is a product that somebody runs: it answers 204 and keeps what arrived.
type ownAPI struct {
	*httptest.Server
	mu      sync.Mutex
	arrived []*http.Request
}

func newOwnAPI(t testing.TB) *ownAPI {
	t.Helper()
	api := &ownAPI{}
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api.mu.Lock()
		defer api.mu.Unlock()
		api.arrived = append(api.arrived, r)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(api.Close)
	return api
}

// take answers what has arrived since the last time.
func (api *ownAPI) take() []*http.Request {
	api.mu.Lock()
	defer api.mu.Unlock()
	arrived := api.arrived
	api.arrived = nil
	return arrived
}

// one is the one call that has arrived.
func (api *ownAPI) one(t testing.TB) *http.Request {
	t.Helper()
	arrived := api.take()
	if len(arrived) != 1 {
		t.Fatalf("%d calls arrived", len(arrived))
	}
	return arrived[0]
}

// pointing is the form that sends a product's calls to an address; more fields come in pairs.
func pointing(address string, fields ...string) webtest.Form {
	form := webtest.Form{"to": "own", "upstream": address, "connect_timeout": "1", "answer_timeout": "5", "max_body": "10"}
	for i := 0; i+1 < len(fields); i += 2 {
		form[fields[i]] = fields[i+1]
	}
	return form
}

// point sends that form, as somebody does who has just opened its page.
func point(t testing.TB, who *webtest.Agent, product string, form webtest.Form) *webtest.Answer {
	t.Helper()
	form["revision"] = who.Get(t, product+"/upstream").Want(t, 200).Value(t, "revision")
	return who.Post(t, product+"/upstream", form)
}

// signingKey makes a product a signing key, in the console.
func signingKey(t testing.TB, s webtest.Site, admin *webtest.Agent, product string) []byte {
	t.Helper()
	form := keyForm(t, admin.Get(t, product+"/signing-key").Want(t, 200))
	shown := admin.Post(t, product+"/signing-key", form).Want(t, 200)
	text := shown.Text(t, "dialog#reveal[open] output#token")
	s.Secrets.Add(secret.Text(text))
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != 32 || strings.Count(shown.Body, text) != 1 || shown.Header.Get("Cache-Control") != "no-store" || shown.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("a key of %d bytes, %d times in the page: %v", len(key), strings.Count(shown.Body, text), err)
	}
	admin.Post(t, product+"/signing-key", form).HasNot(t, text).Has(t, "This key was already shown.")
	admin.Get(t, product+"/upstream").Want(t, 200).HasNot(t, text).Has(t, "Calls are signed.")
	return key
}

// keyForm is the form of a page that makes a signing key, as it would be sent.
func keyForm(t testing.TB, page *webtest.Answer) webtest.Form {
	t.Helper()
	form := page.Want(t, 200).Page(t).Find(`form[action$="/signing-key"]`)
	return webtest.Form{"form_id": form.Find(`[name="form_id"]`).AttrOr("value", ""), "revision": form.Find(`[name="revision"]`).AttrOr("value", "")}
}

// A product without a key gets one at a click, and a key that signs is replaced only by somebody who was asked. The page says of a key that
// was made by itself that nobody was shown it, and how to get one.
func TestMakingASigningKey(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
		page := admin.Get(t, product+"/upstream").Want(t, 200).Has(t, "There is no key yet. Make one here to be shown it.")
		stale := keyForm(t, page)
		point(t, admin, product, pointing("http://one.invalid")).Want(t, 303)
		page = admin.Get(t, product+"/upstream").Want(t, 200).Has(t, "a key that nobody was shown: to get one that your API can check with, make a new signing key below.")
		if told := words(page.Page(t).Find(`[aria-labelledby="key-title"]`)); !strings.Contains(told, "shown to nobody. If your API has no key to check with, make a new one.") {
			t.Errorf("it says %s", told)
		}
		if page.Page(t).Find(`form[action$="/signing-key"]`).Length() != 0 || linkTo(t, page, "Make a new signing key") != product+"/signing-key" {
			t.Error("a key that signs is replaced at one click")
		}
		before := productsOf(t, s)[0]
		admin.Post(t, product+"/signing-key", stale).Want(t, 409).Has(t, "Somebody else has changed this product meanwhile.")
		if after := productsOf(t, s)[0]; string(after.SigningKey) != string(before.SigningKey) {
			t.Error("a page that said there is no key has replaced one")
		}
		admin.Get(t, product+"/signing-key").Want(t, 200).Has(t, "an API that checks with that one refuses every call until it has the new one.")
		signingKey(t, s, admin, product)
		point(t, admin, product, pointing("http://two.invalid")).Want(t, 303)
		admin.Get(t, product+"/upstream").Want(t, 200).Has(t, "Saved. The next call goes there.").HasNot(t, "nobody was shown")
	})
}

// A product that is pointed to an API of one's own has its next call there: who calls stands in signed fields that nobody else
// can send, the token does not, and the product's own fields do. The key that the console showed is the one that signs.
func TestAnAPIOfOnesOwn(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		api, admin := newOwnAPI(t), s.SignedIn(t, ines)
		product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
		p, made := holder(t, s, models.NewAPIToken{})
		p.call(t, "GET", "/api/agent-base", "").Want(t, 200)
		saved := pointing(api.URL+"/base/", "headers", "X-Product-Pass: open sesame\nAccept-Language: en")
		point(t, admin, product, saved).To(t, product+"/upstream")
		admin.Get(t, product+"/upstream").Has(t, "Saved. The next call goes there.").Has(t, "Sent now: Accept-Language, X-Product-Pass.").HasNot(t, "open sesame")

		key := signingKey(t, s, admin, product)
		p.call(t, "POST", "/api/webhook/a%20b?x=1&x=2", `{}`, "X-Tokendesk-Workspace", "another", "X-Tokendesk-Signature", "t=0,v1=00", "X-Request-Id", "mine", "X-Forwarded-For", "192.0.2.1", "Cookie", "sid=x").Want(t, 204)
		arrived := api.one(t)
		who, err := sample.Verify(arrived, key, s.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if want := (sample.Caller{Workspace: made.WorkspaceID, Kind: "api", Credential: made.ID, Scope: "webhooks:send-events", RequestID: who.RequestID}); who != want || !models.ValidID(who.RequestID) {
			t.Errorf("it says that %+v called", who)
		}
		h := arrived.Header
		if arrived.RequestURI != "/base/api/webhook/a%20b?x=1&x=2" || h.Get("X-Product-Pass") != "open sesame" || h.Get("X-Forwarded-For") != "127.0.0.1" {
			t.Errorf("what arrives is %s with %v", arrived.RequestURI, h)
		}
		for field, values := range h {
			if strings.Contains(strings.Join(values, " "), p.token[5:25]) || field == "Cookie" || field == "Authorization" {
				t.Errorf("the field %s reaches the product", field)
			}
		}

		again := signingKey(t, s, admin, product)
		p.call(t, "GET", "/api/agent-base", "").Want(t, 204)
		arrived = api.one(t)
		if _, err := sample.Verify(arrived, key, s.Clock.Now()); err == nil {
			t.Error("the key of before still signs")
		}
		if _, err := sample.Verify(arrived, again, s.Clock.Now()); err != nil {
			t.Error(err)
		}
		point(t, admin, product, pointing(api.URL, "pass_credential", "on", "drop_headers", "on")).Want(t, 303)
		p.call(t, "GET", "/api/agent-base", "").Want(t, 204)
		if arrived = api.one(t); arrived.Header.Get("Authorization") != "Bearer "+p.token || arrived.Header.Get("X-Product-Pass") != "" || arrived.RequestURI != "/api/agent-base" {
			t.Errorf("then it is %s with %v", arrived.RequestURI, arrived.Header)
		}
		point(t, admin, product, pointing("", "to", "sample")).Want(t, 303)
		p.call(t, "GET", "/api/agent-base", "").Want(t, 200)
		if n := len(api.take()); n != 0 {
			t.Errorf("%d calls still arrive", n)
		}
	}, webtest.Sampled())
}

// A product that is away is told as that, with the number of the request; what is too large is refused by its size.
func TestAProductThatIsAway(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	api, admin := newOwnAPI(t), s.SignedIn(t, ines)
	product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
	p, _ := holder(t, s, models.NewAPIToken{})
	point(t, admin, product, pointing(api.URL, "max_body", "1")).Want(t, 303)
	refusedCall(t, p.call(t, "POST", "/api/knowledge-base/storage", strings.Repeat("x", 1<<20+1)), 413, "request_too_large")
	p.call(t, "POST", "/api/knowledge-base/storage", strings.Repeat("x", 1<<20)).Want(t, 204)
	if n := len(api.take()); n != 1 {
		t.Errorf("%d calls arrived", n)
	}
	api.Close()
	said := refusedCall(t, p.call(t, "GET", "/api/agent-base", ""), 502, "upstream_unreachable")
	if said.Title != "The product did not answer" || strings.Contains(said.Detail, "127.0.0.1") {
		t.Errorf("it says %q, %q", said.Title, said.Detail)
	}
	who, rest, _ := strings.Cut(said.Detail, "an Admin of this installation sees why with Test connection, in the workspace's settings under ")
	if place := admin.Get(t, product+"/upstream").Want(t, 200); who == said.Detail || rest != "Resources, Where calls go." || place.Text(t, "h1") != "Where calls go" {
		t.Errorf("it leads to %q", said.Detail)
	}
	admin.Post(t, product+"/test", pointing(api.URL)).Want(t, 200).Has(t, "refuses the connection")
}

// Test connection says in a sentence what is there, or what is in the way, keeps what was typed, and changes nothing.
func TestTestConnection(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Sampled())
	api, admin := newOwnAPI(t), s.SignedIn(t, ines)
	product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
	there, before := strings.TrimPrefix(api.URL, "http://"), s.Changes(t)
	gone := newOwnAPI(t)
	gone.Close()
	for address, says := range map[string]string{
		api.URL:                        there + " answered 204 No Content in ",
		api.URL + "/base":              there + " answered 204 No Content in ",
		gone.URL:                       strings.TrimPrefix(gone.URL, "http://") + " refuses the connection: nothing listens there.",
		"https://" + there:             there + " does not speak TLS there. Begin the address with http://",
		"http://169.254.169.254":       "169.254.169.254 is not called: ",
		"http://10.0.0.1.invalid":      "There is no host with the name 10.0.0.1.invalid.",
		"http://[::1]:" + there[10:]:   "is not called: ",
		"http://0.0.0.0:" + there[10:]: "is not called: ",
	} {
		a := admin.Post(t, product+"/test", pointing(address, "headers", "X-Product-Pass: open sesame")).Want(t, 200)
		if told := words(a.Page(t).Find("main")); !strings.Contains(told, says) || a.Value(t, "upstream") != address {
			t.Errorf("%s: %.300s", address, told)
		}
	}
	for _, arrived := range api.take() {
		if arrived.Header.Get("X-Product-Pass") != "open sesame" || arrived.Header.Get("X-Tokendesk-Signature") != "" {
			t.Errorf("a test arrives with %v", arrived.Header)
		}
	}
	admin.Post(t, product+"/test", pointing("", "to", "sample")).Want(t, 200).Has(t, "The sample product is there.")
	for _, c := range []struct {
		form        webtest.Form
		field, says string
	}{
		{pointing(""), "upstream", "Enter the product's address"},
		{pointing("ftp://example.com"), "upstream", "must begin with https:// or http://"},
		{pointing("http://user:pw@example.com"), "upstream", "must not hold a user name or a password"},
		{pointing(api.URL, "connect_timeout", "0"), "connect_timeout", "from 1 to 30"},
		{pointing(api.URL, "answer_timeout", "601"), "answer_timeout", "from 1 to 600"},
		{pointing(api.URL, "max_body", "many"), "max_body", "from 1 to 10,240"},
		{pointing(api.URL, "headers", "A: b\nX-Tokendesk-Scope: all"), "headers", "Line 2: The gateway sets or removes X-Tokendesk-Scope itself."},
	} {
		for _, path := range []string{"/test", "/upstream"} {
			c.form["revision"] = "1"
			back := admin.Post(t, product+path, c.form).Want(t, 422)
			if told := back.Problem(t, c.field); !strings.Contains(told, c.says) {
				t.Errorf("%s %v: it says %q", path, c.form, told)
			}
		}
	}
	if s.Changes(t) != before || len(api.take()) > 0 {
		t.Error("a test changed something")
	}
}

// Two who say at once where calls go do not undo one another's work: the second is told, and their form is kept.
func TestTwoWhoPointAProduct(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, first := s.SignedIn(t, ines), productsOf(t, s)[0]
		product := "/w/marlowe-press/settings/products/" + first.ID
		seen := admin.Get(t, product+"/upstream").Want(t, 200).Value(t, "revision")
		point(t, admin, product, pointing("http://one.invalid")).Want(t, 303)
		late := admin.Post(t, product+"/upstream", pointing("http://two.invalid", "revision", seen)).Want(t, 409)
		late.Has(t, "Somebody else has changed this product meanwhile.")
		if late.Value(t, "upstream") != "http://two.invalid" || late.Value(t, "revision") != seen || productsOf(t, s)[0].Upstream != "http://one.invalid" {
			t.Errorf("calls go to %s, and the form has %q of revision %q", productsOf(t, s)[0].Upstream, late.Value(t, "upstream"), late.Value(t, "revision"))
		}
		tested := admin.Post(t, product+"/test", pointing("http://two.invalid", "connect_timeout", "0", "revision", seen)).Want(t, 422)
		if tested.Value(t, "revision") != seen {
			t.Errorf("a test makes the form one of revision %q", tested.Value(t, "revision"))
		}
		for _, none := range []string{"", "x", "1.0"} {
			admin.Post(t, product+"/upstream", pointing("http://two.invalid", "revision", none)).Want(t, 400)
		}
		point(t, admin, product, pointing("http://two.invalid")).Want(t, 303)

		shown := admin.Post(t, product+"/signing-key", keyForm(t, admin.Get(t, product+"/signing-key"))).Want(t, 200)
		admin.Post(t, product+"/upstream", pointing("http://three.invalid", "revision", shown.Value(t, "revision"))).Want(t, 303)
	})
}

// An address to which no call would ever get is not saved, and the form says why, as a test of it does.
func TestAnAddressThatIsNeverCalled(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, before := s.SignedIn(t, ines), productsOf(t, s)[0]
		product := "/w/marlowe-press/settings/products/" + before.ID
		for address, says := range map[string]string{
			"http://[::1]:18095":     "[::1]:18095 is not called: ::1 is this machine itself. The operator of this server can allow it.",
			"http://169.254.169.254": "169.254.169.254 is not called: 169.254.169.254 is link-local",
		} {
			back := point(t, admin, product, pointing(address)).Want(t, 422)
			if told := back.Problem(t, "upstream"); !strings.Contains(told, says) || back.Value(t, "upstream") != address {
				t.Errorf("%s: it says %q", address, told)
			}
			if tested := words(admin.Post(t, product+"/test", pointing(address)).Want(t, 200).Page(t).Find("main")); !strings.Contains(tested, says) {
				t.Errorf("%s: a test says %.300s", address, tested)
			}
		}
		if p := productsOf(t, s)[0]; p.Revision != before.Revision || !p.Sample() {
			t.Errorf("its calls go to %q", p.Upstream)
		}
		point(t, admin, product, pointing("http://not-there-yet.invalid")).Want(t, 303)
	})
}

// Header fields stay in the form that they were typed into until they are saved: when the connection is tested, and when another
// field is wrong. The ones that are kept are never shown.
func TestTypedHeaderFieldsStay(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		api, admin := newOwnAPI(t), s.SignedIn(t, ines)
		product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
		point(t, admin, product, pointing(api.URL, "headers", "X-Product-Pass: kept before")).Want(t, 303)
		const typed = "X-Product-Pass: open sesame\nX-Other: </textarea><b>"
		for name, c := range map[string]struct {
			path   string
			form   webtest.Form
			status int
		}{
			"a test":           {"/test", pointing(api.URL, "headers", typed), 200},
			"a test in vain":   {"/test", pointing("ftp://x.example", "headers", typed), 422},
			"somebody else":    {"/upstream", pointing(api.URL, "headers", typed, "revision", "1"), 409},
			"a field is wrong": {"/upstream", pointing(api.URL, "headers", typed, "max_body", "many", "revision", "2"), 422},
		} {
			back := admin.Post(t, product+c.path, c.form).Want(t, c.status).HasNot(t, "kept before")
			if shown := back.Page(t).Find("textarea#headers").Text(); shown != typed {
				t.Errorf("%s: the form comes back with %q", name, shown)
			}
		}
		admin.Get(t, product+"/upstream").Want(t, 200).HasNot(t, "open sesame").HasNot(t, "kept before")
	})
}

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

// Header fields that a product keeps, and that nobody is shown, go to no other address than the one that they were typed for, be
// it only for a test.
func TestKeptFieldsStayWithTheirAddress(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	api, other, admin := newOwnAPI(t), newOwnAPI(t), s.SignedIn(t, ines)
	product := "/w/marlowe-press/settings/products/" + productsOf(t, s)[0].ID
	send := func(path, address string, more ...string) *webtest.Answer {
		return admin.Post(t, product+path, pointing(address, append(more, "revision", admin.Get(t, product+"/upstream").Value(t, "revision"))...))
	}
	send("/upstream", api.URL, "headers", "X-Product-Pass: open sesame").Want(t, 303)
	for _, path := range []string{"/test", "/upstream"} {
		back := send(path, other.URL).Want(t, 422)
		if told := back.Problem(t, "headers"); !strings.Contains(told, "Type them again for this one") || back.Value(t, "upstream") != other.URL {
			t.Errorf("%s: %q", path, told)
		}
	}
	send("/test", other.URL, "drop_headers", "on").Want(t, 200)
	send("/test", other.URL, "headers", "X-Product-Pass: another").Want(t, 200)
	send("/test", api.URL+"/base").Want(t, 200)
	send("/upstream", "", "to", "sample").Want(t, 303)
	send("/upstream", other.URL).Want(t, 422)
	for _, r := range other.take() {
		if r.Header.Get("X-Product-Pass") == "open sesame" {
			t.Errorf("%s got them", r.URL)
		}
	}
	if got := api.take(); len(got) != 1 || got[0].Header.Get("X-Product-Pass") != "open sesame" {
		t.Errorf("the address that they are for got %d requests", len(got))
	}
}
