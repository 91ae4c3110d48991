package access

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"tokendesk/models"
)

// reach asks, of a call that is good so far, what a product has to do with it: in which workspace, how often, what it
// is. It ends at the first answer that is not Allowed.
func (g *Gate) reach(ctx context.Context, call Call, d *Decision, now time.Time) {
	route := call.Need.Route
	opens, ok := g.opened(ctx, route.Workspace, d)
	if !ok || !g.within(opens, d, now) {
		return
	}
	product, err := g.products.at(ctx, opens.ProductID, opens.Revision)
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
	case !d.Grant.Credential.Scopes.Allow(d.Scope):
		d.refuse(ScopeMissing, "scope", "It needs the operation "+d.Scope+", which this token was not given. Create a token that has it.")
	default:
		d.Product = product
	}
}

// wrongKind refuses a token that is good, and not for this call.
func wrongKind(call Call, d *Decision) bool {
	kinds, kind := call.Need.Kinds, d.Grant.Credential.Kind
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
func elsewhereThan(call Call, d *Decision) bool {
	named, opens, kind := call.Need.Workspace, d.Grant.Opens, d.Grant.Credential.Kind
	if named == "" || named == opens.WorkspaceID || named == opens.Slug {
		return false
	}
	d.refuse(WrongWorkspace, "workspace", "X-Workspace-Id names another workspace than the token's. "+elsewhere(kind))
	return true
}

// within counts the call against the limit; false ends it. Sign-in tokens share one limit, or another sign-in would be a way around it.
func (g *Gate) within(opens models.Opens, d *Decision, now time.Time) bool {
	c, caller, whose := d.Grant.Credential, d.Grant.Credential.ID, "This token"
	switch {
	case everywhere(c.Kind): // or another key would be a way around
		caller, whose = "person "+c.PersonID+" "+opens.WorkspaceID, "All API keys and the bearer token of a person in a workspace together"
	case c.Kind == models.SignInToken:
		caller, whose = signedInAs(c.PersonID, opens.WorkspaceID), "All sign-in tokens of a person in a workspace together"
	}
	if d.Limit = g.limiter.Take(caller, opens.CallsAMinute, now); !d.Limit.Passed {
		d.refuse(RateLimited, "limit", fmt.Sprintf("%s may make %d calls a minute. Try again in %d s.", whose, opens.CallsAMinute, Seconds(d.Limit.Wait)))
	}
	return d.Limit.Passed
}

// everywhere says whether a credential of the kind is for wherever its person may be.
func everywhere(kind models.CredentialKind) bool {
	return kind == models.Bearer || kind == models.APIKey
}

// withinPersons counts a call that is for no workspace against the limit of its person.
func (g *Gate) withinPersons(d *Decision, now time.Time) {
	if d.Limit = g.limiter.Take("person "+d.Grant.Owner.ID, models.ManagementCalls, now); !d.Limit.Passed {
		d.refuse(RateLimited, "limit", fmt.Sprintf("All API keys and the bearer token of a person together may make %d calls a minute to the management API. Try again in %d s.", models.ManagementCalls, Seconds(d.Limit.Wait)))
	}
}

// CountSignedIn counts what a program does beside its calls against the limit of its person's sign-in tokens.
func (g *Gate) CountSignedIn(personID string, w models.Workspace) Limit {
	return g.limiter.Take(signedInAs(personID, w.ID), w.CallsAMinute(models.SignInToken), g.now())
}

func signedInAs(personID, workspaceID string) string {
	return "signed in " + personID + " " + workspaceID
}

// opened finds what the credential opens, in the workspace that the call names; false ends the call.
func (g *Gate) opened(ctx context.Context, named string, d *Decision) (models.Opens, bool) {
	opens, kind := d.Grant.Opens, d.Grant.Credential.Kind
	if !everywhere(kind) { // it is for one workspace
		if opens.Closed {
			d.refuse(WrongWorkspace, "workspace", "Its workspace was deleted.")
			return opens, false
		}
		if named != "" && named != opens.WorkspaceID && named != opens.Slug {
			d.refuse(WrongWorkspace, "workspace", "X-Workspace-Id names another workspace than the token's. "+elsewhere(kind))
			return opens, false
		}
		if kind == models.APIToken {
			return opens, true
		}
		named = opens.WorkspaceID
	}
	opens, err := g.source.OpensFor(ctx, kind, d.Grant.Owner, named)
	var ours *models.Error
	switch kind := models.KindOf(err); {
	case err == nil:
		d.Grant.Opens = opens
		return opens, true
	case kind == models.Ambiguous && errors.As(err, &ours):
		d.refuse(RequestAmbiguous, "workspace", "This person belongs to several workspaces. Say which one with X-Workspace-Id.")
	case kind == models.NotFound || kind == models.Forbidden || kind == models.Conflict:
		d.refuse(WrongWorkspace, "workspace", "The person whose token this is does not belong to that workspace.")
	default:
		d.unknown("workspace", err)
	}
	return opens, false
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
	*d = unavailable(check, cause)
}

// Seconds rounds a wait up to whole seconds, of which there is at least one.
func Seconds(wait time.Duration) int {
	return max(1, int(math.Ceil(wait.Seconds())))
}
