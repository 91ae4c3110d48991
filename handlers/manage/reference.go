package manage

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"tokendesk/handlers"
	"tokendesk/views"
)

// described is the document as its readers read it.
type described struct {
	Paths      map[string]map[string]describedCall `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type describedCall struct {
	Summary, Description string
	Parameters           []struct {
		Name, In, Description string
		Required              bool
		Schema                schema
	}
	RequestBody struct {
		Content map[string]struct{ Schema schema }
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema schema }
	}
}

type schema struct {
	Ref         string `json:"$ref"`
	Type        string
	Format      string
	Description string
	Enum        []string
	Items       *schema
	Properties  map[string]schema
	Required    []string
}

// Reference is the page for readers, made of the document.
func (a *API) Reference(c echo.Context) error {
	d := a.made()
	if d.err != nil {
		return d.err
	}
	page, err := a.h.Page(c)
	if err != nil {
		return err
	}
	return handlers.Show(c, views.APIReference(page, a.reference(d.described, a.h.Address(c))))
}

func (a *API) reference(d described, address string) views.Reference {
	var r views.Reference
	shapes := map[string]bool{}
	for _, o := range a.Operations() {
		at := slices.IndexFunc(r.Groups, func(g views.ReferenceGroup) bool { return g.Name == o.Tag })
		if at < 0 {
			at = len(r.Groups)
			r.Groups = append(r.Groups, views.ReferenceGroup{Name: o.Tag})
		}
		call := d.call(o, address)
		r.Groups[at].Calls = append(r.Groups[at].Calls, call)
		if call.Shape.Name != "" && !shapes[call.Shape.Name] {
			shapes[call.Shape.Name] = true
			r.Shapes = append(r.Shapes, call.Shape)
		}
	}
	for _, name := range []string{"Problem", "Usage", "Resource", "VerifyRequest", "VerdictLimit"} { // what those have in them
		if !shapes[name] {
			r.Shapes = append(r.Shapes, views.ReferenceShape{Name: name, Fields: d.fields(d.Components.Schemas[name])})
		}
	}
	return r
}

// call is what the document says of an operation.
func (d described) call(o Operation, address string) views.ReferenceCall {
	said := d.Paths[o.Path][strings.ToLower(o.Method)]
	call := views.ReferenceCall{ID: o.ID, Method: o.Method, Path: o.Path, Summary: said.Summary, Detail: said.Description, Answer: strconv.Itoa(o.Status) + " " + http.StatusText(o.Status)}
	for _, p := range said.Parameters {
		call.Parameters = append(call.Parameters, views.ReferenceField{Name: p.Name, In: p.In, Type: typeOf(p.Schema), Required: p.Required, Text: p.Description})
	}
	for _, content := range said.RequestBody.Content {
		call.Body = d.fields(d.resolved(content.Schema))
	}
	for _, content := range said.Responses[strconv.Itoa(o.Status)].Content {
		call.Shape = d.shape(content.Schema)
	}
	call.Curl = d.curl(o, address, said)
	return call
}

// resolved is a schema itself, where there is only its name.
func (d described) resolved(s schema) schema {
	if s.Ref != "" {
		return d.Components.Schemas[nameOf(s.Ref)]
	}
	return s
}

func nameOf(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// shape is what an answer has: an object, or a page of objects.
func (d described) shape(s schema) (to views.ReferenceShape) {
	if s.Ref == "" {
		return to
	}
	to.Name = nameOf(s.Ref)
	if rows := d.resolved(s).Properties["data"]; rows.Items != nil {
		to.List, s, to.Name = true, *rows.Items, nameOf(rows.Items.Ref)
	}
	to.Fields = d.fields(d.resolved(s))
	return to
}

// fields are those of an object, the required ones first, and then by name.
func (d described) fields(s schema) []views.ReferenceField {
	var fields []views.ReferenceField
	for name, p := range s.Properties {
		fields = append(fields, views.ReferenceField{Name: name, Type: typeOf(p), Required: slices.Contains(s.Required, name), Text: p.Description})
	}
	slices.SortFunc(fields, func(a, b views.ReferenceField) int {
		if a.Required != b.Required {
			return map[bool]int{true: -1, false: 1}[a.Required]
		}
		return strings.Compare(a.Name, b.Name)
	})
	return fields
}

// typeOf is a type in words.
func typeOf(s schema) string {
	switch {
	case s.Ref != "":
		return "an object, " + nameOf(s.Ref)
	case len(s.Enum) > 0:
		return "one of " + strings.Join(s.Enum, ", ")
	case s.Format == "date-time":
		return "a moment, like 2027-02-19T09:00:00Z"
	case s.Type == "array" && s.Items != nil:
		return "a list of " + plurals[s.Items.Type] + nameOf(s.Items.Ref)
	case s.Type == "integer":
		return "a whole number"
	case s.Type == "boolean":
		return "true or false"
	}
	return "a text"
}

var plurals = map[string]string{"string": "texts", "integer": "whole numbers"}

// curl is a command that makes the call, its lines: what is in braces, and …, is for the reader to fill in.
func (d described) curl(o Operation, address string, said describedCall) []string {
	at := address + o.Path
	join := "?"
	for _, p := range said.Parameters {
		if p.In == "query" && p.Required {
			at += join + p.Name + "=…"
			join = "&"
		}
	}
	lines := []string{"curl " + quoted(at)}
	if o.Method != http.MethodGet {
		lines[0] = "curl -X " + o.Method + " " + quoted(at)
	}
	if o.Who != Anyone {
		lines = append(lines, `-H "X-API-Key: $TOKENDESK_API_KEY"`)
	}
	if o.File != "" {
		lines = append(lines, "-OJ")
	}
	for _, content := range said.RequestBody.Content {
		body := quoted(d.example(content.Schema))
		if o.Method == http.MethodPut { // it takes the place of what is there: of that one begins with what GET answers
			body = "@new.json"
		}
		lines = append(lines, "-H 'Content-Type: application/json'", "-d "+body)
	}
	return lines
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// example is a value of a schema, as harmless as there is: of an object what must be in it, or else its name.
func (d described) example(s schema) string {
	s = d.resolved(s)
	switch {
	case len(s.Enum) > 0:
		return strconv.Quote(s.Enum[len(s.Enum)-1])
	case s.Type == "object":
		var parts []string
		for _, f := range d.fields(s) {
			if f.Required || len(s.Required) == 0 && f.Name == "name" {
				parts = append(parts, strconv.Quote(f.Name)+": "+d.example(s.Properties[f.Name]))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case s.Type == "array" && s.Items != nil:
		return "[" + d.example(*s.Items) + "]"
	case s.Type == "integer":
		return "0"
	case s.Type == "boolean":
		return "false"
	case s.Format == "date-time":
		return `"2027-02-19T09:00:00Z"`
	}
	return `"…"`
}
