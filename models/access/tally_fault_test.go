package access

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// cut has the file of a tally be of another size, and then of its own again if it is only overwritten.
func cut(t *testing.T, tally *Tally, to int64, overwritten bool) {
	t.Helper()
	name := filepath.Join(filepath.Dir(tally.pool.file.Name()), tally.boot.String()+countsSuffix)
	info, err := os.Stat(name)
	must(t, err)
	must(t, os.Truncate(name, to))
	if overwritten {
		must(t, os.Truncate(name, info.Size()))
	}
}

// leaves are what may become of a file: its length, and whether it has its size again.
var leaves = []struct {
	to          int64
	overwritten bool
}{{0, false}, {headBytes, false}, {headBytes + 4096, false}, {headBytes + 4096 + slotBytes, false}, {0, true}, {headBytes, true}, {headBytes + 3*slotBytes, true}}

// A file that somebody cuts off or overwrites while the server counts in it is not the end of the server: it counts on, in plain memory, and loses nothing
// that comes from then on. It says so once.
func TestTallyOutlivesItsFile(t *testing.T) {
	t.Parallel()
	for _, c := range leaves {
		for _, when := range []string{"counted", "sent once", "empty"} {
			t.Run(fmt.Sprint(c.to, c.overwritten, when), func(t *testing.T) {
				t.Parallel()
				tally, to, many := inFile(t, t.TempDir()), newLedger(), make([]uuid.UUID, 100)
				for i := range many {
					many[i] = uuid.New()
					if when != "empty" {
						tally.Add(many[i], false, models.CallAccepted, noon, there)
					}
				}
				if when == "sent once" {
					to.away = func(int) (before, after error) { return errAway, nil }
					if err := tally.Flush(t.Context(), to); !errors.Is(err, errAway) {
						t.Fatal(err)
					}
					to.away = nil
				}
				cut(t, tally, c.to, c.overwritten)
				for range 3 {
					for _, id := range many {
						tally.Add(id, false, models.CallAccepted, noon.Add(time.Second), there)
					}
				}
				told := 0
				for range 3 {
					if err := tally.Flush(t.Context(), to); errors.Is(err, errLeft) {
						told++
					} else if err != nil {
						t.Error(err)
					}
					tally.Add(many[0], false, models.CallRefused, noon, there)
				}
				if !tally.pool.inFile() != (told == 1) || told > 1 || told == 0 && when != "empty" {
					t.Errorf("it was told %d times", told)
				}
				for _, id := range many {
					if u := to.usage[id.String()]; u.Calls < 3 || u.Calls > 4 || when == "empty" && u.Calls != 3 || !u.LastUsedAt.Equal(noon.Add(time.Second)) {
						t.Fatalf("of one there are %+v", u)
					}
				}
				if flush(t, tally, to); len(to.usage) != 100 || to.usage[many[0].String()].Refused != 3 {
					t.Errorf("counted are %d, and %+v", len(to.usage), to.usage[many[0].String()])
				}
				must(t, tally.Close())
			})
		}
	}
}

// What can still be read when the file was cut off is counted: once, whether this server writes it down or another one that finds the file.
func TestTallyRescuesWhatIsThere(t *testing.T) {
	t.Parallel()
	folder, to := t.TempDir(), newLedger()
	tally := inFile(t, folder)
	for range 2 * 4096 / slotBytes { // two pages
		tally.Add(uuid.New(), false, models.CallAccepted, noon, there)
	}
	cut(t, tally, headBytes+4096, false)
	if err := tally.Flush(t.Context(), to); !errors.Is(err, errLeft) {
		t.Fatal(err)
	}
	tally.Add(a, false, models.CallAccepted, noon, there)
	if flush(t, tally, to); to.sum().Calls != 4096/slotBytes+1 {
		t.Errorf("counted are %+v", to.sum())
	}
	unlockFile(tally.pool.file.File) // as if it were killed
	if _, err := Drain(t.Context(), folder, to, noon); err != nil || to.sum().Calls != 4096/slotBytes+1 {
		t.Errorf("then %+v: %v", to.sum(), err)
	}
}

// While calls are counted and written down all the time, the file may go: all calls of the time after that are there.
func TestTallyOutlivesItsFileWhileCounting(t *testing.T) {
	t.Parallel()
	for _, c := range leaves {
		tally, to := inFile(t, t.TempDir()), newLedger()
		stop, written := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(written)
			for {
				select {
				case <-stop:
					return
				default:
					if err := tally.Flush(t.Context(), to); err != nil && !errors.Is(err, errLeft) {
						t.Error(err)
					}
				}
			}
		}()
		calls := func() {
			var all sync.WaitGroup
			for caller := range 4 {
				all.Go(func() {
					for n := range 500 {
						tally.Add(uuid.UUID{0: byte(caller), 14: byte(n % 7), 15: byte(n % 50)}, false, models.CallAccepted, noon, there)
					}
				})
			}
			all.Wait()
		}
		calls()
		meanwhile := make(chan struct{})
		go func() {
			calls()
			close(meanwhile)
		}()
		cut(t, tally, c.to, c.overwritten)
		<-meanwhile
		calls() // where nothing that was in use is lost, nobody need notice
		close(stop)
		<-written
		_ = tally.Flush(t.Context(), to) // what is lost is so by now
		before := to.sum().Calls
		calls()
		if flush(t, tally, to); to.sum().Calls != before+2000 {
			t.Errorf("%+v: of 2000 calls %d were counted", c, to.sum().Calls-before)
		}
	}
}

// What is no fault of a file is none.
func TestOtherPanicsGoOn(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(){"nil": func() { var s *slot; s[1]++ }, "ours": func() { panic("ours") }, "range": func() { n := -1; _ = make([]byte, 1)[n+len(t.Name())+5] }} {
		func() {
			defer func() {
				if p := recover(); p == nil {
					t.Errorf("%s: it did not go on", name)
				}
			}()
			touch(do)
		}()
	}
}

// A file takes no more than it may; the rest is counted in memory.
func TestTallyFileIsBounded(t *testing.T) {
	t.Parallel()
	tally, to := inFile(t, t.TempDir()), newLedger()
	tally.pool.most = 1
	for range chunkSlots + 10 {
		tally.Add(uuid.New(), false, models.CallAccepted, noon, there)
	}
	if err := tally.Flush(t.Context(), to); !errors.Is(err, errFull) || strings.Count(err.Error(), "1 GiB") != 1 {
		t.Error(err)
	}
	if flush(t, tally, to); to.sum().Calls != chunkSlots+10 {
		t.Errorf("counted are %+v", to.sum())
	}
	if info, err := tally.pool.file.Stat(); err != nil || info.Size() != headBytes+chunkSlots*slotBytes {
		t.Errorf("%d, %v", info.Size(), err)
	}
}
