package models

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What differs is told by operation: what is gone first, then what came; a resource by its name for people.
func TestResourceChanges(t *testing.T) {
	list, get := Operation{"list", "GET", "/api/a"}, Operation{"get", "GET", "/api/a/{id}"}
	was := Resources{{"a", "Agents", []Operation{list, get}}, {"b", "Both", []Operation{{"list", "GET", "/api/b"}}}}
	for what, c := range map[string]struct {
		to   Resources
		want []Change
	}{
		"nothing": {Resources{{"a", "Agents", []Operation{list, get}}, was[1]}, nil},
		"an operation more": {Resources{{"a", "Agents", []Operation{list, get, {"put", "PUT", "/api/a/{id}"}}}, was[1]},
			[]Change{{Field: "operation a:put", After: "PUT /api/a/{id}"}}},
		"an operation less":             {Resources{{"a", "Agents", []Operation{list}}, was[1]}, []Change{{Field: "operation a:get", Before: "GET /api/a/{id}"}}},
		"another path":                  {Resources{{"a", "Agents", []Operation{list, {"get", "GET", "/api/a/{key}"}}}, was[1]}, []Change{{Field: "operation a:get", Before: "GET /api/a/{id}"}, {Field: "operation a:get", After: "GET /api/a/{key}"}}},
		"another method":                {Resources{{"a", "Agents", []Operation{list, {"get", "POST", "/api/a/{id}"}}}, was[1]}, []Change{{Field: "operation a:get", Before: "GET /api/a/{id}"}, {Field: "operation a:get", After: "POST /api/a/{id}"}}},
		"another name for people":       {Resources{{"a", "Actors", []Operation{list, get}}, was[1]}, []Change{{Field: "resource a", Before: "Agents"}, {Field: "resource a", After: "Actors"}}},
		"a resource less":               {was[:1], []Change{{Field: "resource b", Before: "Both"}, {Field: "operation b:list", Before: "GET /api/b"}}},
		"another order of resources":    {Resources{was[1], was[0]}, []Change{{Field: "resources", After: "in another order"}}},
		"another order of operations":   {Resources{{"a", "Agents", []Operation{get, list}}, was[1]}, []Change{{Field: "resources", After: "in another order"}}},
		"another order, and a row less": {Resources{was[1], {"a", "Agents", []Operation{get}}}, []Change{{Field: "operation a:list", Before: "GET /api/a"}}},
	} {
		if got := was.Changes(c.to); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v", what, got)
		}
	}
	all := len(Resources{}.Changes(DefaultResources()))
	if gone := DefaultResources().Changes(nil); all != 8+25 || len(gone) != all || Resources(nil).Changes(Resources{}) != nil {
		t.Errorf("all that came are %d changes, all that went are %d", all, len(gone))
	}
}

// Between any two sets, nothing differs exactly when they are the same; and what came one way went the other way.
func TestResourceChangesAreMutual(t *testing.T) {
	operation := rapid.Custom(func(t *rapid.T) Operation {
		return Operation{rapid.SampledFrom([]string{"list", "get"}).Draw(t, "name"), rapid.SampledFrom(Methods[:2]).Draw(t, "method"), rapid.SampledFrom([]string{"/api/a", "/api/b", "/api/{id}"}).Draw(t, "path")}
	})
	resources := rapid.Custom(func(t *rapid.T) (r Resources) {
		for _, key := range rapid.Permutation([]string{"a", "b", "c"}).Draw(t, "keys")[:rapid.IntRange(0, 3).Draw(t, "many")] {
			r = append(r, Resource{key, rapid.SampledFrom([]string{"A", "B"}).Draw(t, "called"), rapid.SliceOfNDistinct(operation, 0, 4, rapid.ID[Operation]).Draw(t, "operations")})
		}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		one, other := resources.Draw(t, "one"), resources.Draw(t, "other")
		there, back := one.Changes(other), other.Changes(one)
		if same := slices.Equal(one.lines(), other.lines()); same != (len(there) == 0) {
			t.Fatalf("%v and %v: %v", one, other, there)
		}
		for _, c := range there {
			turned := Change{Field: c.Field, Before: c.After, After: c.Before}
			if c.Field == "resources" {
				turned = c
			}
			if !slices.Contains(back, turned) || len(there) != len(back) {
				t.Fatalf("%v and %v: there %v, back %v", one, other, there, back)
			}
		}
	})
}
