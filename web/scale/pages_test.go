package scale

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tokendesk/models"
	"tokendesk/models/store/seed"
	"tokendesk/models/store/storetest"
)

// page is one page of the console: where it is in an installation, and how many rows it must show there.
type page struct {
	name string
	path string
	row  string // the selector of a row
	rows int    // how many there are; -1 where that depends on the installation
	as   string // whose page it is, by address; empty: the first Admin's
}

const (
	people      = "tr[data-person-id]"
	events      = "ol.log > li"
	tokens      = "li[data-token-id]"
	versions    = "tr[data-version]"
	collections = "tbody tr"
	full        = models.PageSize
)

// command may read everything.
var command = models.Actor{Kind: models.Command}

// pages lists every page that lists or searches, with the places in the middle and at the end of each list.
func pages(t testing.TB, in installation) []page {
	t.Helper()
	var list []page
	list = append(list, peoplePages(t, in)...)
	list = append(list, recordPages(t, in)...)
	list = append(list, auditPages(t, in)...)
	list = append(list, credentialPages(t, in)...)
	return append(list, workspacePages(t, in)...)
}

func peoplePages(t testing.TB, in installation) []page {
	all, admins := follow(t, in, "/people"), "/people?role=Admin"
	search := func(q string) string { return "/people?q=" + url.QueryEscape(q) }
	return []page{
		{name: "people, page 1", path: all[0], row: people, rows: full},
		{name: "people, half-way", path: all[len(all)/2], row: people, rows: full},
		{name: "people, last full page", path: all[len(all)-2], row: people, rows: full},
		{name: "search: a rare word", path: search("quillfeather"), row: people, rows: 3},
		{name: "search: a rare word of an address", path: search("uillfeather."), row: people, rows: 3},
		{name: "search: one in two hundred", path: search("wanja"), row: people, rows: -1},
		{name: "search: one in thirty, late in the list", path: search("thomas"), row: people, rows: -1},
		{name: "search: every other person", path: search("marlowe"), row: people, rows: full},
		{name: "search: nobody", path: search("zyzzyva"), row: people, rows: 0},
		{name: "search: two letters of many", path: search("an"), row: people, rows: full},
		{name: "search: two letters of nobody", path: search("qx"), row: people, rows: 0},
		{name: "people by role: Admins", path: admins, row: people, rows: 10},
		{name: "people by role: Members", path: "/people?role=Member", row: people, rows: full},
		{name: "people by status: deactivated", path: "/people?status=deactivated", row: people, rows: full},
		{name: "people by status: active", path: "/people?status=active", row: people, rows: full},
		{name: "search, role and status", path: search("marlowe") + "&role=Admin&status=deactivated", row: people, rows: -1},
	}
}

