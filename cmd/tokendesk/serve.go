package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"tokendesk/models"
	"tokendesk/web/deadline"
	"tokendesk/web/metrics"
)

const (
	flushEvery = time.Second      // how long calls are counted in this server's file alone
	pruneEvery = time.Hour        // how often what is over is removed, and API keys that nobody uses are revoked where Admins want that
	sweepEvery = time.Second      // how often calls are looked for that stand still, or whose token has expired
	patience   = 20 * time.Second // how long requests may take to finish after SIGTERM
	lastWords  = 10 * time.Second // how long the last flush may take
)

// serve starts the console and runs until a signal: then it accepts nothing new, lets finish what
// runs, writes down what was counted, and ends well.
func serve(ctx context.Context, io console, c config, _ []string) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	log := openLog(io, c)
	if err := leaveNoCore(); err != nil {
		log.Warn("a crash may leave a core file, and secrets in it", slog.Any("error", err))
	}
	a, listener, err := start(ctx, io, c, log)
	if err != nil && ctx.Err() != nil {
		return nil // told to end before it had begun
	}
	if err != nil {
		return err
	}
	return a.run(ctx, listener, log)
}

// sweep ends calls under way that must not go on.
func (a app) sweep(ctx context.Context) error {
	return a.handlers.Gateway.Sweep(ctx)
}

// run answers, and does what has to be done besides, until the context ends.
func (a app) run(ctx context.Context, listener net.Listener, log *slog.Logger) error {
	defer a.store.Close()
	if a.together != nil {
		defer a.together.Close()
	}
	return runAll(ctx, a.finish, a.asReplica(answer(a.server.HTTP(), deadline.Listener(listener), patience, log)), a.answerScrapes,
		every(flushEvery, log, a.flush), whenever(a.tally.Many(), log, a.counted(metrics.FlushUsage, a.flushUsage)),
		every(pruneEvery, log, a.counted(metrics.Prune, a.prune)), every(sweepEvery, log, a.counted(metrics.Sweep, a.sweep)))
}

// asReplica follows what changes for as long as a job answers, also while it finishes what runs.
func (a app) asReplica(answer job) job {
	return func(ctx context.Context) error {
		follow, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- a.replica.Run(follow) }()
		err := answer(ctx)
		stop()
		if left := <-ended; left != nil {
			a.log.Warn("this server could not take itself off the list of replicas: the next change waits for it", slog.Any("error", left))
		}
		return err
	}
}

// start makes the server ready to answer. When it fails, nothing is left open.
func start(ctx context.Context, io console, c config, log *slog.Logger) (a app, listener net.Listener, err error) {
	key, err := openData(c)
	if err != nil {
		return a, nil, err
	}
	tracer, err := openTracer(ctx, c, log)
	if err != nil {
		return a, nil, err
	}
	s, err := openTraced(ctx, c, log, tracer)
	if err != nil {
		return a, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	steps, err := s.Migrate(ctx)
	if err != nil {
		return a, nil, err
	}
	if listener, err = net.Listen("tcp", c.listen); err != nil {
		return a, nil, listenError("TOKENDESK_LISTEN", c.listen, err)
	}
	scraped, err := listenForScrapes(c)
	if err != nil {
		return a, nil, errors.Join(err, listener.Close())
	}
	for _, step := range steps {
		log.Info("schema step applied", slog.String("step", step.Name))
	}
	inside, err := openSampleInside(ctx, c, log)
	if err != nil {
		return a, nil, errors.Join(err, listener.Close(), closeScrapes(scraped))
	}
	tally, err := openTally(c, log)
	if err != nil {
		return a, nil, errors.Join(err, listener.Close(), closeScrapes(scraped), inside.close(ctx))
	}
	a = wire(c, key, s, tally, listener, scraped, inside, log)
	a.tracer = tracer
	a.server.Trace(tracer)
	base := reachedAt(c, listener.Addr())
	if err = errors.Join(a.replica.Begin(ctx), offerSetup(ctx, io, a, base)); err != nil {
		return a, nil, errors.Join(err, listener.Close(), closeScrapes(scraped), inside.close(ctx), tally.Close())
	}
	draining, drained := context.WithTimeout(ctx, startDrain)
	defer drained()
	if err := a.drain(draining); err != nil {
		log.Warn("it is tried again within the hour", slog.Any("error", err))
	}
	log.Info("tokendesk is listening", slog.String("address", base), slog.String("database", s.Database()), slog.String("version", programVersion()))
	if !c.secure() {
		log.Info("cookies are not bound to TLS: set TOKENDESK_BASE_URL to an https:// address where others can reach this server")
	}
	return a, listener, nil
}

// offerSetup prints the set-up address while there is no Admin.
func offerSetup(ctx context.Context, io console, a app, base string) error {
	code, err := a.store.OfferSetup(ctx, models.Actor{Kind: models.System, RequestID: models.NewID()})
	if err != nil || code == "" {
		return err
	}
	_, err = fmt.Fprintf(io.out, "Set this console up within 15 minutes: %s/setup?code=%s\n", base, code.Reveal())
	return err
}

// reachedAt is the console's address for people on this machine, or the one that is configured.
func reachedAt(c config, listening net.Addr) string {
	if c.baseURL != "" {
		return c.baseURL
	}
	address := listening.(*net.TCPAddr).AddrPort()
	host := address.Addr().Unmap().String()
	switch host {
	case "127.0.0.1", "::1", "0.0.0.0", "::":
		host = "localhost"
	}
	at := url.URL{Scheme: "http", Host: net.JoinHostPort(host, strconv.Itoa(int(address.Port())))}
	return at.String()
}

// listenError says what is wrong with an address, and which setting has it.
func listenError(setting, address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use by another program: stop it, or set %s to another port", address, setting)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not listen on %s: set %s to a port of 1024 or more", address, setting)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is not an address of this machine: set %s to one that is, or to a port like :8080 for all", address, setting)
	}
	return fmt.Errorf("cannot listen on %s: %w", address, err)
}

