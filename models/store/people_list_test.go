package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// crowd puts people in, as many as are named, without their ceremony, and answers their IDs.
func crowd(t *testing.T, w storetest.World, names ...string) (ids []string) {
	t.Helper()
	people := make([]models.Person, len(names))
	for i, name := range names {
		id, now := models.NewID(), w.Clock.Now()
		ids = append(ids, id)
		people[i] = models.Person{
			ID: id, Name: name, NameKey: models.Fold(name), Email: id + "@x.example", EmailKey: id + "@x.example", Role: models.Member,
			PasswordHash: "none", PasswordChangedAt: now, CreatedAt: now,
		}
	}
	if err := w.DB().CreateInBatches(people, 50).Error; err != nil {
		t.Fatal(err)
	}
	return ids
}

// pages reads a list to its end and runs between between two pages.
func pages(t *testing.T, w storetest.World, f models.PeopleFilter, between func(page int)) (all []models.PersonSeen) {
	t.Helper()
	for page := 1; page < 100; page++ {
		list, next, err := w.People(t.Context(), command, f)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, list...); next == (models.Place{}) {
			return all
		}
		if len(list) != models.PageSize {
			t.Fatalf("page %d has %d rows and is not the last", page, len(list))
		}
		f.After = next
		between(page)
	}
	t.Fatal("the list does not end")
	return nil
}

// A list of a few hundred people in pages has everybody once, by name and then by ID, compared byte by
// byte, also while people come and go before and after the page that is being read.
func TestPeoplePages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.SetUp(t)
		var names []string
		for i := range 260 {
			names = append(names, []string{"Anna", "anna", "Ánna", "Zoë %d", "b_%d", "李 %d", "A", "Émile %d", "-%d", "ines"}[i%10])
			if strings.Contains(names[i], "%d") {
				names[i] = fmt.Sprintf(names[i], i)
			}
		}
		ids := crowd(t, w, names...)
		all := pages(t, w, models.PeopleFilter{}, func(page int) {
			crowd(t, w, "  first", fmt.Sprint("anna ", page), "\U0010fffflast")
		})
		key := func(p models.PersonSeen) string { return p.NameKey + "\x00" + p.ID }
		if !slices.IsSortedFunc(all, func(a, b models.PersonSeen) int { return strings.Compare(key(a), key(b)) }) {
			t.Error("the list is out of order")
		}
		seen := map[string]int{}
		for _, p := range all {
			if seen[p.ID]++; seen[p.ID] > 1 {
				t.Errorf("%s is listed twice", p.Name)
			}
		}
		for i, id := range ids {
			if seen[id] == 0 {
				t.Errorf("%s is missing", names[i])
			}
		}
	})
}

// A search finds part of a name or an address, in any case, and takes what is typed as it is: signs that
// mean something to SQL, and bytes that mean nothing to anybody, included.
func TestPeopleSearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		crowd(t, w, "100% sure", "under_score", `back\slash`, "Émile Żurek", "O'Brien", "underXscore", "100 sure", "Two  Words")
		for query, want := range map[string]string{
			"00%": "100% sure", "0% s": "100% sure", "er_": "under_score", "r_s": "under_score", `ck\`: `back\slash`, `k\s`: `back\slash`, "o'b": "O'Brien", "o'": "O'Brien", "%": "", "_": "", `\`: "",
			"ÉMILE": "Émile Żurek", "żur": "Émile Żurek", "  e  Ż": "Émile Żurek", "o w": "Two Words", "INES@MARLOWE": "Ines Moreau", "' OR 1=1 --": "", "%%": "",
			"\\%": "", "100%\x00 sure": "", "\xff": "", "nobody": "", strings.Repeat("a", 60_000): "", strings.Repeat("%", 3000): "",
		} {
			list, next, err := w.People(t.Context(), admin, models.PeopleFilter{Query: query})
			found := ""
			for _, p := range list {
				found += models.CleanText(p.Name)
			}
			if err != nil || found != want || next != (models.Place{}) {
				t.Errorf("%.20q finds %q (%v), want %q", query, found, err, want)
			}
			if n, err := w.CountPeople(t.Context(), admin, models.PeopleFilter{Query: query}); err != nil || n != len(list) {
				t.Errorf("%.20q counts %d (%v), want %d", query, n, err, len(list))
			}
		}
	})
}

// Role and status narrow the list, together and with a search; the person's live token is shown, and
// none that was revoked.
func TestPeopleFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		other, member, gone := w.Person(t, admin, models.Admin), w.Person(t, admin, models.Member), w.Person(t, admin, models.Member)
		if _, err := w.DeactivatePerson(t.Context(), admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		w.Token(t, admin, member.ID)
		token, _ := w.Token(t, admin, member.ID)
		ended, _ := w.Token(t, admin, other.ID)
		if _, err := w.RevokeCredential(t.Context(), admin, ended.ID, models.Revocation{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			f    models.PeopleFilter
			want []string
		}{
			{models.PeopleFilter{}, []string{other.ID, admin.ID, member.ID, gone.ID}},
			{models.PeopleFilter{Role: models.Admin}, []string{other.ID, admin.ID}},
			{models.PeopleFilter{Status: "active"}, []string{other.ID, admin.ID, member.ID}},
			{models.PeopleFilter{Status: "deactivated"}, []string{gone.ID}},
			{models.PeopleFilter{Role: models.Admin, Status: "deactivated"}, nil},
			{models.PeopleFilter{Role: models.Admin, Status: "active", Query: "ines"}, []string{admin.ID}},
			{models.PeopleFilter{Role: "Owner"}, nil},
		} {
			list, _, err := w.People(t.Context(), admin, c.f)
			var ids []string
			for _, p := range list {
				ids = append(ids, p.ID)
				if (p.Bearer != nil) != (p.ID == member.ID) || p.Bearer != nil && p.Bearer.ID != token.ID {
					t.Errorf("%s has the token %+v", p.Name, p.Bearer)
				}
			}
			if err != nil || !slices.Equal(ids, c.want) {
				t.Errorf("%+v: %v (%v)", c.f, ids, err)
			}
		}
	})
}
