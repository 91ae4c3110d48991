// Package secret makes, recognises, hashes and seals what nobody but its holder may know: credentials,
// session ids, passwords, and the values that the server must be able to read back. It knows nothing of
// databases, requests or settings. Which cipher, hash or length is used is decided here and nowhere else.
package secret

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// masked is what every way of printing a Text gives.
const masked = "[secret]"

// errStored is what a database or a binary encoder gets instead of a secret.
var errStored = errors.New("secret: a secret must not be stored; store its hash")

// Text is a secret in the clear. Printing, logging and encoding it give "[secret]", and storing it is an
// error, so that a forgotten field shows nothing; Reveal is the one exit, and a reviewer looks for it.
//
// What the language leaves open, a test pins: package fmt does not ask the values of unexported fields
// how they want to be printed, nor anybody for the verbs %p and %w (go vet refuses the latter); and
// encoding/json writes a string key of a map as it is. So no struct that keeps a Text in an unexported
// field is printed, and no map has secrets for keys. The conversion string(t) is Reveal by another name:
// only this package uses it.
type Text string

// Reveal gives the secret itself, for the one answer that shows it to its owner.
func (t Text) Reveal() string { return string(t) }

// String hides the secret from whatever asks for text, templates included.
func (Text) String() string { return masked }

// GoString hides the secret from %#v.
func (Text) GoString() string { return masked }

// Format hides the secret from every verb that package fmt asks about: all but %T, which prints the type,
// %p and %w.
func (Text) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, masked) }

// MarshalText hides the secret from encoders that take text.
func (Text) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalJSON hides the secret from JSON: an answer that shows one says so with Reveal.
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// MarshalBinary refuses: encoding/gob, which cookies and caches use, would keep the secret.
func (Text) MarshalBinary() ([]byte, error) { return nil, errStored }

// LogValue hides the secret from package slog.
func (Text) LogValue() slog.Value { return slog.StringValue(masked) }

// Value refuses to be written to a database.
func (Text) Value() (driver.Value, error) { return nil, errStored }

// Scan refuses to be read from a database, where no secret may be.
func (*Text) Scan(any) error { return errStored }
