package store

import (
	"time"

	"gorm.io/gorm"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// once uses up the one-use number of what is asked for, with what came of it.
func (s *Store) once(tx *gorm.DB, who models.Actor, fn func(tx *gorm.DB) (models.Event, error)) (models.Event, error) {
	if who.Once != "" {
		if err := formUsed(fresh(tx), who.Once); err != nil {
			return models.Event{}, err
		}
	}
	event, err := fn(tx)
	if err == nil && who.Once != "" {
		err = useForm(fresh(tx), who.Once, who.ID, event.SubjectID, s.now())
	}
	return event, err
}

// useForm uses a form's number up. A number that was used is models.ShownAlready.
func useForm(tx *gorm.DB, formID, personID, subjectID string, at time.Time) error {
	res := tx.Exec("INSERT INTO used_forms (form_id, person_id, subject_id, at) VALUES (?, ?, ?, ?) ON CONFLICT (form_id) DO NOTHING", formID, personID, subjectID, at)
	if res.Error != nil || res.RowsAffected == 1 {
		return res.Error
	}
	return formUsed(tx, formID)
}

// formUsed says that a form's number was used, and what it made.
func formUsed(tx *gorm.DB, formID string) error {
	var ids []string
	if err := tx.Table("used_forms").Where("form_id = ?", formID).Pluck("subject_id", &ids).Error; err != nil || len(ids) == 0 {
		return err
	}
	made := ids[0]
	again := models.Fail(models.ShownAlready, "This token was already shown.")
	again.SubjectID = made
	return again
}

// validForm says whether what makes a secret came from a form that can be told from another one. A program sends none.
func validForm(who models.Actor, formID string) bool {
	return secret.ValidFormID(formID) || who.Kind == models.Program && formID == ""
}

// useFormOf is useForm where a program may have none.
func useFormOf(tx *gorm.DB, who models.Actor, formID, subjectID string, at time.Time) error {
	if formID == "" && who.Kind == models.Program {
		return nil
	}
	return useForm(tx, formID, who.ID, subjectID, at)
}
