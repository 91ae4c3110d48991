package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sample starts "tokendesk sample" on a free port, and waits until it listens.
func (in place) sample(t *testing.T, env ...string) server {
	t.Helper()
	p := launch(t, in.env(env...), "", "sample", "--listen", "127.0.0.1:0")
	return server{p, p.await(t, p.err, listening)[1]}
}

// The sample runs without the console: it answers, keeps what it is given over a restart, and ends well.
func TestSample(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	first := in.sample(t)
	b := first.browser(t)
	if a := b.get(t, "/api/agent-base"); a.status != http.StatusOK || !strings.Contains(a.body, `"name":"Token Guide"`) {
		t.Errorf("status %d: %s", a.status, a.body)
	}
	r := b.request(t, http.MethodPost, "/api/knowledge-base/storage?name=house.txt", strings.NewReader("The kettle is descaled on Fridays."))
	b.do(t, r).want(t, http.StatusCreated)
	if ended := first.stop(t); ended.out != "" || !hasLine(ended.err, "level=WARN", "whoever reaches this address is believed to be the gateway: set TOKENDESK_SAMPLE_KEY") {
		t.Errorf("stdout %q, stderr %q", ended.out, ended.err)
	}
	if entries, err := os.ReadDir(in.dir); err != nil || len(entries) != 2 || entries[0].Name() != "sample.db" || entries[1].Name() != "sample.db.files" {
		t.Errorf("the data directory has %v (%v)", entries, err)
	}

	again := in.sample(t)
	if a := again.browser(t).get(t, "/api/knowledge-base/search?q=kettle"); !strings.Contains(a.body, "The **kettle** is descaled") {
		t.Errorf("after a restart: %s", a.body)
	}
	again.stop(t)

	elsewhere := launch(t, in.env(), "", "sample", "--listen", "127.0.0.1:0", "--file", filepath.Join(filepath.Dir(in.dir), "other.db"))
	base := elsewhere.await(t, elsewhere.err, listening)[1]
	if a := (server{elsewhere, base}).browser(t).get(t, "/api/knowledge-base/search?q=kettle"); strings.Contains(a.body, "kettle**") {
		t.Errorf("in another file: %s", a.body)
	}
}

// A signal lets an answer that is just being sent come to its end.
func TestSampleEndsWell(t *testing.T) {
	t.Parallel()
	s := onSQLite(t).sample(t)
	b := s.browser(t)
	r := b.request(t, http.MethodPost, "/api/assistant/chat", strings.NewReader(`{"message":"How do I send a token?"}`))
	r.Header.Set("Content-Type", "application/json")
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	if line, err := lines.ReadString('\n'); line != "event: start\n" || err != nil {
		t.Fatalf("it begins with %q (%v)", line, err)
	}
	s.signal(t, syscall.SIGTERM)
	if rest, err := io.ReadAll(lines); !strings.Contains(string(rest), "event: done\n") || err != nil {
		t.Errorf("it ends with %.200q (%v)", rest, err)
	}
	if r := s.wait(t); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
}

// With the gateway's key, only the gateway is believed.
func TestSampleWithAKey(t *testing.T) {
	t.Parallel()
	s := onSQLite(t).sample(t, "TOKENDESK_SAMPLE_KEY="+hex.EncodeToString([]byte("a key for the tests")))
	b := s.browser(t)
	if a := b.get(t, "/api/agent-base"); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "X-Tokendesk-Identity is missing") {
		t.Errorf("status %d: %s", a.status, a.body)
	}
	r := b.request(t, http.MethodGet, "/api/agent-base", nil)
	mac := hmac.New(sha256.New, []byte("a key for the tests"))
	said := fmt.Sprintf(`t=%d, request="r1", workspace="w1", kind="api", credential="c1", person="", scope="agents:list"`, time.Now().Unix())
	io.WriteString(mac, "GET\n/api/agent-base\n"+said)
	r.Header.Set("X-Tokendesk-Identity", said+`, v1="`+hex.EncodeToString(mac.Sum(nil))+`"`)
	b.do(t, r).want(t, http.StatusOK)
	if ended := s.stop(t); strings.Contains(ended.err, "WARN") {
		t.Errorf("stderr %q", ended.err)
	}
}

