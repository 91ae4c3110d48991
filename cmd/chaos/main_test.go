//go:build linux

// Package chaos proves that revoked means revoked: several servers over one PostgreSQL, each behind a proxy that fails, are killed, stopped and cut
// off while tokens are switched off and on and revoked, and what everybody was told is checked against a model. All of it is a test.
package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"tokendesk/models/store/storetest"
)

func TestMain(m *testing.M) {
	jumpInstead()
	os.Exit(storetest.Run(m))
}

// begun is the beginning of the one clock that everything here is told by. It goes on evenly, whatever the time of day does.
var begun = time.Now()

func now() time.Duration { return time.Since(begun) }

// number is a setting of a run, or what it is where nobody says.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q: use a number", name, text)
	}
	return n
}

var building sync.Mutex

// built is the server, as it is shipped or with tags.
func built(t testing.TB, tags string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	path := filepath.Join(t.TempDir(), "tokendesk")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags="+tags, "-o", path, "../tokendesk")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}
