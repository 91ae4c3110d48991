package store

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
)

// RecordRefused writes down something that was not allowed, or many of one kind together, as one event.
func (s *Store) RecordRefused(ctx context.Context, r models.Refused) error {
	if err := s.nameRefused(ctx, &r); err != nil {
		return err
	}
	return s.commit(ctx, r.Who, func(*gorm.DB) ([]models.Event, error) {
		event := models.Event{Action: r.Action, SubjectKind: r.SubjectKind, SubjectID: r.SubjectID, SubjectName: r.SubjectName, PersonID: r.PersonID, WorkspaceID: r.WorkspaceID}
		changes := []models.Change{{Field: "reason", After: r.Reason}, {Field: "times", After: strconv.FormatInt(r.Count, 10)}}
		for _, known := range []models.Change{{Field: "asked for", After: r.Asked}, {Field: "file", After: r.File}, {Field: "told", After: r.Told}} {
			if known.After != "" {
				changes = append(changes, known)
			}
		}
		if r.Count > 1 {
			changes = append(changes, models.Change{Field: "first", After: r.First.Format(time.RFC3339)}, models.Change{Field: "last", After: r.Last.Format(time.RFC3339)},
				models.Change{Field: "addresses", After: addresses(r.Addresses)})
		}
		return []models.Event{event.WithChanges(kinded(models.Credential{Kind: r.Credential}, changes...)...)}, nil
	})
}

func addresses(n int) string {
	if n >= models.RefusedAddresses {
		return strconv.Itoa(n) + " or more"
	}
	return strconv.Itoa(n)
}

// nameRefused finds out what a program that was refused is called: by its person's name, and where it has none, by its credential's. The decision
// that refused it knew neither.
func (s *Store) nameRefused(ctx context.Context, r *models.Refused) error {
	if r.Who.Kind != models.Program || r.Who.Name != "" {
		return nil
	}
	db := s.db.WithContext(ctx)
	for _, name := range []struct {
		of   any
		id   string
		to   *string
		read bool
	}{
		{&models.Credential{}, r.SubjectID, &r.SubjectName, r.SubjectKind == models.OfCredential},
		{&models.Person{}, r.Who.ID, &r.Who.Name, r.Who.ID != ""},
	} {
		var names []string
		if !name.read {
			continue
		}
		if err := db.Model(name.of).Where("id = ?", name.id).Pluck("name", &names).Error; err != nil {
			return translate(err)
		}
		for _, n := range names {
			*name.to = n
		}
	}
	if r.Who.Name == "" {
		r.Who.Name = r.SubjectName
	}
	return nil
}
