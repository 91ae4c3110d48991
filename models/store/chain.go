package store

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"
)

// Chain is what a walk along the audit log's hash chain found.
type Chain struct {
	Events int64
	Broken string // the first link that does not hold, in words; empty when all do
}

// VerifyEvents walks the whole chain and compares its end with the clock's row.
func (s *Store) VerifyEvents(ctx context.Context) (Chain, error) {
	var c Chain
	hash, last, after := []byte{}, time.Time{}, int64(math.MinInt64)
	for {
		list, err := s.EventsAfter(ctx, after, 1000)
		if err != nil {
			return c, err
		}
		for _, e := range list {
			switch {
			case e.Seq < 1:
				c.Broken = fmt.Sprintf("event %d was put in: the log begins with 1", e.Seq)
			case e.Seq != c.Events+1:
				c.Broken = fmt.Sprintf("event %d is missing", c.Events+1)
			case !bytes.Equal(e.Hash, e.Sum(hash)):
				c.Broken = fmt.Sprintf("event %d (%s, %s) was changed, or one before it was", e.Seq, e.Action, e.At.UTC().Format(time.RFC3339))
			}
			if c.Broken != "" {
				return c, nil
			}
			hash, last, after, c.Events = e.Hash, e.At, e.Seq, e.Seq
		}
		if len(list) == 0 {
			break
		}
	}
	return c, s.compareEnd(ctx, &c, hash, last)
}

// compareEnd notices events that were cut off at the end: the clock's row remembers the last one.
func (s *Store) compareEnd(ctx context.Context, c *Chain, hash []byte, last time.Time) error {
	var clock struct {
		LastSeq  int64
		LastHash []byte
	}
	if err := s.db.WithContext(ctx).Table("change_clock").Take(&clock).Error; err != nil {
		return translate(err)
	}
	switch {
	case clock.LastSeq < c.Events:
		c.Broken = fmt.Sprintf("the log has event %d, and the clock stands at %d", c.Events, clock.LastSeq)
	case clock.LastSeq > c.Events:
		// The log may have grown since its end was read; then the next event is there.
		more, err := s.EventsAfter(ctx, c.Events, 1)
		if err != nil {
			return err
		}
		if len(more) == 0 {
			c.Broken = fmt.Sprintf("events after %d (%s) are missing: the clock stands at %d", c.Events, last.UTC().Format(time.RFC3339), clock.LastSeq)
		}
	case !bytes.Equal(clock.LastHash, hash):
		c.Broken = fmt.Sprintf("the last event, %d, is not the one that the clock remembers", c.Events)
	}
	return nil
}
