package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"tokendesk/models/store/storetest"
)

// What a core file would hold of a server that has created and shown tokens: nothing of any of them,
// neither whole nor in halves nor encoded (security.md R3). A token that somebody presents is another
// matter: net/http reads it into buffers that nobody can wipe, and here it shows that the search finds.
func TestNoTokenThatWasShownStaysInMemory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		p := launch(t, in.env(), "", "serve")
		memory := p.openMemory(t) // before the server closes it to others
		s := server{p, p.await(t, p.err, listening)[1]}
		b := s.setUp(t)
		var shown []string
		for range 5 {
			shown = append(shown, b.bearerToken(t)) // read to the end of the page
		}
		unknown := "user_" + strings.Repeat("Kettles4Ferry", 4)[:49]
		r := b.request(t, http.MethodPost, "/installCollection", nil)
		r.Header.Set("Authorization", "Bearer "+unknown)
		b.do(t, r).want(t, http.StatusUnauthorized)

		all := memory.read(t)
		for _, trace := range storetest.Traces(all, shown...) {
			t.Errorf("the memory has %s", trace)
		}
		if len(storetest.Traces(all, unknown)) == 0 {
			t.Error("this test looked at nothing: what was presented a moment ago is not found either")
		}
		s.stop(t)
	})
}

// memory is what a process has in its memory, opened to be read later.
type memory struct{ maps, mem *os.File }

// openMemory opens the memory of a process that has just been started, and still is dumpable: later only
// root may.
func (p *process) openMemory(t *testing.T) memory {
	t.Helper()
	open := func(name string) *os.File {
		file, err := os.Open(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name))
		if errors.Is(err, fs.ErrPermission) {
			storetest.Missing(t, "this machine lets nobody but root read the memory of a process")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		return file
	}
	return memory{open("maps"), open("mem")}
}

// read reads all that the process can write, which is where its data is. Of the race detector's books,
// which are sparse and take terabytes, nothing is read.
func (m memory) read(t *testing.T) (all []byte) {
	t.Helper()
	const books, shared = 4 << 30, "[vvar"
	for lines := bufio.NewScanner(m.maps); lines.Scan(); {
		var from, to uint64
		var rights string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(rights, "rw") || to-from > books || strings.Contains(lines.Text(), shared) {
			continue
		}
		region := make([]byte, to-from)
		if _, err := m.mem.ReadAt(region, int64(from)); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all = append(all, written(region)...)
	}
	return all
}

// written leaves out the pages that are empty: most of what a process may write to it never has.
func written(region []byte) (kept []byte) {
	const size = 4096
	for page := range slices.Chunk(region, size) {
		if !bytes.Equal(page, make([]byte, size)) {
			kept = append(kept, page...)
		}
	}
	return kept
}
