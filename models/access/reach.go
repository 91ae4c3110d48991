package access

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"tokendesk/models"
)

// reach asks, of a call that is good so far, what a product has to do with it: in which workspace, how often, what it
// is. It ends at the first answer that is not Allowed.
func (g *Gate) reach(ctx context.Context, call Call, d *Decision, now time.Time) {
	opens, ok := g.opened(ctx, call, d)
	if !ok {
		return
	}
	if d.Limit = g.limiter.Take(d.Grant.Credential.ID, opens.CallsAMinute, now); !d.Limit.Passed {
		d.refuse(RateLimited, "limit", fmt.Sprintf("This token may make %d calls a minute. Try again in %d s.", opens.CallsAMinute, Seconds(d.Limit.Wait)))
		return
	}
	product, err := g.products.at(ctx, opens.ProductID, opens.Revision)
	if err != nil {
		d.unknown("product", err)
		return
	}
	route := call.Need.Route
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

// opened finds what the credential opens; false ends the call.
func (g *Gate) opened(ctx context.Context, call Call, d *Decision) (models.Opens, bool) {
	opens, kind, named := d.Grant.Opens, d.Grant.Credential.Kind, call.Need.Route.Workspace
	if kind != models.Bearer { // it is for one workspace
		if opens.Closed {
			d.refuse(WrongWorkspace, "workspace", "Its workspace was deleted.")
			return opens, false
		}
		if named != "" && named != opens.WorkspaceID && named != opens.Slug {
			d.refuse(WrongWorkspace, "workspace", "X-Workspace-Id names another workspace than the token's. Leave it out, or use a token of that workspace.")
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
