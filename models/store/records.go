package store

import (
	"context"
	"time"

	"tokendesk/models"
)

// earlierShown is how many ended tokens a person's page lists; the audit log has all of them.
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
	var tokens []models.Credential
	// The live one comes first by itself: IDs are only as good as the clock of the server that made them.
	if err := db.Where("person_id = ?", id).Order("revoked_at IS NOT NULL, id DESC").Limit(earlierShown + 1).Find(&tokens).Error; err != nil {
		return r, translate(err)
	}
	seen, err := s.seeCredentials(ctx, tokens)
	if err != nil {
		return r, err
	}
	for i, c := range seen {
		if c.RevokedAt == nil {
			r.Bearer = &seen[i]
		} else {
			r.Earlier = append(r.Earlier, c)
		}
	}
	sessions, err := s.Sessions(ctx, who, id)
	r.Sessions = len(sessions)
	return r, err
}

// seeCredentials adds usage and names to credentials, with one query for each kind of thing.
func (s *Store) seeCredentials(ctx context.Context, list []models.Credential) ([]models.CredentialSeen, error) {
	ids, people := make([]string, len(list)), []string{}
	for i, c := range list {
		ids[i] = c.ID
		people = append(people, c.CreatedBy, c.RevokedBy)
	}
	names, err := s.peopleByID(ctx, people)
	if err != nil {
		return nil, err
	}
	var usages []models.Usage
	if err := s.db.WithContext(ctx).Where("credential_id IN ?", ids).Find(&usages).Error; err != nil {
		return nil, translate(err)
	}
	var days []models.UsageDay
	since := s.now().AddDate(0, 0, -13).Format(time.DateOnly)
	if err := s.db.WithContext(ctx).Where("credential_id IN ? AND day >= ?", ids, since).Order("day").Find(&days).Error; err != nil {
		return nil, translate(err)
	}
	seen, at := make([]models.CredentialSeen, len(list)), map[string]int{}
	for i, c := range list {
		at[c.ID] = i
		seen[i] = models.CredentialSeen{Credential: c, CreatedByName: names[c.CreatedBy].Name, RevokedByName: names[c.RevokedBy].Name}
	}
	for _, u := range usages {
		seen[at[u.CredentialID]].Usage = u
	}
	for _, d := range days {
		seen[at[d.CredentialID]].Days = append(seen[at[d.CredentialID]].Days, d)
	}
	return seen, nil
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
