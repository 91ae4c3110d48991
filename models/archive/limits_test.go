package archive

import (
	"fmt"
	"strings"
	"testing"
)

// Each limit lets its own value pass and refuses one more, with the entry and the limit in the message.
func TestLimits(t *testing.T) {
	data := zipFile{comment: "1234", members: []member{
		{name: "aa/bb", body: "12345", stored: true}, {name: "c", body: "678", stored: true}, {name: "d", stored: true},
	}}.bytes()
	directory := 3*entrySize + len("aa/bb") + len("c") + len("d")
	for _, c := range []struct {
		name string
		set  func(l *Limits, n int)
		at   int
		code Code
		says string
	}{
		{"archive", func(l *Limits, n int) { l.ArchiveBytes = int64(n) }, len(data), TooLarge, "bytes"},
		{"total", func(l *Limits, n int) { l.TotalBytes = int64(n) }, 8, TooLarge,
			`entry 2 ("c") brings the unpacked size over the limit of 7 bytes`},
		{"file", func(l *Limits, n int) { l.FileBytes = int64(n) }, 5, TooLarge,
			`entry 1 ("aa/bb") is larger than the limit of 4 bytes`},
		{"entries", func(l *Limits, n int) { l.Entries = n }, 3, TooLarge, "it has 3 entries; the limit is 2"},
		{"name", func(l *Limits, n int) { l.NameBytes = n }, 2, BadName,
			`entry 1 ("aa/bb") has a name longer than the limit of 1 bytes`},
		{"depth", func(l *Limits, n int) { l.Depth = n }, 2, BadName,
			`entry 1 ("aa/bb") lies deeper than the limit of 1 levels`},
		{"directory", func(l *Limits, n int) { l.DirectoryBytes = int64(n) }, directory, TooLarge,
			"directory larger than the limit"},
		{"comment", func(l *Limits, n int) { l.CommentBytes = n }, 4, TooLarge, "comment longer than the limit of 3 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			limits := DefaultLimits
			c.set(&limits, c.at)
			if _, err := checked(data, limits); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			c.set(&limits, c.at-1)
			if r := refusedWith(t, data, limits, c.code); !strings.Contains(r.Message, c.says) {
				t.Errorf("message is %q", r.Message)
			}
		})
	}
}

// The ratio is exact, counts for members over 1 MiB only, and the defaults are the documented ones.
func TestRatio(t *testing.T) {
	judge := func(size, packed int64) string {
		e := entry{index: 1, name: "a", method: methodDeflate, size: size, packed: packed}
		if err := e.checkSize(DefaultLimits); err != nil {
			return string(err.(*Refusal).Code)
		}
		return ""
	}
	for _, c := range []struct {
		size, packed int64
		want         Code
	}{
		{1 << 20, 1 << 10, ""},
		{1 << 20, 0, ""},
		{1<<20 + 1, 1 << 10, Bomb},
		{2_000_000, 20_000, ""},
		{2_000_001, 20_000, Bomb},
		{100 << 20, 1 << 20, ""},
		{100 << 20, 1<<20 - 1, Bomb},
		{100<<20 + 1, 100 << 20, TooLarge},
	} {
		if got := judge(c.size, c.packed); got != string(c.want) {
			t.Errorf("%d from %d: %q, want %q", c.size, c.packed, got, c.want)
		}
	}
}

// Ten thousand entries may be installed, and not one more; with no limits set, nothing may.
func TestEntries(t *testing.T) {
	if s := accept(t, crowded(10_000)); len(s.Files) != 10_000 {
		t.Errorf("%d files", len(s.Files))
	}
	r := refused(t, crowded(10_001), TooLarge)
	if r.Entry != 0 || !strings.Contains(r.Message, "10001 entries; the limit is 10000") {
		t.Error(r.Message)
	}
	refusedWith(t, pack(member{name: "a"}), Limits{}, TooLarge)
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 200: "200 bytes", 1 << 10: "1 KiB", 1536: "1.5 KiB", 100 << 20: "100 MiB", 5 << 30: "5 GiB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// What a summary says is in the order of the paths, whatever the order of the archive; folders are not files.
func TestSummary(t *testing.T) {
	s := accept(t, pack(member{name: "b", body: "22"}, member{name: "a/", stored: true},
		member{name: "a/x", body: "1"}, member{name: "B2", body: "333"}))
	got := ""
	for _, f := range s.Files {
		got += fmt.Sprintf("%s:%d ", f.Path, f.Size)
	}
	if got != "B2:3 a/x:1 b:2 " || s.TotalBytes != 6 || s.Name+s.Version+s.Description != "" {
		t.Errorf("got %q, %d bytes, %+v", got, s.TotalBytes, s)
	}
}
