package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Where what runs. PostgreSQL runs where the test does, which is to be on the second core too.
const (
	serverCore = "0"
	loadCore   = "1"
)

// connections are kept open and used all the time.
const connections = 32

// figures are what one round says of a server.
type figures struct {
	perSecond float64       // calls
	server    time.Duration // of the processor, a call
	database  time.Duration // of the processor, in the database's processes, a call
}

// together calls servers at the same time, for some seconds, and insists that each call was answered well. What else the machine does
// meets them all alike.
func together(t *testing.T, seconds int, servers ...*subject) []figures {
	t.Helper()
	got, errs := make([]figures, len(servers)), make([]error, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() { got[i], errs[i] = s.call(seconds) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return got
}

func (s *subject) call(seconds int) (f figures, err error) {
	args := []string{"-c", loadCore, "wrk", "-t1", "-c" + strconv.Itoa(connections), "-d" + strconv.Itoa(seconds) + "s", "--timeout", "10s"}
	for _, field := range s.fields {
		args = append(args, "-H", field)
	}
	server, database := s.spent()
	out, err := exec.Command("taskset", append(args, s.url)...).CombinedOutput()
	serverNow, databaseNow := s.spent()
	found := figuresOf.FindStringSubmatch(string(out))
	if err != nil || found == nil || strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		return f, fmt.Errorf("%s: %v\n%s\n%s", s.name, err, out, s.server.err)
	}
	number, _ := strconv.Atoi(found[1])
	calls := time.Duration(max(1, number))
	f.perSecond, err = strconv.ParseFloat(found[2], 64)
	f.server, f.database = (serverNow-server)/calls, (databaseNow-database)/calls
	return f, err
}

// figuresOf is what wrk says.
var figuresOf = regexp.MustCompile(`([1-9]\d*) requests in(?s:.*)Requests/sec:\s*([\d.]+)`)

// spent is the processor's time that the server and its database have had.
func (s *subject) spent() (server, database time.Duration) {
	if s.database != 0 {
		every, _ := filepath.Glob("/proc/[0-9]*")
		for _, path := range every {
			pid, _ := strconv.Atoi(filepath.Base(path))
			if child := statOf(pid); child.parent == s.database {
				database += child.spent
			}
		}
		parent := statOf(s.database)
		database += parent.spent + parent.gone
	}
	return statOf(s.server.cmd.Process.Pid).spent, database
}

// stat is what /proc/PID/stat says of a process (proc(5)).
type stat struct {
	parent int
	spent  time.Duration // on a processor
	gone   time.Duration // the same, of children that have ended
}

// statOf is empty for a process that is not there.
func statOf(pid int) (s stat) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, behindName, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(behindName) // its first is the third of all
	if len(fields) < 20 {
		return s
	}
	number := func(nth int) int { n, _ := strconv.Atoi(fields[nth-3]); return n }
	const tick = time.Second / 100
	return stat{number(4), tick * time.Duration(number(14)+number(15)), tick * time.Duration(number(16)+number(17))}
}

func loadAverage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// table is the figures in Markdown: of when each was alone, as medians of the rounds; and the ratios within each round of when both were
// called at once, where each has the same share of the core: the median, the lowest and the highest.
// A ratio of 1 costs as much as what it is compared with, and one below costs more.
func table(list []*subject) string {
	var out strings.Builder
	out.WriteString("| server | calls a second | CPU µs a call | database's CPU µs | by CPU | by calls a second |\n|---|---|---|---|---|---|\n")
	for _, s := range list {
		byCPU, byCalls := "1", "1"
		if s.against != nil {
			byCPU = ratios(s.theirs, s.beside, figures.cpu)
			byCalls = ratios(s.beside, s.theirs, figures.calls)
		}
		fmt.Fprintf(&out, "| %s | %.0f | %.1f | %s | %s | %s |\n",
			s.name, median(figuresIn(s.alone, figures.calls)), median(figuresIn(s.alone, figures.cpu)), s.databaseTime(), byCPU, byCalls)
	}
	return out.String()
}

func (f figures) calls() float64 { return f.perSecond }
func (f figures) cpu() float64   { return float64(f.server) / float64(time.Microsecond) }

func figuresIn(rounds []figures, of func(figures) float64) (list []float64) {
	for _, f := range rounds {
		list = append(list, of(f))
	}
	return list
}

func (s *subject) databaseTime() string {
	if s.database == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", median(figuresIn(s.alone, func(f figures) float64 { return float64(f.database) / float64(time.Microsecond) })))
}

func ratios(above, below []figures, of func(figures) float64) string {
	list := figuresIn(above, of)
	for i, f := range below {
		list[i] /= of(f)
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(list), slices.Min(list), slices.Max(list))
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
