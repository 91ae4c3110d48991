package manage

import (
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// anyCredential is a credential as Admins see it, with the names of what it belongs to.
type anyCredential struct {
	credential
	Workspace  string `json:"workspace,omitempty" description:"The name of the one that it is for."`
	Collection string `json:"collection,omitempty" description:"The name of the one that it opens."`
	Before     bool   `json:"before,omitempty" description:"Of findCredential: the secret that was sent is one that it had before, and is refused."`
	Refused    bool   `json:"refused,omitempty" description:"Of findCredential: calls with the secret that was sent are refused, for whatever reason."`
}

func (a *API) row(c models.CredentialRow) anyCredential {
	return anyCredential{credential: a.seen(c.CredentialSeen), Workspace: c.Workspace, Collection: c.Collection, Before: c.Before}
}

type askedCredentials struct {
	page
	Query     string `query:"q" json:"-" maxLength:"200" description:"Part of a name, the beginning of a credential, or its last four characters. Never a whole one: POST /v1/credentials:find takes that."`
	Kind      string `query:"kind" json:"-" enum:"bearer,api,automation,key,collection"`
	Status    string `query:"status" json:"-" enum:"active,inactive,expired,revoked"`
	Owner     string `query:"owner_id" json:"-" maxLength:"36" description:"A person's ID; or workspace, for what is no person's."`
	Workspace string `query:"workspace_id" json:"-" maxLength:"36"`
	CreatedBy string `query:"created_by" json:"-" maxLength:"36" description:"A person's ID."`
	Expires   int    `query:"expires_within_days" json:"-" minimum:"1" maximum:"3650" description:"It has not ended, and will within so many days."`
	Endless   bool   `query:"never_expires" json:"-" enum:"true"`
	Unused    int    `query:"unused_for_days" json:"-" minimum:"1" maximum:"3650" description:"Not used for so many days, and made before that."`
	Never     bool   `query:"never_used" json:"-" enum:"true"`
}

type revokeMany struct {
	IDs    []string `json:"ids" required:"true" minItems:"1" maxItems:"1000"`
	Reason string   `json:"reason,omitempty" maxLength:"200" description:"Kept with each, and in the audit log."`
}

type found struct {
	Secret string `json:"secret" secret:"sent to be found" required:"true" description:"A whole credential. It is looked for by its hash, and kept nowhere."`
}

func (a *API) credentials() []Operation {
	const tag, path = "All credentials", "/v1/credentials"
	return []Operation{
		op(Operation{Method: "GET", Path: path, ID: "listCredentials", Tag: tag, Who: Admins, Summary: "List every credential of all people and workspaces, newest first",
			Detail: "With expires_within_days those come first that end first, with status=expired those that ended last."}, a.listCredentials),
		op(Operation{Method: "POST", Path: path + ":find", ID: "findCredential", Tag: tag, Who: Admins, Summary: "Find a credential by its whole secret"}, a.findCredential),
		op(Operation{Method: "POST", Path: path + ":revoke", ID: "revokeCredentials", Tag: tag, Who: Admins, Summary: "Revoke many credentials, all of them or none",
			Detail: "The answer has those that it ended. Those that were revoked already stay as they are."}, a.revokeMany),
		op(Operation{Method: "GET", Path: path + "/{id}", ID: "getCredential", Tag: tag, Who: Admins, Summary: "One credential of any kind"}, a.credential),
		op(Operation{Method: "POST", Path: path + "/{id}:revoke", ID: "revokeCredential", Tag: tag, Who: Admins, Summary: "Revoke a credential of any kind"}, a.revokeOne),
	}
}

const oneDay = 24 * time.Hour

func (a *API) listCredentials(r request, in askedCredentials) (list[anyCredential], error) {
	if secret.Mask(in.Query) != in.Query {
		return list[anyCredential]{}, models.Fail(models.Ambiguous, "q has a whole credential in it, which belongs in no address. POST /v1/credentials:find takes it.")
	}
	f := models.CredentialFilter{
		Query: in.Query, Kind: models.CredentialKind(in.Kind), Status: models.State(in.Status), OwnerID: in.Owner, WorkspaceID: in.Workspace, CreatedBy: in.CreatedBy,
		ExpiresWithin: time.Duration(in.Expires) * oneDay, NeverExpires: in.Endless, UnusedFor: time.Duration(in.Unused) * oneDay, NeverUsed: in.Never, Limit: in.Limit,
	}
	for _, id := range []string{in.Owner, in.Workspace, in.CreatedBy} {
		if id != "" && id != models.NobodysCredentials && !models.ValidID(id) {
			return list[anyCredential]{}, models.Fail(models.Ambiguous, "owner_id, workspace_id and created_by are IDs, like 01956d2e-6c1a-7f00-8000-000000000000.")
		}
	}
	if err := a.verify("credentials", in.Cursor, &f.After); err != nil {
		return list[anyCredential]{}, err
	}
	got, err := a.h.Store.AllCredentials(r.ctx, r.who, f)
	next := ""
	if got.Next != (models.CredentialPlace{}) {
		next = a.sign("credentials", got.Next)
	}
	answer := listed(got.Rows, next, a.row)
	answer.Meta.Looked = got.Looked
	return answer, err
}

func (a *API) findCredential(r request, in found) (anyCredential, error) {
	none := models.Fail(models.NotFound, "No credential has or had this secret.")
	text, ok := secret.Parse(in.Secret)
	if !ok {
		return anyCredential{}, none
	}
	hash := text.Hash()
	got, err := a.h.Store.AllCredentials(r.ctx, r.who, models.CredentialFilter{Hash: hash[:]})
	if err != nil || len(got.Rows) == 0 {
		return anyCredential{}, orElse(err, none)
	}
	row := a.row(got.Rows[0])
	row.Refused = row.Before || row.PersonIdle || got.Rows[0].State(a.h.Clock()) != models.Active
	return row, nil
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func (a *API) revokeMany(r request, in revokeMany) (list[credential], error) {
	ended, err := a.h.Store.RevokeCredentials(r.ctx, r.who, in.IDs, models.Revocation{Reason: in.Reason})
	return listed(ended, "", a.shaped), err
}

func (a *API) credential(r request, in byID) (anyCredential, error) {
	c, err := a.h.Store.CredentialByID(r.ctx, r.who, in.ID)
	return a.row(c), err
}

func (a *API) revokeOne(r request, in revocation) (anyCredential, error) {
	if _, err := a.h.Store.RevokeCredential(r.ctx, r.who, in.ID, models.Revocation{Reason: in.Reason}); err != nil {
		return anyCredential{}, err
	}
	return a.credential(r, in.byID)
}
