package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// TestCostOfTheGateway compares the whole server with a tuned httputil.ReverseProxy in front of the same upstream, which answers
// a small JSON: by the processor's time for a call, and by calls a second. It fails when nothing can be measured, and prints a table
// that people judge. .ci/bench gateway runs it, on one core, and has the servers run on the other.
//
// TOKENDESK_TEST_COST is how many rounds there are; without it there are none. In a round every server is called for
// TOKENDESK_TEST_COST_SECONDS, one after the other; and then once more while what it is compared with is called too, on the same core.
func TestCostOfTheGateway(t *testing.T) {
	if os.Getenv("TOKENDESK_TEST_COST") == "" {
		t.Skip("it measures what the gateway costs: ./.ci/bench gateway")
	}
	rounds, seconds := howMany(t, "TOKENDESK_TEST_COST", 5), howMany(t, "TOKENDESK_TEST_COST_SECONDS", 5)
	list := subjects(t)
	before := loadAverage(t)
	for _, s := range list {
		together(t, 3, s) // connections are made, and what is kept is kept
	}
	for range rounds {
		for _, s := range list {
			s.alone = append(s.alone, together(t, seconds, s)[0])
			if s.against != nil {
				pair := together(t, seconds, s, s.against)
				s.beside, s.theirs = append(s.beside, pair[0]), append(s.theirs, pair[1])
			}
		}
	}
	fmt.Printf("\nLoad average before and after: %s, %s. %d rounds of %d s.\n\n%s\n", before, loadAverage(t), rounds, seconds, table(list))
}

// subject is one server under test, and what was measured of it.
type subject struct {
	name     string
	url      string
	fields   []string // of each request's header
	server   *process
	database int      // the process of PostgreSQL that has all others for children; 0: there is none
	against  *subject // what it is compared with; nil for those that others are compared with

	alone          []figures // by round
	beside, theirs []figures // by round, of it and of what it is compared with, both at once
}

const (
	callPath = "/api/agent-base/42?full=1"
	asksPath = "/forward-auth"
)

// subjects starts all servers that are compared.
func subjects(t *testing.T) []*subject {
	t.Helper()
	upstream := alone(t, loadCore, "upstream")
	to := "UPSTREAM=" + upstream.base
	proxy := alone(t, serverCore, "proxy", to)
	yardstick := &subject{name: "tuned ReverseProxy, which checks nothing", url: proxy.base + callPath, server: proxy.process}
	again := alone(t, serverCore, "proxy", to)
	free := alone(t, serverCore, "free proxy", to)
	echo := alone(t, serverCore, "echo")
	nothing := &subject{name: "Echo handler that answers 204 and checks nothing", url: echo.base + asksPath, server: echo.process}

	known := furnished(t, onSQLite(t), upstream.base, "remembering")
	known.name, known.against = "Tokendesk, the look-up answered from memory", yardstick
	sqlite := furnished(t, onSQLite(t), upstream.base, "1")
	sqlite.name, sqlite.against = "Tokendesk as it is, SQLite", yardstick
	own := storetest.NewOwnPostgres(t)
	postgres := furnished(t, place{dir: filepath.Join(t.TempDir(), "data"), url: own.URL}, upstream.base, "1")
	postgres.name, postgres.against = "Tokendesk as it is, PostgreSQL", yardstick
	asked := furnished(t, onSQLite(t), upstream.base, "remembering", "TOKENDESK_FORWARD_AUTH_FROM=127.0.0.0/8")
	asked.name, asked.against = "forward-auth, the look-up answered from memory", nothing
	asked.url = strings.TrimSuffix(asked.url, callPath) + asksPath
	asked.fields = append(asked.fields, "X-Forwarded-Method: GET", "X-Forwarded-Uri: "+callPath, "X-Forwarded-For: 203.0.113.9")
	return []*subject{
		yardstick, known, sqlite, postgres,
		{name: "the ReverseProxy once more: the noise", url: again.base + callPath, server: again.process, against: yardstick},
		{name: "the ReverseProxy in a server without limits on time", url: free.base + callPath, server: free.process, against: yardstick},
		nothing, asked,
	}
}

// alone starts one of the programs that need no installation.
func alone(t *testing.T, core, program string, env ...string) server {
	t.Helper()
	p := pinned(t, core, program, env)
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

// furnished makes an installation whose product is the upstream, and starts a server for it that is called with an API token.
func furnished(t *testing.T, in place, upstream, program string, env ...string) *subject {
	t.Helper()
	env = append(env, "TOKENDESK_UPSTREAM_ALLOW=127.0.0.0/8")
	setUp := in.serve(t, env...)
	token := setUp.setUp(t).apiToken(t, upstream)
	setUp.stop(t)
	p := pinned(t, serverCore, program, in.env(env...))
	s := &subject{url: p.await(t, p.err, listening)[1] + callPath, fields: []string{"Authorization: Bearer " + token}, server: p}
	if in.url != "" {
		s.database = statOf(count(t, in.open(t), "SELECT pg_backend_pid()")).parent
	}
	return s
}

// apiToken points the first product at an upstream and makes a token for it, as an Admin does, that may make as many calls as any.
func (b browser) apiToken(t *testing.T, upstream string) string {
	t.Helper()
	const settings = "/w/marlowe-press/settings"
	b.post(t, settings+"/limits", url.Values{"calls_a_minute": {fmt.Sprint(models.MostCallsAMinute)}}).want(t, http.StatusSeeOther)
	product := pick(t, b.get(t, settings+"/resources").want(t, 200).body, `"(`+settings+`/products/[0-9a-f-]{36})/`)
	revision := pick(t, b.get(t, product+"/upstream").want(t, 200).body, `name="revision" value="([0-9]+)"`)
	b.post(t, product+"/upstream", url.Values{
		"to": {"own"}, "upstream": {upstream}, "connect_timeout": {"3"}, "answer_timeout": {"30"}, "max_body": {"1024"}, "revision": {revision},
	}).want(t, http.StatusSeeOther)
	formID := pick(t, b.get(t, settings+"/api-tokens/new").want(t, 200).body, `name="form_id" value="([^"]+)"`)
	shown := b.post(t, settings+"/api-tokens", url.Values{"name": {"load"}, "access": {"all"}, "form_id": {formID}})
	return pick(t, shown.body, `<output[^>]* id="token"[^>]*>([^<]+)<`)
}
