package views

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// AuditLog is one page of the audit log.
type AuditLog struct {
	Days       []AuditDay
	Count      string // "50 of 12,408 events"; may be empty
	OlderHref  string
	NewestHref string // set on every page but the first
}

// AuditDay is the events of one day, newest first.
type AuditDay struct {
	Heading string // "Today, 21 November 2026"
	Entries []Entry
}

// Entry is one event as a sentence.
type Entry struct {
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
