package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"tokendesk/models/store"
)

func migrateUp(ctx context.Context, io console, c config, _ []string) error {
	return withAnySchema(ctx, c, func(s *store.Store) error {
		steps, err := s.Migrate(ctx)
		if err != nil {
			return err
		}
		for _, step := range steps {
			fmt.Fprintf(io.out, "applied %s\n", step.Name)
		}
		_, err = fmt.Fprintln(io.out, "The schema is current.")
		return err
	})
}

func migrateStatus(ctx context.Context, io console, c config, _ []string) error {
	return withAnySchema(ctx, c, func(s *store.Store) error {
		steps, err := s.Schema(ctx)
		if err != nil {
			return err
		}
		for _, step := range steps {
			state := "not applied"
			if !step.AppliedAt.IsZero() {
				state = "applied " + step.AppliedAt.UTC().Format(time.RFC3339)
			}
			if _, err := fmt.Fprintf(io.out, "%s  %s\n", step.Name, state); err != nil {
				return err
			}
		}
		return nil
	})
}

// withAnySchema opens the database for one command as it is.
func withAnySchema(ctx context.Context, c config, do func(*store.Store) error) error {
	if c.databaseURL == "" {
		if err := makeDataDir(c); err != nil {
			return err
		}
	}
	s, err := openStore(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}
