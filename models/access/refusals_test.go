package access

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
)

// recorded is what an audit log was given.
type recorded struct {
	mu      sync.Mutex
	list    []models.Refused
	failing bool
	fail    int // 1 in fail fails; 0: none
	n       int
}

var errAway = errors.New("the database is away")

func (r *recorded) RecordRefused(_ context.Context, refused models.Refused) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n++; r.failing || r.fail > 0 && r.n%r.fail == 0 {
		return errAway
	}
	r.list = append(r.list, refused)
	return nil
}

// times is how often something was refused, by all that was written down.
func (r *recorded) times() (n int64) {
	for _, refused := range r.list {
		n += refused.Count
	}
	return n
}

// ticking is a clock that a test moves.
type ticking struct {
	mu sync.Mutex
	at time.Time
}

func (c *ticking) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *ticking) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

func wrongPassword(whose, address string) models.Refused {
	return models.Refused{
		Action: models.SignInRefused, Reason: "wrong_password", SubjectKind: models.OfPerson, SubjectID: whose, SubjectName: "Tom", PersonID: whose,
		Who: models.Actor{Kind: models.Guest, Address: address, RequestID: "r-" + address},
	}
}

func flushRefusals(t *testing.T, g *Refusals, to RefusalRecorder) {
	t.Helper()
	if err := g.Flush(t.Context(), to); err != nil {
		t.Fatal(err)
	}
}

// The first of a kind is written down with the next flush, as it is; those that follow are told together, after
// pauses that double up to an hour; after an hour of quiet the next one is a first one again.
func TestRefusalsAreToldEverMoreRarely(t *testing.T) {
	clock, to := &ticking{at: noon}, &recorded{}
	g := NewRefusals(clock.now)
	added, told := int64(0), []time.Duration{}
	for range 8 * 60 * 6 { // a refusal every ten seconds, for eight hours
		g.Add(wrongPassword("tom", "192.0.2.7"))
		added++
		before := len(to.list)
		flushRefusals(t, g, to)
		if len(to.list) > before {
			told = append(told, clock.now().Sub(noon))
		}
		clock.advance(10 * time.Second)
	}
	want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363, 423}
	for i := range want {
		want[i] *= time.Minute
	}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("told at %v,\nwant    %v", told, want)
	}
	first := wrongPassword("tom", "192.0.2.7")
	first.Count, first.First, first.Last, first.Addresses = 1, noon, noon, 1
	if to.list[0] != first {
		t.Errorf("the first is %+v", to.list[0])
	}
	if second := to.list[1]; second.Count != 6 || second.First != noon.Add(10*time.Second) || second.Last != noon.Add(time.Minute) {
		t.Errorf("the second is %+v", second)
	}
	if err := g.Finish(t.Context(), to); err != nil || to.times() != added {
		t.Errorf("%d of %d are told (%v)", to.times(), added, err)
	}

	clock.advance(longestRefusal)
	flushRefusals(t, g, to)
	before := len(to.list)
	g.Add(wrongPassword("tom", "192.0.2.7"))
	flushRefusals(t, g, to)
	if len(to.list) != before+1 {
		t.Error("after a pause the next is not told at once")
	}
}

// What is of another kind is told apart: for another reason, of another account, asked of another address of ours,
// by another person or with another token. Where it comes from does not tell kinds apart, and is counted.
func TestKindsOfRefusals(t *testing.T) {
	clock, to := &ticking{at: noon}, &recorded{}
	g := NewRefusals(clock.now)
	kinds := []models.Refused{
		wrongPassword("tom", "192.0.2.7"), wrongPassword("ann", "192.0.2.7"), {Action: models.SignInRefused, Reason: "deactivated", SubjectID: "tom"},
		{Action: models.SignInRefused, Reason: "unknown_address"}, {Action: models.InstallRefused, Reason: "credential_expired"},
		{Action: models.InstallRefused, Reason: "credential_expired", Who: models.Actor{ID: "tom", CredentialID: "c1"}},
		{Action: models.InstallRefused, Reason: "credential_expired", Who: models.Actor{ID: "tom", CredentialID: "c2"}},
		{Action: models.AccessDenied, Reason: "forbidden", Asked: "GET /people", Who: models.Actor{ID: "tom"}},
		{Action: models.AccessDenied, Reason: "forbidden", Asked: "GET /audit", Who: models.Actor{ID: "tom"}},
	}
	for i, kind := range kinds {
		for n := range i + 1 {
			kind.Who.Address = fmt.Sprint("192.0.2.", n)
			g.Add(kind)
			g.Add(kind)
		}
	}
	flushRefusals(t, g, to)
	seen := map[int64]models.Refused{}
	for _, r := range to.list {
		seen[r.Count] = r
	}
	for i, kind := range kinds {
		r := seen[int64(2*i+2)]
		if r.Action != kind.Action || r.Reason != kind.Reason || r.SubjectID != kind.SubjectID || r.Asked != kind.Asked || r.Who.CredentialID != kind.Who.CredentialID || r.Addresses != i+1 {
			t.Errorf("%+v is told as %+v", kind, r)
		}
	}
	if len(to.list) != len(kinds) {
		t.Errorf("%d are told, of %d kinds", len(to.list), len(kinds))
	}
}

