package access

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// remembering is a gate with a memory that has its lease, over a source of one API token's call.
type remembering struct {
	*atProduct
	gate   *Gate
	memory *Memory
	now    models.Reading
}

func remember(t testing.TB) *remembering {
	t.Helper()
	r := &remembering{atProduct: goodCall(t), memory: NewMemory(1000), now: models.ReadClocks()}
	r.grant.Opens.CallsAMinute = 1_000_000
	r.memory.clocks = func() models.Reading { return r.now }
	r.gate = NewGate(&r.source, NewTally(), func() time.Time { return noon })
	r.gate.Remember(r.memory, true)
	r.lease()
	return r
}

func (r *remembering) lease() {
	r.memory.lease.grant(r.now, time.Time{})
	r.memory.heard.grant(r.now, time.Time{})
}

// decide asks, and insists on how often the source was asked for that.
func (r *remembering) decide(t testing.TB, want Code, asked int) Decision {
	t.Helper()
	before := r.asked + r.read
	d := r.gate.Decide(t.Context(), r.call)
	if n := r.asked + r.read - before; d.Code != want || n != asked {
		t.Fatalf("decided %s (%s: %v), and asked %d times, want %s and %d", d.Code, d.Check, d.Cause, n, want, asked)
	}
	return d
}

// happened is an event that touches something, put into effect.
func (r *remembering) happened(seq int64, action models.Action, subject string) {
	r.memory.stamps.put(seq, models.Event{Seq: seq, Action: action, SubjectID: subject}.Touches())
}

func (r *remembering) asOf(seq int64) {
	r.grant.AsOf.Seq, r.opens.AsOf.Seq, r.source.asOf.Seq = seq, seq, seq
}

// What was read is answered from memory, until something touches it; what touches something else changes nothing.
func TestMemoryAnswersUntilSomethingChanges(t *testing.T) {
	r := remember(t)
	r.asOf(10)
	r.decide(t, Allowed, 2) // the credential and the product
	for range 3 {
		r.decide(t, Allowed, 0)
	}
	past := noon.Add(-time.Hour)
	r.grant.Credential.RevokedAt = &past
	r.happened(11, models.CredentialRevoked, x2)
	r.happened(12, models.WorkspaceChanged, w2)
	r.happened(13, models.CredentialRenamed, c1) // which no verdict depends on
	r.decide(t, Allowed, 0)
	r.happened(14, models.CredentialRevoked, c1)
	r.asOf(14)
	r.decide(t, CredentialRevoked, 1)
	r.decide(t, CredentialRevoked, 0) // so is that
}

// Whatever a verdict depends on is read again when it has changed.
func TestMemoryHearsOfAllThatCounts(t *testing.T) {
	for name, c := range map[string]struct {
		action  models.Action
		subject string
		asked   int
	}{
		"the credential":           {models.CredentialDeactivated, c1, 1},
		"its secret":               {models.CredentialRegenerated, c1, 1},
		"its workspace":            {models.WorkspaceChanged, w1, 1},
		"that it is there":         {models.WorkspaceDeleted, w1, 1},
		"the product":              {models.ProductChanged, x1, 2}, // which the credential is narrowed to
		"all of the database":      {models.InstallationRestored, "", 2},
		"what nobody has heard of": {"thing.happened", "", 2},
	} {
		r := remember(t)
		r.asOf(5)
		r.decide(t, Allowed, 2)
		r.happened(6, c.action, c.subject)
		r.asOf(6)
		if before := r.asked + r.read; true {
			d := r.gate.Decide(t.Context(), r.call)
			if n := r.asked + r.read - before; !d.Allowed() || n != c.asked {
				t.Errorf("%s: decided %s and asked %d times", name, d.Code, n)
			}
		}
		r.decide(t, Allowed, 0)
	}
}

// A bearer token depends on its person, and on what they open, too.
func TestMemoryOfAPersonsToken(t *testing.T) {
	for name, c := range map[string]struct {
		action  models.Action
		subject string
	}{
		"deactivated": {models.PersonDeactivated, p1}, "another role": {models.PersonChanged, p1}, "no member any more": {models.MemberRemoved, p1},
		"a workspace more": {models.WorkspaceCreated, w2}, "its limits": {models.WorkspaceChanged, w1},
	} {
		r := remember(t)
		opens := r.grant.Opens
		r.grant, r.opens = goodGrant(), opens
		r.asOf(5)
		r.decide(t, Allowed, 2)
		r.decide(t, Allowed, 0)
		r.opensErr = models.Fail(models.Forbidden, "Not theirs.")
		r.decide(t, Allowed, 0) // nobody has told
		r.happened(6, c.action, c.subject)
		r.asOf(6)
		if d := r.gate.Decide(t.Context(), r.call); d.Code != WrongWorkspace {
			t.Errorf("%s: %s", name, d.Code)
		}
	}
}

