package limits_test

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/limits"
)

// server is a Redis of the test's own.
type server struct {
	address string
	program *exec.Cmd
}

// start starts Redis on a port that is free, and ends it with the test.
func start(t testing.TB) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{address: l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill() })
	s.start(t)
	return s
}

func program(t testing.TB) string {
	t.Helper()
	if named := os.Getenv("TOKENDESK_TEST_REDIS"); named != "" {
		return named
	}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	if os.Getenv("TOKENDESK_TEST_REQUIRE") != "" {
		t.Fatal("neither redis-server nor valkey-server is there: .ci/test fetches one, or name it in TOKENDESK_TEST_REDIS")
	}
	t.Skip("neither redis-server nor valkey-server is there")
	return ""
}

func (s *server) start(t testing.TB) {
	t.Helper()
	_, port, _ := net.SplitHostPort(s.address)
	s.program = exec.Command(program(t), "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(), "--requirepass", "hunter2")
	if err := s.program.Start(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		c, err := net.Dial("tcp", s.address)
		if err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("Redis does not answer")
}

func (s *server) kill() {
	if s.program != nil && s.program.Process != nil {
		_ = s.program.Process.Kill()
		_ = s.program.Wait()
		s.program = nil
	}
}

func (s *server) signal(t *testing.T, what syscall.Signal) {
	t.Helper()
	if err := s.program.Process.Signal(what); err != nil {
		t.Fatal(err)
	}
}

const person = "01a20049-a317-7ea3-9747-ad5f991ff702"

var workspace = models.Workspace{ID: "01a20049-a317-7ea3-9747-ad5f991ff703", UserCallsAMinute: 50}

// replica is a gate that counts with others, by a clock that stands unless it is moved.
type replica struct {
	*access.Gate
	log  *syncBuffer
	past *atomic.Int64
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// replicas are some at one Redis.
func replicas(t *testing.T, s *server, of int) (list []replica) {
	t.Helper()
	for at := range of {
		counter, err := limits.Open("redis://:hunter2@" + s.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = counter.Close() })
		r := replica{log: &syncBuffer{}, past: new(atomic.Int64)}
		r.Gate = access.NewGate(nil, access.NewTally(), func() time.Time { return time.Unix(1_790_000_000, r.past.Load()) })
		r.CountTogether(counter, slog.New(slog.NewTextHandler(r.log, nil)))
		r.Share(at, of)
		list = append(list, r)
	}
	return list
}

// ask makes calls at all replicas at once, and answers how many passed.
func ask(t *testing.T, list []replica, who string, calls int) int {
	t.Helper()
	var passed atomic.Int64
	var all sync.WaitGroup
	for _, r := range list {
		all.Go(func() {
			for range calls {
				if r.CountSignedIn(t.Context(), who, workspace).Passed {
					passed.Add(1)
				}
			}
		})
	}
	all.Wait()
	return int(passed.Load())
}

// Of calls at three servers at once just as many pass as at one.
func TestTogetherIsExact(t *testing.T) {
	t.Parallel()
	list, begun := replicas(t, start(t), 3), time.Now()
	passed := ask(t, list, person, 40)
	if more := int(time.Since(begun) / (1200 * time.Millisecond)); passed < 50 || passed > 50+more {
		t.Errorf("%d of 50 calls passed, and %d came back meanwhile", passed, more)
	}
	for i, r := range list {
		if c, there := r.Counted(); !there || !c.Up || c.Together != 40 || c.Shares != 0 {
			t.Errorf("replica %d says %+v; %s", i, c, r.log.b.String())
		}
	}
	if limit := list[1].CountSignedIn(t.Context(), person, workspace); limit.Quota != 50 || limit.Wait > 1200*time.Millisecond || limit.Remaining > 1 {
		t.Errorf("the limit is %+v", limit)
	}
	if limit := list[2].CountSignedIn(t.Context(), "01a20049-a317-7ea3-9747-ad5f991ff709", workspace); !limit.Passed || limit.Remaining != 49 {
		t.Errorf("somebody else is %+v", limit)
	}
}

// When Redis is killed, the shares decide from the next call on, of whom the server has seen going on from there; it is said once. When it is
// back, all are counted together again.
func TestTogetherWhenRedisIsKilled(t *testing.T) {
	t.Parallel()
	s := start(t)
	list := replicas(t, s, 3)
	ask(t, list, person, 2) // the connections are there
	before := list[0].CountSignedIn(t.Context(), person, workspace)
	if !before.Passed || before.Remaining < 43 || before.Remaining > 45 {
		t.Fatalf("7 calls make %+v", before)
	}
	s.kill()
	begun := time.Now()
	passed := ask(t, list, person, 40)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("120 calls took %s without Redis", took)
	}
	if passed < 38 || passed > 50-5 { // 17, 17 and 16, less a tenth and what the rounding takes
		t.Errorf("%d of the 43 calls that were left passed", passed)
	}
	for i, r := range list {
		if said := strings.Count(r.log.b.String(), "level=WARN"); said != 1 || strings.Contains(r.log.b.String(), "hunter2") {
			t.Errorf("replica %d said it %d times: %s", i, said, r.log.b.String())
		}
	}
	s.start(t)
	for _, r := range list {
		r.past.Store(int64(time.Second + 1))
		for range 20 { // until the first has found it well
			r.CountSignedIn(t.Context(), "01a20049-a317-7ea3-9747-ad5f991ff708", workspace)
			if c, _ := r.Counted(); c.Up {
				break
			}
			time.Sleep(20 * time.Millisecond)
			r.past.Add(int64(time.Second + 1))
		}
	}
	if passed := ask(t, list, "01a20049-a317-7ea3-9747-ad5f991ff709", 40); passed < 50 || passed > 52 {
		t.Errorf("after it came back, %d of 50 passed", passed)
	}
	for i, r := range list {
		if c, _ := r.Counted(); !c.Up || strings.Count(r.log.b.String(), "level=INFO") != 1 {
			t.Errorf("replica %d: %+v: %s", i, c, r.log.b.String())
		}
	}
}

// A Redis that hangs costs one call a second 50 ms, and the others nothing.
func TestTogetherWhenRedisHangs(t *testing.T) {
	t.Parallel()
	s := start(t)
	list := replicas(t, s, 1)
	ask(t, list, person, 2)
	s.signal(t, syscall.SIGSTOP)
	begun := time.Now()
	if !list[0].CountSignedIn(t.Context(), person, workspace).Passed {
		t.Error("a call is refused because Redis hangs")
	}
	if took := time.Since(begun); took < 40*time.Millisecond || took > 250*time.Millisecond {
		t.Errorf("the first call took %s", took)
	}
	begun = time.Now()
	passed := ask(t, list, person, 1000)
	if took := time.Since(begun); took > 40*time.Millisecond || passed < 46 || passed > 47 {
		t.Errorf("1000 calls took %s, and %d passed", took, passed)
	}
	list[0].past.Store(int64(time.Second + 1))
	begun = time.Now()
	ask(t, []replica{list[0], list[0], list[0], list[0]}, person, 100) // one of them tries
	if took := time.Since(begun); took < 40*time.Millisecond || took > 250*time.Millisecond {
		t.Errorf("400 calls a second later took %s", took)
	}
	s.signal(t, syscall.SIGCONT)
	for range 20 {
		time.Sleep(20 * time.Millisecond)
		list[0].past.Add(int64(time.Second + 1))
		ask(t, list, person, 1)
		if c, _ := list[0].Counted(); c.Up {
			return
		}
	}
	t.Errorf("it does not come back: %s", list[0].log.b.String())
}

// An address that is none is not quoted, because a password may be in it.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "redis:6379", "desk:hunter2@redis", "http://:hunter2@redis:6379", "redis://:hunter2@redis:6379/x", "unix:///run/redis.sock"} {
		if _, err := limits.Open(address); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"redis://redis", "rediss://desk:hunter2@redis:6380/2"} {
		r, err := limits.Open(address)
		if err != nil {
			t.Errorf("%q: %v", address, err)
			continue
		}
		_ = r.Close()
	}
}

// BenchmarkTake is one call that is counted in Redis on this machine.
func BenchmarkTake(b *testing.B) {
	r, err := limits.Open("redis://:hunter2@" + start(b).address)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := r.Take(b.Context(), "a", 60*time.Microsecond, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}
