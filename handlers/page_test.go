package handlers

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
)

// Initials are two letters at most, of the first and the last word, in any script.
func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Ines Moreau": "IM", "Ines": "I", "ines de la moreau": "IM", "  Ines   Moreau  ": "IM", "Éva Ölund": "ÉÖ", "李 小龍": "李小", "Dr. O'Neil-Smith": "DS",
		"42 Main": "4M", "": "?", "---": "?", "<b>": "B", "\U0001f600 Smile": "S",
	} {
		if got := initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// A browser is named for people to recognise, by the first mark that fits: those that call themselves
// by several names come before the names they borrow.
func TestBrowser(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0":                                                           "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36":                  "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0":    "Edge on Windows",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/155.0.0.0 Safari/537.36 OPR/120.0.0.0":              "Opera on Linux",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.0 Safari/605.1.15":               "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.0 Mobile Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36":            "Chrome on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 15000.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36":                   "Chrome on ChromeOS",
		"curl/8.5.0": "curl", "Linux": "Linux", "": "Unknown browser", "Go-http-client/1.1": "Unknown browser", "<script>": "Unknown browser",
	} {
		if got := browser(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

// The address in a command that people copy is the one that is configured, or the one that they came by
// if it is an address and nothing else: it is sent by the browser, and runs in a shell.
func TestAddress(t *testing.T) {
	for host, want := range map[string]string{
		"console.example": "http://console.example", "127.0.0.1:8080": "http://127.0.0.1:8080", "[::1]:8080": "http://[::1]:8080",
		"x;rm -rf ~": "http://localhost", "$(id)": "http://localhost", "a b": "http://localhost", "": "http://localhost", "x`id`": "http://localhost", "<b>": "http://localhost", "a/b": "http://localhost",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		if got := (&Handlers{}).address(echo.New().NewContext(r, httptest.NewRecorder())); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
		if got := (&Handlers{BaseURL: "https://console.example"}).address(echo.New().NewContext(r, httptest.NewRecorder())); got != "https://console.example" {
			t.Errorf("%q: %q", host, got)
		}
	}
}

// What a model says of an input goes to the form; what is not about the input does not.
func TestRefused(t *testing.T) {
	cause := errors.New("cause")
	var p models.Problems
	p.Add(true, "name", "Enter a name.")
	for name, c := range map[string]struct {
		err    error
		status int
		field  string
	}{
		"fields": {p.Err(), 422, "name"}, "a sentence": {models.Fail(models.Invalid, "No."), 422, ""}, "a conflict": {models.Fail(models.Conflict, "No.").Because(cause), 409, ""},
	} {
		back, status, err := refused(c.err, map[string]string{"name": "x"})
		if err != nil || status != c.status || len(back.Errors) != 1 || back.Errors[0].Name != c.field || back.Errors[0].Message == "" || back.Value("name") != "x" {
			t.Errorf("%s: %+v, %d, %v", name, back, status, err)
		}
	}
	for _, kind := range []models.Kind{models.Internal, models.NotFound, models.Forbidden, models.Unavailable, models.TooMany, models.ShownAlready, models.Unauthorized} {
		if _, _, err := refused(models.Fail(kind, "No."), nil); models.KindOf(err) != kind {
			t.Errorf("%s became %v", kind, err)
		}
	}
	if _, _, err := refused(cause, nil); err != cause {
		t.Errorf("what is not ours became %v", err)
	}
}

// Only a wrong current password counts as a failed attempt: a new one that is too short, or a database
// that is away, says nothing about who is asking.
func TestWrongPassword(t *testing.T) {
	problem := func(fields ...string) error {
		var p models.Problems
		for _, field := range fields {
			p.Add(true, field, "No.")
		}
		return p.Err()
	}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"none": {nil, false}, "wrong": {problem("current_password"), true}, "new one": {problem("new_password"), false}, "both": {problem("current_password", "new_password"), false},
		"away": {models.Fail(models.Unavailable, "Away."), false}, "whole form": {models.Fail(models.Invalid, "No."), false},
	} {
		if got := wrongPassword(c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
