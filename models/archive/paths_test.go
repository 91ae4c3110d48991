package archive

import (
	"strings"
	"testing"
)

// No two entries are one file on a system without regard to case, and no path is both a file and a folder.
func TestDuplicates(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []string
		says  string // "" when there is nothing to refuse
	}{
		{"the same twice", []string{"a", "a"}, "entry 1 has the same name"},
		{"three of one", []string{"a", "a", "A"}, "entry 1 has the same name"},
		{"upper and lower", []string{"a", "b", "A"}, `from entry 1 ("a")`},
		{"in a folder", []string{"d/a", "d/A"}, `from entry 1 ("d/a")`},
		{"folders in the path", []string{"docs/a", "Docs/b"}, `from entry 1 ("docs")`},
		{"beyond ASCII", []string{"É", "é"}, "upper and lower"},
		{"sharp s", []string{"straße", "STRASSE"}, "upper and lower"},
		{"sigma", []string{"ς", "Σ"}, "upper and lower"},
		{"Kelvin is not NFC, long s is", []string{"ſ", "s"}, "upper and lower"},
		{"file, then folder", []string{"a", "a/b"}, "both a file and a folder, with entry 1"},
		{"folder, then file", []string{"a/b", "a"}, "both a file and a folder, with entry 1"},
		{"folder's own entry, then file", []string{"a/", "a"}, "both a file and a folder, with entry 1"},
		{"file, then folder deep", []string{"x/a", "y", "x/a/b/c"}, "both a file and a folder, with entry 1"},
		{"folder twice", []string{"f", "a/", "a/"}, "entry 2 has the same name"},
		{"folder twice, after its use", []string{"a/b", "a/", "a/"}, "entry 2 has the same name"},
		{"folder before use", []string{"a/", "a/b", "a/c"}, ""},
		{"folder after use", []string{"a/b", "a/"}, ""},
		{"prefix of a name", []string{"a", "ab", "a.b", "a b/c"}, ""},
		{"same name, other folder", []string{"a/x", "b/x", "x"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var members []member
			for _, path := range c.paths {
				members = append(members, member{name: path, stored: true})
			}
			if c.says == "" {
				accept(t, pack(members...))
				return
			}
			if r := refused(t, pack(members...), Duplicate); !strings.Contains(r.Message, c.says) {
				t.Error(r.Message)
			}
		})
	}
}
