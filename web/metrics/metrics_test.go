package metrics_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/web/gateway"
	"tokendesk/web/metrics"
)

// sources are parts of a server with numbers that can be told apart.
func sources() metrics.Sources {
	var verdicts access.Verdicts
	verdicts.Count(access.AtGateway, access.Allowed)
	verdicts.Count(access.AtForwardAuth, access.CredentialExpired)
	return metrics.Sources{
		Verdicts: verdicts.Each, Results: func(tell func(string, int64)) { tell("2xx", 3) },
		UnderWay: func() int64 { return 4 }, Unflushed: func() int { return 5 },
		Pool: func() models.Pool {
			return models.Pool{Most: 20, Busy: 6, Idle: 7, Waits: 8, WaitedInAll: 1500 * time.Millisecond}
		},
		Ping: func(context.Context) error { return nil },
	}
}

func verifier() metrics.Verifier {
	count := func(n int64) func() int64 { return func() int64 { return n } }
	return metrics.Verifier{
		CacheHits: count(31), CacheMisses: count(32), CacheEvictions: count(33), CacheEntries: func() int { return 34 },
		LeaseRemaining: func() time.Duration { return -2500 * time.Millisecond }, FeedBehindEvents: count(35),
		FeedBehindSeconds: func() float64 { return 0.25 }, ReplicasLive: func() int { return 3 },
		LimitsTogether: count(36), LimitsByShare: count(37), LimitsTogetherUp: func() bool { return true },
	}
}

// used is a server's metrics with all of them told something.
func used(from metrics.Sources) *metrics.Metrics {
	m := metrics.New(from, "v1.2.3", "SQLite")
	m.Request("people", 200, 3*time.Millisecond)
	m.Request("", 404, time.Millisecond)
	m.Answer(20 * time.Millisecond)
	m.Flush(10, time.Millisecond, nil)
	m.Flush(99, time.Millisecond, errors.New("the database is away"))
	m.Refusal(12)
	m.Failure(metrics.Sweep)
	m.Receipt(30*time.Millisecond, 2)
	return m
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	answer, err := server.Client().Get(server.URL + "/metrics")
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

// What the parts of the server count, and what the metrics were told, is what Prometheus reads.
func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	from := sources()
	from.Verifier = verifier()
	text := scrape(t, used(from))
	for _, want := range []string{
		`tokendesk_verdicts_total{code="allowed",door="gateway"} 1`, `tokendesk_verdicts_total{code="credential_expired",door="forward_auth"} 1`,
		`tokendesk_verdicts_total{code="rate_limited",door="verify"} 0`,
		`tokendesk_gateway_results_total{result="2xx"} 3`, `tokendesk_gateway_calls_under_way 4`, `tokendesk_usage_unflushed_credentials 5`,
		`tokendesk_database_connections{state="busy"} 6`, `tokendesk_database_connections{state="idle"} 7`, `tokendesk_database_connections_max 20`,
		`tokendesk_database_waits_total 8`, `tokendesk_database_wait_seconds_total 1.5`, `tokendesk_database_up 1`,
		`tokendesk_http_request_duration_seconds_bucket{class="2xx",route="people",le="0.0025"} 0`,
		`tokendesk_http_request_duration_seconds_bucket{class="2xx",route="people",le="0.005"} 1`,
		`tokendesk_http_request_duration_seconds_count{class="4xx",route="none"} 1`,
		`tokendesk_gateway_answer_duration_seconds_sum 0.02`, `tokendesk_usage_flush_duration_seconds_count 2`, `tokendesk_usage_flushed_credentials_total 10`,
		`tokendesk_refusals_written_total 1`, `tokendesk_refusals_gathered_total 12`,
		`tokendesk_background_failures_total{job="sweep"} 1`, `tokendesk_background_failures_total{job="prune"} 0`,
		`tokendesk_receipt_duration_seconds_count 1`, `tokendesk_receipt_timed_out_replicas_total 2`,
		`tokendesk_cache_hits_total 31`, `tokendesk_cache_misses_total 32`, `tokendesk_cache_evictions_total 33`, `tokendesk_cache_entries 34`,
		`tokendesk_lease_remaining_seconds -2.5`, `tokendesk_feed_behind_events 35`, `tokendesk_feed_behind_seconds 0.25`, `tokendesk_replicas_live 3`,
		`tokendesk_limits_together_total 36`, `tokendesk_limits_by_share_total 37`, `tokendesk_limits_together_up 1`,
		`database="SQLite",go="go1.`, `version="v1.2.3"} 1`, "\ngo_goroutines ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not told", want)
		}
	}
}

// A server that keeps no credentials in memory says nothing of a cache, and one whose database is away says that.
func TestWhatIsNotTold(t *testing.T) {
	t.Parallel()
	from := sources()
	from.Ping = func(ctx context.Context) error {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("the database may take for ever to show that it is there")
		}
		return errors.New("away")
	}
	text := scrape(t, used(from))
	if !strings.Contains(text, "\ntokendesk_database_up 0\n") {
		t.Error("the database is up")
	}
	for _, never := range []string{"cache", "lease", "feed", "receipt", "replicas", "limits"} {
		if strings.Contains(text, "tokendesk_"+never) {
			t.Errorf("something of a %s is told", never)
		}
	}
	partly := sources()
	partly.Verifier.CacheHits = verifier().CacheHits
	if text := scrape(t, used(partly)); !strings.Contains(text, "tokendesk_cache_hits_total 31") || strings.Contains(text, "tokendesk_lease") {
		t.Error("what is set of a verifier is not what is told")
	}
}

