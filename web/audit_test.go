package web_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

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

// seqs are the numbers of the events that a page of the log shows, newest first.
func seqs(t *testing.T, page *webtest.Answer) (list []string) {
	t.Helper()
	for _, link := range page.Page(t).Find("main ol.log a.at").EachIter() {
		list = append(list, link.AttrOr("href", "")[strings.LastIndex(link.AttrOr("href", ""), "/")+1:])
	}
	return list
}

// shown are the numbers of the events that the store finds, as the log would show them.
func shown(t *testing.T, s webtest.Site, f models.EventFilter) (list []string) {
	t.Helper()
	f.Limit = models.PageSize
	events, err := s.Events(t.Context(), s.Admin, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		list = append(list, strconv.FormatInt(e.Seq, 10))
	}
	return list
}

// busy makes events of different sorts and answers who and what they were about.
func busy(t *testing.T, s webtest.Site) (tom models.Person, token models.Credential, collection models.Installed) {
	t.Helper()
	tom = s.Person(t, s.Admin, models.Member)
	if _, err := s.EditPerson(t.Context(), s.Admin, tom.ID, models.PersonEdit{Name: "Tom Okafor", Email: "tom@elsewhere.example", Role: models.Admin}); err != nil {
		t.Fatal(err)
	}
	tom = person(t, s, tom.ID)
	other := s.Person(t, s.Admin, models.Member)
	if _, err := s.EditPerson(t.Context(), s.Admin, other.ID, models.PersonEdit{Name: "Thomasina Moreau", Email: other.Email, Role: models.Member}); err != nil {
		t.Fatal(err)
	}
	token, _ = s.Token(t, s.Admin, tom.ID)
	installed(t, s, storetest.As(tom), "marlowe-press", "House pages", zipOf(t, "a", "1"))
	s.Clock.Advance(24 * time.Hour)
	collection = installed(t, s, s.Admin, "marlowe-press", "House pages", zipOf(t, "a", "2"))
	if _, err := s.RevokeCredential(t.Context(), models.Actor{Kind: models.Command, Name: "root"}, token.ID, models.Revocation{Reason: "lost"}); err != nil {
		t.Fatal(err)
	}
	return tom, token, collection
}

