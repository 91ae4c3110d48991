//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The machine's time of day is set, by up to half a minute forward or back, and after some seconds put back to what it would be. A process of its own does
// it, which goes on when the tests are killed or interrupted; and they look afterwards, should it be killed.

// jumpKey tells a process of this program that it is the one, by how much, and for how long.
const jumpKey = "TOKENDESK_CHAOS_JUMP"

const clockFault = "the clock jumps"

// clockJumps is the fault, where TOKENDESK_CHAOS_CLOCK is 1: it is not the servers' alone, but everybody's on the machine.
func clockJumps(t testing.TB) []fault {
	if number(t, "TOKENDESK_CHAOS_CLOCK", 0) != 1 {
		return nil
	}
	if os.Geteuid() != 0 {
		t.Fatal("TOKENDESK_CHAOS_CLOCK=1 sets the machine's clock: run it as root, or leave it out")
	}
	return []fault{{clockFault, clockJump}}
}

func clockJump(r *run, _ *replica, random *rand.Rand) {
	by := between(random, -30*time.Second, 30*time.Second)
	before, err := apart()
	if err != nil {
		r.t.Error(err)
		return
	}
	jump := exec.Command(os.Args[0])
	jump.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", jumpKey, by, between(random, 50*time.Millisecond, 3*time.Second)))
	jump.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the tests
	defer func() {
		after, err := apart()
		if err == nil && (after-before).Abs() > time.Millisecond {
			err = setApart(before)
		}
		if err != nil {
			r.t.Errorf("the clock is off by %v: %v", after-before, err)
		}
	}()
	if out, err := jump.CombinedOutput(); err != nil {
		r.t.Errorf("set the clock: %v\n%s", err, out)
	}
}

// jumpInstead is what such a process does instead of testing.
func jumpInstead() {
	var by, lasts time.Duration
	if _, err := fmt.Sscan(os.Getenv(jumpKey), &by, &lasts); err != nil {
		return
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if err := jumpFor(by, lasts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func jumpFor(by, lasts time.Duration) (err error) {
	was, err := apart()
	if err != nil {
		return err
	}
	defer func() {
		if failed := setApart(was); failed != nil {
			err = failed
		}
	}()
	if err := setApart(was + by); err != nil {
		return err
	}
	time.Sleep(lasts)
	return nil
}

// precise is how well the two clocks are compared: whoever loses the processor between two looks looks again, or a busy machine's clock would be off by
// more with every jump.
const precise = 20 * time.Microsecond

var errUnsteady = errors.New("the machine is too busy to compare its clocks")

// apart is how far the time of day is from the clock that nobody sets.
func apart() (time.Duration, error) {
	var before, day, after unix.Timespec
	for range 100_000 {
		err := errors.Join(unix.ClockGettime(unix.CLOCK_MONOTONIC, &before), unix.ClockGettime(unix.CLOCK_REALTIME, &day), unix.ClockGettime(unix.CLOCK_MONOTONIC, &after))
		if err != nil {
			return 0, err
		}
		if took := after.Nano() - before.Nano(); took <= int64(precise) {
			return time.Duration(day.Nano() - before.Nano() - took/2), nil
		}
	}
	return 0, errUnsteady
}

// setApart sets the time of day by that clock, and looks whether it is set.
func setApart(d time.Duration) error {
	var steady unix.Timespec
	for range 1000 {
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &steady); err != nil {
			return err
		}
		day := unix.NsecToTimespec(steady.Nano() + int64(d))
		if err := unix.ClockSettime(unix.CLOCK_REALTIME, &day); err != nil {
			return err
		}
		if is, err := apart(); err != nil || (is-d).Abs() <= 5*precise {
			return err
		}
	}
	return errUnsteady
}
