package access

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"tokendesk/models"
)

// shelf has products, each with a revision that a test moves on.
type shelf struct {
	source
	revision atomic.Int64
	reads    atomic.Int64
	away     atomic.Bool
	before   func() // an answer is given
}

func (s *shelf) ProductAsOf(_ context.Context, id string) (models.Product, models.Snapshot, error) {
	s.reads.Add(1)
	p := models.Product{ID: id, Revision: s.revision.Load(), Resources: models.DefaultResources()}
	if s.before != nil {
		s.before()
	}
	if s.away.Load() {
		return p, models.Snapshot{}, errors.New("the database is away")
	}
	return p, models.Snapshot{}, nil
}

func shelved(s *shelf) *products { return &products{source: s, ready: map[string]*Product{}} }

// A product is read when its revision has moved on, and otherwise kept; a grant from just before the change gets the later
// one. While it cannot be read, what is kept does not stand in for a later revision.
func TestProductsFollowTheirRevision(t *testing.T) {
	s := &shelf{}
	p := shelved(s)
	for i, step := range []struct {
		now, asked  int64
		away        bool
		want, reads int64 // want 0: none
	}{
		{1, 1, false, 1, 1},
		{1, 1, false, 1, 1},
		{2, 1, false, 1, 1}, // nobody has told yet
		{2, 2, true, 0, 2},
		{2, 1, true, 1, 2},
		{2, 2, false, 2, 3},
		{2, 1, false, 2, 3},
		{9, 8, false, 9, 4},
		{9, 9, true, 9, 4},
		{3, 10, false, 9, 5}, // a reader that is behind
	} {
		s.revision.Store(step.now)
		s.away.Store(step.away)
		got, err := p.at(t.Context(), "x", step.asked)
		if (err != nil) != (step.want == 0) || got != nil && (got.Revision != step.want || got.Routes == nil || got.ID != "x") || got == nil && step.want > 0 || s.reads.Load() != step.reads {
			t.Errorf("step %d: %+v after %d reads (%v)", i, got, s.reads.Load(), err)
		}
	}
}

// However many products there are, so many are kept and no more, and the one that is asked for is always among them.
func TestProductsAreBounded(t *testing.T) {
	p := shelved(&shelf{})
	for i := range mostKept * 3 / 2 {
		id := fmt.Sprint("product ", i)
		got, err := p.at(t.Context(), id, 0)
		if err != nil || got.ID != id || p.ready[id] != got || len(p.ready) > mostKept {
			t.Fatalf("%s: %+v, of %d that are kept (%v)", id, got, len(p.ready), err)
		}
	}
}

// A slow read of an earlier revision does not take the place of a later one that was read meanwhile.
func TestProductsNeverGoBack(t *testing.T) {
	s := &shelf{}
	s.revision.Store(1)
	p := shelved(s)
	s.before = func() { // while the first revision is on its way, the second is asked for
		s.before = nil
		s.revision.Store(2)
		if got, err := p.at(t.Context(), "x", 2); err != nil || got.Revision != 2 {
			t.Errorf("meanwhile: %+v (%v)", got, err)
		}
	}
	for range 2 {
		if got, err := p.at(t.Context(), "x", 1); err != nil || got.Revision != 2 {
			t.Errorf("afterwards: %+v (%v)", got, err)
		}
	}
}

// Many who ask at once while the product changes each get one that is at least as new as they asked for.
func TestProductsAtOnce(t *testing.T) {
	s := &shelf{}
	p := shelved(s)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				asked := s.revision.Load()
				if got, err := p.at(t.Context(), "x", asked); err != nil || got.Revision < asked {
					t.Errorf("asked for %d: %+v (%v)", asked, got, err)
				}
				s.revision.CompareAndSwap(asked, asked+1)
			}
		})
	}
	all.Wait()
}
