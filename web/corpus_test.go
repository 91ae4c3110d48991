package web_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tokendesk/web/webtest"
)

// unwanted is an archive that may not be installed, and what its sender is told: a code, and a text that names the
// entry where one is to blame.
type unwanted struct {
	what string
	zip  []byte
	code string
	says string
}

// Every unwanted archive is refused with its own message, and leaves nothing: no event of an installation, no row, no
// file in the spool, and none at any place that a name in it could mean.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		install, before := installer(t, s), keptBy(t, s)
		for _, h := range corpus(t) {
			outside := reached(t, s, h.zip)
			status := 422
			if h.code == "not-a-zip" {
				status = 400
			}
			said := install("corpus.zip", h.zip).Want(t, status).Envelope(t)
			if said.Code != h.code || !strings.Contains(said.Message, h.says) {
				t.Errorf("%s: code %q, message %q, want %q, %q", h.what, said.Code, said.Message, h.code, h.says)
			}
			if after := reached(t, s, h.zip); !maps.Equal(after, outside) {
				t.Errorf("%s: files outside were %v, and are %v", h.what, outside, after)
			}
		}
		nothingSpooled(t, s)
		if after := keptBy(t, s); !maps.Equal(after, before) {
			t.Errorf("before there was %v, after that %v", before, after)
		}
	})
}

// corpus is what attackers, broken tools and broken lines send.
func corpus(t *testing.T) (list []unwanted) {
	t.Helper()
	list = append(list, slips(t)...)
	list = append(list, oddNames(t)...)
	list = append(list, links(t)...)
	list = append(list, duplicates(t)...)
	list = append(list, bombs(t)...)
	list = append(list, notZips(t)...)
	return append(list, truncated(t)...)
}

// second is an archive in which the second entry has this name, and is refused for it.
func second(t *testing.T, name, code, says string) unwanted {
	t.Helper()
	shown := strconv.Quote(name)
	return unwanted{fmt.Sprintf("%s %.60s", code, shown), zipOfOdd(t, called(name)), code, fmt.Sprintf(`entry 2 (%.150s`, shown) + says}
}

func slips(t *testing.T) (list []unwanted) {
	for _, name := range []string{
		"../x", "../../x", "../../../../../../../../tmp/x", "a/../../x", "a/b/../../../x", "a/../x", "..", "../", "a/..", "./../x", "..//x",
		"/x", "/tmp/x", "//server/share/x", `\\server\share\x`, `\x`, `..\x`, `a\..\..\x`, `..\../x`, `C:\x`, "C:/x", "c:x", "../\xff",
	} {
		list = append(list, second(t, name, "zip-path-escape", ") leaves the collection's folder."))
	}
	return list
}

func oddNames(t *testing.T) (list []unwanted) {
	for says, names := range map[string][]string{
		`) has an empty or "." part in its path.`:                          {"", ".", "./a", "a//b", "a/./b", "a//"},
		") has a control character in its name.":                           {"a\x00b", "a\nb", "a\x1b[31mb", "a\x7f", "a\u0085b", "a\u2028b", "photo\u202egpj.exe"},
		") has a name that is not UTF-8.":                                  {"caf\x82.txt", "\xc0\xae\xc0\xae/x", "a\xed\xa0\x80"},
		") has a backslash in its name; paths are written with slashes.":   {`a\b`},
		") has a colon in its name.":                                       {"file.txt:stream"},
		") has a name with accents as separate characters":                 {"cafe\u0301.txt"},
		") has a name that ends in a dot or a space, which Windows drops.": {"a.", "a ", "a /b"},
		") has a name that Windows keeps for a device.":                    {"con", "Aux.txt", "a/NUL.tar.gz", "com1/a"},
		") lies deeper than the limit of 16 levels.":                       {strings.Repeat("a/", 16) + "a"},
		"": {strings.Repeat("n", 201), strings.Repeat("long/", 5000) + "a"}, // of which the message has the beginning
	} {
		for _, name := range names {
			list = append(list, second(t, name, "zip-name", says))
		}
	}
	return list
}

