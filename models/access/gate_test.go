package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// source knows one secret.
type source struct {
	knows secret.Hash
	grant models.Grant
	err   error
	asked int

	opens      models.Opens
	opensErr   error
	product    models.Product
	productErr error
	asOf       models.Snapshot
	read       int                             // how often the product was
	roles      map[string]models.WorkspaceRole // by person and workspace, a space between
	rolesErr   error
	looked     int // how often it was asked what somebody opens, or is somewhere
}

func (s *source) RoleIn(_ context.Context, personID, workspaceID string) (models.WorkspaceRole, models.Snapshot, error) {
	s.looked++
	return s.roles[personID+" "+workspaceID], s.asOf, s.rolesErr
}

func (s *source) GrantOf(_ context.Context, hash secret.Hash) (models.Grant, error) {
	s.asked++
	if s.err == nil && hash != s.knows {
		return models.Grant{}, models.Fail(models.NotFound, "That does not exist.")
	}
	return s.grant, s.err
}

func (s *source) OpensFor(context.Context, models.CredentialKind, models.Person, string) (models.Opens, error) {
	s.looked++
	return s.opens, s.opensErr
}

func (s *source) ProductAsOf(_ context.Context, id string) (models.Product, models.Snapshot, error) {
	s.read++
	return s.product, s.asOf, s.productErr
}

func (s *source) ProgramOf(ctx context.Context, c secret.SignInClaims) (models.Grant, error) {
	return s.GrantOf(ctx, c.Hash())
}

// goodGrant is an Admin's token that opens everything.
func goodGrant() models.Grant {
	expires := noon.AddDate(1, 0, 0)
	return models.Grant{
		Credential: models.Credential{ID: c1, Kind: models.Bearer, PersonID: p1, Enabled: true, ExpiresAt: &expires},
		Owner:      models.Person{ID: p1, Name: "Ines", Role: models.Admin},
	}
}

// counted is what a tally holds, as a flush writes it down.
type counted struct {
	batch []models.Usage
	days  []models.UsageDay
	err   error
	calls int
}

func (c *counted) RecordUsage(_ context.Context, _ models.Flush, batch []models.Usage, days []models.UsageDay) error {
	if c.calls++; c.err == nil {
		c.batch, c.days = append(c.batch, batch...), append(c.days, days...)
	}
	return c.err
}

// Each check, and what comes before it: every row breaks what its check asks about and all that is asked
// later, and the earlier one decides (http.md, security rules T9, T12 and T13). Each outcome is counted.
func TestGateDecidesInOrder(t *testing.T) {
	past := noon.Add(-time.Hour)
	breaking := []struct {
		check string
		code  Code
		spoil func(*models.Grant)
		count models.Usage
	}{
		{"credential.ended", CredentialReplaced, func(g *models.Grant) { g.Credential.RevokedAt, g.Credential.ReplacedBy = &past, c2 }, models.Usage{Late: 1}},
		{"credential.ended", CredentialRevoked, func(g *models.Grant) { g.Credential.RevokedAt = &past }, models.Usage{Late: 1}},
		{"credential.expired", CredentialExpired, func(g *models.Grant) { at := noon; g.Credential.ExpiresAt = &at }, models.Usage{Late: 1}},
		{"credential.inactive", CredentialInactive, func(g *models.Grant) { g.Credential.Enabled = false }, models.Usage{Late: 1}},
		{"owner.active", OwnerDeactivated, func(g *models.Grant) { g.Owner.DeactivatedAt = &past }, models.Usage{Refused: 1}},
		{"owner.admin", AdminRequired, func(g *models.Grant) { g.Owner.Role = models.Member }, models.Usage{Refused: 1}},
		{"allowed", Allowed, func(*models.Grant) {}, models.Usage{Calls: 1}},
	}
	text := mint(t)
	for i, first := range breaking {
		grant := goodGrant()
		for _, later := range breaking[i:] {
			later.spoil(&grant)
		}
		if first.code == CredentialRevoked { // only what was replaced says so
			grant.Credential.ReplacedBy = ""
		}
		tally, to := NewTally(), &counted{}
		gate := NewGate(&source{knows: text.Hash(), grant: grant}, tally, atNoon)
		got := gate.Decide(t.Context(), Call{Presented: Presented{Text: text, Code: Allowed}, Need: Need{Admin: true}, Address: "192.0.2.7"})
		if got.Code != first.code || got.Check != first.check || got.Allowed() != (first.code == Allowed) || TextOf(got.Known.ID) != c1 {
			t.Errorf("%s: decided %s by %s", first.code, got.Code, got.Check)
		}
		if (got.Detail == "") != got.Allowed() || got.Cause != nil {
			t.Errorf("%s: the detail is %q, the cause %v", first.code, got.Detail, got.Cause)
		}
		if err := tally.Flush(t.Context(), to); err != nil || len(to.batch) != 1 {
			t.Fatalf("%s: counted %v (%v)", first.code, to.batch, err)
		}
		if u := to.batch[0]; u.CredentialID != c1 || u.Calls != first.count.Calls || u.Refused != first.count.Refused || u.Late != first.count.Late {
			t.Errorf("%s: counted %+v", first.code, u)
		}
	}
}

