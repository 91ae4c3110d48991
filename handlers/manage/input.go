package manage

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/models"
	"tokendesk/models/secret"
)

// largestBody is more than any call has to say, in bytes: a product's resources are the longest.
const largestBody = 256 << 10

const idempotencyKey = "Idempotency-Key"

// onceFor is the one-use number of a call with an Idempotency-Key, which is its caller's alone.
func onceFor(personID, key string) string {
	return secret.HashOf("tokendesk/idempotency/v1", personID+"\x00"+key).Hex()
}

// read fills what a call brings: path, query and header by the tags of those names, and the rest from a JSON object. What is there and is
// not meant is refused, for it may be a slip; so is what comes twice.
func read(c echo.Context, into any) error {
	value := reflect.ValueOf(into).Elem()
	query, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return models.Fail(models.Ambiguous, "The address could not be read: its part after the question mark is not well-formed.").Because(err)
	}
	known := map[string]bool{}
	if handlers.ReadsWithKey(c) {
		known[handlers.AccessKeyParameter] = true
	}
	body := false
	for field, at := range fieldsOf(value) {
		name, from := field.Tag.Get("query"), query[field.Tag.Get("query")]
		switch {
		case field.Tag.Get("path") != "":
			name, from = field.Tag.Get("path"), []string{c.Param(field.Tag.Get("path"))}
		case field.Tag.Get("header") != "":
			name, from = field.Tag.Get("header"), c.Request().Header.Values(field.Tag.Get("header"))
		case name != "":
			known[name] = true
		default:
			body = true
			continue
		}
		if err := set(at, field, name, from); err != nil {
			return err
		}
	}
	for name := range query {
		if !known[name] {
			return models.Fail(models.Ambiguous, "There is no parameter %.40q in the address of this call. Leave it out.", secret.Mask(name))
		}
	}
	return readBody(c, into, body)
}

// fieldsOf are the fields of a struct and of those that it embeds.
func fieldsOf(value reflect.Value) func(yield func(reflect.StructField, reflect.Value) bool) {
	return func(yield func(reflect.StructField, reflect.Value) bool) {
		for _, field := range reflect.VisibleFields(value.Type()) {
			if !field.Anonymous && !yield(field, value.FieldByIndex(field.Index)) {
				return
			}
		}
	}
}

// set reads one value of an address or a header.
func set(at reflect.Value, field reflect.StructField, name string, from []string) error {
	if len(from) == 0 {
		return nil
	}
	if len(from) > 1 {
		return models.Fail(models.Ambiguous, "%s was sent more than once. Send it once.", name)
	}
	text := from[0]
	if !handlers.Legible(text) {
		return models.Fail(models.Ambiguous, "%s is not text.", name)
	}
	if field.Tag.Get("path") == "" && text == "" {
		return models.Fail(models.Ambiguous, "%s is empty. Fill it in, or leave it out.", name)
	}
	if allowed := field.Tag.Get("enum"); allowed != "" && !among(text, allowed) {
		return models.Fail(models.Ambiguous, "%s is one of %s.", name, strings.ReplaceAll(allowed, ",", ", "))
	}
	if most := field.Tag.Get("maxLength"); most != "" {
		if n, _ := strconv.Atoi(most); len(text) > n {
			return models.Fail(models.Ambiguous, "%s is longer than %s characters.", name, most)
		}
	}
	switch at.Kind() {
	case reflect.String:
		at.SetString(text)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		least, most := number(field, "minimum"), number(field, "maximum")
		if err != nil || n < least || n > most || strconv.Itoa(n) != text {
			return models.Fail(models.Ambiguous, "%s is a whole number from %d to %d.", name, least, most)
		}
		at.SetInt(int64(n))
	case reflect.Bool:
		at.SetBool(text == "true")
	}
	return nil
}

func among(text, list string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one == text {
			return true
		}
	}
	return false
}

func number(field reflect.StructField, tag string) int {
	n, err := strconv.Atoi(field.Tag.Get(tag))
	if err != nil { // each number of an address has both bounds
		panic(err)
	}
	return n
}