// recordPages are those of a person with nine tenths of all tokens, and of somebody else.
func recordPages(t testing.TB, in installation) []page {
	robot, other := person(t, in, "build robot"), person(t, in, "maud quillfeather")
	all := "/people/" + robot.ID + "/tokens"
	// A place in the list is an ID, and IDs begin with a time: the right one is found by halving.
	ended := func(below string) int {
		found, err := in.EndedCredentials(t.Context(), command, robot.ID, below)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	first, last := in.Clock.Now().AddDate(-2, -1, 0), in.Clock.Now()
	end := first.Add(time.Duration(bisect(0, int64(last.Sub(first)), func(n int64) bool { return ended(idOf(first.Add(time.Duration(n)))) > full })) - 1)
	from := func(at time.Time) string {
		text, err := json.Marshal(models.Place{ID: idOf(at)})
		if err != nil {
			t.Fatal(err)
		}
		return all + "?after=" + in.Handlers.Key.Sign("list/tokens", text)
	}
	return []page{
		{name: "a person's record", path: "/people/" + other.ID, row: tokens, rows: -1},
		{name: "the record with the most tokens", path: "/people/" + robot.ID, row: tokens, rows: 20},
		{name: "all tokens of a person, page 1", path: all, row: tokens, rows: full},
		{name: "all tokens of a person, half-way", path: from(first.Add(last.Sub(first) / 2)), row: tokens, rows: full},
		{name: "all tokens of a person, last page", path: from(end), row: tokens, rows: full},
	}
}

func auditPages(t testing.TB, in installation) []page {
	robot, rare := person(t, in, "build robot"), person(t, in, "zelda quillfeather")
	nightly := collection(t, in, "Nightly build")
	home := workspace(t, in)
	byRobot, ofAction := models.EventFilter{ActorID: robot.ID}, models.EventFilter{Action: models.CollectionReinstalled}
	inHome, onNightly := models.EventFilter{WorkspaceID: home.ID}, models.EventFilter{SubjectID: nightly.ID}
	middle := newest(t, in) / 2
	log := func(query string) string { return "/audit?" + query }
	begun := in.Clock.Now().AddDate(-2, 0, 7).Format(time.DateOnly)
	year, month := in.Clock.Now().AddDate(-1, 0, 0).Format(time.DateOnly), in.Clock.Now().AddDate(-1, 1, 0).Format(time.DateOnly)
	return []page{
		{name: "audit, page 1", path: "/audit", row: events, rows: full},
		{name: "audit, half-way", path: log(after(middle)), row: events, rows: full},
		{name: "audit, last page", path: log(after(51)), row: events, rows: full},
		{name: "actor with the most events, page 1", path: log("actor=" + robot.ID), row: events, rows: full},
		{name: "actor with the most events, last page", path: log("actor=" + robot.ID + "&" + after(oldest(t, in, byRobot))), row: events, rows: full},
		{name: "actor with few events", path: log("actor=" + rare.ID), row: events, rows: -1},
		{name: "actor typed as a name", path: log("actor=build+robot"), row: events, rows: full},
		{name: "actor: the command line", path: log("actor=command+line"), row: events, rows: -1},
		{name: "actor: an address", path: log("actor=192.0.2.10"), row: events, rows: full},
		{name: "commonest action, page 1", path: log("action=collection.reinstalled"), row: events, rows: full},
		{name: "commonest action, last page", path: log("action=collection.reinstalled&" + after(oldest(t, in, ofAction))), row: events, rows: full},
		{name: "rarest action", path: log("action=collection.deleted"), row: events, rows: 3},
		{name: "subject with the most events, page 1", path: log("subject=" + nightly.ID), row: events, rows: full},
		{name: "subject with the most events, last page", path: log("subject=" + nightly.ID + "&" + after(oldest(t, in, onNightly))), row: events, rows: full},
		{name: "subject typed as a name", path: log("subject=nightly+build"), row: events, rows: full},
		{name: "a person as the subject", path: log("subject=" + rare.ID), row: events, rows: -1},
		{name: "subject: the person with the most tokens", path: log("subject=" + robot.ID), row: events, rows: full},
		{name: "workspace with the most events, page 1", path: log("workspace=" + home.Slug), row: events, rows: full},
		{name: "workspace with the most events, last page", path: log("workspace=" + home.Slug + "&" + after(oldest(t, in, inHome))), row: events, rows: full},
		{name: "from a day on", path: log("from=" + year), row: events, rows: full},
		{name: "to a day", path: log("to=" + begun), row: events, rows: full},
		{name: "one month", path: log("from=" + year + "&to=" + month), row: events, rows: full},
		{name: "actor and action", path: log("actor=" + robot.ID + "&action=credential.created"), row: events, rows: full},
		{name: "actor and action that never meet", path: log("actor=" + robot.ID + "&action=person.password_changed"), row: events, rows: 0},
		{name: "actor and subject", path: log("actor=" + robot.ID + "&subject=" + nightly.ID), row: events, rows: full},
		{name: "actor and subject that never meet", path: log("actor=" + rare.ID + "&subject=" + nightly.ID), row: events, rows: 0},
		{name: "action and subject", path: log("action=collection.installed&subject=" + nightly.ID), row: events, rows: full},
		{name: "address and action that never meet", path: log("actor=192.0.2.10&action=person.password_changed"), row: events, rows: 0},
		{name: "workspace and action", path: log("workspace=" + home.Slug + "&action=collection.installed"), row: events, rows: full},
		{name: "workspace and action that never meet", path: log("workspace=" + home.Slug + "&action=session.started"), row: events, rows: 0},
		{name: "workspace and actor", path: log("workspace=" + home.Slug + "&actor=" + robot.ID), row: events, rows: full},
		{name: "workspace and actor that never meet", path: log("workspace=" + home.Slug + "&actor=" + rare.ID), row: events, rows: 0},
		{name: "workspace and subject that never meet", path: log("workspace=" + home.Slug + "&subject=" + robot.ID), row: events, rows: 0},
		{name: "action, to a day", path: log("action=collection.reinstalled&to=" + year), row: events, rows: full},
		{name: "rarest action, from a day on", path: log("action=collection.deleted&from=" + begun), row: events, rows: -1},
		{name: "actor with few events, from a day on", path: log("actor=" + rare.ID + "&from=" + begun), row: events, rows: -1},
		{name: "workspace, actor and action", path: log("workspace=" + home.Slug + "&actor=" + robot.ID + "&action=collection.installed"), row: events, rows: full},
		{name: "one event", path: "/audit/" + strconv.FormatInt(middle, 10), row: "main h1", rows: 1},
	}
}

func workspacePages(t testing.TB, in installation) []page {
	home, nightly := workspace(t, in), collection(t, in, "Nightly build")
	settings := "/w/" + home.Slug + "/settings"
	list, of := follow(t, in, settings+"/collections"), settings+"/collections/"+nightly.ID
	members := follow(t, in, settings+"/members")
	inHome := models.EventFilter{WorkspaceID: home.ID}
	member := "maud.quillfeather." // the rest is the number
	found, _, err := in.People(t.Context(), command, models.PeopleFilter{Query: member})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d people have the address %s (%v)", len(found), member, err)
	}
	return []page{
		{name: "overview", path: "/", row: "main h1", rows: 1},
		{name: "overview of a Member", path: "/", row: "main h1", rows: 1, as: found[0].Email},
		{name: "a workspace's settings", path: settings, row: "main h1", rows: 1},
		{name: "collections, page 1", path: list[0], row: collections, rows: full},
		{name: "collections, last full page", path: list[len(list)-2], row: collections, rows: full},
		{name: "members, page 1", path: members[0], row: people, rows: full},
		{name: "members, last full page", path: members[len(members)-2], row: people, rows: full},
		{name: "collection with the most versions, page 1", path: of, row: versions, rows: full},
		{name: "collection with the most versions, last page", path: of + "?after=51", row: versions, rows: full},
		{name: "one version with its files", path: of + "/versions/1", row: collections, rows: 3},
		{name: "a workspace's audit log, page 1", path: settings + "/audit", row: events, rows: full},
		{name: "a workspace's audit log, last page", path: settings + "/audit?" + after(oldest(t, in, inHome)), row: events, rows: full},
		{name: "a workspace's audit log by action", path: settings + "/audit?action=collection.installed", row: events, rows: full},
	}
}

