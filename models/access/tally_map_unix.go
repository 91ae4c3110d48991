//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package access

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

const canMap = true

// mapFile has a part of a file as memory. What is written there is the file's at once, for everybody on this machine.
func mapFile(file *os.File, from int64, size int) ([]byte, error) {
	mapped, err := unix.Mmap(int(file.Fd()), from, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if errors.Is(err, unix.ENODEV) { // a file system that cannot
		err = errors.ErrUnsupported
	}
	return mapped, os.NewSyscallError("mmap", err)
}

// lockFile locks a file until the end of the process, or answers errLocked.
func lockFile(file *os.File) error {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return os.NewSyscallError("flock", err)
}

func unlockFile(file *os.File) { _ = unix.Flock(int(file.Fd()), unix.LOCK_UN) }
