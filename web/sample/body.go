package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// readBody reads a body of JSON, up to a number of bytes. It is empty where none was sent.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if errors.As(err, new(*http.MaxBytesError)) {
		return nil, tooLarge(fmt.Sprintf("The body is larger than %d bytes. Send less at once.", limit))
	}
	if err != nil {
		return nil, badRequest("The body ended before it was whole. Send it again.")
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return nil, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (kind != "application/json" && !strings.HasSuffix(kind, "+json")) {
		return nil, &problem{http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the body as JSON, with the header Content-Type: application/json."}
	}
	return body, nil
}

// decode reads one JSON object. What it does not know, it refuses: a misspelled name would do nothing otherwise.
func decode[T any](w http.ResponseWriter, r *http.Request, limit int64) (value T, err error) {
	body, err := readBody(w, r, limit)
	if err != nil {
		return value, err
	}
	if len(body) == 0 || body[0] != '{' {
		return value, badRequest("Send a JSON object, like " + example[T]() + ".")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		return value, badRequest(explain(err))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return value, badRequest("There is more after the JSON object. Send one object and nothing else.")
	}
	return value, nil
}

// example is an empty object of the type, with the names that it has.
func example[T any]() string {
	var value T
	text, _ := json.Marshal(value)
	return string(text)
}

// explain says what is wrong with JSON, in words for whoever sent it.
func explain(err error) string {
	var wrong *json.UnmarshalTypeError
	var broken *json.SyntaxError
	switch {
	case errors.As(err, &wrong):
		return fmt.Sprintf("%q cannot be a JSON %s. Send another type.", wrong.Field, wrong.Value)
	case errors.As(err, &broken):
		return fmt.Sprintf("The body is not JSON: at byte %d, %s.", broken.Offset, broken)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "The body is not JSON: it ends too early."
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return fmt.Sprintf("There is no field %s here. Leave it out, or look at its spelling.", name)
	}
	return "The body is not JSON that can be read here."
}

// problems are what is wrong with an input, all at once.
type problems []string

func (p *problems) add(wrong bool, message string) {
	if wrong {
		*p = append(*p, message)
	}
}

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return unprocessable(strings.Join(p, " "))
}
