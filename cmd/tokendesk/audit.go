package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
)

// followEvery is how often audit tail -f looks for new events.
const followEvery = time.Second

func auditTail(ctx context.Context, io console, c config, args []string) error {
	count, follow := 20, false
	_, err := parse("audit tail", func(f *flag.FlagSet) {
		f.IntVar(&count, "n", 20, "")
		f.BoolVar(&follow, "f", false, "")
	}, args, 0)
	if err != nil {
		return err
	}
	if count < 1 || count > 10_000 {
		return usage{"audit tail -n takes a number from 1 to 10000"}
	}
	return withStore(ctx, c, func(s *store.Store) error {
		events, err := s.Events(ctx, operator(), 0, count)
		if err != nil {
			return err
		}
		slices.Reverse(events)
		var last int64
		for {
			for _, e := range events {
				fmt.Fprintln(io.out, line(e))
				last = e.Seq
			}
			if !follow {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(followEvery):
			}
			if events, err = s.EventsAfter(ctx, last, 1000); err != nil {
				return err
			}
		}
	})
}

// line is an event in one line: number, time, what, by whom, to what, from where, and what changed.
func line(e models.Event) string {
	who := strings.TrimSpace(string(e.ActorKind) + " " + e.ActorName)
	text := fmt.Sprintf("%d %s %s by %s", e.Seq, e.At.UTC().Format(time.RFC3339), e.Action, who)
	if e.SubjectID != "" {
		text += fmt.Sprintf(" on %s %s (%s)", e.SubjectKind, e.SubjectName, e.SubjectID)
	}
	if e.Address != "" {
		text += " from " + e.Address
	}
	for _, change := range e.ChangeList() {
		text += fmt.Sprintf(" %s:%q->%q", change.Field, change.Before, change.After)
	}
	return text
}

func auditVerify(ctx context.Context, io console, c config, args []string) error {
	if _, err := parse("audit verify", nil, args, 0); err != nil {
		return err
	}
	return withStore(ctx, c, func(s *store.Store) error {
		chain, err := s.VerifyEvents(ctx)
		if err != nil {
			return err
		}
		if chain.Broken != "" {
			return fmt.Errorf("the audit log was tampered with: %s", chain.Broken)
		}
		fmt.Fprintf(io.out, "The audit log is whole: %d events, each chained to the one before.\n", chain.Events)
		return nil
	})
}
