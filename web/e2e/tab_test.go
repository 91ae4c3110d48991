package e2e

import (
	"strings"
	"testing"
	"time"
)

const form = `<form method="post" action="/post"><label for="n">Name</label><input id="n" name="name" value="old">
	<label>Day <input type="date" name="day"></label>
	<label>Role <select name="role"><option value="m">Member</option><option value="a">Admin</option></select></label>
	<input class="gone" type="radio" id="r1" name="r"><label for="r1">One year</label>
	<button>Send</button></form>
	<form method="post" action="/redirect"><button>Redirect</button></form>
	<a href="/next">Next</a> <a href="#here">Here</a>
	<p id="here" data-run="scripts">A place</p><p id="scripted">for scripts</p><noscript>No scripts here</noscript>`

// modes are the two ways in which every step must work.
var modes = map[string]Options{"with scripts": {}, "without scripts": {NoScript: true}}

// Each step returns when the page that it leads to is there: there is no waiting in a flow.
func TestStepsWaitForThePageTheyLeadTo(t *testing.T) {
	base, posts := site(t, map[string]string{"/form": form})
	for mode, with := range modes {
		t.Run(mode, func(t *testing.T) {
			with.Base = base
			b := Open(t, with)
			b.Go("/form")
			b.Fill("Name", "Ada")
			b.Fill("Day", "2027-02-19")
			b.Select("Role", "Admin")
			b.Click("One year")
			if !b.Checked("One year") || b.Value("Name") != "Ada" || b.Value("Day") != "2027-02-19" || b.Value("Role") != "a" {
				t.Errorf("the form holds %q, %q, %q", b.Value("Name"), b.Value("Day"), b.Value("Role"))
			}
			b.Click("Send")
			if b.Title() != "Posted" || !b.Has("You sent Ada") || b.URL() != base+"/post" {
				t.Errorf("after Send: %s %q", b.URL(), b.Text("main"))
			}
			before := posts.Load()
			b.Reload()
			if posts.Load() != before+1 || !b.Has("You sent Ada") {
				t.Errorf("Reload sent the form %d times more", posts.Load()-before)
			}
			b.Click("Next")
			if b.Text("h1") != "Next" {
				t.Errorf("after Next: %q", b.Text("h1"))
			}
			b.Go("/form")
			b.Click("Redirect")
			if b.URL() != base+"/next" || b.Status() != 200 {
				t.Errorf("after Redirect: %s, %d", b.URL(), b.Status())
			}
		})
	}
}

// Without scripts the page's own do not run, and the page knows it.
func TestScriptsAreOnOrOff(t *testing.T) {
	base, _ := site(t, map[string]string{"/form": form})
	for mode, with := range modes {
		t.Run(mode, func(t *testing.T) {
			with.Base = base
			b := Open(t, with)
			b.Go("/form")
			ran := b.Evaluate("document.body.dataset.ran === 'yes'") == "true"
			if ran == with.NoScript || b.Has("No scripts here") != with.NoScript || b.Has("for scripts") == with.NoScript {
				t.Errorf("a script ran: %v; the page says %q", ran, b.Text("main"))
			}
		})
	}
}

// Back and Forward bring a page back alive, although it forbids storing; a page that a form made does
// not come back. The reveal of a secret rests on both.
func TestTheBackForwardCacheIsOn(t *testing.T) {
	base, posts := site(t, map[string]string{"/form": form})
	b := Open(t, Options{Base: base})
	b.Go("/form")
	b.Evaluate("document.getElementById('here').textContent = 'changed by hand'")
	b.Click("Next")
	if restored, _ := b.Restored(); restored {
		t.Error("a page reached by a link says it was restored")
	}
	b.Back()
	if restored, why := b.Restored(); !restored || !b.Has("changed by hand") || b.Evaluate("document.body.dataset.persisted") != `"true"` {
		t.Fatalf("the page was not restored: %v", why)
	}
	b.Click("Here") // a restored page still answers
	b.Fill("Name", "Grace")
	b.Click("Send")
	b.Click("Next")
	sent := posts.Load()
	b.Back()
	restored, why := b.Restored()
	if restored || b.Has("You sent Grace") || posts.Load() != sent {
		t.Errorf("the page that a form made came back: %q", b.Text("body"))
	}
	if len(why) == 0 || !strings.Contains(strings.Join(why, " "), "HTTPMethodNotGET") {
		t.Errorf("the reasons are %v", why)
	}
	b.Forward()
	if b.URL() != base+"/next" {
		t.Errorf("Forward leads to %s", b.URL())
	}
}

