package views

import "tokendesk/models"

// SignInForm is the sign-in page's own state. WaitSeconds is above 0 while attempts are refused.
type SignInForm struct {
	Next        string // where to go afterwards, a path of this console
	WaitSeconds int
	Form        Form // email
}

const passwordHint = "At least 15 characters. A few unrelated words work well."

// problems is the form with the wait among its errors.
func (s SignInForm) problems() Form {
	f := s.Form
	if s.WaitSeconds > 0 {
		wait := "Too many attempts. Wait " + plural(s.WaitSeconds, "second", "seconds") + ", then try again."
		f.Errors = append([]models.Field{{Name: "password", Message: wait}}, f.Errors...)
	}
	return f
}
