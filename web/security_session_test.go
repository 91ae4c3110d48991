package web_test

import (
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/static"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// Security rule W6 (ASVS 14.3.1): every way to sign oneself out has the browser drop what it keeps, takes
// the cookie, and leads to the way in; and where the browser obeys none of it, its cookie opens nothing.
func TestW6EverySignOutClears(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		for _, path := range []string{"/signout", "/account/sign-out", "/account/sessions/{session}/end", "/people/{me}/sign-out"} {
			me := s.Person(t, s.Admin, models.Admin)
			a := s.SignedIn(t, me.Email)
			a.Get(t, "/account").Want(t, 200)
			cookie := a.Cookie(t, "sid")
			out := a.Post(t, strings.NewReplacer("{session}", currentSession(t, s, me), "{me}", me.ID).Replace(path), nil).To(t, "/signin?out=1")
			if clear := out.Header.Values("Clear-Site-Data"); len(clear) != 1 || clear[0] != `"cache", "storage"` {
				t.Errorf("%s: Clear-Site-Data is %q", path, clear)
			}
			if set := out.Header.Get("Set-Cookie"); !strings.HasPrefix(set, "sid=;") || !strings.Contains(set, "Max-Age=0") {
				t.Errorf("%s: the cookie is set to %q", path, set)
			}
			if in(t, cookie, s) {
				t.Errorf("%s: the cookie still opens the console", path)
			}
		}
	})
}

// Nothing else sends Clear-Site-Data: what a browser keeps of the console is dropped at a sign-out and not
// before.
func TestW6NothingElseClears(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	m := newMatrix(t, s)
	for _, row := range web.Rows() {
		if row.Name == "signout" || row.Name == "account.signout" || row.Guard == "admin programs" {
			continue
		}
		me := m.Person(t, s.Admin, models.Admin)
		r := m.request(t, row, me, m.target(t, stateFor(row)))
		r.AddCookie(&http.Cookie{Name: "sid", Value: session(t, s, me)})
		if clear := s.Browser(t).Do(t, r).Header.Get("Clear-Site-Data"); clear != "" {
			t.Errorf("%s %s: Clear-Site-Data is %q", row.Method, row.Path, clear)
		}
	}
}

// No link makes a page say what is not so: a note about what was done is kept with the session that did it,
// and "You are signed out" is told to nobody who is in.
func TestNotesCannotBeFaked(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		const next = "seven green bicycles under a bridge"
		a := s.SignedIn(t, "ines@marlowe.example")
		for _, path := range []string{"/account?changed=1", "/account?note=x&ok=1&lead=Password&text=changed", "/?out=1", "/people?done=1"} {
			if notes := a.Get(t, path).Want(t, 200).Page(t).Find(".note, [role=status]").Text(); strings.Contains(notes, "changed") || strings.Contains(notes, "signed out") {
				t.Errorf("%s: the page says %q", path, notes)
			}
		}
		a.Get(t, "/signin?out=1").To(t, "/")
		s.Browser(t).Get(t, "/signin?out=1").Want(t, 200).Has(t, "You are signed out.") // as it is

		a.Post(t, "/account/password", webtest.Form{"current_password": storetest.Password, "new_password": next}).To(t, "/account")
		a.Get(t, "/account").Want(t, 200).Has(t, "Your password is changed. Every other session is signed out.")
		a.Get(t, "/account").Want(t, 200).HasNot(t, "Your password is changed.")
	})
}

// Security rules W3 and W6 (ASVS 1.3.2, 3.2.2, 3.5.5, 14.3.3): the script keeps nothing in the browser, reads no
// cookie, makes no code and no markup out of text, and listens to no other window.
func TestW6TheScriptKeepsNothing(t *testing.T) {
	t.Parallel()
	script, kind := static.Read("app.js")
	if len(script) < 1000 || kind != "text/javascript; charset=utf-8" {
		t.Fatalf("%d bytes of %s", len(script), kind)
	}
	for _, word := range []string{
		"localStorage", "sessionStorage", "indexedDB", "caches.", "document.cookie", "cookieStore", "serviceWorker", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "setHTML",
		"DOMParser", "createContextualFragment", "srcdoc", "eval(", "Function(", "setTimeout('", `setTimeout("`, "import(", "postMessage", "'message'", "WebSocket", "RTCPeerConnection", "EventSource", "__proto__", "http:", "https:",
	} {
		if strings.Contains(string(script), word) {
			t.Errorf("the script has %s", word)
		}
	}
}

// Every page of somebody who is signed in has the way out on it, which works (ASVS 7.4.4); every field for a
// password hides it, lets it be pasted, and tells password managers what it is for (security rule S7; ASVS
// 6.2.6 and 6.2.7).
func TestSignedInPagesAndTheirPasswords(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := s.Person(t, s.Admin, models.Member)
	s.Token(t, s.Admin, p.ID)
	admin := s.SignedIn(t, "ines@marlowe.example")
	s.Clock.Advance(models.RecentSignIn) // so that the forms that matter ask for it
	passwords := 0
	pages := crawl(t, admin, "/people/"+p.ID, "/people/new", "/account")
	for path, a := range pages {
		if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			continue
		}
		if a.Page(t).Find(`form[method=post][action="/signout"] button`).Length() == 0 {
			t.Errorf("%s has no way out", path)
		}
		for _, field := range a.Page(t).Find(`input[name*=password]`).EachIter() {
			passwords++
			use := field.AttrOr("autocomplete", "")
			if field.AttrOr("type", "") != "password" || use != "current-password" && use != "new-password" || field.Is("[onpaste], [maxlength], [readonly]") {
				t.Errorf("%s: a field for a password of type %s for %q", path, field.AttrOr("type", ""), use)
			}
		}
	}
	if len(pages) < 10 || passwords < 5 {
		t.Errorf("%d pages with %d passwords", len(pages), passwords)
	}
	for _, field := range s.Browser(t).Get(t, "/signin").Page(t).Find(`input[name=password]`).EachIter() {
		if field.AttrOr("type", "") != "password" || field.AttrOr("autocomplete", "") != "current-password" {
			t.Error("the sign-in page shows the password, or does not tell what it is")
		}
	}
}
