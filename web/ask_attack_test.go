package web_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// When it cannot be found out, nobody is told that a credential is not good, nor that it is: neither of the one who asks nor of the one that is asked
// about (ASVS 16.5.3).
func TestAskingWithoutADatabase(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "asked about"})
		away := webtest.Start(t, s.World, webtest.Over(closed(t, s)))
		p := withKey(t, s, s.Admin)
		for what, a := range map[string]*webtest.Answer{
			"introspection": introspect(t, away, text.Reveal(), "X-API-Key", p.key),
			"verification":  keyed{away, p.key}.call(t, "POST", verifyPath, `{"requests":[{"credential":"`+text.Reveal()+`","method":"GET","path":"/api/agent-base"}]}`),
			"revocation":    revoke(t, away, text.Reveal(), "X-API-Key", p.key),
		} {
			if a.Status != 503 || a.Header.Get("Retry-After") != "1" || a.Header.Get("WWW-Authenticate") != "" || strings.Contains(a.Body, "active") || strings.Contains(strings.ToLower(a.Body), "sql") {
				t.Errorf("%s: %d %v %s", what, a.Status, a.Header, a.Body)
			}
		}
		if a := revoke(t, away, text.Reveal()); a.Status != 503 {
			t.Errorf("revocation by its holder: %d %s", a.Status, a.Body)
		}
		if a := introspect(t, s, text.Reveal(), "X-API-Key", p.key); !strings.HasPrefix(a.Body, `{"active":true`) {
			t.Errorf("with a database: %d %s", a.Status, a.Body)
		}
	})
}

// withoutLength is a body that does not say how long it is.
type withoutLength struct{ io.Reader }

// A body that goes on and on is not read to its end, and costs who sends it their connection and nobody else a thing; a good one may come in chunks.
func TestAskingWithEndlessBodies(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := withKey(t, s, s.Admin)
	_, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "asked about"})
	send := func(path, kind string, body io.Reader) *webtest.Answer {
		return s.Browser(t).Send(t, "POST", path, withoutLength{body}, "Content-Type", kind, "X-API-Key", p.key)
	}
	question := `{"requests":[{"credential":"` + text.Reveal() + `","method":"GET","path":"/api/agent-base"}`
	for _, c := range []struct {
		path, kind, good, more string
	}{
		{introspectPath, formType, "token=" + text.Reveal(), "&a=" + strings.Repeat("b", 1<<20)},
		{verifyPath, "application/json", question + "]}", strings.Repeat(" ", 1<<20)},
		{verifyPath, "application/json", question + "]}", strings.Repeat("[", 1<<20)},
		{revokePath, formType, "token=x", strings.Repeat("&", 1<<20)},
	} {
		if a := send(c.path, c.kind, strings.NewReader(c.good)); a.Status != 200 || strings.Contains(a.Body, "false") {
			t.Errorf("%s in chunks: %d %s", c.path, a.Status, a.Body)
		}
		if a := send(c.path, c.kind, strings.NewReader(c.good+c.more)); a.Status != 413 || codeIn(a.Body) != "too_large" {
			t.Errorf("%s without an end: %d %s", c.path, a.Status, a.Body)
		}
	}
	deep := strings.NewReader(`{"requests":` + strings.Repeat("[", 200<<10))
	if a := send(verifyPath, "application/json", deep); a.Status != 400 {
		t.Errorf("200,000 lists in lists: %d %s", a.Status, a.Body)
	}
}

// Whoever guesses learns nothing: for a caller who runs no workspace the answer to what is alive, over, somebody else's or made up is one and the same,
// in its body and in each of its fields but the request's number and the time.
func TestAskingIsNoScanner(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		person := s.Person(t, s.Admin, models.Member)
		p := withKey(t, s, storetest.As(person))
		_, live := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "alive"})
		_, over := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "over"})
		_, err := s.RevokeHeld(t.Context(), s.Admin, over)
		must(t, err)
		_, key := s.Key(t, s.Admin, models.NewAPIKey{Name: "an Admin's"})
		fields := func(a *webtest.Answer) http.Header {
			h := a.Header.Clone()
			h.Del("X-Request-Id")
			h.Del("Date")
			return h
		}
		same := func(what string, one, other *webtest.Answer) {
			t.Helper()
			if one.Status != other.Status || one.Body != other.Body || !equalFields(fields(one), fields(other)) {
				t.Errorf("%s: %d %s %v, and of what was made up %d %s %v", what, one.Status, one.Body, one.Header, other.Status, other.Body, other.Header)
			}
		}
		madeUp := garbled(live.Reveal())
		ask := func(text, method string) *webtest.Answer {
			return p.call(t, "POST", verifyPath, `{"requests":[{"credential":"`+text+`","method":"`+method+`","path":"/api/agent-base"}]}`)
		}
		for what, text := range map[string]string{"alive": live.Reveal(), "over": over.Reveal(), "an Admin's key": key.Reveal()} {
			same(what, introspect(t, s, text, "X-API-Key", p.key), introspect(t, s, madeUp, "X-API-Key", p.key))
			if a := ask(text, "GET"); strings.Contains(a.Body, "credential_id") || codeIn(a.Body) != "credential_unknown" {
				t.Errorf("%s is verified as %s", what, a.Body)
			}
		}
		same("verified", ask(live.Reveal(), "GET"), ask(over.Reveal(), "GET"))
		same("revoked", revoke(t, s, over.Reveal()), revoke(t, s, madeUp))
		s.Flush(t)
		grant, err := s.GrantOf(t.Context(), live.Hash())
		must(t, err)
		if seen, err := s.CredentialByID(t.Context(), s.Admin, grant.Credential.ID); err != nil || seen.Usage.Calls+seen.Usage.Refused+seen.Usage.Late != 0 {
			t.Errorf("a caller who may not ask counted %+v (%v)", seen.Usage, err)
		}
	})
}

func equalFields(one, other http.Header) bool {
	return url.Values(one).Encode() == url.Values(other).Encode()
}
