package store

import (
	"context"
	"regexp"

	"gorm.io/gorm"

	"tokendesk/models"
)

// FoundMost is how many answers a search by name gives at most. One more says: type more of it.
const FoundMost = 6

// beginning is what a credential's first five to eight characters look like.
var beginning = regexp.MustCompile(`^[a-z0-9]{4}_[0-9A-Za-z]{0,3}$`)

// FindPeople finds the people whom a text means, for a filter: the one with that address, or those whose
// name or address it is part of. Who may not see all people finds those of one workspace.
func (s *Store) FindPeople(ctx context.Context, who models.Actor, workspaceID, text string) ([]models.Person, error) {
	if err := s.mayReadEvents(ctx, who, workspaceID); err != nil {
		return nil, err
	}
	var people []models.Person
	err := s.planned(ctx, func(tx *gorm.DB) error {
		all := func(q *gorm.DB) *gorm.DB {
			if who.MayManagePeople() {
				return q
			}
			return q.Where("id IN (?)", fresh(tx).Model(&models.Membership{}).Select("person_id").Where("workspace_id = ?", workspaceID))
		}
		if models.Printable(models.EmailKey(text)) {
			err := all(fresh(tx).Where("email_key = ?", models.EmailKey(text))).Find(&people).Error
			if err != nil || len(people) > 0 {
				return err
			}
		}
		q, err := s.matching(tx, models.PeopleFilter{Query: text})
		if err != nil {
			return err
		}
		return all(q).Order("name_key, id").Limit(FoundMost).Find(&people).Error
	})
	return people, err
}

// FindCollections finds the collections of a name, in one workspace or in all.
func (s *Store) FindCollections(ctx context.Context, who models.Actor, workspaceID, name string) ([]models.Collection, error) {
	if err := s.mayReadEvents(ctx, who, workspaceID); err != nil {
		return nil, err
	}
	var list []models.Collection
	if !models.Printable(name) {
		return list, nil
	}
	q := s.db.WithContext(ctx).Where("name_key = ?", models.Fold(name))
	if workspaceID != "" {
		q = q.Where("workspace_id = ?", workspaceID)
	}
	return list, translate(q.Order("id").Limit(FoundMost).Find(&list).Error)
}

// FindDeleted finds the collections of a name that were deleted, among as many deletions as are looked through for a
// page of the log, which has their IDs.
func (s *Store) FindDeleted(ctx context.Context, who models.Actor, workspaceID, name string) ([]models.Collection, error) {
	var gone []models.Collection
	if !models.Printable(name) {
		return gone, nil
	}
	err := s.inLog(ctx, who, models.EventFilter{Action: models.CollectionDeleted, WorkspaceID: workspaceID}, func(tx *gorm.DB, in stretch) error {
		if err := s.shorten(tx, &in); err != nil {
			return err
		}
		return in.matching(tx).Select("subject_id AS id, subject_name AS name, workspace_id").Where("subject_name IN ?", []string{name, models.Fold(name)}).
			Limit(FoundMost).Find(&gone).Error
	})
	return gone, err
}

// IsCommand says whether somebody of this name has acted at the command line, as far back as is looked for a page of
// the log.
func (s *Store) IsCommand(ctx context.Context, who models.Actor, workspaceID, name string) (bool, error) {
	var found []int64
	if !models.Printable(name) {
		return false, nil
	}
	err := s.inLog(ctx, who, models.EventFilter{ActorKind: models.Command, WorkspaceID: workspaceID}, func(tx *gorm.DB, in stretch) error {
		if err := s.shorten(tx, &in); err != nil {
			return err
		}
		return in.matching(tx).Where("actor_name = ?", name).Limit(1).Pluck("seq", &found).Error
	})
	return len(found) > 0, err
}

// FindCredentials finds the credentials that begin with a text, of which at most eight characters count: no
// more of a credential is kept.
func (s *Store) FindCredentials(ctx context.Context, who models.Actor, begins string) ([]models.Credential, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return nil, err
	}
	var list []models.Credential
	if !beginning.MatchString(begins) {
		return list, nil
	}
	err := s.db.WithContext(ctx).Where("prefix >= ? AND prefix < ?", begins, beyond(begins)).Order("prefix, id").Limit(FoundMost).Find(&list).Error
	return list, translate(err)
}

// beyond is the first text after all that begin with one, which is ASCII and not empty.
func beyond(begins string) string {
	return begins[:len(begins)-1] + string(begins[len(begins)-1]+1)
}