// readBody reads the JSON object of a call that has one.
func readBody(c echo.Context, into any, wanted bool) error {
	r := c.Request()
	if !wanted {
		if r.ContentLength != 0 {
			return models.Fail(models.Ambiguous, "This call takes no body. Leave it out.")
		}
		return nil
	}
	if kind, words, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); r.ContentLength != 0 && (err != nil || kind != echo.MIMEApplicationJSON || !utf8Or(words["charset"])) {
		return models.Fail(models.Ambiguous, "Send a JSON object in UTF-8, with Content-Type: application/json.")
	}
	text, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, largestBody))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return models.Fail(models.TooLarge, "The body is larger than 256 KiB. No call of this API needs that much.").Because(err)
	}
	if err != nil {
		return models.Fail(models.Ambiguous, "The body could not be read to its end. Send it again.").Because(err)
	}
	if len(text) == 0 {
		text = []byte("{}")
	}
	if !strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return notAnObject
	}
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		return wrongBody(err)
	}
	if name := secretIn(reflect.ValueOf(into).Elem()); name != "" {
		return models.Fail(models.Invalid, "The field %s holds a whole token, which others would see. Send something else.", name)
	}
	if !allLegible(reflect.ValueOf(into)) {
		return models.Fail(models.Ambiguous, "A text in the body has a NUL character in it. Leave that out.")
	}
	return nil
}

var notAnObject = models.Fail(models.Ambiguous, "The body is no JSON object. The document at /v1/openapi.json says what each call takes.")

// utf8Or says whether a character set is the one of JSON, or none is named.
func utf8Or(charset string) bool { return charset == "" || strings.EqualFold(charset, "utf-8") }

// wrongBody says what is wrong with a body, and where.
func wrongBody(err error) error {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
		return models.Fail(models.Ambiguous, "There is no field %.60s in this call. Leave it out.", dotted(semantic.JSONPointer)).Because(err)
	case errors.As(err, &semantic):
		return models.Fail(models.Ambiguous, "The field %.60s is not of the type that it must be.", dotted(semantic.JSONPointer)).Because(err)
	case errors.As(err, &syntactic) && errors.Is(err, jsontext.ErrDuplicateName):
		return models.Fail(models.Ambiguous, "The field %.60s was sent more than once. Send it once.", dotted(syntactic.JSONPointer)).Because(err)
	}
	return notAnObject.Because(err)
}

// dotted writes a pointer into a body as people do: scopes.2.
func dotted(at jsontext.Pointer) string {
	return secret.Mask(models.OnlyPrintable(strings.ReplaceAll(strings.TrimPrefix(string(at), "/"), "/", ".")))
}

// secretIn is the name of a field that holds a whole credential, which would be kept for others to read; empty where none does. Fields that are for one say so by
// their tag.
func secretIn(value reflect.Value) string {
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			return secretIn(value.Elem())
		}
	case reflect.Slice:
		for i := range value.Len() {
			if name := secretIn(value.Index(i)); name != "" {
				return name
			}
		}
	case reflect.String:
		if text := value.String(); secret.Mask(text) != text {
			return "that"
		}
	case reflect.Struct:
		for i := range value.NumField() {
			field := value.Type().Field(i)
			if field.Tag.Get("secret") != "" || field.Type == reflect.TypeFor[time.Time]() {
				continue
			}
			if name := secretIn(value.Field(i)); name != "" {
				named, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				if name == "that" && named != "" {
					return named
				}
				return name
			}
		}
	}
	return ""
}

// allLegible says whether every text in a value is text, as databases keep it.
func allLegible(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.String:
		return handlers.Legible(value.String())
	case reflect.Pointer:
		return value.IsNil() || allLegible(value.Elem())
	case reflect.Slice:
		for i := range value.Len() {
			if !allLegible(value.Index(i)) {
				return false
			}
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).IsExported() && !allLegible(value.Field(i)) {
				return false
			}
		}
	}
	return true
}
