package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"tokendesk/models"
)

const (
	flushEvery = time.Second      // how long a count may be in memory only
	pruneEvery = time.Hour        // how often what is over is removed
	patience   = 20 * time.Second // how long requests may take to finish after SIGTERM
	lastWords  = 5 * time.Second  // how long the last flush may take
)

// serve starts the console and runs until the context ends: then it accepts nothing new, lets finish
// what runs, writes down what was counted, and ends well.
func serve(ctx context.Context, io console, c config, args []string) error {
	if len(args) > 0 {
		return usage{fmt.Sprintf("serve takes no arguments, and %q is one. See tokendesk --help.", args[0])}
	}
	log := openLog(io, c)
	key, err := openData(c)
	if err != nil {
		return err
	}
	s, err := openStore(ctx, c, log, true)
	if err != nil {
		return err
	}
	defer s.Close()
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return listenError(c.listen, err)
	}
	a := wire(c, key, s, log)
	base := reachedAt(c, listener)
	log.Info("tokendesk is listening", slog.String("address", base), slog.String("database", s.Database()), slog.String("version", programVersion()))
	if !secure(c) {
		log.Info("cookies are not bound to TLS: set TOKENDESK_BASE_URL to an https:// address where others can reach this server")
	}
	if err := offerSetup(ctx, io, a, base); err != nil {
		return errors.Join(err, listener.Close())
	}
	return runAll(ctx, a.flush, a.http(listener), every(flushEvery, log, a.flush), every(pruneEvery, log, s.Prune))
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
func reachedAt(c config, l net.Listener) string {
	if c.baseURL != "" {
		return c.baseURL
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func listenError(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use by another program: stop it, or set TOKENDESK_LISTEN to another port", address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not listen on %s: use a port of 1024 or more", address)
	}
	return fmt.Errorf("cannot listen on %s: %w", address, err)
}

// job runs until its context ends, or fails.
type job func(ctx context.Context) error

// flush writes down what was counted.
func (a app) flush(ctx context.Context) error { return a.tally.Flush(ctx, a.store) }

// http answers requests. It ends when the last of them is finished.
func (a app) http(l net.Listener) job {
	return func(ctx context.Context) error {
		server := a.server.HTTP()
		failed := make(chan error, 1)
		go func() { failed <- server.Serve(l) }()
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err := server.Shutdown(last)
		if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
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
				if err := work(ctx); err != nil && ctx.Err() == nil {
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
	return errors.Join(append(failures, finish(last))...)
}

// guarded makes a panic of a job an error, so that the others still end in order.
func guarded(ctx context.Context, j job) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, strings.TrimSpace(string(debug.Stack())))
		}
	}()
	return j(ctx)
}
