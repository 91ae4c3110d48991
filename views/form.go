package views

import "tokendesk/models"

// Form is what was typed into a form and what is wrong with it. Passwords are never among the values.
type Form struct {
	Values map[string]string
	Errors []models.Field // in the order of the form; a Field without a Name is about the form as a whole

	scope string // put before the id of every input, where two forms of a page share field names
}

// Value is what a field was sent with; empty when it was not.
func (f Form) Value(name string) string { return f.Values[name] }

// Error is what is wrong with a field; empty when nothing is.
func (f Form) Error(name string) string {
	for _, e := range f.Errors {
		if e.Name == name {
			return e.Message
		}
	}
	return ""
}

// HasErrors tells that the form came back.
func (f Form) HasErrors() bool { return len(f.Errors) > 0 }

// in gives the form ids of its own on a page with several forms.
func (f Form) in(scope string) Form {
	f.scope = scope + "-"
	return f
}

// or gives a field a value for when the form was not sent yet.
func (f Form) or(name, value string) Form {
	if _, sent := f.Values[name]; sent {
		return f
	}
	values := map[string]string{name: value}
	for k, v := range f.Values {
		values[k] = v
	}
	f.Values = values
	return f
}

func (f Form) id(name string) string      { return f.scope + name }
func (f Form) hintID(name string) string  { return f.scope + name + "-hint" }
func (f Form) errorID(name string) string { return f.scope + name + "-error" }

// describedBy lists the ids of the texts that explain a field.
func (f Form) describedBy(name, hint string) string {
	switch {
	case hint != "" && f.Error(name) != "":
		return f.hintID(name) + " " + f.errorID(name)
	case hint != "":
		return f.hintID(name)
	case f.Error(name) != "":
		return f.errorID(name)
	}
	return ""
}
