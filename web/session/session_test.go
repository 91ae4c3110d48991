package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/web/session"
)

// rows keeps sessions by the cookie's value; only what is there can be changed, as in the store.
type rows struct {
	by   map[string]*models.Session
	away error
}

func (r *rows) FindSession(_ context.Context, cookie string) (models.SessionSeen, error) {
	if r.away != nil {
		return models.SessionSeen{}, r.away
	}
	if s, ok := r.by[cookie]; ok {
		return models.SessionSeen{Session: *s, Person: models.Person{ID: s.PersonID}}, nil
	}
	return models.SessionSeen{}, models.Fail(models.NotFound, "No.")
}

func (r *rows) SaveSessionData(_ context.Context, id string, data []byte) error {
	for _, s := range r.by {
		if s.ID == id {
			s.Data = data
		}
	}
	return r.away
}

func one() *rows { return &rows{by: map[string]*models.Session{"secret": {ID: "s1", PersonID: "p1"}}} }

func request(cookie string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "sid", Value: cookie})
	}
	return r
}

// Nobody, somebody, and "it could not be found out" are three answers; the last is never one of the others.
func TestCurrent(t *testing.T) {
	store := session.NewStore(one(), false)
	for cookie, want := range map[string]bool{"": false, "secret": true, "another": false, "Secret": false} {
		seen, in, err := store.Current(request(cookie))
		if in != want || err != nil || in != (seen.Person.ID == "p1") {
			t.Errorf("%q: %+v, %v, %v", cookie, seen, in, err)
		}
	}
	away := session.NewStore(&rows{away: errors.New("away")}, false)
	if _, in, err := away.Current(request("secret")); in || err == nil {
		t.Errorf("with the database away: %v, %v", in, err)
	}
	if _, in, err := away.Current(request("")); in || err != nil {
		t.Errorf("without a cookie nothing is asked: %v, %v", in, err)
	}
	// A cookie of plain HTTP is none over TLS, where another site of the same host could have set it.
	if _, in, _ := session.NewStore(one(), true).Current(request("secret")); in {
		t.Error("a cookie without the host's prefix was taken over TLS")
	}
}

