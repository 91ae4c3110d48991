package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"tokendesk/models/store/storetest"
)

// A client that a public generator makes of the document compiles, and a program that uses it goes through all of what it is for.
func TestGeneratedClient(t *testing.T) {
	t.Parallel()
	generator := os.Getenv("TOKENDESK_TEST_OAPI_CODEGEN")
	if generator == "" {
		storetest.Missing(t, "TOKENDESK_TEST_OAPI_CODEGEN, which names oapi-codegen")
		return
	}
	var once sync.Mutex
	program, whole := "", t
	each(t, func(t *testing.T, in place) {
		s := in.serve(t)
		admin := s.setUp(t)
		token := admin.bearerToken(t)
		admin.install(t, token).want(t, http.StatusOK)
		document := admin.get(t, "/v1/openapi.json").want(t, http.StatusOK).body
		once.Lock()
		if program == "" {
			program = builtClient(whole, generator, document)
		}
		once.Unlock()
		walk := exec.CommandContext(t.Context(), program)
		walk.Env = append(os.Environ(), "SERVER="+s.base, "CREDENTIAL="+token)
		if said, err := walk.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, said)
		}
		r := s.stop(t)
		wantNoSecret(t, token, r.out, r.err)
	})
}

// builtClient is the program of .ci/client with a client that was generated of a document.
func builtClient(t *testing.T, generator, document string) string {
	t.Helper()
	work := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "main.go", "generate.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", ".ci", "client", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(work, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(work, "openapi.json"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(work, "api"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{generator, "-config", "generate.yaml", "openapi.json"}, {"go", "build", "-o", "client", "."}} {
		command := exec.CommandContext(t.Context(), args[0], args[1:]...)
		command.Dir = work
		if said, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, said)
		}
	}
	return filepath.Join(work, "client")
}
