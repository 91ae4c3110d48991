package web_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// Somebody is added, found, opened, changed, deactivated and activated by following the pages, and each
// page says what happened.
func TestAPersonsRecord(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, "ines@marlowe.example")
		add := linkTo(t, admin.Get(t, "/people").Want(t, 200), "Add person")
		admin.Get(t, add).Want(t, 200)
		made := admin.Post(t, "/people", webtest.Form{"name": " Tom  Okafor ", "email": " tom@marlowe.example ", "role": "Member", "password": storetest.Password}).Want(t, 303)
		record := made.Header.Get("Location")
		page := admin.Get(t, record).Want(t, 200).Has(t, "Tom Okafor is added.")
		if page.Text(t, "h1") != "Tom Okafor" || page.Value(t, "email") != "tom@marlowe.example" {
			t.Errorf("the record is %q, %q", page.Text(t, "h1"), page.Value(t, "email"))
		}
		admin.Get(t, record).HasNot(t, "is added") // said once
		if linkTo(t, admin.Get(t, "/people"), "Tom Okafor") != record {
			t.Error("the list leads elsewhere")
		}
		tom := s.SignedIn(t, "TOM@marlowe.example")
		admin.Post(t, record, webtest.Form{"name": "Thomas Okafor", "email": "thomas@marlowe.example", "role": "Member"}).To(t, record)
		admin.Get(t, record).Has(t, "Changes to Thomas Okafor are saved.")
		tom.Get(t, "/").Want(t, 200).Has(t, "Thomas Okafor") // a new name ends no session
		s.Browser(t).Post(t, "/signin", webtest.Form{"email": "tom@marlowe.example", "password": storetest.Password}).Want(t, 422)

		admin.Get(t, record+"/deactivate").Want(t, 200).Has(t, "Deactivate Thomas Okafor?")
		admin.Post(t, record+"/deactivate", nil).To(t, record)
		page = admin.Get(t, record).Want(t, 200).Has(t, "is deactivated: signed out everywhere").Has(t, "Deactivated")
		if page.Page(t).Find("main button, main a").FilterFunction(named("Create Bearer Token")).Length() > 0 {
			t.Error("somebody who is deactivated is offered a token")
		}
		tom.Get(t, "/").Want(t, 303)
		admin.Post(t, record+"/activate", nil).To(t, record)
		admin.Get(t, record).Has(t, "is active again")
		s.SignedIn(t, "thomas@marlowe.example")
	})
}

// The list is searched by any part of a name or address, as it is meant and not as a pattern, and
// narrowed by role and status; what was asked for stays in the form.
func TestPeopleAreFound(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		for i, name := range []string{"Éva Ölund", "100% Real", "Under_Score", `Back\Slash`, "Anna Berg", "anna lind"} {
			role := []models.Role{models.Member, models.Admin}[i%2]
			_, err := s.CreatePerson(t.Context(), s.Admin, models.NewPerson{Name: name, Email: fmt.Sprintf("p%d@other.example", i), Role: role, Password: storetest.Password})
			if err != nil {
				t.Fatal(err)
			}
		}
		admin := s.SignedIn(t, "ines@marlowe.example")
		admin.Post(t, linkTo(t, admin.Get(t, "/people"), "Anna Berg")+"/deactivate", nil).Want(t, 303)
		for query, want := range map[string][]string{
			"":                        {"100% Real", "Anna Berg", "anna lind", `Back\Slash`, "Ines Moreau", "Under_Score", "Éva Ölund"},
			"q=anna":                  {"Anna Berg", "anna lind"},
			"q=ANNA+L":                {"anna lind"},
			"q=%C3%89VA":              {"Éva Ölund"},
			"q=00%25":                 {"100% Real"},
			"q=er_":                   {"Under_Score"},
			"q=ck%5C":                 {`Back\Slash`},
			"q=an":                    {"Anna Berg", "anna lind"},
			"q=nn":                    nil,
			"q=p4@":                   {"Anna Berg"},
			"q=MARLOWE":               {"Ines Moreau"},
			"q=%27+OR+1%3D1":          nil,
			"q=nobody":                nil,
			"role=Admin":              {"100% Real", "anna lind", `Back\Slash`, "Ines Moreau"},
			"role=Member&status=":     {"Anna Berg", "Under_Score", "Éva Ölund"},
			"status=deactivated":      {"Anna Berg"},
			"status=active&q=anna":    {"anna lind"},
			"role=Admin&q=ack&after=": {`Back\Slash`},
			"role=Admin&q=a":          {"anna lind"},
			"role=nobody":             nil,
			"role=Owner&status=gone":  nil,
		} {
			page := admin.Get(t, "/people?"+query).Want(t, 200)
			got := names(t, page)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s finds %q, want %q", query, got, want)
			}
			asked, _ := url.ParseQuery(query)
			if page.Page(t).Find(`form[role="search"] [name="q"]`).AttrOr("value", "") != asked.Get("q") {
				t.Errorf("%s: the search field lost what was asked", query)
			}
			if role := asked.Get("role"); role == "Admin" && page.Page(t).Find(`[name="role"] [selected]`).AttrOr("value", "") != role {
				t.Errorf("%s: the choice of the role is lost", query)
			}
		}
	})
}

