package views

import "strings"

// Reference is the management API for readers, made of the document that describes it.
type Reference struct {
	Groups []ReferenceGroup
	Shapes []ReferenceShape
}

// ReferenceGroup is calls about one kind of thing.
type ReferenceGroup struct {
	Name  string
	Calls []ReferenceCall
}

// ID is where the group begins on its page.
func (g ReferenceGroup) ID() string {
	return "about-" + strings.ToLower(strings.ReplaceAll(g.Name, " ", "-"))
}

// ReferenceCall is one call.
type ReferenceCall struct {
	ID           string // getPerson
	Method, Path string
	Summary      string
	Detail       string
	Parameters   []ReferenceField // of the address and the header
	Body         []ReferenceField
	Answer       string         // the status of success, "200"
	Shape        ReferenceShape // of the answer; empty: none, or a file
	Curl         []string       // the lines of a command that makes the call
}

// ReferenceField is a parameter, or a field of an object.
type ReferenceField struct {
	Name     string
	In       string // "path", "query", "header"; empty: of an object
	Type     string // "text", "whole number", "one of active, inactive"
	Required bool
	Text     string
}

// kind is what stands beside the name: where it goes, its type, whether it must be there.
func (f ReferenceField) kind() string {
	words := []string{f.Type}
	if f.In != "" {
		words = append(words, "in the "+map[string]string{"path": "path", "query": "address", "header": "header"}[f.In])
	}
	if f.Required {
		words = append(words, "required")
	}
	return strings.Join(words, ", ")
}

// ReferenceShape is an object that answers have.
type ReferenceShape struct {
	Name   string
	List   bool // a page of them
	Fields []ReferenceField
}

// Href is where the shape is described on the page.
func (s ReferenceShape) Href() string { return "#" + s.ID() }

// ID is where its description begins.
func (s ReferenceShape) ID() string { return "shape-" + strings.ToLower(s.Name) }

// curl is the command as it is copied.
func (c ReferenceCall) curl() string { return strings.Join(c.Curl, " \\\n  ") }
