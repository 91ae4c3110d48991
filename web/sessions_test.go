package web_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// in says whether a cookie still opens the console, on any of these servers.
func in(t testing.TB, cookie string, servers ...webtest.Site) bool {
	t.Helper()
	open := 0
	for _, s := range servers {
		if a := s.Browser(t).With(t, "sid", cookie).Get(t, "/account"); a.Status == 200 {
			open++
		} else {
			a.Want(t, 303)
		}
	}
	if open != 0 && open != len(servers) {
		t.Errorf("%d of %d servers let the cookie in", open, len(servers))
	}
	return open > 0
}

// A sign-in makes a new session, whatever the browser had before: what somebody planted names nothing,
// and the session before it is over (security rule S2).
func TestSignInRenewsTheSession(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		victim, planted := s.Browser(t), strings.Repeat("planted", 7)[:43]
		victim.With(t, "sid", planted).Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}).To(t, "/")
		first := victim.Cookie(t, "sid")
		if first == planted || in(t, planted, s) || !in(t, first, s) {
			t.Error("a planted session was taken on")
		}
		victim.Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}).To(t, "/")
		second := victim.Cookie(t, "sid")
		if second == first || in(t, first, s) || !in(t, second, s) {
			t.Error("after another sign-in the session before it goes on")
		}
		victim.Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": "a wrong password of some length"}).Want(t, 422)
		if !in(t, second, s) {
			t.Error("a failed sign-in ended the session")
		}
	})
}

// Whatever takes somebody's access away takes every session that should go, on every server, before it
// is answered (security rule S3), and leaves the others.
func TestWhatEndsSessions(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		servers := []webtest.Site{s, webtest.Start(t, s.World, webtest.Over(s.Open(t)))}
		admin := s.SignedIn(t, "ines@marlowe.example")
		for name, c := range endings(t, s, admin) {
			p := s.Person(t, s.Admin, c.role)
			other := session(t, s, p)
			s.Clock.Advance(time.Second) // so that this one is the last used
			self := s.SignedIn(t, p.Email)
			mine := self.Cookie(t, "sid")
			c.do(self, p)
			if in(t, mine, servers...) || in(t, other, servers...) == c.all {
				t.Errorf("%s: this session is open: %v; the other: %v", name, in(t, mine, servers...), in(t, other, servers...))
			}
			if name == "being deactivated" {
				admin.Post(t, "/people/"+p.ID+"/activate", nil).Want(t, 303)
				if in(t, mine, servers...) || in(t, other, servers...) {
					t.Errorf("%s, and activated again: a session is back", name)
				}
			}
			if after := self.Cookie(t, "sid"); (after != "" && in(t, after, servers...)) != (name == "a new password") {
				t.Errorf("%s: afterwards the browser has %q", name, after)
			}
		}
	})
}

// ending is something that ends sessions of a person.
type ending struct {
	role models.Role
	do   func(self *webtest.Agent, p models.Person)
	all  bool // the person's other sessions end too
}

func endings(t *testing.T, s webtest.Site, admin *webtest.Agent) map[string]ending {
	const next = "seven green bicycles under a bridge"
	return map[string]ending{
		"signing out": {models.Member, func(self *webtest.Agent, _ models.Person) { self.Post(t, "/signout", nil).To(t, "/signin?out=1") }, false},
		"signing out of all": {models.Member, func(self *webtest.Agent, _ models.Person) {
			self.Post(t, "/account/sign-out", nil).To(t, "/signin?out=1")
		}, true},
		"being signed out": {models.Member, func(_ *webtest.Agent, p models.Person) { admin.Post(t, "/people/"+p.ID+"/sign-out", nil).Want(t, 303) }, true},
		"being deactivated": {models.Member, func(_ *webtest.Agent, p models.Person) {
			admin.Post(t, "/people/"+p.ID+"/deactivate", nil).Want(t, 303)
		}, true},
		"losing the role": {models.Admin, func(_ *webtest.Agent, p models.Person) {
			admin.Post(t, "/people/"+p.ID, webtest.Form{"name": p.Name, "email": p.Email, "role": "Member"}).Want(t, 303)
		}, true},
		"giving up the role": {models.Admin, func(self *webtest.Agent, p models.Person) {
			self.Post(t, "/people/"+p.ID, webtest.Form{"name": p.Name, "email": p.Email, "role": "Member"}).Want(t, 303)
		}, true},
		"a new password": {models.Member, func(self *webtest.Agent, _ models.Person) {
			self.Post(t, "/account/password", webtest.Form{"current_password": storetest.Password, "new_password": next}).Want(t, 303)
		}, true},
		"ending this session": {models.Member, func(self *webtest.Agent, p models.Person) {
			self.Post(t, "/account/sessions/"+currentSession(t, s, p)+"/end", nil).To(t, "/signin?out=1")
		}, false},
	}
}

