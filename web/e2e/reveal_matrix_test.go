package e2e

import (
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// desk is an installation that was set up, with a witness before it.
type desk struct {
	webtest.Site
	*witness
	record  string   // the address of the first Admin's record, or of what else makes secrets
	route   string   // and how the log tells that they were made
	profile *Profile // the browser; nil: one that keeps nothing
}

// returns are the ways back to a page that showed a secret. Each begins on that page, and looks at every
// page on its way at which the secret could be seen.
var returns = map[string]func(d *desk, b *Tab, look func(*Tab)){
	"closing the dialog": func(_ *desk, b *Tab, look func(*Tab)) {
		b.Click("I have stored it")
		look(b)
	},
	"Reload": func(_ *desk, b *Tab, look func(*Tab)) {
		for range 2 { // without scripts, the form is sent again each time
			b.Reload()
			look(b)
		}
	},
	"Back and Forward": func(_ *desk, b *Tab, look func(*Tab)) {
		b.Back()
		look(b)
		b.Forward()
		look(b)
		b.Reload()
		look(b)
	},
	"another page, Back": func(_ *desk, b *Tab, look func(*Tab)) {
		b.Go("/people")
		b.Back()
		look(b)
		b.Forward()
		b.Back()
		look(b)
		b.Reload()
		look(b)
	},
	"a page that changes no cookie, Back": func(_ *desk, b *Tab, look func(*Tab)) {
		b.Go("/nowhere")
		b.Back()
		look(b)
	},
	"its address in another tab": func(_ *desk, b *Tab, look func(*Tab)) {
		other := b.Another()
		other.Go(b.URL())
		look(other)
	},
	"its source": func(_ *desk, b *Tab, look func(*Tab)) {
		b.Go("view-source:" + b.URL())
		look(b)
	},
	"Duplicate": func(d *desk, b *Tab, look func(*Tab)) {
		twin := d.profile.Duplicate(b)
		look(twin)
		twin.Reload()
		look(twin)
	},
	"Reopen closed tab": func(d *desk, b *Tab, look func(*Tab)) {
		b = d.profile.CloseAndReopen(b)
		look(b)
		b.Reload()
		look(b)
	},
}

// The matrix of security.md 2.1 in a Chromium with a profile, with the back/forward cache on, with scripts
// and without: whichever way leads back to the page that showed a secret, exactly one answer ever held it,
// and each press made exactly one token (R1). When the browser is closed with such pages open and started
// again, they are not there either; and nothing that was kept anywhere holds a secret (R2, R3, R5, R6).
func TestTheRevealIsSeenOnce(t *testing.T) {
	d := newDesk(t, storetest.New(t, ""))
	d.profile = NewProfile(t)
	signIn(d.open(t, modes["with scripts"]), "ines@marlowe.example")
	for mode, with := range modes {
		d.profile.Scripts(!with.NoScript)
		for way, back := range returns {
			t.Run(mode+"/"+way, func(t *testing.T) { d.comeBack(t, d.open(t, with), back) })
		}
		t.Run(mode+"/the form again", func(t *testing.T) { d.sendAgain(t, d.open(t, with)) })
		t.Run(mode+"/the cache is on", func(t *testing.T) { d.cacheIsOn(t, d.open(t, with)) })
	}
	d.restart(t)
	d.wantNoTraces(t)
}

// What of it is a matter of the database, and not between the browser and the pages, on both databases: a
// form that is sent again, and what is kept.
func TestTheRevealIsKeptNowhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		d := newDesk(t, w)
		for mode, with := range modes {
			b := d.open(t, with)
			signIn(b, "ines@marlowe.example")
			t.Run(mode+"/Reload", func(t *testing.T) { d.comeBack(t, b, returns["Reload"]) })
			t.Run(mode+"/the form again", func(t *testing.T) { d.sendAgain(t, b) })
		}
		d.wantNoTraces(t)
	})
}

func newDesk(t *testing.T, w storetest.World) *desk {
	t.Helper()
	s := webtest.Start(t, w)
	s.Admin = s.SetUp(t)
	s.Token(t, s.Admin, s.Admin.ID) // so that every press below replaces one
	return &desk{Site: s, witness: watched(t, s), record: "/people/" + s.Admin.ID, route: "path=/people/:id/bearer-token"}
}

