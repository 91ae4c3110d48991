package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tokendesk/models/store/storetest"
)

// TestCost compares the whole server, over a PostgreSQL with a million credentials that it all remembers, with servers that check nothing: a
// handler of the web framework that answers 204 to the same requests, and a tuned httputil.ReverseProxy in front of the same upstream. It does so by the
// processor's time for a call, and by calls a second. It fails when nothing can be measured, and prints a table that people judge.
// .ci/bench verify runs it, on one core, and has the servers run on the other.
//
// TOKENDESK_TEST_COST is how many rounds there are; without it there are none. In a round every server is called for
// TOKENDESK_TEST_COST_SECONDS, one after the other, and right before it what it is compared with.
// TOKENDESK_TEST_COST_TOKENS is how many credentials there are, and TOKENDESK_TEST_COST_ONLY a part of the name of what is measured.
func TestCost(t *testing.T) {
	if os.Getenv("TOKENDESK_TEST_COST") == "" {
		t.Skip("it measures what checking costs: ./.ci/bench verify")
	}
	rounds, seconds := howMany(t, "TOKENDESK_TEST_COST", 5), howMany(t, "TOKENDESK_TEST_COST_SECONDS", 5)
	list := subjects(t)
	before := loadAverage(t)
	for _, s := range list {
		s.at().asked(t, 1) // connections are made, and what is kept is kept
	}
	for range rounds {
		for _, s := range list {
			if s.against != nil {
				s.theirs = append(s.theirs, s.of(s.against).asked(t, seconds))
			}
			s.own = append(s.own, s.at().asked(t, seconds))
		}
	}
	fmt.Printf("\nLoad average before and after: %s, %s. %d rounds of %d s.\n\n%s\n", before, loadAverage(t), rounds, seconds, table(list))
}

// subject is a server, and what it is asked.
type subject struct {
	name    string
	server  server
	asked   requests
	against *server // which is asked the same; nil for what others are compared with
	many    int     // credentials a request

	own, theirs []figures // by round, of it and of what it is compared with, which comes right before it
}

const callPath = "/api/agent-base/42?full=1"

// subjects starts all servers that are compared.
func subjects(t *testing.T) (list []*subject) {
	t.Helper()
	upstream := alone(t, loadCore, "upstream")
	to := "UPSTREAM=" + upstream.base
	proxy, again, free := alone(t, serverCore, "proxy", to), alone(t, serverCore, "proxy", to), alone(t, serverCore, "free proxy", to)
	echo, second, freeEcho := alone(t, serverCore, "echo"), alone(t, serverCore, "echo"), alone(t, serverCore, "free echo")

	in := place{dir: filepath.Join(t.TempDir(), "data"), url: storetest.NewOwnPostgres(t).URL}
	env := []string{"TOKENDESK_UPSTREAM_ALLOW=127.0.0.0/8", "TOKENDESK_FORWARD_AUTH_FROM=127.0.0.0/8", "TOKENDESK_METRICS_LISTEN=127.0.0.1:0"}
	setUp := in.serve(t, env...)
	setUp.setUp(t).product(t, upstream.base)
	setUp.stop(t)
	many := crowded(t, in.open(t), howMany(t, "TOKENDESK_TEST_COST_TOKENS", 1_000_000))
	begun := time.Now()
	whole := in.pinned(t, env...)
	whole.awaitReady(t)
	fmt.Printf("\nA server over %d credentials answered that it is ready %.2f s after it was started.\n", len(many.tokens), time.Since(begun).Seconds())
	nameless := in.pinned(t, append(env, "TOKENDESK_FORWARD_AUTH_IDENTITY=off", "TOKENDESK_REPLICA_NAME=nameless")...)
	many.remembered(t, whole)
	many.remembered(t, nameless)

	one, hundred := many.tokens[:1], many.tokens[:min(len(many.tokens), 100_000)]
	few := many.tokens[:min(len(many.tokens), 1000)]
	all := []*subject{
		{name: "Echo handler that answers 204 and checks nothing", server: echo, asked: forwardAuth(one)},
		{name: "the same once more: the noise", server: second, asked: forwardAuth(one), against: &echo},
		{name: "the same in a server without limits on time", server: freeEcho, asked: forwardAuth(one), against: &echo},
		{name: "forward-auth with identity, one credential", server: whole, asked: forwardAuth(one), against: &echo},
		{name: "forward-auth with identity, 1,000 credentials in turns", server: whole, asked: forwardAuth(few), against: &echo},
		{name: "forward-auth with identity, 100,000 credentials in turns", server: whole, asked: forwardAuth(hundred), against: &echo},
		{name: "forward-auth without identity, one credential", server: nameless, asked: forwardAuth(one), against: &echo},
		{name: "forward-auth without identity, 1,000 credentials in turns", server: nameless, asked: forwardAuth(few), against: &echo},
		{name: "introspection, 1,000 credentials in turns", server: whole, asked: introspection(many.key, few), against: &echo},
		{name: "verification of 100 credentials at once, of 1,000", server: whole, asked: verification(many.key, few), many: 100},
		{name: "verification of 100 credentials at once, of 100,000", server: whole, asked: verification(many.key, hundred), many: 100},
		{name: "tuned ReverseProxy, which checks nothing", server: proxy, asked: call(one)},
		{name: "the same once more: the noise", server: again, asked: call(one), against: &proxy},
		{name: "the ReverseProxy in a server without limits on time", server: free, asked: call(one), against: &proxy},
		{name: "the gateway, one credential", server: whole, asked: call(one), against: &proxy},
		{name: "the gateway, 1,000 credentials in turns", server: whole, asked: call(few), against: &proxy},
	}
	for _, s := range all {
		if strings.Contains(s.name, os.Getenv("TOKENDESK_TEST_COST_ONLY")) {
			s.asked.write(t)
			list = append(list, s)
		}
	}
	return list
}

// alone starts one of the programs that need no installation.
func alone(t *testing.T, core, program string, env ...string) server {
	t.Helper()
	p := pinned(t, core, program, env)
	return server{p, p.await(t, p.err, listening)[1]}
}

// awaitReady waits until a server says that it is.
func (s server) awaitReady(t *testing.T) {
	t.Helper()
	for late := time.Now().Add(enough); time.Now().Before(late); time.Sleep(time.Millisecond) {
		if a, err := http.Get(s.base + "/readyz"); err == nil {
			a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatalf("not ready: %s", s.err)
}

// pinned starts the command serve on the core for servers.
func (in place) pinned(t *testing.T, env ...string) server {
	t.Helper()
	p := pinned(t, serverCore, "profiled", in.env(env...))
	return server{p, p.await(t, p.err, listening)[1]}
}

// pinned starts a program on one core.
func pinned(t *testing.T, core, program string, env []string) *process {
	t.Helper()
	env = append(env, "TOKENDESK_TEST_PROGRAM="+program, "PROFILES="+os.Getenv("TOKENDESK_TEST_COST_PROFILES"))
	p := begin(t, exec.Command("taskset", "-c", core, self(t), "serve"), env, "")
	t.Cleanup(func() { server{process: p}.stop(t) })
	return p
}
