package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// grantColumns are what a verdict depends on, and who it is about. All of it is read in one statement, with the number of the last event: the
// row is what it is after that event.
const grantColumns = `k.last_seq, %s,
	c.id, c.kind, c.name, c.prefix, c.last4, c.person_id, c.workspace_id, c.product_id, c.collection_id, c.scopes, c.enabled,
	c.created_at, c.created_by, c.expires_at, c.latest_expires_at, c.revoked_at, c.revoked_by, c.revoke_reason, c.replaced_by,
	p.name, p.role, p.deactivated_at, w.slug, w.api_calls_a_minute, w.deleted_at, d.revision
	FROM change_clock k LEFT JOIN credentials c ON c.%s
	LEFT JOIN people p ON p.id = c.person_id LEFT JOIN workspaces w ON w.id = c.workspace_id LEFT JOIN products d ON d.id = c.product_id`

// grantSQL is the statement that finds a credential by one of its columns.
func (s *Store) grantSQL(by string) string {
	return "SELECT " + fmt.Sprintf(grantColumns, s.moment(), by+" = $1")
}

const replacedByHash = "SELECT credential_id, replaced_at FROM replaced_secrets WHERE hash = $1"

// GrantOf reads what a presented secret opens now: the credential, its owner and its product, in one query. One that was
// replaced on its card answers as that, with the card as it is now. An unknown one is models.NotFound; a database that
// did not answer is not.
func (s *Store) GrantOf(ctx context.Context, hash secret.Hash) (models.Grant, error) {
	g, err := s.grantOf(ctx, s.grantByHash, hash[:])
	if models.KindOf(err) != models.NotFound {
		return g, err
	}
	var before models.Secret
	err = s.ask(ctx, replacedByHash, hash[:]).Scan(&before.CredentialID, &before.ReplacedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return models.Grant{}, notThere
	}
	if err != nil {
		return models.Grant{}, translate(err)
	}
	if g, err = s.grantOf(ctx, s.grantByID, before.CredentialID); err != nil {
		return models.Grant{}, err
	}
	g.Credential.RevokedAt, g.Credential.ReplacedBy = &before.ReplacedAt, g.Credential.ID
	return g, nil
}

func (s *Store) grantOf(ctx context.Context, statement string, by any) (models.Grant, error) {
	var g models.Grant
	c := &g.Credential
	var seq int64
	var then, created, expires, latest, revoked, left, deleted sql.NullTime
	var standby bool
	var id, kind, name, prefix, last4, person, workspace, product, collection, scopes, createdBy, revokedBy, reason, replacedBy, owner, role, slug sql.NullString
	var enabled sql.NullBool
	var calls, revision sql.NullInt64
	err := s.ask(ctx, statement, by).Scan(&seq, &then, &standby,
		&id, &kind, &name, &prefix, &last4, &person, &workspace, &product, &collection, &scopes, &enabled,
		&created, &createdBy, &expires, &latest, &revoked, &revokedBy, &reason, &replacedBy,
		&owner, &role, &left, &slug, &calls, &deleted, &revision)
	if err != nil {
		return g, translate(err)
	}
	if g.AsOf, err = s.snapshot(seq, then, standby); err != nil {
		return g, err
	}
	if !id.Valid {
		return g, notThere
	}
	c.ID, c.Kind, c.Name, c.Prefix, c.Last4 = id.String, models.CredentialKind(kind.String), name.String, prefix.String, last4.String
	c.PersonID, c.WorkspaceID, c.ProductID, c.CollectionID = person.String, workspace.String, product.String, collection.String
	c.Scopes, c.Enabled, c.CreatedAt, c.CreatedBy = strings.Fields(scopes.String), enabled.Bool, created.Time, createdBy.String
	c.ExpiresAt, c.LatestExpiresAt, c.RevokedAt = timeOf(expires), timeOf(latest), timeOf(revoked)
	c.RevokedBy, c.RevokeReason, c.ReplacedBy = revokedBy.String, reason.String, replacedBy.String
	g.Owner = models.Person{ID: person.String, Name: owner.String, Role: models.Role(role.String), DeactivatedAt: timeOf(left)}
	g.Opens = models.Opens{
		WorkspaceID: workspace.String, Slug: slug.String, Closed: deleted.Valid,
		ProductID: product.String, Revision: revision.Int64, CallsAMinute: int(calls.Int64),
	}
	return g, nil
}

func timeOf(t sql.NullTime) *time.Time {
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
	asOf, err := s.asOf(ctx) // first: what is read after it is no older
	if err != nil {
		return models.Opens{}, err
	}
	var w models.WorkspaceSeen
	switch {
	case kind != models.Bearer && kind != models.APIKey:
		w, err = memberWorkspace(s.db.WithContext(ctx), owner.ID, workspace)
	case workspace == "":
		w, err = s.HomeWorkspace(ctx, who)
	default:
		w, err = s.Workspace(ctx, who, workspace)
	}
	if err != nil {
		return models.Opens{AsOf: asOf}, err
	}
	product, err := take[models.Product](s.db.WithContext(ctx).Select("id", "revision").Where("workspace_id = ?", w.ID).Order("id"))
	return models.Opens{WorkspaceID: w.ID, Slug: w.Slug, ProductID: product.ID, Revision: product.Revision, CallsAMinute: w.CallsAMinute(kind), AsOf: asOf}, err
}

// RoleIn answers a person's role in a workspace; empty where they have none, or it was deleted.
func (s *Store) RoleIn(ctx context.Context, personID, workspaceID string) (models.WorkspaceRole, models.Snapshot, error) {
	asOf, err := s.asOf(ctx)
	if err != nil {
		return "", asOf, err
	}
	var roles []models.WorkspaceRole
	err = s.db.WithContext(ctx).Table("memberships").
		Joins("JOIN workspaces ON workspaces.id = memberships.workspace_id AND workspaces.deleted_at IS NULL").
		Where("memberships.workspace_id = ? AND memberships.person_id = ?", workspaceID, personID).Limit(1).Pluck("memberships.role", &roles).Error
	if err != nil || len(roles) == 0 {
		return "", asOf, translate(err)
	}
	return roles[0], asOf, nil
}

// ProgramOf reads what a sign-in token opens, by its random value: the session, as a credential that ends when the token does, its person, and its
// workspace. One that is good for nothing any more is models.NotFound, as in FindProgram.
func (s *Store) ProgramOf(ctx context.Context, c secret.SignInClaims) (models.Grant, error) {
	asOf, err := s.asOf(ctx)
	if err != nil {
		return models.Grant{}, err
	}
	seen, err := s.FindProgram(ctx, c.Hash())
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
	asOf, err := s.asOf(ctx)
	if err != nil {
		return models.Product{}, asOf, err
	}
	p, err := s.Product(ctx, id)
	return p, asOf, err
}
