package views

import "cmp"

// Failure is an error page. Heading and Sentence may be empty: the page then speaks for the status.
// Without Actions it offers the way to the overview.
type Failure struct {
	Status            int
	Heading, Sentence string
	Actions           []Action
}

type failureWords struct{ heading, sentence string }

// What is said when the caller says nothing. Every sentence tells what to do next.
var failures = map[int]failureWords{
	400: {"This request can’t be read", "Something in the address or the form is not as it should be. Go back and try again."},
	401: {"You are signed out", "Nothing was done. Sign in, then try again."},
	403: {"Not allowed", "Your account can’t do this. Ask an Admin for help."},
	404: {"This page isn’t here", "It may have been deleted, or the address mistyped."},
	405: {"This address doesn’t work that way", "Open the page it belongs to and use the form there."},
	409: {"That has changed meanwhile", "Nothing was changed now. Reload the page, look at it again, then repeat what you wanted to do."},
	410: {"This is gone", "It was here once and can’t be had a second time."},
	413: {"That is too large", "Nothing was kept. Send less at a time."},
	422: {"That can’t be done as it was sent", "Nothing was changed. Go back, check what you entered and try again."},
	429: {"Too many requests", "Wait a minute, then try again."},
	500: {"The server couldn’t finish that", "Nothing was changed. Try again. If it keeps failing, give your administrator the request number below."},
	503: {"The server is not ready", "It can’t reach its database, or has too much to do. Wait a moment, then try again."},
}

func (f Failure) words() failureWords {
	known, ok := failures[f.Status]
	if !ok {
		known = failures[500]
	}
	return failureWords{cmp.Or(f.Heading, known.heading), cmp.Or(f.Sentence, known.sentence)}
}

func (f Failure) actions() []Action {
	if len(f.Actions) > 0 {
		return f.Actions
	}
	if f.Status == 401 {
		return []Action{{Text: "Sign in", Href: "/signin", Primary: true}}
	}
	return []Action{{Text: "Go to overview", Href: "/", Primary: true}}
}

func primary(a Action) string {
	if a.Primary {
		return "primary"
	}
	return ""
}
