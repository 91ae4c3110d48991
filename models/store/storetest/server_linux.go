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
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is one PostgreSQL cluster that this process started. It listens on a unix socket in its own
// folder and nowhere else, and dies with this process.
type server struct {
	bin      string // the folder with its programs
	settings []string
	owner    *syscall.Credential // who it runs as; nil is this user
	dir      string              // the socket, the log and the folder "data"
	lock     *os.File            // held while this process lives: see sweep
	process  *os.Process
	ended    chan struct{} // closed when the process has ended and was waited for
}

// settings are those of every server. The time zone is one that nobody expects, so that a query which
// leans on the server's zone gives a wrong answer here already.
var settings = []string{
	"listen_addresses=", "wal_level=minimal", "max_wal_senders=0", "jit=off",
	"shared_buffers=16MB", "timezone=Asia/Kathmandu", "log_timezone=UTC",
}

// quick trades everything for speed that a test does not look at: what a crash leaves above all.
var quick = []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"}

// lasting is what PostgreSQL promises where nobody changed a setting: what it called committed is on the
// disk. Checkpoints come often, so that crashes meet them, and each finds some log to read again. A standby may follow.
var lasting = []string{
	"fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_wal_size=8MB", "min_wal_size=2MB",
	"wal_level=replica", "max_wal_senders=4", "wal_keep_size=256MB",
}

// startServer makes a cluster in memory, which keeps nothing across a crash, and starts it. It takes about a second.
func startServer(ctx context.Context) (*server, error) { return makeServer(ctx, memoryRoot(), quick) }

// startLastingServer makes a cluster on a disk, which keeps what was committed, and starts it.
func startLastingServer(ctx context.Context) (*server, error) {
	return makeServer(ctx, diskRoot(), lasting)
}

func makeServer(ctx context.Context, root string, more []string) (*server, error) {
	return fillServer(ctx, root, more, func(s *server) error {
		initdb := s.command(ctx, "initdb", "--pgdata", s.data(), "--username", "postgres",
			"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--wal-segsize", "1")
		if out, err := initdb.CombinedOutput(); err != nil {
			return fmt.Errorf("initdb: %w\n%s", err, out)
		}
		return nil
	})
}

// fillServer has its data come from somewhere, and starts a server on it.
func fillServer(ctx context.Context, root string, more []string, fill func(*server) error) (_ *server, err error) {
	s := &server{settings: slices.Concat(settings, more)}
	if s.bin, err = findServer(); err != nil {
		return nil, err
	}
	if s.owner, err = serverOwner(); err != nil {
		return nil, err
	}
	if s.dir, s.lock, err = claimFolder(root, s.owner); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if err := fill(s); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
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

func (s *server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: s.owner,
		Setpgid:    true,            // Ctrl-C in the terminal is for the tests, which then end the server
		Pdeathsig:  syscall.SIGQUIT, // a test process that is killed takes the server with it
	}
	return cmd
}

// start runs the server from a goroutine that keeps its thread for as long as the server lives,
// because the kernel sends Pdeathsig when the thread ends that started the process, not the process.
func (s *server) start(ctx context.Context) error {
	args := []string{"-D", s.data(), "-k", s.dir}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command(context.WithoutCancel(ctx), "postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.ended = cmd.Process, ended
	return nil
}

var errEndedAtOnce = errors.New("PostgreSQL ended as soon as it was started")

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
			err = errEndedAtOnce
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
