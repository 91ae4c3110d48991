package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// A text means the one person who has that address, or else those whose name or address it is part of, up to six. Who
// runs a workspace finds its members, and nobody else.
func TestFindPeople(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		found := crowd(t, w, "Anna Moreau", "Tom Okafor", "Tomás Ortega", "Bottom")
		many := crowd(t, w, "Rare 1", "Rare 2", "Rare 3", "Rare 4", "Rare 5", "Rare 6", "Rare 7")
		exec(t, w, "UPDATE people SET email = 'tom@x.example', email_key = 'tom@x.example' WHERE id = ?", found[1])
		exec(t, w, "UPDATE people SET email = 'tom@x.example.org', email_key = 'tom@x.example.org' WHERE id = ?", found[2])
		owner := w.Person(t, admin, models.Member)
		second := oneMoreWorkspace(t, w, "Second", owner)
		join(t, w, second, models.Person{ID: found[1]}, models.WorkspaceMember)
		for _, c := range []struct {
			who             models.Actor
			workspace, text string
			want            []string
		}{
			{admin, "", "moreau", []string{found[0], admin.ID}}, {admin, "", "TOM@x.example ", found[1:2]}, {admin, "", "tom@x", found[1:3]},
			{admin, "", "tom", []string{found[3], found[1], found[2]}}, {admin, "", "rare", many[:store.FoundMost]}, {admin, "", "%", nil}, {admin, "", "a\x00", nil}, {admin, "", "no such", nil},
			{admin, second.ID, "tom", []string{found[3], found[1], found[2]}}, {storetest.As(owner), second.ID, "tom", found[1:2]}, {storetest.As(owner), second.ID, "tom@x.example", found[1:2]},
			{storetest.As(owner), second.ID, "tom@x.example.org", nil}, {storetest.As(owner), second.ID, "ines@marlowe.example", nil}, {storetest.As(owner), second.ID, "emb", []string{owner.ID}},
		} {
			list, err := w.FindPeople(t.Context(), c.who, c.workspace, c.text)
			var got []string
			for _, p := range list {
				got = append(got, p.ID)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s means %d people in %q (%v): %v", c.text, len(got), c.workspace, err, list)
			}
		}
	})
}

// A collection is found by its whole name, in any case; within a workspace only its own.
func TestFindCollections(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		second := oneMoreWorkspace(t, w, "Second", w.Person(t, command, models.Member))
		one := versions(t, w, who, "Żurek Tools", "PK")
		n := archive("żurek tools.zip", "PK")
		n.Workspace = second.ID
		two := install(t, w, who, n)
		for _, c := range []struct {
			workspace, name string
			want            []string
		}{
			{"", " ŻUREK  tools ", []string{one.Collection.ID, two.Collection.ID}}, {second.ID, "Żurek Tools", []string{two.Collection.ID}},
			{one.Workspace.ID, "Żurek Tools", []string{one.Collection.ID}}, {"", "Żurek", nil}, {"", "%", nil}, {"", "a\x00", nil}, {"", "\xff", nil},
		} {
			list, err := w.FindCollections(t.Context(), who, c.workspace, c.name)
			var got []string
			for _, k := range list {
				got = append(got, k.ID)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%q in %q: %v (%v)", c.name, c.workspace, got, err)
			}
		}
	})
}

// A token is found by its first five to eight characters, which are all that is kept of it; what is longer, shorter
// or no beginning finds none, and says nothing of the rest.
func TestFindCredentials(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		var texts []string
		for range 2 * store.FoundMost {
			_, text := w.Token(t, admin, w.Person(t, admin, models.Member).ID)
			texts = append(texts, text.Reveal())
		}
		find := func(begins string) []models.Credential {
			t.Helper()
			list, err := w.FindCredentials(t.Context(), admin, begins)
			must(t, err)
			return list
		}
		for _, text := range texts {
			for length := 5; length <= 8; length++ {
				list, want := find(text[:length]), 0
				for _, other := range texts {
					if strings.HasPrefix(other, text[:length]) {
						want++
					}
				}
				if len(list) != min(want, store.FoundMost) || slices.ContainsFunc(list, func(c models.Credential) bool { return !strings.HasPrefix(c.Prefix, text[:length]) }) {
					t.Errorf("%d characters find %d, want %d", length, len(list), want)
				}
			}
			for _, odd := range []string{text, text[:9], text[:4], text[1:8], strings.ToUpper(text[:8]), text[:8] + "%", text[:7] + "_", text[:5] + "é", text[:7] + "\x00", "", "____", "user_%"} {
				if list := find(odd); len(list) > 0 {
					t.Errorf("%.9q finds %d", odd, len(list))
				}
			}
		}
		for _, edge := range []string{"z", "Z", "9", "A", "0", "zz", "ZZZ", "99", "a"} { // the last letters of each kind have no next one of theirs
			if list := find("user_" + edge); slices.ContainsFunc(list, func(c models.Credential) bool { return !strings.HasPrefix(c.Prefix, "user_"+edge) }) {
				t.Errorf("user_%s finds %+v", edge, list)
			}
		}
		if fmt.Sprint(find("prod_")) != "[]" {
			t.Error("another kind is found")
		}
	})
}
