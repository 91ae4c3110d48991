package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// call calls the server for some seconds, and insists that each call was answered well.
func (s *subject) call(t *testing.T, seconds int) figures {
	t.Helper()
	args := []string{"-c", loadCore, "wrk", "-t1", "-c" + strconv.Itoa(connections), "-d" + strconv.Itoa(seconds) + "s"}
	for _, field := range s.fields {
		args = append(args, "-H", field)
	}
	server, database := s.spent()
	out, err := exec.Command("taskset", append(args, s.url)...).CombinedOutput()
	serverNow, databaseNow := s.spent()
	if err != nil || strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") || strings.Contains(string(out), "\n  0 requests") {
		t.Fatalf("%s: %v\n%s\n%s", s.name, err, out, s.server.err)
	}
	calls := time.Duration(numberIn(t, string(out), `(\d+) requests in`))
	return figures{numberIn(t, string(out), `Requests/sec:\s*([\d.]+)`), (serverNow - server) / calls, (databaseNow - database) / calls}
}

func numberIn(t *testing.T, text, pattern string) float64 {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("nothing in this matches %s:\n%s", pattern, text)
	}
	n, err := strconv.ParseFloat(found[1], 64)
	if err != nil || n == 0 {
		t.Fatalf("%s: %q, %v", pattern, found[1], err)
	}
	return n
}

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

// table is the figures in Markdown: medians of the rounds; and of the ratios within each round, with the lowest and the highest.
// A ratio of 1 costs as much as what it is compared with, and one below costs more.
func table(list []*subject) string {
	var out strings.Builder
	out.WriteString("| server | calls a second | CPU µs a call | database's CPU µs | by CPU | by calls a second |\n|---|---|---|---|---|---|\n")
	for _, s := range list {
		fmt.Fprintf(&out, "| %s | %.0f | %.1f | %s | %s | %s |\n", s.name, median(s.each(figures.calls)), median(s.each(figures.cpu)), s.databaseTime(),
			s.compared(func(ours, theirs figures) float64 { return theirs.cpu() / ours.cpu() }),
			s.compared(func(ours, theirs figures) float64 { return ours.perSecond / theirs.perSecond }))
	}
	return out.String()
}

func (f figures) calls() float64 { return f.perSecond }
func (f figures) cpu() float64   { return float64(f.server) / float64(time.Microsecond) }

func (s *subject) each(of func(figures) float64) (list []float64) {
	for _, f := range s.rounds {
		list = append(list, of(f))
	}
	return list
}

func (s *subject) databaseTime() string {
	if s.database == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", median(s.each(func(f figures) float64 { return float64(f.database) / float64(time.Microsecond) })))
}

func (s *subject) compared(by func(ours, theirs figures) float64) string {
	if s.against == nil {
		return "1"
	}
	var list []float64
	for i, ours := range s.rounds {
		list = append(list, by(ours, s.against.rounds[i]))
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(list), slices.Min(list), slices.Max(list))
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
