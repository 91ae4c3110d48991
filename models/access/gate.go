// Package access decides whether a call may pass. It knows neither HTTP nor SQL: what a call showed
// comes in as text, what is known about it comes from a Source, and a Decision goes out that names
// the check that made it. Every door of Tokendesk asks the same Gate.
package access

import (
	"context"
	"fmt"
	"time"

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

	// Product reads a product for its resources.
	Product(ctx context.Context, id string) (models.Product, error)
}

// Need is what a call asks for.
type Need struct {
	Admin bool   // the credential's owner must be an Admin of the installation, now
	Route *Route // what a product is asked for; nil: nothing of a product

	Kinds      []models.CredentialKind // those that the call takes; empty: all
	Workspace  string                  // its slug or ID, where a call that takes Kinds names one
	Collection string                  // the ID of the one that the call reads, which a collection access key must be for
	Limited    bool                    // it counts against the limit of the token's workspace, as calls to products do; or, of a person's key, against theirs
}

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
}

// Decision is the answer to a call.
type Decision struct {
	Code    Code
	Check   string       // the check that decided, in the order of checks
	Detail  string       // what happened and what to do, for the caller
	Grant   models.Grant // empty unless the secret itself matched
	Cause   error        // for VerifierUnavailable: why; for the log only
	Limit   Limit        // where the caller stands; of calls that were counted against a limit
	Scope   string       // what the call needs, once it is known
	Methods []string     // for MethodNotAllowed: those that the path takes
	Product *Product     // of a call to a product that is allowed
}

// Allowed says whether the call may pass.
func (d Decision) Allowed() bool { return d.Code == Allowed }

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

// Gate decides calls and counts them.
type Gate struct {
	source   Source
	tally    *Tally
	limiter  *Limiter
	signIns  SignIns // nil: there are none
	products products
	now      models.Clock
	verdicts Verdicts
}

// Verdicts is where the doors count what was decided: the gate's decisions, and what they refused before they asked it.
func (g *Gate) Verdicts() *Verdicts { return &g.verdicts }

// NewGate makes a gate that asks source at every call and counts in tally.
func NewGate(source Source, tally *Tally, now models.Clock) *Gate {
	return &Gate{source: source, tally: tally, limiter: NewLimiter(), products: products{source: source, ready: map[string]*Product{}}, now: now}
}

// SignIns reads sign-in tokens; see KeyRing.
type SignIns interface {
	Parse(ctx context.Context, text secret.Text) (c secret.SignInClaims, ok bool, err error)
}

// Take lets programs in that signed in; it is called before any decision.
func (g *Gate) Take(signIns SignIns) { g.signIns = signIns }

// check is one question. It answers Allowed to go on with the next, or the code that ends the
// call and a sentence about it.
type check struct {
	name string
	ask  func(call *Call, grant *models.Grant, now time.Time) (Code, string)
}

// checks are asked in this order, after the credential was found: what it is, whose it is, what for. Those of a call to
// a product follow them (reach).
var checks = []check{
	{"credential.ended", ended},
	{"credential.expired", expired},
	{"credential.inactive", inactive},
	{"owner.active", ownerActive},
	{"owner.admin", ownerAdmin},
	{"collection", itsCollection},
}

// Decide judges one call. The rights are those that the owner has now.
func (g *Gate) Decide(ctx context.Context, call Call) Decision {
	if call.Presented.Code != Allowed {
		return Decision{Code: call.Presented.Code, Check: "credential.presented", Detail: presentedDetail(call.Presented)}
	}
	if call.RequestID != "" {
		ctx = models.WithRequestID(ctx, call.RequestID)
	}
	grant, err := g.grantOf(ctx, call.Presented)
	if err == noSignIn {
		return Decision{Code: CredentialUnknown, Check: "credential.known", Detail: signInAgain}
	}
	if models.KindOf(err) == models.NotFound {
		if call.Presented.SignIn { // it was good once
			return Decision{Code: CredentialRevoked, Check: "credential.known", Detail: signInOver}
		}
		return Decision{Code: CredentialUnknown, Check: "credential.known", Detail: notGood(call.Presented)}
	}
	if err != nil {
		return unavailable("credential.known", err)
	}
	now := g.now()
	d := g.judge(ctx, call, grant, now)
	if d.Code != VerifierUnavailable && !call.Presented.SignIn { // a session keeps no count
		g.tally.AddOf(grant.Credential, outcome(d.Code), now, call.Address)
	}
	return d
}

// grantOf finds what was presented.
func (g *Gate) grantOf(ctx context.Context, p Presented) (models.Grant, error) {
	if !p.SignIn {
		return g.source.GrantOf(ctx, p.Text.Hash())
	}
	if g.signIns == nil {
		return models.Grant{}, noSignIn
	}
	claims, ok, err := g.signIns.Parse(ctx, p.Text)
	switch {
	case err != nil:
		return models.Grant{}, err
	case !ok:
		return models.Grant{}, noSignIn
	}
	return g.source.ProgramOf(ctx, claims)
}

