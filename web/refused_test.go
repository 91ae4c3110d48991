package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/web/webtest"
)

// Each case of the seed's troubleshooting, in its words: the status, the message, the code that programs
// may rely on, and how to authenticate (RFC 6750, section 3.1; security.md 1.4). What only the holder
// may know is told only where the secret itself matched.
func TestTroubleshooting(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		tokens := credentials(t, s)
		program := s.Browser(t)
		for code, want := range troubles {
			headers := []string{}
			for _, token := range tokens {
				if token.code == code {
					headers = []string{"Authorization", "Bearer " + token.text}
				}
			}
			a := program.Upload(t, "/installCollection", "collectionFile", "a.zip", strings.NewReader("x"), headers...)
			said := a.Envelope(t)
			if a.Status != want.status || said.Code != string(code) || !strings.HasPrefix(said.Message, want.message+". ") {
				t.Errorf("%s: status %d, code %q, message %q", code, a.Status, said.Code, said.Message)
			}
			if !strings.Contains(said.Message, want.advice) {
				t.Errorf("%s: the message has no advice %q: %q", code, want.advice, said.Message)
			}
			if got := a.Header.Values("WWW-Authenticate"); len(got) != 1 || got[0] != `Bearer realm="tokendesk"`+want.challenge {
				t.Errorf("%s: challenge %q, want %q", code, got, want.challenge)
			}
		}
	})
}

type trouble struct {
	status                     int
	message, advice, challenge string
}

var troubles = map[access.Code]trouble{
	access.CredentialMissing:   {401, "Authentication required", "'Authorization: Bearer <token>'", ``},
	access.CredentialMalformed: {401, "Authentication required", "'Authorization: Bearer <token>'", `, error="invalid_token"`},
	access.CredentialUnknown:   {401, "Authentication required", "'Authorization: Bearer <token>'", `, error="invalid_token"`},
	access.CredentialExpired:   {401, "Token has expired", "on the user record", `, error="invalid_token", error_description="Token has expired"`},
	access.CredentialRevoked:   {401, "Token was revoked", "Ask an Admin", `, error="invalid_token", error_description="Token was revoked"`},
	access.CredentialReplaced:  {401, "Token was replaced by a newer one", "newer token", `, error="invalid_token", error_description="Token was replaced by a newer one"`},
	access.OwnerDeactivated:    {401, "The person this token belongs to is deactivated", "Ask an Admin", `, error="invalid_token", error_description="The person this token belongs to is deactivated"`},
	access.AdminRequired:       {403, "Admin access required", "site administrator", `, error="insufficient_scope", error_description="Admin access required"`},
}

// "With no extra spaces or line breaks": whatever is not the scheme, one space and the token in its one
// form is the same refusal, which tells nothing about the token in it (security rule T2).
func TestMalformedHeaders(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, text := s.Token(t, s.Admin, s.Admin.ID)
	token := text.Reveal()
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER ", "bEaReR "} {
		s.Browser(t).Send(t, "POST", "/installCollection", nil, "Authorization", scheme+token).Want(t, 400) // let in; there is no file
	}
	for _, value := range []string{
		"Bearer", "Bearer  " + token, "Bearer\t" + token, "Bearer: " + token, "Bearer=" + token, "Bearer" + token, token, "Token " + token, "Basic " + token,
		"Bearer " + token + " x", "Bearer " + token + "," + token, "Bearer " + token + ";", `Bearer "` + token + `"`, "Bearer <" + token + ">", "Bearer token=" + token,
		"Bearer " + strings.ToUpper(token), "Bearer " + strings.ToLower(token), "Bearer " + token[:53], "Bearer " + token + "0", "Bearer " + token[1:],
		"Bearer " + garbled(token), "Bearer " + strings.Replace(token, "_", "-", 1), "Bearer " + strings.Repeat("A", 20_000), "Bearer é" + token, "", " ",
	} {
		a := s.Browser(t).Send(t, "POST", "/installCollection", nil, "Authorization", value)
		said := a.Want(t, 401).Envelope(t)
		if said.Code != string(access.CredentialMalformed) || !strings.HasPrefix(said.Message, "Authentication required. ") {
			t.Errorf("%.80q: code %q, message %q", value, said.Code, said.Message)
		}
		if a.HasNot(t, token).Header.Get("WWW-Authenticate") != `Bearer realm="tokendesk", error="invalid_token"` {
			t.Errorf("%.80q: challenge %q", value, a.Header.Get("WWW-Authenticate"))
		}
	}
}

