package web_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// What happened is in the log as sentences, newest first, under its day, with who, from where, and the
// number of the request; and the chain of all of it holds.
func TestTheLogTellsWhatHappened(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := webtest.Start(t, w)
		admin := setUpByPage(t, s)
		record := admin.Post(t, "/people", webtest.Form{"name": "Tom Okafor", "email": "tom@marlowe.example", "role": "Admin", "password": storetest.Password}).Header.Get("Location")
		token := press(t, admin, record).Text(t, "#token")
		s.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(smallZip(t)), "Content-Type", "multipart/form-data; boundary=edge", "X-API-Key", token).Want(t, 200)
		s.Browser(t).Send(t, "POST", "/installCollection", bytes.NewReader(smallZip(t)), "Content-Type", "multipart/form-data; boundary=edge", "X-API-Key", token).Want(t, 200)
		admin.Post(t, record+"/bearer-token/revoke", webtest.Form{"reason": "Found in a <b>chat</b>"}).Want(t, 303)
		changed := admin.Post(t, record, webtest.Form{"name": "Tom Okafor", "email": "tom@marlowe.example", "role": "Member"}).Want(t, 303)
		admin.Post(t, record+"/deactivate", nil).Want(t, 303)
		admin.Post(t, record+"/activate", nil).Want(t, 303)
		admin.Post(t, record+"/sign-out", nil).Want(t, 303)
		admin.Post(t, "/w/marlowe-press/settings", webtest.Form{"name": "Marlowe House"}).Want(t, 303)
		admin.Post(t, "/account/password", webtest.Form{"current_password": storetest.Password, "new_password": "seven green bicycles under a bridge"}).Want(t, 303)

		page := admin.Get(t, "/audit").Want(t, 200).Has(t, "Found in a <b>chat</b>").Has(t, "Today, 21 November 2026")
		if page.Page(t).Find("main b").Length() > 0 {
			t.Error("a reason became markup")
		}
		page.HasNot(t, token[8:40])
		want := []string{
			"Ines Moreau signed in", "Ines Moreau changed the password of Ines Moreau", "Ines Moreau changed the workspace Marlowe House", "Ines Moreau signed Tom Okafor out everywhere",
			"Ines Moreau activated Tom Okafor", "Ines Moreau deactivated Tom Okafor", "Ines Moreau changed the record of Tom Okafor", "Ines Moreau revoked the bearer token of Tom Okafor",
			"Tom Okafor installed the collection small again, unchanged", "Tom Okafor installed the collection small", "Ines Moreau created a bearer token for Tom Okafor",
			"Ines Moreau added Tom Okafor", "Ines Moreau signed in", "set the console up with the first Admin, Ines Moreau", "The server printed a set-up address",
		}
		lines := page.Page(t).Find("main ol > li")
		if lines.Length() != len(want) {
			t.Errorf("%d lines, want %d", lines.Length(), len(want))
		}
		for i, line := range lines.EachIter() {
			if i < len(want) && !strings.Contains(strings.Join(strings.Fields(line.Text()), " "), want[i]) {
				t.Errorf("line %d reads %q, want %q", i, strings.Join(strings.Fields(line.Text()), " "), want[i])
			}
		}
		page.Has(t, changed.Header.Get("X-Request-Id")).Has(t, "127.0.0.1").Has(t, "Admin → Member")
		if chain, err := s.VerifyEvents(t.Context()); err != nil || chain.Broken != "" {
			t.Errorf("the chain: %+v, %v", chain, err)
		}
	})
}

// Following the log to its end shows every event once, and "Newest" leads back.
func TestTheLogIsPaged(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	for range models.PageSize {
		s.Person(t, s.Admin, models.Member)
	}
	admin := s.SignedIn(t, "ines@marlowe.example")
	s.Clock.Advance(time.Minute)
	shown, pages := 0, 0
	for path := "/audit"; path != ""; pages++ {
		page := admin.Get(t, path).Want(t, 200)
		shown += page.Page(t).Find("main ol > li").Length()
		links := page.Page(t).Find(`nav[aria-label="Pages"] a`)
		if newest := links.FilterFunction(named("Newest")).AttrOr("href", ""); newest != map[bool]string{true: "", false: "/audit"}[path == "/audit"] {
			t.Errorf("on %s Newest leads to %q", path, newest)
		}
		path = links.FilterFunction(named("Older")).AttrOr("href", "")
	}
	if int64(shown) != s.Changes(t) || pages != 2 {
		t.Errorf("%d of %d events on %d pages", shown, s.Changes(t), pages)
	}
}

// What was read is no change, and what failed is none: looking at every page, and sending forms that
// come back, leaves the log as it was.
func TestLookingIsNoEvent(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	s.Token(t, s.Admin, s.Admin.ID)
	admin := s.SignedIn(t, "ines@marlowe.example")
	before := s.Changes(t)
	pages := crawl(t, admin)
	if len(pages) < 10 || s.Changes(t) != before {
		t.Errorf("%d pages made %d events", len(pages), s.Changes(t)-before)
	}
	for path, page := range pages {
		if page.Status != 200 {
			t.Errorf("a link leads to %s: status %d", path, page.Status)
		}
	}
}