// Addresses are counted up to a hundred, and no further.
func TestManyAddresses(t *testing.T) {
	clock, to := &ticking{at: noon}, &recorded{}
	g := NewRefusals(clock.now)
	for i := range 5000 {
		g.Add(wrongPassword("tom", fmt.Sprint("2001:db8::", i%(models.RefusedAddresses+50))))
	}
	flushRefusals(t, g, to)
	if len(to.list) != 1 || to.list[0].Addresses != models.RefusedAddresses || to.list[0].Count != 5000 || to.list[0].Who.Address != fmt.Sprint("2001:db8::", 4999%150) {
		t.Errorf("%+v", to.list)
	}
}

// However many others come after it, what was refused first is told first when there is something to spend.
func TestWhatCameFirstIsToldFirst(t *testing.T) {
	clock, to := &ticking{at: noon}, &recorded{}
	g := NewRefusals(clock.now)
	for i := range refusalBurst {
		g.Add(wrongPassword(strconv.Itoa(i), "before"))
	}
	flushRefusals(t, g, to) // nothing is left to spend
	clock.advance(time.Second)
	g.Add(wrongPassword("the one that counts", "203.0.113.66"))
	for i := range 50 {
		clock.advance(time.Second)
		g.Add(wrongPassword("later "+strconv.Itoa(i), "after"))
	}
	clock.advance(refusalEvery) // enough for one
	flushRefusals(t, g, to)
	if last := to.list[len(to.list)-1]; len(to.list) != refusalBurst+1 || last.Who.Address != "203.0.113.66" {
		t.Errorf("%d are told, the last of them from %s", len(to.list), last.Who.Address)
	}
}

// Whatever is tried, and however many different things: what is kept in memory is bounded, what is written down
// in a day is bounded, and every one is counted.
func TestAFloodOfDifferentRefusals(t *testing.T) {
	const all, adds = 24 * 60, 1_000_000
	clock, to := &ticking{at: noon}, &recorded{}
	g := NewRefusals(clock.now)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, added := heap(), int64(0)
	for range all {
		for range adds / all {
			g.Add(wrongPassword(strconv.FormatInt(added, 36), strconv.FormatInt(added%997, 10)))
			added++
		}
		flushRefusals(t, g, to)
		clock.advance(time.Minute)
	}
	if n := len(to.list); n > refusalBurst+all {
		t.Errorf("%d events in a day", n)
	}
	to.mu.Lock()
	events := to.list
	to.mu.Unlock()
	if len(g.kinds) > refusalKinds+3 {
		t.Errorf("%d kinds are kept", len(g.kinds))
	}
	if grown := int64(heap()) - int64(before); grown > 8<<20 {
		t.Errorf("the heap has grown by %d KiB", grown>>10)
	}
	if err := g.Finish(t.Context(), to); err != nil || to.times() != added {
		t.Errorf("%d of %d are told (%v)", to.times(), added, err)
	}
	if n := len(to.list) - len(events); n > refusalKinds+3 {
		t.Errorf("%d events at the end", n)
	}
}

// The last flush writes all that is left, what is not due yet too, and loses nothing of what tells one from another,
// however many there are.
func TestFinishLosesNothing(t *testing.T) {
	clock, to := &ticking{at: noon}, &recorded{}
	g := NewRefusals(clock.now)
	actions := []models.Action{models.SignInRefused, models.InstallRefused, models.AccessDenied}
	for i := range 3 * refusalBurst {
		for range 2 {
			g.Add(models.Refused{Action: actions[i%3], Reason: fmt.Sprint("reason ", i), Who: models.Actor{Address: fmt.Sprint(i)}})
		}
	}
	flushRefusals(t, g, to)
	if len(to.list) != refusalBurst {
		t.Fatalf("%d events at once", len(to.list))
	}
	g.Add(models.Refused{Action: models.SignInRefused, Reason: "reason 0", Who: models.Actor{Address: "0"}}) // perhaps not due
	to.failing = true
	if err := g.Finish(t.Context(), to); !errors.Is(err, errAway) {
		t.Fatalf("%v", err)
	}
	to.failing = false
	if err := g.Finish(t.Context(), to); err != nil || to.times() != 6*refusalBurst+1 {
		t.Errorf("%d of %d are told (%v)", to.times(), 6*refusalBurst+1, err)
	}
	told := map[string]int64{}
	for _, r := range to.list {
		told[r.Reason+" from "+r.Who.Address] += r.Count
	}
	told["reason 0 from 0"]--
	for i := range 3 * refusalBurst {
		if n := told[fmt.Sprint("reason ", i, " from ", i)]; n != 2 {
			t.Errorf("reason %d is told %d times with its address", i, n)
		}
	}
	before := len(to.list)
	if err := g.Finish(t.Context(), to); err != nil || len(to.list) != before {
		t.Errorf("once more: %d events, %v", len(to.list), err)
	}
}

