package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/models/secret"
)

// Status is the shape of every answer of the account API: what came of the call, and what was asked for.
type Status struct {
	Status statusLine `json:"status"`
	Data   any        `json:"data"`
}

type statusLine struct {
	ErrorCode string `json:"error_code"` // of a refusal; stable
	HTTPCode  int    `json:"http_code"`  // the status of the answer
	Message   string `json:"message"`
}

// StatusOf is a refusal in that shape.
func StatusOf(status int, code, message string) Status {
	return Status{Status: statusLine{ErrorCode: code, HTTPCode: status, Message: message}}
}

func answered(c echo.Context, message string, data any) error {
	return c.JSON(http.StatusOK, Status{Status: statusLine{HTTPCode: http.StatusOK, Message: message}, Data: data})
}

// Revealed is a secret in the answer to the call that made it.
type Revealed struct{ text secret.Text }

// RevealedOnce puts a secret into the answer to the call that made it.
func RevealedOnce(text secret.Text) *Revealed { return &Revealed{text} }

// MarshalJSON writes the secret.
func (r Revealed) MarshalJSON() ([]byte, error) { return json.Marshal(r.text.Reveal()) }

// largestAccountBody is more than any call of the account API has to say, in bytes.
const largestAccountBody = 16 << 10

// accountInput reads the object that a call brings into the fields that it may have, pointers to a text or a boolean. No body is an empty object. A
// field that is there and says nothing is refused: it is a variable that was not filled in, and must not mean as much as its absence.
func accountInput(c echo.Context, fields map[string]any) error {
	if err := noParameters(c); err != nil {
		return err
	}
	return bodyFields(c, fields)
}

// bodyFields is accountInput where the address may have parameters.
func bodyFields(c echo.Context, fields map[string]any) error {
	r := c.Request()
	if r.ContentLength == 0 {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); err != nil || kind != echo.MIMEApplicationJSON {
		return models.Fail(models.Ambiguous, "Send a JSON object, with Content-Type: application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, largestAccountBody))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return models.Fail(models.TooLarge, "The body is larger than 16 KiB. No call of the account API needs that much.").Because(err)
	}
	if err != nil {
		return models.Fail(models.Ambiguous, "The body could not be read to its end. Send it again.").Because(err)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	return readFields(body, fields)
}

var notAnObject = models.Fail(models.Ambiguous, `The body is no JSON object. Send one like {"email":"…","password":"…"}.`)

// noParameters refuses what stands in the address and means nothing there: it may be a field that should be in the body.
func noParameters(c echo.Context, but ...string) error {
	for name := range c.Request().URL.Query() {
		if !slices.Contains(but, name) {
			return models.Fail(models.Ambiguous, "There is no parameter %.40q in the address of this call. Leave it out, or send it in a JSON object.", name)
		}
	}
	return nil
}

// mayBeEmpty are fields that mean the same whether they are empty or not there.
var mayBeEmpty = []string{"workspace_id"}

// typeNames are what encoding/json calls a value, in a sentence.
var typeNames = map[string]string{"array": "an array", "object": "an object", "number": "a number", "bool": "true or false", "string": "a text"}

// readFields reads a JSON object with each field at most once, and none that is not named, for that may be a slip. encoding/json alone would
// take the last of two fields of one name, and a name in any case.
func readFields(body []byte, fields map[string]any) error {
	decoder, seen := json.NewDecoder(bytes.NewReader(body)), map[string]bool{}
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return notAnObject.Because(err)
	}
	for decoder.More() {
		t, err := decoder.Token()
		if err != nil {
			return notAnObject.Because(err)
		}
		name, _ := t.(string) // encoding/json takes nothing else there
		field, known := fields[name]
		switch {
		case !known:
			return models.Fail(models.Ambiguous, "There is no field %.40q in this call. Leave it out.", name)
		case seen[name]:
			return models.Fail(models.Ambiguous, "The field %s was sent more than once. Send it once.", name)
		}
		seen[name] = true
		var wrong *json.UnmarshalTypeError
		if err := decoder.Decode(field); errors.As(err, &wrong) {
			return models.Fail(models.Ambiguous, "The field %s cannot be %s.", name, typeNames[wrong.Value])
		} else if err != nil {
			return notAnObject.Because(err)
		}
		switch value := field.(type) {
		case *string:
			if *value == "" && !slices.Contains(mayBeEmpty, name) {
				return models.Fail(models.Ambiguous, "The field %s is empty. Fill it in, or leave it out.", name)
			}
			if !Legible(*value) {
				return models.Fail(models.Ambiguous, "The field %s is not text. Send it again.", name)
			}
		case **bool:
			if *value == nil {
				return models.Fail(models.Ambiguous, "The field %s is empty. Fill it in, or leave it out.", name)
			}
		}
	}
	if _, err := decoder.Token(); err != nil {
		return notAnObject.Because(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return notAnObject.Because(err)
	}
	return nil
}
