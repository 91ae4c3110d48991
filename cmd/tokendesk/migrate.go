package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"tokendesk/models/store"
)

func migrateUp(ctx context.Context, io console, c config, args []string) error {
	if _, err := parse("migrate up", nil, args, 0); err != nil {
		return err
	}
	s, err := openStore(ctx, c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer s.Close()
	steps, err := s.Migrate(ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		fmt.Fprintf(io.out, "applied %s\n", step.Name)
	}
	fmt.Fprintln(io.out, "The schema is current.")
	return nil
}

func migrateStatus(ctx context.Context, io console, c config, args []string) error {
	if _, err := parse("migrate status", nil, args, 0); err != nil {
		return err
	}
	s, err := openStore(ctx, c, slog.New(slog.DiscardHandler), false)
	if err != nil {
		return err
	}
	defer s.Close()
	return printSchema(ctx, io, s)
}

func printSchema(ctx context.Context, io console, s *store.Store) error {
	steps, err := s.Schema(ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		state := "not applied"
		if !step.AppliedAt.IsZero() {
			state = "applied " + step.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(io.out, "%s  %s\n", step.Name, state)
	}
	return nil
}

// doctor looks at everything that the server needs, one line each, and fails when something is wrong.
func doctor(ctx context.Context, io console, c config, args []string) error {
	if _, err := parse("doctor", nil, args, 0); err != nil {
		return err
	}
	failed := 0
	say := func(what string, err error) bool {
		if err != nil {
			failed++
			fmt.Fprintf(io.out, "wrong  %s: %s\n", what, plain(err))
			return false
		}
		fmt.Fprintf(io.out, "ok     %s\n", what)
		return true
	}
	say("settings", nil)
	_, err := openData(c)
	say("data directory "+c.dataDir+" and key "+c.keyFile, err)
	s, err := openStore(ctx, c, slog.New(slog.DiscardHandler), false)
	if say("database", err) {
		defer s.Close()
		steps, err := s.Schema(ctx)
		for _, step := range steps {
			if step.AppliedAt.IsZero() && err == nil {
				err = fmt.Errorf("%s is not applied: run tokendesk migrate up, or start the server", step.Name)
			}
		}
		if say("schema of "+s.Database(), err) {
			say(examineData(ctx, s))
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of the checks failed", failed)
	}
	return nil
}

func examineData(ctx context.Context, s *store.Store) (string, error) {
	if done, err := s.HasAdmin(ctx); err != nil || !done {
		if err == nil {
			err = fmt.Errorf("there is no active Admin: start the server and use the address that it prints, or run tokendesk person add --admin")
		}
		return "Admins", err
	}
	chain, err := s.VerifyEvents(ctx)
	if err == nil && chain.Broken != "" {
		err = fmt.Errorf("%s", chain.Broken)
	}
	return fmt.Sprintf("audit log, %d events", chain.Events), err
}