// Where writing takes so long that time would run out, what is left by half of it is told together, and not lost.
func TestFinishInTime(t *testing.T) {
	clock, to := &ticking{at: noon}, &recorded{}
	g := NewRefusals(clock.now)
	for i := range 2 * refusalBurst {
		g.Add(models.Refused{Action: models.SignInRefused, Reason: fmt.Sprint("reason ", i), Who: models.Actor{Address: fmt.Sprint(i)}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	slow := &stuckAfter{recorded: to, most: refusalBurst}
	if err := g.Finish(ctx, slow); err != nil || ctx.Err() != nil {
		t.Errorf("%v, and time is over: %v", err, ctx.Err())
	}
	if last := to.list[len(to.list)-1]; to.times() != 2*refusalBurst || len(to.list) != refusalBurst+1 || last.Reason != severalReasons || last.Count != refusalBurst || last.Addresses < 50 {
		t.Errorf("%d of %d are told in %d events; the last is %+v", to.times(), 2*refusalBurst, len(to.list), last)
	}
}

// stuckAfter takes so many, and then no more until somebody gives up waiting, once.
type stuckAfter struct {
	*recorded
	most int
}

func (s *stuckAfter) RecordRefused(ctx context.Context, r models.Refused) error {
	if s.most--; s.most == -1 {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.recorded.RecordRefused(ctx, r)
}

// What cannot be written down is kept, with its first moment and all its addresses, and is told as soon as it can be,
// together with what came meanwhile.
func TestRefusalsSurviveFailures(t *testing.T) {
	clock, to := &ticking{at: noon}, &recorded{failing: true}
	g := NewRefusals(clock.now)
	for i := range 10 {
		g.Add(wrongPassword("tom", fmt.Sprint("192.0.2.", i)))
		g.Add(wrongPassword("ann", "192.0.2.1"))
		if err := g.Flush(t.Context(), to); !errors.Is(err, errAway) {
			t.Fatalf("%v", err)
		}
		clock.advance(time.Second)
	}
	g.Add(wrongPassword("tom", "192.0.2.1"))
	last := clock.now()
	to.failing = false
	flushRefusals(t, g, to)
	if len(to.list) != 2 || g.budget != refusalBurst-2 {
		t.Fatalf("%d events, and %d more may be written: %+v", len(to.list), g.budget, to.list)
	}
	for _, r := range to.list {
		want := models.Refused{Count: 10, First: noon, Last: noon.Add(9 * time.Second), Addresses: 1}
		if r.SubjectID == "tom" {
			want = models.Refused{Count: 11, First: noon, Last: last, Addresses: 10}
		}
		if r.Count != want.Count || r.First != want.First || r.Last != want.Last || r.Addresses != want.Addresses {
			t.Errorf("told as %+v, want %+v", r, want)
		}
	}
}

// Refusals that come at once, while others are written down and some of that fails, are all counted, each once.
func TestRefusalsAtOnce(t *testing.T) {
	const callers, calls = 8, 2000
	clock, to := &ticking{at: noon}, &recorded{fail: 3}
	g := NewRefusals(clock.now)
	var adding, writing sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		writing.Go(func() {
			for {
				_ = g.Flush(t.Context(), to)
				clock.advance(time.Second)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range callers {
		adding.Go(func() {
			for n := range calls {
				g.Add(wrongPassword(fmt.Sprint(n%7), fmt.Sprint("192.0.2.", i)))
			}
		})
	}
	adding.Wait()
	close(stop)
	writing.Wait()
	to.fail = 0
	if err := g.Finish(t.Context(), to); err != nil || to.times() != callers*calls {
		t.Errorf("%d of %d are told (%v)", to.times(), callers*calls, err)
	}
}