// What shows no well-formed credential is refused before anybody is asked (T3), is told how to send one,
// and counts for nobody.
func TestGateAsksNobodyWithoutACredential(t *testing.T) {
	for _, p := range []Presented{
		{}, // what nobody filled in
		{Code: CredentialMissing}, {Code: CredentialMalformed}, {Code: RequestAmbiguous, Detail: "Send it once."},
		{Text: mint(t), Code: CredentialMalformed},
	} {
		from, tally, to := &source{grant: goodGrant()}, NewTally(), &counted{}
		got := NewGate(from, tally, atNoon).Decide(t.Context(), Call{Presented: p})
		if got.Allowed() || got.Code != p.Code || got.Check != "credential.presented" || from.asked != 0 || got.Matched() {
			t.Errorf("%q: decided %q by %s after %d questions", p.Code, got.Code, got.Check, from.asked)
		}
		if got.Detail != p.Detail && (p.Detail != "" || !strings.Contains(got.Detail, "Authorization: Bearer <token>")) {
			t.Errorf("%q: the detail is %q", p.Code, got.Detail)
		}
		if err := tally.Flush(t.Context(), to); err != nil || to.calls != 0 {
			t.Errorf("%q: counted %v (%v)", p.Code, to.batch, err)
		}
	}
}

// "Could not find out" is neither "unknown" nor "allowed": a client that is told 401 would throw a good
// token away, and an outage must open nothing, even when the source hands a grant out with its failure.
func TestGateTellsAnOutageFromAnUnknownToken(t *testing.T) {
	text := mint(t)
	notThere := models.Fail(models.NotFound, "That does not exist.")
	for _, c := range []struct {
		err  error
		want Code
	}{
		{notThere, CredentialUnknown},
		{fmt.Errorf("look: %w", notThere), CredentialUnknown},
		{models.Fail(models.Unavailable, "The database does not answer."), VerifierUnavailable},
		{models.Fail(models.Unavailable, "The database does not answer.").Because(notThere), VerifierUnavailable},
		{models.Fail(models.Internal, "?"), VerifierUnavailable},
		{errors.New("connection refused"), VerifierUnavailable},
		{context.DeadlineExceeded, VerifierUnavailable},
		{context.Canceled, VerifierUnavailable},
		{io.ErrUnexpectedEOF, VerifierUnavailable},
	} {
		gate := NewGate(&source{grant: goodGrant(), err: c.err}, NewTally(), atNoon)
		got := gate.Decide(t.Context(), Call{Presented: Presented{Text: text, Code: Allowed}})
		if got.Code != c.want || got.Check != "credential.known" || got.Matched() {
			t.Errorf("%v: decided %s by %s with %+v", c.err, got.Code, got.Check, got.Grant())
		}
		if (got.Cause != nil) != (c.want == VerifierUnavailable) || strings.Contains(got.Detail, "refused") {
			t.Errorf("%v: the cause is %v, the detail %q", c.err, got.Cause, got.Detail)
		}
	}
}

