package archive

import "testing"

// No two entries are one file on a system without regard to case, and no path is both a file and a folder.
func TestDuplicates(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []string
		says  string // "" when there is nothing to refuse
	}{
		{"the same twice", []string{"a", "a"}, `entry 2 ("a") is there twice; entry 1 has the same name`},
		{"three of one", []string{"a", "a", "A"}, `entry 2 ("a") is there twice; entry 1 has the same name`},
		{"upper and lower", []string{"a", "b", "A"}, `entry 3 ("A") differs only in upper and lower case from entry 1 ("a")`},
		{"in a folder", []string{"d/a", "d/A"}, `entry 2 ("d/A") differs only in upper and lower case from entry 1 ("d/a")`},
		{"folders in the path", []string{"docs/a", "Docs/b"}, `entry 2 ("Docs/b") differs only in upper and lower case from entry 1 ("docs")`},
		{"beyond ASCII", []string{"É", "é"}, `entry 2 ("é") differs only in upper and lower case from entry 1 ("É")`},
		{"sharp s", []string{"straße", "STRASSE"}, `entry 2 ("STRASSE") differs only in upper and lower case from entry 1 ("straße")`},
		{"sigma", []string{"ς", "Σ"}, `entry 2 ("Σ") differs only in upper and lower case from entry 1 ("ς")`},
		{"Kelvin is not NFC, long s is", []string{"ſ", "s"}, `entry 2 ("s") differs only in upper and lower case from entry 1 ("ſ")`},
		{"file, then folder", []string{"a", "a/b"}, `entry 2 ("a/b") makes a path both a file and a folder, with entry 1`},
		{"folder, then file", []string{"a/b", "a"}, `entry 2 ("a") makes a path both a file and a folder, with entry 1`},
		{"folder's own entry, then file", []string{"a/", "a"}, `entry 2 ("a") makes a path both a file and a folder, with entry 1`},
		{"file, then folder deep", []string{"x/a", "y", "x/a/b/c"}, `entry 3 ("x/a/b/c") makes a path both a file and a folder, with entry 1`},
		{"folder twice", []string{"f", "a/", "a/"}, `entry 3 ("a/") is there twice; entry 2 has the same name`},
		{"folder twice, after its use", []string{"a/b", "a/", "a/"}, `entry 3 ("a/") is there twice; entry 2 has the same name`},
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
			says(t, refused(t, pack(members...), Duplicate), "The archive was refused: "+c.says+".")
		})
	}
}
