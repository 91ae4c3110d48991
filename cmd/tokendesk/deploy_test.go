package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v2"

	"tokendesk/models/store/storetest"
)

func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// program finds one that a test runs. Without it the test is skipped, or fails where all are to be run and this is among those that are installed.
func program(t *testing.T, variable, name string, required bool) string {
	t.Helper()
	if at := os.Getenv(variable); at != "" {
		return at
	}
	for _, place := range []string{name, "/usr/sbin/" + name} {
		if at, err := exec.LookPath(place); err == nil {
			return at
		}
	}
	if required && os.Getenv("TOKENDESK_TEST_REQUIRE") != "" {
		t.Fatalf("there is no %s", name)
	}
	t.Skipf("there is no %s", name)
	return ""
}

// The files name settings that there are, with values that they take.
func TestDeployedSettings(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, s := range settings {
		known[s.variable()] = true
	}
	for _, name := range []string{"tokendesk.service", "Containerfile", "compose/compose.yaml", "nginx.conf", "Caddyfile", "traefik/traefik.yml", "traefik/dynamic.yml"} {
		for _, found := range regexp.MustCompile(`TOKENDESK_[A-Z_]+`).FindAllString(deployed(t, name), -1) {
			if !known[found] {
				t.Errorf("%s has %s, which is no setting", name, found)
			}
		}
	}
	env := func(name string) (string, bool) {
		value, there := replicas(t)["tokendesk-1"].Environment[name]
		value = regexp.MustCompile(`\$\{(\w+)(:-([^}]*)|:\?[^}]*)?\}`).ReplaceAllString(value, "x$3")
		return strings.TrimPrefix(value, "x"), there
	}
	c, err := readConfig(nil, func(name string) (string, bool) {
		if name == "TOKENDESK_DATABASE_URL" {
			return "postgres://tokendesk:x@postgres:5432/tokendesk", true
		}
		return env(name)
	})
	if err != nil || c.keyFile != "/key/key" || c.metricsListen != ":9090" || len(c.trustedProxies) != 1 {
		t.Errorf("the replicas' settings: %v, %+v", err, c)
	}
}

type replica struct {
	Environment map[string]string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	Ports       []string
	Volumes     []string
}

// replicas are the services of the composition, by name.
func replicas(t *testing.T) map[string]replica {
	t.Helper()
	var all struct{ Services map[string]replica }
	if err := yaml.Unmarshal([]byte(deployed(t, "compose/compose.yaml")), &all); err != nil {
		t.Fatal(err)
	}
	return all.Services
}

// The composition has three replicas that are alike, which share the key and nothing else, and of which nobody outside reaches one: what is published
// is nginx, on this machine. nginx sends to each of them, and Prometheus asks each.
func TestComposition(t *testing.T) {
	t.Parallel()
	services := replicas(t)
	for i := range 3 {
		name := fmt.Sprintf("tokendesk-%d", i+1)
		r, there := services[name]
		if !there || !r.ReadOnly || !slices.Equal(r.CapDrop, []string{"ALL"}) || len(r.Ports) > 0 || !slices.Equal(r.Volumes, []string{"key:/key", "/data"}) {
			t.Errorf("%s is %+v", name, r)
		}
		if !strings.Contains(deployed(t, "compose/nginx.conf"), "server "+name+":8080 ") || !strings.Contains(deployed(t, "prometheus/prometheus.yml"), name+":9090") {
			t.Errorf("%s is left out", name)
		}
	}
	if ports := services["nginx"].Ports; !slices.Equal(ports, []string{"127.0.0.1:8000:8000"}) || len(services["postgres"].Ports) > 0 || len(services) != 5 {
		t.Errorf("published: %q, and %d services", ports, len(services))
	}
}

// The image is built by the version of Go that the module asks for, without cgo, and has neither a shell nor root in it.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	text := deployed(t, "Containerfile")
	module, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	version := pick(t, string(module), `(?m)^go (\d+\.\d+)`)
	stages := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(text, -1)
	if len(stages) != 2 || stages[0][1] != "docker.io/library/golang:"+version || stages[1][1] != "scratch" {
		t.Errorf("the stages are %q, and the module asks for Go %s", stages, version)
	}
	for _, want := range []string{"CGO_ENABLED=0 go build -trimpath", "\nUSER 65532:65532\n", `ENTRYPOINT ["/tokendesk"]`} {
		if !strings.Contains(text, want) {
			t.Errorf("the Containerfile lacks %s", want)
		}
	}
}

