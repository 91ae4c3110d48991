package handlers

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
)

func posted(kind, body string) echo.Context {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return echo.New().NewContext(r, httptest.NewRecorder())
}

// Whatever is sent as a form: either each of its fields, once, as text, exactly as net/url decodes it, or
// an error that says whose fault it is.
func FuzzForm(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "name=a&email=b")
	f.Add("application/x-www-form-urlencoded; charset=utf-8", "name=a&name=b")
	f.Add("application/x-www-form-urlencoded", "name=%00")
	f.Add("application/x-www-form-urlencoded", "name=%ff&email=%zz;")
	f.Add("APPLICATION/X-WWW-FORM-URLENCODED", "na%6de=1")
	f.Add("text/plain", "name=a")
	f.Add("", "")
	f.Add("application/x-www-form-urlencoded", strings.Repeat("name=a&", 20_000))
	f.Fuzz(func(t *testing.T, kind, body string) {
		got, err := form(posted(kind, body), "name", "email")
		if err != nil {
			if k := models.KindOf(err); k != models.Ambiguous && k != models.TooLarge {
				t.Fatalf("%s: %v", k, err)
			}
			return
		}
		if body == "" && len(got) == 0 {
			return
		}
		sent, err := url.ParseQuery(body)
		if err != nil || len(sent) != len(got) {
			t.Fatalf("%q, %v became %q", sent, err, got)
		}
		for name, value := range got {
			if !slices.Equal(sent[name], []string{value}) || name != "name" && name != "email" || !utf8.ValidString(value) || strings.Contains(value, "\x00") {
				t.Fatalf("%q became %q", sent, got)
			}
		}
	})
}

// What cannot be told in a form again is left out of it, and only that.
func TestWithoutPasswords(t *testing.T) {
	sent := map[string]string{"name": "a", "password": "b", "current_password": "c", "new_password": "d"}
	if got := without(sent, passwords...); len(got) != 1 || got["name"] != "a" || len(sent) != 4 {
		t.Errorf("%v of %v", got, sent)
	}
}

func key(t testing.TB) secret.Key {
	t.Helper()
	k, err := secret.OpenKey(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A place comes back as it was given out, for its own list; the end of a list is no text.
func TestPlaces(t *testing.T) {
	h := &Handlers{Key: key(t)}
	at := models.Place{Key: "ines \u00e9 \"<>&", ID: models.NewID()}
	if got, err := h.from("people", h.where("people", at)); err != nil || got != at {
		t.Errorf("%+v became %+v, %v", at, got, err)
	}
	if _, err := h.from("collections", h.where("people", at)); models.KindOf(err) != models.Ambiguous {
		t.Errorf("a place in another list: %v", err)
	}
	if _, err := (&Handlers{Key: key(t)}).from("people", h.where("people", at)); models.KindOf(err) != models.Ambiguous {
		t.Errorf("a place of another installation: %v", err)
	}
	if got := h.where("people", models.Place{}); got != "" {
		t.Errorf("the end of a list is %q", got)
	}
	if got, err := h.from("people", ""); err != nil || got != (models.Place{}) {
		t.Errorf("the beginning is %+v, %v", got, err)
	}
}

// Nobody makes up a place: what was not given out is refused, and what is accepted is what was given out.
func FuzzCursor(f *testing.F) {
	h := &Handlers{Key: key(f)}
	real := h.where("people", models.Place{Key: "a", ID: "b"})
	for _, seed := range []string{real, real + "=", real[1:], "x", "." + real, strings.Replace(real, ".", "..", 1), "eyJrIjoiYSJ9", "{}", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := h.from("people", text)
		if err == nil && text != real && text != "" {
			t.Fatalf("%q was accepted as %+v", text, at)
		}
		if err != nil && models.KindOf(err) != models.Ambiguous {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
