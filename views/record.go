package views

import "github.com/a-h/templ"

// Record is one person as an Admin sees them.
type Record struct {
	ID, Name, Email, Initials string
	Role                      string // "Admin" or "Member"
	Active                    bool   // false: deactivated
	IsYou                     bool   // the reader's own record
	MaySwitch                 bool   // whether Deactivate or Activate is offered
	Deactivated               Time   // when, for a deactivated person; may be zero

	Form        Form   // the Details form: name, email, role, current_password
	AskPassword bool   // the reader's last password check is too old: forms that matter ask for it
	FormID      string // one-use id of the form that creates a bearer token

	Bearer      *Bearer      // the live one; nil when there is none
	Earlier     []PastBearer // those that ended, newest first
	EarlierMore string       // where the list goes on; empty at its end

	Automation     []AutomationRow // automation tokens in all workspaces, newest first
	MoreAutomation bool            // there are more than those
	LiveAutomation string          // those that have not ended, "3 automation tokens"; empty where there is none

	LiveKeys string // API keys that have not ended, "3 API keys"; empty where there is none
	KeysHref string // where they are listed

	Sessions    int    // how many sign-ins of this person are alive
	Credentials int    // how many credentials stop working when the person is deactivated
	BearerLife  string // of a new bearer token, where Admins shortened it: "30 days"
}

// AutomationRow is an automation token of a person.
type AutomationRow struct {
	ID, Name, Prefix, LastFour, Status string
	Href                               string // its page; empty where its workspace was deleted
	Workspace                          string
	Created, Expires, Revoked          Time // Expires is zero: never; Revoked: it was not
	LastUsed                           Time
}

// Path is the address of the record.
func (r Record) Path() string { return "/people/" + r.ID }

// Bearer is the live bearer token of a person.
type Bearer struct {
	ID               string
	Prefix, LastFour string // "user_4mQ" and "9xZ1"
	Status           string // "Active", "Expires soon", "Inactive", "Expired"
	Created          Time
	CreatedBy        string
	Expires          Time
	Calls            int64  // accepted
	Refused          int64  // refused for want of a right
	LastUsed         Time   // zero: not used yet
	LastFrom         string // the address of the last call
	InUse            bool   // used so recently that replacing it will be noticed
	Days             []int  // calls a day, oldest first; 14 of them
}

// PastBearers is one page of all the bearer tokens of a person that ended, newest first.
type PastBearers struct {
	Tokens     []PastBearer
	Count      string // "12 tokens", "1,000+ tokens"
	OlderHref  string
	NewestHref string // set on every page but the first
}

// PastBearer is a bearer token that ended. Status is "Replaced", "Revoked" or "Expired".
type PastBearer struct {
	ID                       string
	Prefix, LastFour, Status string
	Created, Ended           Time
	EndedBy                  string // empty for one that expired
	Reason                   string
	CallsAfter               int64 // calls that were refused since it ended
}

// page puts the record's own title, place and breadcrumb on a page; below is a page below the record.
func (r Record) page(p Page, below ...Crumb) Page {
	crumbs := []Crumb{{Text: "People", Href: "/people"}}
	if len(below) == 0 {
		return p.as(r.Name, NavPeople, append(crumbs, Crumb{Text: r.Name})...)
	}
	crumbs = append(crumbs, Crumb{Text: r.Name, Href: r.Path()})
	return p.as(below[0].Text+", "+r.Name, NavPeople, append(crumbs, below...)...)
}

// createsAtOnce tells that a bearer token needs no question first: nothing is replaced, nothing asked.
func (r Record) createsAtOnce() bool {
	return r.Bearer == nil && !r.AskPassword && r.Role == "Admin"
}

// asks tells whether a form has a password field: when the last check is too old, and when the form
// came back for want of one.
func (r Record) asks(f Form) bool {
	return r.AskPassword || f.Error("current_password") != ""
}

// details is the Details form, with the record's own values until something else was sent.
func (r Record) details() Form {
	return r.Form.or("name", r.Name).or("email", r.Email).or("role", r.Role)
}

// lasts is how long a new bearer token lives, in words.
func (r Record) lasts() string {
	if r.BearerLife != "" {
		return "lasts " + r.BearerLife + ", as Admins decided"
	}
	return "lasts one year"
}

func (r Record) asksBearer(f Form) question {
	q := question{
		id: "bearer", title: "Create a bearer token for " + r.Name + "?", action: r.Path() + "/bearer-token",
		verb: "Create token", glyph: "key", kind: "primary", keep: "Cancel", back: r.Path(),
		ask: r.asks(f), body: bearerBody(r, f),
	}
	if r.Bearer != nil {
		q.title, q.verb, q.keep = "Replace "+r.Name+"’s bearer token?", "Create new token", "Keep current token"
	}
	return q
}

func (r Record) asksRevoke(f Form) question {
	return question{
		id: "revoke", title: "Revoke " + r.Name + "’s bearer token?", action: r.Path() + "/bearer-token/revoke",
		verb: "Revoke token", glyph: "ban", kind: "stop", keep: "Keep token", back: r.Path(), body: revokeBody(r, f),
	}
}

func (r Record) asksDeactivate() question {
	return question{
		id: "deactivate", title: "Deactivate " + r.Name + "?", action: r.Path() + "/deactivate",
		verb: "Deactivate", glyph: "pause", kind: "stop", keep: "Cancel", back: r.Path(), body: deactivateBody(r),
	}
}

func (r Record) asksSignOut(f Form) question {
	return question{
		id: "signout", title: "Sign " + r.Name + " out everywhere?", action: r.Path() + "/sign-out",
		verb: "Sign out everywhere", glyph: "logout", kind: "stop", keep: "Cancel", back: r.Path(),
		ask: r.asks(f), body: signOutBody(r, f),
	}
}

// opens are the attributes of a link whose page is also a dialog here.
func opens(dialog string) templ.Attributes { return templ.Attributes{"data-dialog": dialog} }

func lastUse(t Time) string {
	if t.IsZero() {
		return "not used yet"
	}
	return t.Relative
}

func useKind(b Bearer) string {
	if b.InUse {
		return "warn"
	}
	return ""
}
