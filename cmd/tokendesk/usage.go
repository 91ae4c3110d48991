package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
)

// usageDir is where each server counts calls in a file of its own.
func usageDir(c config) string { return filepath.Join(c.dataDir, "usage") }

// openTally makes the file that this server counts in.
func openTally(c config, log *slog.Logger) (*access.Tally, error) {
	tally, err := access.OpenTally(usageDir(c), models.SystemClock)
	if errors.Is(err, errors.ErrUnsupported) {
		log.Warn("calls are counted in memory on this system: a server that is killed loses those since the last flush")
		return tally, nil
	}
	if err != nil {
		return nil, dataDirError(c, "counted in", err)
	}
	return tally, nil
}

// startDrain is how long a start waits for what killed servers left behind. What is not written down by then is so within the hour.
const startDrain = 5 * time.Second

// drain writes down what servers counted in this data directory that were killed. What cannot be written now is tried again later.
func (a app) drain(ctx context.Context) error {
	d, err := access.Drain(ctx, a.usageDir, a.store, models.SystemClock())
	if d.Calls > 0 {
		a.log.Info("calls were written down that a server had counted before it was killed", slog.Int64("calls", d.Calls), slog.Int("servers", d.Files))
	}
	if d.Old > 0 {
		a.log.Warn("calls are not counted that a server left behind which was killed more than 30 days ago", slog.Int64("calls", d.Old))
	}
	if d.Wrong > 0 {
		a.log.Warn("counts are left out that no server writes: somebody else has written to the folder usage", slog.Int("counts", d.Wrong))
	}
	return wrap("calls that a killed server had counted", err)
}

// A flush of many credentials takes a while of the database and of this server, and they are many because calls of each come again and again: the longer the next
// one waits, the more of them it writes at once. It waits nine times as long as the one before took, and no longer than ten seconds.
const (
	restAfterFlush = 9
	longestRest    = 10 * time.Second
)

// flushInTurn flushes, unless it is too early after the time before.
func (a app) flushInTurn(ctx context.Context) error {
	begun := models.Ticks()
	if begun.Before(*a.rests) {
		return nil
	}
	err := a.flushUsage(ctx)
	ended := models.Ticks()
	*a.rests = ended.Add(min(restAfterFlush*ended.Sub(begun), longestRest))
	return err
}

func (a app) flushUsage(ctx context.Context) error {
	return wrap("calls that were counted", a.tally.Flush(ctx, a.recorder()))
}

// whenever does a piece of work each time that it is asked to. A failure is logged.
func whenever(asked <-chan struct{}, log *slog.Logger, work job) job {
	return func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-asked:
				if err := work(ctx); err != nil && ctx.Err() == nil {
					log.Warn("background work failed", slog.Any("error", err))
				}
			}
		}
	}
}
