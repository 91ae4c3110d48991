package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// caller is one kind of caller, by what it carries: a browser's session, a program's credential, or
// something that is neither.
type caller struct {
	name string
	role models.Role // of the person whose live session the caller has; empty: nobody is signed in
	code access.Code // what a program's door says of it
	wear func(*http.Request)

	program models.CredentialKind // of an Admin's program that signed in anew: the kind of token that it sends
}

// carriers are the fields that may carry a credential.
var carriers = map[string]string{"Authorization": "Bearer ", "X-API-Key": "", "X-API-Token": ""}

// inTheAddress is what calls that take none there do not look at, or refuse.
const inTheAddress = "a token as access_key"

// callers makes one of each kind, in a site whose clock it moves.
func callers(t *testing.T, s webtest.Site) []caller {
	t.Helper()
	tokens := credentials(t, s)
	idle, gone := sessions(t, s)
	none := func(*http.Request) {}
	list := []caller{
		{"nobody", "", access.CredentialMissing, none, ""},
		{"a Member in a browser", models.Member, access.CredentialMissing, none, ""},
		{"an Admin in a browser", models.Admin, access.CredentialMissing, none, ""},
		{"an idle session", "", access.CredentialMissing, wearing("Cookie", "sid="+idle), ""},
		{"an ended session", "", access.CredentialMissing, wearing("Cookie", "sid="+gone["ended"]), ""},
		{"the session of somebody deactivated", "", access.CredentialMissing, wearing("Cookie", "sid="+gone["deactivated"]), ""},
		{"an invented session", "", access.CredentialMissing, wearing("Cookie", "sid="+strings.Repeat("A", 43)), ""},
		{"an empty cookie", "", access.CredentialMissing, wearing("Cookie", "sid="), ""},
	}
	for _, token := range tokens {
		for field, scheme := range carriers {
			list = append(list, caller{token.name + " in " + field, "", token.code, wearing(field, scheme+token.text), ""})
		}
	}
	good, members := tokens[0].text, tokens[1].text
	return append(list, []caller{
		{"an Admin in a browser with a Member's token", models.Admin, access.AdminRequired, wearing("Authorization", "Bearer "+members), ""},
		{"a token in the cookie", "", access.CredentialMissing, wearing("Cookie", "sid="+good), ""},
		{"a token as access_token", "", access.RequestAmbiguous, asking("access_token=" + good), ""},
		{"a token as access_token and in Authorization", "", access.RequestAmbiguous, both(asking("access_token="+good), wearing("Authorization", "Bearer "+good)), ""},
		{inTheAddress, "", access.CredentialMissing, asking("access_key=" + good), ""},
		{"one token in two fields", "", access.RequestAmbiguous, both(wearing("Authorization", "Bearer "+good), wearing("X-API-Key", good)), ""},
		{"one field twice", "", access.RequestAmbiguous, both(wearing("Authorization", "Bearer "+good), wearing("Authorization", "Bearer "+good)), ""},
		{"a good and a bad token", "", access.RequestAmbiguous, both(wearing("X-API-Key", "x"), wearing("X-API-Token", good)), ""},
		{"Basic with a password", "", access.CredentialMalformed, func(r *http.Request) { r.SetBasicAuth("ines@marlowe.example", storetest.Password) }, ""},
		{"a sign-in token", "", access.AdminRequired, none, models.SignInToken},
		{"an automation token", "", access.AdminRequired, none, models.AutomationToken},
		{"Basic with a token", "", access.CredentialMalformed, func(r *http.Request) { r.SetBasicAuth("token", good) }, ""},
	}...)
}

type credential struct {
	name string
	code access.Code
	text string
}

// credentials makes a token in each state. The first is an Admin's and good, the second a Member's.
func credentials(t *testing.T, s webtest.Site) []credential {
	t.Helper()
	mint := func(role models.Role) (models.Person, string) {
		person := s.Person(t, s.Admin, role)
		_, text := s.Token(t, s.Admin, person.ID)
		return person, text.Reveal()
	}
	_, expired := mint(models.Admin)
	s.Clock.Advance(366 * 24 * time.Hour)
	replacedOwner, replaced := mint(models.Admin)
	s.Token(t, s.Admin, replacedOwner.ID)
	revokedOwner, revoked := mint(models.Admin)
	if _, err := s.RevokeBearerToken(t.Context(), s.Admin, revokedOwner.ID, models.Revocation{}); err != nil {
		t.Fatal(err)
	}
	gone, deactivated := mint(models.Admin)
	if _, err := s.DeactivatePerson(t.Context(), s.Admin, gone.ID); err != nil {
		t.Fatal(err)
	}
	_, member := mint(models.Member)
	_, good := mint(models.Admin)
	unknown, err := secret.Mint("user", nil)
	if err != nil {
		t.Fatal(err)
	}
	return []credential{
		{"an Admin's token", access.Allowed, good},
		{"a Member's token", access.AdminRequired, member},
		{"an expired token", access.CredentialExpired, expired},
		{"a replaced token", access.CredentialReplaced, replaced},
		{"a revoked token", access.CredentialRevoked, revoked},
		{"the token of somebody deactivated", access.OwnerDeactivated, deactivated},
		{"a token that was never made", access.CredentialUnknown, unknown.Reveal()},
		{"a token with a wrong checksum", access.CredentialMalformed, garbled(good)},
		{"garbage", access.CredentialMalformed, "let-me-in"},
	}
}

// sessions makes cookies that were good once.
func sessions(t *testing.T, s webtest.Site) (idle string, gone map[string]string) {
	t.Helper()
	idler, gone := s.Person(t, s.Admin, models.Admin), map[string]string{}
	idle = session(t, s, idler)
	s.Clock.Advance(models.SessionIdle)
	leaver, removed := s.Person(t, s.Admin, models.Admin), s.Person(t, s.Admin, models.Admin)
	gone["ended"], gone["deactivated"] = session(t, s, leaver), session(t, s, removed)
	if _, err := s.SignOutEverywhere(t.Context(), s.Admin, leaver.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.DeactivatePerson(t.Context(), s.Admin, removed.ID); err != nil {
		t.Fatal(err)
	}
	return idle, gone
}

// session signs a person in without the page, and answers the cookie's value.
func session(t *testing.T, s webtest.Site, person models.Person) string {
	t.Helper()
	text, err := s.StartSession(t.Context(), models.Actor{Kind: models.Guest, RequestID: models.NewID()}, person, "a test")
	if err != nil {
		t.Fatal(err)
	}
	s.Secrets.Add(text)
	return text.Reveal()
}

// garbled changes the last character of a token, and with it the checksum.
func garbled(token string) string {
	last := byte('0')
	if token[len(token)-1] == last {
		last = '1'
	}
	return token[:len(token)-1] + string(last)
}

func wearing(field, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(field, value) }
}

func asking(query string) func(*http.Request) {
	return func(r *http.Request) { r.URL.RawQuery = query }
}

func both(one, other func(*http.Request)) func(*http.Request) {
	return func(r *http.Request) { one(r); other(r) }
}