// systemd takes the unit as it is, and finds little in it that could be taken away.
func TestUnit(t *testing.T) {
	t.Parallel()
	analyze := program(t, "TOKENDESK_TEST_SYSTEMD_ANALYZE", "systemd-analyze", false)
	const installed = "/usr/local/bin/tokendesk"
	text := deployed(t, "tokendesk.service")
	if strings.Count(text, "ExecStart="+installed+" serve\n") != 1 {
		t.Fatal("the unit starts something else")
	}
	unit := filepath.Join(t.TempDir(), "tokendesk.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(text, "ExecStart="+installed, "ExecStart="+self(t), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(analyze, "verify", unit).CombinedOutput(); err != nil || strings.Contains(string(said), "tokendesk.service") {
		t.Errorf("verify: %v: %s", err, said)
	}
	if said, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20", unit).CombinedOutput(); err != nil {
		t.Errorf("security: %v: %s", err, said[max(0, len(said)-100):])
	}
}

// Three servers on one PostgreSQL behind nginx, with the configuration as it is but for addresses, are one installation: whoever signs in at one is
// signed in at each, and a call is refused by all of them once its token is revoked. A server that ends is not missed.
func TestReplicasBehindNginx(t *testing.T) {
	t.Parallel()
	nginx := program(t, "TOKENDESK_TEST_NGINX", "nginx", true)
	in := onPostgres(t)
	first := in.serve(t, "TOKENDESK_TRUSTED_PROXIES=127.0.0.0/8")
	servers := []server{first}
	for i := range 2 {
		other := place{dir: fmt.Sprint(in.dir, i), url: in.url}
		servers = append(servers, other.serve(t, "TOKENDESK_TRUSTED_PROXIES=127.0.0.0/8", "TOKENDESK_KEY_FILE="+filepath.Join(in.dir, "key")))
	}
	folder, front := t.TempDir(), vacant(t)
	config := strings.ReplaceAll(deployed(t, "compose/nginx.conf"), "/tmp/", folder+"/")
	config = strings.Replace(config, "listen 8000;", "listen "+front+";", 1)
	for i, s := range servers {
		config = strings.ReplaceAll(config, fmt.Sprintf("tokendesk-%d:8080", i+1), strings.TrimPrefix(s.base, "http://"))
	}
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(nginx, "-e", "stderr", "-p", folder, "-c", file, "-t").CombinedOutput(); err != nil {
		t.Fatalf("nginx -t: %v: %s", err, said)
	}
	proxy := begin(t, exec.Command(nginx, "-e", "stderr", "-p", folder, "-c", file, "-g", "daemon off;"), nil, "")
	t.Cleanup(func() { // before it is killed, which would leave its workers
		proxy.signal(t, syscall.SIGTERM)
		<-proxy.ended
	})
	awaitConnection(t, front)

	setUp := first.setUp(t)
	token := setUp.bearerToken(t)
	through := server{first.process, "http://" + front}
	admin := through.browser(t)
	if status := admin.signIn(t, "ines@marlowe.example", storetest.Password); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	for range 9 {
		admin.get(t, "/people").want(t, http.StatusOK)
		through.opens(t, token, http.StatusOK)
	}
	admin.get(t, "/people?q=a%2Fb//c").want(t, http.StatusOK)
	servers[2].stop(t)
	for range 9 {
		admin.get(t, "/people").want(t, http.StatusOK)
	}
	record := pick(t, admin.get(t, "/people").body, `"(/people/[0-9a-f-]{36})"`)
	admin.post(t, record+"/bearer-token/revoke", map[string][]string{"reason": {"lost laptop"}}).want(t, http.StatusSeeOther)
	for range 9 {
		through.opens(t, token, http.StatusUnauthorized)
	}
}

// vacant is an address on which nobody listens.
func vacant(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func awaitConnection(t *testing.T, address string) {
	t.Helper()
	again, late := time.NewTicker(10*time.Millisecond), time.After(enough)
	defer again.Stop()
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("nobody listens on %s", address)
		}
	}
}
