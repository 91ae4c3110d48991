package web_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// listed follows a list's links to its end and answers the IDs of the cards.
func listed(t testing.TB, a *webtest.Agent, query string) (ids []string, pages int) {
	t.Helper()
	for path := tokensTab + query; path != ""; pages++ {
		page := a.Get(t, path)
		ids = append(ids, cardIDs(t, page)...)
		links := page.Page(t).Find(`nav[aria-label="Pages"] a`)
		if first := links.FilterFunction(named("First page")).AttrOr("href", ""); (first == tokensTab+query) != (pages > 0) {
			t.Errorf("page %d leads back to %q", pages, first)
		}
		path = links.FilterFunction(named("Show more")).AttrOr("href", "")
	}
	return ids, pages
}

// aged is a token with what lists are sorted by.
type aged struct {
	id    string
	ends  time.Time // zero: never
	calls int
	used  time.Time
}

// many makes tokens that differ in all that lists are sorted by, in another order each.
func many(t testing.TB, s webtest.Site, n int) (list []aged) {
	t.Helper()
	born := s.Clock.Now()
	s.Clock.Advance(300 * time.Hour)
	now := s.Clock.Now()
	for i := range n {
		token := models.NewAPIToken{Name: fmt.Sprintf("Build %03d", i)}
		a := aged{calls: i * 37 % n, used: born}
		if i%4 > 0 {
			a.ends = now.AddDate(0, 0, 20+i*7%n).Truncate(time.Minute)
			token.Expiration, token.ExpiresAt = models.OnADate, a.ends.Format("2006-01-02T15:04")
		}
		made, _ := s.WorkspaceToken(t, s.Admin, "marlowe-press", token)
		a.id = made.ID
		for range a.calls {
			a.used = now.Add(time.Duration(i*53%n+1) * time.Hour)
			s.Tally.Add(uuid.MustParse(made.ID), false, models.CallAccepted, a.used, netip.MustParseAddr("203.0.113.24"))
		}
		list = append(list, a)
	}
	s.Flush(t)
	s.Clock.Advance(time.Duration(n+2) * time.Hour)
	return list
}

func idsOf(list []aged) (ids []string) {
	for _, a := range list {
		ids = append(ids, a.id)
	}
	return ids
}

// A list of 120 tokens has each of them once, in each of its orders, when one follows its links.
func TestTokenSortsAndPages(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		const n = 120
		list, admin := many(t, s, n), s.SignedIn(t, ines)
		for sort, order := range map[string]func(a, b aged) int{
			"newest": func(a, b aged) int { return strings.Compare(b.id, a.id) },
			"used":   func(a, b aged) int { return b.calls - a.calls },
			"unused": func(a, b aged) int { return a.used.Compare(b.used) },
			"expiring": func(a, b aged) int {
				switch never := [2]bool{a.ends.IsZero(), b.ends.IsZero()}; never {
				case [2]bool{true, true}:
					return strings.Compare(b.id, a.id)
				case [2]bool{true, false}:
					return 1
				case [2]bool{false, true}:
					return -1
				}
				return cmp.Or(a.ends.Compare(b.ends), strings.Compare(a.id, b.id))
			},
		} {
			want := slices.SortedFunc(slices.Values(list), order)
			got, pages := listed(t, admin, "?sort="+sort)
			if !slices.Equal(got, idsOf(want)) || pages != 3 {
				t.Errorf("%s: %d cards on %d pages, or in another order", sort, len(got), pages)
			}
		}
		if got, _ := listed(t, admin, ""); !slices.Equal(got, idsOf(slices.SortedFunc(slices.Values(list), func(a, b aged) int { return strings.Compare(b.id, a.id) }))) {
			t.Error("without being asked, the newest do not come first")
		}
		if got, pages := listed(t, admin, "?q=build+11"); len(got) != 10 || pages != 1 {
			t.Errorf("a search finds %d on %d pages", len(got), pages)
		}
		on := admin.Get(t, tokensTab).Page(t).Find(`nav[aria-label="Pages"] a`).FilterFunction(named("Show more")).AttrOr("href", "")
		admin.Get(t, strings.Replace(on, "?", "?sort=used&", 1)).Want(t, 400) // it is of another list
		admin.Get(t, tokensTab+"?after=nowhere").Want(t, 400).Has(t, "Start again at its beginning.")
	})
}