// job runs until its context ends, or fails.
type job func(ctx context.Context) error

// flush writes down what was counted, and what was refused.
func (a app) flush(ctx context.Context) error {
	return errors.Join(a.counted(metrics.FlushUsage, a.flushInTurn)(ctx), a.counted(metrics.FlushRefusals, a.flushRefusals)(ctx))
}

func (a app) flushRefusals(ctx context.Context) error {
	return wrap("what was refused", a.handlers.Refusals.Flush(ctx, a.recorder()))
}

// prune removes what is over, and does what the policy says of API keys that nobody uses.
func (a app) prune(ctx context.Context) error {
	drained := a.drain(ctx)
	err, revoked := a.flushUsage(ctx), 0 // what was used a moment ago is not unused
	if err == nil {
		revoked, err = a.store.RevokeUnused(ctx)
	}
	if revoked > 0 {
		a.log.Info("API keys were revoked that nobody used", slog.Int("keys", revoked))
	}
	return errors.Join(drained, err, a.store.Prune(ctx))
}

// finish is the last flush, when nobody calls any more.
func (a app) finish(ctx context.Context) error {
	a.handlers.Gateway.Close()
	defer a.tracer.Close(ctx) // what cannot be sent is lost, and no failure of the server's
	return errors.Join(a.sample.close(ctx), a.flushUsage(ctx), a.tally.Close(), wrap("what was refused", a.handlers.Refusals.Finish(ctx, a.recorder())))
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s could not be written down: %w", what, err)
	}
	return nil
}

// answer serves requests. It ends when the last of them is finished, or is cut off because it takes
// longer than the server is patient.
func answer(server *http.Server, l net.Listener, patience time.Duration, log *slog.Logger) job {
	return func(ctx context.Context) error {
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(l) }()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
		}
		log.Info("tokendesk is ending: it finishes what runs; another signal ends it at once")
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err := server.Shutdown(last)
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.Join(fmt.Errorf("requests that were still running after %s were cut off", patience), server.Close())
		}
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
}

// every repeats a piece of work. A failure is logged, and the work tried again the next time.
func every(pause time.Duration, log *slog.Logger, work job) job {
	return func(ctx context.Context) error {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				err := work(ctx)
				if ctx.Err() != nil {
					return nil
				}
				if err != nil {
					log.Warn("background work failed", slog.Any("error", err))
				}
			}
		}
	}
}

// runAll runs the jobs until the context ends or one of them fails, waits for all, and then runs
// finish, which therefore sees what the very last request left behind.
func runAll(ctx context.Context, finish job, jobs ...job) error {
	all, stop := context.WithCancel(ctx)
	defer stop()
	var wait sync.WaitGroup
	failures := make([]error, len(jobs))
	for i, j := range jobs {
		wait.Go(func() {
			defer stop()
			failures[i] = guarded(all, j)
		})
	}
	wait.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	return errors.Join(append(failures, guarded(last, finish))...)
}

// guarded makes a panic of a job an error, so that the others still end in order.
func guarded(ctx context.Context, j job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{value: r, stack: strings.TrimSpace(string(debug.Stack()))}
		}
	}()
	return j(ctx)
}
