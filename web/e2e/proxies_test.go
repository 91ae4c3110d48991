package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// behind is a product behind a proxy that asks Tokendesk, as deploy/ has it.
type behind struct {
	webtest.Site
	at string // the proxy's address

	mu   sync.Mutex
	came []*http.Request // what reached the product
}

// startBehind starts Tokendesk, a product, and what run makes of the addresses of the three.
func startBehind(t *testing.T, run func(at, desk, product string) *exec.Cmd) *behind {
	t.Helper()
	b := &behind{Site: webtest.SQLite(t, webtest.Sampled(), webtest.Trusting("127.0.0.0/8")), at: freeAddress(t)}
	product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.came = append(b.came, r.Clone(context.Background()))
		b.mu.Unlock()
		fmt.Fprint(w, "the product")
	}))
	t.Cleanup(product.Close)
	var said bytes.Buffer
	cmd := run(b.at, strings.TrimPrefix(b.URL, "http://"), strings.TrimPrefix(product.URL, "http://"))
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", b.at); err == nil {
			conn.Close()
			return b
		} else if time.Now().After(deadline) {
			t.Fatalf("the proxy does not listen: %v\n%s", err, said.String())
		}
	}
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// configured is a file of deploy/ with other addresses, in a folder of its own.
func configured(t *testing.T, name, at, desk, product string) (file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("127.0.0.1:8000", at, "127.0.0.1:8080", desk, "127.0.0.1:9000", product).Replace(string(text))
	file = filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// call sends a call to the proxy, with the target as it is written.
func (b *behind) call(t *testing.T, method, target, token string, fields ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+b.at+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = target
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header[fields[i]] = append(r.Header[fields[i]], fields[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var read bytes.Buffer
	if _, err := read.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, read.String()
}

func (b *behind) arrived() []*http.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.came
	b.came = nil
	return all
}

// decides has the proxy let through what Tokendesk lets through, and nothing else, and the product know from Tokendesk alone
// who calls. Statuses are those that the proxy tells.
func (b *behind) decides(t *testing.T) {
	t.Helper()
	made, text := b.WorkspaceToken(t, b.Admin, "marlowe-press", models.NewAPIToken{Name: "Search", Chosen: true, Scopes: models.Scopes{"knowledge-base:search", "storage:list"}})
	token, target := text.Reveal(), "/api/knowledge-base/search?q=a%20b"
	forged := []string{"X-Tokendesk-Person", "mallory", "X-Tokendesk-Scope", "all", "X-Tokendesk-Signature", "t=1,v1=00", "X-Original-Uri", "/api/knowledge-base/search", "X-Original-Method", "GET", "X_Tokendesk_Person", "mallory",
		"Connection", "X-Tokendesk-Credential, X-Tokendesk-Workspace"}
	if status, body := b.call(t, "GET", target, token, forged[:6]...); status != http.StatusOK || body != "the product" {
		t.Fatalf("status %d: %s", status, body)
	}
	for _, r := range b.arrived() {
		h := r.Header
		if r.RequestURI != target || h.Get("X-Tokendesk-Credential") != made.ID || h.Get("X-Tokendesk-Scope") != "knowledge-base:search" || h.Get("X-Tokendesk-Person") != "" ||
			len(h["X-Tokendesk-Signature"]) != 1 || !strings.Contains(h.Get("X-Tokendesk-Signature"), ",v1=") || strings.Contains(h.Get("X-Tokendesk-Signature"), "t=1,") || strings.Contains(fmt.Sprint(h), token) {
			t.Errorf("%s arrived with %v", r.RequestURI, h)
		}
	}
	b.call(t, "GET", target, token, forged...)
	for _, r := range b.arrived() {
		if h := fmt.Sprint(r.Header); strings.Contains(h, "mallory") || r.Header.Get("X-Tokendesk-Credential") != made.ID {
			t.Errorf("forged fields arrived: %s", h)
		}
	}
	for want, calls := range map[int][][3]string{
		http.StatusUnauthorized:     {{"GET", target, ""}, {"GET", target, "prod_nonsense"}},
		http.StatusForbidden:        {{"GET", "/api/agent-base", token}, {"DELETE", "/api/knowledge-base/storage/1", token}},
		http.StatusNotFound:         {{"GET", "/api/nope", token}},
		http.StatusMethodNotAllowed: {{"PUT", "/api/knowledge-base/search", token}},
	} {
		for _, c := range calls {
			if status, body := b.call(t, c[0], c[1], c[2]); status != want {
				t.Errorf("%s %s: status %d, want %d: %s", c[0], c[1], status, want, body)
			}
		}
	}
	for _, odd := range []string{
		"/api/knowledge-base/search/../../agent-base", "/api/knowledge-base/%73earch", "/api//knowledge-base/search", "/api/knowledge-base/search/", "/api/knowledge-base/search;x", "/api/knowledge-base/search%2f..%2f..%2fagent-base",
		"/api/./agent-base", "/api/%61gent-base", "/api/knowledge-base/%2e%2e/agent-base", "/api/Knowledge-base/search", "/x/../api/agent-base", "/api/knowledge-base/search%00", `/api/knowledge-base\search`,
	} {
		if status, body := b.call(t, "GET", odd, token); status < 400 || status >= 500 {
			t.Errorf("%s: status %d: %s", odd, status, body)
		}
	}
	if got := b.arrived(); len(got) > 0 {
		t.Errorf("%d refused calls arrived, the first %s", len(got), got[0].RequestURI)
	}
	if _, err := b.SwitchAPIToken(t.Context(), b.Admin, "marlowe-press", made.ID, false); err != nil {
		t.Fatal(err)
	}
	if status, body := b.call(t, "GET", target, token); status != http.StatusUnauthorized || len(b.arrived()) > 0 {
		t.Errorf("deactivated: status %d: %s", status, body)
	}
}

// nginx with deploy/nginx.conf.
func TestNginx(t *testing.T) {
	t.Parallel()
	program := os.Getenv("TOKENDESK_TEST_NGINX")
	if found, err := exec.LookPath("nginx"); program == "" && err == nil {
		program = found
	} else if program == "" {
		program = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("TOKENDESK_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no nginx")
	}
	b := startBehind(t, func(at, desk, product string) *exec.Cmd {
		file := configured(t, "nginx.conf", at, desk, product)
		return exec.Command(program, "-e", "stderr", "-p", filepath.Dir(file), "-c", file, "-g", "daemon off;")
	})
	b.decides(t)
	made, text := b.WorkspaceToken(t, b.Admin, "marlowe-press", models.NewAPIToken{Name: "Often"})
	if _, err := b.SetCallLimit(t.Context(), b.Admin, "marlowe-press", models.CallLimit{CallsAMinute: 1}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		if status, body := b.call(t, "GET", "/api/agent-base", text.Reveal()); status != want || want != http.StatusOK && !strings.Contains(body, `"code":"rate_limited"`) {
			t.Errorf("call %d with %s: status %d: %s", i, made.Prefix, status, body)
		}
	}
}
