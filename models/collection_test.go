package models

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// U2: a file name is for display only. Folders, control and bidi characters and length are the sender's;
// what is kept is at most 200 characters that can be shown.
func TestInstallFileName(t *testing.T) {
	for given, want := range map[string]string{
		"myCollection.zip":                "myCollection.zip",
		"/etc/passwd":                     "passwd",
		`C:\Users\ines\tools.zip`:         "tools.zip",
		`..\../x\y/z.zip`:                 "z.zip",
		"../..":                           "..", // shown, never opened
		"":                                "collection.zip",
		"folder/":                         "collection.zip",
		" \t ":                            "collection.zip",
		"\x00\x1b[2J.zip":                 "[2J.zip",
		"tools\r\nSet-Cookie: a=b.zip":    "toolsSet-Cookie: a=b.zip",
		"gnp\u202epiz.exe":                "gnppiz.exe",
		"a\xff\xfeb.zip":                  "ab.zip",
		"  my  tools .zip ":               "my tools .zip",
		strings.Repeat("é", 300):          strings.Repeat("é", 200),
		"<img src=x onerror=alert(1)>":    "<img src=x onerror=alert(1)>",
		"\u200b\u2066\ufeff":              "collection.zip",
		"工具.ZIP":                          "工具.ZIP",
		strings.Repeat("../", 9) + ".zip": ".zip",
	} {
		n := NewInstall{FileName: given}
		if problems := n.Clean(); n.FileName != want || len(problems) > 0 {
			t.Errorf("%q: %q with %v, want %q", given, n.FileName, problems, want)
		}
	}
}

// A name is the manifest's, or else the file's without its ".zip" in any case, or else "collection".
func TestInstallName(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"Tools", "other.zip", "Tools"},
		{"  My \n Tools ", "other.zip", "My Tools"},
		{"", "myCollection.zip", "myCollection"},
		{" ", "myCollection.ZiP", "myCollection"},
		{"", "tools.zip.zip", "tools.zip"},
		{"", "tools.tar", "tools.tar"},
		{"", "/x/ my tools .zip", "my tools"},
		{"", "", "collection"},
		{"", "\x00", "collection"},
	} {
		n := NewInstall{Name: c.name, FileName: c.file}
		if problems := n.Clean(); n.Name != c.want || len(problems) > 0 {
			t.Errorf("%q in %q: %q with %v, want %q", c.name, c.file, n.Name, problems, c.want)
		}
	}
}

// What a manifest says is refused where it cannot be shown or is too long, all of it at once.
func TestInstallRefusesAManifest(t *testing.T) {
	for _, bad := range []string{"a\x00", "a\x1b[0m", "a\u202eb", "a\xff", strings.Repeat("é", 4001)} {
		n := NewInstall{Name: bad, Label: bad, Description: bad}
		problems := n.Clean()
		for i, field := range []string{"name", "version", "description"} {
			if len(problems) != 3 || problems[i].Name != field {
				t.Fatalf("%.10q: %v", bad, problems)
			}
		}
	}
	n := NewInstall{Name: "Tools", Label: "1.0-β", Description: "Says\nwhat it does."}
	if problems := n.Clean(); len(problems) > 0 || n.Label != "1.0-β" || n.Description != "Says what it does." {
		t.Errorf("got %+v with %v", n, problems)
	}
}

// Whatever a sender calls a file, there is a name to list the collection by, it can be shown, and a name
// that comes from the file is never one that would have been refused.
func TestInstallAlwaysHasAName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := NewInstall{FileName: rapid.OneOf(rapid.String(), rapid.StringMatching(`[ ./\\a-z\x00-\x{ff}]{0,250}`)).Draw(t, "file")}
		problems := n.Clean()
		for _, text := range []string{n.FileName, n.Name} {
			if text == "" || !Printable(text) || text != CleanText(text) || utf8.RuneCountInString(text) > 200 || strings.ContainsAny(text, `/\`) {
				t.Fatalf("got %q, %q", n.FileName, n.Name)
			}
		}
		if len(problems) > 0 {
			t.Fatalf("%q is refused: %v", n.FileName, problems)
		}
	})
}

// A version goes by its number, and by the manifest's label where it has one.
func TestVersionName(t *testing.T) {
	if got := (CollectionVersion{Number: 3}).VersionName(); got != "3" {
		t.Errorf("got %q", got)
	}
	if got := (CollectionVersion{Number: 3, Label: "1.2"}).VersionName(); got != "3 (1.2)" {
		t.Errorf("got %q", got)
	}
}
