package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const revokePath = "/oauth2/revoke"

// revoke ends what somebody holds.
func revoke(t testing.TB, s webtest.Site, token string, headers ...string) *webtest.Answer {
	t.Helper()
	return s.Browser(t).Send(t, "POST", revokePath, strings.NewReader(url.Values{"token": {token}, "client_id": {"anybody"}, "token_type_hint": {"access_token"}}.Encode()), append(headers, "Content-Type", formType)...)
}

// Whoever holds all of a credential may end it (RFC 7009): the next call with it is refused, the log says when, from where and why, and the answer
// is the same, to the byte, for what was alive, is over, or never was.
func TestRevokeByProtocol(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		collection := installed(t, s, s.Admin, "marlowe-press", "tools", zipOf(t, "a.txt", "a")).Collection.ID
		_, bearer := s.Token(t, s.Admin, s.Admin.ID)
		card, api := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Build server"})
		_, auto := s.Automation(t, s.Admin, "marlowe-press", models.NewAutomationToken{Name: "Export", Period: "1h"})
		_, key := s.Key(t, s.Admin, models.NewAPIKey{Name: "Nightly"})
		_, share := s.Share(t, s.Admin, collection, "")
		off, offText := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "off"})
		_, err := s.SwitchAPIToken(t.Context(), s.Admin, "marlowe-press", off.ID, false)
		must(t, err)
		one, other, third := signInAs(t, s, "ines@marlowe.example"), signInAs(t, s, "ines@marlowe.example"), signInAs(t, s, "ines@marlowe.example")
		unknown, err := secret.Mint("auto", nil)
		must(t, err)
		replaced := other.token
		other.renew(t, "")
		before := s.Changes(t)
		for _, nothing := range []string{unknown.Reveal(), "x", forged, garbled(api.Reveal()), replaced} {
			if a := revoke(t, s, nothing).Want(t, 200); a.Body != "" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("of nothing it says %q with %v", a.Body, a.Header)
			}
		}
		if s.Changes(t) != before {
			t.Error("something ended that nobody has")
		}
		for name, text := range map[string]secret.Text{"bearer": bearer, "api": api, "automation": auto, "key": key, "collection": share, "inactive": offText} {
			before := s.Changes(t)
			revoke(t, s, text.Reveal()).Want(t, 200)
			grant, err := s.GrantOf(t.Context(), text.Hash())
			if err != nil || grant.Credential.State(s.Clock.Now()) != models.Revoked || grant.Credential.RevokeReason != models.RevokedByHolder || s.Changes(t) != before+1 {
				t.Errorf("%s: %+v (%v)", name, grant.Credential, err)
			}
			if a := revoke(t, s, text.Reveal()).Want(t, 200); a.Body != "" || s.Changes(t) != before+1 {
				t.Errorf("%s ends twice", name)
			}
		}
		revoke(t, s, one.refresh).Want(t, 200)
		revoke(t, s, other.token).Want(t, 200)
		one.refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "")
		other.refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "")
		third.must(t, "GET", "/user/workspaces", "", "", nil)
		admin := s.SignedIn(t, "ines@marlowe.example")
		admin.Get(t, "/audit").Want(t, 200).Has(t, "A visitor revoked the API token Build server").Has(t, "A visitor ended a session of Ines Moreau").Has(t, "127.0.0.1")
		admin.Get(t, "/w/marlowe-press/settings/api-tokens/"+card.ID).Want(t, 200).Has(t, "revoked by whoever holds it").HasNot(t, "the command line")
		for _, text := range append(s.Secrets.All(), one.refresh, other.token, unknown.Reveal()) {
			if strings.Contains(s.Log.String(), text) {
				t.Error("the log has what was revoked")
			}
		}
	})
}

