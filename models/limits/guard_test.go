package limits_test

import (
	"bytes"
	"math"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models/limits"
)

// liar is a server that takes every greeting and answers every other command with nonsense.
func liar(t *testing.T, nonsense string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	said := []byte(nonsense)
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { lie(c, said) })
		}
	})
	return l.Addr().String()
}

func lie(c net.Conn, nonsense []byte) {
	defer c.Close()
	asked := make([]byte, 16<<10)
	for {
		n, err := c.Read(asked)
		if err != nil {
			return
		}
		words := bytes.ToLower(asked[:n])
		answer := nonsense
		if bytes.Contains(words, []byte("\r\nhello\r\n")) {
			answer = []byte("-ERR unknown command\r\n")
		} else if !bytes.Contains(words, []byte("\r\neval")) {
			answer = bytes.Repeat([]byte("+OK\r\n"), bytes.Count(words, []byte("*")))
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// Whatever a server answers that is no Redis of ours: calls are counted by shares, which is said once, and it costs little memory.
func TestNonsenseCostsExactnessAlone(t *testing.T) {
	for name, nonsense := range map[string]string{
		"a list of 32 GiB":        "*2147483647\r\n:1\r\n",
		"a list beyond all":       "*9223372036854775807\r\n:1\r\n",
		"a text beyond all":       "$9223372036854775000\r\n",
		"a text of 300 MB":        "$300000000\r\nabc\r\n",
		"a signed length":         "*+2147483647\r\n:1\r\n",
		"a map beyond all":        "%2147483647\r\n:1\r\n",
		"a set beyond all":        "~2147483647\r\n:1\r\n",
		"a push beyond all":       ">2147483647\r\n:1\r\n",
		"an attribute":            "|2147483647\r\n:1\r\n",
		"many attributes":         strings.Repeat("|1\r\n+a\r\n:1\r\n", 300_000),
		"an error beyond all":     "!2147483647\r\n:1\r\n",
		"a verbatim beyond all":   "=2147483647\r\n:1\r\n",
		"a list of minus many":    "*-5\r\n",
		"lists within lists":      strings.Repeat("*1\r\n", 5_000_000) + ":1\r\n",
		"large lists in lists":    strings.Repeat("*1024\r\n", 500),
		"a line without an end":   "+" + strings.Repeat("a", 30_000_000),
		"an error without an end": "-" + strings.Repeat("a", 30_000_000),
		"other bytes":             "\x00\xff\x00\xff\r\n",
		"more than there is":      "*2\r\n:1\r\n:9223372036854775807\r\n",
		"less than nothing":       "*2\r\n:1\r\n:-9223372036854775808\r\n",
		"neither yes nor no":      "*2\r\n:2\r\n:5\r\n",
		"a map":                   "%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n",
		"no number":               "*2\r\n,inf\r\n,nan\r\n",
		"somewhere else":          "-MOVED 1 127.0.0.1:1\r\n",
		"the script is unknown":   "-NOSCRIPT no\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			list := replicas(t, &server{address: liar(t, nonsense)}, 1)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if passed := ask(t, list, person, 60); passed < 44 || passed > 50 {
				t.Errorf("%d of 60 calls passed", passed)
			}
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 2<<20 {
				t.Errorf("it took %d bytes", took)
			}
			if c, _ := list[0].Counted(); c.Up || c.Together != 0 || c.Shares != 60 {
				t.Errorf("they are counted as %+v", c)
			}
			if told := list[0].log.b.String(); strings.Count(told, "level=WARN") != 1 || len(told) > 10_000 {
				t.Errorf("it is told in %d bytes: %.500s", len(told), told)
			}
		})
	}
}

// The most that a limit can say is no nonsense.
func TestMostThatALimitSays(t *testing.T) {
	t.Parallel()
	r, err := limits.Open("redis://:hunter2@" + start(t).address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, pace := range []time.Duration{100 * time.Nanosecond, time.Minute, math.MaxInt32 * time.Microsecond} {
		for n := range 3 {
			ahead, passed, err := r.Take(t.Context(), pace.String(), pace, 2*pace)
			if err != nil || ahead > 2*pace || n == 0 && !passed || pace == time.Minute && passed != (n < 2) {
				t.Errorf("%s: call %d: %s %t %v", pace, n, ahead, passed, err)
			}
		}
	}
}
