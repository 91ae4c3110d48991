package main

import (
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models/store/storetest"
)

// scrape reads the numbers of a server, as Prometheus does.
func (s server) scrape(t *testing.T) string {
	t.Helper()
	answer, err := http.Get(s.await(t, s.err, `metrics_address"?[=:]"?(http://[^"\s]+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.StatusCode, err)
	}
	return string(body)
}

// What a server does shows in its metrics, on an address of their own: sign-ins, decisions at each door, calls to a product, counts that were
// written down. What callers sent shows nowhere in them, and the console does not answer at /metrics.
func TestMetrics(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in place) {
		s := in.serve(t, "TOKENDESK_METRICS_LISTEN=127.0.0.1:0", "TOKENDESK_FORWARD_AUTH_FROM=127.0.0.0/8")
		admin := s.setUp(t)
		token := admin.bearerToken(t)
		s.opens(t, token, http.StatusOK)
		s.opens(t, token+"x", http.StatusUnauthorized)
		for path, status := range map[string]int{"/v1/me": 200, "/v1/people/" + token: 404, "/nowhere/" + token: 404, "/forward-auth": 200, "/metrics": 404} {
			r := admin.request(t, http.MethodGet, path, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("X-Forwarded-Method", "GET")
			r.Header.Set("X-Forwarded-Uri", "/api/agent-base")
			r.Header.Set("Traceparent", "00-"+strings.Repeat("ab", 16)+"-"+strings.Repeat("cd", 8)+"-01")
			admin.do(t, r).want(t, status)
		}
		admin.install(t, token).want(t, http.StatusOK)
		s.awaitMetric(t, "tokendesk_usage_flushed_credentials_total [1-9]") // within seconds
		text := s.scrape(t)
		for _, want := range []string{
			`tokendesk_verdicts_total{code="allowed",door="gateway"} 1`, `tokendesk_verdicts_total{code="credential_malformed",door="gateway"} 1`,
			`tokendesk_verdicts_total{code="allowed",door="forward_auth"} 1`, `tokendesk_verdicts_total{code="allowed",door="management"} 2`,
			`tokendesk_verdicts_total{code="allowed",door="install"} 1`, `tokendesk_gateway_results_total{result="2xx"} 1`,
			`tokendesk_gateway_answer_duration_seconds_count 1`, `tokendesk_gateway_calls_under_way 0`,
			`tokendesk_http_request_duration_seconds_count{class="2xx",route="collections.install"} 1`,
			`tokendesk_http_request_duration_seconds_count{class="3xx",route="setup.do"} 1`, `tokendesk_http_request_duration_seconds_count{class="4xx",route="none"} 2`,
			`tokendesk_refusals_written_total 1`, `tokendesk_database_up 1`, `tokendesk_background_failures_total{job="flush_usage"} 0`,
		} {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("%s is not told", want)
			}
		}
		for _, secret := range []string{token, token[:12], "ines@", "Marlowe", "127.0.0.1", "abababab", storetest.Password} {
			if strings.Contains(text, secret) {
				t.Errorf("the metrics have what a caller sent, %d characters of it", len(secret))
			}
		}
		if regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-`).MatchString(text) {
			t.Error("the metrics have an ID")
		}
		s.stop(t)
	})
}

func (s server) awaitMetric(t *testing.T, pattern string) {
	t.Helper()
	looked := regexp.MustCompile("(?m)^" + pattern)
	again, late := time.NewTicker(100*time.Millisecond), time.After(enough)
	defer again.Stop()
	for !looked.MatchString(s.scrape(t)) {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("%s does not come", pattern)
		}
	}
}

// A server tells nothing where it was not asked to; an address that is taken stops the start, and says whose setting it is.
func TestMetricsListen(t *testing.T) {
	t.Parallel()
	in := onSQLite(t)
	s := in.serve(t)
	if log := s.stop(t).err; strings.Contains(log, "metrics") {
		t.Errorf("it tells metrics: %s", log)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r := launch(t, in.env("TOKENDESK_METRICS_LISTEN="+taken.Addr().String()), "", "serve").wait(t)
	r.wantOneLine(t, 1, "tokendesk: ", taken.Addr().String()+" is in use by another program", "set TOKENDESK_METRICS_LISTEN to another port")
}

// No product is where a server tells its metrics, as none is where it answers: the gateway never calls those addresses.
func TestMetricsAreNoProduct(t *testing.T) {
	t.Parallel()
	var listeners []net.Listener
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		listeners = append(listeners, l)
	}
	for _, never := range listeners {
		at := never.Addr().(*net.TCPAddr).AddrPort()
		if !slices.Contains(own(listeners[0], listeners[1]), at) {
			t.Errorf("%s may be called", at)
		}
	}
	if n := len(own(listeners[0], nil)); n != 1 {
		t.Errorf("without metrics there are %d", n)
	}
}
