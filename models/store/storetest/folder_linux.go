package storetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// socketName is what PostgreSQL calls its socket, and pathLimit what the kernel allows for its path.
	socketName = ".s.PGSQL.5432"
	pathLimit  = 107
	// roomBytes is what must be free in /dev/shm for the files to go there: containers often have 64 MB.
	roomBytes = 1 << 30
)

// claimFolder makes a folder below root for one server and holds a lock on it for as long as this process
// lives, which is how another test process tells a server in use from what a killed one left behind.
func claimFolder(root string, owner *syscall.Credential) (dir string, lock *os.File, err error) {
	base := filepath.Join(root, "tokendesk-test-"+strconv.Itoa(os.Getuid()))
	if err := os.Mkdir(base, 0o711); err != nil && !os.IsExist(err) {
		return "", nil, err
	}
	info, err := os.Lstat(base)
	if err != nil {
		return "", nil, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() {
		return "", nil, fmt.Errorf("%s belongs to somebody else", base)
	}
	if err := os.Chmod(base, 0o711); err != nil { // whatever the umask: the server's user must get through
		return "", nil, err
	}
	turn, err := lockFolder(base, 0) // between making a folder and locking it, nobody may sweep
	if err != nil {
		return "", nil, err
	}
	defer turn.Close()
	sweep(base)

	if dir, err = os.MkdirTemp(base, "pg"); err != nil {
		return "", nil, err
	}
	if lock, err = lockFolder(dir, syscall.LOCK_NB); err != nil {
		return "", nil, err
	}
	if owner != nil {
		err = os.Chown(dir, int(owner.Uid), int(owner.Gid))
	}
	return dir, lock, err
}

// memoryRoot is the memory of the machine where there is enough of it, else a folder on a disk.
func memoryRoot() string {
	var fs syscall.Statfs_t
	if syscall.Statfs("/dev/shm", &fs) == nil && fs.Bavail*uint64(fs.Bsize) >= roomBytes {
		return "/dev/shm"
	}
	return diskRoot()
}

// diskRoot is the folder for temporary files, or /tmp where that folder's path is too long for a socket,
// or where root may have one that the server's user cannot enter.
func diskRoot() string {
	longest := filepath.Join(os.TempDir(), "tokendesk-test-4294967295", "pg4294967295", socketName)
	if os.Getuid() != 0 && len(longest) <= pathLimit {
		return os.TempDir()
	}
	return "/tmp"
}

// lockFolder locks a folder exclusively; the lock ends with the file's Close, or with the process.
func lockFolder(dir string, how int) (*os.File, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|how); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// sweep removes what test processes left behind that ended without stopping their server.
func sweep(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, "pg*"))
	for _, dir := range dirs {
		lock, err := lockFolder(dir, syscall.LOCK_NB)
		if err != nil {
			continue // in use
		}
		endServerIn(dir)
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}

// endServerIn ends a server that outlived its test process. The number in postmaster.pid may have
// gone to another program since, so the process must also say that it runs in this folder.
func endServerIn(dir string) {
	file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return
	}
	first, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil || !runsIn(pid, dir) {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGQUIT)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(10 * time.Second); runsIn(pid, dir); {
		select {
		case <-again.C:
		case <-deadline:
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
	}
}

func runsIn(pid int, dir string) bool {
	args, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return err == nil && strings.Contains(string(args), filepath.Join(dir, "data")+"\x00")
}
