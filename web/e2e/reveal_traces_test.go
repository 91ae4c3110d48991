package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// wantNoTraces looks for every secret that was ever answered: in all that the browser wrote, in all that
// the installation keeps, and in every page that can be asked for.
func (d *desk) wantNoTraces(t *testing.T) {
	t.Helper()
	tokens := d.answered()
	if len(tokens) < 4 {
		t.Fatalf("only %d secrets were answered", len(tokens))
	}
	last := tokens[len(tokens)-1][:8]
	if d.profile != nil {
		search(t, tokens, "the browser's profile", files(t, d.profile.Dir), strings.TrimPrefix(d.base, "http://"))
	}
	search(t, tokens, "the folder for uploads", files(t, d.Handlers.SpoolDir), "")
	search(t, tokens, "the log", one(d.Log.String()), d.route)
	search(t, tokens, "what was asked for", one(strings.Join(d.addresses(), "\n")), d.record)
	if d.World.URL == "" {
		search(t, tokens, "the data directory, with SQLite's log", files(t, d.Dir), last)
	} else {
		search(t, tokens, "PostgreSQL's folder, with its log", postgresFiles(t, d.World.URL), last)
		search(t, tokens, "a dump", one(dump(t, d.World.URL)), last)
	}
	d.askEverything(t, tokens)
}

// search looks for secrets in texts, and for what must be in one of them, so that it is known to have
// looked at something.
func search(t *testing.T, tokens []string, place string, texts iter.Seq2[string, []byte], must string) {
	t.Helper()
	found, read := must == "", 0
	for name, text := range texts {
		found, read = found || bytes.Contains(text, []byte(must)), read+len(text)
		for _, trace := range storetest.Traces(text, tokens...) {
			t.Errorf("%s has in %s %s", place, name, trace)
		}
	}
	if !found {
		t.Errorf("%s has nothing of %q in %d bytes: this test looked at nothing", place, must, read)
	}
	t.Logf("%s: %d bytes", place, read)
}

func one(text string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) { yield("it", []byte(text)) }
}

// files reads every file in a folder. Some may go while it does.
func files(t *testing.T, folder string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return gone(err)
			}
			text, err := os.ReadFile(path)
			if err == nil && !yield(strings.TrimPrefix(path, folder), text) {
				return fs.SkipAll
			}
			return gone(err)
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// postgresFiles are all files of a PostgreSQL, once it has written to them what it has in memory.
func postgresFiles(t *testing.T, address string) iter.Seq2[string, []byte] {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return files(t, at.Query().Get("host")) // a folder: it has a unix socket
}

// dump is what pg_dump writes.
func dump(t *testing.T, address string) string {
	t.Helper()
	program, err := exec.LookPath("pg_dump")
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump"); err != nil && len(found) > 0 {
		program = found[0]
	}
	out, err := exec.CommandContext(t.Context(), program, "--dbname", address).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// askEverything asks for every address that was ever asked or is linked to, as the one who made the tokens,
// as another Admin, as a Member and as nobody, of this server and of another one over the same database (R6).
func (d *desk) askEverything(t *testing.T, tokens []string) {
	t.Helper()
	other := d.Person(t, d.Admin, models.Admin)
	member := d.Person(t, d.Admin, models.Member)
	for _, s := range []webtest.Site{d.Site, webtest.Start(t, d.World, webtest.Over(d.Open(t)))} {
		s.Admin = d.Admin
		for who, browser := range map[string]*webtest.Agent{
			"the creator": s.SignedIn(t, "ines@marlowe.example"), "another Admin": s.SignedIn(t, other.Email), "a Member": s.SignedIn(t, member.Email), "nobody": s.Browser(t),
		} {
			seen := map[string]bool{}
			for todo := d.addresses(); len(todo) > 0; todo = todo[1:] {
				address, _, _ := strings.Cut(todo[0], "#")
				if seen[address] || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "/static/") {
					continue
				}
				seen[address] = true
				page := browser.Get(t, address)
				for _, trace := range storetest.Traces([]byte(page.Body), tokens...) {
					t.Errorf("%s is shown at %s %s", who, address, trace)
				}
				for _, link := range page.Page(t).Find("a[href]").EachIter() {
					todo = append(todo, link.AttrOr("href", ""))
				}
			}
			if len(seen) < 3 || len(seen) > 300 {
				t.Errorf("%s asked for %d addresses", who, len(seen))
			}
		}
	}
}