// What is typed into the filter means what a reader would say: a name, an address, an IP address, the command line,
// an ID, the beginning of a token, a collection; days include both ends. The log shows what the store finds for it.
func TestTheLogIsFiltered(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		tom, token, collection := busy(t, s)
		secondWorkspace(t, s, "harbour", "Harbour Books")
		admin := s.SignedIn(t, "ines@marlowe.example")
		day := s.Clock.Now().Truncate(24 * time.Hour)
		workspace := collection.Workspace.ID
		for _, c := range []struct {
			query webtest.Form
			f     models.EventFilter
		}{
			{webtest.Form{"actor": " tom  okafor "}, models.EventFilter{ActorID: tom.ID}}, {webtest.Form{"actor": "TOM@elsewhere.example"}, models.EventFilter{ActorID: tom.ID}},
			{webtest.Form{"actor": tom.ID}, models.EventFilter{ActorID: tom.ID}}, {webtest.Form{"actor": "192.0.2.7"}, models.EventFilter{Address: "192.0.2.7"}},
			{webtest.Form{"actor": "127.0.0.1"}, models.EventFilter{Address: "127.0.0.1"}}, {webtest.Form{"actor": "Command Line"}, models.EventFilter{ActorKind: models.Command}},
			{webtest.Form{"actor": "the server"}, models.EventFilter{ActorKind: models.System}}, {webtest.Form{"actor": "a visitor"}, models.EventFilter{ActorKind: models.Guest}},
			{webtest.Form{"subject": "okafor"}, models.EventFilter{PersonID: tom.ID}}, {webtest.Form{"subject": tom.ID}, models.EventFilter{PersonID: tom.ID}},
			{webtest.Form{"subject": token.Prefix + "..."}, models.EventFilter{SubjectID: token.ID}}, {webtest.Form{"subject": token.Prefix + "…"}, models.EventFilter{SubjectID: token.ID}},
			{webtest.Form{"subject": "house PAGES"}, models.EventFilter{SubjectID: collection.Collection.ID}}, {webtest.Form{"subject": collection.Collection.ID}, models.EventFilter{SubjectID: collection.Collection.ID}},
			{webtest.Form{"action": "collection.installed"}, models.EventFilter{Action: models.CollectionInstalled}}, {webtest.Form{"workspace": "marlowe-press"}, models.EventFilter{WorkspaceID: workspace}},
			{webtest.Form{"from": day.Format(time.DateOnly)}, models.EventFilter{From: day}}, {webtest.Form{"to": day.AddDate(0, 0, -1).Format(time.DateOnly)}, models.EventFilter{To: day}},
			{webtest.Form{"from": day.Format(time.DateOnly), "to": day.Format(time.DateOnly)}, models.EventFilter{From: day, To: day.AddDate(0, 0, 1)}},
			{webtest.Form{"actor": "okafor", "action": "collection.installed", "workspace": "marlowe-press", "subject": "house pages", "to": day.Format(time.DateOnly)},
				models.EventFilter{ActorID: tom.ID, Action: models.CollectionInstalled, WorkspaceID: workspace, SubjectID: collection.Collection.ID}},
			{webtest.Form{}, models.EventFilter{}},
		} {
			page := admin.Get(t, "/audit?"+c.query.Encode()).Want(t, 200)
			if got, want := seqs(t, page), shown(t, s, c.f); !slices.Equal(got, want) || len(want) == 0 {
				t.Errorf("%v shows %v, want %v", c.query, got, want)
			}
			for field, typed := range c.query {
				kept := page.Page(t).Find(`form[role="search"] [name="` + field + `"]`)
				if kept.AttrOr("value", "") != typed && kept.Find("option[selected]").AttrOr("value", "") != typed {
					t.Errorf("%v: %s is not kept", c.query, field)
				}
			}
			if cleared := page.Page(t).Find("main a").FilterFunction(named("Clear filters")).Length(); (cleared > 0) != (len(c.query) > 0) {
				t.Errorf("%v: %d links clear the filter", c.query, cleared)
			}
		}
		for question, name := range map[string]string{"actor=" + tom.ID: "Tom Okafor", "subject=" + tom.ID: "Tom Okafor", "subject=" + collection.Collection.ID: "House pages"} {
			form := admin.Get(t, "/audit?"+question).Page(t).Find(`form[role="search"]`)
			field, _, _ := strings.Cut(question, "=")
			if means := form.Find("#" + form.Find("#"+field).AttrOr("aria-describedby", "none")).Text(); means != name {
				t.Errorf("%s is told as %q", question, means)
			}
		}
		for _, none := range []webtest.Form{{"actor": "198.51.100.1"}, {"action": "person.eaten"}, {"actor": models.NewID()}, {"from": "2031-01-01"}, {"actor": "okafor", "action": "setup.offered"}} {
			admin.Get(t, "/audit?"+none.Encode()).Want(t, 200).Has(t, "No events match")
		}
	})
}

