package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// typed runs the command as it is typed, with a key.
func (s server) typed(t *testing.T, key, in string, args ...string) (out, said string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	env := map[string]string{"TOKENDESK_BASE_URL": s.base, keyVariable: key}
	code = run(t.Context(), append([]string{"api"}, args...), console{strings.NewReader(in), &o, &e, func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	if key != "" && strings.Contains(e.String(), key) {
		t.Errorf("%q: it prints the key", args)
	}
	return o.String(), e.String(), code
}

// The command is a thin client: what the server answers goes to standard output, and what is refused or wrong is one line that says why.
func TestAPICommand(t *testing.T) {
	t.Parallel()
	s := onSQLite(t).serve(t)
	admin := s.setUp(t)
	key := admin.bearerToken(t)
	admin.install(t, key).want(t, http.StatusOK)
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, []byte(`{"name":"from a file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key, in   string
		args      []string
		code      int
		out, said string
	}{
		{key, "", []string{"GET", "/v1/me"}, 0, `"kind":"bearer"`, ""},
		{key, "", []string{"POST", "/v1/api-keys", "-d", `{"name":"as it is"}`}, 0, `"name":"as it is"`, ""},
		{key, "", []string{"POST", "/v1/api-keys", "-d", "@" + file}, 0, `"name":"from a file"`, ""},
		{key, `{"name":"from standard input"}`, []string{"-d", "-", "POST", "/v1/api-keys"}, 0, `"name":"from standard input"`, ""},
		{key, "", []string{"POST", "/v1/api-keys", "-d", `{"name":""}`}, 1, "", "422 invalid"},
		{"", "", []string{"GET", "/v1/me"}, 2, "", "set TOKENDESK_API_KEY"},
		{"nonsense", "", []string{"GET", "/v1/me"}, 1, "", "401 credential_malformed: Invalid API Key."},
		{key, "", []string{"GET", "/v1/nothing"}, 1, "", "404 not_found"},
		{key, "", []string{"FETCH", "/v1/me"}, 2, "", "the method is one of GET"},
		{key, "", []string{"GET", "/people"}, 2, "", "the path begins with /v1/"},
		{key, "", []string{"GET"}, 2, "", "PATH is missing"},
		{key, "", []string{"GET", "/v1/a b"}, 1, "", "404 not_found"},
		{key, "", []string{"GET", "/v1/\x7f"}, 2, "", "that is no path"},
		{key, "", []string{"POST", "/v1/api-keys", "-d", "@" + file + ".none"}, 1, "", "cannot be read: no such file"},
		{key, "", []string{"GET", "/v1/me", "--url", "http://tokens.marlowe.example"}, 2, "", "everybody on the way could read the key"},
		{key, "", []string{"GET", "/v1/me", "--url", "ftp://localhost"}, 2, "", "use an address like"},
		{key, "", []string{"GET", "/v1/me", "--url", "http://127.0.0.1:1"}, 1, "", "127.0.0.1:1 does not answer"},
		{key, "", []string{"GET", "/v1/me", "--url", s.base + "/api"}, 1, "", "404"},
	} {
		out, said, code := s.typed(t, c.key, c.in, c.args...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(said, c.said) || strings.Count(said, "\n") > 1 || (code == 0) != (said == "") {
			t.Errorf("%q: %d, out %.200q, says %q", c.args, code, out, said)
		}
	}
}
