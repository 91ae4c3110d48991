package web_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models/store/storetest"
)

// program is a running tokendesk behind a proxy that is trusted, with an Admin, a victim and an owner.
type program struct {
	base string
	pid  int
}

func startProgram(t *testing.T) program {
	t.Helper()
	binary, data := t.TempDir()+"/tokendesk", t.TempDir()
	if out, err := exec.Command("go", "build", "-o", binary, "tokendesk/cmd/tokendesk").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	command := func(args ...string) *exec.Cmd {
		c := exec.Command(binary, args...)
		c.Env = []string{"TOKENDESK_DATA_DIR=" + data, "TOKENDESK_LISTEN=127.0.0.1:0", "TOKENDESK_TRUSTED_PROXIES=127.0.0.0/8"}
		return c
	}
	for _, name := range []string{"admin", "victim", "owner"} {
		add := command("person", "add", "--name", name, "--email", name+"@siege.example", "--admin")
		add.Stdin = strings.NewReader(storetest.Password)
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	serve := command("serve")
	log, err := serve.StderrPipe()
	if err := errors.Join(err, serve.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Kill()
		_ = serve.Wait()
	})
	listening := regexp.MustCompile(`address=(http://\S+)`)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return program{found[1], serve.Process.Pid}
		}
	}
	t.Fatal("the server did not begin to listen")
	return program{}
}

// cpu is the time that the server has had a processor for, to a hundredth of a second.
func (s program) cpu(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// flood has another process, one that gives way to the server, send wrong passwords for a time. A # in the
// address is another number each time. It returns when the first is sent; what it returns waits for the end
// and tells how often each status was the answer.
func (s program) flood(t *testing.T, email string, during time.Duration) (ended func() map[int]int) {
	t.Helper()
	attacker := exec.Command("nice", "-n", "19", os.Args[0], "-test.run=^TestSiegeAttacker$", "-test.count=1")
	attacker.Env = append(os.Environ(), "TOKENDESK_SIEGE_ATTACK="+s.base+" "+email+" "+during.String())
	out, err := attacker.StdoutPipe()
	if err := errors.Join(err, attacker.Start()); err != nil {
		t.Fatal(err)
	}
	said := json.NewDecoder(out)
	answers := func() (statuses map[int]int) {
		if err := said.Decode(&statuses); err != nil {
			t.Fatal(err)
		}
		return statuses
	}
	answers() // it has begun
	return func() map[int]int {
		statuses := answers()
		_, _ = io.Copy(io.Discard, out)
		if err := attacker.Wait(); err != nil {
			t.Fatal(err)
		}
		return statuses
	}
}

// TestSiegeAttacker is the other process.
func TestSiegeAttacker(t *testing.T) {
	var base, email, length string
	if n, _ := fmt.Sscan(os.Getenv("TOKENDESK_SIEGE_ATTACK"), &base, &email, &length); n != 3 {
		t.Skip("TestSiege runs it")
	}
	during, err := time.ParseDuration(length)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var guard sync.Mutex
	statuses := map[int]int{}
	say := json.NewEncoder(os.Stdout)
	_ = say.Encode(statuses)
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	for n := range ticks(time.Minute/perMinute, during) {
		all.Go(func() {
			from := client{base: base, from: zombie(n % zombies), http: http.Client{Transport: transport}}
			status := from.signIn(t, strings.Replace(email, "#", strconv.Itoa(n), 1), wrong)
			guard.Lock()
			statuses[status]++
			guard.Unlock()
		})
	}
	all.Wait()
	_ = say.Encode(statuses)
}

// ticks counts moments that are evenly apart for a time. Those that were missed are made up for.
func ticks(apart, during time.Duration) iter.Seq[int] {
	return func(yield func(int) bool) {
		start := time.Now()
		for n := range int(during / apart) {
			time.Sleep(time.Until(start.Add(time.Duration(n) * apart)))
			if !yield(n) {
				return
			}
		}
	}
}

// client is a browser at an address.
type client struct {
	base, from string
	http       http.Client
	header     http.Header // of the last answer
}

func (s program) client(from string) *client {
	jar, _ := cookiejar.New(nil)
	return &client{base: s.base, from: from, http: http.Client{Jar: jar}}
}

func (s program) signedIn(t *testing.T, from, email string) *client {
	t.Helper()
	c := s.client(from)
	if status := c.signIn(t, email, storetest.Password); status != http.StatusSeeOther {
		t.Fatalf("%s signs in: status %d", email, status)
	}
	return c
}

func (c *client) signIn(t *testing.T, email, password string) int {
	t.Helper()
	return c.post(t, "/signin", url.Values{"email": {email}, "password": {password}})
}

func (c *client) get(t *testing.T, path string) {
	t.Helper()
	if status := c.do(t, http.MethodGet, path, ""); status != http.StatusOK {
		t.Fatalf("%s: status %d", path, status)
	}
}

func (c *client) post(t *testing.T, path string, form url.Values) int {
	t.Helper()
	return c.do(t, http.MethodPost, path, form.Encode())
}

func (c *client) do(t *testing.T, method, path, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", c.from)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := c.http.Do(r)
	if err != nil {
		t.Log(err)
		return 0 // no answer, which no caller takes for a good one
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	c.header = response.Header
	return response.StatusCode
}

func load(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func quantile(list []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(q*float64(len(sorted)-1))]
}

func mean(list []float64) (m float64) {
	for _, v := range list {
		m += v / float64(len(list))
	}
	return m
}

func variance(list []float64) (v float64) {
	m := mean(list)
	for _, x := range list {
		v += math.Pow(x-m, 2) / float64(len(list)-1)
	}
	return v
}
