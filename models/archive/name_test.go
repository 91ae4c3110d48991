package archive

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Twenty-five ways out of the collection's folder, on one system or another.
var slips = []string{
	"../x", "../../etc/passwd", "a/../../x", "a/b/../../../x", "a/../x", "..", "../", "a/..", "./../x", "..//x",
	"/etc/passwd", "/", "//server/share/x", `\\server\share\x`, `\x`, `..\x`, `a\..\..\x`, `..\../x`, `a/..\x`,
	`C:\x`, "C:/x", "c:x", "z:", "..\x00/../x", "../\xff",
}

// Security rule U5: a slip is refused by its name, which the message repeats, and the entries before it do not help it.
func TestSlips(t *testing.T) {
	for _, name := range slips {
		t.Run(name, func(t *testing.T) {
			r := refused(t, pack(member{name: "fine.txt", body: "fine"}, member{name: name, body: "x"}), PathEscape)
			says(t, r, `The archive was refused: entry 2 ("`+printable(name)+`") leaves the collection's folder.`)
		})
	}
	r := refused(t, pack(member{name: "a"}, member{name: "b"}, member{name: `..\x`}))
	says(t, r, `The archive was refused: entry 3 ("..\\x") leaves the collection's folder.`)
}

// The ends of the sentences about odd names.
const (
	emptyPart   = `has an empty or "." part in its path`
	control     = "has a control character in its name"
	notUTF8     = "has a name that is not UTF-8"
	backslash   = "has a backslash in its name; paths are written with slashes"
	colon       = "has a colon in its name"
	notComposed = "has a name with accents as separate characters (NFD, as macOS writes them); they must be composed (NFC)"
	dotOrSpace  = "has a name that ends in a dot or a space, which Windows drops"
	device      = "has a name that Windows keeps for a device"
	tooLong     = "has a name longer than the limit of 200 bytes"
	tooDeep     = "lies deeper than the limit of 16 levels"
)

// Names that one system cannot keep, or that a person would read as another name; and what is said of each.
var oddNames = []struct{ name, says string }{
	{"", emptyPart},
	{".", emptyPart},
	{"./a", emptyPart},
	{"a//b", emptyPart},
	{"a/./b", emptyPart},
	{"a//", emptyPart},
	{"a/.", emptyPart},
	{"a\x00b", control},
	{"a\nb", control},
	{"a\x1b[31mb", control},
	{"a\x7f", control},
	{"a\u0085b", control},
	{"a\u2028b", control},
	{"photo\u202egpj.exe", control},
	{"a\u200fb", control},
	{"a\u2066b\u2069", control},
	{"\xc0\xae\xc0\xae/x", notUTF8},
	{"caf\x82.txt", notUTF8},
	{"a\xed\xa0\x80", notUTF8},
	{`a\b`, backslash},
	{"file.txt:stream", colon},
	{"cafe\u0301.txt", notComposed},
	{"\u212b.txt", notComposed},
	{"a.", dotOrSpace},
	{"a /b", dotOrSpace},
	{".../a", dotOrSpace},
	{"con", device},
	{"Aux.txt", device},
	{"a/NUL.tar.gz", device},
	{"com1/a", device},
	{"lpt² .txt", device},
	{"CONIN$", device},
	{strings.Repeat("a", 201), tooLong},
	{strings.Repeat("é", 101), tooLong},
	{strings.Repeat("a/", 16) + "a", tooDeep},
	{strings.Repeat("long/", 5000) + "a", tooDeep},
}

func TestOddNames(t *testing.T) {
	for _, odd := range oddNames {
		t.Run(printable(odd.name), func(t *testing.T) {
			r := refused(t, pack(member{name: "fine.txt"}, member{name: odd.name, body: "x"}), BadName)
			says(t, r, `The archive was refused: entry 2 ("`+printable(odd.name)+`") `+odd.says+".")
		})
	}
}

// Names that look odd and are good on every system.
func TestGoodNames(t *testing.T) {
	for _, name := range []string{
		"a", "..a", "a..b", "...a", ".gitignore", "-", "~", "a b.txt", " a", "%2e%2e", "..%2fx", "$HOME", "a'b\"c",
		"golang.org/x/text@v0.43.0/go.mod", "github.com/!burnt!sushi/toml@v1.4.1/doc.go", "__MACOSX/._a.txt",
		"café.txt", "日本語.txt", "Ａ／Ｂ.txt", "👩\u200d💻.txt",
		"CONSOLE.txt", "com10", "COM", "lpt.txt", "nul1", "xcon",
		strings.Repeat("a", 200), strings.Repeat("é", 100), strings.Repeat("a/", 15) + "a",
	} {
		t.Run(printable(name), func(t *testing.T) {
			s := accept(t, pack(member{name: name, body: "x"}))
			if s.Files[0].Path != name {
				t.Errorf("path is %q", s.Files[0].Path)
			}
		})
	}
}

// The UTF-8 flag is a remark: the bytes decide. Info-ZIP and the Finder write UTF-8 without it.
func TestUTF8Flag(t *testing.T) {
	accept(t, pack(member{name: "café", flags: flagUTF8}))
	accept(t, pack(member{name: "café"}))
	refused(t, pack(member{name: "caf\xe9", flags: flagUTF8}), BadName)
}

func TestPrintable(t *testing.T) {
	for name, want := range map[string]string{
		"../x": "../x", "a\"b": `a\"b`, "a\\b": `a\\b`, "\x1b[31m": `\x1b[31m`, "a\u202eb": `a\u202eb`, "\xff": `\xff`,
		"café": "café", "a\u200db": `a\u200db`, "": "", strings.Repeat("b", 300): strings.Repeat("b", 197) + "…",
	} {
		if got := printable(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// Whatever the name is, what is shown of it is short and plain; and what is accepted stays in its folder everywhere.
func FuzzName(f *testing.F) {
	for _, name := range slips {
		f.Add(name)
	}
	for _, odd := range oddNames {
		f.Add(odd.name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		shown := printable(name)
		if len(shown) > maxShownName || !utf8.ValidString(shown) || strings.ContainsFunc(shown, unprintable) {
			t.Errorf("%q is shown as %q", name, shown)
		}
		code, problem := judgeName(name, DefaultLimits)
		if (code == "") != (problem == "") {
			t.Errorf("%q: code %q, problem %q", name, code, problem)
		}
		if problem != "" {
			return
		}
		for segment := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
			nothing := strings.Trim(segment, ". ") == ""
			if nothing || len(segment) > 200 || strings.ContainsAny(segment, "\\:\x00") {
				t.Errorf("%q was accepted", name)
			}
		}
	})
}
