package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/store"
	"tokendesk/web/metrics"
)

// listenForScrapes opens the address of its own on which Prometheus asks; nil where the settings name none.
func listenForScrapes(c config) (net.Listener, error) {
	if c.metricsListen == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", c.metricsListen)
	if err != nil {
		return nil, listenError("TOKENDESK_METRICS_LISTEN", c.metricsListen, err)
	}
	return l, nil
}

func closeScrapes(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// newMetrics has the parts of a server read when Prometheus asks.
func newMetrics(a app) *metrics.Metrics {
	return metrics.New(metrics.Sources{
		Verdicts: func(tell func(string, access.Code, int64)) { a.handlers.Gate.Verdicts().Each(tell) },
		// The gateway is made after the metrics, which it tells how long products take.
		Results:   func(tell func(string, int64)) { a.handlers.Gateway.Results(tell) },
		UnderWay:  func() int64 { return a.handlers.Gateway.UnderWay() },
		Unflushed: a.tally.Waiting, Pool: a.store.Pool, Ping: a.store.Ping, Verifier: verifier(a.replica, a.handlers.Gate),
	}, programVersion(), a.store.Database())
}

// answerScrapes answers Prometheus until the context ends. What it was asked by then may go unanswered: the numbers end with the server.
func (a app) answerScrapes(ctx context.Context) error {
	if a.metrics == nil {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{
		Handler: a.metrics.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	a.log.Info("metrics are told", slog.String("metrics_address", "http://"+a.scraped.Addr().String()+"/metrics"))
	ended := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer ended()
	if err := server.Serve(a.scraped); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// counted has the failures of work in the background counted, but for those of its being told to end.
func (a app) counted(name string, work job) job {
	return func(ctx context.Context) error {
		err := work(ctx)
		if err != nil && ctx.Err() == nil {
			a.metrics.Failure(name)
		}
		return err
	}
}

// recorder is the store, as far as counts and refusals are written down, and the metrics beside it.
type recorder struct {
	*store.Store
	metrics *metrics.Metrics
}

func (a app) recorder() recorder { return recorder{a.store, a.metrics} }

// RecordUsage is for access.Tally.
func (r recorder) RecordUsage(ctx context.Context, flush models.Flush, batch []models.Usage, days []models.UsageDay) error {
	begun := models.Ticks()
	err := r.Store.RecordUsage(ctx, flush, batch, days)
	r.metrics.Flush(len(batch), models.Ticks().Sub(begun), err)
	return err
}

// RecordRefused is for access.Refusals.
func (r recorder) RecordRefused(ctx context.Context, refused models.Refused) error {
	err := r.Store.RecordRefused(ctx, refused)
	if err == nil {
		r.metrics.Refusal(int64(refused.Count))
	}
	return err
}

// verifier has a replica read.
func verifier(r *access.Replica, g *access.Gate) metrics.Verifier {
	v := metrics.Verifier{
		CacheHits: func() int64 { return r.Standing().Hits }, CacheMisses: func() int64 { return r.Standing().Misses },
		CacheEvictions: func() int64 { return r.Standing().Evicted }, CacheEntries: func() int { return r.Standing().Entries },
		LeaseRemaining: func() time.Duration { return r.Standing().Lease }, FeedBehindEvents: func() int64 { return r.Standing().Behind },
		FeedBehindSeconds: func() float64 { return r.Standing().Heard.Seconds() }, ReplicasLive: func() int { return r.Standing().Live },
	}
	if _, set := g.Counted(); set {
		counted := func() access.Counted { c, _ := g.Counted(); return c }
		v.LimitsTogether, v.LimitsByShare = func() int64 { return counted().Together }, func() int64 { return counted().Shares }
		v.LimitsTogetherUp = func() bool { return counted().Up }
	}
	return v
}
