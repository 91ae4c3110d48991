package web_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tokendesk/web/webtest"
)

// window is how many characters of a secret, one after the other, are no coincidence.
const window = 20

// spellings are what a secret would be found as: any piece of it that is long enough, and itself encoded.
func spellings(secret string) []string {
	list := []string{hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))}
	for from := 0; from+window <= len(secret); from++ {
		list = append(list, secret[from:from+window])
	}
	for from := range 3 { // where it would begin within a longer text that was encoded
		whole := base64.StdEncoding.EncodeToString(append(make([]byte, from), secret...))
		inner := whole[4*((from+2)/3) : len(whole)-4]
		list = append(list, inner, strings.NewReplacer("+", "-", "/", "_").Replace(inner))
	}
	return list
}

// found says which secrets are in a text, by their number and spelling, without telling them.
func found(text []byte, secrets []string) (told []string) {
	for i, secret := range secrets {
		for j, spelling := range spellings(secret) {
			if bytes.Contains(text, []byte(spelling)) {
				told = append(told, fmt.Sprintf("secret %d (%.4s…) in spelling %d", i, secret, j))
			}
		}
	}
	return told
}

// The search finds what it is for.
func TestTheSecretGrepFinds(t *testing.T) {
	t.Parallel()
	const secret = "user_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
	for name, text := range map[string]string{
		"whole": "token=" + secret + ".", "first half": "x" + secret[:27], "second half": secret[27:] + "x", "a piece": secret[12:32], "hex": fmt.Sprintf("%x", secret), "upper hex": fmt.Sprintf("%X", secret),
		"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"base64 of more": base64.StdEncoding.EncodeToString([]byte("ab" + secret + "c")), "base64 of a header": base64.StdEncoding.EncodeToString([]byte("token:" + secret)),
	} {
		if len(found([]byte(text), []string{secret})) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	if told := found([]byte(secret[:8]+"... ends in "+secret[50:]), []string{secret}); len(told) > 0 {
		t.Errorf("what may be shown is found: %v", told)
	}
}

// everything is all that an installation keeps: each column of each table, the data directory's files
// with SQLite's log and free pages, the spool, and what was logged.
func everything(t *testing.T, s webtest.Site) map[string][]byte {
	t.Helper()
	kept := map[string][]byte{"the log": []byte(s.Log.String())}
	for _, folder := range []string{s.Dir, s.Handlers.SpoolDir} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			kept["the file "+filepath.Base(path)] = text
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if s.World.URL != "" {
		tables(t, s.World.URL, kept)
	}
	return kept
}

// tables reads every row of every table of a PostgreSQL database.
func tables(t *testing.T, url string, kept map[string][]byte) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		rows, err := conn.Query(ctx, "SELECT * FROM "+pgx.Identifier{name}.Sanitize())
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range values {
				if raw, ok := value.([]byte); ok {
					text.Write(raw)
					value = hex.EncodeToString(raw)
				}
				fmt.Fprintln(&text, value)
			}
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
		kept["the table "+name] = text.Bytes()
	}
}

// crawl reads every page that links lead to, from the overview on, and those that the table of routes
// has beside them.
func crawl(t *testing.T, a *webtest.Agent, seeds ...string) map[string]*webtest.Answer {
	t.Helper()
	pages, todo := map[string]*webtest.Answer{}, append([]string{"/"}, seeds...)
	for len(todo) > 0 {
		path, _, _ := strings.Cut(todo[0], "#")
		todo = todo[1:]
		if _, seen := pages[path]; seen || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "/static/") {
			continue
		}
		if len(pages) > 300 {
			t.Fatal("there is no end to the pages")
		}
		page := a.Get(t, path)
		pages[path] = page
		for _, link := range page.Page(t).Find("a[href]").EachIter() {
			todo = append(todo, link.AttrOr("href", ""))
		}
	}
	return pages
}
