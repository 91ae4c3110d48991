package access

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// Known is what a verdict on a credential depends on, and nothing else.
type Known struct {
	facts
	Scopes models.Scopes // the operations that it is narrowed to; none: all of the product
}

// facts is a Known without a pointer, so that a million of them cost the garbage collector nothing.
type facts struct {
	ID        uuid.UUID // the credential's; a sign-in token's is its session's
	Person    uuid.UUID // whose it is; zero: nobody's
	Workspace uuid.UUID // that it is for; zero: wherever its person may be
	Of        uuid.UUID // the product or the collection that it opens; zero: neither

	seq                    int64 // the newest event that this can have seen
	created, expires, over int64 // microseconds since 1970; 0: never. over is when it was revoked or replaced

	scopes uint32 // in a vocabulary
	kind   uint8  // in kinds
	why    uint8  // it was revoked, in reasons
	is     flags
}

// flags are what is so of a credential and its owner.
type flags uint8

const (
	enabled     flags = 1 << iota
	replaced          // revoked, by a newer one taking its place
	ownerThere        // the person is active, or there is none
	ownerAdmins       // the person is an Admin of the installation
)

var kinds = [...]models.CredentialKind{models.Bearer, models.APIToken, models.APIKey, models.CollectionKey, models.AutomationToken, models.SignInToken}

// reasons are those that a credential ended for by itself, and that its holder is told. The first one is any other.
var reasons = [...]string{"", models.CollectionWasDeleted, models.PasswordWasChanged, models.PersonLeft, models.PersonWasDeactivated, models.RevokedByItsPerson, models.RevokedByHolder}

// knownOf takes from a grant what a verdict depends on.
func knownOf(g *models.Grant) Known {
	c := &g.Credential
	k := Known{Scopes: c.Scopes, facts: facts{
		ID: id(c.ID), Person: id(c.PersonID), Workspace: id(c.WorkspaceID), Of: id(c.ProductID),
		seq: g.AsOf.Seq, created: c.CreatedAt.UnixMicro(), expires: micros(c.ExpiresAt), over: micros(c.RevokedAt),
		kind: uint8(slices.Index(kinds[:], c.Kind)), why: uint8(max(0, slices.Index(reasons[:], c.RevokeReason))),
	}}
	if c.CollectionID != "" {
		k.Of = id(c.CollectionID)
	}
	k.set(enabled, c.Enabled)
	k.set(replaced, c.ReplacedBy != "")
	k.set(ownerThere, g.Owner.Active())
	k.set(ownerAdmins, g.Owner.Role == models.Admin)
	return k
}

func (k *Known) set(f flags, so bool) {
	if so {
		k.is |= f
	}
}

// id reads an ID of ours. What is none, which only tests and an empty reference are, is zero.
func id(text string) uuid.UUID {
	u, err := uuid.Parse(text)
	if err != nil {
		return uuid.UUID{}
	}
	return u
}

// TextOf is an ID as text; empty for none.
func TextOf(u uuid.UUID) string {
	if u == (uuid.UUID{}) {
		return ""
	}
	return u.String()
}

func micros(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMicro()
}

func momentOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// endMoved says whether the end that is known is over and may have been moved out since, which no event tells: as that of a collection access key is by its use.
func (k *Known) endMoved(now time.Time) bool {
	return k.Kind() == models.CollectionKey && k.State(now) == models.Expired
}

// Kind is the credential's.
func (k *Known) Kind() models.CredentialKind { return kinds[k.kind] }

// Created is when it was made.
func (k *Known) Created() time.Time { return momentOf(k.created) }

// Expires is when it ends by itself; zero: never.
func (k *Known) Expires() time.Time {
	if k.expires == 0 {
		return time.Time{}
	}
	return momentOf(k.expires)
}

// State is Credential.State.
func (k *Known) State(now time.Time) models.State {
	switch {
	case k.over != 0 && k.is&replaced != 0:
		return models.Replaced
	case k.over != 0:
		return models.Revoked
	case k.expires != 0 && now.UnixMicro() >= k.expires:
		return models.Expired
	case k.is&enabled == 0:
		return models.Inactive
	}
	return models.Active
}
