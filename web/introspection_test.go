package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const (
	introspectPath = "/oauth2/introspect"
	inactiveBody   = "{\"active\":false}\n"
	formType       = "application/x-www-form-urlencoded"
)

// introspect asks about a text, with fields in pairs.
func introspect(t testing.TB, s webtest.Site, token string, headers ...string) *webtest.Answer {
	t.Helper()
	return s.Browser(t).Send(t, "POST", introspectPath, strings.NewReader(url.Values{"token": {token}}.Encode()), append(headers, "Content-Type", formType)...)
}

// Every credential asked about with every other, of every role in and out of the workspace, alive and dead (RFC 7662, section 2.2 and 4; security
// rules T9 and T11): who asks must have an API key or a bearer token that is good, and hears of a credential that is alive and is for a workspace that
// they run. Everything else is one answer, to the byte.
func TestIntrospectionAgainstEveryCredential(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		m := newManaged(t, s)
		asked, told := 0, 0
		for _, asker := range m.callers {
			for _, target := range m.callers {
				if strings.HasSuffix(target.name, " in X-API-Key") || target.header == "Cookie" {
					continue
				}
				asked++
				text := strings.TrimPrefix(target.value, "Bearer ")
				want := want401(asker)
				var headers []string
				if asker.header != "" {
					headers = []string{asker.header, asker.value}
				}
				a := introspect(t, s, text, headers...)
				what := fmt.Sprintf("%s asked by %s: %d %.200s", target.name, asker.name, a.Status, a.Body)
				switch {
				case target.header == "" && want == 200: // nothing was sent
					if a.Status != 400 {
						t.Error(what)
					}
				case want != 200:
					if a.Status != want || strings.Contains(a.Body, `"active"`) || (want == 401) != (a.Header.Get("WWW-Authenticate") != "" && strings.Contains(strings.Join(a.Header.Values("WWW-Authenticate"), " "), "Basic ")) {
						t.Error(what)
					}
				case hears(asker, target):
					told++
					if a.Status != 200 || !strings.HasPrefix(a.Body, `{"active":true,`) {
						t.Error(what)
					}
				default:
					if a.Status != 200 || a.Body != inactiveBody {
						t.Error(what)
					}
				}
				if a.Status == 200 && (a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" || a.Header.Get("X-Request-Id") == "") {
					t.Errorf("%s: %v", what, a.Header)
				}
			}
		}
		if t.Logf("%d asked, %d told", asked, told); asked < 1500 || told < 100 {
			t.Error("that is too few to show anything")
		}
	})
}

// want401 is how a client is answered: by what it came with alone.
func want401(asker managedCaller) int {
	switch {
	case asker.code == access.RequestAmbiguous:
		return 400
	case asker.code != access.Allowed:
		return 401
	case asker.kind != models.APIKey && asker.kind != models.Bearer:
		return 403
	}
	return 200
}

// hears works out, once more, whether somebody hears that a credential is alive.
func hears(asker, target managedCaller) bool {
	runsHere := asker.role == models.WorkspaceOwner || asker.role == models.WorkspaceAdmin
	switch {
	case target.code != access.Allowed || target.kind == "":
		return false
	case asker.site == models.Admin:
		return true
	case strings.Contains(target.name, "another workspace"), target.within == "there":
		return false
	case target.kind == models.APIKey || target.kind == models.Bearer: // it is for the only workspace of its person, if there is one
		return runsHere && target.role != "" && !strings.Contains(target.name, "elsewhere")
	}
	return runsHere
}

// introspection is what an answer has.
type introspection struct {
	Active     bool
	TokenType  string `json:"token_type"`
	Kind       string
	ClientID   string `json:"client_id"`
	Sub        string
	Scope      string
	Workspace  string
	Collection string
	Aud        string
	Iss        string
	Iat, Exp   int64
}

func readIntrospection(t testing.TB, a *webtest.Answer) (got introspection) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(a.Want(t, 200).Body))
	d.DisallowUnknownFields()
	must(t, d.Decode(&got))
	return got
}

