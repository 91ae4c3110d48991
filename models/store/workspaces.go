package store

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"tokendesk/models"
)

// noWorkspace says the same of one that is not there and of one that is not for the actor.
var noWorkspace = models.Fail(models.NotFound, "That workspace does not exist, or you are not a member of it.")

// elsewhere is for whoever may open a workspace, but not with a credential that is for another one.
var elsewhere = models.Fail(models.Forbidden, "Token belongs to another workspace. Use one of this workspace, or an API key.").Named("wrong_workspace")

// Workspaces lists those that the actor may open, by name, after a place: an Admin of the installation all of
// them, everybody else those that they are a member of. It answers one more than a page
// has where there are more than that.
func (s *Store) Workspaces(ctx context.Context, who models.Actor, after models.Place) ([]models.WorkspaceSeen, error) {
	var list []models.WorkspaceSeen
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		list, err = workspaces(tx, who, after)
		return err
	})
	return list, err
}

func workspaces(tx *gorm.DB, who models.Actor, after models.Place) (list []models.WorkspaceSeen, err error) {
	q := fresh(tx).Table("workspaces").
		Select("workspaces.*, COALESCE(memberships.role, '') AS role").
		Joins("LEFT JOIN memberships ON memberships.workspace_id = workspaces.id AND memberships.person_id = ?", who.ID)
	if !who.MayOpenWorkspace("") {
		q = q.Where("memberships.person_id IS NOT NULL")
	}
	if who.Within != "" {
		q = q.Where("workspaces.id = ?", who.Within)
	}
	if after.ID != "" {
		q = q.Where("(workspaces.name, workspaces.id) > (?, ?)", after.Key, after.ID)
	}
	err = q.Where("workspaces.deleted_at IS NULL").Order("workspaces.name, workspaces.id").Limit(after.Size() + 1).Find(&list).Error
	return list, err
}

// Workspace finds one by its slug or ID, with the actor's role in it. One that the actor may not
// open is not there.
func (s *Store) Workspace(ctx context.Context, who models.Actor, slugOrID string) (models.WorkspaceSeen, error) {
	var w models.WorkspaceSeen
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		w, err = workspaceOf(tx, who, slugOrID)
		return err
	})
	return w, err
}

func workspaceOf(tx *gorm.DB, who models.Actor, slugOrID string) (models.WorkspaceSeen, error) {
	if !models.Printable(slugOrID) { // PostgreSQL would refuse to look
		return models.WorkspaceSeen{}, notThere
	}
	column := "slug"
	if models.ValidID(slugOrID) {
		column = "id"
	}
	w, err := take[models.Workspace](fresh(tx).Where(column+" = ? AND deleted_at IS NULL", slugOrID))
	if models.KindOf(err) == models.NotFound {
		return models.WorkspaceSeen{}, noWorkspace
	}
	if err != nil {
		return models.WorkspaceSeen{}, err
	}
	var role models.WorkspaceRole
	m, err := take[models.Membership](fresh(tx).Where("workspace_id = ? AND person_id = ?", w.ID, who.ID))
	switch {
	case err == nil:
		role = m.Role
	case models.KindOf(err) != models.NotFound:
		return models.WorkspaceSeen{}, err
	}
	if !who.MayOpenWorkspace(role) {
		return models.WorkspaceSeen{}, noWorkspace
	}
	if who.Within != "" && who.Within != w.ID {
		return models.WorkspaceSeen{}, elsewhere
	}
	return models.WorkspaceSeen{Workspace: w, Role: role}, nil
}

// HomeWorkspace says which workspace is meant when a program names none: the person's only one,
// or, for an Admin of the installation who is in none, the installation's only one. Where there
// are several, models.Ambiguous names them.
func (s *Store) HomeWorkspace(ctx context.Context, who models.Actor) (models.WorkspaceSeen, error) {
	var w models.WorkspaceSeen
	_, err := s.asOf(ctx, func(tx *gorm.DB) (err error) {
		w, err = homeWorkspace(tx, who)
		return err
	})
	return w, err
}

func homeWorkspace(tx *gorm.DB, who models.Actor) (models.WorkspaceSeen, error) {
	var mine []models.Membership
	if err := fresh(tx).Where("person_id = ?", who.ID).Limit(2).Find(&mine).Error; err != nil {
		return models.WorkspaceSeen{}, err
	}
	if len(mine) == 1 {
		return workspaceOf(tx, who, mine[0].WorkspaceID)
	}
	list, err := workspaces(tx, who, models.Place{})
	switch {
	case err != nil:
		return models.WorkspaceSeen{}, err
	case len(list) == 1:
		return list[0], nil
	case len(list) == 0:
		return models.WorkspaceSeen{}, models.Fail(models.Conflict, "There is no workspace to install into.")
	}
	return models.WorkspaceSeen{}, models.Fail(models.Ambiguous, "There are several workspaces. Say which one with the form field 'workspace', one of: %s.", someNames(list))
}

// someNames lists the slugs of the first few.
func someNames(list []models.WorkspaceSeen) string {
	var names []string
	for _, w := range list[:min(len(list), 20)] {
		names = append(names, w.Slug)
	}
	text := strings.Join(names, " ")
	if len(list) > len(names) {
		text += " and others"
	}
	return text
}