func currentSession(t testing.TB, s webtest.Site, p models.Person) string {
	t.Helper()
	list, err := s.Store.Sessions(t.Context(), s.Admin, p.ID)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list[0].ID
}

// A session that is not used for half an hour is over, and so is one that is used all day, after twelve
// hours (security rule S4).
func TestHowLongASessionLives(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		used, idle := s.SignedIn(t, "ines@marlowe.example"), s.SignedIn(t, "ines@marlowe.example")
		began := s.Clock.Now()
		s.Clock.Advance(models.SessionIdle - time.Second)
		used.Get(t, "/").Want(t, 200)
		s.Clock.Advance(time.Second)
		idle.Get(t, "/").To(t, "/signin?next=%2F")
		for s.Clock.Now().Before(began.Add(models.SessionLife - 20*time.Minute)) {
			s.Clock.Advance(20 * time.Minute)
			used.Get(t, "/").Want(t, 200)
		}
		s.Clock.Advance(began.Add(models.SessionLife).Sub(s.Clock.Now()) - time.Microsecond)
		used.Get(t, "/").Want(t, 200)
		s.Clock.Advance(time.Microsecond)
		used.Get(t, "/").To(t, "/signin?next=%2F")
	})
}

// A person sees their own sessions and ends them; another's is not there for them, not even to be ended
// (security rule S5).
func TestOnesOwnSessions(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, other := s.Person(t, s.Admin, models.Member), s.Person(t, s.Admin, models.Member)
		far, _ := session(t, s, p), session(t, s, other)
		s.Clock.Advance(time.Second)
		self := s.SignedIn(t, p.Email)
		page := self.Get(t, "/account").Want(t, 200).Has(t, "This device")
		buttons := page.Page(t).Find(`button[formaction$="/end"]`)
		if buttons.Length() != 1 {
			t.Fatalf("%d sessions can be ended, want the other one", buttons.Length())
		}
		theirs := currentSession(t, s, other)
		before := s.Changes(t)
		self.Post(t, "/account/sessions/"+theirs+"/end", nil).Want(t, 404)
		self.Post(t, "/account/sessions/"+models.NewID()+"/end", nil).Want(t, 404)
		if s.Changes(t) != before {
			t.Error("somebody else's session was ended")
		}
		self.Post(t, buttons.AttrOr("formaction", ""), nil).To(t, "/account")
		self.Get(t, "/account").Want(t, 200).Has(t, "That session is over.")
		if in(t, far, s) || !in(t, self.Cookie(t, "sid"), s) {
			t.Error("the session that was ended goes on, or this one does not")
		}
		self.Post(t, buttons.AttrOr("formaction", ""), nil).Want(t, 404) // it is over already
	})
}

// Signing out works with and without a session, twice, and has the browser drop what it keeps (W6).
func TestSignOut(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	a := s.SignedIn(t, "ines@marlowe.example")
	for range 2 {
		out := a.Post(t, "/signout", nil).To(t, "/signin?out=1")
		if clear := out.Header.Get("Clear-Site-Data"); !strings.Contains(clear, `"cache"`) || !strings.Contains(clear, `"storage"`) {
			t.Errorf("Clear-Site-Data is %q", clear)
		}
		if cookie := out.Header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "sid=;") || !strings.Contains(cookie, "Max-Age=0") {
			t.Errorf("the cookie is set to %q", cookie)
		}
	}
	a.Get(t, "/signin?out=1").Want(t, 200).Has(t, "You are signed out.")
}
