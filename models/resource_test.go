package models

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What a new workspace offers is what its documents say, is clean as it stands, and every operation of it can be
// given to a token.
func TestDefaultResources(t *testing.T) {
	r := DefaultResources()
	if problems := r.Clean(); len(problems) > 0 || !reflect.DeepEqual(r, DefaultResources()) {
		t.Fatalf("%v, %v", problems, r)
	}
	want := []string{
		"agents:list", "agents:install", "agents:update", "agents:delete", "agent-executions:list", "webhooks:send-events",
		"integrations:list", "integrations:create", "integrations:update", "integrations:delete",
		"knowledge-base:list", "knowledge-base:search", "triggers:list", "triggers:execute", "triggers:details",
		"assistant-chat:chat", "assistant-chat:history", "storage:list", "storage:upload", "storage:download", "storage:delete",
	}
	if got := r.Scopes(); !slices.Equal(got, want) {
		t.Errorf("scopes %q", got)
	}
	var names []string
	rows := 0
	for _, resource := range r {
		names = append(names, resource.Name)
		rows += len(resource.Operations)
	}
	if got := strings.Join(names, ", "); got != "Agents, Agent Executions, Webhooks, Integrations, Knowledge Base, Triggers, Assistant Chat, Storage" || rows != 25 {
		t.Errorf("%d rows of %s", rows, got)
	}
}

// Whoever asks for the default gets their own: what one product changes is no other's.
func TestDefaultResourcesAreNotShared(t *testing.T) {
	DefaultResources()[0].Operations[0].Pattern = "/api/changed"
	if got := DefaultResources()[0].Operations[0].Pattern; got != "/api/agent-base" {
		t.Errorf("got %s", got)
	}
}

// A scope is known by what it is for people; one that is gone is still told.
func TestScopes(t *testing.T) {
	r := append(DefaultResources(), Resource{"x", "Ex", []Operation{{"bulk-import", "POST", "/api/x"}}})
	for scope, want := range map[string]string{
		"knowledge-base:search": "Knowledge Base: Search",
		"agents:list":           "Agents: List",
		"x:bulk-import":         "Ex: Bulk import",
		"x:gone":                "",
		"x:":                    "",
		":list":                 "",
		"":                      "",
		"agents":                "",
		"agents:list:":          "",
		"Agents:list":           "",
	} {
		known := want != ""
		if !known {
			want = scope
		}
		if got := r.Label(scope); got != want || r.Has(scope) != known {
			t.Errorf("%q: %q, known %v", scope, got, r.Has(scope))
		}
	}
	if got := OperationLabel(""); got != "" {
		t.Errorf("got %q", got)
	}
}

// What was typed is trimmed, rows that were left empty are dropped, and a method is known in any case.
func TestResourcesClean(t *testing.T) {
	r := Resources{{" notes ", " My \t Notes ", []Operation{{}, {" list ", " get ", " /api/notes "}, {" ", "", "\t"}, {"list", "Get", "/api/notes/{id}"}}}}
	problems := r.Clean()
	want := Resources{{"notes", "My Notes", []Operation{{"list", "GET", "/api/notes"}, {"list", "GET", "/api/notes/{id}"}}}}
	if len(problems) > 0 || !reflect.DeepEqual(r, want) {
		t.Errorf("%v with %v", r, problems)
	}
	if problems := (&Resources{}).Clean(); len(problems) > 0 {
		t.Errorf("a product that offers nothing: %v", problems)
	}
}

// Each rule, with the field and the sentence that tell of it.
func TestResourcesRefused(t *testing.T) {
	list := Operation{"list", "GET", "/api/a"}
	with := func(o ...Operation) Resources { return Resources{{"a", "A", o}} }
	key := func(key string) Resources { return Resources{{key, "A", []Operation{list}}} }
	name := func(name string) Resources { return Resources{{"a", name, []Operation{list}}} }
	const keySays = "A: the key must be 1 to 40 lower-case letters and digits, in words with a hyphen between them, like knowledge-base."
	const nameSays = "A, row 1: the operation's name must be 1 to 40 lower-case letters and digits, in words with a hyphen between them, like search."
	const methodSays = "A, row 1: the method must be one of GET, POST, PUT, PATCH, DELETE. A GET answers HEAD too."
	for i, c := range []struct {
		r           Resources
		field, says string
	}{
		{key(""), "key", keySays},
		{key("A"), "key", keySays},
		{key("a b"), "key", keySays},
		{key("a:b"), "key", keySays},
		{key("-a"), "key", keySays},
		{key("a-"), "key", keySays},
		{key("a--b"), "key", keySays},
		{key("ä"), "key", keySays},
		{key("a_b"), "key", keySays},
		{key(strings.Repeat("a", 41)), "key", keySays},
		{name(""), "name", "Resource 1: enter a name."},
		{name("a\x00"), "name", "Resource 1: the name has characters that can't be shown. Type it again."},
		{name("a\u202eb"), "name", "Resource 1: the name has characters that can't be shown. Type it again."},
		{name(strings.Repeat("é", 61)), "name", "Resource 1: the name must be 60 characters or fewer."},
		{with(), "operations", "A: add at least one operation."},
		{with(Operation{}), "operations", "A: add at least one operation."},
		{with(Operation{"", "GET", "/api/a"}), "operations", nameSays},
		{with(Operation{"List", "GET", "/api/a"}), "operations", nameSays},
		{with(Operation{"a:b", "GET", "/api/a"}), "operations", nameSays},
		{with(Operation{strings.Repeat("a", 41), "GET", "/api/a"}), "operations", nameSays},
		{with(Operation{"list", "", "/api/a"}), "operations", methodSays},
		{with(Operation{"list", "HEAD", "/api/a"}), "operations", methodSays},
		{with(Operation{"list", "TRACE", "/api/a"}), "operations", methodSays},
		{with(Operation{"list", "GET", ""}), "operations", "A, row 1: the path must begin with /api/."},
		{append(key("a"), Resource{"a", "B", []Operation{{"list", "GET", "/api/b"}}}), "key", "Two resources have the key a. Give each its own."},
		{append(key("a"), Resource{"b", "a", []Operation{{"list", "GET", "/api/b"}}}), "name", "Two resources have the name a. Give each its own."},
		{make(Resources, 51), "name", "A product has at most 50 resources. These are 51."},
		{with(slices.Repeat([]Operation{list}, 201)...), "operations", "A product has at most 200 operations. These are 201."},
	} {
		if problems := c.r.Clean(); len(problems) != 1 || problems[0] != (Field{c.field, c.says}) {
			t.Errorf("%d: %q, want %s %q", i, problems, c.field, c.says)
		}
	}
}

