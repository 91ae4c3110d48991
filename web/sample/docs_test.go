package sample_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"tokendesk/web/sample"
)

func readDocs(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/sample.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// The examples of docs/sample.md work as they stand, one after the other, and leave no operation out.
func TestExamplesOfTheDocuments(t *testing.T) {
	for _, program := range []string{"sh", "curl", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the examples need %s", program)
		}
	}
	p := start(t)
	var mu sync.Mutex
	called := map[string]bool{}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer of-the-test" {
			t.Errorf("%s %s comes without the token", r.Method, r.RequestURI)
		}
		p.sample.ServeHTTP(w, r)
		mu.Lock()
		defer mu.Unlock()
		called[r.Method+" "+r.Pattern] = true
	}))
	defer gateway.Close()
	script := "set -eu\n"
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readDocs(t), -1) {
		script += block[1]
	}
	script = strings.ReplaceAll(script, "curl ", "curl -sS --fail-with-body ")
	script = strings.ReplaceAll(script, "http://localhost:8080", gateway.URL)
	sh := exec.CommandContext(t.Context(), "sh", "-c", script)
	sh.Env, sh.Dir = append(os.Environ(), "TOKEN=of-the-test"), t.TempDir()
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if text := string(out); strings.Contains(text, `"success":false`) || !strings.Contains(text, "event: done") || !strings.Contains(text, "kettle") || !strings.Contains(text, "40d14abe3858bf7f65cca809e0a750a54ac9917cc2a336ce5f9c1143bf0c1486\n") {
		t.Errorf("they print %s", text)
	}
	for path, methods := range sample.Resources() {
		for _, method := range methods {
			if !called[method+" "+path] {
				t.Errorf("no example calls %s %s", method, path)
			}
		}
	}
}

// The limits in docs/sample.md are those that hold.
func TestLimitsOfTheDocuments(t *testing.T) {
	page, l := readDocs(t), sample.Standard()
	for _, line := range []string{
		fmt.Sprintf("| a body of JSON | %d KiB |", l.JSONBytes>>10),
		fmt.Sprintf("| an upload | %d GiB |", l.FileBytes>>30),
		fmt.Sprintf("| files of a workspace | %d GiB, %d,%03d files |", l.TenantBytes>>30, l.Files/1000, l.Files%1000),
		fmt.Sprintf("| files of all workspaces | %d GiB |", l.TotalBytes>>30),
		fmt.Sprintf("| the database | %d GiB |", l.DatabaseBytes>>30),
		fmt.Sprintf("| text of a workspace's documents | %d MiB |", l.TenantTextBytes>>20),
		fmt.Sprintf("of up to %d MiB becomes a\ndocument", l.TextBytes>>20),
		fmt.Sprintf("| agents, integrations of a workspace | %d, %d |", l.Agents, l.Integrations),
		fmt.Sprintf("| messages of a conversation | %d |", l.Messages),
		fmt.Sprintf("| conversations, executions, events of a workspace | the newest %d, %d,%03d, %d,%03d are kept |", l.Conversations, l.Executions/1000, l.Executions%1000, l.Events/1000, l.Events%1000),
	} {
		if !strings.Contains(page, line) {
			t.Errorf("docs/sample.md does not say: %s", line)
		}
	}
}
