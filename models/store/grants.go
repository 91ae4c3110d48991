package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// grantColumns are what a verdict depends on, and who it is about. All of it is read in one statement, with the number of the last event: the
// row is what it is after that event.
const grantColumns = `k.last_seq, %s,
	c.id, c.kind, c.name, c.prefix, c.last4, c.person_id, c.workspace_id, c.product_id, c.collection_id, c.scopes, coalesce(c.enabled, false),
	c.created_at, c.created_by, c.expires_at, c.latest_expires_at, c.revoked_at, c.revoked_by, c.revoke_reason, c.replaced_by,
	p.name, p.role, p.deactivated_at, w.slug, w.api_calls_a_minute, w.deleted_at, d.revision
	FROM change_clock k LEFT JOIN credentials c ON c.%s
	LEFT JOIN people p ON p.id = c.person_id LEFT JOIN workspaces w ON w.id = c.workspace_id LEFT JOIN products d ON d.id = c.product_id`

// grantSQL is the statement that finds a credential by one of its columns.
func (s *Store) grantSQL(by string) string {
	return "SELECT " + fmt.Sprintf(grantColumns, s.moment(), by+" = $1")
}

// replacedSQL is the statement that finds what was replaced on its card by its hash.
func (s *Store) replacedSQL() string {
	return "SELECT " + s.moment() + ", r.credential_id, r.replaced_at FROM change_clock LEFT JOIN replaced_secrets r ON r.hash = $1"
}

// GrantOf reads what a presented secret opens now: the credential, its owner and its product, in one query. One that was
// replaced on its card answers as that, with the card as it is now. An unknown one is models.NotFound; a database that
// did not answer is not.
func (s *Store) GrantOf(ctx context.Context, hash secret.Hash) (models.Grant, error) {
	g, err := s.grantOf(ctx, s.grantByHash, hash[:])
	if models.KindOf(err) != models.NotFound {
		return g, err
	}
	var then, replacedAt sql.NullTime
	var standby bool
	var id sql.NullString
	if err = s.ask(ctx, s.replacedByHash, hash[:]).Scan(&then, &standby, &id, &replacedAt); err != nil {
		return models.Grant{}, translate(err)
	}
	if err = refuseStandby(standby); err != nil {
		return models.Grant{}, err
	}
	if !id.Valid {
		return models.Grant{}, notThere
	}
	if g, err = s.grantOf(ctx, s.grantByID, id.String); err != nil {
		return models.Grant{}, err
	}
	g.Credential.RevokedAt, g.Credential.ReplacedBy = &replacedAt.Time, g.Credential.ID
	return g, nil
}

func (s *Store) grantOf(ctx context.Context, statement string, by any) (models.Grant, error) {
	var g models.Grant
	c := &g.Credential
	var r grantRow
	if err := s.read(ctx, statement, by, &r.seq, &r.then, &r.standby,
		&r.id, &r.kind, &r.name, &r.prefix, &r.last4, &r.person, &r.workspace, &r.product, &r.collection, &r.scopes, &r.enabled,
		&r.created, &r.createdBy, &r.expires, &r.latest, &r.revoked, &r.revokedBy, &r.reason, &r.replacedBy,
		&r.owner, &r.role, &r.left, &r.slug, &r.calls, &r.deleted, &r.revision); err != nil {
		return g, translate(err)
	}
	var err error
	if g.AsOf, err = s.snapshot(r.seq, sql.NullTime{Time: r.then.Time, Valid: r.then.Valid}, r.standby); err != nil {
		return g, err
	}
	if !r.id.Valid {
		return g, notThere
	}
	c.ID, c.Kind, c.Name, c.Prefix, c.Last4 = r.id.String, models.CredentialKind(r.kind.String), r.name.String, r.prefix.String, r.last4.String
	c.PersonID, c.WorkspaceID, c.ProductID, c.CollectionID = r.person.String, r.workspace.String, r.product.String, r.collection.String
	c.Scopes, c.Enabled, c.CreatedAt, c.CreatedBy = strings.Fields(r.scopes.String), r.enabled, r.created.Time, r.createdBy.String
	c.ExpiresAt, c.LatestExpiresAt, c.RevokedAt = timeOf(r.expires), timeOf(r.latest), timeOf(r.revoked)
	c.RevokedBy, c.RevokeReason, c.ReplacedBy = r.revokedBy.String, r.reason.String, r.replacedBy.String
	g.Owner = models.Person{ID: r.person.String, Name: r.owner.String, Role: models.Role(r.role.String), DeactivatedAt: timeOf(r.left)}
	g.Opens = models.Opens{
		WorkspaceID: r.workspace.String, Slug: r.slug.String, Closed: r.deleted.Valid,
		ProductID: r.product.String, Revision: r.revision.Int64, CallsAMinute: int(r.calls.Int64),
	}
	return g, nil
}

