package web_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// told writes down what was refused, and answers what the log has of it since the last time, oldest first.
func told(t *testing.T, s webtest.Site) (list []models.Event) {
	t.Helper()
	before := s.Changes(t)
	s.Refused(t)
	list, err := s.EventsAfter(t.Context(), before, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// said is what an event says under a heading.
func said(e models.Event, field string) string {
	for _, c := range e.ChangeList() {
		if c.Field == field {
			return c.After
		}
	}
	return ""
}

// sum is how often something was refused, by all that is told of it.
func sum(t *testing.T, list []models.Event) (n int) {
	t.Helper()
	for _, e := range list {
		times, err := strconv.Atoi(said(e, "times"))
		if err != nil {
			t.Fatal(err)
		}
		n += times
	}
	return n
}

// A call that is refused is in the log with why, from where and in which request; whose token it was, and which, only
// where the secret itself matched (A1).
func TestRefusedCallsAreTold(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		tokens := credentials(t, s)
		program := s.Browser(t)
		knows := map[access.Code]bool{access.CredentialExpired: true, access.CredentialReplaced: true, access.CredentialRevoked: true, access.OwnerDeactivated: true, access.AdminRequired: true}
		for _, token := range append(tokens[1:], credential{"none", access.CredentialMissing, ""}, credential{"twice", access.RequestAmbiguous, tokens[0].text}) {
			headers := []string{"Authorization", "Bearer " + token.text}
			switch token.code {
			case access.CredentialMissing:
				headers = nil
			case access.RequestAmbiguous:
				headers = append(headers, "X-API-Key", token.text)
			}
			a := program.Send(t, "POST", "/installCollection", bytes.NewReader(smallZip(t)), append(headers, "Content-Type", "multipart/form-data; boundary=edge")...)
			a.Envelope(t)
			s.Clock.Advance(2 * time.Hour) // two are of one kind
			list := told(t, s)
			if len(list) != 1 {
				t.Errorf("%s: %d events", token.name, len(list))
				continue
			}
			e := list[0]
			if e.Action != models.InstallRefused || said(e, "reason") != string(token.code) || said(e, "times") != "1" || e.RequestID != a.Header.Get("X-Request-Id") || e.Address != "127.0.0.1" {
				t.Errorf("%s: %+v", token.name, e)
			}
			if known := e.ActorKind == models.Program; known != knows[token.code] || known != (e.ActorID != "" && e.CredentialID != "" && e.ActorName != "") || !known && e.ActorKind != models.Guest {
				t.Errorf("%s: it is told of %s %q with %q", token.name, e.ActorKind, e.ActorName, e.CredentialID)
			}
			if found([]byte(fmt.Sprint(e)), s.Secrets.All()) != nil || token.text != "" && strings.Contains(fmt.Sprint(e), token.text) {
				t.Errorf("%s: a secret is in the event", token.name)
			}
		}
		page := s.SignedIn(t, "ines@marlowe.example").Get(t, "/audit?action=collection.refused").Want(t, 200)
		page.Has(t, "A visitor was refused an installation: it came without a token").Has(t, "was refused an installation: its token has expired").Has(t, "was refused an installation: the person of its token is no Admin")
	})
}