// after is the part of an address that begins a list of events below a number.
func after(number int64) string { return "after=" + strconv.FormatInt(number, 10) }

// newest is the number of the last event.
func newest(t testing.TB, in installation) int64 {
	t.Helper()
	list, err := in.Events(t.Context(), command, models.EventFilter{Limit: 1})
	if err != nil || len(list) == 0 {
		t.Fatalf("%d events (%v)", len(list), err)
	}
	return list[0].Seq
}

// oldest is the number below which a filter has as many events as fit on its last page.
func oldest(t testing.TB, in installation, f models.EventFilter) int64 {
	t.Helper()
	f.Limit = full + 1
	return bisect(1, newest(t, in), func(n int64) bool {
		f.Before = n
		list, err := in.Events(t.Context(), command, f)
		if err != nil {
			t.Fatal(err)
		}
		return len(list) > full
	}) - 1
}

// bisect is the first number for which something holds that holds for all after it.
func bisect(from, beyond int64, holds func(int64) bool) int64 {
	for from < beyond {
		if middle := from + (beyond-from)/2; holds(middle) {
			beyond = middle
		} else {
			from = middle + 1
		}
	}
	return from
}

// idOf is an ID that would have been made at a moment.
func idOf(at time.Time) string {
	ms := at.UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-000000000000", ms>>16, ms&0xffff)
}

// follow goes through a list to its end and gives the address of each of its pages.
func follow(t testing.TB, in installation, path string) []string {
	t.Helper()
	all := []string{path}
	for {
		next := ""
		in.Get(t, path).Want(t, 200).Page(t).Find("nav[aria-label=Pages] a").Each(func(_ int, link *goquery.Selection) {
			if text := link.Text(); text == "Older" || text == "Show more" {
				next = link.AttrOr("href", "")
			}
		})
		if next == "" {
			return all
		}
		path = next
		all = append(all, path)
	}
}

func person(t testing.TB, in installation, name string) models.Person {
	t.Helper()
	found, _, err := in.People(t.Context(), command, models.PeopleFilter{Query: name})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d people are called %s (%v)", len(found), name, err)
	}
	return found[0].Person
}

func collection(t testing.TB, in installation, name string) models.Collection {
	t.Helper()
	found, err := in.FindCollections(t.Context(), command, "", name)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d collections are called %s (%v)", len(found), name, err)
	}
	return found[0]
}

func workspace(t testing.TB, in installation) models.WorkspaceSeen {
	t.Helper()
	w, err := in.Workspace(t.Context(), command, "marlowe-press")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// enough is the smallest installation in which every page is full that is full in a large one.
var enough = seed.Size{People: 1000, Workspaces: 60, Credentials: 3000, Events: 16_000}

// Every page works in a seeded installation, and shows as many rows as it should.
func TestPages(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); checkPages(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); checkPages(t, storetest.Postgres(t, nil)) })
}

func checkPages(t *testing.T, url string) {
	in := start(t, seeded(t, url, enough))
	for _, p := range pages(t, in) {
		check(t, in, p)
	}
}

func check(t testing.TB, in installation, p page) {
	t.Helper()
	answer := in.reader(t, p).Get(t, p.path)
	if answer.Status != 200 {
		t.Errorf("%s: status %d at %s", p.name, answer.Status, p.path)
		return
	}
	if n := answer.Page(t).Find(p.row).Length(); n != p.rows && p.rows >= 0 {
		t.Errorf("%s: %d rows at %s, want %d", p.name, n, p.path, p.rows)
	}
}
