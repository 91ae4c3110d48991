package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// searched are the IDs of the people whom a search finds, in the order of the list.
func searched(t *testing.T, w storetest.World, f models.PeopleFilter) (found []string) {
	t.Helper()
	for _, p := range pages(t, w, f, func(int) {}) {
		found = append(found, p.ID)
	}
	return found
}

// odd are letters that are more than one thing: signs that SQL or a search index reads, accents, letters that fold to
// others or to two, those of other scripts, and those that are several bytes long.
var odd = []string{"a", "b", "A", "İ", "I", "ı", "i", "ß", "ẞ", "ſ", "K", "é", "e\u0301", "Σ", "ς", "σ", "%", "_", `\`, `"`, "'", "*", "^", "-", ":", "(", "李", "小", "龍", "😀", "\U0010ffff", "\ud7ff", "\ue000", "Ⅷ", "ﬁ", " ", "ü", "Ü", "Z"}

// What a search finds is what a plain look for the folded text in the folded names and addresses finds, and for fewer
// than three letters at the beginning of the names, on both databases, whatever the letters: the same people, in the
// same order, and as many.
func TestSearchIsPartOfAName(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	text := func(length int) string {
		var b strings.Builder
		for range length {
			b.WriteString(odd[random.IntN(len(odd))])
		}
		return b.String()
	}
	var names, queries []string
	for len(names) < 200 {
		if name := models.CleanText(text(3 + random.IntN(9))); name != "" {
			names = append(names, name)
		}
	}
	for i := range 150 {
		if name := []rune(names[i]); i%3 > 0 && len(name) > 2 { // a part of one that is there
			from := random.IntN(len(name) - 1)
			queries = append(queries, string(name[from:min(len(name), from+1+random.IntN(5))]))
		} else {
			queries = append(queries, text(1+random.IntN(4)))
		}
	}
	queries = append(queries, "x.exa", "@x", "AND", "NEAR(a b)", `a" OR "b`, "name_key:a", "a*", "ıİI", "\u0301", "\U0010ffff", "\ud7ff", "a\U0010ffff", strings.Repeat("a", 1001))
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		ids := crowd(t, w, names...)
		for _, query := range queries {
			words, want := models.Fold(query), []string{}
			for i, id := range ids {
				name := models.Fold(names[i])
				if len([]rune(words)) < 3 && !strings.HasPrefix(name, words) {
					continue
				}
				if strings.Contains(name, words) || strings.Contains(id+"@x.example", words) {
					want = append(want, id)
				}
			}
			slices.SortFunc(want, func(a, b string) int {
				key := func(id string) string { return models.Fold(names[slices.Index(ids, id)]) + "\x00" + id }
				return strings.Compare(key(a), key(b))
			})
			f := models.PeopleFilter{Query: query}
			if got := searched(t, w, f); !slices.Equal(got, want) {
				t.Errorf("%q finds %d, want %d", query, len(got), len(want))
			}
			if n, err := w.CountPeople(t.Context(), command, f); err != nil || n != len(want) {
				t.Errorf("%q counts %d, want %d (%v)", query, n, len(want), err)
			}
		}
	})
}

// A word that more than a thousand have is found in all of them, page by page, and counted up to a thousand and one; a
// rare one beside it is found too; each also with a role and a status.
func TestCommonAndRareWords(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		w.Store = w.OpenWith(t, func(set *store.Settings) { set.Reach = models.CountCap }) // so that both ways are gone
		var names []string
		for i := range models.CountCap + 100 {
			names = append(names, fmt.Sprintf("Common %04d", i))
		}
		names[7], names[models.CountCap] = "Common Rarity A", "Uncommon rarity B"
		ids := crowd(t, w, names...)
		exec(t, w, "UPDATE people SET deactivated_at = ? WHERE id = ?", w.Clock.Now(), ids[7])
		exec(t, w, "UPDATE people SET role = 'Admin' WHERE id = ?", ids[8])
		for _, c := range []struct {
			f     models.PeopleFilter
			found int
		}{
			{models.PeopleFilter{Query: "common"}, models.CountCap + 100}, {models.PeopleFilter{Query: "COMMON 0"}, models.CountCap - 1}, {models.PeopleFilter{Query: "common", Role: models.Admin}, 1},
			{models.PeopleFilter{Query: "common", Status: "deactivated"}, 1}, {models.PeopleFilter{Query: "common", Status: "active"}, models.CountCap + 99},
			{models.PeopleFilter{Query: "rarity"}, 2}, {models.PeopleFilter{Query: "rarity", Status: "active"}, 1}, {models.PeopleFilter{Query: "rarity", Role: models.Admin}, 0},
			{models.PeopleFilter{Query: "co"}, models.CountCap + 99}, {models.PeopleFilter{Query: "Un"}, 1}, {models.PeopleFilter{Query: "u"}, 1}, {models.PeopleFilter{Query: "mm"}, 0}, {models.PeopleFilter{Query: "co", Status: "deactivated"}, 1},
		} {
			if got := searched(t, w, c.f); len(got) != c.found || len(slices.Compact(slices.Sorted(slices.Values(got)))) != c.found {
				t.Errorf("%+v finds %d, want %d", c.f, len(got), c.found)
			}
			if n, err := w.CountPeople(t.Context(), command, c.f); err != nil || n != min(c.found, models.CountCap+1) {
				t.Errorf("%+v counts %d (%v)", c.f, n, err)
			}
		}
	})
}

// Whoever is renamed, or gets another address, is found under the new text and no more under the old one; so is
// whoever was there before the search index was, and who is gone is found no more.
func TestSearchFollowsChanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		person := w.Person(t, admin, models.Member)
		finds := func(query string, want bool) {
			t.Helper()
			if got := searched(t, w, models.PeopleFilter{Query: query}); slices.Contains(got, person.ID) != want {
				t.Errorf("%q finds %v, want %v", query, got, want)
			}
		}
		name, email := person.Name, person.Email
		for _, to := range []models.PersonEdit{
			{Name: "Émile Żurek", Email: email}, {Name: "Émile Żurek", Email: "zurek@elsewhere.example"}, {Name: "Marguerite", Email: "m.okafor@there.example"}, {Name: name, Email: email},
		} {
			to.Role = models.Member
			finds(name, true)
			finds(email, true)
			_, err := w.EditPerson(t.Context(), admin, person.ID, to)
			must(t, err)
			finds(to.Name, true)
			finds(to.Email, true)
			finds(name, strings.Contains(to.Name, name))
			finds(email, strings.Contains(to.Email, email))
			name, email = to.Name, to.Email
		}
		exec(t, w, "UPDATE people SET name_key = 'past the store' WHERE id = ?", person.ID)
		finds("past the", true)
		finds(name, false)
		gone := crowd(t, w, "Soon Gone")[0]
		exec(t, w, "DELETE FROM people WHERE id = ?", gone)
		if got := searched(t, w, models.PeopleFilter{Query: "soon gone"}); len(got) != 0 {
			t.Errorf("who is gone is found: %v", got)
		}
		crowd(t, w, "Another One") // a number that was used and is free again is nobody else's text
		if got := searched(t, w, models.PeopleFilter{Query: "soon"}); len(got) != 0 {
			t.Errorf("somebody else is found: %v", got)
		}
	})
}
