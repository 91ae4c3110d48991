package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"tokendesk/models"
)

const (
	onlyMembersAdmins = "Only the workspace's Owner and Admins can change its members."
	ownerStays        = "%s owns this workspace. Hand it over to another member first."
)

var noMember = models.Fail(models.NotFound, "There is no such member in this workspace. They may have been removed.")

// Members lists a workspace's members by name, a page at a time. Whoever may open the workspace may see them.
func (s *Store) Members(ctx context.Context, who models.Actor, workspace string, after models.Place) ([]models.MemberSeen, models.Place, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return nil, models.Place{}, err
	}
	q := s.db.WithContext(ctx).Where("workspace_id = ?", w.ID)
	if after.ID != "" {
		q = q.Where("(name_key, person_id) > (?, ?)", after.Key, after.ID)
	}
	var list []models.Membership
	if err := q.Order("name_key, person_id").Limit(after.Size() + 1).Find(&list).Error; err != nil {
		return nil, models.Place{}, translate(err)
	}
	var next models.Place
	if len(list) > after.Size() {
		list = list[:after.Size()]
		last := list[after.Size()-1]
		next = models.Place{Key: last.NameKey, ID: last.PersonID}
	}
	seen, err := s.seeMembers(ctx, list)
	return seen, next, err
}

// CountMembers counts a workspace's members, up to models.CountCap and one more.
func (s *Store) CountMembers(ctx context.Context, workspaceID string) (int, error) {
	db := s.db.WithContext(ctx)
	n, err := countUpTo(db, db.Model(&models.Membership{}).Where("workspace_id = ?", workspaceID).Select("person_id"), models.CountCap+1)
	return int(n), translate(err)
}

// Member finds one member of a workspace.
func (s *Store) Member(ctx context.Context, who models.Actor, workspace, personID string) (models.MemberSeen, error) {
	w, err := s.Workspace(ctx, who, workspace)
	if err != nil {
		return models.MemberSeen{}, err
	}
	m, err := memberOf(s.db.WithContext(ctx), w.ID, personID)
	if err != nil {
		return models.MemberSeen{}, err
	}
	seen, err := s.seeMembers(ctx, []models.Membership{m})
	if err != nil {
		return models.MemberSeen{}, err
	}
	return seen[0], nil
}

func (s *Store) seeMembers(ctx context.Context, list []models.Membership) ([]models.MemberSeen, error) {
	ids := make([]string, len(list))
	for i, m := range list {
		ids[i] = m.PersonID
	}
	people, err := s.peopleByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	seen := make([]models.MemberSeen, len(list))
	for i, m := range list {
		person := people[m.PersonID]
		seen[i] = models.MemberSeen{Membership: m, Name: person.Name, Email: person.Email, Active: person.Active()}
	}
	return seen, nil
}

func memberOf(tx *gorm.DB, workspaceID, personID string) (models.Membership, error) {
	if !models.ValidID(personID) {
		return models.Membership{}, noMember
	}
	m, err := take[models.Membership](tx.Where("workspace_id = ? AND person_id = ?", workspaceID, personID))
	if models.KindOf(err) == models.NotFound {
		err = noMember
	}
	return m, err
}

// AddMember makes somebody who has an account here a member of a workspace.
func (s *Store) AddMember(ctx context.Context, who models.Actor, workspace string, n models.NewMember) (models.Person, error) {
	var person models.Person
	problems := n.Clean().Err()
	err := s.writeWithin(ctx, who, workspace, func(tx *gorm.DB, w models.WorkspaceSeen) (event models.Event, err error) {
		if err := allow(who.MayManageMembers(w.Role), onlyMembersAdmins); err != nil {
			return event, err
		}
		if problems != nil {
			return event, problems
		}
		person, err = take[models.Person](lock(tx).Where("email_key = ? AND deactivated_at IS NULL", models.EmailKey(n.Email)))
		if models.KindOf(err) == models.NotFound {
			return event, onField("email", models.Fail(models.Invalid, "Nobody here has this email address. An Admin adds people under People."))
		}
		if err != nil {
			return event, err
		}
		err = tx.Create(&models.Membership{WorkspaceID: w.ID, PersonID: person.ID, Role: n.Role, NameKey: person.NameKey, CreatedAt: s.now()}).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return event, onField("email", models.Fail(models.Invalid, "%s is a member already.", person.Name))
		}
		return memberEvent(models.MemberAdded, w, person, models.Change{Field: "role", After: string(n.Role)}), err
	})
	return person, err
}

