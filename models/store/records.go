package store

import (
	"context"
	"slices"

	"tokendesk/models"
)

// earlierShown is how many ended tokens a person's page lists; EndedCredentials has all of them.
const earlierShown = 20

// PersonRecord reads everything that a person's page shows.
func (s *Store) PersonRecord(ctx context.Context, who models.Actor, id string) (models.PersonRecord, error) {
	var r models.PersonRecord
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return r, err
	}
	if !models.ValidID(id) {
		return r, models.Fail(models.NotFound, "That person does not exist.")
	}
	db := s.db.WithContext(ctx)
	person, err := withID[models.Person](db, id)
	if err != nil {
		return r, err
	}
	r.Person = person
	var live []models.Credential
	if err := db.Where("person_id = ? AND kind = ? AND revoked_at IS NULL", id, models.Bearer).Find(&live).Error; err != nil {
		return r, translate(err)
	}
	ended, err := s.ended(ctx, id, "", earlierShown+1)
	if err != nil {
		return r, err
	}
	if r.MoreEnded = len(ended) > earlierShown; r.MoreEnded {
		ended = ended[:earlierShown]
	}
	automation, err := s.automationOfPerson(ctx, id, models.PageSize+1)
	if err != nil {
		return r, err
	}
	if r.MoreAutomation = len(automation) > models.PageSize; r.MoreAutomation {
		automation = automation[:models.PageSize]
	}
	seen, err := s.seeCredentials(ctx, slices.Concat(live, ended, automation))
	if err != nil {
		return r, err
	}
	if len(live) > 0 {
		r.Bearer = &seen[0]
	}
	r.Earlier, r.Automation = seen[len(live):len(live)+len(ended)], seen[len(live)+len(ended):]
	if r.Workspaces, err = s.workspaceNames(ctx, workspacesOf(automation)); err != nil {
		return r, err
	}
	if r.LiveAutomation, err = s.countLive(ctx, db.Where("person_id = ? AND kind = ?", id, models.AutomationToken)); err != nil {
		return r, err
	}
	if r.LiveKeys, err = s.countLive(ctx, keysOf(db, id)); err != nil {
		return r, err
	}
	if r.Policy, err = s.Policy(ctx); err != nil {
		return r, err
	}
	sessions, err := s.Sessions(ctx, who, id)
	r.Sessions = len(sessions)
	return r, err
}

// EndedCredentials lists a person's bearer tokens that were revoked or replaced, newest first, below the
// one with this ID; empty is the beginning.
func (s *Store) EndedCredentials(ctx context.Context, who models.Actor, personID, below string) ([]models.CredentialSeen, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return nil, err
	}
	list, err := s.ended(ctx, personID, below, models.PageSize+1)
	if err != nil {
		return nil, err
	}
	return s.seeCredentials(ctx, list)
}

// CountEnded counts them, up to models.CountCap and one more.
func (s *Store) CountEnded(ctx context.Context, who models.Actor, personID string) (int, error) {
	if err := allow(who.MayManagePeople(), onlyAdminsManage); err != nil {
		return 0, err
	}
	var n int64
	first := s.db.WithContext(ctx).Model(&models.Credential{}).Where("person_id = ? AND kind = ? AND revoked_at IS NOT NULL", personID, models.Bearer).Select("id").Limit(models.CountCap + 1)
	err := s.db.WithContext(ctx).Table("(?) AS counted", first).Count(&n).Error
	return int(n), translate(err)
}

func (s *Store) ended(ctx context.Context, personID, below string, limit int) ([]models.Credential, error) {
	q := s.db.WithContext(ctx).Where("person_id = ? AND kind = ? AND revoked_at IS NOT NULL", personID, models.Bearer)
	if below != "" {
		q = q.Where("id < ?", below)
	}
	var list []models.Credential
	return list, translate(q.Order("id DESC").Limit(limit).Find(&list).Error)
}

// seeCredentials adds usage and names to credentials, with one query for each kind of thing.
func (s *Store) seeCredentials(ctx context.Context, list []models.Credential) ([]models.CredentialSeen, error) {
	ids, people := make([]string, len(list)), []string{}
	for i, c := range list {
		ids[i] = c.ID
		people = append(people, c.PersonID, c.CreatedBy, c.RevokedBy)
	}
	names, err := s.peopleByID(ctx, people)
	if err != nil {
		return nil, err
	}
	var usages []models.Usage
	if err := s.db.WithContext(ctx).Where("credential_id IN ?", ids).Find(&usages).Error; err != nil {
		return nil, translate(err)
	}
	days, err := daysFrom(s.db.WithContext(ctx), ids, s.now().AddDate(0, 0, -13))
	if err != nil {
		return nil, err
	}
	products, err := s.productNames(ctx, list)
	if err != nil {
		return nil, err
	}
	seen, at := make([]models.CredentialSeen, len(list)), map[string]int{}
	for i, c := range list {
		at[c.ID] = i
		seen[i] = models.CredentialSeen{
			Credential: c, Idle: c.PersonID != "" && !names[c.PersonID].Active(), PersonName: names[c.PersonID].Name, CreatedByName: names[c.CreatedBy].Name, RevokedByName: names[c.RevokedBy].Name, Product: products[c.ProductID],
		}
	}
	for _, u := range usages {
		seen[at[u.CredentialID]].Usage = u
	}
	for _, d := range days {
		seen[at[d.CredentialID]].Days = append(seen[at[d.CredentialID]].Days, d)
	}
	return seen, nil
}

// productNames names the products that credentials open, with at most one query.
func (s *Store) productNames(ctx context.Context, list []models.Credential) (map[string]string, error) {
	names, ids := map[string]string{}, []string{}
	for _, c := range list {
		if c.ProductID != "" && !slices.Contains(ids, c.ProductID) {
			ids = append(ids, c.ProductID)
		}
	}
	if len(ids) == 0 {
		return names, nil
	}
	var products []models.Product
	err := s.db.WithContext(ctx).Select("id", "name").Where("id IN ?", ids).Find(&products).Error
	for _, p := range products {
		names[p.ID] = p.Name
	}
	return names, translate(err)
}

func workspacesOf(list []models.Credential) (ids []string) {
	for _, c := range list {
		if !slices.Contains(ids, c.WorkspaceID) {
			ids = append(ids, c.WorkspaceID)
		}
	}
	return ids
}

// workspaceNames names the workspaces with these IDs that are not deleted, with at most one query.
func (s *Store) workspaceNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	if len(ids) == 0 {
		return names, nil
	}
	var list []models.Workspace
	err := s.db.WithContext(ctx).Select("id", "name").Where("id IN ? AND deleted_at IS NULL", ids).Find(&list).Error
	for _, w := range list {
		names[w.ID] = w.Name
	}
	return names, translate(err)
}

// peopleByID reads the people with these IDs, with one query.
func (s *Store) peopleByID(ctx context.Context, ids []string) (map[string]models.Person, error) {
	var people []models.Person
	if err := s.db.WithContext(ctx).Where("id IN ?", ids).Find(&people).Error; err != nil {
		return nil, translate(err)
	}
	byID := make(map[string]models.Person, len(people))
	for _, p := range people {
		byID[p.ID] = p
	}
	return byID, nil
}