// What is wrong is told in one order: who you are, what you may, how the request is made, what is in
// the archive (http.md). Nobody learns the later from the door of the earlier.
func TestTheOrderOfChecks(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	member := s.Person(t, s.Admin, models.Member)
	_, dying := s.Token(t, s.Admin, member.ID)
	s.Clock.Advance(366 * 24 * time.Hour)
	_, members := s.Token(t, s.Admin, s.Person(t, s.Admin, models.Member).ID)
	_, admins := s.Token(t, s.Admin, s.Admin.ID)
	unsafe := zipOf(t, "../evil.txt", "x")
	for _, c := range []struct {
		token  string
		field  string
		file   []byte
		status int
	}{
		{dying.Reveal(), "wrongField", unsafe, 401}, {members.Reveal(), "wrongField", unsafe, 403}, {admins.Reveal(), "wrongField", unsafe, 400},
		{admins.Reveal(), "collectionFile", []byte("no zip"), 400}, {admins.Reveal(), "collectionFile", unsafe, 422},
	} {
		before := s.Changes(t)
		a := s.Browser(t).Upload(t, "/installCollection?workspace=nope", c.field, "a.zip", bytes.NewReader(c.file), "Authorization", "Bearer "+c.token)
		if a.Status != c.status || s.Changes(t) != before {
			t.Errorf("want %d, got %d: %s", c.status, a.Status, a.Body)
		}
		a.Envelope(t)
	}
}

// A token carries the rights that its person has at the time of the call (security rule T9): whoever
// changes the person changes what the very next call may do, in both directions.
func TestRightsAtTheTimeOfTheCall(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		owner := s.Person(t, s.Admin, models.Admin)
		_, token := s.Token(t, s.Admin, owner.ID)
		admin, record := s.SignedIn(t, "ines@marlowe.example"), "/people/"+owner.ID
		call := func(status int) *webtest.Answer {
			t.Helper()
			return s.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(smallZip(t)), "Content-Type", "multipart/form-data; boundary=edge",
				"Authorization", "Bearer "+token.Reveal()).Want(t, status)
		}
		as := func(role string) {
			t.Helper()
			admin.Post(t, record, webtest.Form{"name": owner.Name, "email": owner.Email, "role": role}).To(t, record)
		}
		call(200)
		as("Member")
		call(403).Has(t, "Admin access required. ")
		as("Admin")
		call(200)
		admin.Post(t, record+"/deactivate", nil).To(t, record)
		call(401).Has(t, "is deactivated. ")
		admin.Post(t, record+"/activate", nil).To(t, record)
		call(200)
		admin.Post(t, record+"/bearer-token/revoke", webtest.Form{"reason": "Found in a chat"}).To(t, record)
		call(401).Has(t, "Token was revoked. ").HasNot(t, "Found in a chat")
		admin.Post(t, record+"/deactivate", nil).To(t, record)
		admin.Post(t, record+"/activate", nil).To(t, record)
		call(401).Has(t, "Token was revoked. ") // for good (T12)
	})
}

// Who replaced a token names the day to whoever still presents the old one: "The tool was working and
// stopped". The record counts those calls.
func TestAReplacedTokenSaysSo(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, record := s.SignedIn(t, "ines@marlowe.example"), "/people/"+s.Admin.ID
		press := func() string {
			t.Helper()
			form := admin.Get(t, record+"/bearer-token").Want(t, 200)
			return admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": form.Value(t, "form_id")}).Want(t, 200).Text(t, "#token")
		}
		old := press()
		admin.Get(t, record+"/bearer-token").Has(t, "replaces the previous one").Has(t, old[:8]+"...")
		s.Clock.Advance(3 * time.Minute)
		press()
		for range 3 {
			a := s.Browser(t).Send(t, http.MethodPost, "/installCollection", nil, "Authorization", "Bearer "+old).Want(t, 401)
			a.Has(t, "Token was replaced by a newer one. It was replaced on "+s.Clock.Now().Format("2 January 2006, 15:04 UTC")+".")
		}
		s.Flush(t)
		page := admin.Get(t, record).Want(t, 200).Has(t, "Replaced").Has(t, "3 refused calls since")
		if n := page.Page(t).Find("[data-token-id]").Length(); n != 2 {
			t.Errorf("%d tokens on the record, want the live one and the replaced one", n)
		}
	})
}

// A call that can be read in two ways says which two, and is never decided by picking one.
func TestAmbiguousCallsSayWhy(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, text := s.Token(t, s.Admin, s.Admin.ID)
	token := text.Reveal()
	for _, c := range []struct {
		path, says string
		headers    []string
	}{
		{"", "Authorization and X-API-Key", []string{"Authorization", "Bearer " + token, "X-API-Key", token}},
		{"", "X-API-Key and X-API-Token", []string{"X-API-Key", token, "X-API-Token", token}},
		{"", "Authorization was sent more than once", []string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}},
		{"", "X-API-Token was sent more than once", []string{"X-API-Token", token, "X-API-Token", ""}},
		{"?access_token=" + token, "token in the address", nil},
		{"?access_token=", "token in the address", []string{"Authorization", "Bearer " + token}},
	} {
		a := s.Browser(t).Send(t, "POST", "/installCollection"+c.path, nil, c.headers...).Want(t, 400).HasNot(t, token)
		if said := a.Envelope(t); said.Code != "request_ambiguous" || !strings.Contains(said.Message, c.says) {
			t.Errorf("%q: code %q, message %q", c.says, said.Code, said.Message)
		}
		if got := a.Header.Get("WWW-Authenticate"); got != `Bearer realm="tokendesk", error="invalid_request"` {
			t.Errorf("%q: challenge %q", c.says, got)
		}
	}
}