// Following the list to its end shows everybody once, in order, with the search kept on the way.
func TestPeopleArePaged(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		const many = 2*models.PageSize + 3
		for i := range many {
			_, err := s.CreatePerson(t.Context(), s.Admin, models.NewPerson{
				Name: fmt.Sprintf("Person %c", 'A'+i%7), Email: fmt.Sprintf("p%d@many.example", i), Role: models.Member, Password: storetest.Password,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		admin := s.SignedIn(t, "ines@marlowe.example")
		seen, sizes, order := map[string]int{}, []int{}, []string{}
		for path := "/people?q=MANY.example&role=Member&status=active"; path != ""; {
			page := admin.Get(t, path).Want(t, 200)
			rows := page.Page(t).Find("[data-person-id]")
			sizes = append(sizes, rows.Length())
			for _, row := range rows.EachIter() {
				seen[row.AttrOr("data-person-id", "")]++
			}
			order = append(order, names(t, page)...)
			path = page.Page(t).Find(`nav[aria-label="Pages"] a`).FilterFunction(named("Show more")).AttrOr("href", "")
		}
		if !slices.Equal(sizes, []int{models.PageSize, models.PageSize, 3}) || len(seen) != many || !slices.IsSorted(order) {
			t.Errorf("pages of %v, %d of %d people, in order: %v", sizes, len(seen), many, slices.IsSorted(order))
		}
	})
}

// names are those of the people in a list, in its order.
func names(t testing.TB, page *webtest.Answer) []string {
	var list []string
	for _, link := range page.Page(t).Find(`[data-person-id] .who a`).EachIter() {
		list = append(list, strings.TrimSpace(link.Text()))
	}
	return list
}

// Everybody has one live token at most, and the record of each shows theirs.
func TestTokensOnRecords(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin, p := s.SignedIn(t, "ines@marlowe.example"), s.Person(t, s.Admin, models.Member)
	record := "/people/" + p.ID
	admin.Get(t, record).Has(t, "No bearer token yet.")
	// A Member's token is made after a page that says what it will not open.
	ask := admin.Get(t, linkTo(t, admin.Get(t, record), "Create Bearer Token")).Want(t, 200).Has(t, "Admin access required")
	token := admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": ask.Value(t, "form_id")}).Want(t, 200).Text(t, "#token")
	page := admin.Get(t, record).Want(t, 200)
	for heading, want := range map[string]string{"Token": token[:8] + "... ends in " + token[50:], "Status": "Active", "Created": "by Ines Moreau", "Expires": "in one year", "Usage": "not used yet"} {
		if got := fact(t, page, heading); !strings.Contains(spaced(got), spaced(want)) {
			t.Errorf("%s is %q, want %q", heading, got, want)
		}
	}
	if row := admin.Get(t, "/people").Text(t, `[data-person-id="`+p.ID+`"]`); !strings.Contains(row, token[:8]+"...") {
		t.Errorf("the list shows %q", row)
	}
	s.Clock.Advance(351 * 24 * time.Hour) // 14 days before its end
	admin = s.SignedIn(t, "ines@marlowe.example")
	if got := fact(t, admin.Get(t, record), "Status"); got != "Expires soon" {
		t.Errorf("14 days before its end it is %q", got)
	}
	s.Clock.Advance(14 * 24 * time.Hour)
	admin = s.SignedIn(t, "ines@marlowe.example")
	if got := fact(t, admin.Get(t, record), "Status"); got != "Expired" {
		t.Errorf("at its end it is %q", got)
	}
	admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": secret.FormID()}).Want(t, 200)
	if got := fact(t, admin.Get(t, record), "Status"); got != "Active" {
		t.Errorf("the new one is %q", got)
	}
}

// spaced leaves out white space, which is the page's look.
func spaced(text string) string { return strings.Join(strings.Fields(text), "") }