// A list shows what was asked for, by a part of the name, by the beginning of a token and by status, and keeps it in the
// form; where nothing is found it says so, and leads back to all.
func TestTokenSearchAndStatus(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, ids, first := s.SignedIn(t, ines), map[string]string{}, ""
		admin.Get(t, tokensTab).Want(t, 200).Has(t, "No API tokens yet")
		for _, n := range []models.NewAPIToken{{Name: "Deploy"}, {Name: "deploy 100%"}, {Name: "Zoë's import", Expiration: models.ForAWeek}, {Name: "Chat", Expiration: models.ForAYear}, {Name: "Mail"}} {
			made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", n)
			ids[n.Name], first = made.ID, text.Reveal()[:8]
		}
		admin.Post(t, tokensTab+"/"+ids["Chat"]+"/deactivate", nil).Want(t, 303)
		admin.Post(t, tokensTab+"/"+ids["Deploy"]+"/revoke", nil).Want(t, 303)
		s.Clock.Advance(8 * 24 * time.Hour)
		admin = s.SignedIn(t, ines)
		for query, names := range map[string][]string{
			"?q=DEPLOY": {"deploy 100%", "Deploy"}, "?q=100%25": {"deploy 100%"}, "?q=%25": {"deploy 100%"}, "?q=_": nil, "?q=zoë": {"Zoë's import"}, "?q=" + first: {"Mail"}, "?q=" + first + "...": {"Mail"},
			"?status=active": {"Mail", "deploy 100%"}, "?status=inactive": {"Chat"}, "?status=expired": {"Zoë's import"}, "?status=revoked": {"Deploy"},
			"?q=deploy&status=revoked": {"Deploy"}, "?q=mail&status=revoked": nil, "?q=&status=&sort=": {"Mail", "Chat", "Zoë's import", "deploy 100%", "Deploy"},
		} {
			var want []string
			for _, name := range names {
				want = append(want, ids[name])
			}
			page := admin.Get(t, tokensTab+query)
			if got := cardIDs(t, page); !slices.Equal(got, want) {
				t.Errorf("%s: %d cards, want %q", query, len(got), names)
			}
			if len(names) == 0 && linkTo(t, page.Has(t, "No token matches."), "Show all tokens") != tokensTab {
				t.Errorf("%s leads nowhere", query)
			}
		}
		page := admin.Get(t, tokensTab+"?q=deploy&status=revoked&sort=used").Page(t)
		if page.Find(`input[name="q"]`).AttrOr("value", "") != "deploy" || page.Find(`select[name="status"] option[selected]`).AttrOr("value", "") != "revoked" || page.Find(`select[name="sort"] option[selected]`).AttrOr("value", "") != "used" {
			t.Error("the form forgets what was asked for")
		}
	})
}

// A token's own page has its days as a picture with a sentence and as a table, what it may do, and its history; a day's
// calls are on the card too.
func TestTokenPage(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, ines)
		made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Charted", Chosen: true, Scopes: models.Scopes{"agents:list"}})
		now := s.Clock.Now()
		for range 3 {
			s.Tally.Add(uuid.MustParse(made.ID), false, models.CallAccepted, now, netip.MustParseAddr("203.0.113.24"))
		}
		s.Tally.Add(uuid.MustParse(made.ID), false, models.CallRefused, now.AddDate(0, 0, -29), netip.MustParseAddr("203.0.113.25"))
		s.Tally.Add(uuid.MustParse(made.ID), false, models.CallAccepted, now.AddDate(0, 0, -30), netip.MustParseAddr("203.0.113.26")) // before the chart begins
		s.Flush(t)
		admin.Post(t, tokensTab+"/"+made.ID+"/deactivate", nil).Want(t, 303)
		page := admin.Get(t, tokensTab+"/"+made.ID).Want(t, 200).HasNot(t, text.Reveal())
		if told := page.Page(t).Find(`.chart svg[role="img"]`).AttrOr("aria-label", ""); told != "Requests a day over 30 days: 3 accepted and 1 refused in all" {
			t.Errorf("the chart is called %q", told)
		}
		rows := page.Page(t).Find("main details tbody tr")
		if first, last := words(rows.First()), words(rows.Last()); rows.Length() != 30 || first != "23 Oct01" || last != "21 Nov30" {
			t.Errorf("%d days, from %q to %q", rows.Length(), first, last)
		}
		if use := fact(t, page, "Usage"); !strings.HasPrefix(use, "4") || !strings.Contains(use, "1 refused call") || !strings.Contains(use, "203.0.113.24") {
			t.Errorf("its usage is %q", use)
		}
		history := page.Page(t).Find(`section[aria-labelledby="history"]`)
		if told := words(history); !strings.Contains(told, "created") || !strings.Contains(told, "deactivated") || history.Find(`a[href^="/w/marlowe-press/settings/audit/"]`).Length() == 0 {
			t.Errorf("its history is %s", told)
		}
		card := cardOf(t, admin.Get(t, tokensTab), made.ID)
		if use := factOf(card, "Usage"); !strings.HasPrefix(use, "4") {
			t.Errorf("its card says %q", use)
		}
		admin.Get(t, tokensTab+"/"+models.NewID()).Want(t, 404)
		admin.Get(t, tokensTab+"/no-id").Want(t, 404)
	})
}
