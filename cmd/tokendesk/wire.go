package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/limits"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/web"
	"tokendesk/web/gateway"
	"tokendesk/web/metrics"
	"tokendesk/web/session"
	"tokendesk/web/tracing"
)

// makeDataDir makes the data directory where there is none.
func makeDataDir(c config) error {
	if err := os.MkdirAll(c.dataDir, 0o700); err != nil {
		return dataDirError(c, "made", err)
	}
	return nil
}

// probeDataDir finds out whether files can be made in the data directory.
func probeDataDir(c config) error {
	probe, err := os.CreateTemp(c.dataDir, ".probe-*")
	if err != nil {
		return dataDirError(c, "written to", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func dataDirError(c config, what string, err error) error {
	if path := new(fs.PathError); errors.As(err, &path) {
		err = path.Err // without the path, which the sentence has already
	}
	return fmt.Errorf("the data directory %s cannot be %s: %w; set TOKENDESK_DATA_DIR to a folder that this user may write to", c.dataDir, what, err)
}

// openData makes what the server keeps in files: the data directory, the folder for uploads, the key.
func openData(c config) (secret.Key, error) {
	if err := makeDataDir(c); err != nil {
		return secret.Key{}, err
	}
	if err := probeDataDir(c); err != nil {
		return secret.Key{}, err
	}
	if err := os.MkdirAll(spoolDir(c), 0o700); err != nil {
		return secret.Key{}, dataDirError(c, "used", err)
	}
	return secret.OpenKey(c.keyFile)
}

func spoolDir(c config) string { return filepath.Join(c.dataDir, "spool") }

// openStore connects to the database. It does not change it.
func openStore(ctx context.Context, c config, log *slog.Logger) (*store.Store, error) {
	return openTraced(ctx, c, log, nil)
}

// openTraced is openStore, with the statements that it makes traced.
func openTraced(ctx context.Context, c config, log *slog.Logger, tracer *tracing.Tracer) (*store.Store, error) {
	hasher := secret.NewHasher(0, 0)
	settings := store.Settings{
		URL: c.databaseURL, DataDir: c.dataDir, Clock: models.SystemClock, DatabaseTime: true, NewID: models.NewID,
		Hasher: hasher, Strangers: hasher.Strangers(), Log: log,
	}
	if tracer != nil {
		settings.Statement = tracer.Statement
	}
	s, err := store.Open(ctx, settings)
	if err != nil {
		return nil, openError(c, err)
	}
	return s, nil
}

// openError says of a database that did not open what an operator can do about it. Only the driver
// knows whether it can read an address, and what it says of one may quote the password.
func openError(c config, err error) error {
	var refused interface {
		error
		SQLState() string
	}
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("the database refuses the connection: %w", refused)
	case c.databaseURL != "" && models.KindOf(err) == models.Internal:
		return usage{fmt.Sprintf("TOKENDESK_DATABASE_URL is %q: this cannot be read; %s", maskedURL(c.databaseURL), errDatabaseURL)}
	}
	return err
}

// app is the server's parts, put together.
type app struct {
	store    *store.Store
	together io.Closer // nil: limits are kept by shares
	handlers *handlers.Handlers
	sample   *sampleInside
	tally    *access.Tally
	replica  *access.Replica
	usageDir string
	rests    *time.Time // from flushes of what was counted, until then; of whoever flushes in turn
	server   *web.Server
	metrics  *metrics.Metrics // nil: nobody asks
	scraped  net.Listener     // where they do
	tracer   *tracing.Tracer  // nil: nothing is traced
	log      *slog.Logger
}

func wire(c config, key secret.Key, s *store.Store, tally *access.Tally, listening, scraped net.Listener, inside *sampleInside, log *slog.Logger) app {
	gate, keys := access.NewGate(s, tally, models.SystemClock), access.NewKeyRing(s, key, models.NewID, models.SystemClock)
	gate.Take(keys)
	together := countTogether(c, gate, log)
	memory := access.NewMemory(c.cacheEntries)
	gate.Remember(memory, c.verifyCache)
	h := &handlers.Handlers{
		Store: s, Gate: gate, Keys: keys, Downloads: new(handlers.Downloads), Throttle: access.NewThrottle(models.SystemClock), Refusals: access.NewRefusals(models.SystemClock), Reports: access.NewReports(models.SystemClock),
		Sessions: session.NewStore(s, c.secure()), Key: key, Clock: models.SystemClock, Log: log, Limits: c.limits,
		SpoolDir: spoolDir(c), BaseURL: c.baseURL, Version: programVersion(), Sample: inside.upstream(),
	}
	server := web.New(h, c.trustedProxies)
	server.AnswerProxies(c.forwardAuthFrom, c.forwardAuthIdentity)
	replica := access.NewReplica(access.ReplicaSettings{
		Feed: s, Memory: memory, Name: replicaName(c), Version: programVersion(), NewID: models.NewID, Log: log, Ended: server.Ended, Lapsed: server.Lapsed, Shared: gate.Share,
	})
	h.Replica = replica
	s.Listen(func(models.Event) { replica.Heard() })
	a := app{together: together, store: s, handlers: h, sample: inside, tally: tally, usageDir: usageDir(c), rests: new(time.Time), replica: replica, server: server, scraped: scraped, log: log}
	settings := gateway.Settings{
		Allow: c.upstreamAllow, Own: own(listening, scraped), Secure: c.secure(), Log: log, Clock: models.SystemClock, OnError: server.Problem, Holds: gate.Holds, GoesOn: gate.GoesOn,
	}
	if scraped != nil {
		a.metrics = newMetrics(a)
		settings.OnAnswer = a.metrics.Answer
		server.Observe(a.metrics.Request)
		s.OnReceipt(func(r models.Receipt) { a.metrics.Receipt(r.Took, len(r.Silent)) })
	}
	h.Gateway = gateway.New(settings)
	return a
}

// countTogether has limits counted where the settings say; nil where they say nothing.
func countTogether(c config, gate *access.Gate, log *slog.Logger) io.Closer {
	if c.redisURL == "" {
		return nil
	}
	r, err := limits.Open(c.redisURL)
	if err != nil {
		panic(err) // the setting was read already
	}
	gate.CountTogether(r, log)
	return r
}

// own is where this server listens: no product is there.
func own(listeners ...net.Listener) (all []netip.AddrPort) {
	for _, l := range listeners {
		if l == nil {
			continue
		}
		if at, ok := l.Addr().(*net.TCPAddr); ok {
			all = append(all, at.AddrPort())
		}
	}
	return all
}

// replicaName is what this server is called among several.
func replicaName(c config) string {
	if c.replicaName != "" {
		return c.replicaName
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "unnamed"
	}
	return models.Shorten(models.OnlyPrintable(name), longestReplicaName)
}
