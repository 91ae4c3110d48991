package models

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// A name is kept trimmed and with single spaces, in any script; what cannot be shown, or would disturb
// a page, a terminal or a log, is refused.
func TestPersonName(t *testing.T) {
	const refused = ""
	for name, want := range map[string]string{
		"Ines Moreau":                 "Ines Moreau",
		" \tInes \u00a0\u2003Moreau ": "Ines Moreau",
		"Ines\nMoreau":                "Ines Moreau",
		"Ines\u2028Moreau":            "Ines Moreau",
		"李 小龍":                        "李 小龍",
		"אבגדה":                       "אבגדה",
		"Zoë O’Brien-Łukasz":          "Zoë O’Brien-Łukasz",
		"<script>alert(1)</script>":   "<script>alert(1)</script>", // pages escape it
		"Robert'); DROP TABLE people": "Robert'); DROP TABLE people",
		"100%_\\":                     "100%_\\",
		strings.Repeat("é", 120):      strings.Repeat("é", 120),
		strings.Repeat("é", 121):      refused,
		"":                            refused,
		" \u3000\t":                   refused,
		"a\x00b":                      refused,
		"a\x1b[31mb":                  refused,
		"a\x7fb":                      refused,
		"a\u0085b\u0086c":             refused,
		"a\u202eb":                    refused, // reverses the direction of writing
		"a\u2067b":                    refused,
		"a\u200fb":                    refused,
		"a\u200bb":                    refused, // not to be seen
		"a\ufeffb":                    refused,
		"a\U000e0041b":                refused,
		"a\xffb":                      refused,
		"\xed\xa0\x80":                refused,
	} {
		n := NewPerson{Name: name, Email: "a@b.example", Role: Member, Password: "x"}
		e := PersonEdit{Name: name, Email: "a@b.example", Role: Member}
		problems, edited := n.Clean(), e.Clean()
		if (problems.Message("name") == "") != (want != refused) || want != refused && n.Name != want {
			t.Errorf("%q: %q with %v", name, n.Name, problems)
		}
		if edited.Message("name") != problems.Message("name") || e.Name != n.Name || len(problems) > 1 {
			t.Errorf("%q: a new person %v, an edit %v", name, problems, edited)
		}
	}
}

// An address is one bare address, as it stands in a mail path: no name before it, no brackets, no second
// one, no white space of any kind, no line to smuggle in.
func TestPersonEmail(t *testing.T) {
	for _, good := range []string{
		"ines@marlowe.example", "a@b", "Ines.Moreau+tokens@Marlowe.example", "o'brien@x.example", "ines@bücher.example",
		"用户@例子.example", "  ines@marlowe.example\t", strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + ".example",
	} {
		if n := (NewPerson{Name: "A", Email: good, Role: Member, Password: "x"}); len(n.Clean()) > 0 || n.Email != strings.TrimSpace(good) {
			t.Errorf("%q is refused: %v", good, n.Clean())
		}
	}
	for _, bad := range []string{
		"", " ", "ines", "@", "ines@", "@marlowe.example", "ines@@marlowe.example", "ines@marlowe@example", "ines marlowe@x.example",
		"Ines <ines@marlowe.example>", "<ines@marlowe.example>", "ines@marlowe.example (Ines)", "a@b.example, c@d.example", "a@b.example;c@d.example",
		"\"ines moreau\"@marlowe.example", "ines@marlowe.example\r\nBcc: all@x.example", "ines\x00@marlowe.example", "ines\u200b@marlowe.example",
		"ines\u00a0m@marlowe.example", "ines\u2028m@marlowe.example", "ines\u3000@marlowe.example", "ines@mar\u2003lowe.example",
		"ines@marlowe.example.", ".ines@marlowe.example", "ines\u202e@marlowe.example", "ines\xff@marlowe.example", "ines@",
		strings.Repeat("a", 250) + "@b.example",
	} {
		n := NewPerson{Name: "A", Email: bad, Role: Member, Password: "x"}
		if n.Clean().Message("email") == "" {
			t.Errorf("%q is taken for an address", bad)
		}
	}
}

