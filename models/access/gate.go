// Package access decides whether a call may pass. It knows neither HTTP nor SQL: what a call showed
// comes in as text, what is known about it comes from a Source, and a Decision goes out that names
// the check that made it. Every door of Tokendesk asks the same Gate.
package access

import (
	"context"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// Source knows what a credential opens now. An unknown credential is models.NotFound; any other
// error means that it could not be found out, which is neither "unknown" nor "allowed".
type Source interface {
	GrantOf(ctx context.Context, hash secret.Hash) (models.Grant, error)

	// ProgramOf knows what a sign-in token opens now, whose signature was checked; as GrantOf.
	ProgramOf(ctx context.Context, c secret.SignInClaims) (models.Grant, error)

	// OpensFor answers what a person's own credential of a kind opens in a workspace (its slug or ID; empty, for one that is for everywhere: the
	// person's only one). models.NotFound and models.Forbidden are a workspace that is not theirs, and models.Ambiguous one of several.
	OpensFor(ctx context.Context, kind models.CredentialKind, owner models.Person, workspace string) (models.Opens, error)

	// ProductAsOf reads a product for its resources.
	ProductAsOf(ctx context.Context, id string) (models.Product, models.Snapshot, error)

	// RoleIn answers a person's role in a workspace now; empty where they have none, or it was deleted.
	RoleIn(ctx context.Context, personID, workspaceID string) (models.WorkspaceRole, models.Snapshot, error)
}

// Need is what a call asks for.
type Need struct {
	Admin bool   // the credential's owner must be an Admin of the installation, now
	Route *Route // what a product is asked for; nil: nothing of a product

	Kinds      []models.CredentialKind // those that the call takes; empty: all
	Workspace  string                  // its slug or ID, where a call that takes Kinds names one
	Collection string                  // the ID of the one that the call reads, which a collection access key must be for
	Limited    bool                    // it counts against the limit of the token's workspace, as calls to products do; or, of a person's key, against theirs
	Live       bool                    // only whether the credential is good, and for what; in a Workspace, where one is named
	Asks       bool                    // only whether it is good, and of which of Kinds: its person asks about others
}

// remembered says whether memory may answer: where all that is wanted is the verdict, and nobody needs to be called by name.
func (n *Need) remembered() bool { return n.Route != nil || n.Live || n.Asks }

// Route is what a call asks a product for.
type Route struct {
	Method    string
	Path      Path
	Workspace string // the workspace's slug or ID, where the call names one
}

// Call is one use of a credential.
type Call struct {
	Presented Presented
	Need      Need
	Address   string // the caller's, as far as trusted
	RequestID string // for what is logged while the call is decided

	// Again is a call that was let in before, and counted, and then could not begin: it counts neither among the uses of its credential nor against a limit.
	Again bool

	// Asker is who asks, where that is not who makes the call: a server about what came to it. They hear about credentials of the workspaces that
	// they run, and of every other as of one that does not exist.
	Asker *models.Actor
}

// Decision is the answer to a call.
type Decision struct {
	Code      Code
	Check     string    // the check that decided, in the order of checks
	Detail    string    // what happened and what to do, for the caller
	Known     Known     // zero unless the secret itself matched
	Workspace uuid.UUID // that the call was for, once it is known; zero: none
	Cause     error     // for VerifierUnavailable: why; for the log only
	Limit     Limit     // where the caller stands; of calls that were counted against a limit
	Scope     string    // what the call needs, once it is known; of Live, all that the credential may do
	Methods   []string  // for MethodNotAllowed: those that the path takes
	Product   *Product  // of a call to a product that is allowed, and of Live

	grant      *models.Grant // see Grant
	opened     int64         // the event that what the credential opens was read as of
	product    uuid.UUID     // that a call is for, once it is known; zero: none
	served     int64         // the event that it was read as of
	generation int64         // of the memory
	counts     quota         // what the call is counted against
}

// Grant is Known with all that there is to say; of calls that are not to a product. Of others it is the zero one.
func (d Decision) Grant() models.Grant {
	if d.grant == nil {
		return models.Grant{}
	}
	return *d.grant
}

// Allowed says whether the call may pass.
func (d Decision) Allowed() bool { return d.Code == Allowed }

// Matched says whether the secret was one that somebody was given, so that its holder may be told what became of it.
func (d *Decision) Matched() bool { return d.Known.ID != (uuid.UUID{}) }

// Actor is the credential's owner as the one who acts; only of a Decision that allows.
func (d Decision) Actor(address, requestID string) models.Actor {
	grant := d.Grant()
	o, c := grant.Owner, grant.Credential
	who := models.Actor{Kind: models.Program, ID: o.ID, Name: o.Name, Role: o.Role, Address: address, RequestID: requestID}
	who.Until = c.ExpiresAt
	if c.Kind == models.SignInToken {
		who.SessionID = c.ID
	} else {
		who.CredentialID = c.ID
	}
	switch c.Kind {
	case models.SignInToken, models.AutomationToken: // they are for one workspace, and an Admin's rights are for all
		who.Within, who.Role = grant.Opens.WorkspaceID, models.Member
	case models.CollectionKey:
		who.Name, who.Reads = c.Name, c.CollectionID
	}
	return who
}

// InWorkspace is the workspace that the decision is about: where the call was for, or else the credential's; zero: none.
func (d *Decision) InWorkspace() uuid.UUID {
	if d.Workspace != (uuid.UUID{}) {
		return d.Workspace
	}
	return d.Known.Workspace
}

// Asker is the owner of a person's credential as the one who asks about others; only of a Decision that allows. They are not called by name.
func (d *Decision) Asker(address, requestID string) models.Actor {
	k := &d.Known
	who := models.Actor{Kind: models.Program, ID: TextOf(k.Person), Role: models.Member, CredentialID: TextOf(k.ID), Address: address, RequestID: requestID}
	if k.is&ownerAdmins != 0 {
		who.Role = models.Admin
	}
	return who
}

// Gate decides calls and counts them.
type Gate struct {
	source   Source
	tally    *Tally
	limiter  *Limiter
	exact    *exact  // nil: limits are kept by shares
	signIns  SignIns // nil: there are none
	memory   *Memory // nil: every call asks the source
	answers  bool    // memory does
	products products
	flights  singleflight.Group
	misses   turnstile
	now      models.Clock
	verdicts Verdicts
}

// Verdicts is where the doors count what was decided: the gate's decisions, and what they refused before they asked it.
func (g *Gate) Verdicts() *Verdicts { return &g.verdicts }

// NewGate makes a gate that asks source at every call and counts in tally.
func NewGate(source Source, tally *Tally, now models.Clock) *Gate {
	return &Gate{source: source, tally: tally, limiter: NewLimiter(), products: products{source: source, ready: map[string]*Product{}}, misses: newTurnstile(), now: now}
}

// Remember has a memory say what has changed, and answer calls to products as far as it has a lease, unless answers is false; it is called before
// any decision.
func (g *Gate) Remember(m *Memory, answers bool) { g.memory, g.answers = m, answers }

// Share has the gate hold callers to this replica's part of each limit; see Limiter.Share.
func (g *Gate) Share(at, of int) { g.limiter.Share(at, of, g.now()) }

// SignIns reads sign-in tokens; see KeyRing.
type SignIns interface {
	Parse(ctx context.Context, text secret.Text) (c secret.SignInClaims, ok bool, err error)
}

// Take lets programs in that signed in; it is called before any decision.
func (g *Gate) Take(signIns SignIns) { g.signIns = signIns }

// Decide judges one call. The rights are those that the owner has now.
func (g *Gate) Decide(ctx context.Context, call Call) (d Decision) {
	if call.Presented.Code != Allowed {
		return Decision{Code: call.Presented.Code, Check: "credential.presented", Detail: presentedDetail(call.Presented)}
	}
	look := g.look(&call)
	g.judge(ctx, &call, &look, &d)
	if look.remembered && (g.memory.generation.Load() != look.generation || !look.lease.holds(g.memory.clocks())) { // the clock is read last
		look = sight{now: g.now(), request: call.RequestID}
		d = Decision{}
		g.judge(ctx, &call, &look, &d)
	}
	if call.Again {
		return d
	}
	g.limit(ctx, &d, look.now)
	if d.Matched() && d.Code != VerifierUnavailable && !call.Presented.SignIn { // a session keeps no count
		g.count(&d, look.now, addressOf(call.Address))
	}
	return d
}

// count has a call counted among the uses of its credential. A collection access key is kept alive by being used.
func (g *Gate) count(d *Decision, now time.Time, from netip.Addr) {
	what := outcome(d.Code)
	g.tally.Add(d.Known.ID, d.Known.Kind() == models.CollectionKey && what == models.CallAccepted, what, now, from)
}

func unavailable(check string, cause error) Decision {
	return Decision{Code: VerifierUnavailable, Check: check, Detail: "Try again in a moment. The token may be perfectly good.", Cause: cause}
}

// notFound is for a credential that could not be found.
func notFound(call *Call, err error) Decision {
	switch {
	case err == noSignIn:
		return Decision{Code: CredentialUnknown, Check: "credential.known", Detail: signInAgain}
	case models.KindOf(err) != models.NotFound:
		return unavailable("credential.known", err)
	case call.Presented.SignIn && hearsOfAll(call.Asker): // it was good once
		return Decision{Code: CredentialRevoked, Check: "credential.known", Detail: signInOver}
	}
	return Decision{Code: CredentialUnknown, Check: "credential.known", Detail: notGood(call.Presented)}
}

// judge finds out all about a call but whether it comes too soon after others.
func (g *Gate) judge(ctx context.Context, call *Call, look *sight, d *Decision) {
	if err := g.find(ctx, call, look, d); err != nil {
		*d = notFound(call, err)
		return
	}
	if not, told := g.asked(ctx, call, look, d); !told {
		*d = not
		return
	}
	if d.Check, d.Code, d.Detail = check(call, d, look); d.Code != Allowed {
		return
	}
	switch {
	case call.Need.Route != nil:
		g.reach(ctx, call, look, d)
	case call.Need.Live:
		g.live(ctx, call, look, d)
	case wrongKind(call, d), elsewhereThan(call, d):
	case call.Need.Limited && everywhere(d.Known.Kind()):
		d.counts = quota{who: caller{of: d.Known.Person}, calls: models.ManagementCalls, whose: everybodysKeys, known: d.Known}
	case call.Need.Limited && d.Known.Kind() == models.CollectionKey:
		g.within(opening{workspace: d.Known.Workspace, calls: int64(d.Grant().Opens.CallsAMinute)}, d)
	case call.Need.Limited:
		if opens, ok := g.opened(ctx, call, look, "", d); ok {
			g.within(opens, d)
		}
	}
}

const (
	sendOne    = "Every request requires a valid API Key to be sent in the field X-API-Key, or a token as 'Authorization: Bearer <token>', with no extra spaces or line breaks."
	invalidKey = "Invalid API Key. Every request requires a valid API Key to be sent: all of it, in the field X-API-Key, with no extra spaces or line breaks."
)

// Answers says whether calls are answered from memory at all.
func (g *Gate) Answers() bool { return g.memory != nil && g.answers }
