package main

import (
	"fmt"
	"os"
	"os/exec"
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
}

// asking is a server that is asked something.
type asking struct {
	name   string
	server server
	script string
}

func (s *subject) at() asking { return asking{s.name, s.server, s.asked.script} }
func (s *subject) of(other *server) asking {
	return asking{"against " + s.name, *other, s.asked.script}
}

// asked asks a server for some seconds, and insists that each call was answered well.
func (s asking) asked(t *testing.T, seconds int) figures {
	t.Helper()
	f, err := s.call(seconds)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (s asking) call(seconds int) (f figures, err error) {
	before := s.spent()
	out, err := exec.Command("taskset", "-c", loadCore, "wrk", "-t1", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(seconds)+"s", "--timeout", "10s", "-s", s.script, s.server.base).CombinedOutput()
	after := s.spent()
	found := figuresOf.FindStringSubmatch(string(out))
	if err != nil || found == nil || strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		return f, fmt.Errorf("%s: %v\n%s\n%s", s.name, err, out, s.server.err)
	}
	number, _ := strconv.Atoi(found[1])
	f.perSecond, err = strconv.ParseFloat(found[2], 64)
	f.server = (after - before) / time.Duration(max(1, number))
	return f, err
}

// figuresOf is what wrk says.
var figuresOf = regexp.MustCompile(`([1-9]\d*) requests in(?s:.*)Requests/sec:\s*([\d.]+)`)

// spent is the processor's time that the server has had, by /proc/PID/stat (proc(5)).
func (s asking) spent() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.server.cmd.Process.Pid))
	_, behindName, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(behindName) // its first is the third of all
	if len(fields) < 20 {
		return 0
	}
	number := func(nth int) int { n, _ := strconv.Atoi(fields[nth-3]); return n }
	const tick = time.Second / 100
	return tick * time.Duration(number(14)+number(15))
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

// table is the figures in Markdown: as medians of the rounds; and the ratios within each round to what it is compared with: the median, the lowest
// and the highest. Of a request about many credentials, all
// is told by the credential.
// A ratio of 1 costs as much as what it is compared with, and one below costs more.
func table(list []*subject) string {
	var out strings.Builder
	out.WriteString("| server | calls a second | CPU µs a call | by CPU | by calls a second |\n|---|---|---|---|---|\n")
	for _, s := range list {
		byCPU, byCalls := "1", "1"
		if s.against != nil {
			byCPU = ratios(s.theirs, s.own, figures.cpu)
			byCalls = ratios(s.own, s.theirs, figures.calls)
		}
		calls, cpu := median(figuresIn(s.own, figures.calls)), median(figuresIn(s.own, figures.cpu))
		if s.many > 0 {
			calls, cpu, byCPU = calls*float64(s.many), cpu/float64(s.many), fmt.Sprintf("%.0f a second on one core", 1e6*float64(s.many)/cpu)
			byCalls = "of credentials"
		}
		fmt.Fprintf(&out, "| %s | %.0f | %.2f | %s | %s |\n", s.name, calls, cpu, byCPU, byCalls)
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