// What is said of each kind of credential (RFC 7662, section 2.2).
func TestIntrospectionSays(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, asking := s.Key(t, s.Admin, models.NewAPIKey{Name: "resource server"})
		ask := func(token string) introspection {
			return readIntrospection(t, introspect(t, s, token, "Authorization", "Bearer "+asking.Reveal()))
		}
		w, err := s.Workspace(t.Context(), s.Admin, "marlowe-press")
		must(t, err)
		products, err := s.Products(t.Context(), s.Admin, "marlowe-press")
		must(t, err)
		soon, now := s.Clock.Now().Add(time.Hour), s.Clock.Now().Unix()
		narrow, narrowText := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "narrow", EndsAt: &soon, EndGiven: true, Chosen: true, Scopes: models.Scopes{"agents:list", "storage:list"}})
		got := ask(narrowText.Reveal())
		if want := (introspection{Active: true, TokenType: "Bearer", Kind: "api", ClientID: narrow.ID, Sub: narrow.ID, Scope: narrow.Scopes.String(), Workspace: w.ID, Aud: products[0].ID, Iss: "https://desk.example.com", Iat: now, Exp: soon.Unix()}); got != want || len(narrow.Scopes) != 2 {
			t.Errorf("of an API token it says %+v, want %+v", got, want)
		}
		_, wideText := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "wide"})
		if got = ask(wideText.Reveal()); !strings.Contains(" "+got.Scope+" ", " agents:list ") || len(strings.Fields(got.Scope)) < 15 || got.Exp != 0 {
			t.Errorf("of one that may do everything it says %+v", got)
		}
		key, keyText := s.Key(t, s.Admin, models.NewAPIKey{Name: "a key"})
		if got = ask(keyText.Reveal()); got.Sub != s.Admin.ID || got.ClientID != key.ID || got.Kind != "key" || got.Workspace != w.ID || got.Scope == "" {
			t.Errorf("of an API key it says %+v", got)
		}
		auto, autoText := s.Automation(t, s.Admin, "marlowe-press", models.NewAutomationToken{Period: "1h"})
		if got = ask(autoText.Reveal()); got.Sub != s.Admin.ID || got.ClientID != auto.ID || got.Kind != "automation" || got.Exp != soon.Unix() {
			t.Errorf("of an automation token it says %+v", got)
		}
		if got = ask(signInAs(t, s, "ines@marlowe.example").token); got.Sub != s.Admin.ID || got.Kind != "user" || got.Workspace != w.ID || got.Exp != s.Clock.Now().Add(models.SignInTokenLife).Unix() {
			t.Errorf("of a sign-in token it says %+v", got)
		}
		collection := installed(t, s, s.Admin, "marlowe-press", "tools", zipOf(t, "a.txt", "a")).Collection.ID
		share, shareText := s.Share(t, s.Admin, collection, "")
		if got = ask(shareText.Reveal()); got.Sub != share.ID || got.Kind != "collection" || got.Collection != collection || got.Aud != collection || got.Scope != "" || got.Workspace != w.ID {
			t.Errorf("of an access key it says %+v", got)
		}
		s.Flush(t)
		seen, err := s.CredentialByID(t.Context(), s.Admin, narrow.ID)
		if err != nil || seen.Usage.Calls != 1 || seen.Usage.LastAddress != "127.0.0.1" {
			t.Errorf("it counted %+v (%v)", seen.Usage, err)
		}
	}, webtest.BaseURL("https://desk.example.com"))
}

