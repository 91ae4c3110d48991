package models

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

var lineNumber = regexp.MustCompile(`^(Line [1-9][0-9]*|Lines [1-9][0-9]* and [1-9][0-9]*|A product has at most [0-9]+ [a-z]+)[:.] .+\.$`)

// Whatever is typed as resources is read, or told with the number of its line; and what is clean is read again, from its own text, as
// the same.
func FuzzParseResources(f *testing.F) {
	f.Add(DefaultResources().Text())
	for _, text := range []string{
		"", "\n", " ", "A", "A (a)", "A(a)\n list GET /api/a", "A (a)\r\n\tlist get /api/a\r\n", "  list GET /api/a", "A (a)\n list GET", "A (a)\n list GET /api/a x",
		"A (b) (a)\n list GET /api/a", "A ((a))\n list GET /api/a", "()\n list GET /api/a", "(a)\n list GET /api/a", "A ()\n list GET /api/a", "A (a) b\n list GET /api/a",
		"A\u00a0(a)\n list GET /api/a", "A\u2003B (a)\n list GET /api/a", "\u00a0list GET /api/a", "A\vB (a)\n list GET /api/a", "A\x00 (a)", "\xff (a)\n\xff", "A\rB (a)\n list GET /api/a",
		"É (e)\n list GET /api/é", "A (a)\n list GET /api/{id}\n\n\nB (b)\n one POST /api/*", strings.Repeat(" x\n", 30), "A\u2028B (a)\n list GET /api/a", "A\u0085 (a)\n list GET /api/a",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, problems := ParseResources(text)
		for _, p := range problems {
			if p.Name != "resources" || !lineNumber.MatchString(p.Message) {
				t.Fatalf("%q: a problem of %s says %q", text, p.Name, p.Message)
			}
		}
		if len(problems) > mostTold {
			t.Fatalf("%d problems", len(problems))
		}
		if len(problems) > 0 || len(list.Clean()) > 0 {
			return
		}
		again, problems := ParseResources(list.Text())
		if len(problems) > 0 || !reflect.DeepEqual(again, list) {
			t.Fatalf("%q is read again as %q, %v", list, again, problems)
		}
	})
}

// Resources that are clean are the same when their text is read, whatever their names are.
func FuzzResourcesText(f *testing.F) {
	for _, name := range []string{"Agents", "A (b)", "A (b) c", "(a)", "()", "A)", "(A", "a  b", "É", "A:", "#A", "\u00a0", "A\u200bB", "x () (y)"} {
		f.Add(name, "a", "list", "GET", "/api/a")
	}
	f.Add("A", "a", "list", "DELETE", "/api/{id}/*")
	f.Fuzz(func(t *testing.T, name, key, operation, method, pattern string) {
		list := Resources{{key, name, []Operation{{operation, method, pattern}}}}
		if len(list.Clean()) > 0 {
			return
		}
		again, problems := ParseResources(list.Text())
		if len(problems) > 0 || !reflect.DeepEqual(again, list) {
			t.Fatalf("%q is read as %q, %v", list, again, problems)
		}
	})
}
