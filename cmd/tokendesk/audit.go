package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
)

// followEvery is how often audit tail -f looks for new events.
const followEvery = time.Second

func auditTail(flags *flag.FlagSet) work {
	count, follow := flags.Int("n", 20, ""), flags.Bool("f", false, "")
	return func(ctx context.Context, io console, c config, _ []string) error {
		if *count < 1 || *count > 10_000 {
			return usage{"audit tail -n takes a number from 1 to 10000"}
		}
		return withStore(ctx, c, func(s *store.Store) error {
			events, err := s.Events(ctx, operator(), models.EventFilter{Limit: *count})
			if err != nil {
				return err
			}
			slices.Reverse(events)
			last, err := printEvents(io.out, events, 0)
			if err != nil || !*follow {
				return err
			}
			return followEvents(ctx, io.out, s, last)
		})
	}
}

// followEvents prints what is added to the log after an event, until it is told to end.
func followEvents(ctx context.Context, out io.Writer, s *store.Store, last int64) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	again := time.NewTicker(followEvery)
	defer again.Stop()
	for {
		events, err := s.EventsAfter(ctx, last, 1000)
		if err == nil {
			last, err = printEvents(out, events, last)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case len(events) > 0:
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

// printEvents answers the number of the last event that is printed.
func printEvents(out io.Writer, events []models.Event, last int64) (int64, error) {
	for _, e := range events {
		if _, err := fmt.Fprintln(out, line(e)); err != nil {
			return last, err
		}
		last = e.Seq
	}
	return last, nil
}

// line is an event in one line: number, time, what, by whom, to what, from where, and what changed.
func line(e models.Event) string {
	who := string(e.ActorKind)
	if e.ActorName != "" {
		who += fmt.Sprintf(" %q", e.ActorName) // quoted: a name could read like the rest of the line
	}
	text := fmt.Sprintf("%d %s %s by %s", e.Seq, e.At.UTC().Format(time.RFC3339), e.Action, who)
	if e.SubjectID != "" {
		text += fmt.Sprintf(" on %s %q (%s)", e.SubjectKind, e.SubjectName, e.SubjectID)
	}
	if e.Address != "" {
		text += " from " + e.Address
	}
	for _, change := range e.ChangeList() {
		text += fmt.Sprintf(" %s:%q->%q", change.Field, change.Before, change.After)
	}
	return text
}

func auditVerify(ctx context.Context, io console, c config, _ []string) error {
	return withStore(ctx, c, func(s *store.Store) error {
		chain, err := s.VerifyEvents(ctx)
		if err != nil {
			return err
		}
		if chain.Broken != "" {
			return fmt.Errorf("the audit log was tampered with: %s", chain.Broken)
		}
		_, err = fmt.Fprintf(io.out, "The audit log is whole: %d events, each chained to the one before.\n", chain.Events)
		return err
	})
}
