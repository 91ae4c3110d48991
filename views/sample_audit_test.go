package views_test

import "tokendesk/views"

const sampleHash = "9b1f0c7a44e2d85c6f3e0a9d7b2c1e58f04a6d3b9c8e7f1025d6a4b3c2e1f09d"

func auditSamples() []sample {
	full := auditLog("/audit")
	full.Filter.Workspaces = []views.Option{{Value: "marlowe", Text: "Marlowe Press"}, {Value: "quire", Text: "Quire Library"}}
	filtered := full
	filtered.Filter.Set, filtered.Filter.Actor, filtered.Filter.Action, filtered.Filter.From, filtered.Filter.To = true, "ines", "credential.revoked", "2026-11-14", "2026-11-21"
	filtered.Days, filtered.Count, filtered.OlderHref, filtered.NewestHref = filtered.Days[:1], "5 events", "", ""
	none, choose, wrong := filtered, filtered, filtered
	none.Days, choose.Days, wrong.Days = nil, nil, nil
	choose.Choose = "3 people match “mor”. Which one?"
	choose.Choices = []views.Part{{Text: "Ines Moreau, ines.moreau@marlowe.example", Href: "/audit?actor=ines.moreau%40marlowe.example"},
		{Text: "Morwenna Pike, m.pike@quire.example", Href: "/audit?actor=m.pike%40quire.example"}, {Text: "Tom Morley, tom@marlowe.example", Href: "/audit?actor=tom%40marlowe.example"}}
	wrong.Filter.Form = form(map[string]string{"from": "2026-11-31", "to": "2026-11-01"}, "from", "Enter a date as YYYY-MM-DD", "to", "The end must not be before the beginning")
	settings := auditLog("/w/marlowe/settings/audit")
	return []sample{
		{"audit", views.Audit(page(), full)},
		{"audit-filtered", views.Audit(page(), filtered)},
		{"audit-none", views.Audit(page(), none)},
		{"audit-choose", views.Audit(page(), choose)},
		{"audit-error", views.Audit(page(), wrong)},
		{"audit-empty", views.Audit(page(), views.AuditLog{Filter: views.AuditFilter{Path: "/audit"}})},
		{"settings-audit", views.SettingsAudit(page(), settings)},
		{"settings-audit-empty", views.SettingsAudit(page(), views.AuditLog{Filter: views.AuditFilter{Path: "/w/marlowe/settings/audit"}})},
		{"audit-event", views.AuditEventPage(page(), auditEvent())},
		{"audit-event-broken", views.AuditEventPage(page(), views.AuditEvent{Entry: entries()[2], Number: "1", Action: "session.refused", Hash: sampleHash, HashBefore: sampleHash, LogHref: "/audit"})},
		{"settings-audit-event", views.SettingsAuditEvent(page(), auditEvent())},
	}
}

func auditLog(path string) views.AuditLog {
	return views.AuditLog{
		Days: []views.AuditDay{
			{Heading: "Today, 21 November 2026", Entries: entries()}, {Heading: "Yesterday, 20 November 2026", Entries: entries()[2:4]},
		},
		Filter: views.AuditFilter{Path: path, Actions: []views.Option{{Value: "credential.created", Text: "Token created"}, {Value: "credential.revoked", Text: "Token revoked"}, {Value: "collection.installed", Text: "Collection installed"}}},
		Count:  "12,408 events", OlderHref: path + "?after=9", NewestHref: path, CSVHref: path + ".csv", JSONHref: path + ".jsonl",
	}
}

func auditEvent() views.AuditEvent {
	e := entries()[3]
	e.Time.Text = "21 Nov 2026, 11:47:09"
	return views.AuditEvent{
		Entry: e, Number: "12,405", Action: "person.changed", Hash: sampleHash, HashBefore: sampleHash[32:] + sampleHash[:32], Holds: true,
		Facts: []views.Fact{
			{Label: "Actor", Text: "Ines Moreau, ines.moreau@marlowe.example", Href: "/people/p1"},
			{Label: "With", Text: "user_4mQ... ends in 9xZ1", Mono: true},
			{Label: "From", Text: "198.51.100.7", Mono: true},
			{Label: "About", Text: "Lena Voss", Href: "/people/p5"},
			{Label: "Request", Text: "01JD8Q6W4V9K", Mono: true},
		},
		Changes: []views.Change{{Label: "role", Before: "Admin", After: "Member"}, {Label: "email", Before: "lena@marlowe.example", After: "lena.voss+a-very-long-address-that-has-to-wrap-somewhere@marlowe.example"}, {Label: "note", Before: "Out until May"}, {Label: "phone", After: "020 7946 0123"}},
		LogHref: "/audit", OlderHref: "/audit/12404", NewerHref: "/audit/12406", SameActor: "/audit?actor=p1", SameSubject: "/audit?subject=p5",
	}
}

func entries() []views.Entry {
	clock := func(text string) views.Time { return views.Time{ISO: "2026-11-21T" + text + ":00Z", Text: text} }
	return []views.Entry{
		{Href: "/audit/12408", Time: clock("16:48"), Glyph: "key", Tone: "ok", Actor: "Ines Moreau", Address: "198.51.100.7",
			Sentence: []views.Part{{Text: "created a bearer token for "}, {Text: "Tomasz Zieliński", Href: "/people/p2"}, {Text: " "}, {Text: "user_0Zr...", Mono: true}},
			Details:  []views.Change{{Label: "event", After: "credential.create"}, {Label: "expires", After: "2027-11-21T16:48:00Z"}, {Label: "request", After: "01JD8Q6W4V9K"}}},
		{Href: "/audit/12407", Time: clock("16:31"), Glyph: "ban", Tone: "bad", Actor: "Tomasz Zieliński", Address: "198.51.100.31",
			Sentence: []views.Part{{Text: "revoked the bearer token of "}, {Text: "Priya Raman", Href: "/people/p3"}, {Text: " “Found in a public repository”"}}},
		{Href: "/audit/12406", Time: clock("15:02"), Glyph: "warn", Tone: "warn", Address: "203.0.113.90",
			Sentence: []views.Part{{Text: "Sign-in refused for "}, {Text: "ruth.adeyemi@marlowe.example", Strong: true}, {Text: ": the account is deactivated"}}},
		{Href: "/audit/12405", Time: clock("11:47"), Glyph: "pencil", Actor: "Ines Moreau", Address: "2001:db8:85a3::8a2e:370:7334",
			Sentence: []views.Part{{Text: "changed "}, {Text: "Lena Voss", Href: "/people/p5"}},
			Details:  []views.Change{{Label: "role", Before: "Admin", After: "Member"}, {Label: "email", Before: "lena@marlowe.example", After: "lena.voss@marlowe.example"}}},
		{Time: clock("09:41"), Glyph: "box", Tone: "acc", Address: "203.0.113.24",
			Sentence: []views.Part{{Text: "Ines Moreau", Href: "/people/p1"}, {Text: " installed collection "}, {Text: "Spring list 2026", Strong: true}, {Text: ", version 4"}}},
	}
}
