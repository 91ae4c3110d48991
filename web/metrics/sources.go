package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tokendesk/models"
	"tokendesk/models/access"
)

// Sources are the parts of the server that count by themselves. All but Verifier must be set.
type Sources struct {
	Verdicts  func(tell func(door string, code access.Code, count int64))
	Results   func(tell func(result string, count int64)) // of calls to products
	UnderWay  func() int64                                // calls to products
	Unflushed func() int                                  // credentials whose calls are counted and not written down yet
	Pool      func() models.Pool
	Ping      func(context.Context) error // of the database

	Verifier Verifier
}

// patient is how long a database may take to show that it is there.
const patient = 2 * time.Second

var (
	verdicts   = describe("verdicts_total", "Decisions about credentials.", "door", "code")
	results    = describe("gateway_results_total", "What came of calls that were sent to products.", "result")
	underWay   = describe("gateway_calls_under_way", "Calls to products that are under way.")
	unflushed  = describe("usage_unflushed_credentials", "Credentials whose calls are counted in memory and not written down yet.")
	up         = describe("database_up", "1 when the database answered just now, within two seconds.")
	open       = describe("database_connections", "Connections to the database.", "state")
	most       = describe("database_connections_max", "Connections that there may be at once; 0: no limit.")
	waits      = describe("database_waits_total", "Times that somebody had to wait for a connection.")
	waitedOnce = describe("database_wait_seconds_total", "What that took together.")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, labels, nil)
}

// sources reads the parts when Prometheus asks.
type sources struct{ Sources }

func (s *sources) Describe(tell chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{verdicts, results, underWay, unflushed, up, open, most, waits, waitedOnce} {
		tell <- d
	}
}

func (s *sources) Collect(tell chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, value float64, labels ...string) {
		tell <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		tell <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	s.Verdicts(func(door string, code access.Code, n int64) { count(verdicts, float64(n), door, string(code)) })
	s.Results(func(result string, n int64) { count(results, float64(n), result) })
	gauge(underWay, float64(s.UnderWay()))
	gauge(unflushed, float64(s.Unflushed()))
	gauge(up, s.answers())
	pool := s.Pool()
	gauge(open, float64(pool.Busy), "busy")
	gauge(open, float64(pool.Idle), "idle")
	gauge(most, float64(pool.Most))
	count(waits, float64(pool.Waits))
	count(waitedOnce, pool.WaitedInAll.Seconds())
}

func (s *sources) answers() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	if s.Ping(ctx) != nil {
		return 0
	}
	return 1
}
