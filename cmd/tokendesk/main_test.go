package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tokendesk/models/store/storetest"
)

// asProgram has this test binary be the program: its real main, in a process of its own, built as the
// tests are. So the race detector watches the servers too, and their exit code tells what it saw.
const asProgram = "TOKENDESK_TEST_PROGRAM=1"

func TestMain(m *testing.M) {
	if program := programs[os.Getenv("TOKENDESK_TEST_PROGRAM")]; program != nil {
		go endWith(os.NewFile(3, "the tests"))
		program() // exits
	}
	code := storetest.Run(m)
	_ = os.RemoveAll(shippedIn)
	os.Exit(code)
}

// shippedIn is the folder that the program was built in as it is shipped; see shipped.
var shippedIn string

// endWith ends this process when the one that started it is gone, however it ended: nobody holds the
// other end of the pipe then.
func endWith(tests io.Reader) {
	_, _ = tests.Read(make([]byte, 1))
	os.Exit(70)
}

// enough is how long a test waits for what should happen soon, on a machine that is busy.
const enough = 45 * time.Second

// place is where an installation is: a data directory, and a database.
type place struct {
	dir string
	url string // empty: SQLite in dir
}

// each runs a test in an empty place on SQLite, and in one on PostgreSQL.
func each(t *testing.T, test func(t *testing.T, in place)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, onSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, onPostgres(t)) })
}

// The data directory is not there yet, and its name is one that a file's address must escape.
func onSQLite(t *testing.T) place { return place{dir: filepath.Join(t.TempDir(), "my data %41?#")} }

func onPostgres(t *testing.T) place {
	return place{dir: filepath.Join(t.TempDir(), "data"), url: storetest.Postgres(t, nil)}
}

// env is the whole environment of a program here: nothing of the machine's own comes through.
func (in place) env(more ...string) []string {
	return append([]string{"TOKENDESK_DATA_DIR=" + in.dir, "TOKENDESK_DATABASE_URL=" + in.url, "TOKENDESK_LISTEN=127.0.0.1:0"}, more...)
}

// result is what became of a program that has ended.
type result struct {
	code     int // -1: a signal ended it
	out, err string
}

// run runs a command to its end, with a text on standard input.
func (in place) run(t *testing.T, input string, args ...string) result {
	t.Helper()
	return launch(t, in.env(), input, args...).wait(t)
}

// ok runs a command that must succeed, and answers what it printed.
func (in place) ok(t *testing.T, input string, args ...string) string {
	t.Helper()
	r := in.run(t, input, args...)
	if r.code != 0 || r.err != "" {
		t.Fatalf("%s: exit code %d: %s", strings.Join(args, " "), r.code, r.err)
	}
	return r.out
}

// process is a program that was started.
type process struct {
	cmd      *exec.Cmd
	out, err *transcript
	ended    chan struct{}
}

// launch starts the program. The end of the test is its end too.
func launch(t *testing.T, env []string, input string, args ...string) *process {
	t.Helper()
	return begin(t, exec.Command(self(t), args...), append(env, asProgram), input)
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func begin(t *testing.T, cmd *exec.Cmd, env []string, input string) *process {
	t.Helper()
	life, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, out: newTranscript(), err: newTranscript(), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = env, t.TempDir()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = strings.NewReader(input), p.out, p.err
	p.cmd.ExtraFiles = []*os.File{life}
	if err := errors.Join(p.cmd.Start(), life.Close()); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		_ = held.Close()
	})
	return p
}

// signal sends a signal to this process and no other.
func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("signal %v: %v", s, err)
	}
}

// wait waits for the end.
func (p *process) wait(t *testing.T) result {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(enough):
		p.signal(t, syscall.SIGQUIT) // prints where everything hangs
		<-p.ended
		t.Fatalf("the program does not end: %s", p.err)
	}
	return result{p.cmd.ProcessState.ExitCode(), p.out.String(), p.err.String()}
}

// await waits until the program has printed what the pattern matches, and answers its groups.
func (p *process) await(t *testing.T, from *transcript, pattern string) []string {
	t.Helper()
	want, late := regexp.MustCompile(pattern), time.After(enough)
	for {
		text, more := from.now()
		if found := want.FindStringSubmatch(text); found != nil {
			return found
		}
		select {
		case <-more:
		case <-p.ended:
			if text, _ := from.now(); want.MatchString(text) {
				continue
			}
			t.Fatalf("the program ended without printing %s: %s", pattern, p.err)
		case <-late:
			t.Fatalf("the program has not printed %s: %s", pattern, p.err)
		}
	}
}

// transcript keeps what is printed, and tells when there is more.
type transcript struct {
	mu   sync.Mutex
	text []byte
	more chan struct{} // closed by the next Write
}

func newTranscript() *transcript { return &transcript{more: make(chan struct{})} }

func (r *transcript) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, p...)
	close(r.more)
	r.more = make(chan struct{})
	return len(p), nil
}

func (r *transcript) now() (text string, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.text), r.more
}

func (r *transcript) String() string {
	text, _ := r.now()
	return text
}
