package web_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// Nobody learns who has an account: an unknown address, a wrong password and a deactivated person get
// the same answer to the byte, but for what was typed and the request's number (security rule S9).
func TestSignInTellsNothing(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		gone := s.Person(t, s.Admin, models.Admin)
		if _, err := s.DeactivatePerson(t.Context(), s.Admin, gone.ID); err != nil {
			t.Fatal(err)
		}
		answers := map[string]string{}
		for name, c := range map[string][2]string{
			"unknown":     {"nobody@marlowe.example", storetest.Password},
			"wrong":       {"ines@marlowe.example", "a wrong password of some length"},
			"deactivated": {gone.Email, storetest.Password},
			"both":        {gone.Email, "a wrong password of some length"},
			"no address":  {"ines", storetest.Password},
			"very long":   {"ines@marlowe.example", strings.Repeat("long ", 500)},
		} {
			a := s.Browser(t).Post(t, "/signin", webtest.Form{"email": c[0], "password": c[1]}).Want(t, 422)
			if a.Problem(t, "password") != "Error: The email address and password don't match." || len(a.Header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s: it says %q and sets %q", name, a.Problem(t, "password"), a.Header.Values("Set-Cookie"))
			}
			answers[strings.ReplaceAll(a.Body, c[0], "(typed)")] = name
		}
		if len(answers) != 1 {
			t.Errorf("%d different answers, want one: %v", len(answers), answers)
		}
	})
}

// Whoever guesses waits, by address and account together, and the account's owner, coming from
// elsewhere, waits for nothing (security rule S10). Spellings of one address share a count; the right
// password does not help before the time is over, and clears the count after.
func TestGuessingIsSlowed(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t, webtest.Trusting("127.0.0.0/8"))
	try := func(from, email, password string) *webtest.Answer {
		t.Helper()
		return s.Browser(t).Post(t, "/signin", webtest.Form{"email": email, "password": password}, "X-Forwarded-For", from)
	}
	const guesser, owner, wrong = "198.51.100.1", "198.51.100.2", "a wrong password of some length"
	for i, spelling := range []string{"ines@marlowe.example", "INES@marlowe.example", " ines@marlowe.example ", "Ines@Marlowe.Example", "ines@MARLOWE.example"} {
		if a := try(guesser, spelling, wrong); a.Status != 422 {
			t.Fatalf("attempt %d: status %d", i+1, a.Status)
		}
	}
	for _, password := range []string{wrong, storetest.Password} {
		a := try(guesser, "ines@marlowe.example", password).Want(t, 429).Has(t, "Too many attempts. Wait 1 second, then try again.")
		if a.Header.Get("Retry-After") != "1" || a.Value(t, "email") != "ines@marlowe.example" {
			t.Errorf("Retry-After %q, the address kept: %q", a.Header.Get("Retry-After"), a.Value(t, "email"))
		}
	}
	// What stands further left was written by the caller and is not believed.
	try("203.0.113.9, "+guesser, "ines@marlowe.example", storetest.Password).Want(t, 429)
	try(owner, "ines@marlowe.example", storetest.Password).To(t, "/")
	try(guesser, "somebody@marlowe.example", wrong).Want(t, 422)

	for wait := 1; wait <= 60; wait = min(2*wait, 61) { // doubles up to a minute
		s.Clock.Advance(time.Duration(wait)*time.Second - time.Microsecond)
		try(guesser, "ines@marlowe.example", wrong).Want(t, 429)
		s.Clock.Advance(time.Microsecond)
		a := try(guesser, "ines@marlowe.example", wrong).Want(t, 422)
		if next := try(guesser, "ines@marlowe.example", wrong).Want(t, 429).Header.Get("Retry-After"); next != strconv.Itoa(min(2*wait, 60)) {
			t.Errorf("after %d seconds one waits %s: %d", wait, next, a.Status)
		}
	}
	s.Clock.Advance(time.Minute)
	try(guesser, "ines@marlowe.example", storetest.Password).To(t, "/")
	try(guesser, "ines@marlowe.example", wrong).Want(t, 422) // the count began anew
}

