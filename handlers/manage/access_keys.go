package manage

import (
	"net/http"

	"tokendesk/models"
)

// accessKey is a collection access key with the collection that it opens.
type accessKey struct {
	credential
	Collection string `json:"collection,omitempty" description:"The collection's name; not there once it was deleted."`
	MayDelete  bool   `json:"may_delete" required:"true" description:"Whether you may."`
}

func (a *API) accessKeyOf(k models.CollectionKeySeen) accessKey {
	shape := accessKey{a.seen(k.CredentialSeen), k.Collection, k.MayEnd}
	if !k.MayEnd { // where others are is nobody else's business
		shape.Usage.LastAddress = ""
	}
	return shape
}

type newAccessKey struct {
	byID
	once
	Name string `json:"name,omitempty" maxLength:"80" description:"For whom it is, to tell it from others."`
}

type askedAccessKeys struct {
	page
	Collection string `query:"collection_id" json:"-" maxLength:"36" description:"Left out: of all collections in the workspaces that you are in."`
}

func (a *API) accessKeys() []Operation {
	const tag = "Collection access keys"
	return []Operation{
		op(Operation{Method: "POST", Path: "/v1/collections/{id}/access-keys", ID: "shareCollection", Tag: tag, Who: People, Status: http.StatusCreated, Summary: "Share a collection with a new access key",
			Detail: "The answer has the key itself in token, once. It reads this collection and does nothing else; it lives for 60 days, and each use pushes that out."}, a.share),
		op(Operation{Method: "GET", Path: "/v1/collections/{id}/access-keys", ID: "listAccessKeysOf", Tag: tag, Who: People, Summary: "List the access keys of a collection, newest first"}, a.listKeysOf),
		op(Operation{Method: "GET", Path: "/v1/collection-access-keys", ID: "listAccessKeys", Tag: tag, Who: People, Summary: "List the access keys of the workspaces that you are in",
			Detail: "Also those that others made."}, a.listAccessKeys),
		op(Operation{Method: "DELETE", Path: "/v1/collection-access-keys/{id}", ID: "deleteAccessKey", Tag: tag, Who: People, Summary: "Delete an access key",
			Detail: "One's own; a workspace's Owner and Admins anyone's. It is refused from then on, for good."}, a.deleteAccessKey),
	}
}

func (a *API) share(r request, in newAccessKey) (credential, error) {
	made, text, err := a.h.Store.CreateCollectionKey(r.ctx, r.who, in.ID, models.NewCollectionKey{Name: in.Name}, "")
	return a.revealed(made, text, err)
}

func (a *API) listKeysOf(r request, in askedIn) (list[accessKey], error) {
	return a.keysOf(r, in.page, in.ID)
}

func (a *API) listAccessKeys(r request, in askedAccessKeys) (list[accessKey], error) {
	return a.keysOf(r, in.page, in.Collection)
}

func (a *API) keysOf(r request, in page, collectionID string) (list[accessKey], error) {
	after, err := a.from("access-keys", in)
	if err != nil {
		return list[accessKey]{}, err
	}
	found, next, err := a.h.Store.CollectionKeys(r.ctx, r.who, collectionID, after)
	return listed(found, a.where("access-keys", next), a.accessKeyOf), err
}

func (a *API) deleteAccessKey(r request, in byID) (nothing, error) {
	_, err := a.h.Store.RevokeCollectionKey(r.ctx, r.who, in.ID, models.Revocation{})
	return nothing{}, err
}
