package web_test

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
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
		p.call(t, "POST", "/api/webhook/a%20b?x=1&x=2", `{}`, "X-Tokendesk-Identity", `t=0, workspace="another", v1="00"`, "X-Request-Id", "mine", "X-Forwarded-For", "192.0.2.1", "Cookie", "sid=x").Want(t, 204)
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
