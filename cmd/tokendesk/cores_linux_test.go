package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
)

// A server that crashes leaves no core file, and no other program of its user can read its memory: it has
// held what callers presented. Root owns the files in /proc of a process that is not dumpable, which only
// somebody who is not root can tell from others.
func TestACrashLeavesNoCore(t *testing.T) {
	t.Parallel()
	s := onSQLite(t).serve(t, "GOTRACEBACK=crash") // has Go end by the signal, as a program in C would
	proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	limits, err := os.ReadFile(proc + "limits")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("the limits of the server are\n%s", limits)
	}
	memory, err := os.Stat(proc + "mem")
	if err != nil {
		t.Fatal(err)
	}
	if owner := memory.Sys().(*syscall.Stat_t).Uid; owner != 0 {
		t.Errorf("the server's memory is open to user %d", owner)
	}
	s.signal(t, syscall.SIGABRT)
	s.wait(t)
	status := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGABRT || status.CoreDump() {
		t.Errorf("the server ended with %v", s.cmd.ProcessState)
	}
	if cores, err := filepath.Glob(filepath.Join(s.cmd.Dir, "*")); err != nil || len(cores) > 0 {
		t.Errorf("the server left %v", cores)
	}
}
