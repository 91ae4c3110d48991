package views_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"tokendesk/views"
)

// The whole secret is written once, where script empties it, and nowhere else: not in the title, not
// in an attribute, not in the command. The page is not translated and tells no one its address.
func TestTheRevealWritesTheSecretOnce(t *testing.T) {
	r := ines()
	page := views.PersonReveal(page(), r, views.Reveal{Secret: sampleSecret, Prefix: sampleSecret[:8], LastFour: sampleSecret[50:], Expires: at("21 Nov 2027"), Replaced: "user_4mQ"})
	doc, html := draw(t, page)
	if n := strings.Count(html, sampleSecret); n != 1 {
		t.Fatalf("the secret is in the page %d times", n)
	}
	if n := strings.Count(html, sampleSecret[8:50]); n != 1 {
		t.Errorf("the middle of the secret is in the page %d times", n)
	}
	token := doc.Find("main.notranslate dialog#reveal[open] output#token")
	if token.Text() != sampleSecret {
		t.Errorf("the reveal shows %q", token.Text())
	}
	for _, attr := range []string{"translate=no", "spellcheck=false", "autocomplete=off", "tabindex='0'"} {
		if !token.Is("[" + attr + "]") {
			t.Errorf("the reveal has no %s", attr)
		}
	}
	if doc.Find("meta[name=referrer]").AttrOr("content", "") != "no-referrer" || doc.Find("meta[name=google][content=notranslate]").Length() != 1 {
		t.Error("the page may be translated, or tells its address")
	}
	if url := doc.Find("#reveal").AttrOr("data-url", ""); url != "/people/p1" {
		t.Errorf("script leads to %q", url)
	}
	if back := doc.Find("#reveal form[method=get] [data-ack]").Closest("form").AttrOr("action", ""); back != "/people/p1" {
		t.Errorf("the button leads to %q", back)
	}
	if doc.Find("time#token-expires").AttrOr("datetime", "") == "" {
		t.Error("the day it expires is not there")
	}
	if said := doc.Find("#reveal .dlg-h p").Text(); said != "For Ines Moreau. The previous token, user_4mQ..., no longer works." {
		t.Errorf("it says %q", said)
	}
	if command := doc.Find("#curl").Text(); !strings.Contains(command, "read -rs TOKEN && \\\ncurl -X POST https://desk.marlowe.example/installCollection \\\n  -H \"Authorization: Bearer $TOKEN\" \\\n  -F \"collectionFile=@myCollection.zip\"") {
		t.Errorf("the command is %q", command)
	}
}

// A first token replaces nothing, and a Member's says what it will not open.
func TestTheRevealOfAMember(t *testing.T) {
	r := ines()
	r.Role = "Member"
	doc, _ := draw(t, views.PersonReveal(page(), r, views.Reveal{Secret: sampleSecret}))
	if said := doc.Find("#reveal .dlg-h p").Text(); said != "For Ines Moreau." {
		t.Errorf("it says %q", said)
	}
	if said := doc.Find("#reveal .note-warn").Text(); !strings.Contains(said, "Ines is a Member. Admin requests with this token are answered “Admin access required”.") {
		t.Errorf("the warning says %q", said)
	}
}

// Only the reveal keeps its address to itself: everywhere else forms need the Origin header.
func TestOtherPagesSendTheirOrigin(t *testing.T) {
	for _, s := range samples() {
		doc, html := draw(t, s.page)
		if revealed := doc.Find("#token").Length() == 1; revealed != strings.Contains(html, `content="no-referrer"`) {
			t.Errorf("%s: the referrer policy does not fit", s.name)
		}
	}
}