// open opens a tab: in the profile, or where there is none in a browser that shares nothing.
func (d *desk) open(t *testing.T, with Options) *Tab {
	t.Helper()
	with.Base = d.base
	if d.profile != nil {
		return d.profile.Open(t, with)
	}
	return Open(t, with)
}

// press makes a token and answers it, with the page that shows it still open.
func (d *desk) press(t *testing.T, b *Tab) (token string) {
	t.Helper()
	b.Go(d.record + "/bearer-token")
	before := len(d.answered())
	b.In("main").Click("Create new token")
	token = b.Text("#reveal #token")
	if made := d.answered()[before:]; len(made) != 1 || made[0] != token {
		t.Fatalf("the answer to the press holds %d secrets", len(made))
	}
	return token
}

// comeBack makes a token and goes a way back to the page that showed it.
func (d *desk) comeBack(t *testing.T, b *Tab, by func(d *desk, b *Tab, look func(*Tab))) {
	t.Helper()
	token, before := d.press(t, b), len(d.answered())
	by(d, b, func(tab *Tab) { wantNoTrace(t, tab, token) })
	d.wantNoMore(t, before)
}

// wantNoTrace insists that a page, as it is now, has nothing of the tokens.
func wantNoTrace(t *testing.T, b *Tab, tokens ...string) {
	t.Helper()
	for _, trace := range storetest.Traces([]byte(b.HTML()), tokens...) {
		t.Errorf("the page %s has %s", b.URL(), trace)
	}
}

// wantNoMore insists that no answer has held a secret since, and that there is a token for each that did.
func (d *desk) wantNoMore(t *testing.T, before int) {
	t.Helper()
	all := d.answered()
	tokens, _, err := d.Credentials(t.Context(), models.Actor{Kind: models.Command}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != before || len(tokens)-1 != before {
		t.Errorf("%d answers held a secret and %d tokens were made, want %d", len(all), len(tokens)-1, before)
	}
}

// sendAgain sends a form that was sent, from the page that comes back when one goes back.
func (d *desk) sendAgain(t *testing.T, b *Tab) {
	t.Helper()
	b.Go(d.record + "/bearer-token")
	number := b.Evaluate("document.querySelector('main [name=form_id]').value")
	b.In("main").Click("Create new token")
	b.Text("#reveal #token")
	before := len(d.answered())
	b.Back()
	b.Go(d.record + "/bearer-token")
	b.Evaluate("document.querySelector('main [name=form_id]').value = " + number)
	b.In("main").Click("Create new token")
	if !b.Has("This token was already shown") {
		t.Errorf("the page says %s", b.Text("body"))
	}
	d.wantNoMore(t, before)
}

// cacheIsOn shows that a page of the console does come back alive: otherwise the matrix would say nothing.
func (d *desk) cacheIsOn(t *testing.T, b *Tab) {
	t.Helper()
	b.Go("/people")
	b.Evaluate("document.title = 'still alive'")
	b.Go("/audit")
	b.Back()
	if restored, why := b.Restored(); !restored || b.Title() != "still alive" {
		t.Errorf("the page did not come out of the back/forward cache: %v", why)
	}
}

// restart closes the browser while pages show secrets, and starts it again: it opens them again.
func (d *desk) restart(t *testing.T) {
	t.Helper()
	var tokens []string
	for _, with := range modes {
		d.profile.Scripts(!with.NoScript)
		tokens = append(tokens, d.press(t, d.open(t, with)))
	}
	before := len(d.answered())
	d.profile.Close()
	d.profile.Start()
	tabs := d.profile.Tabs(t, Options{Base: d.base})
	if len(tabs) < len(tokens) {
		t.Errorf("the browser came back with %d tabs", len(tabs))
	}
	for _, tab := range tabs {
		wantNoTrace(t, tab, tokens...)
		tab.Reload()
		wantNoTrace(t, tab, tokens...)
	}
	d.wantNoMore(t, before)
	d.profile.Close()
}
