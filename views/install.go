package views

import "github.com/a-h/templ"

const needsAdmin = "Needs Admin access, here and in a build."

// tooLarge is what the script says of a file that it need not send.
func (u Upload) tooLarge() string {
	if len(u.Limits) == 0 {
		return "The file is too large."
	}
	return "The file is too large. " + u.Limits[0]
}

// file is every attribute of the control that takes the collection.
func (u Upload) file() templ.Attributes {
	in := input{name: "collectionFile", kind: "file", hint: "the limits", attrs: templ.Attributes{
		"class": "in file", "accept": ".zip,application/zip", "autocomplete": false, "required": true,
	}}
	return in.all(Form{Errors: u.Form.Errors})
}
