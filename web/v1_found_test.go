package web_test

import (
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// A life of API keys that an Admin has fixed for everybody is none that a program can choose to go beyond; an earlier end is as good.
func TestAFixedLifeHoldsForPrograms(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		tom := s.Person(t, s.Admin, models.Member)
		_, endless := s.Key(t, storetest.As(tom), models.NewAPIKey{Name: "before", Given: true}) // of which nothing shortens what it makes
		p, days := keyed{s, endless.Reveal()}, 30
		_, err := s.SetPolicy(t.Context(), s.Admin, models.PolicyEdit{Policy: models.Policy{KeyMakers: models.EveryoneMakesKeys, KeyDays: &days}})
		must(t, err)
		at := func(days int) string {
			return `{"name":"x","expires_at":"` + s.Clock.Now().AddDate(0, 0, days).Format(time.RFC3339) + `"}`
		}
		p.refused(t, 422, "invalid", "POST", "/v1/api-keys", at(31)).Has(t, "An Admin has set that new API keys live 30 days")
		var made struct {
			Token     string
			ExpiresAt time.Time `json:"expires_at"`
		}
		for _, body := range []string{at(29), `{"name":"x"}`} {
			p.must(t, 201, "POST", "/v1/api-keys", body, &made)
			s.Secrets.Add(secret.Text(made.Token))
			if latest := s.Clock.Now().AddDate(0, 0, days); made.ExpiresAt.IsZero() || made.ExpiresAt.After(latest) {
				t.Errorf("%s ends %s, after %s", body, made.ExpiresAt, latest)
			}
		}
	})
}

// The key of somebody who is deactivated is refused, and is told as that and not as good: in the list, as a file, where it is looked up, and to programs.
func TestKeysOfTheDeactivatedAreToldAsSuch(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		lea := s.Person(t, s.Admin, models.Member)
		made, text := s.Key(t, storetest.As(lea), models.NewAPIKey{Name: "Lea's laptop"})
		p, admin := withKey(t, s, s.Admin), s.SignedIn(t, "ines@marlowe.example")
		var found struct {
			ID          string
			Before      bool
			Refused     bool
			Deactivated bool `json:"person_deactivated"`
		}
		look := func() {
			t.Helper()
			found.Before, found.Refused, found.Deactivated = false, false, false
			p.must(t, 200, "POST", "/v1/credentials:find", jsonOf("secret", text.Reveal()), &found)
		}
		if look(); found.ID != made.ID || found.Refused || found.Deactivated {
			t.Errorf("a good key is told as %+v", found)
		}
		_, err := s.DeactivatePerson(t.Context(), s.Admin, lea.ID)
		must(t, err)
		if look(); !found.Refused || !found.Deactivated || found.Before {
			t.Errorf("a key of somebody deactivated is told as %+v", found)
		}
		for _, path := range []string{"/credentials?owner=" + lea.ID, "/credentials/" + made.ID} {
			if a := admin.Get(t, path).Want(t, 200); !strings.Contains(a.Body, "Person deactivated") {
				t.Errorf("%s does not say that its person is deactivated", path)
			}
		}
		if a := admin.Get(t, "/credentials.csv?owner="+lea.ID).Want(t, 200); !strings.Contains(a.Body, ",owner_deactivated\n") || !strings.HasSuffix(a.Body, ",yes\n") {
			t.Errorf("the file says %s", a.Body)
		}
		to := admin.Post(t, "/credentials/find", webtest.Form{"secret": text.Reveal()}).Want(t, 303).Header.Get("Location")
		admin.Get(t, to).Want(t, 200).Has(t, "Its person is deactivated").HasNot(t, "It works: whoever has the key can use it.")
		_, err = s.ActivatePerson(t.Context(), s.Admin, lea.ID)
		must(t, err)
		_, next, err := s.RegenerateAPIKey(t.Context(), storetest.As(lea), made.ID, models.KeyRegeneration{}, secret.FormID())
		must(t, err)
		s.Secrets.Add(next)
		if look(); !found.Refused || !found.Before || found.Deactivated {
			t.Errorf("the secret before is told as %+v", found)
		}
	})
}

// From where an access key is used is for whoever may delete it, and for nobody else.
func TestAddressesOfReadersAreNotForEverybody(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	tom := s.Person(t, s.Admin, models.Member)
	id := installed(t, s, s.Admin, "marlowe-press", "shared", zipOf(t, "a", "1")).Collection.ID
	_, text := s.Share(t, s.Admin, id, "")
	s.Browser(t).Get(t, "/v1/collections/"+id, "X-API-Key", text.Reveal()).Want(t, 200)
	s.Flush(t)
	path := "/v1/collections/" + id + "/access-keys"
	withKey(t, s, s.Admin).call(t, "GET", path, "").Want(t, 200).Has(t, `"last_address":"127.0.0.1"`)
	withKey(t, s, storetest.As(tom)).call(t, "GET", path, "").Want(t, 200).Has(t, `"calls":1`).HasNot(t, "last_address")
}

// The commands of the reference do no harm as they are copied: none makes an Admin, and what takes the place of something asks for a file.
func TestTheExamplesDoNoHarm(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	page := s.SignedIn(t, "ines@marlowe.example").Get(t, "/use-the-api/reference").Want(t, 200).Page(t)
	for id, want := range map[string]string{
		"createPerson": `"role": "Member"`, "addMember": `"role": "Member"`, "setPolicy": "-d @new.json", "setResources": "-d @new.json", "deleteCollection": "?name=…", "deleteWorkspace": "?name=…",
	} {
		if command := page.Find("#curl-" + id).Text(); !strings.Contains(command, want) || strings.Contains(command, "Admin\"") {
			t.Errorf("%s: %q", id, command)
		}
	}
}
