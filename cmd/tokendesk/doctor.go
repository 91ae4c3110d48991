package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"tokendesk/models/limits"
	"tokendesk/models/secret"
	"tokendesk/models/store"
)

// doctor looks at everything that the server needs, one line each, and fails when something is wrong.
// It makes no data directory and no key: one that is missing may have been lost.
func doctor(ctx context.Context, io console, c config, _ []string) error {
	x := examination{out: io.out}
	x.say("data directory "+c.dataDir, examineDataDir(c))
	x.say("key file "+c.keyFile, examineKey(c))
	if c.redisURL != "" {
		x.say("limits at "+maskedURL(c.redisURL), examineRedis(ctx, c))
	}
	s, err := openStore(ctx, c, slog.New(slog.DiscardHandler))
	if x.say("database", err) {
		defer s.Close()
		pending := isCurrent(ctx, s)
		x.say("schema on "+s.Database(), examineSchema(ctx, c, s, pending))
		if pending == nil {
			x.say("an active Admin", examineAdmin(ctx, s))
			events, err := examineEvents(ctx, s)
			x.say(fmt.Sprintf("audit log, %d events", events), err)
		}
	}
	if x.failed > 0 {
		return fmt.Errorf("doctor found %d wrong", x.failed)
	}
	return nil
}

type examination struct {
	out    io.Writer
	failed int
}

// say tells the finding of one check, and whether it is good.
func (x *examination) say(what string, err error) bool {
	if err != nil {
		x.failed++
		fmt.Fprintf(x.out, "wrong  %s: %s\n", what, plain(err))
		return false
	}
	fmt.Fprintf(x.out, "ok     %s\n", what)
	return true
}

func examineDataDir(c config) error {
	if _, err := os.Stat(c.dataDir); errors.Is(err, fs.ErrNotExist) {
		return errors.New("it is not there: the server makes it at its first start, or set TOKENDESK_DATA_DIR to where it is")
	}
	return probeDataDir(c)
}

func examineKey(c config) error {
	if _, err := os.Stat(c.keyFile); errors.Is(err, fs.ErrNotExist) {
		return errors.New("it is not there: the server makes it at its first start; after that, put the copy from your backup in its place")
	}
	_, err := secret.OpenKey(c.keyFile)
	return err
}

// examineRedis asks the server once that counts limits for all.
func examineRedis(ctx context.Context, c config) error {
	r, err := limits.Open(c.redisURL)
	if err != nil {
		return err
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := r.Ping(ctx); err != nil {
		return fmt.Errorf("it does not answer: %w; until it does, each server goes by its share of the limits", err)
	}
	return nil
}

func examineSchema(ctx context.Context, c config, s *store.Store, pending error) error {
	if pending != nil {
		return pending
	}
	return s.AsMade(ctx, "The database", c.dataDir)
}

// isCurrent says which step of the schema is missing.
func isCurrent(ctx context.Context, s *store.Store) error {
	steps, err := s.Schema(ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if step.AppliedAt.IsZero() {
			return fmt.Errorf("%s is not applied: run tokendesk migrate up, or start the server", step.Name)
		}
	}
	return nil
}

func examineAdmin(ctx context.Context, s *store.Store) error {
	there, err := s.HasAdmin(ctx)
	if err == nil && !there {
		err = errors.New("there is none: start the server and use the address that it prints, or run tokendesk person add --admin")
	}
	return err
}

func examineEvents(ctx context.Context, s *store.Store) (int64, error) {
	chain, err := s.VerifyEvents(ctx)
	if err == nil && chain.Broken != "" {
		err = errors.New(chain.Broken)
	}
	return chain.Events, err
}
