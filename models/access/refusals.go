package access

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"tokendesk/models"
)

// RefusalRecorder writes a refusal down, or many of one kind together.
type RefusalRecorder interface {
	RecordRefused(ctx context.Context, r models.Refused) error
}

const (
	refusalKinds   = 1000            // kept apart at once; what is new beyond them is counted together
	refusalBurst   = 100             // written down at once
	refusalEvery   = time.Minute     // and after that one in this time, which is half a million a year
	refusalPause   = time.Minute     // one kind again, doubling
	longestRefusal = time.Hour       // to this
	severalReasons = "several kinds" // the reason of those that are counted together
)

// Refusals gathers what was not allowed until it is written to the audit log: the first of a kind at
// once, those that follow together, ever more rarely while they go on. Whatever somebody tries, and for
// however long, what is written is bounded, and so is what is kept in memory.
// Safe for concurrent use.
type Refusals struct {
	mu     sync.Mutex
	kinds  map[kindOfRefusal]*refusals
	budget int       // how many may be written now
	since  time.Time // when the budget last grew
	now    models.Clock

	flushing sync.Mutex // one at a time
}

// kindOfRefusal is what must be the same for refusals to be told together.
type kindOfRefusal struct {
	action                           models.Action
	reason, asked, actor, credential string
	subject, workspace               string
}

type refusals struct {
	models.Refused
	from  map[string]bool // addresses
	next  time.Time       // not written down again before
	pause time.Duration   // after the next time
}

// NewRefusals makes one that has gathered nothing.
func NewRefusals(now models.Clock) *Refusals {
	return &Refusals{kinds: map[kindOfRefusal]*refusals{}, budget: refusalBurst, since: now(), now: now}
}

// Add takes note of one refusal. Its Count, First, Last and Addresses are filled in here.
func (g *Refusals) Add(r models.Refused) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	kind := kindOfRefusal{r.Action, r.Reason, r.Asked, r.Who.ID, r.Who.CredentialID, r.SubjectID, r.WorkspaceID}
	if g.kinds[kind] == nil && len(g.kinds) >= refusalKinds {
		kind, r = several(r)
	}
	r.Count, r.First, r.Last = 1, now, now
	g.join(kind, r, r.Who.Address)
}

// several is a refusal without what tells it from others.
func several(r models.Refused) (kindOfRefusal, models.Refused) {
	who := models.Actor{Kind: models.Guest, Address: r.Who.Address, RequestID: r.Who.RequestID}
	return kindOfRefusal{action: r.Action, reason: severalReasons},
		models.Refused{Action: r.Action, Reason: severalReasons, Who: who, Count: r.Count, First: r.First, Last: r.Last}
}

// join adds refusals to those of their kind; what is told of them is the last one's.
func (g *Refusals) join(kind kindOfRefusal, r models.Refused, from ...string) *refusals {
	k := g.kinds[kind]
	if k == nil {
		k = &refusals{from: map[string]bool{}, pause: refusalPause}
		g.kinds[kind] = k
	}
	if k.Count > 0 {
		count, first, was := k.Count+r.Count, k.First, k.Refused
		if r.First.Before(first) {
			first = r.First
		}
		if was.Last.After(r.Last) {
			r = was
		}
		r.Count, r.First = count, first
	}
	for _, address := range from {
		if len(k.from) < models.RefusedAddresses {
			k.from[address] = true
		}
	}
	k.Refused, k.Addresses = r, len(k.from)
	return k
}

// Flush writes down what is due. What could not be written is kept for the next time.
func (g *Refusals) Flush(ctx context.Context, to RefusalRecorder) error {
	return g.flush(ctx, to, false)
}

// Finish writes down all that is left, due or not, as the last thing that a server does: each kind apart, for nobody
// but who runs it can have that happen often; and what is left when half of the time is over, together.
func (g *Refusals) Finish(ctx context.Context, to RefusalRecorder) error {
	apart, cancel := half(ctx)
	defer cancel()
	err := g.flush(apart, to, true)
	if apart.Err() == nil || ctx.Err() != nil {
		return err
	}
	g.gather()
	return g.flush(ctx, to, true)
}

// half is a context with half of the time of another one.
func half(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, limited := ctx.Deadline(); limited {
		return context.WithTimeout(ctx, end.Sub(models.Ticks())/2) // of the context, and so by the clock that it has
	}
	return context.WithCancel(ctx)
}

// gather puts what is left together, as it is for kinds that are too many.
func (g *Refusals) gather() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, kind := range g.oldestFirst() {
		if k := g.kinds[kind]; k.Count > 0 && kind.reason != severalReasons {
			delete(g.kinds, kind)
			together, r := several(k.Refused)
			g.join(together, r, slices.Collect(maps.Keys(k.from))...)
		}
	}
}

func (g *Refusals) flush(ctx context.Context, to RefusalRecorder, all bool) error {
	g.flushing.Lock()
	defer g.flushing.Unlock()
	var failed error
	for _, r := range g.due(all) {
		if failed == nil {
			failed = to.RecordRefused(ctx, r.Refused)
		}
		if failed != nil {
			g.putBack(r)
		}
	}
	return failed
}

// written is what was taken out to be written down, and where it came from.
type written struct {
	models.Refused
	kind kindOfRefusal
	from map[string]bool
}

// due takes out what may be written down now, or all there is, and forgets what has been quiet for long.
func (g *Refusals) due(all bool) []written {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if grown := int(now.Sub(g.since) / refusalEvery); grown > 0 {
		g.budget, g.since = min(refusalBurst, g.budget+grown), g.since.Add(time.Duration(grown)*refusalEvery)
	}
	var list []written
	for _, kind := range g.oldestFirst() {
		k := g.kinds[kind]
		switch {
		case !all && (now.Before(k.next) || k.Count > 0 && g.budget <= 0):
		case k.Count == 0:
			delete(g.kinds, kind)
		default:
			g.budget--
			list = append(list, written{k.Refused, kind, k.from})
			k.Count, k.from, k.next = 0, map[string]bool{}, now.Add(k.pause)
			k.pause = min(2*k.pause, longestRefusal)
		}
	}
	return list
}

// oldestFirst are the kinds in the order in which they came, so that what is one of many is told before what came
// after it, however much that is.
func (g *Refusals) oldestFirst() []kindOfRefusal {
	return slices.SortedFunc(maps.Keys(g.kinds), func(a, b kindOfRefusal) int { return g.kinds[a].First.Compare(g.kinds[b].First) })
}

func (g *Refusals) putBack(r written) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.budget++
	k := g.join(r.kind, r.Refused, slices.Collect(maps.Keys(r.from))...)
	k.next, k.pause = time.Time{}, refusalPause
}
