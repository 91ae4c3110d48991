package web_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

const reportPath = "/v1/credentials:report"

// reporting sends a report of texts.
func reporting(t *testing.T, s webtest.Site, texts ...string) *webtest.Answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"credentials": texts})
	if err != nil {
		t.Fatal(err)
	}
	return reportingBody(t, s, string(body))
}

func reportingBody(t *testing.T, s webtest.Site, body string) *webtest.Answer {
	t.Helper()
	return s.Browser(t).Send(t, "POST", reportPath, strings.NewReader(body), "Content-Type", "application/json")
}

// Whoever holds all of a credential has it revoked, without a sign-in: the next call with it is refused, the log says who, when and why, and
// the answer is the same for what is alive, dead or nothing at all. Nothing of it is anywhere in what was logged.
func TestReportLeaked(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		_, bearer := s.Token(t, s.Admin, s.Admin.ID)
		card, api := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Build server"})
		_, auto := s.Automation(t, s.Admin, "marlowe-press", models.NewAutomationToken{Name: "Export", Period: "1h"})
		key := someKeys(t, s, 1)[0]
		one, other := signInAs(t, s, "ines@marlowe.example"), signInAs(t, s, "ines@marlowe.example")
		third := signInAs(t, s, "ines@marlowe.example")
		unknown, err := secret.Mint("auto", nil)
		if err != nil {
			t.Fatal(err)
		}
		again := strings.Repeat("ab", 27)
		alive := []string{bearer.Reveal(), api.Reveal(), auto.Reveal(), key.Reveal(), one.refresh, other.token}
		for _, text := range []string{alive[0], unknown.Reveal(), again, "x"} {
			if a := reporting(t, s, text).Want(t, 200); a.Body != "{\"data\":{\"received\":1}}\n" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("of a text it says %s with %v", a.Body, a.Header)
			}
		}
		reporting(t, s, append(alive, unknown.Reveal(), "x")...).Want(t, 200)
		if n := s.Changes(t); reporting(t, s, alive...).Want(t, 200) == nil || s.Changes(t) != n {
			t.Error("what was reported is told again")
		}
		for name, text := range map[string]string{"bearer": alive[0], "api": alive[1], "automation": alive[2], "key": alive[3]} {
			whole, _ := secret.Parse(text)
			grant, err := s.GrantOf(t.Context(), whole.Hash())
			if err != nil || grant.Credential.State(s.Clock.Now()) != models.Revoked || grant.Credential.RevokeReason != "reported as leaked" {
				t.Errorf("%s: %+v (%v)", name, grant.Credential, err)
			}
		}
		one.refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "")
		other.refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "")
		third.must(t, "GET", "/user/workspaces", "", "", nil)
		admin := s.SignedIn(t, "ines@marlowe.example")
		admin.Get(t, "/audit").Want(t, 200).Has(t, "The API token Build server was reported as leaked").Has(t, "The token of Ines Moreau was reported as leaked").Has(t, "127.0.0.1")
		admin.Get(t, "/w/marlowe-press/settings/api-tokens/"+card.ID).Want(t, 200).Has(t, "reported as leaked").HasNot(t, "the command line")
		log := s.Log.String()
		for _, text := range append(alive, unknown.Reveal(), again) {
			if strings.Contains(log, text) {
				t.Error("the log has what was reported")
			}
		}
	})
}

// A report that cannot be read in one way is refused, in words that hold nothing of it, and does nothing.
func TestReportRefuses(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	_, bearer := s.Token(t, s.Admin, s.Admin.ID)
	text, before := bearer.Reveal(), s.Changes(t)
	many := make([]string, 101)
	for i := range many {
		many[i] = text
	}
	list, _ := json.Marshal(many)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"nothing": {"", 400}, "an empty object": {"{}", 400}, "no list": {`{"credentials":null}`, 400}, "an empty list": {`{"credentials":[]}`, 400}, "a text": {`{"credentials":"` + text + `"}`, 400},
		"a list": {`["` + text + `"]`, 400}, "numbers": {`{"credentials":["` + text + `",1]}`, 400}, "lists in it": {`{"credentials":[["` + text + `"]]}`, 400},
		"another field": {`{"credentials":["` + text + `"],"` + text + `":1}`, 400}, "another case": {`{"Credentials":["` + text + `"]}`, 400}, "twice": {`{"credentials":["x"],"credentials":["` + text + `"]}`, 400},
		"more after it": {`{"credentials":["` + text + `"]} {}`, 400}, "cut short": {`{"credentials":["` + text + `"`, 400}, "a form": {`credentials=` + text, 400},
		"101": {`{"credentials":` + string(list) + `}`, 413}, "64 KiB and one": {`{"credentials":["` + text + `"]}` + strings.Repeat(" ", 64<<10), 413},
	} {
		a := reportingBody(t, s, c.body)
		if a.Status != c.status || strings.Contains(a.Body, text) || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	s.Browser(t).Send(t, "POST", reportPath, strings.NewReader(`{"credentials":["`+text+`"]}`), "Content-Type", "text/plain").Want(t, 400)
	s.Browser(t).Send(t, "POST", reportPath+"?credentials="+text, strings.NewReader(`{"credentials":["`+text+`"]}`), "Content-Type", "application/json").Want(t, 400)
	for _, path := range []string{"/v1/credentials:reported", "/v1/credentials:repor", "/v1/credentialsx"} {
		s.Browser(t).Send(t, "POST", path, strings.NewReader(`{"credentials":["`+text+`"]}`), "Content-Type", "application/json").Want(t, 404)
	}
	s.Browser(t).Get(t, reportPath).Want(t, 405)
	if s.Changes(t) != before {
		t.Error("a refusal changed something")
	}
	if strings.Contains(s.Log.String(), text) {
		t.Error("the log has what was sent")
	}
}

// An address reports 60 times a minute and 1,000 credentials an hour, and is told when it may go on; what others report is not touched by it.
func TestReportIsBounded(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Trusting("127.0.0.0/8"))
	from := func(address, body string) *webtest.Answer {
		t.Helper()
		return s.Browser(t).Send(t, "POST", reportPath, strings.NewReader(body), "Content-Type", "application/json", "X-Forwarded-For", address)
	}
	for range 60 {
		from("192.0.2.1", `{"credentials":["x"]}`).Want(t, 200)
	}
	if a := from("192.0.2.1", `{"credentials":["x"]}`).Want(t, 429); a.Header.Get("Retry-After") != "1" {
		t.Errorf("it is told to wait %s seconds", a.Header.Get("Retry-After"))
	}
	from("192.0.2.2", `{"credentials":["x"]}`).Want(t, 200)
	s.Clock.Advance(time.Second)
	from("192.0.2.1", `{"credentials":["x"]}`).Want(t, 200)
	hundred := `{"credentials":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 100), ",") + `]}`
	for range 10 {
		from("192.0.2.3", hundred).Want(t, 200)
	}
	if a := from("192.0.2.3", hundred).Want(t, 429); a.Header.Get("Retry-After") != "360" {
		t.Errorf("it is told to wait %s seconds", a.Header.Get("Retry-After"))
	}
	s.Clock.Advance(6 * time.Minute)
	from("192.0.2.3", hundred).Want(t, 200)
}
