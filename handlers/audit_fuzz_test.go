package handlers

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"tokendesk/models"
)

// Whatever days are asked for, they are a span of time, or a message beside the field; and every address that the
// page leads on to says the same again, less a secret that was pasted.
func FuzzAuditFilter(f *testing.F) {
	f.Add("2026-11-14", "2026-11-21", "ines", "user_abc")
	f.Add("2026-11-21", "2026-11-20", "", "")
	f.Add("9999-12-31", "0000-00-00", "a&b=c", "%00")
	f.Add("10000-01-01", " 2026-01-01", "\xff", "?#")
	f.Add("", "", "user_0000000000000000000000000000000000000000000000000", "x")
	f.Fuzz(func(t *testing.T, from, to, actor, subject string) {
		a := askedEvents{values: map[string]string{"from": from, "to": to, "actor": actor, "subject": subject}}
		a.log.Filter.Path = "/audit"
		a.readDays()
		span := !a.filter.From.IsZero() && !a.filter.To.IsZero()
		if wrong := a.log.Filter.Form.HasErrors(); wrong != a.nothing || (!wrong && span && !a.filter.From.Before(a.filter.To)) {
			t.Fatalf("%q to %q: %v to %v, %v", from, to, a.filter.From, a.filter.To, a.log.Filter.Form.Errors)
		}
		hidden := slices.Contains(a.dropSecrets(), "actor")
		if next := a.with("after", "7"); strings.Count(next, "?") != 1 || (hidden && strings.Contains(next, actor)) {
			t.Fatalf("the address is %q", next)
		}
		if file := a.file(".csv"); !strings.HasPrefix(file, "/audit.csv") {
			t.Fatalf("the file is %q", file)
		}
	})
}

// Whatever a name is, the table that is exported can be read again, and no cell of it is a formula.
func FuzzAuditCSV(f *testing.F) {
	for _, name := range []string{"=1+1", "+x", "-2", "@a", "\tx", "＝1", "'", "", "a;=1", ";;+1", `a;"=1;`, `a; '=1`, "a\r\nb", "\"", ",", "\x00=1", "\xff"} {
		f.Add(name, "[]")
	}
	f.Fuzz(func(t *testing.T, name, changes string) {
		var b strings.Builder
		w := newCSV(&b)
		if err := w.write(models.Event{Seq: 1, ActorName: name, SubjectName: name, Changes: changes}); err != nil {
			t.Fatal(err)
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(csvHeader) {
			t.Fatalf("%v: %q", err, b.String())
		}
		for _, text := range rows[1] {
			if text != "" && strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", []rune(text)[0]) {
				t.Fatalf("a cell begins as a formula: %q", text)
			}
			if i := strings.IndexByte(text, ';'); i >= 0 && i+1 < len(text) && strings.IndexAny(strings.TrimLeft(text[i+1:], `" `), "=+-@\t\r\n\x00＝＋－＠") == 0 {
				t.Fatalf("a cell between semicolons begins as a formula: %q", text)
			}
		}
	})
}