// Everything is told at once, each sentence with its resource and row, up to twenty of them.
func TestResourcesTellAll(t *testing.T) {
	r := Resources{
		{"a", "Agents", []Operation{{"list", "GET", "/api/a"}, {"X", "GIT", "a"}}},
		{"a", "", []Operation{{"list", "GET", "/api/a/"}, {"get", "GET", "/api/a"}}},
	}
	var told []string
	for _, p := range r.Clean() {
		told = append(told, p.Name+": "+p.Message)
	}
	want := []string{
		"operations: Agents, row 2: the operation's name must be 1 to 40 lower-case letters and digits, in words with a hyphen between them, like search.",
		"operations: Agents, row 2: the method must be one of GET, POST, PUT, PATCH, DELETE. A GET answers HEAD too.",
		"operations: Agents, row 2: the path must begin with /api/.",
		"name: Resource 2: enter a name.",
		"operations: Resource 2, row 1: the path must not end with a slash.",
		"key: Two resources have the key a. Give each its own.",
		"operations: GET /api/a (a:list) and GET /api/a (a:get) both match GET /api/a: they match the same calls, so that one of them is never reached. Remove it.",
	}
	if !slices.Equal(told, want) {
		t.Errorf("got\n%s", strings.Join(told, "\n"))
	}
	many := Resources{{"a", "A", slices.Repeat([]Operation{{"list", "GET", "/api/a"}}, 200)}}
	if problems := many.Clean(); len(problems) != 20 {
		t.Errorf("%d problems", len(problems))
	}
}

// At the limits all is well: fifty resources, two hundred operations, names and paths as long as they may be.
func TestResourcesAtTheLimits(t *testing.T) {
	var r Resources
	for i := range 50 {
		resource := Resource{Key: fmt.Sprintf("%02d%s", i, strings.Repeat("k", 38)), Name: fmt.Sprintf("%02d%s", i, strings.Repeat("é", 58))}
		for j := range 4 {
			path := fmt.Sprintf("/api/%d/%d/", i, j)
			resource.Operations = append(resource.Operations, Operation{strings.Repeat("o", 40), "PATCH", path + strings.Repeat("p", 200-len(path))})
		}
		r = append(r, resource)
	}
	if problems := r.Clean(); len(problems) > 0 {
		t.Errorf("%v", problems)
	}
}

// What is wrong with resources that were typed as text is told by the one thing that can be found there: the number of the line.
func TestProblemsHaveLines(t *testing.T) {
	for text, want := range map[string][]string{
		"\nA (a)\n\n  list GET /people\n  get  GEET /api/b":                         {"Line 4: the path must begin with /api/.", "Line 5: the method must be one of GET, POST, PUT, PATCH, DELETE. A GET answers HEAD too."},
		"A (A)\r\n list GET /api/a\r\n\r\nB (b)":                                    {"Line 1: the key must be " + keyForm + ", like knowledge-base.", "Line 4: add at least one operation."},
		"A (a)\n list GET /api/a\nB (a)\n list GET /api/b\nb (c)\n list GET /api/c": {"Lines 1 and 3: Two resources have the key a. Give each its own.", "Lines 3 and 5: Two resources have the name b. Give each its own."},
		"(a)\n list GET /api/a":                                                     {"Line 1: enter a name."},
		"A (a)\n list GET /api/{x}/b\n\n\nB (b)\n get GET /api/a/{y}":               {"Lines 2 and 6: GET /api/{x}/b and GET /api/a/{y} both match GET /api/a/b: neither is more exact than the other. Change one of them, so that no call fits both."},
		" list GET /api/a\nA\n list\n get GET /people":                              {"Line 1: an operation stands below its resource. Begin the resource's line without a space.", "Line 3: an operation is a name, a method and a path, for example: list GET /api/agent-base."},
	} {
		_, problems := ParseResources(text)
		var told []string
		for _, p := range problems {
			if told = append(told, p.Message); p.Name != "resources" {
				t.Errorf("%q: %q is told of %s", text, p.Message, p.Name)
			}
		}
		if !slices.Equal(told, want) {
			t.Errorf("%q: %q", text, told)
		}
	}
}
