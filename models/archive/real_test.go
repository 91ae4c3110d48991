package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"tokendesk/models"
)

// Whatever the common tools write passes, with the same content from each of them. testdata/README.md has their names.
func TestTools(t *testing.T) {
	for _, path := range glob(t, "testdata/*.zip", 15) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data := read(t, path)
			s := accept(t, data)
			switch filepath.Base(path) {
			case "infozip-stdin.zip":
				if len(s.Files) != 1 || s.Files[0].Path != "-" {
					t.Error(s.Files)
				}
				return
			case "git.zip": // all of it in a folder, so the manifest is not at the root
				if s.Name != "" || s.Files[0].Path != "fixture-1.2.3/collection.json" {
					t.Error(s)
				}
				return
			}
			if s.Name != "fixture" || s.Version != "1.2.3" || s.Description != "Packed by one of many tools." {
				t.Errorf("manifest: %q %q %q", s.Name, s.Version, s.Description)
			}
			for name, want := range map[string]string{
				"docs/hello.txt": "hello hello hello hello hello hello\n", "docs/café.txt": "café\n", "docs/empty.txt": "",
			} {
				if got := content(t, data, name); got != want {
					t.Errorf("%s: %q", name, got)
				}
			}
		})
	}
}

// What the tools can write and nobody should install is refused for what it is.
func TestToolsRefused(t *testing.T) {
	for name, want := range map[string]Code{
		"infozip-symlink.zip": Symlink, "infozip-fifo.zip": Special, "infozip-password.zip": Encrypted,
		"7zip-aes.zip": Encrypted, "7zip-lzma.zip": Method,
	} {
		t.Run(name, func(t *testing.T) { refused(t, read(t, "testdata/refused/"+name), want) })
	}
	glob(t, "testdata/refused/*.zip", 5)
}

// The archives of the macOS Finder and the Windows Explorer, which no test can run, byte for byte as they are laid out.
func TestFinderAndExplorer(t *testing.T) {
	const owner = "UX\x08\x00abcdefgh" // times, and in the local header owners
	finder := func(name, body string, mode uint32) member {
		m := member{name: name, body: body, madeBy: 3, extra: owner, stored: body == "", central: put32(38, mode<<16|0x4000)}
		if body != "" {
			m.trailer = 16
		}
		return m
	}
	accept(t, pack(finder("docs/", "", 0o040755), finder("docs/a.txt", strings.Repeat("hello ", 9), 0o100644),
		finder("__MACOSX/", "", 0o040755), finder("__MACOSX/docs/", "", 0o040755),
		finder("__MACOSX/docs/._a.txt", "\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", 0o100644)))
	explorer := func(name, body string) member { return member{name: name, body: body, central: put32(38, 0x20)} }
	accept(t, pack(explorer("docs/a b.txt", strings.Repeat("hello ", 9)), explorer("docs/x.txt", "x"),
		member{name: "docs/é.txt", flags: flagUTF8, stored: true}))
}

// Open reads what Check has seen, and nothing else.
func TestOpen(t *testing.T) {
	data := variety().bytes()
	if got := content(t, data, "docs/stored.txt"); got != "as it is" {
		t.Errorf("got %q", got)
	}
	for _, path := range []string{"docs", "docs/", "no", "", "../x", "DOCS/stored.txt"} {
		_, _, err := Open(bytes.NewReader(data), int64(len(data)), path)
		if models.KindOf(err) != models.NotFound {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, _, err := Open(bytes.NewReader(nil), 0, "a"); err == nil {
		t.Error("opened nothing")
	}
}

// What is open keeps nothing of a directory that is thousands of times as long as the file that is read.
func TestOpenKeepsNoDirectory(t *testing.T) {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for i := range 10_000 {
		w, err := z.Create(fmt.Sprintf("%0200d", i))
		if err == nil {
			_, err = w.Write([]byte("x"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	before := heap()
	body, size, err := Open(bytes.NewReader(packed.Bytes()), int64(packed.Len()), fmt.Sprintf("%0200d", 7))
	if err != nil {
		t.Fatal(err)
	}
	if grown := int64(heap()) - int64(before); grown > 512<<10 {
		t.Errorf("what is open keeps %d KiB", grown>>10)
	}
	if content, err := io.ReadAll(body); err != nil || string(content) != "x" || size != 1 {
		t.Errorf("it reads %q of %d bytes (%v)", content, size, err)
	}
}

// heap is how much memory is in use, without what nobody refers to.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// The archives of all modules that this one is built of pass: thousands of files that nobody here named, packed by many people's
// hands.
func TestModuleCache(t *testing.T) {
	largest := int64(30 << 20)
	if raceDetector {
		largest = 256 << 10 // inflating is ten times slower under it, and all in one goroutine
	}
	found, files := 0, 0
	for _, path := range moduleZips(t) {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) { // not every platform needs every module
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > largest {
			continue
		}
		s, err := Check(t.Context(), f, info.Size(), DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		found, files = found+1, files+len(s.Files)
	}
	if found < 50 {
		t.Fatalf("%d archives with %d files", found, files)
	}
	t.Logf("%d archives with %d files", found, files)
}

// moduleZips are where Go's cache has the archives that go.sum names.
func moduleZips(t *testing.T) (paths []string) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	capital := regexp.MustCompile("[A-Z]") // which not every file system tells from small letters
	lower := func(c string) string { return "!" + strings.ToLower(c) }
	for line := range strings.Lines(string(sums)) {
		if f := strings.Fields(line); len(f) == 3 && !strings.HasSuffix(f[1], "/go.mod") {
			paths = append(paths, filepath.Join(strings.TrimSpace(string(out)), "cache", "download", capital.ReplaceAllStringFunc(f[0], lower), "@v", capital.ReplaceAllStringFunc(f[1], lower)+".zip"))
		}
	}
	return paths
}

// content reads one member through Open.
func content(t *testing.T, data []byte, name string) string {
	t.Helper()
	body, size, err := Open(bytes.NewReader(data), int64(len(data)), name)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil || int64(len(b)) != size {
		t.Fatalf("%d bytes of %d, %v", len(b), size, err)
	}
	return string(b)
}

// glob finds files, and fails with fewer than there must be.
func glob(t *testing.T, pattern string, least int) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) < least {
		t.Fatalf("%d of %s, %v", len(paths), pattern, err)
	}
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