// T9: the rights are those that the owner has at the call, asked anew each time; a decision that was made
// before is not remembered.
func TestGateAsksAtEveryCall(t *testing.T) {
	text := mint(t)
	from := &source{knows: text.Hash(), grant: goodGrant()}
	now := noon
	gate := NewGate(from, NewTally(), func() time.Time { return now })
	decide := func(need Need) Code {
		return gate.Decide(t.Context(), Call{Presented: Presented{Text: text, Code: Allowed}, Need: need}).Code
	}
	at := noon
	for i, step := range []struct {
		change func()
		want   Code
	}{
		{func() {}, Allowed},
		{func() { from.grant.Owner.Role = models.Member }, AdminRequired},
		{func() { from.grant.Owner.Role = models.Admin }, Allowed},
		{func() { from.grant.Owner.DeactivatedAt = &at }, OwnerDeactivated},
		{func() { from.grant.Owner.DeactivatedAt = nil }, Allowed},
		{func() { now = from.grant.Credential.ExpiresAt.Add(-time.Microsecond) }, Allowed},
		{func() { now = *from.grant.Credential.ExpiresAt }, CredentialExpired},
	} {
		step.change()
		if got := decide(Need{Admin: true}); got != step.want || from.asked != i+1 {
			t.Errorf("step %d: %s after %d questions, want %s", i, got, from.asked, step.want)
		}
	}
	now, from.grant.Owner.Role = noon, models.Member
	if got := decide(Need{}); got != Allowed {
		t.Errorf("a call that needs no Admin: %s", got)
	}
}

// Who acts after a decision is the owner with the owner's role, and the credential is named, so that the
// log can tell the two apart.
func TestDecisionActor(t *testing.T) {
	grant := goodGrant()
	got := Decision{Code: Allowed, grant: &grant}.Actor("192.0.2.7", "r1")
	want := models.Actor{Kind: models.Program, ID: p1, Name: "Ines", Role: models.Admin, CredentialID: c1, Until: got.Until, Address: "192.0.2.7", RequestID: "r1"}
	if got != want || !got.Until.Equal(*grant.Credential.ExpiresAt) {
		t.Errorf("got %+v", got)
	}
	signedIn := goodGrant()
	signedIn.Credential.Kind, signedIn.Opens.WorkspaceID = models.SignInToken, w1
	want.CredentialID, want.SessionID, want.Role, want.Within = "", c1, models.Member, w1
	want.Until = signedIn.Credential.ExpiresAt
	if got := (Decision{Code: Allowed, grant: &signedIn}).Actor("192.0.2.7", "r1"); got != want {
		t.Errorf("of a program that signed in: got %+v", got)
	}
}

// What takes an Admin reaches every workspace. A credential that is for one of them does not open it, whoever owns it (T10).
func TestAdminsCallsTakeABearerToken(t *testing.T) {
	for kind, want := range map[models.CredentialKind]Code{models.Bearer: Allowed, models.AutomationToken: AdminRequired, models.SignInToken: AdminRequired} {
		text, grant := mint(t), goodGrant()
		grant.Credential.Kind = kind
		gate := NewGate(&source{knows: text.Hash(), grant: grant}, NewTally(), atNoon)
		got := gate.Decide(t.Context(), Call{Presented: Presented{Text: text, Code: Allowed}, Need: Need{Admin: true}})
		if got.Code != want || (want != Allowed) != strings.Contains(got.Detail, "bearer token of a person with Admin access") {
			t.Errorf("%s: %s, %s", kind, got.Code, got.Detail)
		}
		if got := gate.Decide(t.Context(), Call{Presented: Presented{Text: text, Code: Allowed}}); !got.Allowed() {
			t.Errorf("%s, for nothing in particular: %s", kind, got.Code)
		}
	}
}

// Each code has its title, word for word as the contract has it; an invented one has none.
func TestTitles(t *testing.T) {
	for code, want := range map[Code]string{
		CredentialMissing: "Authentication required", CredentialMalformed: "Authentication required", CredentialUnknown: "Authentication required",
		CredentialExpired: "Token has expired", CredentialRevoked: "Token was revoked", CredentialReplaced: "Token was replaced by a newer one",
		CredentialInactive: "Token is inactive", OwnerDeactivated: "The person this token belongs to is deactivated",
		WrongWorkspace: "Token belongs to another workspace", NoSuchResource: "No resource of the product answers this path", MethodNotAllowed: "The resource takes another method",
		ScopeMissing: "Token is not allowed to do this", RateLimited: "Too many requests", RequestAmbiguous: "The request can be read in two ways", Allowed: "Allowed",
		AdminRequired: "Admin access required", VerifierUnavailable: "The credential could not be checked", "no_such": "",
	} {
		if code.Title() != want {
			t.Errorf("%s: %q", code, code.Title())
		}
	}
}