// Without a proxy that is named as trusted, nobody chooses the address that they are counted by, nor the
// one that the log of changes shows (security.md G9).
func TestForwardedAddressesAreNotBelieved(t *testing.T) {
	t.Parallel()
	world := webtest.SQLite(t)
	for trusted, believed := range map[string]bool{"": false, "203.0.113.0/24": false, "127.0.0.1/32": true} {
		s := world
		if trusted != "" {
			s = webtest.Start(t, world.World, webtest.Trusting(trusted))
			s.Admin = world.Admin
		}
		for i := range 5 {
			s.Browser(t).Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": "a wrong password of some length"},
				"X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i), "X-Real-IP", fmt.Sprintf("198.51.100.%d", i), "Forwarded", fmt.Sprintf("for=198.51.100.%d", i)).Want(t, 422)
		}
		want := map[bool]int{true: 303, false: 429}[believed]
		s.Browser(t).Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}, "X-Forwarded-For", "198.51.100.77").Want(t, want)
		s.Clock.Advance(time.Hour)
		s.Browser(t).Post(t, "/signin", webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}, "X-Forwarded-For", "198.51.100.77").Want(t, 303)
		events, err := s.Events(t.Context(), s.Admin, models.EventFilter{Limit: 1})
		if err != nil || (events[0].Address == "198.51.100.77") != believed {
			t.Errorf("trusting %q the change came from %s, %v", trusted, events[0].Address, err)
		}
	}
}

// What is wrong with the current password is counted as at sign-in, by the same count (S10): a stolen
// session is no way to guess, neither with the browser's device nor without.
func TestGuessingTheCurrentPasswordIsSlowed(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin := s.SignedIn(t, "ines@marlowe.example")
	signIn := webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}
	guess := webtest.Form{"current_password": "a wrong password of some length", "new_password": "seven green bicycles under a bridge"}
	right := webtest.Form{"current_password": storetest.Password, "new_password": guess["new_password"]}
	for name, browser := range map[string]*webtest.Agent{"the browser": admin, "a thief of the session": s.Browser(t).With(t, "sid", admin.Cookie(t, "sid"))} {
		for range 5 {
			browser.Post(t, "/account/password", guess).Want(t, 422)
		}
		if a := browser.Post(t, "/account/password", right).Want(t, 429); a.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After is %q", name, a.Header.Get("Retry-After"))
		}
	}
	admin.Post(t, "/signin", signIn).Want(t, 429)
	s.Browser(t).Post(t, "/signin", signIn).To(t, "/") // another browser
	// What says nothing about the password is not counted.
	s.Clock.Advance(16 * time.Minute)
	admin = s.SignedIn(t, "ines@marlowe.example")
	for range 8 {
		admin.Post(t, "/account/password", webtest.Form{"current_password": storetest.Password, "new_password": "short"}).Want(t, 422)
	}
	admin.Post(t, "/account/password", right).To(t, "/account")
}

// Nothing but the right password clears the count: neither a form that comes back for another reason,
// nor a database that is away, gives whoever guesses a way to begin anew.
func TestOnlyTheRightPasswordClearsTheCount(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	away := webtest.Start(t, s.World, webtest.Over(closed(t, s)))
	away.Handlers.Throttle = s.Handlers.Throttle
	admin := s.SignedIn(t, "ines@marlowe.example")
	signIn, mistyped := webtest.Form{"email": "ines@marlowe.example", "password": storetest.Password}, webtest.Form{"email": "ines@marlowe.example", "password": wrong}
	guess := webtest.Form{"current_password": wrong, "new_password": "seven green bicycles under a bridge"}
	for _, clears := range []func(){
		func() {
			admin.Post(t, "/account/password", webtest.Form{"current_password": wrong, "new_password": "short"}).Want(t, 422)
		},
		func() {
			here := away.Browser(t).With(t, "device", admin.Cookie(t, "device"))
			here.Post(t, "/signin", signIn).Want(t, 503)
		},
	} {
		for range 4 {
			admin.Post(t, "/account/password", guess).Want(t, 422)
			clears()
		}
		clears()
		admin.Post(t, "/signin", mistyped).Want(t, 422) // the fifth
		admin.Post(t, "/signin", mistyped).Want(t, 429)
		s.Clock.Advance(time.Minute)
		admin.Post(t, "/signin", signIn).To(t, "/")
	}
}