// The button creates at once when there is nothing to ask or to warn of; otherwise it leads to the
// question, which is also a dialog on the record. Nobody who is deactivated gets a token.
func TestCreateBearerToken(t *testing.T) {
	with := func(change func(*views.Record)) views.Record {
		r := ines()
		change(&r)
		return r
	}
	tests := map[string]struct {
		record                   views.Record
		posts, asks, explainsWhy bool
	}{
		"first":       {with(func(r *views.Record) { r.Bearer = nil }), true, false, false},
		"replacing":   {ines(), false, true, false},
		"password":    {with(func(r *views.Record) { r.Bearer, r.AskPassword = nil, true }), false, true, false},
		"member":      {with(func(r *views.Record) { r.Bearer, r.Role = nil, "Member" }), false, true, false},
		"deactivated": {with(func(r *views.Record) { r.Bearer, r.Active = nil, false }), false, false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			doc, _ := draw(t, views.Person(page(), test.record))
			form := doc.Find(`.bar form[action="/people/p1/bearer-token"]`)
			if posts := form.Find(`input[name=form_id][value="3f1c9d0a7be24c55"]`).Length() == 1; posts != test.posts {
				t.Errorf("posts at once: %v", posts)
			}
			link := doc.Find(`.bar a[href="/people/p1/bearer-token"][data-dialog=bearer]`)
			if asks := link.Length() == 1; asks != test.asks {
				t.Errorf("asks: %v", asks)
			}
			dialog := doc.Find(`dialog#bearer form[action="/people/p1/bearer-token"] input[name=form_id]`)
			if there := dialog.Length() == 1; there != test.asks {
				t.Errorf("the question is there: %v", there)
			}
			if said := strings.Contains(doc.Text(), "A new token can be created when Ines is activated again."); said != test.explainsWhy {
				t.Errorf("says why there is no button: %v", said)
			}
		})
	}
}

func question(name string, r views.Record) templ.Component {
	switch name {
	case "bearer":
		return views.PersonBearer(page(), r, views.Form{})
	case "revoke":
		return views.PersonRevoke(page(), r, views.Form{})
	case "deactivate":
		return views.PersonDeactivate(page(), r, views.Form{})
	}
	return views.PersonSignOut(page(), r, views.Form{})
}

// Each question is the same on its page and in its dialog, and asks for the password when it must.
func TestQuestions(t *testing.T) {
	ask := ines()
	ask.AskPassword = true
	member := ines()
	member.Role, member.Bearer = "Member", nil
	for _, test := range []struct {
		name, dialog, heading string
		record                views.Record
		says                  []string
		passwords             int
	}{
		{"replace", "bearer", "Replace Ines Moreau’s bearer token?", ines(), []string{"Any tool still using user_4mQ... stops working at once.", "Still in use: last request 12 minutes ago from 203.0.113.24."}, 0},
		{"replace, asked", "bearer", "Replace Ines Moreau’s bearer token?", ask, nil, 1},
		{"first, member", "bearer", "Create a bearer token for Ines Moreau?", member, []string{"Ines is a Member. Admin requests with this token are answered “Admin access required”."}, 0},
		{"revoke", "revoke", "Revoke Ines Moreau’s bearer token?", ines(), []string{"Requests that use user_4mQ... are refused from the next second.", "Kept in the audit log."}, 0},
		{"deactivate", "deactivate", "Deactivate Ines Moreau?", ines(), []string{"their 1 working credential is refused while deactivated"}, 0},
		{"sign out", "signout", "Sign Ines Moreau out everywhere?", ask, []string{"You have 2 open sessions."}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			record, _ := draw(t, views.Person(page(), test.record))
			dialog := record.Find("dialog#" + test.dialog)
			alone, _ := draw(t, question(test.dialog, test.record))
			form := alone.Find("main form")
			if got := alone.Find("h1").Text(); got != test.heading || dialog.Find("h2").Text() != test.heading {
				t.Errorf("asks %q and %q", got, dialog.Find("h2").Text())
			}
			if form.AttrOr("action", "") != dialog.Find("form").AttrOr("action", "-") {
				t.Errorf("sent to %q and %q", form.AttrOr("action", ""), dialog.Find("form").AttrOr("action", ""))
			}
			for _, words := range test.says {
				if !strings.Contains(form.Text(), words) || !strings.Contains(dialog.Text(), words) {
					t.Errorf("does not say %q: %q", words, form.Text())
				}
			}
			if n := form.Find("input[type=password][name=current_password]").Length(); n != test.passwords {
				t.Errorf("asks for %d passwords", n)
			}
			if n := dialog.Find("input[type=password][name=current_password]").Length(); n != test.passwords {
				t.Errorf("the dialog asks for %d passwords", n)
			}
			if back := form.Find(".card-f a").AttrOr("href", ""); back != "/people/p1" {
				t.Errorf("Cancel leads to %q", back)
			}
		})
	}
}