var noSignIn error = models.Fail(models.NotFound, "That sign-in token is not good.")

func unavailable(check string, cause error) Decision {
	return Decision{Code: VerifierUnavailable, Check: check, Detail: "Try again in a moment. The token may be perfectly good.", Cause: cause}
}

func (g *Gate) judge(ctx context.Context, call Call, grant models.Grant, now time.Time) Decision {
	for _, c := range checks {
		if code, detail := c.ask(&call, &grant, now); code != Allowed {
			return Decision{Code: code, Check: c.name, Detail: detail, Grant: grant}
		}
	}
	d := Decision{Code: Allowed, Check: "allowed", Grant: grant}
	switch {
	case call.Need.Route != nil:
		g.reach(ctx, call, &d, now)
	case wrongKind(call, &d), elsewhereThan(call, &d):
	case call.Need.Limited && everywhere(grant.Credential.Kind):
		g.withinPersons(&d, now)
	case call.Need.Limited && grant.Credential.Kind == models.CollectionKey:
		g.within(grant.Opens, &d, now)
	case call.Need.Limited:
		if opens, ok := g.opened(ctx, "", &d); ok {
			g.within(opens, &d, now)
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

func ended(_ *Call, g *models.Grant, now time.Time) (Code, string) {
	c := &g.Credential
	switch c.State(now) {
	case models.Replaced:
		return CredentialReplaced, fmt.Sprintf("It was replaced on %s. Update this tool with the newer token, or create another one %s.", day(*c.RevokedAt), madeAt(c.Kind))
	case models.Revoked:
		if c.Kind == models.AutomationToken {
			return CredentialRevoked, fmt.Sprintf("It was revoked on %s%s. Its person can create another one, in the console or by the account API.", day(*c.RevokedAt), because(c))
		}
		if c.Kind == models.APIKey || c.Kind == models.CollectionKey {
			return CredentialRevoked, fmt.Sprintf("It was revoked on %s%s. Another one is made %s.", day(*c.RevokedAt), because(c), madeAt(c.Kind))
		}
		return CredentialRevoked, fmt.Sprintf("It was revoked on %s. Ask an Admin for a new one.", day(*c.RevokedAt))
	}
	return Allowed, ""
}

func expired(_ *Call, g *models.Grant, now time.Time) (Code, string) {
	if g.Credential.State(now) != models.Expired {
		return Allowed, ""
	}
	return CredentialExpired, fmt.Sprintf("It expired on %s. Create a new token %s and update this tool.", day(*g.Credential.ExpiresAt), madeAt(g.Credential.Kind))
}

// because tells why a token ended that nobody revoked: those reasons are ours, and for its holder too.
func because(c *models.Credential) string {
	switch c.RevokeReason {
	case models.CollectionWasDeleted, models.PasswordWasChanged, models.PersonLeft, models.PersonWasDeactivated, models.RevokedByItsPerson:
		return ": " + c.RevokeReason
	}
	return ""
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

func inactive(_ *Call, g *models.Grant, now time.Time) (Code, string) {
	if g.Credential.State(now) != models.Inactive {
		return Allowed, ""
	}
	return CredentialInactive, "It was switched off in the console. It can be switched on again."
}

func ownerActive(_ *Call, g *models.Grant, _ time.Time) (Code, string) {
	if g.Owner.Active() { // which nobody is too: an API token has no owner
		return Allowed, ""
	}
	return OwnerDeactivated, "Ask an Admin to activate the person, or use somebody else's token."
}

func ownerAdmin(call *Call, g *models.Grant, _ time.Time) (Code, string) {
	if !call.Need.Admin {
		return Allowed, ""
	}
	switch g.Credential.Kind {
	case models.CollectionKey:
		return ScopeMissing, readsOnly
	case models.AutomationToken, models.SignInToken: // they are for one workspace, and an Admin's rights are for all
		return AdminRequired, "This takes the bearer token of a person with Admin access. An automation token and a sign-in token open their own workspace only."
	}
	if g.Owner.Role == models.Admin {
		return Allowed, ""
	}
	return AdminRequired, "The token must belong to a person with Admin access. Contact your site administrator."
}

const readsOnly = "A collection access key reads its own collection, with GET, and does nothing else."

// itsCollection lets a collection access key read its own collection, and nothing else whatsoever.
func itsCollection(call *Call, g *models.Grant, _ time.Time) (Code, string) {
	switch {
	case g.Credential.Kind != models.CollectionKey:
		return Allowed, ""
	case call.Need.Collection == "":
		return ScopeMissing, readsOnly
	case call.Need.Collection != g.Credential.CollectionID:
		return WrongCollection, "Ask whoever shared it for a key of this collection."
	case g.Opens.Closed:
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
