package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ruleNumbers are our own rules, and asvsNumbers the requirements of levels 1 and 2 of OWASP ASVS 5.0.0, which
// docs/security.md answers one by one. "1.2.1-9" stands for 1.2.1 to 1.2.9.
const (
	ruleNumbers = "S1-11 W1-9 T1-14 H1-9 A1-5 D1-8 R1-6 U1-12 G1-9 G11"
	asvsNumbers = "1.1.1-2 1.2.1-9 1.3.1-11 1.4.1-3 1.5.1-2 2.1.1-3 2.2.1-3 2.3.1-4 2.4.1 3.2.1-2 3.3.1-4 3.4.1-6 3.5.1-5 3.7.1-2 " +
		"4.1.1-3 4.2.1 4.3.1-2 4.4.1-4 5.1.1 5.2.1-3 5.3.1-2 5.4.1-3 6.1.1-3 6.2.1-12 6.3.1-4 6.4.1-4 6.5.1-5 6.6.1-3 6.8.1-4 " +
		"7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2 8.1.1-2 8.2.1-3 8.3.1 8.4.1 9.1.1-3 9.2.1-4 " +
		"10.1.1-2 10.2.1-2 10.3.1-4 10.4.1-11 10.5.1-5 10.6.1-2 10.7.1-3 11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1 11.6.1 " +
		"12.1.1-3 12.2.1-2 12.3.1-4 13.1.1 13.2.1-5 13.3.1-2 13.4.1-5 14.1.1-2 14.2.1-4 14.3.1-3 15.1.1-3 15.2.1-3 15.3.1-7 " +
		"16.1.1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3 17.1.1 17.2.1-4 17.3.1-2"
	asvsTotal = 70 + 183 // of level 1 and of level 2
)

// states are what a row may say of its rule: "tested" names tests, "code" and "paper" a file that can be read,
// and the others give a reason.
var states = []string{"tested", "code", "paper", "differs", "operator", "not yet", "n/a"}

// tableRow is a row of docs/security.md: a number, a few words, a state, and how.
type tableRow struct{ id, state, how string }

var (
	inRow   = regexp.MustCompile(`(?m)^\| ([SWTHADRUG]?\d[\d.]*) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$`)
	inTests = regexp.MustCompile("`([a-z0-9/.]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`")
	inLinks = regexp.MustCompile(`\]\(([^)#:]+)\)`)
	inFiles = regexp.MustCompile("`([A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+|[A-Za-z0-9_-]+\\.(?:md|mod|sum))`")
)

// docs/security.md answers every rule and every requirement, once; what it says is tested names tests, and all
// tests and files that it names are there. A rule's own test says so in its name or its comment.
func TestTheSecurityTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testsByName(t)
	var answered []string
	counts := map[string]int{}
	for _, match := range inRow.FindAllStringSubmatch(string(text), -1) {
		row := tableRow{match[1], strings.TrimSpace(match[2]), match[3]}
		answered = append(answered, row.id)
		if strings.Count(row.id, ".") == 2 {
			counts[row.state]++
		}
		row.check(t, tests)
	}
	namesWhatIsThere(t, string(text), tests)
	want := append(numbers(t, ruleNumbers), numbers(t, asvsNumbers)...)
	for _, id := range want {
		if n := count(answered, id); n != 1 {
			t.Errorf("%s is answered %d times", id, n)
		}
	}
	for _, id := range answered {
		if !slices.Contains(want, id) {
			t.Errorf("%s is answered, and is no rule", id)
		}
	}
	if n := len(numbers(t, asvsNumbers)); n != asvsTotal {
		t.Errorf("%d requirements, want %d", n, asvsTotal)
	}
	if said := summary(counts); !strings.Contains(string(text), said) {
		t.Errorf("the summary is not:\n%s", said)
	}
}

// namesWhatIsThere insists that each test, file and page that a text names is there.
func namesWhatIsThere(t *testing.T, text string, tests map[string]string) {
	t.Helper()
	for _, match := range inTests.FindAllStringSubmatch(text, -1) {
		if _, there := tests[match[1]+"."+match[2]]; !there {
			t.Errorf("there is no test %s in %s", match[2], match[1])
		}
	}
	for _, match := range inFiles.FindAllStringSubmatch(inTests.ReplaceAllString(text, ""), -1) {
		if _, err := os.Stat(filepath.Join("..", "..", match[1])); err != nil {
			t.Errorf("there is no file %s", match[1])
		}
	}
	for _, match := range inLinks.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("..", "..", "docs", match[1])); err != nil {
			t.Errorf("there is no page %s", match[1])
		}
	}
}

// check holds a row against its state.
func (r tableRow) check(t *testing.T, tests map[string]string) {
	t.Helper()
	named := inTests.FindAllStringSubmatch(r.how, -1)
	switch {
	case !slices.Contains(states, r.state):
		t.Errorf("%s: %q is no state", r.id, r.state)
	case r.state == "tested" && len(named) == 0:
		t.Errorf("%s is tested by nothing", r.id)
	case (r.state == "code" || r.state == "paper") && !inFiles.MatchString(r.how) && !strings.Contains(r.how, "]("):
		t.Errorf("%s: no file is named", r.id)
	case len(r.how) < 7 || strings.Contains(r.how, "PENDING"):
		t.Errorf("%s: %q is no reason", r.id, r.how)
	}
	if !strings.Contains("SWTARUG", r.id[:1]) || r.state != "tested" && r.state != "differs" {
		return
	}
	name := regexp.MustCompile(`\b` + r.id + `\b|Test` + r.id + `[A-Z]`)
	if !slices.ContainsFunc(named, func(match []string) bool { return name.MatchString(tests[match[1]+"."+match[2]]) }) {
		t.Errorf("%s: none of its tests names it", r.id)
	}
}

// summary counts the requirements by what is said of them.
func summary(counts map[string]int) string {
	var parts []string
	for _, state := range states {
		parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
	}
	return strings.Join(parts, ", ")
}

func count(list []string, id string) (n int) {
	for _, other := range list {
		if other == id {
			n++
		}
	}
	return n
}

// numbers spells a list of ranges out.
func numbers(t *testing.T, ranges string) (all []string) {
	t.Helper()
	for _, part := range strings.Fields(ranges) {
		from, last, several := strings.Cut(part, "-")
		at := strings.LastIndexAny(from, ".SWTHADRUG") + 1
		first, err := strconv.Atoi(from[at:])
		end := first
		if err == nil && several {
			end, err = strconv.Atoi(last)
		}
		if err != nil {
			t.Fatal(part, err)
		}
		for n := first; n <= end; n++ {
			all = append(all, from[:at]+strconv.Itoa(n))
		}
	}
	return all
}

// testsByName finds every test and fuzz target of the module: "models/secret.FuzzParse", with its name and
// what its comment says.
func testsByName(t *testing.T) map[string]string {
	t.Helper()
	root, found := filepath.Join("..", ".."), map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		source, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declared := range source.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Fuzz")) {
				found[path.Dir(file)+"."+f.Name.Name] = f.Name.Name + " " + f.Doc.Text()
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
