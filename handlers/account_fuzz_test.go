package handlers

import (
	"encoding/json"
	"testing"

	"tokendesk/models"
)

// Whatever a body is, it is read as encoding/json reads it, or refused with a sentence: never half, and never with a field that was not asked for.
func FuzzAccountBody(f *testing.F) {
	for _, body := range []string{`{}`, `{"email":"a","password":"b"}`, `{"is_automation":true}`, `{"email":null}`, `{"email":"a","email":"b"}`, `{"email":1}`, `[{}]`, `{"email":"a"}{`, "{\"email\":\"\xff\"}", ` { "password" : "x" } `} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var email, password string
		var automation *bool
		err := readFields(body, map[string]any{"email": &email, "password": &password, "is_automation": &automation})
		if err != nil {
			if kind := models.KindOf(err); kind != models.Ambiguous {
				t.Fatalf("%q is %s: %v", body, kind, err)
			}
			return
		}
		var plain struct {
			Email      string `json:"email"`
			Password   string `json:"password"`
			Automation *bool  `json:"is_automation"`
		}
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatalf("%q was read, and is no JSON: %v", body, err)
		}
		if plain.Email != email || plain.Password != password || (plain.Automation == nil) != (automation == nil) || automation != nil && *automation != *plain.Automation {
			t.Fatalf("%q was read as %q, %q, %v", body, email, password, automation)
		}
	})
}