// What was read before a change and arrives after it is not taken for what is so now.
func TestMemoryTakesNothingThatIsOutOfDate(t *testing.T) {
	r := remember(t)
	r.asOf(7)
	r.happened(8, models.CredentialRevoked, c1) // heard while the answer was on its way
	r.decide(t, Allowed, 2)                     // which began before the change was over
	past := noon.Add(-time.Hour)
	r.grant.Credential.RevokedAt = &past
	r.asOf(8)
	r.decide(t, CredentialRevoked, 1)
}

// Without a lease everything is asked, and what was remembered counts for nothing, however the time passed: also while the machine slept, and with a time
// of day that was set back.
func TestMemoryEndsWithItsLease(t *testing.T) {
	r := remember(t)
	r.decide(t, Allowed, 2)
	begun := r.now
	r.now = begun.After(models.LeaseUse-time.Millisecond, models.LeaseUse-time.Millisecond)
	r.decide(t, Allowed, 0)
	for name, now := range map[string]models.Reading{
		"it is over":                       begun.After(models.LeaseUse, models.LeaseUse),
		"the machine slept":                begun.After(time.Millisecond, time.Hour),
		"and the time of day was set back": begun.After(models.LeaseUse, -time.Hour),
	} {
		r.now = now
		before := r.asked
		if d := r.gate.Decide(t.Context(), r.call); !d.Allowed() || r.asked != before+1 {
			t.Errorf("%s: decided %s and asked %d times", name, d.Code, r.asked-before)
		}
	}
	r.err = errors.New("the database is away")
	r.decide(t, VerifierUnavailable, 1)
	r.err = nil
	r.now = begun
	r.memory.lease.end()
	r.decide(t, Allowed, 1) // the product is as of its revision
}

// A lease that ends between the look into memory and the answer is looked at last.
func TestTheLeaseIsLookedAtLast(t *testing.T) {
	r := remember(t)
	r.decide(t, Allowed, 2)
	begun, looks := r.now, 0
	r.memory.clocks = func() models.Reading {
		if looks++; looks > 1 {
			return begun.After(models.LeaseUse, models.LeaseUse)
		}
		return begun
	}
	past := noon.Add(-time.Hour)
	r.grant.Credential.RevokedAt = &past
	r.decide(t, CredentialRevoked, 1)
	if looks < 2 {
		t.Error("the clock was not read again")
	}
}

// The database's time decides, and never late: what it was at the renewal, and all that may have passed since.
func TestMemoryExpiresByTheDatabasesTime(t *testing.T) {
	r := remember(t)
	ends := noon.Add(time.Minute) // by this machine's clock there is time
	r.grant.Credential.ExpiresAt = &ends
	r.memory.lease.grant(r.now, ends.Add(-time.Second))
	r.decide(t, Allowed, 2)
	r.now = r.now.After(time.Second, 0)
	r.decide(t, CredentialExpired, 0)
}

// A secret that nobody was given is looked up once a second, and takes no room from those that somebody was.
func TestMemoryOfTheUnknown(t *testing.T) {
	r := remember(t)
	r.decide(t, Allowed, 2)
	good := r.call
	r.call.Presented.Text = mint(t)
	r.decide(t, CredentialUnknown, 1)
	for range 5 {
		r.decide(t, CredentialUnknown, 0)
	}
	r.now = r.now.After(999*time.Millisecond, 999*time.Millisecond)
	r.decide(t, CredentialUnknown, 0)
	r.now = r.now.After(time.Millisecond, time.Millisecond)
	r.decide(t, CredentialUnknown, 1)
	for range 3000 {
		r.call.Presented.Text = mint(t)
		r.gate.Decide(t.Context(), r.call)
	}
	if n := r.memory.Entries(); n != 1 {
		t.Errorf("%d credentials are remembered", n)
	}
	r.call = good
	r.decide(t, Allowed, 0)
}

