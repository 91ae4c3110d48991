package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is one PostgreSQL cluster that this process started. It listens on a unix socket in its own
// folder and nowhere else, keeps nothing across a crash, and dies with this process.
type server struct {
	dir     string   // the socket, the log and the folder "data"
	lock    *os.File // held while this process lives: see sweep
	process *os.Process
	ended   chan struct{} // closed when the process has ended and was waited for
}

// settings trade everything for speed that a test does not look at. The time zone is one that nobody
// expects, so that a query which leans on the server's zone gives a wrong answer here already.
var settings = []string{
	"listen_addresses=", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
	"wal_level=minimal", "max_wal_senders=0", "autovacuum=off", "jit=off",
	"shared_buffers=16MB", "timezone=Asia/Kathmandu", "log_timezone=UTC",
}

// startServer makes a cluster and starts it. It takes about a second.
func startServer(ctx context.Context) (_ *server, err error) {
	bin, err := findServer()
	if err != nil {
		return nil, err
	}
	owner, err := serverOwner()
	if err != nil {
		return nil, err
	}
	dir, lock, err := claimFolder(owner)
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, lock: lock, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()

	initdb := s.command(ctx, owner, filepath.Join(bin, "initdb"), "--pgdata", s.data(), "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--wal-segsize", "1")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	args := []string{"-D", s.data(), "-k", dir}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	if err := s.start(s.command(context.WithoutCancel(ctx), owner, filepath.Join(bin, "postgres"), args...)); err != nil {
		return nil, err
	}
	return s, s.awaitReady(ctx)
}

// url is the address of a database of this server, for a superuser.
func (s *server) url(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(s.dir)
}

// stop ends the server without ceremony, since nothing in it is worth keeping, and removes its files.
func (s *server) stop() {
	if s.process != nil {
		_ = s.process.Signal(syscall.SIGQUIT) // PostgreSQL's "immediate shutdown"
		select {
		case <-s.ended:
		case <-time.After(10 * time.Second):
			_ = s.process.Kill()
			<-s.ended
		}
	}
	_ = os.RemoveAll(s.dir)
	_ = s.lock.Close()
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) command(ctx context.Context, owner *syscall.Credential, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: owner,
		Setpgid:    true,            // Ctrl-C in the terminal is for the tests, which then end the server
		Pdeathsig:  syscall.SIGQUIT, // a test process that is killed takes the server with it
	}
	return cmd
}

// start runs the server from a goroutine that keeps its thread for as long as the server lives,
// because the kernel sends Pdeathsig when the thread ends that started the process, not the process.
func (s *server) start(cmd *exec.Cmd) error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process = cmd.Process
	return nil
}

// awaitReady returns when the server answers, or with its log when it ended or never did.
func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-again.C:
			continue
		case <-s.ended:
			err = errors.New("PostgreSQL ended as soon as it was started")
		case <-ctx.Done():
		}
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("start PostgreSQL: %w\n%s", err, bytes.TrimSpace(log))
	}
}

// findServer returns the folder with initdb and postgres in it: the newest of Debian's, which are not
// in the PATH, or else the one in the PATH.
func findServer() (string, error) {
	newest, best := "", -1
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, path := range found {
		bin := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > best {
			newest, best = bin, version
		}
	}
	if newest != "" {
		return newest, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNotInstalled
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

// serverOwner returns who the server is to run as: this user, or, because PostgreSQL refuses to run
// as root, a user that has no rights of its own.
func serverOwner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no other user: %w", err)
		}
	}
	uid, err1 := strconv.ParseUint(account.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
}
