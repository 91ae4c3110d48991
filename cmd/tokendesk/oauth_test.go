package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A resource server that is written with a public library for OAuth, which knows nothing of Tokendesk, hears what a credential is good for, revokes
// it, and hears that it is good for nothing; with the client_id of every client, and with the key's own.
func TestPublicOAuthClient(t *testing.T) {
	t.Parallel()
	program := builtOAuthClient(t)
	each(t, func(t *testing.T, in place) {
		s := in.serve(t)
		admin := s.setUp(t)
		key := admin.bearerToken(t)
		made := func(path, body string) (token, id string) {
			t.Helper()
			r := admin.request(t, http.MethodPost, path, bytes.NewReader([]byte(body)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-API-Key", key)
			var got struct{ Token, ID string }
			if err := json.Unmarshal([]byte(admin.do(t, r).want(t, http.StatusCreated).body), &got); err != nil || got.Token == "" {
				t.Fatal(err, got.ID)
			}
			return got.Token, got.ID
		}
		own, ownID := made("/v1/api-keys", `{"name":"resource server"}`)
		workspace := admin.onlyWorkspace(t, key)
		var tokens []string
		for _, client := range [][2]string{{"tokendesk", key}, {ownID, own}} {
			token, id := made("/v1/workspaces/"+workspace+"/tokens", `{"name":"asked about"}`)
			tokens = append(tokens, token)
			walk := exec.CommandContext(t.Context(), program)
			walk.Env = append(os.Environ(), "SERVER="+s.base, "CLIENT_ID="+client[0], "CLIENT_SECRET="+client[1], "CREDENTIAL="+token, "SUBJECT="+id)
			if said, err := walk.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, said)
			}
		}
		r := s.stop(t)
		for _, text := range append(tokens, key, own) {
			wantNoSecret(t, text, r.out, r.err)
		}
	})
}

// builtOAuthClient is the program of .ci/oauth.
func builtOAuthClient(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "oauth")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..", ".ci", "oauth")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

// onlyWorkspace is the ID of the workspace that there is.
func (b browser) onlyWorkspace(t *testing.T, key string) string {
	t.Helper()
	r := b.request(t, http.MethodGet, "/v1/workspaces", nil)
	r.Header.Set("X-API-Key", key)
	var list struct{ Data []struct{ ID string } }
	if err := json.Unmarshal([]byte(b.do(t, r).want(t, http.StatusOK).body), &list); err != nil || len(list.Data) != 1 {
		t.Fatal(err, list)
	}
	return list.Data[0].ID
}