func links(t *testing.T) []unwanted {
	junction := called("a")
	junction.CreatorVersion, junction.ExternalAttrs = 10<<8, 0x400
	const link, special = "is a link; only files and folders can be installed.", "is a device, pipe or socket; only files and folders can be installed."
	return []unwanted{
		{"a link", zipOfOdd(t, ofKind("a", fs.ModeSymlink|0o777)), "zip-symlink", `entry 2 ("a") ` + link},
		{"a link, and a file through it", zipOfOdd(t, ofKind("a", fs.ModeSymlink|0o777), called("a/x")), "zip-symlink", `entry 2 ("a") ` + link},
		{"a junction", zipOfOdd(t, junction), "zip-symlink", `entry 2 ("a") ` + link},
		{"a device", zipOfOdd(t, ofKind("a", fs.ModeDevice|0o666)), "zip-special", `entry 2 ("a") ` + special},
		{"a terminal", zipOfOdd(t, ofKind("a", fs.ModeDevice|fs.ModeCharDevice|0o666)), "zip-special", `entry 2 ("a") ` + special},
		{"a pipe", zipOfOdd(t, ofKind("a", fs.ModeNamedPipe|0o666)), "zip-special", `entry 2 ("a") ` + special},
		{"a socket", zipOfOdd(t, ofKind("a", fs.ModeSocket|0o666)), "zip-special", `entry 2 ("a") ` + special},
		{"setuid", zipOfOdd(t, ofKind("a", fs.ModeSetuid|0o755)), "zip-special", `entry 2 ("a") runs with its owner's rights`},
		{"setgid", zipOfOdd(t, ofKind("a", fs.ModeSetgid|0o755)), "zip-special", `entry 2 ("a") runs with its owner's rights`},
	}
}

func duplicates(t *testing.T) (list []unwanted) {
	for _, c := range []struct{ one, other, says string }{
		{"a", "a", `entry 3 ("a") is there twice; entry 2 has the same name.`},
		{"a/", "a/", `entry 3 ("a/") is there twice; entry 2 has the same name.`},
		{"b", "fine.txt", `entry 3 ("fine.txt") is there twice; entry 1 has the same name.`},
		{"a", "A", `entry 3 ("A") differs only in upper and lower case from entry 2 ("a").`},
		{"d/a", "D/b", `entry 3 ("D/b") differs only in upper and lower case from entry 2 ("d").`},
		{"É", "é", `entry 3 ("é") differs only in upper and lower case from entry 2 ("É").`},
		{"straße", "STRASSE", `entry 3 ("STRASSE") differs only in upper and lower case from entry 2 ("straße").`},
		{"a", "a/b", `entry 3 ("a/b") makes a path both a file and a folder, with entry 2.`},
		{"a/b", "a", `entry 3 ("a") makes a path both a file and a folder, with entry 2.`},
	} {
		list = append(list, unwanted{c.one + " and " + c.other, zipOfOdd(t, called(c.one), called(c.other)), "zip-duplicate", c.says})
	}
	return list
}

func bombs(t *testing.T) []unwanted {
	overlap, crowd := overlapping(t, 2000), make([]odd, 10_000)
	if len(overlap) > 95<<10 {
		t.Errorf("the overlap bomb has %d bytes", len(overlap))
	}
	for i := range crowd {
		crowd[i] = called(strconv.Itoa(i))
	}
	wide := called("a")
	wide.UncompressedSize64, wide.CompressedSize64 = 1<<32-2, 1<<32-2
	inner, layers := string(zipOfOdd(t, deflated(t, "zeros", 8<<20, 8<<20))), make([]odd, 400)
	for i := range layers {
		layers[i] = stored(fmt.Sprintf("%03d.zip", i), inner)
	}
	layer := zipOf(t, "layer.zip", string(zipOfOdd(t, layers...)))
	return []unwanted{
		{"2,000 MiB on one member", overlap, "too-large", "brings the unpacked size over the limit of 500 MiB."},
		{"400 MiB on one member", overlapping(t, 400), "zip-overlap", `entry 2 ("01") shares bytes of the archive with another entry.`},
		{"zeros", zipOfOdd(t, deflated(t, "a", 8<<20, 8<<20)), "zip-bomb", `entry 2 ("a") unpacks to more than 100 times its size.`},
		{"archives in an archive", layer, "zip-bomb", `entry 1 ("layer.zip") unpacks to more than 100 times its size.`},
		{"a size that lies", zipOfOdd(t, deflated(t, "a", 8<<20, 10)), "zip-mismatch", `entry 2 ("a") does not unpack to the size it declares.`},
		{"4 GiB in one", zipOfOdd(t, wide), "too-large", `entry 2 ("a") is larger than the limit of 100 MiB for one file.`},
		{"10,001 entries", zipOfOdd(t, crowd...), "too-large", "it has 10001 entries; the limit is 10000."},
	}
}

