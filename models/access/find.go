package access

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// sight is what one decision goes by: what is remembered, under which lease, and as of when.
type sight struct {
	lease      *grantedLease // nil: nothing is remembered
	remembered bool          // something of the decision is
	now        time.Time
	place      place // of a credential that is for one workspace: that one
	revision   int64 // of the product, where a row told it; 0: none did
	generation int64 // of the memory
	request    string
}

// lookPatience is how long the source may take over one question. Who cannot be told by then is told that.
const lookPatience = 3 * time.Second

// in is the context in which the source is asked, and which names the request. done is to be called after that.
func (l *sight) in(ctx context.Context) (asking context.Context, done context.CancelFunc) {
	if l.request != "" {
		ctx = models.WithRequestID(ctx, l.request)
	}
	return context.WithTimeout(ctx, lookPatience)
}

// look begins a decision. Where the replica has no lease, it is as if nothing were remembered.
func (g *Gate) look(call *Call) sight {
	look := sight{now: g.now(), request: call.RequestID}
	if g.memory == nil || !g.answers || !call.Need.remembered() {
		return look
	}
	now, lease := g.memory.clocks(), g.memory.lease.granted.Load()
	if lease.holds(now) {
		look.lease, look.now = lease, latest(look.now, lease.latest(now))
	}
	return look
}

// latest is the later one of two moments: what has expired by either is expired.
func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// find finds what was presented.
func (g *Gate) find(ctx context.Context, call *Call, look *sight, d *Decision) error {
	if g.memory != nil {
		look.generation = g.memory.generation.Load()
		d.generation = look.generation
	}
	if call.Presented.SignIn {
		return g.findSignIn(ctx, call, look, d)
	}
	hash := call.Presented.Text.Hash()
	if look.lease == nil {
		return g.read(ctx, call, look, d, hash)
	}
	if g.recall(&hash, look, d) {
		return nil
	}
	if g.memory.unknown.has(&hash, g.memory.clocks()) {
		return errUnknown
	}
	grant, led, err := g.readOnce(ctx, look, hash)
	if led {
		return g.took(call, look, d, grant, err)
	}
	if g.recall(&hash, look, d) { // what another call read may be from before this one: the lease says whether it holds
		return nil
	}
	if g.memory.unknown.has(&hash, g.memory.clocks()) {
		return errUnknown
	}
	return g.read(ctx, call, look, d, hash)
}

// readOnce asks the source for a credential, for all calls that ask for it at the same time: one of them leads.
func (g *Gate) readOnce(ctx context.Context, look *sight, hash secret.Hash) (grant *models.Grant, led bool, err error) {
	ctx, done := look.in(ctx)
	defer done()
	_, err, _ = g.flights.Do(string(hash[:]), func() (any, error) {
		grant, led = new(models.Grant), true
		if err := g.misses.enter(ctx); err != nil {
			return nil, err
		}
		defer g.misses.leave()
		generation := g.memory.generation.Load()
		var err error
		*grant, err = g.source.GrantOf(ctx, hash)
		g.remember(look, &hash, grant, generation, err) // before the others look for it
		return nil, err
	})
	return grant, led, err
}

// remember keeps what was read of a secret since the memory had a generation.
func (g *Gate) remember(look *sight, hash *secret.Hash, grant *models.Grant, generation int64, err error) {
	switch {
	case models.KindOf(err) == models.NotFound:
		g.memory.unknown.add(*hash, g.memory.clocks())
	case err == nil:
		mutantStamp(&grant.AsOf)
		k := knownOf(grant)
		if !grant.Over.IsZero() && k.expires > grant.Over.UnixMicro() { // its end would be missed
			return
		}
		g.memory.keepPlace(k.Workspace, placeOf(grant), generation)
		g.memory.keep(hash, k, generation)
		if k.endMoved(latest(look.now, grant.AsOf.At)) {
			g.memory.ended.add(*hash, g.memory.clocks())
		}
	}
}

func placeOf(grant *models.Grant) place {
	return place{slug: grant.Opens.Slug, calls: grant.Opens.CallsAMinute, closed: grant.Opens.Closed, seq: grant.AsOf.Seq}
}

var errUnknown error = models.Fail(models.NotFound, "That does not exist.")

