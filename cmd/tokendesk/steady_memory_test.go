package main

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
)

// memoryOverTime is what a server's memory was at moments of a load.
type memoryOverTime struct {
	readings []reading
	ended    chan struct{} // closed when nothing is read any more
}

// reading is what a server had at one moment.
type reading struct {
	resident   int // KiB
	live       int // KiB of the heap that were in use after the last collection, with stacks and globals
	goroutines int
	files      int
}

// readMemory asks the server, and the system.
func readMemory(t *testing.T, s server) (r reading) {
	text := s.scrape(t)
	number := func(name string) int {
		found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
		if found == nil {
			t.Errorf("the metrics do not have %s", name)
			return 0
		}
		n, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			t.Error(err)
		}
		return int(n)
	}
	// The collector begins next when twice as much is in use as was after it went last: whatever of the heap is waiting to be collected just now,
	// which is up to half of it, is not in that.
	r.live = number("go_memstats_next_gc_bytes") / 2 >> 10
	r.goroutines, r.files = number("go_goroutines"), number("process_open_fds")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Error(err)
	}
	if found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(string(status)); found != nil {
		r.resident, _ = strconv.Atoi(found[1])
	}
	return r
}

// watchMemory reads thirty times, and before: each ten seconds of five minutes. It ends when the channel is closed.
func watchMemory(t *testing.T, s server, lasts time.Duration, until <-chan struct{}) *memoryOverTime {
	m := &memoryOverTime{ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		tick := time.NewTicker(lasts / 30)
		defer tick.Stop()
		for {
			m.readings = append(m.readings, readMemory(t, s))
			select {
			case <-until:
				return
			case <-tick.C:
			}
		}
	}()
	return m
}

// Memory is flat when the median of the last quarter is no more than a tenth above that of the second, and some MiB that do not depend on how long it
// goes on: what a collection finds, and when, moves by that much. In the first quarter memory is still being filled. Something of a KiB that was lost with
// each call would be a hundred times as much within five minutes, and a few KiB with each revocation as well.
const (
	liveMiB     = 4
	residentMiB = 24
)

func (m *memoryOverTime) wantFlat(t *testing.T) {
	t.Helper()
	quarter := len(m.readings) / 4
	if quarter == 0 {
		t.Fatalf("memory was read %d times", len(m.readings))
	}
	second, last := m.readings[quarter:2*quarter], m.readings[len(m.readings)-quarter:]
	for _, of := range []struct {
		what  string
		of    func(reading) int
		spare int
	}{
		{"the live heap", func(r reading) int { return r.live }, liveMiB << 10},
		{"resident memory", func(r reading) int { return r.resident }, residentMiB << 10},
	} {
		begin, then, now := of.of(m.readings[0]), middle(second, of.of), middle(last, of.of)
		t.Logf("%s: %.1f MiB at the beginning, %.1f MiB in the second quarter, %.1f MiB in the last", of.what, float64(begin)/1024, float64(then)/1024, float64(now)/1024)
		if now > then+then/10+of.spare {
			t.Errorf("%s grows: %d KiB in the second quarter, %d KiB in the last", of.what, then, now)
		}
	}
	t.Logf("goroutines while it was called: %d (median of the last quarter)", middle(last, func(r reading) int { return r.goroutines }))
}

func middle(list []reading, of func(reading) int) int {
	numbers := make([]int, 0, len(list))
	for _, r := range list {
		numbers = append(numbers, of(r))
	}
	slices.Sort(numbers)
	return numbers[len(numbers)/2]
}

// settled closes all connections, waits until the server has let go of them, and answers what it has then: the fewest goroutines of several
// readings, because it works in the background each second.
func (l *steady) settled() reading {
	l.t.Helper()
	l.hangUp()
	l.awaitGatewayIdle()
	return l.fewest()
}

// hangUp closes the connections to the server, and those that it keeps to the product.
func (l *steady) hangUp() {
	l.client.CloseIdleConnections()
	l.product.CloseClientConnections()
	http.DefaultClient.CloseIdleConnections()
}

func (l *steady) awaitGatewayIdle() {
	l.t.Helper()
	l.server.awaitMetric(l.t, "tokendesk_gateway_calls_under_way 0$")
}

// fewest reads for two seconds, in which everything that is done each second is done.
func (l *steady) fewest() (least reading) {
	l.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := range 20 {
		if r := readMemory(l.t, l.server); n == 0 || r.goroutines < least.goroutines {
			least = r
		}
		<-tick.C
	}
	return least
}

// wantSettled insists that the server has no more goroutines than before, when all connections are closed.
func (l *steady) wantSettled(before reading) {
	l.t.Helper()
	l.hangUp()
	begun := time.Now()
	after := l.fewest()
	for after.goroutines > before.goroutines && time.Since(begun) < enough {
		after = l.fewest()
	}
	l.t.Logf("before the load %d goroutines and %d open files, %s after it %d and %d; live heap %.1f and %.1f MiB, resident %.1f and %.1f MiB", before.goroutines, before.files,
		time.Since(begun).Round(time.Second), after.goroutines, after.files, float64(before.live)/1024, float64(after.live)/1024, float64(before.resident)/1024, float64(after.resident)/1024)
	if after.goroutines > before.goroutines {
		l.t.Errorf("%d goroutines are left, and before the load there were %d", after.goroutines, before.goroutines)
	}
}
