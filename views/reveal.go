package views

import "cmp"

// Reveal is the one answer that carries a secret.
type Reveal struct {
	Secret           string // the whole token; written into the page exactly once
	Prefix, LastFour string
	Expires          Time
	Replaced         string // first eight characters of the token that this one replaced; empty for a first one
	Receipt          string // since when that one is refused, and which servers said so
}

// Shown says that the one-use form was sent before.
type Shown struct {
	RecordHref string // back to the record
	Name       string // of the person
	Made       Time   // when the token was created
	CreateHref string // the dialog page that makes a new one; empty when that is not possible
	Noun       string // "API key"; empty: "token"
}

func (s Shown) noun() string { return cmp.Or(s.Noun, "token") }

func (s Shown) create() string { return "Create a new " + s.noun() }

func (s Shown) backText() string {
	if s.Name == "" {
		return "Back to the record"
	}
	return "Back to " + s.Name
}