// recall is find, from memory alone.
func (g *Gate) recall(hash *secret.Hash, look *sight, d *Decision) bool {
	m := g.memory
	if !m.recall(hash, &d.Known) || d.Known.endMoved(look.now) && !m.ended.has(hash, m.clocks()) {
		d.Known = Known{}
		return false
	}
	if !everywhere(d.Known.Kind()) {
		here, ok := m.recallPlace(d.Known.Workspace)
		if !ok {
			d.Known = Known{}
			return false
		}
		look.place, d.opened = here, here.seq
	}
	look.remembered = true
	m.hits.Add(1)
	return true
}

// read asks the source for a credential.
func (g *Gate) read(ctx context.Context, call *Call, look *sight, d *Decision, hash secret.Hash) error {
	asking, done := look.in(ctx)
	defer done()
	if err := g.misses.enter(asking); err != nil {
		return err
	}
	grant, err := g.source.GrantOf(asking, hash)
	g.misses.leave()
	if look.lease != nil {
		g.remember(look, &hash, &grant, d.generation, err)
	}
	return g.took(call, look, d, &grant, err)
}

// took has a decision go by what was read.
func (g *Gate) took(call *Call, look *sight, d *Decision, grant *models.Grant, err error) error {
	if g.memory != nil {
		g.memory.misses.Add(1)
	}
	if err != nil {
		return err
	}
	d.Known, d.opened = knownOf(grant), grant.AsOf.Seq
	look.now = latest(look.now, grant.AsOf.At)
	look.place = placeOf(grant)
	look.revision = grant.Opens.Revision
	if !call.Need.remembered() {
		d.grant = grant
	}
	return nil
}

var noSignIn error = models.Fail(models.NotFound, "That sign-in token is not good.")

// findSignIn finds a sign-in token, whose text says whose it is and is signed.
func (g *Gate) findSignIn(ctx context.Context, call *Call, look *sight, d *Decision) error {
	if g.signIns == nil {
		return noSignIn
	}
	hash := call.Presented.Text.Hash()
	if look.lease != nil && g.recall(&hash, look, d) {
		return nil
	}
	asking, done := look.in(ctx)
	defer done()
	claims, ok, err := g.signIns.Parse(asking, call.Presented.Text)
	if err != nil {
		return err
	}
	if !ok {
		return noSignIn
	}
	grant, err := g.source.ProgramOf(asking, claims)
	if err != nil {
		return err
	}
	if look.lease != nil {
		g.remember(look, &hash, &grant, d.generation, nil)
	}
	return g.took(call, look, d, &grant, nil)
}

// opening finds what the credential of a person opens in a workspace.
func (g *Gate) opening(ctx context.Context, look *sight, named string, d *Decision) (opening, error) {
	k, o := &d.Known, opening{}
	var key [32]byte
	if look.lease != nil {
		key = openingKey(k.Kind(), k.Person, named)
		if g.memory.recallOpening(&key, &o) {
			look.remembered, d.opened = true, o.seq
			return o, notOpened[o.not]
		}
	}
	owner := models.Person{ID: TextOf(k.Person), Role: models.Member}
	if k.is&ownerAdmins != 0 {
		owner.Role = models.Admin
	}
	asking, done := look.in(ctx)
	defer done()
	opens, err := g.source.OpensFor(asking, k.Kind(), owner, named)
	if not := notOpenedAs(err); not > 0 && named == "" && look.lease != nil { // of one that is named, another may have the name by now
		g.memory.keepOpening(&key, opening{person: k.Person, seq: opens.AsOf.Seq, not: not}, d.generation)
	}
	if err != nil {
		return o, err
	}
	o = opening{person: k.Person, workspace: id(opens.WorkspaceID), product: id(opens.ProductID), calls: int64(opens.CallsAMinute), seq: opens.AsOf.Seq}
	look.revision, d.opened = opens.Revision, o.seq
	if d.grant != nil {
		d.grant.Opens = opens
	}
	if look.lease != nil {
		g.memory.keepOpening(&key, o, d.generation)
	}
	return o, nil
}

// notOpened is why nothing is opened, by the number that an opening keeps.
var notOpened = [...]error{nil, models.Fail(models.Ambiguous, "There are several."), models.Fail(models.NotFound, "There is none."), models.Fail(models.Conflict, "There is none.")}