func notZips(t *testing.T) (list []unwanted) {
	for what, content := range map[string]string{
		"nothing": "", "text": "hello, world", "gzip": "\x1f\x8b\x08\x00hello", "7-Zip": "7z\xbc\xaf\x27\x1c\x00\x04", "RAR": "Rar!\x1a\x07\x01\x00", "PDF": "%PDF-1.7",
		"a program that unpacks itself": "MZ\x90\x00" + string(zipOf(t, "a", "a")),
	} {
		list = append(list, unwanted{what, []byte(content), "not-a-zip", "Only .zip collection files are accepted."})
	}
	return list
}

// truncated is a small archive that ends at every byte.
func truncated(t *testing.T) (list []unwanted) {
	whole := zipOf(t, "collection.json", `{"name":"House pages"}`, "docs/a.txt", strings.Repeat("again and ", 9))
	for n := range whole {
		h := unwanted{fmt.Sprintf("%d bytes of %d", n, len(whole)), whole[:n:n], "zip-damaged", "The archive is damaged or incomplete: "}
		if n < 4 {
			h.code, h.says = "not-a-zip", "Only .zip collection files are accepted."
		}
		list = append(list, h)
	}
	return list
}

// rawDatabase is the site's database, past its store.
func rawDatabase(t *testing.T, s webtest.Site) *sql.DB {
	t.Helper()
	driver, source := "pgx", s.World.URL
	if source == "" {
		driver, source = "sqlite", "file:"+s.DatabaseFile()+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// keptBy counts what an installation would leave, and lists the files of the data directory.
func keptBy(t *testing.T, s webtest.Site) map[string]int {
	t.Helper()
	db := rawDatabase(t, s)
	kept := map[string]int{}
	for _, table := range []string{"events", "collections", "collection_versions", "collection_files", "blobs", "blob_chunks"} {
		var rows int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		kept["rows of "+table] = rows
	}
	for _, folder := range []string{s.Dir, s.Handlers.SpoolDir, filepath.Dir(s.Handlers.SpoolDir)} {
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		kept["files in "+folder] = len(files)
	}
	return kept
}

// reached lists the files that are wherever a system could take the names in an archive for, with their size and
// time: below or above the spool, the data directory, the working directory, the folder for temporary files, the root.
func reached(t *testing.T, s webtest.Site, archive []byte) map[string]string {
	t.Helper()
	there := map[string]string{}
	for _, name := range namesIn(archive) {
		for _, base := range []string{s.Handlers.SpoolDir, s.Dir, ".", os.TempDir(), "/"} {
			for _, path := range []string{filepath.Join(base, name), filepath.Join(base, strings.ReplaceAll(name, `\`, "/"))} {
				if info, err := os.Lstat(path); err == nil && !info.IsDir() {
					there[path] = fmt.Sprint(info.Size(), info.ModTime(), info.Mode())
				}
			}
		}
	}
	return there
}

// namesIn finds the names of the first entries of an archive, sound or not.
func namesIn(archive []byte) (names []string) {
	for len(names) < 20 {
		at := bytes.Index(archive, []byte("PK\x03\x04"))
		if at < 0 || len(archive) < at+30 {
			break
		}
		archive = archive[at:]
		length := int(archive[26]) | int(archive[27])<<8
		if len(archive) < 30+length {
			break
		}
		names, archive = append(names, string(archive[30:30+length])), archive[30+length:]
	}
	return names
}