// ChangeMember gives a member another role in a workspace.
func (s *Store) ChangeMember(ctx context.Context, who models.Actor, workspace, personID string, role models.WorkspaceRole) (models.Person, error) {
	return s.changeMember(ctx, who, workspace, personID, func(tx *gorm.DB, w models.WorkspaceSeen, m models.Membership, person models.Person) (event models.Event, err error) {
		switch {
		case !who.MayManageMembers(w.Role):
			return event, models.Fail(models.Forbidden, onlyMembersAdmins)
		case !role.Given():
			return event, onField("role", models.Fail(models.Invalid, "Choose a role."))
		case m.Role == models.WorkspaceOwner:
			return event, models.Fail(models.Conflict, ownerStays, person.Name)
		case m.Role == role:
			return event, errUnchanged
		}
		change := models.Change{Field: "role", Before: string(m.Role), After: string(role)}
		return memberEvent(models.MemberChanged, w, person, change), setRole(tx, m, role)
	})
}

// RemoveMember takes somebody out of a workspace, and ends their automation tokens there. Everybody but the Owner may also leave.
func (s *Store) RemoveMember(ctx context.Context, who models.Actor, workspace, personID string) (models.Person, error) {
	return s.changeMember(ctx, who, workspace, personID, func(tx *gorm.DB, w models.WorkspaceSeen, m models.Membership, person models.Person) (event models.Event, err error) {
		switch {
		case !who.MayManageMembers(w.Role) && who.ID != personID:
			return event, models.Fail(models.Forbidden, onlyMembersAdmins)
		case m.Role == models.WorkspaceOwner:
			return event, models.Fail(models.Conflict, ownerStays, person.Name)
		}
		if err := one(tx.Where("workspace_id = ? AND person_id = ?", w.ID, personID).Delete(&models.Membership{})); err != nil {
			return event, err
		}
		ended, err := s.endAutomation(tx, who, fresh(tx).Where("workspace_id = ? AND person_id = ?", w.ID, personID), models.PersonLeft)
		return memberEvent(models.MemberRemoved, w, person, append([]models.Change{{Field: "role", Before: string(m.Role)}}, ended...)...), err
	})
}

// HandOver makes an active member the Owner of a workspace. The Owner before stays as an Admin of it.
func (s *Store) HandOver(ctx context.Context, who models.Actor, workspace, personID string) (models.Person, error) {
	return s.changeMember(ctx, who, workspace, personID, func(tx *gorm.DB, w models.WorkspaceSeen, m models.Membership, person models.Person) (event models.Event, err error) {
		switch {
		case !who.MayHandOver(w.Role):
			return event, models.Fail(models.Forbidden, "Only the workspace's Owner can hand it over.")
		case m.Role == models.WorkspaceOwner:
			return event, errUnchanged
		case !person.Active():
			return event, models.Fail(models.Conflict, "%s is deactivated and cannot own a workspace.", person.Name)
		}
		before, err := take[models.Membership](lock(tx).Where("workspace_id = ? AND role = ?", w.ID, models.WorkspaceOwner))
		if err != nil {
			return event, err
		}
		owner, err := withID[models.Person](tx, before.PersonID)
		if err == nil {
			err = setRole(tx, before, models.WorkspaceAdmin)
		}
		if err == nil {
			err = setRole(tx, m, models.WorkspaceOwner)
		}
		return memberEvent(models.WorkspaceHandedOver, w, person, models.Change{Field: "owner", Before: owner.Name, After: person.Name}), err
	})
}

// changeMember finds a member to change, and keeps the row from others to the end of the transaction.
func (s *Store) changeMember(
	ctx context.Context, who models.Actor, workspace, personID string,
	fn func(*gorm.DB, models.WorkspaceSeen, models.Membership, models.Person) (models.Event, error),
) (models.Person, error) {
	var person models.Person
	err := s.writeWithin(ctx, who, workspace, func(tx *gorm.DB, w models.WorkspaceSeen) (event models.Event, err error) {
		m, err := memberOf(lock(tx), w.ID, personID)
		if err != nil {
			return event, err
		}
		if person, err = withID[models.Person](tx, personID); err != nil {
			return event, err
		}
		return fn(tx, w, m, person)
	})
	return person, err
}

func setRole(tx *gorm.DB, m models.Membership, role models.WorkspaceRole) error {
	return one(tx.Model(&models.Membership{}).Where("workspace_id = ? AND person_id = ?", m.WorkspaceID, m.PersonID).Updates(map[string]any{"role": role}))
}

func memberEvent(action models.Action, w models.WorkspaceSeen, person models.Person, changes ...models.Change) models.Event {
	event := models.Event{Action: action, SubjectKind: models.OfPerson, SubjectID: person.ID, SubjectName: person.Name, PersonID: person.ID, WorkspaceID: w.ID}
	return event.WithChanges(append(changes, models.Change{Field: "workspace", After: w.Name})...)
}
