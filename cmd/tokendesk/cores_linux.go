package main

import (
	"fmt"
	"syscall"
)

// leaveNoCore has the kernel keep this process's memory to itself: no core file when it crashes, whatever
// the limits or the handler of cores (RLIMIT_CORE does not bind one that core_pattern pipes to), and no
// look into it by another program of the same user. Root may still look.
func leaveNoCore() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("set RLIMIT_CORE to 0: %w", err)
	}
	if _, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0); failed != 0 {
		return fmt.Errorf("clear PR_SET_DUMPABLE: %w", failed)
	}
	return nil
}
