package models

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what went wrong in terms of who can do something about it. The set is closed:
// a new kind needs a row in web/errors.go, which turns kinds into HTTP, and nowhere else.
type Kind string

const (
	Internal     Kind = "internal"      // a fault of ours, or a cause nobody foresaw
	Invalid      Kind = "invalid"       // the input breaks a rule; Fields says which
	Ambiguous    Kind = "ambiguous"     // the request can be read in two ways, or not at all
	Unauthorized Kind = "unauthorized"  // nobody is signed in, or the secret is wrong
	Forbidden    Kind = "forbidden"     // known, and not allowed
	NotFound     Kind = "not_found"     // looked up, and not there
	Conflict     Kind = "conflict"      // the state of the thing does not allow it
	TooMany      Kind = "too_many"      // a limit; RetryAfter says how long
	Unavailable  Kind = "unavailable"   // could not find out: the database is away, a queue is full
	TooLarge     Kind = "too_large"     // more bytes, entries or fields than the limit
	ShownAlready Kind = "shown_already" // the one-use form was sent before; its secret cannot be shown again
)

// Error is a failure with a sentence for its reader. The cause is for the log only.
type Error struct {
	Kind              Kind
	Code              string  // its stable name for programs; empty: the kind's
	Message           string  // a whole sentence for the reader: what happened and what to do
	Fields            []Field // for Invalid: one entry a field, in the order of the form
	RetryAfterSeconds int     // for TooMany and Unavailable; 0 means unknown
	SubjectID         string  // for ShownAlready: what the form made the first time
	cause             error
}

// Field is one problem of one input field.
type Field struct{ Name, Message string }

// Fail makes an error of a kind with a sentence for its reader.
func Fail(kind Kind, message string, args ...any) *Error {
	if len(args) > 0 {
		message = fmt.Sprintf(message, args...)
	}
	return &Error{Kind: kind, Message: message}
}

// Because attaches a cause, which is logged and never shown. The receiver is not changed.
func (e *Error) Because(cause error) *Error {
	with := *e
	with.cause = cause
	return &with
}

// Named gives the error a name that programs may rely on. The receiver is not changed.
func (e *Error) Named(code string) *Error {
	with := *e
	with.Code = code
	return &with
}

func (e *Error) Error() string {
	text := e.Message
	for _, f := range e.Fields {
		text += " " + f.Name + ": " + f.Message
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return strings.TrimSpace(text)
}

func (e *Error) Unwrap() error { return e.cause }

// KindOf finds the kind of an error; whatever is not ours is Internal, and nil has none.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Problems gathers everything that is wrong with an input, so that all of it is told at once.
type Problems []Field

// Add records a problem of a field when bad is true; only a field's first problem is kept.
func (p *Problems) Add(bad bool, field, message string) {
	if !bad {
		return
	}
	for _, f := range *p {
		if f.Name == field {
			return
		}
	}
	*p = append(*p, Field{field, message})
}

// Err is nil when there are no problems, and otherwise an Error of kind Invalid with all of them.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: "There is a problem.", Fields: p}
}

// Message finds what was said of a field; empty when nothing was.
func (p Problems) Message(field string) string {
	for _, f := range p {
		if f.Name == field {
			return f.Message
		}
	}
	return ""
}
