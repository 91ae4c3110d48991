package access

import (
	"context"
	"slices"

	"tokendesk/models"
)

// hearsOfAll says whether somebody may hear about every credential: whoever makes the call themself, and an Admin of the installation.
func hearsOfAll(asker *models.Actor) bool { return asker == nil || asker.MayManageTokens("") }

// asked holds a call that somebody asks about against what they may hear; told is false where they are told the decision, that there is no such
// credential, and nothing was counted. It says nothing of a credential that is not theirs to hear of, not even that it is alive.
func (g *Gate) asked(ctx context.Context, call *Call, look *sight, found *Decision) (d Decision, told bool) {
	if hearsOfAll(call.Asker) {
		return d, true
	}
	may, err := g.mayHear(ctx, call, look, found)
	switch {
	case err != nil:
		return unavailable("asker", err), false
	case !may:
		return Decision{Code: CredentialUnknown, Check: "credential.known", Detail: notGood(call.Presented)}, false
	}
	return d, true
}

// mayHear says whether who asks runs the workspace that a credential is for: whoever may manage its API tokens. One that is for wherever its person
// may be is for the workspace that the call names, or for the only one there is.
func (g *Gate) mayHear(ctx context.Context, call *Call, look *sight, d *Decision) (bool, error) {
	workspace := d.Known.Workspace
	if everywhere(d.Known.Kind()) {
		opens, err := g.opening(ctx, look, call.Need.workspace(), d)
		switch models.KindOf(err) {
		case "":
			workspace = opens.workspace
		case models.Ambiguous, models.NotFound, models.Forbidden, models.Conflict:
			return false, nil
		default:
			return false, err
		}
	}
	role, err := g.roleIn(ctx, look, id(call.Asker.ID), workspace, d)
	return call.Asker.MayManageTokens(role), err
}

// workspace is the one that a call names; empty: none.
func (n *Need) workspace() string {
	if n.Route != nil {
		return n.Route.Workspace
	}
	return n.Workspace
}

// live finds what a good credential opens, and all that it may do there. One that is for wherever its person may be is good without a
// workspace too, where none was named.
func (g *Gate) live(ctx context.Context, call *Call, look *sight, d *Decision) {
	k := &d.Known
	if d.Workspace = k.Workspace; k.Kind() == models.CollectionKey { // it opens no product
		return
	}
	opens, ok := g.opened(ctx, call, look, call.Need.Workspace, d)
	if !ok && d.Code != VerifierUnavailable && everywhere(k.Kind()) && call.Need.Workspace == "" {
		d.Code, d.Check, d.Detail = Allowed, "allowed", ""
	}
	if !ok {
		return
	}
	product, err := g.product(ctx, look, opens, d)
	if err != nil {
		d.unknown("product", err)
		return
	}
	d.Workspace, d.Product, d.Scope = opens.workspace, product, product.every
	if len(k.Scopes) > 0 { // what the product has no more is no right
		d.Scope = slices.DeleteFunc(slices.Clone(k.Scopes), func(scope string) bool { return !slices.Contains(product.Scopes, scope) }).String()
	}
}
