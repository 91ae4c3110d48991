package views_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"tokendesk/models"
	"tokendesk/views"
)

// What was typed comes back; a password never does, wherever it came from.
func TestInputIsKeptButNotPasswords(t *testing.T) {
	typed := map[string]string{
		"name": "typed-name", "email": "typed-email", "workspace": "typed-workspace",
		"password": "typed-secret", "current_password": "typed-secret", "new_password": "typed-secret",
	}
	f := views.Form{Values: typed, Errors: []models.Field{{Name: "email", Message: "Enter an email address"}}}
	ask := ines()
	ask.AskPassword, ask.Form = true, f
	for name, page := range map[string]struct {
		drawn   func() string
		returns []string
	}{
		"setup":   {func() string { _, html := draw(t, views.Setup(views.Page{}, "code", f)); return html }, []string{"typed-name", "typed-email", "typed-workspace"}},
		"sign-in": {func() string { _, html := draw(t, views.SignIn(views.Page{}, views.SignInForm{Form: f})); return html }, []string{"typed-email"}},
		"person":  {func() string { _, html := draw(t, views.Person(page(), ask)); return html }, []string{"typed-name", "typed-email"}},
		"new":     {func() string { _, html := draw(t, views.PeopleNew(page(), f, false)); return html }, []string{"typed-name", "typed-email"}},
		"account": {func() string {
			_, html := draw(t, views.Account(page(), views.Security{Password: f, SignOut: f, AskPassword: true}))
			return html
		}, nil},
	} {
		html := page.drawn()
		if strings.Contains(html, "typed-secret") {
			t.Errorf("%s fills a password in", name)
		}
		for _, value := range page.returns {
			if !strings.Contains(html, `value="`+value+`"`) {
				t.Errorf("%s lost %q", name, value)
			}
		}
	}
}

// A field that was sent empty comes back empty, and not with what the record has.
func TestAnEmptiedFieldStaysEmpty(t *testing.T) {
	r := ines()
	r.Form = form(map[string]string{"name": "", "email": "ines.moreau@marlowe.example"}, "name", "Enter a name")
	doc, _ := draw(t, views.Person(page(), r))
	if value, filled := doc.Find("input#name").Attr("value"); filled {
		t.Errorf("the name is filled with %q", value)
	}
	if !doc.Find("#role").Is("[checked]") {
		t.Error("the role, which was not sent, is not the record's")
	}
}

// A form that came back for want of a password has a field for it, even if it was not asked for before.
func TestAMissingPasswordIsAskedFor(t *testing.T) {
	wrong := form(nil, "current_password", "Enter your password")
	r := ines()
	r.Form = wrong
	for name, c := range map[string]templ.Component{
		"person":   views.Person(page(), r),
		"bearer":   views.PersonBearer(page(), ines(), wrong),
		"sign-out": views.PersonSignOut(page(), ines(), wrong),
		"account":  views.Account(page(), views.Security{SignOut: wrong}),
	} {
		doc, _ := draw(t, c)
		if to := doc.Find("[role=alert] a").AttrOr("href", "#-"); !doc.Find(to).Is("[type=password][aria-invalid=true]") {
			t.Errorf("%s: the summary leads to %q, which is no password field", name, to)
		}
	}
}

// Forms carry the hidden fields that they need, and no other.
func TestHiddenFields(t *testing.T) {
	allowed := map[string]bool{"form_id": true, "next": true, "code": true, "revision": true, "product": true, "unused_seen": true, "id": true, "confirm": true, "back": true}
	seen := map[string]int{}
	for _, s := range samples() {
		doc, _ := draw(t, s.page)
		for _, node := range doc.Find("input[type=hidden]").Nodes {
			for _, attr := range node.Attr {
				if attr.Key == "name" {
					seen[attr.Val]++
					if !allowed[attr.Val] {
						t.Errorf("%s carries %q", s.name, attr.Val)
					}
				}
			}
		}
	}
	for name := range allowed {
		if seen[name] == 0 {
			t.Errorf("no form carries %q", name)
		}
	}
	doc, _ := draw(t, views.SignIn(views.Page{}, views.SignInForm{Next: "/people?q=a&role=Admin"}))
	if next := doc.Find("[name=next]").AttrOr("value", ""); next != "/people?q=a&role=Admin" {
		t.Errorf("next is %q", next)
	}
}

// While attempts are refused the page says for how long.
func TestSignInSaysHowLongToWait(t *testing.T) {
	for seconds, words := range map[int]string{1: "Too many attempts. Wait 1 second, then try again.", 42: "Too many attempts. Wait 42 seconds, then try again."} {
		doc, _ := draw(t, views.SignIn(views.Page{}, views.SignInForm{WaitSeconds: seconds}))
		if said := doc.Find("[role=alert] a").Text(); said != words {
			t.Errorf("says %q, want %q", said, words)
		}
	}
}

// On the account page one password serves every button of its form, and the first of these, which
// Enter presses, is the one beside it.
func TestEndingSessions(t *testing.T) {
	s := views.Security{AskPassword: true, Sessions: []views.SessionRow{{ID: "s1", Agent: "Firefox", Current: true}, {ID: "s2", Agent: "Safari"}}}
	doc, _ := draw(t, views.Account(page(), s))
	form := doc.Find(`form[action="/account/sign-out"]`)
	if form.Find("input[name=current_password]").Length() != 1 || form.Find("[type=submit]").First().Text() != "Sign out everywhere" {
		t.Error("the form does not begin with the password and its button")
	}
	if to := form.Find("[formaction]"); to.Length() != 1 || to.AttrOr("formaction", "") != "/account/sessions/s2/end" {
		t.Errorf("sessions that can be ended: %d, %q", to.Length(), to.AttrOr("formaction", ""))
	}
}

