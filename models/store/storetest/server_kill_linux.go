package storetest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killAll ends the server and all that it has started, none of them before the others: while the first
// process stands still it starts nothing and tells nobody to end.
func (s *server) killAll() error {
	if err := s.process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	children, err := childrenOf(s.process.Pid)
	for _, pid := range children {
		if failed := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(failed, syscall.ESRCH) {
			err = errors.Join(err, failed)
		}
	}
	return errors.Join(err, s.killFirst())
}

// killFirst ends the process that was started here, and waits for its end.
func (s *server) killFirst() error {
	if err := s.process.Kill(); err != nil {
		return err
	}
	<-s.ended
	return nil
}

// endBy sends the first process a signal, and waits for its end.
func (s *server) endBy(by os.Signal) error {
	if err := s.process.Signal(by); err != nil {
		return err
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(time.Minute):
		return errors.New("PostgreSQL does not end")
	}
}

// startAgain starts the server on its data. It ends at once while a process of the one before still has the
// data in use; then it is started anew.
func (s *server) startAgain(ctx context.Context) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if err := s.start(ctx); err != nil {
			return err
		}
		err := s.awaitReady(ctx)
		if !errors.Is(err, errEndedAtOnce) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// childrenOf lists the processes that a process has started and that have not ended.
func childrenOf(parent int) (pids []int, err error) {
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		stat, gone := os.ReadFile(path)
		if gone != nil {
			continue
		}
		// "pid (name) state parent …": the name may hold anything, and ends at the last parenthesis.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		pids = append(pids, pid)
	}
	return pids, err
}
