package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
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
	at    string            // the proxy's address
	held  models.Credential // what the calls are made with
	token string            // the same
	more  chan struct{}     // lets the product go on with its stream
	habits

	mu   sync.Mutex
	came []arrival
}

// arrival is what reached the product.
type arrival struct {
	*http.Request
	body string
}

// answered is what the proxy answered.
type answered struct {
	status int
	header http.Header
	body   string
}

// TestNginx has nginx ask, with deploy/nginx.conf (security rule G3).
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
	b := startBehind(t, program, "-e", "stderr", "-p", ".", "-c", "deploy/nginx.conf", "-g", "daemon off;")
	b.decides(t, habits{})
}

// TestCaddy has Caddy ask, with deploy/Caddyfile (security rule G3).
func TestCaddy(t *testing.T) {
	t.Parallel()
	b := startBehind(t, builtProxy(t, "TOKENDESK_TEST_CADDY"), "run", "--config", "deploy/Caddyfile")
	b.decides(t, habits{trailers: true, http2: true})
}

// TestTraefik has Traefik ask, with deploy/traefik (security rule G3). It brings paths into a plainer form before it asks, and sends
// on what it asked about.
func TestTraefik(t *testing.T) {
	t.Parallel()
	b := startBehind(t, builtProxy(t, "TOKENDESK_TEST_TRAEFIK"), "--configfile=deploy/traefik/traefik.yml")
	b.decides(t, habits{http2: true, cleans: map[string]string{
		"/api/knowledge-base/%73earch":                 "/api/knowledge-base/search",
		"/api//knowledge-base/search":                  "/api/knowledge-base/search",
		"//api/knowledge-base/search":                  "/api/knowledge-base/search",
		"/x/../api/knowledge-base/search":              "/api/knowledge-base/search",
		"/api/./knowledge-base/search":                 "/api/knowledge-base/search",
		"/api/agent-base/%2e%2e/knowledge-base/search": "/api/knowledge-base/search",
	}})
}

// builtProxy is a program that takes too long to build for every change.
func builtProxy(t *testing.T, variable string) string {
	t.Helper()
	program := os.Getenv(variable)
	if program == "" {
		t.Skipf("%s does not name a program: task proxies builds it and runs this", variable)
	}
	return program
}

// startBehind starts Tokendesk, a product, and a proxy between them, in a folder that has deploy/ with their addresses.
func startBehind(t *testing.T, program string, args ...string) *behind {
	t.Helper()
	b := &behind{Site: webtest.SQLite(t, webtest.Sampled(), webtest.Trusting("127.0.0.0/8"), webtest.Asking("127.0.0.0/8")), at: freeAddress(t), more: make(chan struct{})}
	made, text := b.WorkspaceToken(t, b.Admin, "marlowe-press", models.NewAPIToken{
		Name: "Behind", Chosen: true, Scopes: models.Scopes{"knowledge-base:search", "storage:list", "storage:upload", "webhooks:send-events"},
	})
	b.held, b.token = made, text.Reveal()
	product := httptest.NewServer(b)
	t.Cleanup(product.Close)

	cmd := exec.Command(program, args...)
	cmd.Dir = configured(t, "http://"+b.at, b.URL, product.URL)
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "XDG_CONFIG_HOME="+cmd.Dir, "XDG_DATA_HOME="+cmd.Dir)
	var said bytes.Buffer
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
	b.waitForTheProxy(t)
	return b
}

// waitForTheProxy waits until the proxy listens, and knows whom to ask.
func (b *behind) waitForTheProxy(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + b.at + "/api/knowledge-base/search")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusUnauthorized {
				return
			}
			err = fmt.Errorf("it answers %s", res.Status)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the proxy is not ready: %v", err)
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

// configured is a folder with a deploy/ in it whose files have the ports of some addresses for theirs.
func configured(t *testing.T, proxy, desk, product string) (folder string) {
	t.Helper()
	port := func(address string) string { return address[strings.LastIndex(address, ":"):] }
	ports := strings.NewReplacer(":8000", port(proxy), ":8080", port(desk), ":9000", port(product))
	folder = t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "deploy"), os.DirFS("../../deploy")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nginx.conf", "Caddyfile", "traefik/traefik.yml", "traefik/dynamic.yml"} {
		file := filepath.Join(folder, "deploy", name)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(ports.Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// ServeHTTP is the product. It keeps what arrives; asked for a stream, it says one word at a time.
func (b *behind) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	b.came = append(b.came, arrival{r, string(body)})
	b.mu.Unlock()
	fmt.Fprint(w, "the product")
	if r.URL.RawQuery == "stream" {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-b.more:
			fmt.Fprint(w, " goes on")
		case <-r.Context().Done():
		}
	}
}

// call sends a call with the token and more fields, each a line.
func (b *behind) call(t *testing.T, method, target string, fields ...string) answered {
	t.Helper()
	return b.say(t, method, target+" HTTP/1.1", "", append(fields, "Host: api.example", "Authorization: Bearer "+b.token)...)
}

// say sends a request as it is written: the method, the rest of its first line, fields, and a body.
func (b *behind) say(t *testing.T, method, rest, body string, fields ...string) answered {
	t.Helper()
	res := b.open(t, method, rest, body, fields...)
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, rest, err)
	}
	return answered{res.StatusCode, res.Header, string(read)}
}

// open is say for an answer that has not ended.
func (b *behind) open(t *testing.T, method, rest, body string, fields ...string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", b.at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	lines := append([]string{method + " " + rest}, fields...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, rest, err)
	}
	return res
}