// What means several asks which one, with a link for each that leads to their events and keeps the rest of the
// question; what means nobody says so; days that are none are 422, with what was typed.
func TestTheLogAsksBack(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		busy(t, s)
		admin := s.SignedIn(t, "ines@marlowe.example")
		page := admin.Get(t, "/audit?"+webtest.Form{"actor": "moreau", "from": "2026-11-21", "action": "person.changed"}.Encode()).Want(t, 200).Has(t, "“moreau” means 2. Which one?")
		if len(seqs(t, page)) > 0 {
			t.Error("events are shown before it is clear whose")
		}
		links := page.Page(t).Find("main ul.choices a")
		if links.Length() != 2 || strings.Join(strings.Fields(links.First().Text()), " ") != "Ines Moreau, ines@marlowe.example" {
			t.Fatalf("%d choices: %s", links.Length(), links.Text())
		}
		chosen := admin.Get(t, links.First().AttrOr("href", "")).Want(t, 200)
		if got, want := seqs(t, chosen), shown(t, s, models.EventFilter{ActorID: s.Admin.ID, Action: models.PersonChanged, From: s.Clock.Now().AddDate(0, 0, -1).Truncate(24 * time.Hour)}); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("the choice shows %v, want %v", got, want)
		}
		both := admin.Get(t, "/audit?subject=moreau&workspace=marlowe-press").Want(t, 200).Page(t).Find("main ul.choices a").First().AttrOr("href", "")
		if !strings.Contains(both, "workspace=marlowe-press") || !strings.Contains(both, "subject="+s.Admin.ID) {
			t.Errorf("a choice leads to %s", both)
		}
		for range 7 {
			s.Person(t, s.Admin, models.Member)
		}
		if n := admin.Get(t, "/audit?subject=member").Want(t, 200).Has(t, "“member” means many. Type more of it or an email address, or choose:").Page(t).Find("main ul.choices a").Length(); n != 6 {
			t.Errorf("%d choices", n)
		}
		for _, nobody := range []string{"no such person", "%", "user_zz9", "10.0.0", "Ines Moreau x"} {
			none := admin.Get(t, "/audit?"+webtest.Form{"subject": nobody}.Encode()).Want(t, 200).Has(t, "Nothing here is called “"+nobody+"”.")
			if len(seqs(t, none)) > 0 || none.Page(t).Find("main ul.choices a").Length() > 0 {
				t.Errorf("%q shows something", nobody)
			}
		}
		for _, c := range []struct{ from, to, field string }{
			{"2026-13-01", "", "from"}, {"21.11.2026", "", "from"}, {"", "yesterday", "to"}, {"", "2026-02-30", "to"}, {"1969-12-31", "", "from"}, {"", "9999-12-31", "to"}, {" 2026-11-21", "", "from"}, {"2026-11-21", "2026-11-20", "to"},
			{"2026-11-21T00:00:00Z", "", "from"}, {`"><b>`, "", "from"},
		} {
			wrong := admin.Get(t, "/audit?"+webtest.Form{"from": c.from, "to": c.to, "actor": "tom"}.Encode()).Want(t, 422)
			if said := wrong.Problem(t, c.field); !strings.HasPrefix(said, "Error: ") || len(said) < 20 || len(seqs(t, wrong)) > 0 {
				t.Errorf("%+v: it says %q", c, said)
			}
			for field, typed := range map[string]string{"from": c.from, "to": c.to, "actor": "tom"} {
				if kept := wrong.Page(t).Find(`[name="`+field+`"]`).AttrOr("value", ""); kept != typed {
					t.Errorf("%+v: %s is now %q", c, field, kept)
				}
			}
			admin.Get(t, "/audit.csv?"+webtest.Form{"from": c.from, "to": c.to}.Encode()).Want(t, 400)
		}
		admin.Get(t, "/audit?workspace=nope").Want(t, 422).Has(t, "There is no such workspace.")
	})
}

// T6: a whole token that somebody pasted, in whichever field and around whatever, is on no page and in no link, and
// the log is not searched for it.
func TestAPastedTokenIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	busy(t, s)
	_, text := s.Token(t, s.Admin, s.Admin.ID)
	token := text.Reveal()
	admin := s.SignedIn(t, "ines@marlowe.example")
	for _, around := range []string{" %s ", "Bearer %s", "x%s...", "user_%s"} {
		pasted := strings.Replace(around, "%s", token, 1)
		for _, field := range []string{"actor", "subject", "action", "workspace", "from", "to"} {
			for _, path := range []string{"/audit", "/audit.csv", "/w/marlowe-press/settings/audit"} {
				for _, other := range []webtest.Form{{}, {"actor": "moreau"}, {"subject": "moreau"}, {"from": "never"}} {
					other[field] = pasted
					a := admin.Get(t, path+"?"+other.Encode())
					if a.Status >= 500 || len(found([]byte(a.Body), []string{token})) > 0 || len(found([]byte(fmt.Sprint(a.Header)), []string{token})) > 0 {
						t.Errorf("%s with %q in %s: status %d, and it repeats the token", path, around, field, a.Status)
					}
					if strings.HasSuffix(path, "audit") && len(seqs(t, a)) > 0 && field != "workspace" {
						t.Errorf("%s with %q in %s shows events", path, around, field)
					}
				}
			}
		}
	}
	said := admin.Get(t, "/audit?actor="+token).Want(t, 422)
	if !strings.Contains(said.Problem(t, "actor"), "That is a whole token") {
		t.Errorf("it says %q", said.Problem(t, "actor"))
	}
	if log := s.Log.String(); len(found([]byte(log), []string{token})) > 0 {
		t.Error("the log has the token")
	}
}

