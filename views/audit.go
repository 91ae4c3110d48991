package views

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"
)

// AuditLog is one page of the audit log, of the installation or of one workspace.
type AuditLog struct {
	Days       []AuditDay
	Filter     AuditFilter
	Choose     string // what to say where a typed name means several: "3 people match “mor”. Which one?"
	Choices    []Part // one link each, where there is a choice
	Count      string // "12,408 events", "1,000+ events"
	Since      Time   // where the search for this page stopped: further back may be more; zero where it was to the end
	OlderHref  string
	NewestHref string // set on every page but the first
	CSVHref    string // the same events, without pages, as a file
	JSONHref   string // the same as JSON Lines
}

// AuditFilter is what was asked for, as it stands in the form.
type AuditFilter struct {
	Path           string // where the form is sent to
	Actor, Subject string // as typed
	ActorName      string // whom that means, where it does not say so itself
	SubjectName    string // the same
	Action         string
	Workspace      string // slug
	From, To       string // 2006-01-02
	Actions        []Option
	Workspaces     []Option // empty: no choice of workspace
	TypeWorkspace  bool     // there are too many to choose from: it is typed
	Form           Form     // what is wrong with from and to
	Set            bool     // something is asked for: there is something to clear
}

// Option is one choice of a list.
type Option struct{ Value, Text string }

// AuditDay is the events of one day, newest first.
type AuditDay struct {
	Heading string // "Today, 21 November 2026"
	Entries []Entry
}

// Entry is one event as a sentence.
type Entry struct {
	Href     string // the event's own page; may be empty
	Time     Time   // Text is the time of day in the audit log
	Glyph    string // an icon: plus, ban, key, box, user, user-plus, pause, play, lock, logout, pencil, warn, gear, rotate
	Tone     string // "", "ok", "bad", "warn" or "acc"
	Actor    string // set in bold before the sentence; may be empty
	Sentence []Part
	Address  string
	Details  []Change
}

// Change is one line of an event's details. Before is empty for plain facts.
type Change struct{ Label, Before, After string }

// AuditEvent is one event with everything that is known of it.
type AuditEvent struct {
	Entry                         // Time is the full moment
	Number                 string // "12,408"
	Action                 string // "credential.created"
	Facts                  []Fact // who, with what, from where, about whom
	Changes                []Change
	Hash, HashBefore       string // hexadecimal
	Holds                  bool   // the hash fits the event and the one before it
	LogHref                string // the log that it stands in
	OlderHref, NewerHref   string // the neighbours; empty where there is none
	SameActor, SameSubject string // the log, filtered; may be empty
}

// Fact is a line of an event's page.
type Fact struct {
	Label, Text, Href string
	Mono              bool
}

// drawn is the icon of the entry; an action that this version does not know has a dot.
func (e Entry) drawn() string { return cmp.Or(e.Glyph, "dot") }

func glyphClass(tone string) string {
	if tone == "" {
		return "glyph"
	}
	return "glyph glyph-" + tone
}

// changeLines writes one change a line, with the values below one another.
func changeLines(changes []Change) string {
	width := 0
	for _, c := range changes {
		width = max(width, utf8.RuneCountInString(c.Label))
	}
	var lines strings.Builder
	for i, c := range changes {
		if i > 0 {
			lines.WriteByte('\n')
		}
		fmt.Fprintf(&lines, "%-*s  ", width, c.Label)
		if c.Before != "" {
			lines.WriteString(c.Before + " → ")
		}
		lines.WriteString(c.After)
	}
	return lines.String()
}

// called is how the page of an event is named.
func (e AuditEvent) called() string { return "Event " + e.Number }

// sub is the line below the sentence: when, and as which of all events.
func (e AuditEvent) sub() []Part {
	return []Part{when(e.Time), plain(" · event " + e.Number)}
}

// inSettings puts the title, place and breadcrumb of an event below the workspace's own log.
func (e AuditEvent) inSettings(p Page) Page {
	tab := p.settings("Audit log", NavSettings)
	crumbs := tab.Crumbs[:len(tab.Crumbs)-1]
	return p.as(e.called(), NavSettings, append(crumbs, Crumb{"Audit log", e.LogHref}, Crumb{Text: e.called()})...)
}

// filterAttrs is every attribute of a field of the filter.
func filterAttrs(f Form, name, kind, value, example, means string) templ.Attributes {
	in := input{name: name, kind: kind, hint: means, attrs: templ.Attributes{}}
	if example != "" {
		in.attrs["placeholder"] = example
		in.attrs["spellcheck"] = "false"
	}
	return in.all(f.or(name, value))
}

// anyBefore says whether an event changed something that was there: some are facts and change nothing.
func anyBefore(changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Before != "" })
}

// sofar is what to say where nothing was found yet.
func (a AuditLog) sofar() []Part {
	return []Part{plain("Nothing since "), when(a.Since), plain(" has all of this. One search goes no further; earlier events may match.")}
}

// shown says how many events there are and, where the log was not looked through to its end, how far it was.
func (a AuditLog) shown() string {
	if a.Since.IsZero() {
		return a.Count
	}
	if a.Count == "" {
		return "Looked back to " + a.Since.Text
	}
	return a.Count + ", looked back to " + a.Since.Text
}

// older is the link to what lies further back.
func (a AuditLog) older() Action {
	if !a.Since.IsZero() {
		return Action{Text: "Look further back", Href: a.OlderHref}
	}
	return Action{Text: "Older", Href: a.OlderHref}
}
