package manage

import (
	"encoding/json"
	"strconv"
	"time"

	"tokendesk/handlers"
	"tokendesk/models"
)

// page is what a list is asked for.
type page struct {
	Limit  int    `query:"limit" json:"-" minimum:"1" maximum:"100" description:"How many rows the answer has at most; 50 where it is left out."`
	Cursor string `query:"cursor" json:"-" maxLength:"2000" description:"Where the list goes on: meta.next_cursor of the answer before."`
}

// byID is what a call brings that is about one thing.
type byID struct {
	ID string `path:"id" json:"-" required:"true" description:"Its ID."`
}

// once lets a call be sent again without making a thing twice.
type once struct {
	Key string `header:"Idempotency-Key" json:"-" maxLength:"200" description:"Made up by the caller. The same one again, for a month, makes nothing and is answered 409."`
}

// list is a page of anything.
type list[T any] struct {
	Data []T  `json:"data" required:"true"`
	Meta meta `json:"meta" required:"true"`
}

// meta says where a list goes on.
type meta struct {
	NextCursor string   `json:"next_cursor,omitempty" description:"For the next page; not there on the last one."`
	Receipt    *receipt `json:"receipt,omitempty" description:"In the answer to a call that changed what is accepted."`

	Looked int `json:"looked,omitempty" description:"Where a filter finds few among many, one call looks through so many and no more; the next page goes on from there."`
}

// listed makes a page of rows.
func listed[T, R any](rows []R, next string, shape func(R) T) list[T] {
	data := make([]T, len(rows))
	for i, row := range rows {
		data[i] = shape(row)
	}
	return list[T]{Data: data, Meta: meta{NextCursor: next}}
}

// where makes a cursor, and from reads it back: it is signed, for its list alone.
func (a *API) where(list string, at models.Place) string {
	if at.ID == "" && at.Key == "" {
		return ""
	}
	return a.sign(list, at)
}

func (a *API) sign(list string, at any) string {
	text, err := json.Marshal(at)
	if err != nil { // texts, numbers and times always encode
		panic(err)
	}
	return a.h.Key.Sign("v1/"+list, text)
}

func (a *API) from(list string, p page) (models.Place, error) {
	at := models.Place{}
	err := a.verify(list, p.Cursor, &at)
	at.Limit = p.Limit
	return at, err
}

func (a *API) verify(list, cursor string, at any) error {
	if cursor == "" {
		return nil
	}
	text, ok := a.h.Key.Verify("v1/"+list, cursor)
	if !ok || json.Unmarshal(text, at) != nil {
		return models.Fail(models.Ambiguous, "This cursor is not one of this list. Take meta.next_cursor of the answer before, or leave it out to begin again.")
	}
	return nil
}

// below is a place in a list that is ordered by a number.
func below(p models.Place) (int64, error) {
	if p.Key == "" {
		return 0, nil
	}
	return strconv.ParseInt(p.Key, 10, 64)
}

// limit is how many rows are asked for.
func (p page) limit() int { return models.Place{Limit: p.Limit}.Size() }

// somebody is a person, or what acted in their place.
type somebody struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

func theOne(id, name string) *somebody {
	if id == "" && name == "" {
		return nil
	}
	return &somebody{id, name}
}

// credential is any credential as everybody may see it who may see it at all.
type credential struct {
	ID           string             `json:"id" required:"true"`
	Kind         string             `json:"kind" required:"true" enum:"bearer,api,automation,key,collection"`
	Name         string             `json:"name" required:"true"`
	Prefix       string             `json:"prefix" required:"true" description:"Its first eight characters."`
	LastFour     string             `json:"last_four" required:"true" description:"Its last four."`
	Status       string             `json:"status" required:"true" enum:"active,inactive,expired,revoked,replaced"`
	Person       *somebody          `json:"person,omitempty" description:"Whose rights it carries."`
	PersonIdle   bool               `json:"person_deactivated,omitempty" description:"Its person is deactivated: it is refused as long as that lasts, whatever its status."`
	WorkspaceID  string             `json:"workspace_id,omitempty"`
	ProductID    string             `json:"product_id,omitempty"`
	CollectionID string             `json:"collection_id,omitempty"`
	Scopes       []string           `json:"scopes,omitempty" description:"What it is narrowed to; not there where it may do everything."`
	CreatedAt    time.Time          `json:"created_at" required:"true"`
	CreatedBy    *somebody          `json:"created_by,omitempty"`
	ExpiresAt    *time.Time         `json:"expires_at,omitempty" description:"Not there where it never expires."`
	RevokedAt    *time.Time         `json:"revoked_at,omitempty"`
	RevokedBy    *somebody          `json:"revoked_by,omitempty"`
	RevokeReason string             `json:"revoke_reason,omitempty"`
	Usage        usage              `json:"usage" required:"true"`
	Token        *handlers.Revealed `json:"token,omitempty" description:"The secret itself: in the answer to the call that made it, and in no other."`
	Receipt      *receipt           `json:"receipt,omitempty" description:"In the answer to a call that changed what is accepted: since when that holds everywhere."`
}

// usage is how often a credential was presented.
type usage struct {
	Calls       int64      `json:"calls" required:"true" description:"Accepted."`
	Refused     int64      `json:"refused" required:"true" description:"Refused while it was alive: a right that was missing."`
	Late        int64      `json:"late" required:"true" description:"Refused because it had ended, or was switched off."`
	LastUsedAt  *time.Time `json:"last_used_at,omitempty"`
	LastAddress string     `json:"last_address,omitempty"`
}

// seen makes a credential that a list or a page shows.
func (a *API) seen(c models.CredentialSeen) credential {
	shape := a.shaped(c.Credential)
	if c.PersonID != "" {
		shape.Person, shape.PersonIdle = &somebody{c.PersonID, c.PersonName}, c.Idle
	}
	shape.CreatedBy = theOne(c.CreatedBy, c.CreatedByName)
	shape.RevokedBy = theOne(c.RevokedBy, c.RevokedByName)
	u := c.Usage
	shape.Usage = usage{u.Calls, u.Refused, u.Late, u.LastUsedAt, u.LastAddress}
	return shape
}

// shaped makes a credential of which no more is known than its row.
func (a *API) shaped(c models.Credential) credential {
	shape := credential{
		ID: c.ID, Kind: string(c.Kind), Name: c.Name, Prefix: c.Prefix, LastFour: c.Last4, Status: string(c.State(a.h.Clock())),
		WorkspaceID: c.WorkspaceID, ProductID: c.ProductID, CollectionID: c.CollectionID, Scopes: c.Scopes, CreatedAt: c.CreatedAt, CreatedBy: theOne(c.CreatedBy, ""),
		ExpiresAt: c.ExpiresAt, RevokedAt: c.RevokedAt, RevokeReason: c.RevokeReason, RevokedBy: theOne(c.RevokedBy, ""),
	}
	if c.PersonID != "" {
		shape.Person = &somebody{ID: c.PersonID}
	}
	return shape
}