// An event has a page of its own with all that is known of it: who, from where, about what, before and after, its
// place in the chain, its neighbours; its links lead to the events that they speak of.
func TestTheEventsPage(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		tom, token, collection := busy(t, s)
		admin := s.SignedIn(t, "ines@marlowe.example")
		changed := shown(t, s, models.EventFilter{Action: models.PersonChanged, PersonID: tom.ID})[0]
		number, _ := strconv.Atoi(changed)
		page := admin.Get(t, "/audit/"+changed).Want(t, 200).Has(t, "Ines Moreau changed the record of Tom Okafor").Has(t, "Its hash fits the event before it.").Has(t, "person.changed")
		row := page.Page(t).Find("main tbody tr").FilterFunction(func(_ int, row *goquery.Selection) bool { return strings.Contains(row.Text(), "role") })
		if text := strings.Join(strings.Fields(row.Text()), " "); text != "roleMemberAdmin" {
			t.Errorf("before and after: %q", text)
		}
		if got := fact(t, page, "From"); got != "192.0.2.7" {
			t.Errorf("from %q", got)
		}
		for words, path := range map[string]string{"Newer": fmt.Sprint("/audit/", number+1), "Older": fmt.Sprint("/audit/", number-1), "Back to the log": "/audit",
			"More by this actor": "/audit?actor=" + s.Admin.ID, "More about this": "/audit?subject=" + tom.ID} {
			if to := linkTo(t, page, words); to != path {
				t.Errorf("%s leads to %s, want %s", words, to, path)
			}
		}
		if got, want := seqs(t, admin.Get(t, linkTo(t, page, "More about this"))), shown(t, s, models.EventFilter{PersonID: tom.ID}); !slices.Equal(got, want) {
			t.Errorf("more about Tom: %v, want %v", got, want)
		}
		if got, want := seqs(t, admin.Get(t, linkTo(t, page, "More by this actor"))), shown(t, s, models.EventFilter{ActorID: s.Admin.ID}); !slices.Equal(got, want) {
			t.Errorf("more by Ines: %v, want %v", got, want)
		}
		first := admin.Get(t, "/audit/1").Want(t, 200)
		if first.Page(t).Find("main a").FilterFunction(named("Older")).Length() > 0 {
			t.Error("there is one before the first")
		}
		installedAs := shown(t, s, models.EventFilter{SubjectID: collection.Collection.ID})
		of := admin.Get(t, "/w/marlowe-press/settings/audit/"+installedAs[0]).Want(t, 200).Has(t, "installed the collection House pages")
		if to := linkTo(t, of, "Older"); to != "/w/marlowe-press/settings/audit/"+installedAs[1] {
			t.Errorf("in the workspace the one before is %s", to)
		}
		admin.Get(t, "/w/marlowe-press/settings/audit/"+changed).Want(t, 404)
		revoked := admin.Get(t, "/audit/"+shown(t, s, models.EventFilter{SubjectID: token.ID})[0]).Want(t, 200).Has(t, "root (command line) revoked the bearer token of Tom Okafor").Has(t, "lost")
		if revoked.Page(t).Find("main a").FilterFunction(named("More by this actor")).Length() > 0 {
			t.Error("more by the command line is offered, which is nobody")
		}
		for _, odd := range []string{"0", "-1", "x", "999999", "9223372036854775808", "1.5", "%20" + changed, changed + "%00"} {
			admin.Get(t, "/audit/"+odd).Want(t, 404)
		}
	})
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