func notOpenedAs(err error) uint8 {
	switch models.KindOf(err) {
	case models.Ambiguous:
		return 1
	case models.NotFound, models.Forbidden:
		return 2
	case models.Conflict:
		return 3
	}
	return 0
}

// roles are those that an opening can be of, by the number that it keeps.
var roles = [...]models.WorkspaceRole{"", models.WorkspaceMember, models.WorkspaceAdmin, models.WorkspaceOwner}

// roleIn finds somebody's role in a workspace; empty for none.
func (g *Gate) roleIn(ctx context.Context, look *sight, person, workspace uuid.UUID, d *Decision) (models.WorkspaceRole, error) {
	var key [32]byte
	var o opening
	if look.lease != nil {
		key = openingKey("role", person, string(workspace[:]))
		if g.memory.recallOpening(&key, &o) {
			look.remembered = true
			return roles[o.calls], nil
		}
	}
	asking, done := look.in(ctx)
	defer done()
	role, asOf, err := g.source.RoleIn(asking, TextOf(person), TextOf(workspace))
	if err == nil && look.lease != nil {
		g.memory.keepOpening(&key, opening{person: person, workspace: workspace, calls: int64(max(0, slices.Index(roles[:], role))), seq: asOf.Seq}, d.generation)
	}
	return role, err
}

// product finds the product that a call is for.
func (g *Gate) product(ctx context.Context, look *sight, opens opening, d *Decision) (*Product, error) {
	if look.lease == nil {
		asking, done := look.in(ctx)
		defer done()
		p, err := g.products.at(asking, TextOf(opens.product), look.revision)
		if err == nil {
			d.product, d.served = opens.product, max(p.seq, d.opened) // the revision was read with what opens it
		}
		return p, err
	}
	if p, ok := g.memory.recallProduct(opens.product); ok {
		look.remembered = true
		d.product, d.served = opens.product, p.seq
		return p, nil
	}
	asking, done := look.in(ctx)
	defer done()
	p, err := g.products.read(asking, TextOf(opens.product))
	if err != nil {
		return nil, err
	}
	g.memory.keepProduct(opens.product, p, d.generation)
	d.product, d.served = opens.product, p.seq
	return p, nil
}

// Pass is what a call was let in by, for what goes on after the decision.
type Pass struct {
	credential, person, of, workspace, product uuid.UUID
	known, opened, served, generation          int64
	automation                                 bool
}

// Pass is that of a decision that allows.
func (d *Decision) Pass() Pass {
	k, opened := &d.Known, d.opened
	if opened == 0 { // it was not for any workspace
		opened = k.seq
	}
	return Pass{k.ID, k.Person, k.Of, d.Workspace, d.product, k.seq, opened, d.served, d.generation, k.Kind() == models.AutomationToken}
}

// Holds says whether a call would still be let in, as far as this server has heard. Whoever is let in goes first to where Cut finds them, and then asks
// this: then no change is missed.
func (g *Gate) Holds(p *Pass) bool {
	m := g.memory
	if m == nil || *p == (Pass{}) {
		return true
	}
	return m.generation.Load() == p.generation && m.stamps.good(p.known, &p.credential, &p.person, &p.of) && m.stamps.good(p.opened, &p.person, &p.workspace) && m.stamps.good(p.served, &p.product) &&
		(!p.automation || m.stamps.automation.Load() <= p.known) && m.GoesOn()
}

// Hears says whether this server knows what has changed up to a moment ago.
func (m *Memory) Hears() bool { return m.heard.granted.Load().holds(m.clocks()) }

// GoesOn says whether what was let in before may go on: this server knows what has changed up to a moment ago, and nobody has taken it off the list of
// those that are waited for when something does. Who has the database alone is waited for by nobody else.
func (m *Memory) GoesOn() bool {
	now := m.clocks()
	listed := m.alone.Load() || m.lease.granted.Load().left(now) > models.LeaseUse-models.LeaseWait+watchEvery
	return listed && m.heard.granted.Load().holds(now)
}

// GoesOn is to be asked before each part of what is under way is passed on: a server that stood still does not know for how long. A gate without a memory
// asks each time.
func (g *Gate) GoesOn() bool { return g.memory == nil || g.memory.GoesOn() }