// A file that is not fit is in the log with its code and who sent it, from a program and from the console; so is a
// workspace that is not there. What the server is at fault for is not.
func TestRefusedFilesAreTold(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		made, token := s.Token(t, s.Admin, s.Admin.ID)
		admin := s.SignedIn(t, "ines@marlowe.example")
		for reason, file := range map[string][]byte{
			"not-a-zip": []byte("hello"), "zip-path-escape": zipOf(t, "../x", "x"), "zip-duplicate": zipOf(t, "a", "x", "A", "y"),
		} {
			s.Browser(t).Upload(t, "/installCollection", "collectionFile", "a.zip", bytes.NewReader(file), "Authorization", "Bearer "+token.Reveal())
			list := told(t, s)
			if len(list) != 1 || list[0].Action != models.InstallRefused || said(list[0], "reason") != reason || list[0].ActorKind != models.Program || list[0].CredentialID != made.ID || list[0].ActorID != s.Admin.ID || list[0].WorkspaceID == "" || said(list[0], "file") != "a.zip" {
				t.Errorf("%s by a program: %+v", reason, list)
			}
			upload(t, admin, "a.zip", file).Want(t, 422)
			list = told(t, s)
			if len(list) != 1 || list[0].Action != models.InstallRefused || said(list[0], "reason") != reason || list[0].ActorKind != models.Human || list[0].ActorID != s.Admin.ID || list[0].SessionID == "" || list[0].WorkspaceID == "" || said(list[0], "file") != "a.zip" || said(list[0], "told") == "" {
				t.Errorf("%s in the console: %+v", reason, list)
			}
		}
		s.Browser(t).Upload(t, "/installCollection", "collectionFile", "a.zip", bytes.NewReader(zipOf(t, "a", "a")), "Authorization", "Bearer "+token.Reveal(), "X-Workspace-Id", "nope").Want(t, 404)
		if list := told(t, s); len(list) != 1 || said(list[0], "reason") != "not_found" {
			t.Errorf("another workspace: %+v", list)
		}
		s.Browser(t).Send(t, "GET", "/installCollection", nil).Want(t, 405)
		away := webtest.Start(t, s.World, webtest.Over(closed(t, s)))
		away.Browser(t).Upload(t, "/installCollection", "collectionFile", "a.zip", strings.NewReader("x"), "Authorization", "Bearer "+token.Reveal()).Want(t, 503)
		away.Refused(t)
		if list := told(t, s); len(list) != 0 {
			t.Errorf("what nobody was refused: %+v", list)
		}
	})
}

// Whoever asks for what they may not have is in the log, with what they asked for by its route; so is a form that
// another site sent. Signing in, or looking for a page that is not there, is no such thing.
func TestDeniedAccessIsTold(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p := s.Person(t, s.Admin, models.Member)
		member := s.SignedIn(t, p.Email)
		for asked, do := range map[string]func() *webtest.Answer{
			"GET /people":                  func() *webtest.Answer { return member.Get(t, "/people?q=secret") },
			"POST /people":                 func() *webtest.Answer { return member.Post(t, "/people", webtest.Form{"name": "x"}) },
			"GET /people/:id/bearer-token": func() *webtest.Answer { return member.Get(t, "/people/"+s.Admin.ID+"/bearer-token") },
			"POST /w/:workspace/settings": func() *webtest.Answer {
				return member.Post(t, "/w/marlowe-press/settings", webtest.Form{"name": "Mine"})
			},
			"GET /w/:workspace/settings/audit":        func() *webtest.Answer { return member.Get(t, "/w/marlowe-press/settings/audit") },
			"POST /w/:workspace/settings/collections": func() *webtest.Answer { return upload(t, member, "a.zip", zipOf(t, "a", "a")) },
		} {
			a := do().Want(t, 403)
			list := told(t, s)
			if len(list) != 1 || list[0].Action != models.AccessDenied || said(list[0], "asked for") != asked || said(list[0], "reason") != "forbidden" || list[0].ActorID != p.ID || list[0].ActorName != p.Name ||
				list[0].SessionID == "" || list[0].RequestID != a.Header.Get("X-Request-Id") {
				t.Errorf("%s: %+v", asked, list)
			}
		}
		for _, path := range []string{"/people", "/w/marlowe-press/settings", "/signin"} {
			member.Post(t, path, webtest.Form{"name": "x"}, "Sec-Fetch-Site", "cross-site").Want(t, 403)
			list := told(t, s)
			if len(list) != 1 || list[0].Action != models.AccessDenied || said(list[0], "reason") != "cross_site" || list[0].ActorKind != models.Guest || list[0].ActorID != "" || list[0].Address != "127.0.0.1" {
				t.Errorf("from another site to %s: %+v", path, list)
			}
		}
		s.Browser(t).Get(t, "/people").Want(t, 303)
		member.Get(t, "/nope").Want(t, 404)
		member.Get(t, "/w/nope/settings").Want(t, 404)
		member.Send(t, "DELETE", "/people", nil).Want(t, 405)
		s.Browser(t).Get(t, "/setup?code=x")
		if list := told(t, s); len(list) != 0 {
			t.Errorf("what nobody was refused: %+v", list)
		}
		page := s.SignedIn(t, "ines@marlowe.example").Get(t, "/audit?action=access.denied").Want(t, 200)
		page.Has(t, p.Name+" was denied access to GET /people").Has(t, "sent from another site")
	})
}

