package handlers

import (
	"encoding/json"

	"tokendesk/models"
)

// where makes the text that says where a list goes on. It is signed, so that nobody can make one up
// and ask the database for what they like. The end of a list is empty text.
func (h *Handlers) where(list string, at models.Place) string {
	if at.ID == "" {
		return ""
	}
	text, err := json.Marshal(at)
	if err != nil { // strings always encode
		panic(err)
	}
	return h.Key.Sign("list/"+list, text)
}

// from reads it back; empty text is the beginning.
func (h *Handlers) from(list, text string) (models.Place, error) {
	var at models.Place
	if text == "" {
		return at, nil
	}
	plain, ok := h.Key.Verify("list/"+list, text)
	if !ok || json.Unmarshal(plain, &at) != nil {
		return at, models.Fail(models.Ambiguous, "This address does not lead to a page of the list. Start again at its beginning.")
	}
	return at, nil
}
