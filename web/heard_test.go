package web_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// A stream ends with what let it in, at the very change, and others go on (security rule G7): the caller's half with an
// error and not with a clean end, and the product's too.
func TestAStreamEndsWithItsToken(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	left := make(chan string, 10)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, who, _ := strings.Cut(r.Header.Get("X-Tokendesk-Identity"), `credential="`)
		who, _, _ = strings.Cut(who, `"`)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("data: first\n\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		left <- who
	}))
	t.Cleanup(api.Close)
	products, err := s.Products(t.Context(), s.Admin, "marlowe-press")
	if err != nil {
		t.Fatal(err)
	}
	admin := s.SignedIn(t, "ines@marlowe.example")
	point(t, admin, "/w/marlowe-press/settings/products/"+products[0].ID, pointing(api.URL)).Want(t, http.StatusSeeOther)

	stream := func(text secret.Text) *bufio.Reader { return chatStream(t, s, text) }
	person := s.Person(t, s.Admin, models.Member)
	kept, keptText := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Kept"})
	goesOn := stream(keptText)
	for name, end := range map[string]func() (id string, text secret.Text, do func() error){
		"revoked": func() (string, secret.Text, func() error) {
			made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "A"})
			return made.ID, text, func() error {
				_, err := s.RevokeAPIToken(t.Context(), s.Admin, "marlowe-press", made.ID, models.Revocation{})
				return err
			}
		},
		"deactivated": func() (string, secret.Text, func() error) {
			made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "B"})
			return made.ID, text, func() error {
				_, err := s.SwitchAPIToken(t.Context(), s.Admin, "marlowe-press", made.ID, false)
				return err
			}
		},
		"regenerated": func() (string, secret.Text, func() error) {
			made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "C"})
			return made.ID, text, func() error {
				_, newer, err := s.RegenerateAPIToken(t.Context(), s.Admin, "marlowe-press", made.ID, models.Regeneration{}, secret.FormID())
				s.Secrets.Add(newer)
				return err
			}
		},
		"expired": func() (string, secret.Text, func() error) {
			made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "D", Expiration: models.OnADate, ExpiresAt: s.Clock.Now().Add(90 * time.Second).Format("2006-01-02T15:04")})
			return made.ID, text, func() error {
				if err := s.Handlers.Gateway.Sweep(t.Context()); err != nil { // which is early, and ends nothing
					return err
				}
				s.Clock.Advance(90 * time.Second)
				return s.Handlers.Gateway.Sweep(t.Context())
			}
		},
		"revoked by another process": func() (string, secret.Text, func() error) {
			made, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "E"})
			return made.ID, text, func() error {
				_, err := s.Open(t).RevokeAPIToken(t.Context(), s.Admin, "marlowe-press", made.ID, models.Revocation{}) // which tells nobody here
				return err
			}
		},
		"of somebody who is no Admin any more": func() (string, secret.Text, func() error) {
			other := s.Person(t, s.Admin, models.Admin)
			made, text := s.Token(t, s.Admin, other.ID)
			return made.ID, text, func() error {
				_, err := s.EditPerson(t.Context(), s.Admin, other.ID, models.PersonEdit{Name: other.Name, Email: other.Email, Role: models.Member})
				return err
			}
		},
		"a bearer token, replaced": func() (string, secret.Text, func() error) {
			made, text := s.Token(t, s.Admin, person.ID)
			return made.ID, text, func() error {
				s.Token(t, s.Admin, person.ID)
				return nil
			}
		},
		"an automation token, of a workspace whose Owner changed the password": func() (string, secret.Text, func() error) {
			made, text := s.Automation(t, storetest.As(s.Person(t, s.Admin, models.Member)), "marlowe-press", models.NewAutomationToken{Period: "no_exp"})
			return made.ID, text, func() error {
				_, _, err := s.ChangePassword(t.Context(), s.Admin, storetest.Password, "seven green bicycles under a bridge")
				return err
			}
		},
		"an automation token, revoked with all of theirs": func() (string, secret.Text, func() error) {
			who := storetest.As(s.Person(t, s.Admin, models.Member))
			made, text := s.Automation(t, who, "marlowe-press", models.NewAutomationToken{Period: "1h"})
			return made.ID, text, func() error { return s.EndMine(t.Context(), who, "marlowe-press", false, true) }
		},
		"a sign-in, renewed": func() (string, secret.Text, func() error) {
			_, p, id := signedInProgram(t, s)
			return id, secret.Text(p.token), func() error { p.renew(t, ""); return nil }
		},
		"a sign-in, ended": func() (string, secret.Text, func() error) {
			who, p, id := signedInProgram(t, s)
			return id, secret.Text(p.token), func() error { return s.EndSession(t.Context(), who, id) }
		},
		"a sign-in, ended with all of theirs": func() (string, secret.Text, func() error) {
			who, p, id := signedInProgram(t, s)
			return id, secret.Text(p.token), func() error { return s.EndMine(t.Context(), who, "marlowe-press", true, false) }
		},
		"of somebody signed out everywhere": func() (string, secret.Text, func() error) {
			who, p, id := signedInProgram(t, s)
			return id, secret.Text(p.token), func() error { _, err := s.SignOutEverywhere(t.Context(), s.Admin, who.ID); return err }
		},
		"a sign-in of somebody who changed the password": func() (string, secret.Text, func() error) {
			who, p, id := signedInProgram(t, s)
			return id, secret.Text(p.token), func() error {
				_, _, err := s.ChangePassword(t.Context(), who, storetest.Password, "seven green bicycles under a bridge")
				return err
			}
		},
		"of somebody who was removed": func() (string, secret.Text, func() error) {
			other := s.Person(t, s.Admin, models.Member)
			made, text := s.Token(t, s.Admin, other.ID)
			return made.ID, text, func() error {
				_, err := s.RemoveMember(t.Context(), s.Admin, "marlowe-press", other.ID)
				return err
			}
		},
		"of somebody deactivated": func() (string, secret.Text, func() error) {
			other := s.Person(t, s.Admin, models.Member)
			made, text := s.Token(t, s.Admin, other.ID)
			return made.ID, text, func() error {
				_, err := s.DeactivatePerson(t.Context(), s.Admin, other.ID)
				return err
			}
		},
	} {
		id, text, do := end()
		body := stream(text)
		if err := do(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := body.ReadString(0); err == nil || err.Error() == "EOF" {
			t.Errorf("%s: the stream ends with %v", name, err)
		}
		if who := <-left; who != id {
			t.Errorf("%s: %s was ended", name, who)
		}
	}
	if _, err := s.RevokeAPIToken(t.Context(), s.Admin, "marlowe-press", kept.ID, models.Revocation{}); err != nil {
		t.Fatal(err)
	}
	if _, err := goesOn.ReadString(0); err == nil || err.Error() == "EOF" {
		t.Errorf("the last stream ends with %v", err)
	}
	if who := <-left; who != kept.ID {
		t.Errorf("the last to end was %s", who)
	}
}

// signedInProgram is somebody's program, and the ID of its session.
func signedInProgram(t *testing.T, s webtest.Site) (who models.Actor, p *apiUser, session string) {
	t.Helper()
	person := s.Person(t, s.Admin, models.Member)
	who, p = storetest.As(person), signInAs(t, s, person.Email)
	list, err := s.Store.Sessions(t.Context(), who, person.ID)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return who, p, list[0].ID
}

// chatStream opens a stream through the gateway, and reads the first line of it.
func chatStream(t *testing.T, s webtest.Site, text secret.Text) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/assistant/chat", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+text.Reveal())
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	body := bufio.NewReader(res.Body)
	if line, err := body.ReadString('\n'); err != nil || line != "data: first\n" {
		t.Fatalf("%q (%v)", line, err)
	}
	return body
}