// Where nobody asks there are no metrics, and telling them something does nothing.
func TestNobodyAsks(t *testing.T) {
	t.Parallel()
	var none *metrics.Metrics
	none.Request("people", 200, time.Second)
	none.Answer(time.Second)
	none.Flush(1, time.Second, nil)
	none.Refusal(1)
	none.Failure(metrics.Prune)
	none.Receipt(time.Second, 0)
}

// The address answers GET /metrics and nothing else: no profile, no page, no other method.
func TestNothingElseIsAnswered(t *testing.T) {
	t.Parallel()
	handler := metrics.New(sources(), "v1", "SQLite").Handler()
	for _, c := range []struct {
		method, path string
		status       int
	}{{"GET", "/metrics", 200}, {"HEAD", "/metrics", 200}, {"POST", "/metrics", 405}, {"GET", "/", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/healthz", 404}} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(c.method, c.path, nil))
		if answer.Code != c.status {
			t.Errorf("%s %s: %d", c.method, c.path, answer.Code)
		}
	}
}

var (
	inTypes   = regexp.MustCompile(`(?m)^# TYPE (tokendesk_\w+) (\w+)$`)
	inSamples = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? \S+$`)
	inLabels  = regexp.MustCompile(`(\w+)="`)
	inTable   = regexp.MustCompile("(?m)^\\| `(tokendesk_\\w+)` \\| (\\w+)[^|:]*(?:: ([^|]+))? \\|")
	inQueries = regexp.MustCompile(`((?:tokendesk|go|process)_[a-z_]+)(?:\{([^}]*)\})?`)
	inQuotes  = regexp.MustCompile("`(\\w+)`")
)

// exported are all metrics, with the names of their labels, as Prometheus would find them in a query.
func exported(t *testing.T) (types map[string]string, labels map[string][]string) {
	t.Helper()
	from := sources()
	from.Verifier = verifier()
	text := scrape(t, used(from))
	types, labels = map[string]string{}, map[string][]string{}
	for _, match := range inTypes.FindAllStringSubmatch(text, -1) {
		types[match[1]] = match[2]
	}
	for _, match := range inSamples.FindAllStringSubmatch(text, -1) {
		labels[match[1]] = []string{}
		for _, label := range inLabels.FindAllStringSubmatch(match[2], -1) {
			labels[match[1]] = append(labels[match[1]], label[1])
		}
	}
	return types, labels
}

// docs/metrics.md has a row for every metric of ours, with its kind and its labels, and for no other; and it names every job, door and result.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	types, labels := exported(t)
	documented := map[string]string{}
	for _, match := range inTable.FindAllStringSubmatch(string(text), -1) {
		documented[match[1]] = match[2]
		var named []string
		for _, label := range inQuotes.FindAllStringSubmatch(match[3], -1) {
			named = append(named, label[1])
		}
		sample := match[1]
		if match[2] == "histogram" {
			sample += "_count"
		}
		slices.Sort(named)
		there := slices.Sorted(slices.Values(labels[sample]))
		if !slices.Equal(named, there) {
			t.Errorf("%s has the labels %v, and %v in its row", match[1], there, named)
		}
	}
	if !maps.Equal(types, documented) {
		t.Errorf("exported: %v\ndocumented: %v", types, documented)
	}
	for _, name := range slices.Concat(access.Doors[:], gateway.ResultNames[5:], []string{metrics.FlushUsage, metrics.FlushRefusals, metrics.Prune, metrics.Sweep}) {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("%s is not documented", name)
		}
	}
}

// The dashboard and the alerts ask for metrics that there are, by labels that they have; and the dashboard shows every one of ours.
func TestDashboardAndAlertsAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	types, labels := exported(t)
	shown := map[string]bool{}
	for _, file := range []string{"grafana-dashboard.json", "prometheus/alerts.yml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		asked := inQueries.FindAllStringSubmatch(strings.ReplaceAll(string(text), `\"`, `"`), -1)
		if len(asked) < 10 {
			t.Errorf("%s asks for %d metrics", file, len(asked))
		}
		for _, match := range asked {
			has, there := labels[match[1]]
			if !there {
				t.Errorf("%s asks for %s, which is not there", file, match[1])
			}
			for _, label := range regexp.MustCompile(`(\w+)[=!]`).FindAllStringSubmatch(match[2], -1) {
				if label[1] != "instance" && !slices.Contains(has, label[1]) {
					t.Errorf("%s asks for %s by %s, which it does not have", file, match[1], label[1])
				}
			}
			if file == "grafana-dashboard.json" {
				shown[match[1]] = true
			}
		}
	}
	for name, kind := range types {
		if !shown[name] && (kind != "histogram" || !shown[name+"_bucket"] && !shown[name+"_count"]) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}
