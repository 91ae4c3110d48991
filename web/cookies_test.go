package web_test

import (
	"net/http"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/webtest"
)

// Behind TLS every cookie is bound to it and to this host, also by its name, and browsers are told to come by TLS alone (security rules S6, W4). Over plain HTTP, where browsers would
// refuse such a cookie, it has another name and all the other attributes.
func TestCookies(t *testing.T) {
	t.Parallel()
	world := webtest.SQLite(t)
	for address, prefix := range map[string]string{"https://console.example": "__Host-", "http://console.example": "", "": ""} {
		s, secure := webtest.Start(t, world.World, webtest.BaseURL(address)), prefix != ""
		a := s.Browser(t)
		set := map[string]*http.Cookie{}
		keep := func(answer *webtest.Answer) {
			for _, line := range answer.Header.Values("Set-Cookie") {
				cookie, err := http.ParseSetCookie(line)
				if err != nil || len(line) > 4000 {
					t.Fatal(line, err)
				}
				set[cookie.Name] = cookie
			}
			if got := answer.Header.Get("Strict-Transport-Security"); (got == "max-age=31536000; includeSubDomains") != secure || !secure && got != "" {
				t.Errorf("%q: Strict-Transport-Security is %q", address, got)
			}
		}
		keep(a.Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}).To(t, "/"))
		press(t, a, "/people/"+world.Admin.ID)
		keep(a.Get(t, "/account").Want(t, 200))
		keep(a.Post(t, "/preferences/theme", webtest.Form{"theme": "dark"}).Want(t, 303))
		keep(a.Get(t, "/w/marlowe-press/settings").Want(t, 200))
		keep(a.Get(t, "/nope").Want(t, 404))
		for _, name := range []string{prefix + "sid", prefix + "n", prefix + "device", prefix + "theme", prefix + "workspace"} {
			c := set[name]
			if c == nil {
				t.Errorf("%q: no cookie %s in %v", address, name, set)
				continue
			}
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != secure || c.MaxAge <= 0 {
				t.Errorf("%q: %s", address, c.Raw)
			}
		}
		if len(set) != 5 || len(set[prefix+"sid"].Value) != 43 {
			t.Errorf("%q: cookies %v", address, set)
		}
		keep(a.Post(t, "/signout", nil).Want(t, 303))
		if c := set[prefix+"sid"]; c.Value != "" || c.MaxAge >= 0 || c.Secure != secure || c.Path != "/" {
			t.Errorf("%q: signing out sets %s", address, c.Raw)
		}
		if c := set[prefix+"workspace"]; c.Value != "" || c.MaxAge >= 0 {
			t.Errorf("%q: signing out leaves %s", address, c.Raw)
		}
	}
}

// The table's every answer over TLS has what every answer has, and says to come by TLS; a session's
// cookie of plain HTTP opens nothing there.
func TestEveryAnswerOverTLS(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.BaseURL("https://console.example"))
	m := newMatrix(t, s)
	for _, row := range web.Rows() {
		if row.Guard == "anyone" || row.Guard == "whoever holds it" {
			continue
		}
		r := m.request(t, row, m.owner, m.targets["active"])
		r.AddCookie(&http.Cookie{Name: "sid", Value: session(t, s, m.owner)})
		a := s.Browser(t).Do(t, r)
		if refusal(row, a) == "" || a.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s %s: status %d, HSTS %q", row.Method, row.Path, a.Status, a.Header.Get("Strict-Transport-Security"))
		}
		headersOf(t, row.Path, row, a)
	}
	// The address that commands to copy have is the one that is configured.
	s.SignedIn(t, "ines@marlowe.example").Get(t, "/w/marlowe-press/settings/collections").Has(t, "https://console.example/installCollection")
}

// A page never keeps what only one person may see where another could find it: signed in, no answer may
// be stored; a file with a hash in its name may be, for good; the others are asked for again (W5).
func TestWhatMayBeKept(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin := s.SignedIn(t, "ines@marlowe.example")
	page := admin.Get(t, "/").Want(t, 200)
	files := 0
	for _, attr := range []string{"href", "src"} {
		for _, element := range page.Page(t).Find("[" + attr + `^="/static/"]`).EachIter() {
			path, _, _ := strings.Cut(element.AttrOr(attr, ""), "#")
			if keep := s.Browser(t).Get(t, path).Want(t, 200).Header.Get("Cache-Control"); keep != "public, max-age=31536000, immutable" {
				t.Errorf("%s: Cache-Control %q", path, keep)
			}
			files++
		}
	}
	if files < 3 {
		t.Errorf("the page has %d files", files)
	}
	if keep := s.Browser(t).Get(t, "/static/app.css").Want(t, 200).Header.Get("Cache-Control"); keep != "no-cache" {
		t.Errorf("without a hash: Cache-Control %q", keep)
	}
	s.Person(t, s.Admin, models.Member)
	for path, answer := range crawl(t, admin) {
		if keep := answer.Header.Get("Cache-Control"); keep != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, keep)
		}
	}
}