// What keeps the sample from starting is told in one line, which quotes no key.
func TestWhatKeepsTheSampleFromStarting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env, args []string
		arrange   func(t *testing.T, in place)
		code      int
		want      string
	}{
		"port in use":              {args: []string{"--listen", "occupied"}, code: 1, want: "is in use by another program: stop it, or set --listen to another port"},
		"no such host":             {args: []string{"--listen", "192.0.2.1:0"}, code: 1, want: "192.0.2.1:0 is not an address of this machine: set --listen to one that is"},
		"no address":               {args: []string{"--listen", "here"}, code: 2, want: `--listen is "here": use HOST:PORT`},
		"key empty":                {env: []string{"TOKENDESK_SAMPLE_KEY="}, code: 2, want: "TOKENDESK_SAMPLE_KEY is not a key: use 32 hexadecimal digits or more"},
		"key too short":            {env: []string{"TOKENDESK_SAMPLE_KEY=" + strings.Repeat("ab", 15)}, code: 2, want: "TOKENDESK_SAMPLE_KEY is not a key"},
		"key not in hex":           {env: []string{"TOKENDESK_SAMPLE_KEY=hunter2hunter2hunter2hunter2hunter2"}, code: 2, want: "TOKENDESK_SAMPLE_KEY is not a key"},
		"no such folder":           {args: []string{"--file", "missing/sample.db"}, code: 1, want: "open missing/sample.db: no such file or directory"},
		"another file":             {args: []string{"--file", "key"}, code: 1, want: "another program's database: name another file"},
		"data directory is a file": {arrange: func(t *testing.T, in place) { write(t, in.dir, "") }, code: 1, want: "cannot be made: not a directory; set TOKENDESK_DATA_DIR"},
		"a word too many":          {args: []string{"hunter2"}, code: 2, want: "sample: there are more arguments than it takes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := onSQLite(t)
			if c.arrange != nil {
				c.arrange(t, in)
			}
			args := append([]string{"sample"}, c.args...)
			switch args[len(args)-1] {
			case "occupied":
				args[len(args)-1] = occupied(t)
			case "key": // the console's database
				in.ok(t, "", "migrate", "up")
				args[len(args)-1] = filepath.Join(in.dir, "tokendesk.db")
			}
			launch(t, in.env(c.env...), "", args...).wait(t).wantOneLine(t, c.code, c.want)
		})
	}
}

// TOKENDESK_LISTEN is the console's: both can run with the same environment.
func TestSampleListensElsewhere(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{{nil, "127.0.0.1:8090"}, {[]string{"--listen", ":9000"}, ":9000"}} {
		flags := newFlags("sample")
		given := addFlags(flags)
		if err := flags.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		settings, err := readConfig(given, func(name string) (string, bool) { return ":8080", name == "TOKENDESK_LISTEN" })
		if err != nil {
			t.Fatal(err)
		}
		if got := sampleAddress(flags, settings); got != c.want {
			t.Errorf("with %q it listens on %s", c.args, got)
		}
	}
}

// A file of 256 MiB goes into the sample, and comes out, while its memory grows by much less: what it needs does
// not depend on the size. Measured is the most that the program as it is shipped ever had in memory.
func TestMemoryOfTheSample(t *testing.T) {
	t.Parallel()
	const size, most = 256 << 20, 16 << 10 // bytes, KiB
	in := onSQLite(t)
	s := in.runShipped(t, shipped(t), "sample", "--listen", "127.0.0.1:0")
	b := s.browser(t)
	b.client.Timeout = 0
	carry := func(size int64) {
		hash := sha256.New()
		content := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{}), size), hash)
		var kept struct{ Data struct{ ID, SHA256 string } }
		a := b.do(t, b.request(t, http.MethodPost, "/api/knowledge-base/storage?name=large.bin", content)).want(t, http.StatusCreated)
		if err := json.Unmarshal([]byte(a.body), &kept); err != nil || kept.Data.SHA256 != hex.EncodeToString(hash.Sum(nil)) {
			t.Fatalf("kept is %s (%v)", a.body, err)
		}
		response, err := b.client.Do(b.request(t, http.MethodGet, "/api/knowledge-base/storage/"+kept.Data.ID, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		hash.Reset()
		if n, err := io.Copy(hash, response.Body); n != size || err != nil || hex.EncodeToString(hash.Sum(nil)) != kept.Data.SHA256 {
			t.Errorf("%d bytes came back (%v)", n, err)
		}
	}
	carry(1 << 20)
	before := s.peak(t)
	carry(size)
	after := s.peak(t)
	t.Logf("the peak of memory was %.1f MiB before and is %.1f MiB after", float64(before)/1024, float64(after)/1024)
	if after-before >= most {
		t.Errorf("256 MiB take %d KiB of memory", after-before)
	}
}
