//go:build linux

package chaos

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// replica is one server with the proxy by which it reaches the database. It has the same address after each start.
type replica struct {
	name, base string
	pooled     bool // it reaches the database through a pooler in transaction mode
	program    string
	env        []string
	proxy      *toxiproxy.Proxy

	mu      sync.Mutex
	process *exec.Cmd
	ended   chan struct{}
	log     *os.File
	hurt    []span // when it was kept from its work
}

// span is a while; until is 0 as long as it lasts.
type span struct{ from, until time.Duration }

// newReplica starts a server of an installation, which reaches the database at an address, or a pooler in front of it.
func newReplica(t *testing.T, program, name, database string, pooled bool, key string, env ...string) *replica {
	t.Helper()
	logger := zerolog.New(io.Discard)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), logger), name, "127.0.0.1:0", database)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	r := &replica{name: name, base: "http://" + address, pooled: pooled, program: program, proxy: proxy, log: log}
	mode := ""
	if pooled {
		mode = "&default_query_exec_mode=cache_describe" // docs/operations.md says so
	}
	r.env = append(env, "PATH="+os.Getenv("PATH"), "TOKENDESK_DATA_DIR="+filepath.Join(dir, "data"), "TOKENDESK_KEY_FILE="+key, "TOKENDESK_REPLICA_NAME="+name,
		"TOKENDESK_LISTEN="+address, "TOKENDESK_DATABASE_URL=postgres://postgres@"+proxy.Listen+"/desk?sslmode=disable"+mode,
		"TOKENDESK_FORWARD_AUTH_FROM=127.0.0.0/8", "TOKENDESK_UPSTREAM_ALLOW=127.0.0.0/8")
	r.start(t)
	t.Cleanup(func() { r.kill(); log.Close() })
	return r
}

// leads has the server's way to the database, which is cut, end at another address from now on.
func (r *replica) leads(t testing.TB, to string) {
	t.Helper()
	if err := r.proxy.Update(&toxiproxy.Proxy{Listen: r.proxy.Listen, Upstream: to, Enabled: true}); err != nil {
		t.Errorf("lead %s to %s: %v", r.name, to, err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts the process. It need not answer yet when that is done.
func (r *replica) start(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	p := exec.Command(r.program, "serve")
	p.Env, p.Stderr, p.Stdout = r.env, r.log, r.log
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that is killed leaves no server
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = p.Wait(); close(ended) }()
	r.process, r.ended = p, ended
}

// signal sends the process a signal; one that has ended takes none.
func (r *replica) signal(s syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.process.Process.Signal(s)
}

// kill ends the process at once, and waits for that.
func (r *replica) kill() {
	r.signal(syscall.SIGKILL)
	<-r.ended
}

// alive starts the process again where it ended by itself, as a supervisor does.
func (r *replica) alive(t testing.TB) {
	t.Helper()
	select {
	case <-r.ended:
		r.start(t)
	default:
	}
}

// hurts notes that the server is kept from its work until what it returns is called.
func (r *replica) hurts() (over func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hurt = append(r.hurt, span{from: now()})
	n := len(r.hurt) - 1
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.hurt[n].until = now()
	}
}

// well says whether nothing kept the server from its work in a while, nor shortly before it.
func (r *replica) well(from, until time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.hurt {
		if h.from <= until && (h.until == 0 || h.until+3*time.Second >= from) {
			return false
		}
	}
	return true
}

// secretText is what must not be shown of a log.
var secretText = regexp.MustCompile(`code=\S+`)

// tail is the end of the server's log.
func (r *replica) tail() string {
	text, err := os.Open(r.log.Name())
	if err != nil {
		return err.Error()
	}
	defer text.Close()
	var lines []string
	for s := bufio.NewScanner(text); s.Scan(); {
		lines = append(lines, secretText.ReplaceAllString(s.Text(), "code=..."))
	}
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
