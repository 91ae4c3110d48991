// Package access decides whether a call may pass. It knows neither HTTP nor SQL: what a call showed
// comes in as text, what is known about it comes from a Source, and a Decision goes out that names
// the check that made it. Every door of Tokendesk asks the same Gate.
package access

import (
	"context"
	"fmt"
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

	// Asker is who asks, where that is not who makes the call: a server about what came to it. They hear about credentials of the workspaces that
	// they run, and of every other as of one that does not exist.
	Asker *models.Actor
}

// Decision is the answer to a call.
type Decision struct {
	Code      Code
	Check     string       // the check that decided, in the order of checks
	Detail    string       // what happened and what to do, for the caller
	Known     Known        // zero unless the secret itself matched
	Workspace uuid.UUID    // that the call was for, once it is known; zero: none
	Grant     models.Grant // as Known, with all that there is to say; of calls that are not to a product
	Cause     error        // for VerifierUnavailable: why; for the log only
	Limit     Limit        // where the caller stands; of calls that were counted against a limit
	Scope     string       // what the call needs, once it is known; of Live, all that the credential may do
	Methods   []string     // for MethodNotAllowed: those that the path takes
	Product   *Product     // of a call to a product that is allowed, and of Live

	opened     int64 // the event that what the credential opens was read as of
	generation int64 // of the memory
	counts     quota // what the call is counted against
}

// Allowed says whether the call may pass.
func (d Decision) Allowed() bool { return d.Code == Allowed }

// Matched says whether the secret was one that somebody was given, so that its holder may be told what became of it.
func (d *Decision) Matched() bool { return d.Known.ID != (uuid.UUID{}) }