// Each form sends the fields that its address knows, because fields that nobody asked for are refused.
func TestFormsSendOnlyTheirFields(t *testing.T) {
	fields := map[string]string{
		"/signin":                              "email password next",
		"/signout":                             "",
		"/setup":                               "code name email password workspace",
		"/preferences/theme":                   "theme",
		"/people":                              "name email role password current_password",
		"GET /people":                          "q role status",
		"/people/p1":                           "name email role current_password",
		"GET /people/p1":                       "",
		"GET /people/p1/bearer-token/revoke":   "",
		"/people/p1/activate":                  "",
		"/people/p1/bearer-token":              "form_id current_password",
		"/people/p1/bearer-token/revoke":       "reason",
		"/people/p1/deactivate":                "",
		"/people/p1/sign-out":                  "current_password",
		"/account/password":                    "current_password new_password",
		"/account/sign-out":                    "current_password",
		"/w/marlowe/settings":                  "name",
		"/w/marlowe/settings/limits":           "calls_a_minute automation_calls_a_minute user_calls_a_minute",
		"/account/time-zone":                   "time_zone",
		"/settings/policies":                   "key_makers key_life key_days longest_bearer_days longest_api_days longest_automation_days longest_key_days longest_collection_days expiry_required unused_days unused_seen look reason",
		"GET /settings/policies/unused":        "days",
		"GET /credentials":                     "q owner kind status expires unused workspace created_by",
		"/credentials/find":                    "secret",
		"/credentials/revoke":                  "id reason confirm back",
		"GET /audit":                           "actor subject action workspace from to",
		"GET /w/marlowe/settings/audit":        "actor subject action from to",
		"/w/marlowe/settings/collections":      "collectionFile",
		collectionPath + "/versions/3/current": "",
		collectionPath + "/delete":             "typed",
		"/w/marlowe/settings/delete":           "typed",
		"/w/marlowe/settings/products":         "name prefix",
		productPath:                            "name prefix",
		productPath + "/resources":             "resources revision lose",
		productPath + "/upstream":              "to upstream connect_timeout answer_timeout max_body pass_credential web_socket headers drop_headers revision",
		productPath + "/signing-key":           "form_id revision",
		"GET " + productPath + "/upstream":     "",
		tokensPath:                             "form_id name product expiration expires_at access scope",
		"GET " + tokensPath:                    "q status sort",
		"GET " + tokensPath + "/new":           "product",
		"GET " + tokensPath + "/t1/regenerate": "", "GET " + tokensPath + "/t2/regenerate": "", "GET " + tokensPath + "/t3/regenerate": "",
		"GET " + tokensPath + "/t4/regenerate": "", "GET " + tokensPath + "/t5/regenerate": "",
		"GET " + tokensPath + "/t1/revoke": "", "GET " + tokensPath + "/t2/revoke": "", "GET " + tokensPath + "/t3/revoke": "",
		"GET " + tokensPath + "/t4/revoke": "", "GET " + tokensPath + "/t5/revoke": "",
		tokensPath + "/t1/deactivate": "", tokensPath + "/t2/deactivate": "", tokensPath + "/t3/deactivate": "", tokensPath + "/t4/activate": "",
		tokensPath + "/t1/rename": "name", tokensPath + "/t1/revoke": "reason",
		ownPath:                              "form_id name expiration_period",
		"GET " + ownPath + "/at1/regenerate": "", "GET " + ownPath + "/at5/regenerate": "",
		"GET " + ownPath + "/at1/revoke": "", "GET " + ownPath + "/at4/revoke": "", "GET " + ownPath + "/at5/revoke": "",
		ownPath + "/at1/deactivate": "", ownPath + "/at4/activate": "", ownPath + "/at1/rename": "name", ownPath + "/at1/revoke": "reason",
		ownPath + "/at1/regenerate": "form_id expiration_period", ownPath + "/at5/regenerate": "form_id expiration_period",
		keysPath: "form_id name", keysPath + "/settings": "expiration_days days", keysPath + "/k1/rename": "name", keysPath + "/k1/regenerate": "form_id", keysPath + "/k2/delete": "reason", "GET " + keysPath: "",
		collectionPath + "/access-keys": "form_id name", "/account/collection-access-keys/s1/delete": "reason next", "GET " + collectionPath: "",
		tokensPath + "/t1/regenerate": "form_id expiration expires_at", tokensPath + "/t5/regenerate": "form_id expiration expires_at",
	}
	seen := map[string]bool{}
	each(t, func(t *testing.T, doc *goquery.Document) {
		doc.Find("form").Each(func(_ int, form *goquery.Selection) {
			to := form.AttrOr("action", "")
			if form.AttrOr("method", "") != "post" {
				to = "GET " + to
			}
			known, ok := fields[to]
			if !ok {
				t.Errorf("no such form: %s", outer(form))
			}
			seen[to] = true
			form.Find("[name]").Each(func(_ int, s *goquery.Selection) {
				if name := s.AttrOr("name", ""); !slices.Contains(strings.Fields(known), name) {
					t.Errorf("%s is sent %q", to, name)
				}
			})
		})
	})
	for to := range fields {
		if !seen[to] {
			t.Errorf("no form is sent to %s", to)
		}
	}
}