// Of many calls with one secret at once, one asks.
func TestMemoryAsksOnceForMany(t *testing.T) {
	r := remember(t)
	slow := &slowly{source: &r.source, enter: make(chan struct{}, 100), leave: make(chan struct{})}
	r.gate = NewGate(slow, NewTally(), func() time.Time { return noon })
	r.gate.Remember(r.memory, true)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if d := r.gate.Decide(t.Context(), r.call); !d.Allowed() {
				t.Error(d.Code)
			}
		})
	}
	<-slow.enter
	time.Sleep(20 * time.Millisecond)
	close(slow.leave)
	all.Wait()
	if r.asked > 2 { // one that came just after the first was done may ask itself
		t.Errorf("the source was asked %d times", r.asked)
	}
}

// slowly is a source that takes its time over grants.
type slowly struct {
	*source
	mu           sync.Mutex
	enter, leave chan struct{}
}

func (s *slowly) GrantOf(ctx context.Context, h secret.Hash) (models.Grant, error) {
	s.enter <- struct{}{}
	<-s.leave
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.GrantOf(ctx, h)
}

func (s *slowly) ProductAsOf(ctx context.Context, id string) (models.Product, models.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.ProductAsOf(ctx, id)
}

// What goes on after a decision is told when it does not hold any more.
func TestHolds(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(r *remembering)
		holds bool
	}{
		"nothing":               {func(*remembering) {}, true},
		"another credential":    {func(r *remembering) { r.happened(9, models.CredentialRevoked, x2) }, true},
		"the credential":        {func(r *remembering) { r.happened(9, models.CredentialRevoked, c1) }, false},
		"the workspace":         {func(r *remembering) { r.happened(9, models.WorkspaceDeleted, w1) }, false},
		"the product":           {func(r *remembering) { r.happened(9, models.ProductChanged, x1) }, false},
		"the database":          {func(r *remembering) { r.memory.forget() }, false},
		"nobody knows any more": {func(r *remembering) { r.now = r.now.After(models.LeaseUse, 0) }, false},
	} {
		for _, answers := range []bool{true, false} {
			for _, everywhere := range []bool{false, true} {
				r := remember(t)
				if r.opens = r.grant.Opens; everywhere {
					r.grant = goodGrant()
				}
				r.gate.Remember(r.memory, answers)
				r.asOf(7)
				r.gate.Decide(t.Context(), r.call) // products are kept from one call to the next
				r.happened(8, models.CredentialRevoked, c1)
				r.asOf(8)
				d := r.gate.Decide(t.Context(), r.call)
				p := d.Pass()
				c.do(r)
				if r.gate.Holds(&p) != c.holds || !d.Allowed() {
					t.Errorf("after %s it holds: %v (from memory: %v, for everywhere: %v)", name, !c.holds, answers, everywhere)
				}
			}
		}
	}
}

// A verdict from memory is the verdict on the credential itself, whatever state it is in at whatever moment.
func TestKnownIsTheCredential(t *testing.T) {
	for _, revoked := range []time.Duration{0, -time.Hour} {
		for _, by := range []string{"", x2} {
			for _, ends := range []time.Duration{0, -time.Microsecond, time.Microsecond, time.Hour} {
				for _, on := range []bool{true, false} {
					g := goodGrant()
					c := &g.Credential
					c.Enabled, c.ExpiresAt, c.ReplacedBy = on, nil, by
					if revoked != 0 {
						at := noon.Add(revoked)
						c.RevokedAt = &at
					}
					if ends != 0 {
						at := noon.Add(ends)
						c.ExpiresAt = &at
					}
					k := knownOf(&g)
					for _, now := range []time.Time{noon.Add(-time.Hour), noon, noon.Add(time.Microsecond), noon.Add(2 * time.Hour)} {
						if k.State(now) != c.State(now) {
							t.Errorf("%+v is %s at %s, known as %s", c, c.State(now), now, k.State(now))
						}
					}
				}
			}
		}
	}
}

// A hit allocates nothing.
func TestAHitAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for name, prepare := range map[string]func(r *remembering){
		"an API token":   func(*remembering) {},
		"a bearer token": func(r *remembering) { opens := r.grant.Opens; r.grant, r.opens = goodGrant(), opens },
	} {
		r := remember(t)
		prepare(r)
		r.decide(t, Allowed, 2)
		ctx := t.Context()
		if n := testing.AllocsPerRun(1000, func() { r.gate.Decide(ctx, r.call) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