// Two tabs of one test share their cookies; two tests share nothing.
func TestEachTestHasABrowserOfItsOwn(t *testing.T) {
	base, _ := site(t, map[string]string{"/form": form})
	one := Open(t, Options{Base: base})
	one.Go("/form")
	one.Evaluate("document.cookie = 'seen=yes'")
	beside, other := one.Another(), Open(t, Options{Base: base})
	beside.Go("/form")
	other.Go("/form")
	if cookies := beside.Evaluate("document.cookie"); cookies != `"seen=yes"` {
		t.Errorf("the second tab has %s", cookies)
	}
	if cookies := other.Evaluate("document.cookie"); cookies != `""` {
		t.Errorf("another browser has %s", cookies)
	}
}

// A double click reaches the page as two, before an answer to the first.
func TestDoubleClickIsTwoClicks(t *testing.T) {
	base, _ := site(t, map[string]string{"/": `<button type="button">Count</button>`})
	b := Open(t, Options{Base: base})
	b.Go("/")
	b.Evaluate("window.clicks = 0, document.addEventListener('click', () => { window.clicks++ })")
	b.DoubleClick("Count")
	if clicks := b.Evaluate("window.clicks"); clicks != "2" {
		t.Errorf("the page saw %s clicks", clicks)
	}
}

// The keyboard goes where a person's goes, and Enter sends the form.
func TestKeyboard(t *testing.T) {
	base, posts := site(t, map[string]string{"/form": form})
	for mode, with := range modes {
		t.Run(mode, func(t *testing.T) {
			with.Base = base
			b := Open(t, with)
			b.Go("/form")
			b.Press("Tab")
			if focus := b.Focus(); focus != `textbox "Name"` {
				t.Errorf("the keyboard is on %s", focus)
			}
			b.Press("Ctrl+a")
			b.Type("Lin")
			b.TabTo("Send")
			b.Press("Shift+Tab", "Shift+Tab")
			if focus := b.Focus(); focus != `combobox "Role"` {
				t.Errorf("two back, the keyboard is on %s", focus)
			}
			b.TabTo("Send")
			before := posts.Load()
			b.Press("Enter")
			if posts.Load() != before+1 || !b.Has("You sent Lin") {
				t.Errorf("Enter led to %q", b.Text("main"))
			}
		})
	}
}

// What is copied can be read back, and reading needs no permission of the page.
func TestClipboard(t *testing.T) {
	base, _ := site(t, map[string]string{"/": `<output id="secret">prod_example</output><button id="copy" type="button">Copy</button>`})
	b := Open(t, Options{Base: base})
	b.Go("/")
	b.Click("Copy")
	b.Wait("Copied")
	if copied := b.Clipboard(); copied != "prod_example" {
		t.Errorf("the clipboard holds %q", copied)
	}
	if state := b.Evaluate("navigator.permissions.query({name: 'clipboard-read'}).then(p => p.state)"); state != `"prompt"` {
		t.Errorf("the page may read the clipboard: %s", state)
	}
}

// Names are those of assistive tools: what is hidden or behind a dialog cannot be used, and a view
// tells cards apart.
func TestOnlyWhatAPersonCanUseIsFound(t *testing.T) {
	base, _ := site(t, map[string]string{"/": `
		<article id="one"><h2>One</h2><button type="button">Revoke</button></article>
		<article id="two"><h2>Two</h2><button type="button" id="open">Revoke</button></article>
		<button hidden>Hidden</button><dialog id="ask" aria-label="Really?"><button type="button">Yes</button></dialog>`})
	said := failing(t, Options{Base: base}, func(b *Tab) {
		b.Go("/")
		b.In("#two").Click("Revoke")
		if b.Focus() != `button "Yes"` {
			t.Errorf("the dialog did not open: %s", b.Focus())
		}
		b.Click("Yes")
		b.Press("Escape")
		b.limit = time.Second
		b.Click("Revoke")
	})
	if len(said) != 1 || !strings.Contains(said[0], `2 controls are named "Revoke"`) || strings.Contains(said[0], "Hidden") {
		t.Errorf("the test said %q", said)
	}
}
