// Package webtest runs the whole server over each database and talks to it as a browser or a program
// does, over a real connection.
package webtest

import (
	"context"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/archive"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
	"tokendesk/web"
	"tokendesk/web/deadline"
	"tokendesk/web/gateway"
	"tokendesk/web/session"
	"tokendesk/web/tracing"
)

// Site is a running server.
type Site struct {
	storetest.World
	URL      string
	Tally    *access.Tally
	Admin    models.Actor // the first Admin, ines@marlowe.example
	Handlers *handlers.Handlers
	Listener *httptest.Server
}

// Option sets a server up in another way than Start does by itself.
type Option func(*setup)

type setup struct {
	sampled bool
	baseURL string
	trusted []*net.IPNet
	askers  []*net.IPNet
	// anonymous: see Anonymous
	anonymous bool
	limits    archive.Limits
	store     *store.Store
	tracer    *tracing.Tracer
}

// Traced has requests traced.
func Traced(tracer *tracing.Tracer) Option { return func(s *setup) { s.tracer = tracer } }

// BaseURL is where the installation is reached from outside. With https:// the server speaks TLS.
func BaseURL(address string) Option { return func(s *setup) { s.baseURL = address } }

// Trusting names a network of proxies whose X-Forwarded-For is believed.
func Trusting(network string) Option {
	return func(s *setup) { s.trusted = append(s.trusted, parse(network)) }
}

// Asking names a network of proxies that may ask at /forward-auth.
func Asking(network string) Option {
	return func(s *setup) { s.askers = append(s.askers, parse(network)) }
}

// Anonymous has proxies told the decision alone.
func Anonymous() Option { return func(s *setup) { s.anonymous = true } }

func parse(network string) *net.IPNet {
	_, parsed, err := net.ParseCIDR(network)
	if err != nil {
		panic(err)
	}
	return parsed
}

// Limits bound what a collection may hold.
func Limits(l archive.Limits) Option { return func(s *setup) { s.limits = l } }

// Sampled has the products of new workspaces answer, as the sample product that comes with the console.
func Sampled() Option { return func(s *setup) { s.sampled = true } }

// Over has the server use this store of the world, as a second server of the installation would.
func Over(store *store.Store) Option { return func(s *setup) { s.store = store } }

// Each runs a test against a server that was set up, on SQLite and on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, s Site), options ...Option) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := Start(t, w, options...)
		s.Admin = w.SetUp(t)
		test(t, s)
	})
}

// SQLite runs a server that was set up on SQLite alone: for what does not depend on the store.
func SQLite(t testing.TB, options ...Option) Site {
	t.Helper()
	s := Start(t, storetest.New(t, ""), options...)
	s.Admin = s.SetUp(t)
	return s
}

// Start runs a server on a world. It ends with the test.
func Start(t testing.TB, w storetest.World, options ...Option) Site {
	t.Helper()
	key, err := secret.OpenKey(w.Dir + "/key")
	if err != nil {
		t.Fatal(err)
	}
	set := setup{limits: archive.DefaultLimits, store: w.Store}
	for _, option := range options {
		option(&set)
	}
	secure, tally := strings.HasPrefix(set.baseURL, "https://"), access.NewTally()
	gate, keys := access.NewGate(set.store, tally, w.Clock.Now), access.NewKeyRing(set.store, key, models.NewID, w.Clock.Now)
	gate.Take(keys)
	memory := access.NewMemory(10_000)
	gate.Remember(memory, true)
	h := &handlers.Handlers{
		Store: set.store, Gate: gate, Keys: keys, Downloads: new(handlers.Downloads), Throttle: access.NewThrottle(w.Clock.Now), Refusals: access.NewRefusals(w.Clock.Now), Reports: access.NewReports(w.Clock.Now),
		Sessions: session.NewStore(set.store, secure), Key: key, Clock: w.Clock.Now,
		Log:    slog.New(tracing.Log(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		Limits: set.limits, SpoolDir: t.TempDir(), BaseURL: set.baseURL, Version: "test",
	}
	server, site := httptest.NewUnstartedServer(nil), web.New(h, set.trusted)
	site.AnswerProxies(set.askers, !set.anonymous)
	site.Trace(set.tracer)
	server.Config, server.Listener = site.HTTP(), deadline.Listener(server.Listener)
	h.Gateway = gateway.New(gateway.Settings{
		Allow:  []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, // where the products of tests are
		Secure: secure, Log: h.Log, Clock: w.Clock.Now, OnError: site.Problem,
		Holds: gate.Holds, GoesOn: gate.GoesOn,
	})
	replica := access.NewReplica(access.ReplicaSettings{
		Feed: set.store, Memory: memory, Name: "test", Version: "test", NewID: models.NewID, Log: h.Log, Ended: site.Ended, Lapsed: site.Lapsed,
		Shared: gate.Share,
	})
	h.Replica = replica
	set.store.Listen(func(models.Event) { replica.Heard() })
	run(t, replica)
	if set.sampled {
		h.Sample = startSample(t, w)
	}
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		h.Gateway.Close()
		server.Close()
	})
	return Site{World: w, URL: server.URL, Tally: tally, Handlers: h, Listener: server}
}

// run has a replica follow what changes until the test ends. It has its lease when this returns, unless the database is away.
func run(t testing.TB, replica *access.Replica) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	_ = replica.Begin(ctx) // a test may have taken the database away
	go func() { ended <- replica.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended // that it cannot take itself off the list of a database that is gone is no fault
	})
}

// Refused writes down what was refused, as far as it is due.
func (s Site) Refused(t testing.TB) {
	t.Helper()
	if err := s.Handlers.Refusals.Flush(t.Context(), s.Store); err != nil {
		t.Fatal(err)
	}
}

// Flush writes down what the gate has counted.
func (s Site) Flush(t testing.TB) {
	t.Helper()
	if err := s.Tally.Flush(t.Context(), s.Store); err != nil {
		t.Fatal(err)
	}
}

// Changes is how many events there are: it stays as it is when nothing changed.
func (s Site) Changes(t testing.TB) int64 {
	t.Helper()
	events, err := s.Events(t.Context(), s.Admin, models.EventFilter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 {
		return 0
	}
	return events[0].Seq
}
