package handlers

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// formBytes is the most that a form may weigh; the longest field of any form is a password.
const formBytes = 64 << 10

// form reads a form that may have these fields, each at most once (security rule W9), and answers
// the values of those that were sent.
func form(c echo.Context, fields ...string) (map[string]string, error) {
	sent, err := sentFields(c)
	if err != nil {
		return nil, err
	}
	return single(sent, fields)
}

// formWithMany is form for one that has a field which may come several times, at most most times.
func formWithMany(c echo.Context, many string, most int, fields ...string) (values map[string]string, list []string, err error) {
	sent, err := sentFields(c)
	if err != nil {
		return nil, nil, err
	}
	list = sent[many]
	if len(list) > most || !Legible(strings.Join(list, "")) {
		return nil, nil, models.Fail(models.Ambiguous, "The field %s is not one that this form sends. Reload the page and try again.", many)
	}
	sent = maps.Clone(sent)
	delete(sent, many)
	values, err = single(sent, fields)
	return values, list, err
}

// sentFields reads a form's fields.
func sentFields(c echo.Context) (url.Values, error) {
	r := c.Request()
	kind, _, _ := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if kind != echo.MIMEApplicationForm && r.ContentLength != 0 {
		return nil, models.Fail(models.Ambiguous, "Send this form as application/x-www-form-urlencoded.")
	}
	tooLarge := models.Fail(models.TooLarge, "The form is larger than 64 KiB. Shorten what you typed.")
	if r.ContentLength > formBytes {
		return nil, tooLarge // nobody waits for what is not read
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, formBytes)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, tooLarge.Because(err)
		}
		return nil, models.Fail(models.Ambiguous, "The form could not be read. Reload the page and try again.").Because(err)
	}
	return r.PostForm, nil
}

func single(sent url.Values, fields []string) (map[string]string, error) {
	values := make(map[string]string, len(fields))
	for name, list := range sent {
		if !slices.Contains(fields, name) {
			return nil, models.Fail(models.Ambiguous, "This form has no field of that name. Reload the page and try again.")
		}
		if len(list) > 1 {
			return nil, models.Fail(models.Ambiguous, "The field %s was sent more than once. Send it once.", name)
		}
		if !Legible(list[0]) {
			return nil, models.Fail(models.Ambiguous, "The field %s is not text. Type it again.", name)
		}
		if slices.Contains(kept, name) && secret.Mask(list[0]) != list[0] {
			return nil, models.Fail(models.Invalid, "The field %s holds a whole token, which others would see. Go back and type something else.", name)
		}
		values[name] = list[0]
	}
	return values, nil
}

// kept are the fields whose text is kept for others to read.
var kept = []string{"name", "email", "workspace", "reason", "upstream", "resources"}

// query reads the parameters that a page may have, each at most once. Others are ignored: whoever
// passes a link on may have added to it.
func query(c echo.Context, names ...string) (map[string]string, error) {
	sent, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, models.Fail(models.Ambiguous, "The address could not be read: its part after the question mark is not well-formed.").Because(err)
	}
	values := make(map[string]string, len(names))
	for _, name := range names {
		if len(sent[name]) > 1 {
			return nil, models.Fail(models.Ambiguous, "The parameter %s stands in the address more than once.", name)
		}
		if !Legible(sent.Get(name)) {
			return nil, models.Fail(models.Ambiguous, "The parameter %s in the address is not text.", name)
		}
		values[name] = sent.Get(name)
	}
	return values, nil
}

// Legible says whether text is text: UTF-8 without NUL, as every database keeps it. What is not is
// refused where it comes in, or else one database would answer and another fail.
func Legible(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// without copies a form's values for showing them again, less what may never come back.
func without(values map[string]string, names ...string) map[string]string {
	kept := make(map[string]string, len(values))
	for name, value := range values {
		if !slices.Contains(names, name) {
			kept[name] = value
		}
	}
	return kept
}

// passwords never come back in a form.
var passwords = []string{"password", "current_password", "new_password"}

// local accepts a path of this console to go on to, and nothing that a browser could read as another
// site (security rule W8).
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || len(next) > 2000 || !models.Printable(next) {
		return "/"
	}
	if len(next) < 1 || next[0] != '/' || (len(next) > 1 && (next[1] == '/' || next[1] == '\\')) {
		return "/"
	}
	return next
}
