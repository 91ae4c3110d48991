// Package metrics tells Prometheus what the server does. It counts little itself: what stands on the path of a call is counted there, in plain
// numbers, and read when somebody asks. docs/metrics.md says what each metric means. No label ever holds a secret, an address, a name or an ID:
// all of them come from lists in the program.
package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// prefix is what the names of our own metrics begin with.
const prefix = "tokendesk_"

// Metrics are the numbers of one server. A nil *Metrics takes what it is told, and does nothing. Safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.HistogramVec // by route and class of status
	answers  prometheus.Histogram     // of products, until they begin
	flushes  prometheus.Histogram
	flushed  prometheus.Counter     // credentials in batches that were written down
	failures *prometheus.CounterVec // by background job
	written  prometheus.Counter     // events of the audit log that tell of refusals
	gathered prometheus.Counter     // the refusals that they tell of
	receipts prometheus.Histogram
	timeouts prometheus.Counter
}

// Jobs are what the server does in the background, as they are called in metrics.
const (
	FlushUsage    = "flush_usage"
	FlushRefusals = "flush_refusals"
	Prune         = "prune"
	Sweep         = "sweep"
)

// Bounds of the histograms, in seconds.
var (
	ofRequests = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
	ofAnswers  = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	ofReceipts = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
)

// New makes the numbers of a server. The version and the database's kind are told as labels of one of them.
func New(from Sources, version, database string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(histogram("http_request_duration_seconds", "Requests of the console and the APIs, without calls to products.", ofRequests), []string{"route", "class"}),
		answers:  prometheus.NewHistogram(histogram("gateway_answer_duration_seconds", "From the admission of a call to the header of the product's answer.", ofAnswers)),
		flushes:  prometheus.NewHistogram(histogram("usage_flush_duration_seconds", "Writing down a batch of counted calls, whether it was written or not.", ofRequests)),
		flushed:  prometheus.NewCounter(counter("usage_flushed_credentials_total", "Credentials in the batches that were written down.")),
		failures: prometheus.NewCounterVec(counter("background_failures_total", "Times that work in the background failed and was put off."), []string{"job"}),
		written:  prometheus.NewCounter(counter("refusals_written_total", "Events of the audit log that tell of refusals.")),
		gathered: prometheus.NewCounter(counter("refusals_gathered_total", "Refusals that those events tell of.")),
		receipts: prometheus.NewHistogram(histogram("receipt_duration_seconds", "From a change to the receipts of all replicas, or to giving up waiting.", ofReceipts)),
		timeouts: prometheus.NewCounter(counter("receipt_timed_out_replicas_total", "Replicas whose receipt did not come in time.")),
	}
	m.registry.MustRegister(m.requests, m.answers, m.flushes, m.flushed, m.failures, m.written, m.gathered,
		&sources{from}, &from.Verifier, build(version, database),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if from.Verifier.told() {
		m.registry.MustRegister(m.receipts, m.timeouts)
	}
	for _, job := range []string{FlushUsage, FlushRefusals, Prune, Sweep} {
		m.failures.WithLabelValues(job) // nought is there from the start, so that the first failure shows in a rate
	}
	return m
}

func histogram(name, help string, bounds []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: bounds}
}

func counter(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Name: prefix + name, Help: help}
}

func build(version, database string) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: prefix + "build_info", Help: "What runs. Always 1.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version(), "database": database},
	})
	info.Set(1)
	return info
}

// Handler answers GET /metrics, and nothing else.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	return mux
}

// Request takes a request of the console or an API; route is the name of its row in the table, and empty where there is none.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

// Answer takes how long a product took to begin an answer.
func (m *Metrics) Answer(took time.Duration) {
	if m != nil {
		m.answers.Observe(took.Seconds())
	}
}

// Flush takes a batch of counted calls, with how many credentials were in it.
func (m *Metrics) Flush(credentials int, took time.Duration, err error) {
	if m == nil {
		return
	}
	m.flushes.Observe(took.Seconds())
	if err == nil {
		m.flushed.Add(float64(credentials))
	}
}

// Refusal takes an event that tells of refusals, and of how many.
func (m *Metrics) Refusal(refusals int64) {
	if m != nil {
		m.written.Inc()
		m.gathered.Add(float64(refusals))
	}
}

// Failure takes a job that failed.
func (m *Metrics) Failure(job string) {
	if m != nil {
		m.failures.WithLabelValues(job).Inc()
	}
}