// A method that a caller made up is not written down: it may be long, and different each time.
func TestInventedMethodsAreNotTold(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	for i := range 20 {
		s.Browser(t).Send(t, fmt.Sprint("X", i, strings.Repeat("Y", 5000)), "/people", nil, "Sec-Fetch-Site", "cross-site").Want(t, 405)
	}
	if list := told(t, s); len(list) > 0 {
		t.Errorf("%d events", len(list))
	}
}

// Ten thousand refusals of one kind are a few events, which count them all: nobody fills the disk by knocking
// (security rule A5).
func TestAFloodOfRefusals(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		const knocks, pause = 10_000, 20 * time.Second
		server, began := s.Listener.Config.Handler, s.Changes(t)
		for i := range knocks {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/installCollection", nil)
			r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", i%7)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized {
				t.Fatalf("status %d", w.Code)
			}
			if i%100 == 0 { // as the server does every few seconds
				s.Refused(t)
				s.Clock.Advance(pause)
			}
		}
		if err := s.Handlers.Refusals.Finish(t.Context(), s.Store); err != nil {
			t.Fatal(err)
		}
		list, err := s.EventsAfter(t.Context(), began, 1000)
		if err != nil || len(list) > 10 || sum(t, list) != knocks {
			t.Errorf("%d events tell of %d refusals (%v)", len(list), sum(t, list), err)
		}
		if last := list[len(list)-1]; said(last, "addresses") != "7" || said(last, "first") == "" || said(last, "last") == "" || said(last, "reason") != "credential_missing" {
			t.Errorf("the last is %s", last.Changes)
		}
		s.SignedIn(t, "ines@marlowe.example").Get(t, "/audit").Want(t, 200).Has(t, "was refused an installation: it came without a token, ")
		if chain, err := s.VerifyEvents(t.Context()); err != nil || chain.Broken != "" {
			t.Errorf("the chain: %+v, %v", chain, err)
		}
	})
}

// A sign-in that is refused is in the log: whose account was aimed at, where there is one, and never what was typed.
func TestRefusedSignInsAreTold(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, gone := s.Person(t, s.Admin, models.Member), s.Person(t, s.Admin, models.Member)
		if _, err := s.DeactivatePerson(t.Context(), s.Admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			email, password, reason string
			aim                     models.Person
		}{
			{strings.ToUpper(p.Email), "not the one I typed before", "wrong_password", p}, {"stranger@elsewhere.example", storetest.Password, "unknown_address", models.Person{}},
			{gone.Email, storetest.Password, "deactivated", gone},
		} {
			a := s.Browser(t).Post(t, "/signin", webtest.Form{"email": c.email, "password": c.password}).Want(t, 422)
			list := told(t, s)
			if len(list) != 1 {
				t.Errorf("%s: %d events", c.reason, len(list))
				continue
			}
			e := list[0]
			if e.Action != models.SignInRefused || said(e, "reason") != c.reason || e.PersonID != c.aim.ID || e.SubjectID != c.aim.ID || e.SubjectName != c.aim.Name || e.ActorKind != models.Guest || e.RequestID != a.Header.Get("X-Request-Id") {
				t.Errorf("%s: %+v", c.reason, e)
			}
			if strings.Contains(fmt.Sprint(e), c.password) || strings.Contains(fmt.Sprint(e), "stranger") {
				t.Errorf("%s: the event has what was typed: %+v", c.reason, e)
			}
		}
		s.SignedIn(t, p.Email)
		if list := told(t, s); len(list) != 0 {
			t.Errorf("a sign-in that succeeds is told as %+v", list)
		}
		page := s.SignedIn(t, "ines@marlowe.example").Get(t, "/audit?action=session.refused").Want(t, 200)
		page.Has(t, "Sign-in refused for "+p.Name+": wrong password").Has(t, "Sign-in refused for an unknown address: nobody here has it").Has(t, "the account is deactivated")
	})
}
