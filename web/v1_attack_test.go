package web_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// No name, address or reason holds a whole token (docs/security.md, What is accepted): the console's forms refuse one, and so must /v1.
func TestManagedNamesHoldNoSecret(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := withKey(t, s, s.Admin)
	victim := withKey(t, s, s.Admin).key
	var list struct{ Data []struct{ ID string } }
	p.must(t, 200, "GET", "/v1/workspaces", "", &list)
	w := list.Data[0].ID
	for what, c := range map[string]struct{ method, path, body string }{
		"an API key":  {"POST", "/v1/api-keys", `{"name":"` + victim + `"}`},
		"a token":     {"POST", "/v1/workspaces/" + w + "/tokens", `{"name":"for ` + victim + `"}`},
		"a workspace": {"PATCH", "/v1/workspaces/" + w, `{"name":"` + victim + `"}`},
		"a product":   {"POST", "/v1/workspaces/" + w + "/products", `{"name":"` + victim + `","prefix":"zzzz"}`},
		"a person":    {"POST", "/v1/people", `{"name":"` + victim + `","email":"x@example.com","role":"Member","password":"a passphrase that is long 7"}`},
	} {
		if a := p.call(t, c.method, c.path, c.body); a.Status < 400 || strings.Contains(a.Body, victim) {
			t.Errorf("%s is called like a live key: %d %.160s", what, a.Status, a.Body)
		}
	}
}

// What a program makes ends with its own credential at the latest (rule T10; only automation tokens, which take the password, are excepted): a sign-in token lives half an hour.
func TestASignInTokenMakesNothingThatOutlivesIt(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	token := signInAs(t, s, "ines@marlowe.example").token
	a := s.Browser(t).Send(t, "POST", "/v1/workspaces/marlowe-press/tokens", strings.NewReader(`{"name":"for ever"}`), "Content-Type", "application/json", "Authorization", "Bearer "+token).Want(t, 201)
	var made struct {
		Token     string
		ExpiresAt time.Time `json:"expires_at"`
	}
	must(t, json.Unmarshal([]byte(a.Body), &made))
	s.Secrets.Add(secret.Text(made.Token))
	if made.ExpiresAt.IsZero() || made.ExpiresAt.After(s.Clock.Now().Add(models.SignInTokenLife)) {
		t.Errorf("it ends %s", made.ExpiresAt)
	}
}

// A program makes nobody an Admin, and moves none to another address: who signs in so would be there when its credential is not any more.
func TestAProgramMakesNoAdmin(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p, other, tom := withKey(t, s, s.Admin), s.Person(t, s.Admin, models.Admin), s.Person(t, s.Admin, models.Member)
	before := s.Changes(t)
	p.refused(t, 403, "scope_missing", "POST", "/v1/people", `{"name":"Ida","email":"ida@marlowe.example","role":"Admin","password":"`+storetest.Password+`"}`)
	p.refused(t, 403, "scope_missing", "PATCH", "/v1/people/"+tom.ID, `{"role":"Admin"}`)
	p.refused(t, 403, "scope_missing", "PATCH", "/v1/people/"+other.ID, `{"email":"mallory@marlowe.example"}`)
	if s.Changes(t) != before {
		t.Error("something was changed")
	}
	p.must(t, 200, "PATCH", "/v1/people/"+other.ID, `{"name":"Another"}`, nil)
	p.must(t, 200, "PATCH", "/v1/people/"+other.ID, `{"role":"Member"}`, nil)
}

// The same Idempotency-Key again is 409, also for what there can be only one of.
func TestIdempotencyOfWhatIsUnique(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := withKey(t, s, s.Admin)
	body := `{"name":"Ida","email":"ida@example.com","role":"Member","password":"a passphrase that is long 7"}`
	p.must(t, 201, "POST", "/v1/people", body, nil, "Idempotency-Key", "one")
	p.refused(t, 409, "idempotency_key_used", "POST", "/v1/people", body, "Idempotency-Key", "one")
}

// Another key is no way around the limit of calls to products.
func TestKeysShareTheLimitOfTheirPerson(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	passed := 0
	for range 2 {
		_, text := s.Key(t, s.Admin, models.NewAPIKey{Name: "a"})
		for range 650 {
			if s.Browser(t).Get(t, "/api/none", "X-API-Key", text.Reveal()).Status != 429 {
				passed++
			}
		}
	}
	if passed > 700 {
		t.Errorf("%d calls passed a limit of 600 a minute", passed)
	}
}

// Whoever changes a name changes no role: a demotion that was answered with success stays, whatever else is written at the same time.
func TestChangesOfAPersonAtOnceAreAllKept(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	p := withKey(t, s, s.Admin)
	other := s.Person(t, s.Admin, models.Member)
	for round := range 10 {
		_, err := s.ChangePerson(t.Context(), s.Admin, other.ID, func(p models.Person) models.PersonEdit {
			return models.PersonEdit{Name: p.Name, Email: p.Email, Role: models.Admin}
		})
		must(t, err)
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() { p.call(t, "PATCH", "/v1/people/"+other.ID, fmt.Sprintf(`{"name":"Name %d %d"}`, round, i)) })
		}
		all.Go(func() { p.call(t, "PATCH", "/v1/people/"+other.ID, `{"role":"Member"}`).Want(t, 200) })
		all.Wait()
		var now struct{ Role string }
		if p.must(t, 200, "GET", "/v1/people/"+other.ID, "", &now); now.Role != "Member" {
			t.Errorf("round %d: %s again", round, now.Role)
		}
	}
}