// Actor is the credential's owner as the one who acts; only of a Decision that allows.
func (d Decision) Actor(address, requestID string) models.Actor {
	o, c := d.Grant.Owner, d.Grant.Credential
	who := models.Actor{Kind: models.Program, ID: o.ID, Name: o.Name, Role: o.Role, Address: address, RequestID: requestID}
	who.Until = c.ExpiresAt
	if c.Kind == models.SignInToken {
		who.SessionID = c.ID
	} else {
		who.CredentialID = c.ID
	}
	switch c.Kind {
	case models.SignInToken, models.AutomationToken: // they are for one workspace, and an Admin's rights are for all
		who.Within, who.Role = d.Grant.Opens.WorkspaceID, models.Member
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
	now      models.Clock
	verdicts Verdicts
}

// Verdicts is where the doors count what was decided: the gate's decisions, and what they refused before they asked it.
func (g *Gate) Verdicts() *Verdicts { return &g.verdicts }

// NewGate makes a gate that asks source at every call and counts in tally.
func NewGate(source Source, tally *Tally, now models.Clock) *Gate {
	return &Gate{source: source, tally: tally, limiter: NewLimiter(), products: products{source: source, ready: map[string]*Product{}}, now: now}
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

// check asks, after the credential was found, what it is, whose it is and what for, in this order, until one answer is not Allowed; it names the
// question, and has a sentence for the caller. What is asked of a call to a product follows (reach). The questions are called by their names, and not from
// a list, because what is handed to a function that only a list knows is allocated.
func check(call *Call, d *Decision, look *sight) (name string, code Code, detail string) {
	if code, detail = ended(d, look.now); code != Allowed {
		return "credential.ended", code, detail
	}
	if code, detail = expired(d, look.now); code != Allowed {
		return "credential.expired", code, detail
	}
	if code, detail = inactive(d, look.now); code != Allowed {
		return "credential.inactive", code, detail
	}
	if code, detail = ownerActive(d); code != Allowed {
		return "owner.active", code, detail
	}
	if code, detail = ownerAdmin(call, d); code != Allowed {
		return "owner.admin", code, detail
	}
	if code, detail = itsCollection(call, d, look); code != Allowed {
		return "collection", code, detail
	}
	return "allowed", Allowed, ""
}

// Decide judges one call. The rights are those that the owner has now.
func (g *Gate) Decide(ctx context.Context, call Call) Decision {
	if call.Presented.Code != Allowed {
		return Decision{Code: call.Presented.Code, Check: "credential.presented", Detail: presentedDetail(call.Presented)}
	}
	look := g.look(&call)
	d := g.judge(ctx, &call, &look)
	if look.remembered && (g.memory.generation.Load() != d.generation || !look.lease.holds(g.memory.clocks())) { // the clock is read last
		look = sight{now: g.now(), request: call.RequestID}
		d = g.judge(ctx, &call, &look)
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

// judge finds out all about a call but whether it comes too soon after others.
func (g *Gate) judge(ctx context.Context, call *Call, look *sight) Decision {
	var d Decision
	err := g.find(ctx, call, look, &d)
	switch {
	case err == noSignIn:
		return Decision{Code: CredentialUnknown, Check: "credential.known", Detail: signInAgain}
	case models.KindOf(err) == models.NotFound && call.Presented.SignIn && hearsOfAll(call.Asker): // it was good once
		return Decision{Code: CredentialRevoked, Check: "credential.known", Detail: signInOver}
	case models.KindOf(err) == models.NotFound:
		return Decision{Code: CredentialUnknown, Check: "credential.known", Detail: notGood(call.Presented)}
	case err != nil:
		return unavailable("credential.known", err)
	}
	if not, told := g.asked(ctx, call, look, &d); !told {
		return not
	}
	if d.Check, d.Code, d.Detail = check(call, &d, look); d.Code != Allowed {
		return d
	}
	switch {
	case call.Need.Route != nil:
		g.reach(ctx, call, look, &d)
	case call.Need.Live:
		g.live(ctx, call, look, &d)
	case wrongKind(call, &d), elsewhereThan(call, &d):
	case call.Need.Limited && everywhere(d.Known.Kind()):
		d.counts = quota{who: caller{of: d.Known.Person}, calls: models.ManagementCalls, whose: everybodysKeys, known: d.Known}
	case call.Need.Limited && d.Known.Kind() == models.CollectionKey:
		g.within(opening{workspace: d.Known.Workspace, calls: int64(d.Grant.Opens.CallsAMinute)}, &d)
	case call.Need.Limited:
		if opens, ok := g.opened(ctx, call, look, "", &d); ok {
			g.within(opens, &d)
		}
	}
	return d
}

const signInOver = "A newer token took its place; or its sign-in has ended: by its person or an Admin, with a new password, with the membership, or because a refresh token came twice. Sign in again with POST /user/signin."

const signInAgain = "A sign-in token lives for 30 minutes, or until the next one. Sign in again with POST /user/signin."

const (
	sendOne    = "Every request requires a valid API Key to be sent in the field X-API-Key, or a token as 'Authorization: Bearer <token>', with no extra spaces or line breaks."
	invalidKey = "Invalid API Key. Every request requires a valid API Key to be sent: all of it, in the field X-API-Key, with no extra spaces or line breaks."
)

const howToSend = "Send a valid token as 'Authorization: Bearer <token>', with no extra spaces or line breaks."

func presentedDetail(p Presented) string {
	switch {
	case p.Detail != "":
		return p.Detail
	case p.Code == CredentialMissing:
		return sendOne
	}
	return notGood(p)
}

// notGood is what to do about a credential that is none.
func notGood(p Presented) string {
	if p.Key {
		return invalidKey
	}
	return howToSend
}

func ended(d *Decision, now time.Time) (Code, string) {
	k := &d.Known
	switch k.State(now) {
	case models.Replaced:
		return CredentialReplaced, fmt.Sprintf("It was replaced on %s. Update this tool with the newer token, or create another one %s.", day(momentOf(k.over)), madeAt(k.Kind()))
	case models.Revoked:
		switch k.Kind() {
		case models.AutomationToken:
			return CredentialRevoked, fmt.Sprintf("It was revoked on %s%s. Its person can create another one, in the console or by the account API.", day(momentOf(k.over)), because(k))
		case models.APIKey, models.CollectionKey:
			return CredentialRevoked, fmt.Sprintf("It was revoked on %s%s. Another one is made %s.", day(momentOf(k.over)), because(k), madeAt(k.Kind()))
		}
		return CredentialRevoked, fmt.Sprintf("It was revoked on %s. Ask an Admin for a new one.", day(momentOf(k.over)))
	}
	return Allowed, ""
}

func expired(d *Decision, now time.Time) (Code, string) {
	if d.Known.State(now) != models.Expired {
		return Allowed, ""
	}
	return CredentialExpired, fmt.Sprintf("It expired on %s. Create a new token %s and update this tool.", day(d.Known.Expires()), madeAt(d.Known.Kind()))
}

// because tells why a token ended that nobody revoked: those reasons are ours, and for its holder too.
func because(k *Known) string {
	if k.why == 0 {
		return ""
	}
	return ": " + reasons[k.why]
}

// madeAt is where credentials of a kind are made.
func madeAt(kind models.CredentialKind) string {
	switch kind {
	case models.APIToken:
		return "under API Tokens in the workspace's settings"
	case models.AutomationToken:
		return "with GET /workspace/automation_token"
	case models.SignInToken:
		return "with POST /user/signin"
	case models.APIKey:
		return "under API keys in your account settings"
	case models.CollectionKey:
		return "where the collection is shared"
	}
	return "on the user record"
}

func inactive(d *Decision, now time.Time) (Code, string) {
	if d.Known.State(now) != models.Inactive {
		return Allowed, ""
	}
	return CredentialInactive, "It was switched off in the console. It can be switched on again."
}

func ownerActive(d *Decision) (Code, string) {
	if d.Known.is&ownerThere != 0 { // which nobody is too: an API token has no owner
		return Allowed, ""
	}
	return OwnerDeactivated, "Ask an Admin to activate the person, or use somebody else's token."
}

func ownerAdmin(call *Call, d *Decision) (Code, string) {
	if !call.Need.Admin {
		return Allowed, ""
	}
	switch d.Known.Kind() {
	case models.CollectionKey:
		return ScopeMissing, readsOnly
	case models.AutomationToken, models.SignInToken: // they are for one workspace, and an Admin's rights are for all
		return AdminRequired, "This takes the bearer token of a person with Admin access. An automation token and a sign-in token open their own workspace only."
	}
	if d.Known.is&ownerAdmins != 0 {
		return Allowed, ""
	}
	return AdminRequired, "The token must belong to a person with Admin access. Contact your site administrator."
}

const readsOnly = "A collection access key reads its own collection, with GET, and does nothing else."

// itsCollection lets a collection access key read its own collection, and nothing else whatsoever.
func itsCollection(call *Call, d *Decision, look *sight) (Code, string) {
	switch {
	case d.Known.Kind() != models.CollectionKey:
		return Allowed, ""
	case call.Need.Live: // for whatever it reads
	case call.Need.Live: // for whatever it reads
	case call.Need.Collection == "":
		return ScopeMissing, readsOnly
	case id(call.Need.Collection) != d.Known.Of:
		return WrongCollection, "Ask whoever shared it for a key of this collection."
	}
	if look.place.closed {
		return WrongWorkspace, "Its workspace was deleted."
	}
	return Allowed, ""
}

func outcome(code Code) models.Outcome {
	switch code {
	case Allowed:
		return models.CallAccepted
	case CredentialReplaced, CredentialRevoked, CredentialExpired, CredentialInactive:
		return models.CallLate
	}
	return models.CallRefused
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// Answers says whether calls are answered from memory at all.
func (g *Gate) Answers() bool { return g.memory != nil && g.answers }