// Everything that is wrong is told at once, each thing once.
func TestPersonTellsAllProblems(t *testing.T) {
	n := NewPerson{Role: "Owner"}
	problems := n.Clean()
	for i, field := range []string{"name", "email", "role", "password"} {
		if len(problems) != 4 || problems[i].Name != field {
			t.Fatalf("got %v", problems)
		}
	}
	if (&PersonEdit{Name: "A", Email: "a@b.example", Role: "admin"}).Clean().Message("role") == "" {
		t.Error("a role in another spelling is taken")
	}
}

// S10: all spellings of an address that a person may type are one account.
func TestEmailKey(t *testing.T) {
	for _, spelling := range []string{"Ines@Marlowe.Example", " ines@marlowe.example ", "INES@MARLOWE.EXAMPLE\n", "\u00a0ines@marlowe.example"} {
		if got := EmailKey(spelling); got != "ines@marlowe.example" {
			t.Errorf("%q: %q", spelling, got)
		}
	}
	if EmailKey("ines.moreau@x.example") == EmailKey("inesmoreau@x.example") || EmailKey("É@x.example") != EmailKey("é@x.example") {
		t.Error("dots count, and case does not in any script")
	}
}

// The key is a fixed point, so that it never matters how often a text was folded.
func TestFoldIsAFixedPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if once := Fold(text); Fold(once) != once || EmailKey(EmailKey(text)) != EmailKey(text) {
			t.Fatalf("%q folds to %q and then to %q", text, once, Fold(once))
		}
	})
}

// An edit tells what it changes, field by field, and what it leaves alone it does not mention; the keys
// follow the values.
func TestPersonEditApply(t *testing.T) {
	p := Person{ID: "p1", Name: "Ines", NameKey: "ines", Email: "ines@x.example", EmailKey: "ines@x.example", Role: Admin, PasswordHash: "h"}
	if changes := (PersonEdit{"Ines", "ines@x.example", Admin}).Apply(&p); len(changes) != 0 {
		t.Errorf("nothing was changed: %v", changes)
	}
	changes := PersonEdit{"Inès", "INES@x.example", Member}.Apply(&p)
	want := []Change{{"name", "Ines", "Inès"}, {"email", "ines@x.example", "INES@x.example"}, {"role", "Admin", "Member"}}
	if len(changes) != 3 || changes[0] != want[0] || changes[1] != want[1] || changes[2] != want[2] {
		t.Errorf("got %v", changes)
	}
	if p != (Person{ID: "p1", Name: "Inès", NameKey: "inès", Email: "INES@x.example", EmailKey: "ines@x.example", Role: Member, PasswordHash: "h"}) {
		t.Errorf("got %+v", p)
	}
}

// Who is deactivated is no Admin that counts, whatever their role.
func TestActiveAdmin(t *testing.T) {
	at := noon
	for _, c := range []struct {
		person        Person
		active, admin bool
	}{
		{Person{Role: Admin}, true, true}, {Person{Role: Member}, true, false}, {Person{}, true, false},
		{Person{Role: Admin, DeactivatedAt: &at}, false, false}, {Person{Role: Member, DeactivatedAt: &at}, false, false},
	} {
		if c.person.Active() != c.active || c.person.ActiveAdmin() != c.admin {
			t.Errorf("%+v: active %v, admin %v", c.person, c.person.Active(), c.person.ActiveAdmin())
		}
	}
}

// Whatever comes in, what OnlyPrintable leaves can be shown, and nothing that could is lost; CleanText
// leaves single spaces inside; Shorten never cuts a character in two.
func TestTextFunctions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ \t\n\x00-\x{ff}\x{200b}-\x{2069}a-z]{0,40}`),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		if kept := OnlyPrintable(text); !Printable(kept) || Printable(text) && kept != strings.ReplaceAll(text, "\ufffd", "") {
			t.Fatalf("%q became %q", text, kept)
		}
		clean := CleanText(text)
		if clean != strings.TrimSpace(clean) || strings.Contains(clean, "  ") || strings.ContainsFunc(clean, func(r rune) bool { return r != ' ' && unicode.IsSpace(r) }) {
			t.Fatalf("%q became %q", text, clean)
		}
		n := rapid.IntRange(0, 50).Draw(t, "n")
		if short := Shorten(text, n); utf8.RuneCountInString(short) > n || utf8.RuneCountInString(text) <= n && short != text || utf8.ValidString(text) && !strings.HasPrefix(text, short) {
			t.Fatalf("%q cut to %d is %q", text, n, short)
		}
	})
}
