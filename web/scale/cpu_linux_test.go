package scale

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpu is the processors' time that this process and the database's processes of one installation have had.
func (in installation) cpu(t testing.TB) time.Duration {
	t.Helper()
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		t.Fatal(err)
	}
	total := time.Duration(self.Utime.Nano() + self.Stime.Nano())
	for _, pid := range in.backends {
		total += onProcessor(pid)
	}
	return total
}

// onProcessor reads the first number of /proc/PID/schedstat, the nanoseconds that a process has run. One that has
// ended meanwhile has none.
func onProcessor(pid int) time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	first, _, _ := strings.Cut(string(text), " ")
	ns, _ := strconv.ParseInt(first, 10, 64)
	return time.Duration(ns)
}

// backendsOf finds PostgreSQL's processes that serve a database, by what they call themselves.
func backendsOf(address string) (pids []int) {
	where, err := url.Parse(address)
	if err != nil || address == "" {
		return nil
	}
	database := strings.TrimPrefix(where.Path, "/")
	titles, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range titles {
		title, err := os.ReadFile(path)
		if err == nil && bytes.HasPrefix(title, []byte("postgres: ")) && bytes.Contains(title, []byte(" "+database+" ")) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
