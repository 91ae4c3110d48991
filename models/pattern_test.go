package models

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Which patterns are good, and what is said of the others.
func TestPatternProblem(t *testing.T) {
	for problem, patterns := range map[string][]string{
		"": {
			"/api/a", "/api/{id}", "/api/*", "/api/agent-base/{id}/executions", "/api/a/{_x1}/{Y}/*", "/api/a.b/..c/d~e_f", "/api/notes:search", "/api/@me",
			"/api/a!$&'()+,=", "/api/api", "/api/...", "/api/" + strings.Repeat("a", 195),
		},
		"must begin with /api/.":                      {"", "/", "api/a", "/a", "/API/a", "//api/a", "/api", " /api/a", "https://x/api/a", "/api\\a"},
		"must be 200 characters or fewer.":            {"/api/" + strings.Repeat("a", 196)},
		"must not end with a slash.":                  {"/api/", "/api/a/", "/api/a//", "/api/{id}/", "/api/*/"},
		"must not have two slashes in a row.":         {"/api//a", "/api/a//b"},
		"must not have . or .. as a part of its own.": {"/api/.", "/api/..", "/api/../admin", "/api/a/./b"},
		"may have a * only alone, as its last part. Write {name} for one part of any content.":     {"/api/*/a", "/api/a*", "/api/*a", "/api/**", "/api/a/*b/c"},
		"may have braces only around a whole part, with letters, digits and _ in them, like {id}.": {"/api/{}", "/api/{id", "/api/id}", "/api/a{id}", "/api/{id}.json", "/api/{1}", "/api/{a-b}", "/api/{id...}", "/api/{$}", "/api/{a}{b}", "/api/{é}", "/api/}{"},
		"must not have a part that begins with a colon. Write {id} for one part of any content.":   {"/api/:id", "/api/a/:id/b"},
		"has {id} twice. Give each its own name.":                                                  {"/api/{id}/a/{id}"},
		"must be of letters and digits from A to Z and 0 to 9, and of - . _ ~ ! $ & ' ( ) + , = : @ between slashes.": {
			"/api/a b", "/api/a%20b", "/api/%61", "/api/a%2fb", "/api/a;b", "/api/a\\b", "/api/a?b", "/api/a#b", "/api/é", "/api/a\x00", "/api/a\n", "/api/a\x7f", "/api/\xff", "/api/a\"b", "/api/a|b", "/api/a^b", "/api/[a]", "/api/<a>", "/api/a`b",
		},
	} {
		for _, pattern := range patterns {
			if got := PatternProblem(pattern); got != problem {
				t.Errorf("%q: %q, want %q", pattern, got, problem)
			}
		}
	}
}

