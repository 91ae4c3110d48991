package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Verifier is how a server that keeps credentials in memory stands: what it keeps, for how long it may still answer by it, and how far it is
// behind the feed of changes. A func that is nil has no metric; with all of them nil there is nothing of this. They are called at every scrape,
// from any goroutine, and must not wait.
type Verifier struct {
	CacheHits, CacheMisses, CacheEvictions func() int64 // since the start
	CacheEntries                           func() int

	LeaseRemaining    func() time.Duration // until this server stops answering by what it keeps; below 0: it has stopped
	FeedBehindEvents  func() int64
	FeedBehindSeconds func() float64 // since it knew of everything that had changed
	ReplicasLive      func() int     // as this server sees them, itself among them

	LimitsTogether, LimitsByShare func() int64 // calls that were held to a limit with all servers, and by this server's share, since the start
	LimitsTogetherUp              func() bool  // what counts for all servers answered when it was last asked
}

// Receipt takes a change that waited for the receipts of all replicas: how long, and how many did not answer in time.
func (m *Metrics) Receipt(took time.Duration, timedOut int) {
	if m != nil {
		m.receipts.Observe(took.Seconds())
		m.timeouts.Add(float64(timedOut))
	}
}

var (
	hits      = describe("cache_hits_total", "Credentials that were found in memory.")
	misses    = describe("cache_misses_total", "Credentials that the database was asked for.")
	evictions = describe("cache_evictions_total", "Credentials that had to make room for others.")
	entries   = describe("cache_entries", "Credentials in memory.")
	lease     = describe("lease_remaining_seconds", "Until this server stops answering by what it keeps; below 0: it has stopped.")
	behind    = describe("feed_behind_events", "Changes that this server has not taken in yet.")
	late      = describe("feed_behind_seconds", "Since this server knew of everything that had changed.")
	live      = describe("replicas_live", "Servers on the database that are alive, as this one sees them.")
	together  = describe("limits_together_total", "Calls that were counted against their limit for all servers together.")
	byShare   = describe("limits_by_share_total", "Calls that were counted against this server's share, because that failed.")
	counts    = describe("limits_together_up", "1 when what counts for all servers together answered when it was last asked.")
)

// numbers are the metrics whose func is there.
func (v *Verifier) numbers() []number {
	var list []number
	add := func(there bool, d *prometheus.Desc, kind prometheus.ValueType, value func() float64) {
		if there {
			list = append(list, number{d, kind, value})
		}
	}
	add(v.CacheHits != nil, hits, prometheus.CounterValue, func() float64 { return float64(v.CacheHits()) })
	add(v.CacheMisses != nil, misses, prometheus.CounterValue, func() float64 { return float64(v.CacheMisses()) })
	add(v.CacheEvictions != nil, evictions, prometheus.CounterValue, func() float64 { return float64(v.CacheEvictions()) })
	add(v.CacheEntries != nil, entries, prometheus.GaugeValue, func() float64 { return float64(v.CacheEntries()) })
	add(v.LeaseRemaining != nil, lease, prometheus.GaugeValue, func() float64 { return v.LeaseRemaining().Seconds() })
	add(v.FeedBehindEvents != nil, behind, prometheus.GaugeValue, func() float64 { return float64(v.FeedBehindEvents()) })
	add(v.FeedBehindSeconds != nil, late, prometheus.GaugeValue, func() float64 { return v.FeedBehindSeconds() })
	add(v.ReplicasLive != nil, live, prometheus.GaugeValue, func() float64 { return float64(v.ReplicasLive()) })
	add(v.LimitsTogether != nil, together, prometheus.CounterValue, func() float64 { return float64(v.LimitsTogether()) })
	add(v.LimitsByShare != nil, byShare, prometheus.CounterValue, func() float64 { return float64(v.LimitsByShare()) })
	add(v.LimitsTogetherUp != nil, counts, prometheus.GaugeValue, func() float64 {
		if v.LimitsTogetherUp() {
			return 1
		}
		return 0
	})
	return list
}

type number struct {
	what  *prometheus.Desc
	kind  prometheus.ValueType
	value func() float64
}

// told says whether there is anything of a verifier.
func (v *Verifier) told() bool { return len(v.numbers()) > 0 }

// Describe is for prometheus.Collector.
func (v *Verifier) Describe(tell chan<- *prometheus.Desc) {
	for _, n := range v.numbers() {
		tell <- n.what
	}
}

// Collect is for prometheus.Collector.
func (v *Verifier) Collect(tell chan<- prometheus.Metric) {
	for _, n := range v.numbers() {
		tell <- prometheus.MustNewConstMetric(n.what, n.kind, n.value())
	}
}