// What cannot be read in one way is refused in the form of RFC 6749, section 5.2, without a word of what was sent; the address takes nothing.
func TestIntrospectionRefuses(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "asked about"})
	key, token := withKey(t, s, s.Admin).key, text.Reveal()
	send := func(method, path, body, kind string) *webtest.Answer {
		return s.Browser(t).Send(t, method, path, strings.NewReader(body), "Content-Type", kind, "X-API-Key", key)
	}
	for what, c := range map[string]struct {
		path, body, kind string
		status           int
	}{
		"no token": {"", "", formType, 400}, "an empty token": {"", "token=", formType, 400}, "another parameter": {"", "tokens=" + token, formType, 400},
		"twice": {"", "token=" + token + "&token=" + token, formType, 400}, "a hint twice": {"", "token=" + token + "&token_type_hint=a&token_type_hint=b", formType, 400},
		"escaped twice": {"", "token=" + token + "&%74oken=" + token, formType, 400}, "a semicolon": {"", "a=b;token=" + token, formType, 400}, "a broken escape": {"", "token=" + token + "%zz", formType, 400},
		"a secret in the form": {"", "client_id=tokendesk&client_secret=" + key + "&token=" + token, formType, 400},
		"JSON":                 {"", `{"token":"` + token + `"}`, "application/json", 400}, "text": {"", "token=" + token, "text/plain", 400}, "no type": {"", "token=" + token, "", 400},
		"in the address": {"?token=" + token, "", formType, 400}, "access_token in the address": {"?access_token=" + key, "token=" + token, formType, 400},
		"33 parameters": {"", "token=" + token + strings.Repeat("&a", 1) + func() (more string) {
			for i := range 32 {
				more += fmt.Sprintf("&p%d=1", i)
			}
			return more
		}(), formType, 400},
		"16 KiB and one": {"", "token=" + token + "&a=" + strings.Repeat("b", 16<<10), formType, 413},
	} {
		a := send("POST", introspectPath+c.path, c.body, c.kind)
		if a.Status != c.status || strings.Contains(a.Body, token) || strings.Contains(a.Body, `"active"`) || a.Header.Get("Cache-Control") != "no-store" || a.Status == 400 && !strings.HasPrefix(a.Body, `{"error":"invalid_request",`) {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		if a := send(method, introspectPath, "", formType); a.Status != 405 || a.Header.Get("Allow") != "POST" {
			t.Errorf("%s: %d %v", method, a.Status, a.Header)
		}
	}
	for _, path := range []string{"/oauth2/introspec", "/oauth2/introspect/", "/oauth2/token", "/oauth2/"} {
		refusedCall(t, send("POST", path, "token="+token, formType), 404, "not_found")
	}
	for _, body := range []string{"token=" + token + "&token_type_hint=access_token", "&token_type_hint=&what=ever&token=" + token + "&", "token=" + strings.Replace(token, "_", "%5f", 1)} {
		if a := send("POST", introspectPath, body, formType+"; charset=UTF-8"); !strings.HasPrefix(a.Body, `{"active":true`) {
			t.Errorf("%s: %d %s", strings.ReplaceAll(body, token, "it"), a.Status, a.Body)
		}
	}
	for _, odd := range []string{token[:53], token + "0", " " + token, strings.ToUpper(token), "x", forged, strings.Repeat("a", 9000), "\x00\xff"} {
		if a := introspect(t, s, odd, "X-API-Key", key); a.Status != 200 || a.Body != inactiveBody {
			t.Errorf("%.60q: %d %s", odd, a.Status, a.Body)
		}
	}
	if log := s.Log.String(); strings.Contains(log, key) || strings.Contains(log, token) || strings.Contains(log, token[5:30]) {
		t.Error("the log has a credential")
	}
}

// The rights of who asks, and the life of what is asked about, are those of this moment (security rule T9).
func TestIntrospectionFollowsWhatChanges(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "asked about"})
		there, err := s.CreateWorkspace(t.Context(), s.Admin, models.NewWorkspace{Name: "There"})
		must(t, err)
		person := s.Person(t, s.Admin, models.Member)
		admin := s.Person(t, s.Admin, models.Admin)
		asks := withKey(t, s, storetest.As(person)).key
		adminAsks := withKey(t, s, storetest.As(admin)).key
		says := func(what, key, want string, headers ...string) {
			t.Helper()
			if a := introspect(t, s, text.Reveal(), append(headers, "X-API-Key", key)...); !strings.HasPrefix(a.Body, want) {
				t.Errorf("%s: %d %s", what, a.Status, a.Body)
			}
		}
		const yes, no = `{"active":true`, inactiveBody
		says("of no member", asks, no)
		_, err = s.AddMember(t.Context(), s.Admin, "marlowe-press", models.NewMember{Email: person.Email, Role: models.WorkspaceAdmin})
		must(t, err)
		says("of an Admin there", asks, yes)
		says("elsewhere", asks, no, "X-Workspace-Id", there.ID)
		says("there by its name", asks, yes, "X-Workspace-Id", "marlowe-press")
		_, err = s.ChangeMember(t.Context(), s.Admin, "marlowe-press", person.ID, models.WorkspaceMember)
		must(t, err)
		says("when they are a Member again", asks, no)
		says("of an Admin", adminAsks, yes)
		_, err = s.EditPerson(t.Context(), s.Admin, admin.ID, models.PersonEdit{Name: admin.Name, Email: admin.Email, Role: models.Member})
		must(t, err)
		says("when they are none any more", adminAsks, no)
		_, err = s.DeactivatePerson(t.Context(), s.Admin, admin.ID)
		must(t, err)
		says("deactivated", adminAsks, `{"error":"invalid_client"`)
		mine := withKey(t, s, s.Admin).key
		says("of the Owner", mine, yes)
		must(t, func() error { _, err := s.RevokeHeld(t.Context(), s.Admin, text); return err }())
		says("revoked", mine, no)
	})
}

