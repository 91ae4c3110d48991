package archive

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Whatever the bytes are: no panic, a refusal fit to be shown, or a summary whose every word archive/zip confirms.
func FuzzCheck(f *testing.F) {
	for _, name := range slips {
		f.Add(pack(member{name: name}))
	}
	for _, z := range []zipFile{
		variety(),
		{members: []member{{name: "a"}, {name: "b", body: "b", trailer: 12}}},
		{members: []member{{name: "a/"}, {name: "a/b", stored: true, body: "x", trailer: 20}}, comment: "c"},
		{members: []member{wide("a", 0, 0)}, wide: true},
		{members: []member{{name: "collection.json", stored: true, body: `{"name":"a","x":[1]}`}}},
		{members: []member{{name: "l", body: "a", mode: 0o120777, madeBy: 3}}},
	} {
		f.Add(z.bytes())
	}
	f.Add(overlapping(3, 10))
	f.Add(quoting(3, 10))
	f.Add(crowded(5))
	paths, err := filepath.Glob("testdata/*.zip")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	limits := DefaultLimits
	limits.TotalBytes, limits.Entries = 1<<20, 100 // so that no input takes long
	f.Fuzz(func(t *testing.T, data []byte) {
		summary, err := checked(data, limits)
		var r *Refusal
		switch {
		case err == nil:
			promises(t, data, summary)
		case errors.As(err, &r):
			presentable(t, r)
		case !errors.Is(err, ErrNotZip):
			t.Errorf("neither accepted nor refused: %v", err)
		}
	})
}
