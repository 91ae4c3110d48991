package access

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
)

// A tally that ends in order removes its file; one whose last flush failed leaves it, and it is drained.
func TestTallyEnds(t *testing.T) {
	folder, to := t.TempDir(), newLedger()
	files := func() []string {
		found, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	done, failed := inFile(t, folder), inFile(t, folder)
	for _, tally := range []*Tally{done, failed} {
		tally.Add(a, false, models.CallAccepted, noon, there)
	}
	flush(t, done, to)
	if err := errors.Join(done.Close(), failed.Close()); err != nil {
		t.Fatal(err)
	}
	if left := files(); !slices.Equal(left, []string{filepath.Join(folder, failed.boot.String()+countsSuffix)}) {
		t.Fatalf("left are %q", left)
	}
	d, err := Drain(t.Context(), folder, to, noon)
	if err != nil || d != (Drained{Files: 1, Calls: 1}) || to.usage[c1].Calls != 2 || len(files()) != 0 {
		t.Errorf("drained %+v (%v): %+v, left are %q", d, err, to.usage, files())
	}
}

// What dead servers left behind is counted once, in the order of their flushes, and only theirs: not what a server that lives still counts. A drain that fails
// is done again; what ended too long ago is left uncounted, and a file that is none of ours is left alone.
func TestDrain(t *testing.T) {
	folder, to := t.TempDir(), newLedger()
	alive := inFile(t, folder)
	alive.Add(a, false, models.CallAccepted, noon, there)
	var dead []*Tally
	for range 2 {
		tally := inFile(t, folder)
		tally.Add(a, true, models.CallAccepted, noon, there)
		to.away = func(int) (before, after error) { return nil, errAway } // it was counted, and nobody knows
		if err := tally.Flush(t.Context(), to); !errors.Is(err, errAway) {
			t.Fatal(err)
		}
		tally.Add(a, false, models.CallRefused, noon, there)
		tally.Add(b, false, models.CallLate, noon, there)
		dead = append(dead, tally)
	}
	old := inFile(t, folder)
	old.pool.file.stamp(noon.Add(-models.FlushesKept - time.Second))
	old.Add(b, false, models.CallAccepted, noon, there)
	for _, tally := range append(dead, old) {
		unlockFile(tally.pool.file.File)
	}
	foreign, unborn := filepath.Join(folder, "foreign.counts"), filepath.Join(folder, "x.counts.new")
	for _, name := range []string{foreign, unborn} {
		if err := errors.Join(os.WriteFile(name, []byte("something"), 0o600), os.Chtimes(name, noon, noon.Add(-time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	to.away = func(n int) (before, after error) { return nil, []error{errAway, nil, nil}[n%3] }
	for range 8 {
		_, _ = Drain(t.Context(), folder, to, noon)
	}
	to.away = nil
	d, err := Drain(t.Context(), folder, to, noon)
	if d != (Drained{}) || err == nil || !strings.Contains(err.Error(), "foreign.counts is no file of counts") {
		t.Errorf("in the end %+v were drained: %v", d, err)
	}
	if sum := to.sum(); sum.Calls != 2 || sum.Refused != 2 || sum.Late != 2 || to.again < 2 || to.usage[c1].KeptBy == nil {
		t.Errorf("counted %+v, and %d sent again", sum, to.again)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	want := []string{filepath.Join(folder, alive.boot.String()+countsSuffix), foreign}
	if slices.Sort(want); err != nil || !slices.Equal(left, want) {
		t.Errorf("left are %q", left)
	}
	if flush(t, alive, to); to.sum().Calls != 3 {
		t.Errorf("counted %+v", to.sum())
	}
}

// The calls of a file that is too old are told of, and its folder may be missing.
func TestDrainTellsOfOld(t *testing.T) {
	folder, to := t.TempDir(), newLedger()
	tally := inFile(t, folder)
	for range 3 {
		tally.Add(a, false, models.CallAccepted, noon, there)
	}
	unlockFile(tally.pool.file.File)
	d, err := Drain(t.Context(), folder, to, noon.Add(models.FlushesKept+time.Second))
	if err != nil || d != (Drained{Files: 1, Old: 3}) || to.asked != 0 {
		t.Errorf("drained %+v: %v", d, err)
	}
	if d, err := Drain(t.Context(), filepath.Join(folder, "none"), to, noon); err != nil || d != (Drained{}) {
		t.Errorf("a folder that is not there: %+v, %v", d, err)
	}
}

// Nobody but this user may read who called from where.
func TestCountsAreForThisUserAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "usage")
	tally := inFile(t, folder)
	for name, want := range map[string]os.FileMode{folder: os.ModeDir | 0o700, filepath.Join(folder, tally.boot.String()+countsSuffix): 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