// A collection access key that is in use is good for as long as its use has moved its end out, also where the server remembers the end before.
func TestIntrospectionOfAMovedEnd(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		id := installed(t, s, s.Admin, "marlowe-press", "shared", zipOf(t, "a.txt", fox)).Collection.ID
		_, text := s.Share(t, s.Admin, id, "for Tom")
		asks := func(want string, headers ...string) introspection {
			t.Helper()
			a := introspect(t, s, text.Reveal(), append(headers, "X-API-Key", withKey(t, s, s.Admin).key)...)
			if !strings.HasPrefix(a.Body, want) {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			return readIntrospection(t, a)
		}
		first := asks(`{"active":true`)
		s.Clock.Advance(models.CollectionKeyLife - time.Hour)
		if again := asks(`{"active":true`); again.Exp > first.Exp { // it may be the one from before, and never later than it is
			t.Errorf("it ends %d, and then %d", first.Exp, again.Exp)
		}
		s.Flush(t)
		s.Clock.Advance(2 * time.Hour)
		if moved := asks(`{"active":true`); moved.Exp <= first.Exp {
			t.Errorf("it ends %d, and then %d", first.Exp, moved.Exp)
		}
		s.Flush(t)
		s.Clock.Advance(models.CollectionKeyLife)
		asks(inactiveBody)
	})
}

// Asking is never too much: neither the limit of what is asked about nor that of who asks holds it up.
func TestIntrospectionIsNotLimited(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p, _ := holder(t, s, models.NewAPIToken{})
	key := withKey(t, s, s.Admin).key
	for range models.ManagementCalls + 50 {
		if a := introspect(t, s, p.token, "X-API-Key", key); !strings.HasPrefix(a.Body, `{"active":true`) || a.Header.Get("RateLimit") != "" {
			t.Fatalf("%d %s %v", a.Status, a.Body, a.Header)
		}
	}
}

// Who asks, and is let in, and then takes their time over the body, hears nothing once they are not let in any more.
func TestAskersThatAreOverMeanwhileHearNothing(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, about := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		for path, body := range map[string][2]string{
			introspectPath:           {formType, "token=" + about.Reveal()},
			"/v1/credentials:verify": {"application/json", `{"requests":[{"credential":"` + about.Reveal() + `","method":"GET","path":"/api/agent-base"}]}`},
		} {
			for _, over := range []bool{false, true} {
				key, text := s.Key(t, s.Admin, models.NewAPIKey{Name: "asks"})
				c := connect(t, s)
				c.say("POST %s HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", path, text.Reveal(), body[0], len(body[1]))
				if line, err := c.reader.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") { // the body is wanted: who asks was let in
					t.Fatalf("%q (%v)", line, err)
				}
				if _, err := c.reader.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
				want := http.StatusOK
				if over {
					if _, err := s.RevokeAPIKey(t.Context(), s.Admin, key.ID, models.Revocation{}); err != nil {
						t.Fatal(err)
					}
					want = http.StatusUnauthorized
				}
				c.say("%s", body[1])
				if a := c.answer(); a.StatusCode != want || over && strings.Contains(c.body, key.ID) {
					t.Errorf("%s, revoked meanwhile %v: %d %s", path, over, a.StatusCode, c.body)
				}
			}
		}
	})
}