// grantRow is a row of grantColumns. All but the first belong to what may not be there.
type grantRow struct {
	seq                                                                   int64
	standby, enabled                                                      bool
	then, created, expires, latest, revoked, left, deleted                pgtype.Timestamptz
	id, kind, name, prefix, last4, person, workspace, product, collection pgtype.Text
	scopes, createdBy, revokedBy, reason, replacedBy, owner, role, slug   pgtype.Text
	calls, revision                                                       pgtype.Int8
}

func timeOf(t pgtype.Timestamptz) *time.Time {
	if !t.Valid {
		return nil
	}
	return &t.Time
}

// OpensFor answers what a person's credential of a kind opens in a workspace: the product that it was born with. A bearer token and an API key open whatever
// their person may open, and without a workspace their only one, as for HomeWorkspace. The others are for the workspace that they were made
// for, as long as their person is a member of it.
func (s *Store) OpensFor(ctx context.Context, kind models.CredentialKind, owner models.Person, workspace string) (models.Opens, error) {
	who := models.Actor{Kind: models.Program, ID: owner.ID, Role: owner.Role}
	var opens models.Opens
	asOf, err := s.asOf(ctx, func(tx *gorm.DB) error {
		var w models.WorkspaceSeen
		var err error
		switch {
		case kind != models.Bearer && kind != models.APIKey:
			w, err = memberWorkspace(tx, owner.ID, workspace)
		case workspace == "":
			w, err = homeWorkspace(tx, who)
		default:
			w, err = workspaceOf(tx, who, workspace)
		}
		if err != nil {
			return err
		}
		product, err := take[models.Product](fresh(tx).Select("id", "revision").Where("workspace_id = ?", w.ID).Order("id"))
		opens = models.Opens{WorkspaceID: w.ID, Slug: w.Slug, ProductID: product.ID, Revision: product.Revision, CallsAMinute: w.CallsAMinute(kind)}
		return err
	})
	opens.AsOf = asOf
	return opens, err
}

// RoleIn answers a person's role in a workspace; empty where they have none, or it was deleted.
func (s *Store) RoleIn(ctx context.Context, personID, workspaceID string) (models.WorkspaceRole, models.Snapshot, error) {
	var roles []models.WorkspaceRole
	asOf, err := s.asOf(ctx, func(tx *gorm.DB) error {
		return fresh(tx).Table("memberships").
			Joins("JOIN workspaces ON workspaces.id = memberships.workspace_id AND workspaces.deleted_at IS NULL").
			Where("memberships.workspace_id = ? AND memberships.person_id = ?", workspaceID, personID).Limit(1).Pluck("memberships.role", &roles).Error
	})
	if err != nil || len(roles) == 0 {
		return "", asOf, err
	}
	return roles[0], asOf, nil
}

// ProgramOf reads what a sign-in token opens, by its random value: the session, as a credential that ends when the token does, its person, and its
// workspace. One that is good for nothing any more is models.NotFound, as in FindProgram.
func (s *Store) ProgramOf(ctx context.Context, c secret.SignInClaims) (models.Grant, error) {
	seen, asOf, err := s.findProgram(ctx, c.Hash())
	if err != nil {
		return models.Grant{}, err
	}
	if seen.Person.ID != c.PersonID || seen.Workspace.ID != c.WorkspaceID {
		return models.Grant{}, notThere
	}
	return models.Grant{
		Credential: models.Credential{
			ID: seen.Session.ID, Kind: models.SignInToken, Name: "Sign-in token", PersonID: seen.Person.ID, WorkspaceID: seen.Workspace.ID,
			Enabled: true, CreatedAt: c.IssuedAt, ExpiresAt: &c.ExpiresAt,
		},
		Owner: seen.Person,
		Opens: models.Opens{WorkspaceID: seen.Workspace.ID, Slug: seen.Workspace.Slug, CallsAMinute: seen.Workspace.APICallsAMinute},
		Over:  seen.Session.Over(),
		AsOf:  asOf,
	}, nil
}

// ProductAsOf reads a product for its resources, and as of when that is.
func (s *Store) ProductAsOf(ctx context.Context, id string) (models.Product, models.Snapshot, error) {
	var p models.Product
	asOf, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		p, err = withID[models.Product](fresh(tx), id)
		return err
	})
	return p, asOf, err
}
