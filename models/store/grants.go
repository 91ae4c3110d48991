package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// granted is a credential with what a call needs to know about it.
type granted struct {
	models.Credential
	OwnerName          string
	OwnerRole          models.Role
	OwnerDeactivatedAt *time.Time
	Revision           int64
	Slug               string
	APICallsAMinute    int `gorm:"column:api_calls_a_minute"`
	WorkspaceDeletedAt *time.Time
}

// GrantOf reads what a presented secret opens now: the credential, its owner and its product, in one query. One that was
// replaced on its card answers as that, with the card as it is now. An unknown one is models.NotFound; a database that
// did not answer is not.
func (s *Store) GrantOf(ctx context.Context, hash secret.Hash) (models.Grant, error) {
	db := s.db.WithContext(ctx)
	g, err := grantOf(db.Where("credentials.hash = ?", hash[:]))
	if models.KindOf(err) != models.NotFound {
		return g, err
	}
	before, err := take[models.Secret](db.Where("hash = ?", hash[:]))
	if err != nil {
		return models.Grant{}, err
	}
	if g, err = grantOf(db.Where("credentials.id = ?", before.CredentialID)); err != nil {
		return models.Grant{}, err
	}
	g.Credential.RevokedAt, g.Credential.ReplacedBy = &before.ReplacedAt, g.Credential.ID
	return g, nil
}

func grantOf(q *gorm.DB) (models.Grant, error) {
	var row granted
	err := q.Table("credentials").
		Select("credentials.*, people.name AS owner_name, people.role AS owner_role, people.deactivated_at AS owner_deactivated_at, " +
			"products.revision, workspaces.slug, workspaces.api_calls_a_minute, workspaces.deleted_at AS workspace_deleted_at").
		Joins("LEFT JOIN people ON people.id = credentials.person_id").
		Joins("LEFT JOIN products ON products.id = credentials.product_id").
		Joins("LEFT JOIN workspaces ON workspaces.id = credentials.workspace_id").
		Take(&row).Error
	if err != nil {
		return models.Grant{}, translate(err)
	}
	return models.Grant{
		Credential: row.Credential,
		Owner:      models.Person{ID: row.PersonID, Name: row.OwnerName, Role: row.OwnerRole, DeactivatedAt: row.OwnerDeactivatedAt},
		Opens: models.Opens{
			WorkspaceID: row.WorkspaceID, Slug: row.Slug, Closed: row.WorkspaceDeletedAt != nil,
			ProductID: row.ProductID, Revision: row.Revision, CallsAMinute: row.APICallsAMinute,
		},
	}, nil
}

// OpensFor answers what a person's credential of a kind opens in a workspace: the product that it was born with. A bearer token and an API key open whatever
// their person may open, and without a workspace their only one, as for HomeWorkspace. The others are for the workspace that they were made
// for, as long as their person is a member of it.
func (s *Store) OpensFor(ctx context.Context, kind models.CredentialKind, owner models.Person, workspace string) (models.Opens, error) {
	who := models.Actor{Kind: models.Program, ID: owner.ID, Role: owner.Role}
	var w models.WorkspaceSeen
	var err error
	switch {
	case kind != models.Bearer && kind != models.APIKey:
		w, err = memberWorkspace(s.db.WithContext(ctx), owner.ID, workspace)
	case workspace == "":
		w, err = s.HomeWorkspace(ctx, who)
	default:
		w, err = s.Workspace(ctx, who, workspace)
	}
	if err != nil {
		return models.Opens{}, err
	}
	product, err := take[models.Product](s.db.WithContext(ctx).Select("id", "revision").Where("workspace_id = ?", w.ID).Order("id"))
	return models.Opens{WorkspaceID: w.ID, Slug: w.Slug, ProductID: product.ID, Revision: product.Revision, CallsAMinute: w.CallsAMinute(kind)}, err
}

// RoleIn answers a person's role in a workspace; empty where they have none, or it was deleted.
func (s *Store) RoleIn(ctx context.Context, personID, workspaceID string) (models.WorkspaceRole, error) {
	var roles []models.WorkspaceRole
	err := s.db.WithContext(ctx).Table("memberships").
		Joins("JOIN workspaces ON workspaces.id = memberships.workspace_id AND workspaces.deleted_at IS NULL").
		Where("memberships.workspace_id = ? AND memberships.person_id = ?", workspaceID, personID).Limit(1).Pluck("memberships.role", &roles).Error
	if err != nil || len(roles) == 0 {
		return "", translate(err)
	}
	return roles[0], nil
}

// ProgramOf reads what a sign-in token opens, by its random value: the session, as a credential that ends when the token does, its person, and its
// workspace. One that is good for nothing any more is models.NotFound, as in FindProgram.
func (s *Store) ProgramOf(ctx context.Context, c secret.SignInClaims) (models.Grant, error) {
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
		Opens: models.Opens{WorkspaceID: seen.Workspace.ID, Slug: seen.Workspace.Slug},
	}, nil
}
