package main

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"tokendesk/models/store/storetest"
)

// A server prints one line with the set-up address, at every start while there is no Admin and at none
// after that. The address works once, and signs in.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		first := in.serve(t)
		before := wantSetUpLine(t, first.stop(t), first.base)

		second := in.serve(t)
		code := second.await(t, second.out, setUpLine)[3]
		if code == before {
			t.Error("the second start prints the code of the first")
		}
		second.browser(t).get(t, "/setup?code="+code+"x").want(t, http.StatusForbidden)
		second.setUp(t).get(t, "/people").want(t, http.StatusOK)
		for _, used := range []string{code, before} {
			stranger := second.browser(t)
			stranger.get(t, "/setup?code="+used).want(t, http.StatusNotFound)
			stranger.post(t, "/setup", url.Values{
				"code": {used}, "name": {"Mallory"}, "email": {"mallory@example.org"}, "password": {storetest.Password}, "workspace": {"Mine"},
			}).want(t, http.StatusNotFound)
		}
		wantSetUpLine(t, second.stop(t), second.base)

		third := in.serve(t)
		if status := third.browser(t).signIn(t, "ines@marlowe.example", storetest.Password); status != http.StatusSeeOther {
			t.Errorf("the first Admin cannot sign in after a restart: %d", status)
		}
		if r := third.stop(t); r.out != "" {
			t.Errorf("there is an Admin, and the server prints %q", r.out)
		}
	})
}

// wantSetUpLine insists that one line is all that a server printed, and answers the code in it.
func wantSetUpLine(t *testing.T, r result, base string) string {
	t.Helper()
	line := regexp.MustCompile(setUpLine).FindStringSubmatch(r.out)
	if line == nil || line[1] != base {
		t.Fatalf("the server at %s printed %q", base, r.out)
	}
	return line[3]
}

// The set-up address is the one that people use, where that is known.
func TestSetUpAddress(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	s := in.serve(t, "TOKENDESK_BASE_URL=http://desk.example.com:8443/")
	wantSetUpLine(t, s.stop(t), "http://desk.example.com:8443")
}

// Machines set up with a command instead; then nobody is offered the page.
func TestSetUpByCommand(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		offered := in.serve(t)
		code := offered.await(t, offered.out, setUpLine)[3]
		in.ok(t, storetest.Password+"\n", "person", "add", "--admin", "--name", "Ines Moreau", "--email", "ines@marlowe.example", "--workspace", "Marlowe Press")
		b := offered.browser(t)
		b.get(t, "/setup?code="+code).want(t, http.StatusNotFound)
		if status := b.signIn(t, "INES@marlowe.example ", storetest.Password); status != http.StatusSeeOther {
			t.Fatalf("the Admin cannot sign in: %d", status)
		}
		b.get(t, "/people").want(t, http.StatusOK)
		offered.stop(t)
		if r := in.serve(t).stop(t); r.out != "" {
			t.Errorf("there is an Admin, and the server prints %q", r.out)
		}
	})
}