// Starting sets the cookie, once; nothing else of a session ever does.
func TestOnlyAStartSetsTheCookie(t *testing.T) {
	for secure, name := range map[bool]string{false: "sid", true: "__Host-sid"} {
		store, r, w := session.NewStore(one(), secure), request(""), httptest.NewRecorder()
		if err := store.Start(r, w, secret.Text("fresh")); err != nil {
			t.Fatal(err)
		}
		cookies := w.Result().Cookies()
		if len(cookies) != 1 || cookies[0].Name != name || cookies[0].Value != "fresh" {
			t.Fatalf("%v", cookies)
		}
		c := cookies[0]
		if !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 12*3600 {
			t.Errorf("%s", c.Raw)
		}
	}
	store, r, w := session.NewStore(one(), false), request("secret"), httptest.NewRecorder()
	for _, err := range []error{store.Leave(r, w, session.Note{Text: "a"}), store.MarkRevealed(r, w)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if set := w.Header().Values("Set-Cookie"); len(set) != 0 {
		t.Errorf("a note set %q", set)
	}
}

// Ending takes the cookie away, whether there is a session or not.
func TestEnd(t *testing.T) {
	for _, cookie := range []string{"", "secret", "gone"} {
		w := httptest.NewRecorder()
		session.NewStore(one(), false).End(request(cookie), w)
		if set := w.Header().Get("Set-Cookie"); !strings.HasPrefix(set, "sid=;") || !strings.Contains(set, "Max-Age=0") || !strings.Contains(set, "Path=/") {
			t.Errorf("%q: %q", cookie, set)
		}
	}
}

// A note is for the next page, and for that one alone; of several, which no page showed, the last stays.
func TestNotesAreTakenOnce(t *testing.T) {
	all := one()
	store := session.NewStore(all, false)
	if err := store.Leave(request("secret"), httptest.NewRecorder(), session.Note{Kind: "ok", Lead: "Tom", Text: " is added."}); err != nil {
		t.Fatal(err)
	}
	if err := store.Leave(request("secret"), httptest.NewRecorder(), session.Note{Text: "Second."}); err != nil {
		t.Fatal(err)
	}
	note, err := store.Take(request("secret"), httptest.NewRecorder())
	if err != nil || note == nil || note.Text != "Second." {
		t.Errorf("%+v, %v", note, err)
	}
	if note, err := store.Take(request("secret"), httptest.NewRecorder()); err != nil || note != nil {
		t.Errorf("again: %+v, %v", note, err)
	}
	if err := store.Leave(request(""), httptest.NewRecorder(), session.Note{Text: "For nobody."}); err != nil {
		t.Errorf("without a session: %v", err)
	}
}

// What is left after a start is for the session that was started, and not for the one before it; where
// that one is gone already, it is an error and no session.
func TestNotesFollowTheStart(t *testing.T) {
	for _, before := range []string{"", "secret"} {
		all := one()
		all.by["next"] = &models.Session{ID: "s2", PersonID: "p1"}
		store, r, w := session.NewStore(all, false), request(before), httptest.NewRecorder()
		if _, in, err := store.Current(r); in != (before != "") || err != nil {
			t.Fatal(in, err)
		}
		for _, err := range []error{store.Start(r, w, secret.Text("next")), store.Leave(r, w, session.Note{Text: "Changed."})} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(all.by["secret"].Data) > 0 || !strings.Contains(string(all.by["next"].Data), "Changed.") {
			t.Errorf("after %q: the old row has %s, the new one %s", before, all.by["secret"].Data, all.by["next"].Data)
		}
		if err := store.Start(r, w, secret.Text("gone")); err != nil {
			t.Fatal(err)
		}
		if err := store.Leave(r, w, session.Note{Text: "Lost."}); err == nil || all.by["gone"] != nil {
			t.Errorf("a note for a session that is gone: %v", err)
		}
	}
}

// A session that ended meanwhile is not brought back by what is left for its next page.
func TestASessionIsNeverBroughtBack(t *testing.T) {
	all := one()
	store, r := session.NewStore(all, false), request("secret")
	if _, in, _ := store.Current(r); !in {
		t.Fatal("not signed in")
	}
	delete(all.by, "secret")
	w := httptest.NewRecorder()
	if err := store.Leave(r, w, session.Note{Text: "Late."}); err != nil {
		t.Fatal(err)
	}
	if len(all.by) != 0 || len(w.Header()) != 0 {
		t.Errorf("%v, %v", all.by, w.Header())
	}
	if _, in, _ := store.Current(request("secret")); in {
		t.Error("it is back")
	}
}

// After a page with a secret the next page changes a cookie, a different one each time, and then no
// more: that is what has a browser drop the page from its back/forward cache.
func TestTheNextPageEvictsTheReveal(t *testing.T) {
	for secure, name := range map[bool]string{false: "n", true: "__Host-n"} {
		all := one()
		store, values := session.NewStore(all, secure), map[string]bool{}
		visit := func() *http.Request {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: strings.TrimSuffix(name, "n") + "sid", Value: "secret"})
			return r
		}
		for range 3 {
			if err := store.MarkRevealed(visit(), httptest.NewRecorder()); err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			if _, err := store.Take(visit(), w); err != nil {
				t.Fatal(err)
			}
			cookies := w.Result().Cookies()
			if len(cookies) != 1 || cookies[0].Name != name || cookies[0].Secure != secure || !cookies[0].HttpOnly || cookies[0].Path != "/" {
				t.Fatalf("%v", cookies)
			}
			values[cookies[0].Value] = true
			w = httptest.NewRecorder()
			if _, err := store.Take(visit(), w); err != nil || len(w.Header()) > 0 {
				t.Errorf("the page after that sets %v, %v", w.Header(), err)
			}
		}
		if len(values) != 3 {
			t.Errorf("the cookie had the values %v", values)
		}
	}
}

// What a row keeps is for the next page and no secret; what cannot be read is a note that is not shown.
func TestWhatARowKeeps(t *testing.T) {
	all := one()
	store := session.NewStore(all, false)
	r, w := request("secret"), httptest.NewRecorder()
	all.by["fresh-secret"] = all.by["secret"] // the same session, renewed
	if err := store.Start(r, w, secret.Text("fresh-secret")); err != nil {
		t.Fatal(err)
	}
	if err := store.Leave(r, w, session.Note{Text: "Done."}); err != nil {
		t.Fatal(err)
	}
	if kept := string(all.by["secret"].Data); strings.Contains(kept, "secret") || !strings.Contains(kept, "Done.") {
		t.Errorf("the row keeps %s", kept)
	}
	for _, odd := range []string{"null", "[]", "{", "\x00", `{"note":"x"}`, `{"note":[1]}`} {
		all.by["secret"].Data = []byte(odd)
		if _, in, err := store.Current(request("secret")); !in || err != nil {
			t.Errorf("%q: %v, %v", odd, in, err)
		}
		if note, err := store.Take(request("secret"), httptest.NewRecorder()); err != nil || note != nil {
			t.Errorf("%q: %v, %v", odd, note, err)
		}
	}
}
