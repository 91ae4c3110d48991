package web

import (
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"tokendesk/models"
	"tokendesk/models/access"
)

// answers are buffers that answers are written in.
var answers = sync.Pool{New: func() any { buffer := make([]byte, 0, 1<<10); return &buffer }}

// inactive is all that is said of a credential that is not good, or not the caller's to ask about (RFC 7662, section 2.2).
var inactive = []byte("{\"active\":false}\n")

// appendActive writes what is said of a credential that is good (RFC 7662, section 2.2): each is a client of its own, what acts as nobody is its own
// subject, and what is for a product or a collection is for its ID. kind, workspace and collection are members of ours.
func appendActive(b []byte, d access.Decision, issuer string) []byte {
	k := &d.Known
	id, audience, collection := access.TextOf(k.ID), "", ""
	subject := id
	if k.Kind() == models.CollectionKey {
		collection = access.TextOf(k.Of)
		audience = collection
	}
	if person := access.TextOf(k.Person); person != "" && k.Kind().Persons() {
		subject = person
	}
	if d.Product != nil {
		audience = d.Product.ID
	}
	b = append(b, `{"active":true,"token_type":"Bearer"`...)
	b = appendMember(b, "kind", string(k.Kind()))
	b = appendMember(b, "client_id", id)
	b = appendMember(b, "sub", subject)
	b = appendMember(b, "scope", d.Scope)
	b = appendMember(b, "workspace", access.TextOf(d.Workspace))
	b = appendMember(b, "collection", collection)
	b = appendMember(b, "aud", audience)
	b = appendMember(b, "iss", issuer)
	b = append(b, `,"iat":`...)
	b = strconv.AppendInt(b, k.Created().Unix(), 10)
	if ends := k.Expires(); !ends.IsZero() {
		b = append(b, `,"exp":`...)
		b = strconv.AppendInt(b, ends.Unix(), 10)
	}
	return append(b, "}\n"...)
}

// appendMember writes a member after others; one that is empty is left out.
func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendText(b, value)
}

// appendText writes a text.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := jsontext.AppendQuote(b, text)
			if err != nil { // what is no UTF-8 is written as characters that stand for it
				return quoted
			}
			return quoted
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}