// Pairs, and what is said of them: nothing where a call fits one of them at most, or one is more exact; otherwise both
// are named, and a call that fits both.
func TestOperationsThatMeet(t *testing.T) {
	const crossing, same = ": neither is more exact than the other. Change one of them, so that no call fits both.", ": they match the same calls, so that one of them is never reached. Remove it."
	for _, c := range []struct{ a, b, says string }{
		{"GET /api/a", "GET /api/b", ""},
		{"GET /api/a", "POST /api/a", ""},
		{"GET /api/a", "GET /api/a/b", ""},
		{"GET /api/a", "GET /api/a/*", ""},
		{"GET /api/a/b", "GET /api/a/{id}", ""},
		{"GET /api/a/{id}", "GET /api/a/*", ""},
		{"GET /api/a/{id}/*", "GET /api/a/*", ""},
		{"GET /api/*", "GET /api/a/{id}/c", ""},
		{"GET /api/a/{x}/c", "GET /api/b/{y}/c", ""},
		{"GET /api/A", "GET /api/a", ""},
		{"GET /api/a/{x}/{y}", "GET /api/a/{x}/c", ""},
		{"GET /api/a/{x}/c", "GET /api/a/b/{y}", "GET /api/a/{x}/c and GET /api/a/b/{y} both match GET /api/a/b/c" + crossing},
		{"PUT /api/a/b/{y}", "PUT /api/a/{x}/c", "PUT /api/a/b/{y} and PUT /api/a/{x}/c both match PUT /api/a/b/c" + crossing},
		{"GET /api/a/{x}/{y}/d", "GET /api/a/{x}/c/{z}", "GET /api/a/{x}/{y}/d and GET /api/a/{x}/c/{z} both match GET /api/a/1/c/d" + crossing},
		{"GET /api/a/b/*", "GET /api/a/{x}/c", "GET /api/a/b/* and GET /api/a/{x}/c both match GET /api/a/b/c" + crossing},
		{"GET /api/{x}/b/{y}/*", "GET /api/a/*", "GET /api/{x}/b/{y}/* and GET /api/a/* both match GET /api/a/b/1/1" + crossing},
		{"GET /api/a", "GET /api/a", "GET /api/a (r:one) and GET /api/a (r:two) both match GET /api/a" + same},
		{"GET /api/a/{x}", "GET /api/a/{y}", "GET /api/a/{x} (r:one) and GET /api/a/{y} (r:two) both match GET /api/a/1" + same},
		{"DELETE /api/{x}/*", "DELETE /api/{y}/*", "DELETE /api/{x}/* (r:one) and DELETE /api/{y}/* (r:two) both match DELETE /api/1/1" + same},
	} {
		r := Resources{{"r", "R", []Operation{operation("one", c.a), operation("two", c.b)}}}
		problems := r.Clean()
		if len(problems) > 1 || problems.Message("operations") != c.says {
			t.Errorf("%s, %s: %q", c.a, c.b, problems)
		}
	}
}

func operation(name, call string) Operation {
	method, pattern, _ := strings.Cut(call, " ")
	return Operation{name, method, pattern}
}

// Two operations are refused together exactly where net/http.ServeMux refuses them, whose rules these are; and the
// call that the sentence names fits both.
func TestOperationsMeetAsInServeMux(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "c", "{x}"})
	pattern := rapid.Custom(func(t *rapid.T) string {
		segments := rapid.SliceOfN(segment, 1, 4).Draw(t, "segments")
		for i, s := range segments {
			if s == "{x}" {
				segments[i] = fmt.Sprintf("{x%d}", i)
			}
		}
		if rapid.Bool().Draw(t, "and all below") {
			segments = append(segments, "*")
		}
		return "/api/" + strings.Join(segments, "/")
	})
	rapid.Check(t, func(t *rapid.T) {
		a := Operation{"one", "GET", pattern.Draw(t, "a")}
		b := Operation{"two", rapid.SampledFrom([]string{"GET", "GET", "PUT"}).Draw(t, "method"), pattern.Draw(t, "b")}
		r := Resources{{"r", "R", []Operation{a, b}}}
		says := r.Clean().Message("operations")
		if refused := muxRefuses(a, b); refused != (says != "") {
			t.Fatalf("%v, %v: %q, and ServeMux refuses: %v", a, b, says, refused)
		}
		if says == "" {
			return
		}
		_, after, _ := strings.Cut(says, "both match GET ")
		call, _, _ := strings.Cut(after, ":")
		for _, o := range []Operation{a, b} {
			if !fits(o.Pattern, call) {
				t.Fatalf("%q does not fit %s", says, o.Pattern)
			}
		}
	})
}

// muxRefuses registers two operations. A path of ours ends in no slash, so that "one or more" is what ServeMux
// calls {name...}.
func muxRefuses(list ...Operation) (refused bool) {
	defer func() { refused = recover() != nil }()
	mux := http.NewServeMux()
	for _, o := range list {
		pattern := o.Pattern
		if below, ok := strings.CutSuffix(pattern, "*"); ok {
			pattern = below + "{rest...}"
		}
		mux.Handle(o.Method+" "+pattern, http.NotFoundHandler())
	}
	return false
}

// fits says by the words of the rule whether a path fits a pattern.
func fits(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if last := len(want) - 1; want[last] == "*" {
		if len(have) <= last {
			return false
		}
		want, have = want[:last], have[:last]
	}
	return slices.EqualFunc(want, have, func(want, have string) bool { return takesOne(want) || want == have })
}
