package access

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// reach asks, of a call that is good so far, what a product has to do with it: in which workspace, how often, what it
// is. It ends at the first answer that is not Allowed.
func (g *Gate) reach(ctx context.Context, call *Call, look *sight, d *Decision) {
	route := call.Need.Route
	opens, ok := g.opened(ctx, call, look, route.Workspace, d)
	if !ok {
		return
	}
	g.within(opens, d)
	product, err := g.product(ctx, look, opens, d)
	if err != nil {
		d.unknown("product", err)
		return
	}
	d.Scope, d.Methods = product.Routes.Match(route.Method, route.Path)
	switch {
	case d.Scope == "" && len(d.Methods) > 0:
		d.refuse(MethodNotAllowed, "resource", "Here it takes "+strings.Join(d.Methods, ", ")+".")
	case d.Scope == "":
		d.refuse(NoSuchResource, "resource", "The workspace's settings list what there is under Resources.")
	case !d.Known.Scopes.Allow(d.Scope):
		d.refuse(ScopeMissing, "scope", "It needs the operation "+d.Scope+", which this token was not given. Create a token that has it.")
	default:
		d.Product = product
	}
}

// wrongKind refuses a token that is good, and not for this call.
func wrongKind(call *Call, d *Decision) bool {
	kinds, kind := call.Need.Kinds, d.Known.Kind()
	if len(kinds) == 0 || slices.Contains(kinds, kind) {
		return false
	}
	var takes []string
	for _, k := range kinds {
		takes = append(takes, k.Named()+", made "+madeAt(k))
	}
	d.refuse(ScopeMissing, "kind", "This call takes "+strings.Join(takes, "; or ")+". What was sent is "+kind.Named()+".")
	return true
}

// elsewhereThan refuses a call that names another workspace than its token's.
func elsewhereThan(call *Call, d *Decision) bool {
	named, opens, kind := call.Need.Workspace, d.Grant().Opens, d.Known.Kind()
	if named == "" || named == opens.WorkspaceID || named == opens.Slug {
		return false
	}
	d.refuse(WrongWorkspace, "workspace", "X-Workspace-Id names another workspace than the token's. "+elsewhere(kind))
	return true
}

// caller is who is held to a limit.
type caller struct {
	of, in uuid.UUID // a credential or a person; and the workspace, where a person is held in one
	signIn bool
}

// quota is what a call is counted against; the zero quota is nothing.
type quota struct {
	who   caller
	calls int // a minute
	whose string
	known Known     // of the decision,
	in    uuid.UUID // and its workspace
}

const (
	thisToken      = "This token may make %d calls a minute."
	keysInOne      = "All API keys and the bearer token of a person in a workspace together may make %d calls a minute."
	signInsInOne   = "All sign-in tokens of a person in a workspace together may make %d calls a minute."
	everybodysKeys = "All API keys and the bearer token of a person together may make %d calls a minute to the management API."
)

// within says what a call in a workspace is counted against. Sign-in tokens share one limit, or another sign-in would be a way around it.
func (g *Gate) within(opens opening, d *Decision) {
	d.Workspace = opens.workspace
	k := &d.Known
	d.counts = quota{who: caller{of: k.ID}, calls: int(opens.calls), whose: thisToken, known: d.Known, in: d.Workspace}
	switch {
	case everywhere(k.Kind()): // or another key would be a way around
		d.counts.who, d.counts.whose = caller{of: k.Person, in: opens.workspace}, keysInOne
	case k.Kind() == models.SignInToken:
		d.counts.who, d.counts.whose = caller{of: k.Person, in: opens.workspace, signIn: true}, signInsInOne
	}
}

// limit counts a call that was judged against the limit that it got as far as. One that comes too soon is told that first of all that follows.
func (g *Gate) limit(ctx context.Context, d *Decision, now time.Time) {
	q := d.counts
	if q.calls == 0 {
		return
	}
	if d.Limit = g.take(ctx, q.who, q.calls, now); !d.Limit.Passed {
		d.Known, d.Workspace, d.Product, d.Scope, d.Methods, d.Cause = q.known, q.in, nil, "", nil, nil
		d.refuse(RateLimited, "limit", fmt.Sprintf(q.whose, q.calls)+fmt.Sprintf(" Try again in %d s.", Seconds(d.Limit.Wait)))
	} else if d.Code == VerifierUnavailable {
		d.Limit = Limit{}
	}
}

// everywhere says whether a credential of the kind is for wherever its person may be.
func everywhere(kind models.CredentialKind) bool {
	return kind == models.Bearer || kind == models.APIKey
}

// CountSignedIn counts what a program does beside its calls against the limit of its person's sign-in tokens.
func (g *Gate) CountSignedIn(ctx context.Context, personID string, w models.Workspace) Limit {
	return g.take(ctx, caller{of: id(personID), in: id(w.ID), signIn: true}, w.CallsAMinute(models.SignInToken), g.now())
}

// opened finds what the credential opens, in the workspace that the call names; false ends the call.
func (g *Gate) opened(ctx context.Context, call *Call, look *sight, named string, d *Decision) (opening, bool) {
	k := &d.Known
	if kind := k.Kind(); !everywhere(kind) { // it is for one workspace
		here := look.place
		if here.closed {
			d.refuse(WrongWorkspace, "workspace", "Its workspace was deleted.")
			return opening{}, false
		}
		if named != "" && named != here.slug && id(named) != k.Workspace {
			d.refuse(WrongWorkspace, "workspace", "X-Workspace-Id names another workspace than the token's. "+elsewhere(kind))
			return opening{}, false
		}
		if kind == models.APIToken {
			return opening{workspace: k.Workspace, product: k.Of, calls: int64(here.calls)}, true
		}
		named = TextOf(k.Workspace)
	}
	o, err := g.opening(ctx, look, named, d)
	if err == nil {
		return o, true
	}
	d.notOpened(err)
	return o, false
}

// notOpened is for a workspace that a person's credential does not open.
func (d *Decision) notOpened(err error) {
	var ours *models.Error
	switch kind := models.KindOf(err); {
	case kind == models.Ambiguous && errors.As(err, &ours):
		d.refuse(RequestAmbiguous, "workspace", "This person belongs to several workspaces. Say which one with X-Workspace-Id.")
	case kind == models.NotFound || kind == models.Forbidden || kind == models.Conflict:
		d.refuse(WrongWorkspace, "workspace", "The person whose token this is does not belong to that workspace.")
	default:
		d.unknown("workspace", err)
	}
}

// elsewhere is how a program gets to another workspace.
func elsewhere(kind models.CredentialKind) string {
	switch kind {
	case models.SignInToken:
		return "Switch with POST /user/refresh_token first."
	case models.AutomationToken:
		return "Switch with POST /user/refresh_token first, then make a token there."
	}
	return "Leave it out, or use a token of that workspace."
}

func (d *Decision) refuse(code Code, check, detail string) {
	d.Code, d.Check, d.Detail = code, check, detail
}

// unknown is for what could not be found out.
func (d *Decision) unknown(check string, cause error) {
	un := unavailable(check, cause)
	un.counts = d.counts // it comes too soon all the same
	*d = un
}

// Seconds rounds a wait up to whole seconds, of which there is at least one.
func Seconds(wait time.Duration) int {
	return max(1, int(math.Ceil(wait.Seconds())))
}