// The card of the live token tells what a person needs to recognise and judge it, and nothing of the rest.
func TestBearerCard(t *testing.T) {
	doc, _ := draw(t, views.Person(page(), ines()))
	card := doc.Find("[data-token-id=c4]")
	facts := card.Find("dl > div").Map(func(_ int, s *goquery.Selection) string {
		return read(s)
	})
	want := []string{
		"Token user_4mQ... ends in 9xZ1", "Status Active", "Created 2 Mar 2026 by Ines Moreau",
		"Expires 2 Mar 2027 in 101 days", "Usage 3,418 12 minutes ago",
	}
	if !slices.Equal(facts, want) {
		t.Errorf("the card says %q, want %q", facts, want)
	}
	if said := card.Find("[role=img]").AttrOr("aria-label", ""); said != "Requests a day over 14 days, highest 88" {
		t.Errorf("the chart says %q", said)
	}
	revoke := card.Find("form[method=get]:has(button[data-dialog=revoke])")
	if to := revoke.AttrOr("action", ""); to != "/people/p1/bearer-token/revoke" || read(revoke) != "Revoke" {
		t.Errorf("%q leads to %q", read(revoke), to)
	}
	if said := doc.Find("[data-token-id=c3]").Text(); !strings.Contains(said, "Replaced 2 Mar 2026 by Ines Moreau") || !strings.Contains(said, "3 refused calls since") {
		t.Errorf("the replaced token says %q", said)
	}
}

// What the token can do follows from whose it is.
func TestReachOfTheToken(t *testing.T) {
	member, gone := ines(), ines()
	member.Role = "Member"
	gone.Active = false
	for words, r := range map[string]views.Record{
		"Works on admin endpoints, because Ines has Admin access.":                                        ines(),
		"Requests that need Admin access are answered “Admin access required”, because Ines is a Member.": member,
		"Every request with it is refused, because Ines is deactivated.":                                  gone,
	} {
		doc, _ := draw(t, views.Person(page(), r))
		if said := doc.Find("[data-token-id=c4] .card-f span").First().Text(); said != words {
			t.Errorf("the card says %q, want %q", said, words)
		}
	}
}

// The switch is there for whoever may use it, and the way back is one click.
func TestDeactivateAndActivate(t *testing.T) {
	gone, fixed := ines(), ines()
	gone.Active = false
	fixed.MaySwitch = false
	for name, test := range map[string]struct {
		record          views.Record
		lead, post, ask int
	}{
		"active":      {ines(), 1, 0, 1},
		"deactivated": {gone, 0, 1, 0},
		"not allowed": {fixed, 0, 0, 0},
	} {
		doc, _ := draw(t, views.Person(page(), test.record))
		lead := doc.Find(`.bar a[href="/people/p1/deactivate"][data-dialog=deactivate]`).Length()
		post := doc.Find(`.bar form[method=post][action="/people/p1/activate"]`).Length()
		if ask := doc.Find("dialog#deactivate").Length(); lead != test.lead || post != test.post || ask != test.ask {
			t.Errorf("%s: %d links, %d forms, %d dialogs", name, lead, post, ask)
		}
	}
}
