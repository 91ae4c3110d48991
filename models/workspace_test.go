package models

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A slug is made of what is left of a name in lower-case letters, digits and single hyphens.
func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Marlowe Press":            "marlowe-press",
		"  A  &  B / C  ":          "a-b-c",
		"Café Ünion 7":             "caf-nion-7",
		"日本":                       "workspace",
		"":                         "workspace",
		"--..--":                   "workspace",
		"../../etc/passwd":         "etc-passwd",
		strings.Repeat("a", 50):    strings.Repeat("a", 40),
		strings.Repeat("ab ", 20):  "ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-a",
		strings.Repeat("abc ", 20): strings.TrimSuffix(strings.Repeat("abc-", 10), "-"),
	} {
		if got := Slug(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Whatever a workspace is called, its slug fits a path and is never taken for an ID, which would have
// the workspace looked for in the wrong column.
func TestSlugFitsAPath(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9 _./-]{0,70}`),
			rapid.StringMatching(`[0-9a-f]{8}(-[0-9A-F]{4}){3}-[0-9a-f]{12}`)).Draw(t, "name")
		slug := Slug(name)
		if !form.MatchString(slug) || len(slug) > 40 || ValidID(slug) {
			t.Fatalf("%q became %q", name, slug)
		}
		if again := Slug(slug); again != slug {
			t.Fatalf("the slug of %q is %q", slug, again)
		}
	})
}

// A workspace needs a name, of at most 60 characters that can be shown.
func TestNewWorkspaceClean(t *testing.T) {
	for name, want := range map[string]string{
		"  Marlowe \t Press ":   "Marlowe Press",
		strings.Repeat("é", 60): strings.Repeat("é", 60),
		strings.Repeat("é", 61): "-",
		"":                      "-",
		" \n ":                  "-",
		"a\x00b":                "-",
		"a\xffb":                "-",
		"a\u2066b":              "-",
	} {
		n := NewWorkspace{Name: name}
		problems := n.Clean()
		if want == "-" && problems.Message("workspace") == "" || want != "-" && (len(problems) > 0 || n.Name != want) {
			t.Errorf("%q: %q with %v", name, n.Name, problems)
		}
	}
}

// A limit is a number of calls that there is a point in counting; automation is never below what a person has.
func TestCallLimitsClean(t *testing.T) {
	for calls, good := range map[int]bool{-1: false, 0: false, 1: true, DefaultAPICalls: true, MostCallsAMinute: true, MostCallsAMinute + 1: false} {
		for field, l := range map[string]CallLimits{
			"calls_a_minute":            {calls, 1, MostCallsAMinute},
			"user_calls_a_minute":       {1, calls, MostCallsAMinute},
			"automation_calls_a_minute": {1, 1, calls},
		} {
			if problems := l.Clean(); (problems.Message(field) == "") != good || (len(problems) == 0) != good {
				t.Errorf("%s of %d: %v", field, calls, problems)
			}
		}
	}
	for user, automation := range map[int]int{50: 300, 7: 7} {
		l := CallLimits{1, user, automation}
		if problems := l.Clean(); len(problems) > 0 {
			t.Errorf("%d and %d: %v", user, automation, problems)
		}
		if l.User, l.Automation = automation, user; user != automation && !strings.Contains(l.Clean().Message("automation_calls_a_minute"), "at least as many") {
			t.Errorf("%d and %d are fine", automation, user)
		}
	}
}
