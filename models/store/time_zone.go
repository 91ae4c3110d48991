package store

import (
	"context"

	"gorm.io/gorm"

	"tokendesk/models"
)

// SetTimeZone says in which time zone the actor, who is a person, reads and types times.
func (s *Store) SetTimeZone(ctx context.Context, who models.Actor, z models.ZoneChoice) error {
	if err := allow(who.Kind == models.Human, "Only people have a time zone."); err != nil {
		return err
	}
	if err := z.Clean().Err(); err != nil {
		return err
	}
	return s.write(ctx, who, func(tx *gorm.DB) (event models.Event, err error) {
		person, err := lockPerson(tx, who.ID)
		if err != nil {
			return event, err
		}
		if person.TimeZone == z.Name {
			return event, errUnchanged
		}
		return personEvent(models.PersonChanged, person).WithChanges(models.Change{Field: "time zone", Before: person.TimeZone, After: z.Name}),
			one(tx.Model(&models.Person{}).Where("id = ?", who.ID).Updates(map[string]any{"time_zone": z.Name}))
	})
}
