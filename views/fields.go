package views

import (
	"cmp"
	"maps"
	"strings"

	"github.com/a-h/templ"
)

// secret makes a password field of an input.
func (in input) secret() input {
	in.kind = "password"
	return in
}

func (in input) buttonKind() string {
	if in.large {
		return "lg"
	}
	return ""
}

// showLabel tells the buttons of several passwords on a page apart: "Show current password".
func (in input) showLabel() string {
	return "Show " + strings.ToLower(in.label[:1]) + in.label[1:]
}

// all is every attribute of the control. Passwords never get a value.
func (in input) all(f Form) templ.Attributes {
	kind := cmp.Or(in.kind, "text")
	attrs := templ.Attributes{
		"class": "in", "id": f.id(in.name), "name": in.name, "type": kind,
		"autocomplete": cmp.Or(in.auto, "off"),
	}
	if in.large {
		attrs["class"] = "in in-lg"
	}
	if kind == "email" || kind == "password" {
		attrs["spellcheck"] = "false"
	}
	if value := f.Value(in.name); value != "" && kind != "password" {
		attrs["value"] = value
	}
	if by := f.describedBy(in.name, in.hint); by != "" {
		attrs["aria-describedby"] = by
	}
	if f.Error(in.name) != "" {
		attrs["aria-invalid"] = "true"
	}
	maps.Copy(attrs, in.attrs)
	return attrs
}

func anyErrors(forms []Form) bool {
	for _, f := range forms {
		if f.HasErrors() {
			return true
		}
	}
	return false
}
