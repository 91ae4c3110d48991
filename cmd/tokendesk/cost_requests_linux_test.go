package main

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// crowd is who calls: API tokens of one product, and the API key of an Admin who asks about them.
type crowd struct {
	tokens []string
	key    string
}

// crowded makes so many API tokens of the first product, past the server, and a key.
func crowded(t *testing.T, db *sql.DB, many int) (c crowd) {
	t.Helper()
	mint := func(prefix string) (secret.Text, string) {
		text, err := secret.Mint(prefix, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		hash := text.Hash()
		return text, hash.Hex()
	}
	add := func(statement string, args ...any) {
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	const columns = `INSERT INTO credentials (id, kind, name, name_key, prefix, last4, hash, person_id, workspace_id, product_id, scopes, enabled, created_at, created_by, revoked_by, revoke_reason, replaced_by)`
	for len(c.tokens) < many {
		var ids, hashes []string
		for len(c.tokens) < many && len(ids) < 10_000 {
			text, hash := mint("prod")
			ids, hashes, c.tokens = append(ids, models.NewID()), append(hashes, hash), append(c.tokens, text.Reveal())
		}
		add(columns+` SELECT n.id, 'api', n.id, n.id, 'prod_abc', 'abcd', decode(n.hash, 'hex'), NULL, p.workspace_id, p.id, '', true, now(), '', '', '', ''
			FROM products p, unnest($1::text[], $2::text[]) AS n (id, hash)`, ids, hashes)
	}
	text, hash := mint("pkey")
	c.key = text.Reveal()
	add(columns+` SELECT $1, 'key', 'Asks', 'asks', 'pkey_abc', 'abcd', decode($2, 'hex'), p.id, NULL, NULL, '', true, now(), '', '', '', '' FROM people p`, models.NewID(), hash)
	add("VACUUM ANALYZE credentials") // as it would be by itself after a while
	return c
}

// remembered has a server asked about each credential, so that it remembers them all, and insists that all are good.
func (c crowd) remembered(t *testing.T, s server) {
	t.Helper()
	var all sync.WaitGroup
	var at atomic.Int64
	bodies := verification(c.key, c.tokens).lines
	for range 8 {
		all.Go(func() {
			for n := at.Add(1); n <= int64(len(bodies)); n = at.Add(1) {
				r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"/v1/credentials:verify", strings.NewReader(`{"requests":[`+bodies[n-1]+`]}`))
				r.Header.Set("X-Api-Key", c.key)
				r.Header.Set("Content-Type", "application/json")
				a, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(a.Body)
				a.Body.Close()
				if good := bytes.Count(body, []byte(`"allowed":true`)); err != nil || a.StatusCode != http.StatusOK || good != strings.Count(bodies[n-1], `"path"`) {
					t.Errorf("status %d, %d good, %v: %.300s", a.StatusCode, good, err, body)
					return
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// requests are what wrk sends in turns, as bytes: a text, one of the lines, and another text.
type requests struct {
	before, after string
	lines         []string
	script        string // the file that tells wrk
}

const host = " HTTP/1.1\r\nHost: 127.0.0.1\r\n"

func forwardAuth(tokens []string) requests {
	return requests{lines: tokens, before: "GET /forward-auth" + host + "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: " + callPath + "\r\nX-Forwarded-For: 203.0.113.9\r\nAuthorization: Bearer ", after: "\r\n\r\n"}
}

func call(tokens []string) requests {
	return requests{lines: tokens, before: "GET " + callPath + host + "Authorization: Bearer ", after: "\r\n\r\n"}
}

func introspection(key string, tokens []string) requests {
	body := "token=" + tokens[0]
	return requests{lines: tokens, before: post("/oauth2/introspect", key, "application/x-www-form-urlencoded", len(body)) + "token="}
}

// verification has a hundred credentials in each line.
func verification(key string, tokens []string) (r requests) {
	for from := 0; from < len(tokens); from += 100 {
		var line []string
		for _, token := range tokens[from:min(from+100, len(tokens))] {
			line = append(line, `{"credential":"`+token+`","method":"GET","path":"/api/agent-base"}`)
		}
		r.lines = append(r.lines, strings.Join(line, ","))
	}
	const start, end = `{"requests":[`, `]}`
	r.before, r.after = post("/v1/credentials:verify", key, "application/json", len(start)+len(r.lines[0])+len(end))+start, end
	return r
}

func post(path, key, kind string, length int) string {
	return "POST " + path + host + "X-Api-Key: " + key + "\r\nContent-Type: " + kind + "\r\nContent-Length: " + strconv.Itoa(length) + "\r\n\r\n"
}

// write makes the script for wrk. Where there are few lines, each request is put together once.
func (r *requests) write(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	lines := filepath.Join(folder, "lines")
	r.script = filepath.Join(folder, "requests.lua")
	script := fmt.Sprintf(`local before, after, list, at = %s, %s, {}, 0
for line in io.lines(%s) do list[#list + 1] = line end
if #list <= 1000 then
  for i, line in ipairs(list) do list[i] = before .. line .. after end
  before, after = "", ""
end
function request()
  at = at %% #list + 1
  if before == "" then return list[at] end
  return before .. list[at] .. after
end
`, lua(r.before), lua(r.after), lua(lines))
	for name, text := range map[string]string{lines: strings.Join(r.lines, "\n") + "\n", r.script: script} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// lua quotes a text for Lua.
func lua(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", `\r`, "\n", `\n`).Replace(text) + `"`
}
