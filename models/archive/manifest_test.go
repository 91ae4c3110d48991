package archive

import (
	"strings"
	"testing"
)

// The manifest's own three fields are read as they are meant, and everything else in it is left alone.
func TestManifest(t *testing.T) {
	const long = "\u00e9"
	for _, c := range []struct{ body, name, version, description string }{
		{`{"name":"docs","version":"1.2","description":"For everybody."}`, "docs", "1.2", "For everybody."},
		{`{}`, "", "", ""},
		{" \n{\"name\": \"  docs \"}\n", "docs", "", ""},
		{"\xef\xbb\xbf{\"name\":\"docs\"}", "docs", "", ""},
		{`{"name":null,"version":"2"}`, "", "2", ""},
		{`{"Name":"x","NAME":"y"}`, "", "", ""},
		{`{"description":"two\nlines\tand a tab"}`, "", "", "two\nlines\tand a tab"},
		{`{"name":"cafe\u0301"}`, "café", "", ""},
		{`{"info":{"name":"a Postman collection"},"item":[{"name":1}],"item":[]}`, "", "", ""},
		{`{"$schema":"x","schematics":{"a":{"description":"b"}}}`, "", "", ""},
		{`{"name":"` + strings.Repeat(long, 200) + `"}`, strings.Repeat(long, 200), "", ""},
	} {
		s := accept(t, pack(member{name: "collection.json", body: c.body}, member{name: "a/collection.json", body: "not ours"}))
		if s.Name != c.name || s.Version != c.version || s.Description != c.description {
			t.Errorf("%s: got %+v", c.body, s)
		}
	}
}

// A manifest that says something that cannot be used is refused, and the message says what and where.
func TestBadManifest(t *testing.T) {
	for _, c := range []struct{ body, says string }{
		{``, "is not valid JSON"},
		{`{`, "is not valid JSON"},
		{`{"name":"a"} {}`, "is not valid JSON"},
		{`{"name":"a",}`, "is not valid JSON"},
		{"{\"name\":\"\xff\"}", "is not valid JSON"},
		{strings.Repeat("[", 100_000), "is not valid JSON"},
		{`{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "is not valid JSON"},
		{`[]`, "is not a JSON object"},
		{`"name"`, "is not a JSON object"},
		{`null`, "is not a JSON object"},
		{`{"name":1}`, `has something other than text in the field "name"`},
		{`{"version":1.2}`, `has something other than text in the field "version"`},
		{`{"description":["a"]}`, `has something other than text in the field "description"`},
		{`{"name":"a","name":"b"}`, `has two values in the field "name"`},
		{`{"name":"a\nb"}`, `has a control character in the field "name"`},
		{`{"version":"1\u202e2"}`, `has a control character in the field "version"`},
		{`{"description":"a\u0000"}`, `has a control character in the field "description"`},
		{`{"name":"` + strings.Repeat("a", 201) + `"}`, `has more than 200 characters in the field "name"`},
		{`{"version":"` + strings.Repeat("1", 101) + `"}`, `has more than 100 characters in the field "version"`},
		{`{"description":"` + strings.Repeat("a", 4001) + `"}`, `has more than 4000 characters in the field "description"`},
	} {
		r := refused(t, pack(member{name: "a"}, member{name: "collection.json", body: c.body}), Manifest)
		if r.Entry != 2 || !strings.Contains(r.Message, `("collection.json") `+c.says+".") {
			t.Errorf("%.40s: %s", c.body, r.Message)
		}
	}
}

// Security rule U7: the manifest is the one member that is held in memory; so it has a limit of its own, and comes last.
func TestManifestLimit(t *testing.T) {
	limits := DefaultLimits
	limits.ManifestBytes = 20
	fits, over := `{"name":"12345678"} `, `{"name":"123456789"} `
	if s, err := checked(pack(member{name: "collection.json", body: fits}), limits); err != nil || s.Name != "12345678" {
		t.Error(s, err)
	}
	refusedWith(t, pack(member{name: "collection.json", body: over}), limits, Manifest)
	refused(t, pack(member{name: "collection.json", body: "{"}, member{name: "b", body: "x", packed: "\xff"}), Damaged)
	refused(t, pack(member{name: "collection.json/a"}, member{name: "Collection.json", body: "{"}), Duplicate)
}
