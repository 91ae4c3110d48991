package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const asVictim = "STORETEST_AS_VICTIM"

// A test process that is killed leaves no server running, and the next one removes its files without
// touching those of a server in use.
func TestAKilledTestProcessLeavesNothing(t *testing.T) {
	if os.Getenv(asVictim) != "" {
		Postgres(t, nil)
		fmt.Println("server", shared.server.process.Pid, shared.server.dir)
		select {} // until killed
	}
	own := connect(t, Postgres(t, nil))
	pid, dir := startVictim(t)
	if !runsIn(pid, dir) {
		t.Fatalf("process %d is not a server in %s", pid, dir)
	}
	sweep(filepath.Dir(dir))
	if !runsIn(pid, dir) {
		t.Fatal("a server in use was swept")
	}

	killVictim(t)
	await(t, "the server ends with its test process", func() bool { return !runsIn(pid, dir) })
	await(t, "its files are swept", func() bool {
		sweep(filepath.Dir(dir))
		_, err := os.Stat(dir)
		return os.IsNotExist(err)
	})
	if err := own.Ping(t.Context()); err != nil {
		t.Errorf("our own server was swept too: %v", err)
	}
}

// A server that even outlived its test process is ended by the next one.
func TestAServerWithoutItsTestProcessIsSwept(t *testing.T) {
	Postgres(t, nil) // or skipped
	orphan, err := startServer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := orphan.lock.Close(); err != nil { // what the end of the process would do
		t.Fatal(err)
	}
	sweep(filepath.Dir(orphan.dir))
	if runsIn(orphan.process.Pid, orphan.dir) {
		t.Error("it still runs")
	}
	if _, err := os.Stat(orphan.dir); !os.IsNotExist(err) {
		t.Errorf("its files are still there: %v", err)
	}
	if _, err := pgx.Connect(t.Context(), orphan.url("postgres")); err == nil {
		t.Error("it still answers")
	}
}

// A template that cannot be filled fails every test with the reason, and is not tried again.
func TestATemplateThatFailsIsNotTriedAgain(t *testing.T) {
	Postgres(t, nil) // or skipped
	var broken cluster
	defer broken.stop()
	tried := 0
	for range 2 {
		_, err := broken.create(t.Context(), func(context.Context, string) error {
			tried++
			return errors.New("migration 7 is broken")
		})
		if err == nil || !strings.Contains(err.Error(), "migration 7 is broken") {
			t.Errorf("got %v", err)
		}
	}
	if tried != 1 {
		t.Errorf("the template was tried %d times", tried)
	}
}

var victim *exec.Cmd

func startVictim(t *testing.T) (pid int, dir string) {
	t.Helper()
	victim = exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	victim.Env = append(os.Environ(), asVictim+"=1")
	out, err := victim.StdoutPipe()
	if err == nil {
		err = victim.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if word := strings.Fields(lines.Text()); len(word) == 3 && word[0] == "server" {
			if pid, err = strconv.Atoi(word[1]); err != nil {
				t.Fatal(err)
			}
			return pid, word[2]
		}
	}
	t.Fatal("the other test process ended without starting a server")
	return 0, ""
}

func killVictim(t *testing.T) {
	t.Helper()
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // its error says that it was killed
}

// await asks again until the answer is yes; it fails after ten seconds.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(10 * time.Second); !done(); {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}