// A secret that was replaced ends nothing, for it is not that of the card any more; and what a client ends is told as theirs.
func TestRevokeByProtocolOfClients(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		card, old := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Build server"})
		_, next, err := s.RegenerateAPIToken(t.Context(), s.Admin, "marlowe-press", card.ID, models.Regeneration{}, secret.FormID())
		must(t, err)
		s.Secrets.Add(next)
		before := s.Changes(t)
		revoke(t, s, old.Reveal()).Want(t, 200)
		if s.Changes(t) != before {
			t.Error("a replaced secret ends the card")
		}
		person := s.Person(t, s.Admin, models.Member)
		client, theirs := s.Key(t, storetest.As(person), models.NewAPIKey{Name: "a client"})
		before = s.Changes(t)
		if a := revoke(t, s, next.Reveal(), "X-API-Key", garbled(theirs.Reveal())); a.Status != 401 || !strings.HasPrefix(a.Body, `{"error":"invalid_client"`) || len(a.Header.Values("WWW-Authenticate")) != 2 {
			t.Errorf("a client that is none: %d %s %v", a.Status, a.Body, a.Header)
		}
		if a := revoke(t, s, next.Reveal(), "Authorization", "Bearer "+next.Reveal()); a.Status != 403 {
			t.Errorf("an API token as a client: %d %s", a.Status, a.Body)
		}
		if s.Changes(t) != before {
			t.Error("a client that is not let in ended something")
		}
		revoke(t, s, next.Reveal(), "X-API-Key", theirs.Reveal()).Want(t, 200)
		events, err := s.Events(t.Context(), s.Admin, models.EventFilter{Limit: 1})
		if err != nil || events[0].Action != models.CredentialRevoked || events[0].SubjectID != card.ID || events[0].ActorID != person.ID || events[0].CredentialID != client.ID {
			t.Errorf("it is told as %+v (%v)", events, err)
		}
		revoke(t, s, theirs.Reveal(), "X-API-Key", theirs.Reveal()).Want(t, 200)
		revoke(t, s, theirs.Reveal(), "X-API-Key", theirs.Reveal()).Want(t, 401)
	})
}

// A form that cannot be read in one way ends nothing, and is told in the form of RFC 6749 without a word of what it holds.
func TestRevokeByProtocolRefuses(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Build server"})
	token, before := text.Reveal(), s.Changes(t)
	for what, c := range map[string]struct {
		path, body, kind string
		status           int
	}{
		"nothing": {"", "", formType, 400}, "twice": {"", "token=" + token + "&token=x", formType, 400}, "in the address": {"?token=" + token, "", formType, 400}, "there too": {"?a=b", "token=" + token, formType, 400},
		"JSON": {"", `{"token":"` + token + `"}`, "application/json", 400}, "a secret": {"", "client_secret=x&token=" + token, formType, 400}, "16 KiB": {"", "token=" + token + strings.Repeat(" ", 16<<10), formType, 413},
	} {
		a := s.Browser(t).Send(t, "POST", revokePath+c.path, strings.NewReader(c.body), "Content-Type", c.kind)
		if a.Status != c.status || strings.Contains(a.Body, token) || c.status == 400 && !strings.HasPrefix(a.Body, `{"error":"invalid_request","error_description":"`) {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	if a := s.Browser(t).Get(t, revokePath); a.Status != 405 || a.Header.Get("Allow") == "" {
		t.Errorf("GET: %d %v", a.Status, a.Header)
	}
	if s.Changes(t) != before || strings.Contains(s.Log.String(), token) {
		t.Error("a refusal changed something, or is in the log")
	}
}

// An address that does not authenticate revokes 60 times a minute, and is told when to go on: it is no scanner. What others revoke is not touched by it.
func TestRevokeByProtocolIsBounded(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Trusting("127.0.0.0/8"))
	for range 60 {
		revoke(t, s, "x", "X-Forwarded-For", "192.0.2.1").Want(t, 200)
	}
	if a := revoke(t, s, "x", "X-Forwarded-For", "192.0.2.1").Want(t, 429); a.Header.Get("Retry-After") != "1" {
		t.Errorf("it is told to wait %s seconds", a.Header.Get("Retry-After"))
	}
	revoke(t, s, "x", "X-Forwarded-For", "192.0.2.2").Want(t, 200)
	revoke(t, s, "x", "X-Forwarded-For", "192.0.2.1", "X-API-Key", withKey(t, s, s.Admin).key).Want(t, 200)
	s.Clock.Advance(time.Second)
	revoke(t, s, "x", "X-Forwarded-For", "192.0.2.1").Want(t, 200)
}
