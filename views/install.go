package views

import "github.com/a-h/templ"

const needsAdmin = "Needs Admin access, here and in a build."

// file is every attribute of the control that takes the collection.
func (u Upload) file() templ.Attributes {
	in := input{name: "collectionFile", kind: "file", hint: "the limits", attrs: templ.Attributes{
		"class": "in file", "accept": ".zip,application/zip", "autocomplete": false, "required": true,
	}}
	return in.all(Form{Errors: u.Form.Errors})
}