// RenameWorkspace changes a workspace's name. Its slug stays, so that no address breaks.
func (s *Store) RenameWorkspace(ctx context.Context, who models.Actor, slug string, n models.NewWorkspace) (models.Workspace, error) {
	var w models.Workspace
	problems := n.Clean()
	err := s.writeWithin(ctx, who, slug, func(tx *gorm.DB, seen models.WorkspaceSeen) (event models.Event, err error) {
		if w = seen.Workspace; len(problems) > 0 {
			return event, onField("name", models.Fail(models.Invalid, "%s", problems[0].Message))
		}
		if err := allow(who.MayEditWorkspace(seen.Role), "Only the workspace's Owner and Admins can change it."); err != nil {
			return event, err
		}
		if w.Name == n.Name {
			return event, errUnchanged
		}
		change := models.Change{Field: "name", Before: w.Name, After: n.Name}
		w.Name = n.Name
		return workspaceEvent(models.WorkspaceChanged, w).WithChanges(change), one(tx.Model(&models.Workspace{}).Where("id = ?", w.ID).Updates(map[string]any{"name": w.Name}))
	})
	return w, err
}

// CreateWorkspace makes a workspace, whose Owner is the actor.
func (s *Store) CreateWorkspace(ctx context.Context, who models.Actor, n models.NewWorkspace) (models.Workspace, error) {
	var w models.Workspace
	if err := allow(who.MayCreateWorkspaces(), "Only Admins can create workspaces."); err != nil {
		return w, err
	}
	if problems := n.Clean(); len(problems) > 0 {
		return w, onField("name", models.Fail(models.Invalid, "%s", problems[0].Message))
	}
	err := s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		owner, err := withID[models.Person](tx, who.ID)
		if err == nil {
			w, err = s.insertWorkspace(tx, n.Name, owner)
		}
		return workspaceEvent(models.WorkspaceCreated, w).WithChanges(models.Change{Field: "name", After: w.Name}, models.Change{Field: "owner", After: owner.Name}), err
	})
	return w, err
}

// writeWithin is write for what happens in a workspace. The actor's role there is the one of the moment when it is their
// turn; a workspace that they may not open is not there.
func (s *Store) writeWithin(ctx context.Context, who models.Actor, slugOrID string, fn func(*gorm.DB, models.WorkspaceSeen) (models.Event, error)) error {
	return s.write(ctx, who, func(tx *gorm.DB) (models.Event, error) {
		seen, err := workspaceOf(tx, who, slugOrID)
		if err != nil {
			return models.Event{}, err
		}
		return fn(tx, seen)
	})
}

func workspaceEvent(action models.Action, w models.Workspace) models.Event {
	return models.Event{Action: action, SubjectKind: models.OfWorkspace, SubjectID: w.ID, SubjectName: w.Name, WorkspaceID: w.ID}
}

// insertWorkspace stores a workspace and its Owner. The slug is the name's, with a number where
// it is taken.
func (s *Store) insertWorkspace(tx *gorm.DB, name string, owner models.Person) (models.Workspace, error) {
	w := models.BornWorkspace(s.newID(), name, s.now())
	for n := 1; ; n++ {
		if n > 1 {
			w.Slug = fmt.Sprintf("%s-%d", models.Slug(name), n)
		}
		_, err := take[models.Workspace](tx.Where("slug = ? AND deleted_at IS NULL", w.Slug))
		if models.KindOf(err) == models.NotFound {
			break
		}
		if err != nil {
			return w, err
		}
	}
	if err := tx.Create(&w).Error; err != nil {
		return w, err
	}
	if err := s.bearProduct(tx, w); err != nil {
		return w, err
	}
	return w, tx.Create(&models.Membership{WorkspaceID: w.ID, PersonID: owner.ID, Role: models.WorkspaceOwner, NameKey: owner.NameKey, CreatedAt: s.now()}).Error
}

// joinOnlyWorkspace makes a new person a member of the installation's workspace where it has just
// one, and tells its name. With several there is no telling which is meant: Members says.
func joinOnlyWorkspace(tx *gorm.DB, person models.Person) (string, error) {
	var list []models.Workspace
	if err := tx.Where("deleted_at IS NULL").Limit(2).Find(&list).Error; err != nil || len(list) != 1 {
		return "", err
	}
	role := models.WorkspaceMember
	if person.Role == models.Admin {
		role = models.WorkspaceAdmin
	}
	err := tx.Create(&models.Membership{WorkspaceID: list[0].ID, PersonID: person.ID, Role: role, NameKey: person.NameKey, CreatedAt: person.CreatedAt}).Error
	return list[0].Name, err
}

// firstWorkspace tells whether the installation has a workspace, and which came first.
func firstWorkspace(tx *gorm.DB) (models.Workspace, bool, error) {
	w, err := take[models.Workspace](tx.Where("deleted_at IS NULL").Order("id"))
	if models.KindOf(err) == models.NotFound {
		return w, false, nil
	}
	return w, err == nil, err
}

// CountCollections counts the collections of workspaces, with one query for all.
func (s *Store) CountCollections(ctx context.Context, list []models.WorkspaceSeen) (map[string]int, error) {
	ids := make([]string, len(list))
	for i, w := range list {
		ids[i] = w.ID
	}
	var rows []struct {
		WorkspaceID string
		Count       int
	}
	err := s.db.WithContext(ctx).Model(&models.Collection{}).Select("workspace_id, count(*) AS count").
		Where("workspace_id IN ?", ids).Group("workspace_id").Find(&rows).Error
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.WorkspaceID] = r.Count
	}
	return counts, translate(err)
}
