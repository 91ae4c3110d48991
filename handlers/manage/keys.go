package manage

import (
	"net/http"
	"time"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/secret"
)

type newKey struct {
	once
	Name      string     `json:"name" required:"true" maxLength:"80"`
	ExpiresAt *time.Time `json:"expires_at" description:"Left out: as your API key settings say. Never later than the end of the credential that makes it."`
}

type naming struct {
	byID
	Name string `json:"name" required:"true" maxLength:"80"`
}

// revocation is what a call brings that ends something.
type revocation struct {
	byID
	Reason string `json:"reason,omitempty" maxLength:"200" description:"Kept with the credential, and in the audit log."`
}

func (a *API) apiKeys() []Operation {
	const tag, path = "API keys", "/v1/api-keys"
	return []Operation{
		op(Operation{Method: "GET", Path: path, ID: "listAPIKeys", Tag: tag, Who: Mine, Summary: "List your API keys, newest first"}, a.listKeys),
		op(Operation{Method: "POST", Path: path, ID: "createAPIKey", Tag: tag, Who: Mine, Status: http.StatusCreated, Summary: "Generate an API key of yours",
			Detail: "The answer has the key itself in token, once. A key that another one makes ends no later than that one."}, a.createKey),
		op(Operation{Method: "GET", Path: path + "/{id}", ID: "getAPIKey", Tag: tag, Who: Mine, Summary: "One of your API keys"}, a.key),
		op(Operation{Method: "PATCH", Path: path + "/{id}", ID: "renameAPIKey", Tag: tag, Who: Mine, Summary: "Rename an API key of yours"}, a.renameKey),
		op(Operation{Method: "POST", Path: path + "/{id}:regenerate", ID: "regenerateAPIKey", Tag: tag, Who: Mine, Summary: "Give an API key of yours another secret",
			Detail: "The one before stops working at once. The answer has the new one in token."}, a.regenerateKey),
		op(Operation{Method: "DELETE", Path: path + "/{id}", ID: "deleteAPIKey", Tag: tag, Who: Mine, Summary: "Delete an API key of yours",
			Detail: "It is refused from then on, for good. A key can delete itself."}, a.deleteKey),
	}
}

func (a *API) listKeys(r request, in page) (list[credential], error) {
	after, err := a.from("api-keys", in)
	if err != nil {
		return list[credential]{}, err
	}
	found, next, err := a.h.Store.APIKeys(r.ctx, r.who, after)
	return listed(found, a.where("api-keys", next), a.seen), err
}

// revealed is a credential with its secret, in the answer to the call that made it.
func (a *API) revealed(c models.Credential, text secret.Text, err error) (credential, error) {
	if err != nil {
		return credential{}, err
	}
	shape := a.shaped(c)
	shape.Token = handlers.RevealedOnce(text)
	return shape, nil
}

func (a *API) createKey(r request, in newKey) (credential, error) {
	made, text, err := a.h.Store.CreateAPIKey(r.ctx, r.who, models.NewAPIKey{Name: in.Name, ExpiresAt: in.ExpiresAt, Given: in.ExpiresAt != nil}, "")
	return a.revealed(made, text, err)
}

func (a *API) key(r request, in byID) (credential, error) {
	found, err := a.h.Store.APIKey(r.ctx, r.who, in.ID)
	return a.seen(found), err
}

func (a *API) renameKey(r request, in naming) (credential, error) {
	if _, err := a.h.Store.RenameAPIKey(r.ctx, r.who, in.ID, models.TokenNaming{Name: in.Name}); err != nil {
		return credential{}, err
	}
	return a.key(r, in.byID)
}

func (a *API) regenerateKey(r request, in byID) (credential, error) {
	made, text, err := a.h.Store.RegenerateAPIKey(r.ctx, r.who, in.ID, models.KeyRegeneration{}, "")
	return a.revealed(made, text, err)
}

func (a *API) deleteKey(r request, in byID) (nothing, error) {
	_, err := a.h.Store.RevokeAPIKey(r.ctx, r.who, in.ID, models.Revocation{})
	return nothing{}, err
}
