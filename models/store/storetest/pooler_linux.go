package storetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Pooler is a pgbouncer in transaction mode in front of an OwnPostgres: a process of its own, to kill and to start again. When it ends by itself it is started
// again, as systemd would: pgbouncer 1.18 gives up now and then where many questions are cancelled at once ("server in bad state").
type Pooler struct {
	Address string // host and port; the same after every start
	dir     string
	program string
	owner   *syscall.Credential

	mu      sync.Mutex
	process *os.Process
	ended   chan struct{}
	meant   bool // to end
}

// poolerSettings have it go on soon after the database was away: it would wait for 15 seconds. It takes anybody, as the database does.
const poolerSettings = `[databases]
* = host=%s port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
server_login_retry = 1
server_connect_timeout = 3
`

// NewPooler starts a pgbouncer, which ends with the test. Where it is not installed the test is skipped, or fails: see Missing.
func (o *OwnPostgres) NewPooler(t testing.TB) *Pooler {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Pooler{Address: l.Addr().String(), dir: filepath.Join(o.server.dir, "pooler"), owner: o.server.owner}
	l.Close()
	if err := os.Mkdir(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if p.program, err = findPooler(p.dir); errors.Is(err, errNoPooler) {
		Missing(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	p.write(t, o)
	t.Cleanup(p.end)
	p.Start(t)
	return p
}

// write has it stand in front of a server from its next start on, or when it is told to look.
func (p *Pooler) write(t testing.TB, o *OwnPostgres) {
	t.Helper()
	_, port, _ := net.SplitHostPort(p.Address)
	if err := os.WriteFile(filepath.Join(p.dir, "ini"), fmt.Appendf(nil, poolerSettings, o.server.dir, port), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Redirect has it stand in front of another server, without a word to those that it has connections to: what they ask next is asked there. It returns at
// once, and what is under way comes to its end first.
func (p *Pooler) Redirect(t testing.TB, to *OwnPostgres) {
	t.Helper()
	p.write(t, to)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.process.Signal(syscall.SIGHUP); err != nil && !errors.Is(err, os.ErrProcessDone) { // the next start reads it too
		t.Fatalf("redirect pgbouncer: %v", err)
	}
}

var errNoPooler = errors.New("pgbouncer is not installed")

// findPooler is the program that TOKENDESK_TEST_PGBOUNCER names, or the one of the system. One that was named is copied with what lies beside it, because
// another user runs it here, who may not look into the folder of this one.
func findPooler(dir string) (string, error) {
	if named := os.Getenv("TOKENDESK_TEST_PGBOUNCER"); named != "" {
		err := os.CopyFS(filepath.Join(dir, "program"), os.DirFS(filepath.Dir(named)))
		return filepath.Join(dir, "program", filepath.Base(named)), err
	}
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoPooler
}

// Start starts it, and returns when it takes connections.
func (p *Pooler) Start(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	err := p.launch()
	ended := p.ended
	p.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := net.Dial("tcp", p.Address)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-again.C:
			continue
		case <-ended:
		case <-ctx.Done():
		}
		text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		t.Fatalf("start pgbouncer: %v\n%s", err, text)
	}
}

// launch starts the process. The caller holds p.mu.
func (p *Pooler) launch() error {
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.program, filepath.Join(p.dir, "ini"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // see server.start
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait()
		close(ended)
		time.Sleep(100 * time.Millisecond) // between one attempt and the next
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.meant && p.ended == ended {
			_ = p.launch()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.process, p.ended, p.meant = cmd.Process, ended, false
	return nil
}

// Kill ends it at once, with all its connections.
func (p *Pooler) Kill(t testing.TB) {
	t.Helper()
	if err := p.kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("kill pgbouncer: %v", err)
	}
}

func (p *Pooler) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meant = true
	if p.process == nil {
		return nil
	}
	err := p.process.Kill()
	<-p.ended
	return err
}

func (p *Pooler) end() { _ = p.kill() }
