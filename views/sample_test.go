package views_test

import (
	"github.com/a-h/templ"

	"tokendesk/models"
	"tokendesk/views"
)

// sample is one state of one page, drawn with invented people.
type sample struct {
	name string
	page templ.Component
}

const sampleSecret = "user_Zc8LqW2vTn6RyH0dKs4XgPu9BmJe1FiVo7AaMhEtQx3Yk5Nwb"

func samples() []sample {
	all := [][]sample{doorSamples(), listSamples(), recordSamples(), confirmSamples(), settingsSamples(), auditSamples(), collectionSamples(), tokenSamples(), productSamples(), keySamples(), policySamples(), replicaSamples(), referenceSamples(), credentialSamples(), problemSamples()}
	var flat []sample
	for _, group := range all {
		flat = append(flat, group...)
	}
	return flat
}

func doorSamples() []sample {
	stranger := views.Page{Version: "0.1.0", RequestID: "01JD8Q6W4V9K"}
	in := stranger
	in.Workspace = &marlowe
	out := in
	out.Note = &views.Note{Kind: "ok", Text: "You are signed out."}
	mismatch := form(map[string]string{"email": "ines.moreau@marlowe.example"}, "password", "The email address and password don’t match")
	setup := form(map[string]string{"name": "Ines Moreau", "email": "ines.moreau@marlowe", "workspace": "Marlowe Press"},
		"email", "Enter an email address in the format name@example.com", "password", "Password must be 15 characters or more")
	return []sample{
		{"sign-in", views.SignIn(in, views.SignInForm{Next: "/people"})},
		{"sign-in-note", views.SignIn(out, views.SignInForm{})},
		{"sign-in-error", views.SignIn(in, views.SignInForm{Form: mismatch})},
		{"sign-in-wait", views.SignIn(in, views.SignInForm{WaitSeconds: 42, Form: form(map[string]string{"email": "ines.moreau@marlowe.example"})})},
		{"setup", views.Setup(stranger, "7F3K22QX", views.Form{})},
		{"setup-error", views.Setup(stranger, "7F3K22QX", setup)},
		{"setup-closed", views.SetupClosed(stranger)},
		{"already-shown", views.AlreadyShown(page(), views.Shown{
			RecordHref: "/people/p1", Name: "Ines Moreau", CreateHref: "/people/p1/bearer-token",
			Made: views.Time{ISO: "2026-11-21T16:52:00Z", Text: "21 Nov 2026, 16:52"},
		})},
	}
}

func listSamples() []sample {
	settled := views.Start{Workspaces: cards(), Recent: entries()}
	fresh := page()
	fresh.Note = &views.Note{Kind: "ok", Lead: "Set-up is finished.", Text: "You are signed in as Admin."}
	fresh.Workspaces = fresh.Workspaces[:1]
	return []sample{
		{"overview-first", views.Overview(fresh, views.Start{FirstRun: true, Workspaces: cards()[:1], Recent: entries()[:2]})},
		{"overview", views.Overview(page(), settled)},
		{"overview-member", views.Overview(memberPage(), views.Start{Workspaces: cards()[:1]})},
		{"people", views.People(page(), views.PeopleList{Rows: people(), Count: "24 people", MoreHref: "/people?after=p9"})},
		{"people-none", views.People(page(), views.PeopleList{Q: "moraeu"})},
		{"people-filtered", views.People(page(), views.PeopleList{Rows: people()[7:8], Role: "Admin", Status: "deactivated", Count: "1 person"})},
		{"people-new", views.PeopleNew(page(), views.Form{}, false)},
		{"people-new-error", views.PeopleNew(page(), form(map[string]string{"name": "Ruth Adeyemi", "email": "ruth", "role": ""},
			"email", "Enter an email address in the format name@example.com", "role", "Choose a role", "password", "Password must be 15 characters or more"), true)},
	}
}

func recordSamples() []sample {
	saved := page()
	saved.Note = &views.Note{Kind: "ok", Lead: "Ines Moreau", Text: "is saved."}
	member, none, ask, gone, failed := ines(), ines(), ines(), ines(), ines()
	member.Role, member.IsYou = "Member", false
	none.Bearer, none.Earlier, none.Sessions = nil, nil, 0
	ask.AskPassword, ask.Bearer = true, nil
	gone.Active, gone.Bearer, gone.IsYou, gone.Sessions, gone.Deactivated = false, nil, false, 0, at("12 Nov 2026")
	failed.AskPassword = true
	failed.Form = form(map[string]string{"name": "Ines Moreau", "email": "ines.moreau@marlowe", "role": "Member"},
		"email", "Enter an email address in the format name@example.com", "role", "You can’t demote the last Admin. Make someone else an Admin first.", "current_password", "That is not your password")
	unused := ines()
	unused.Bearer = &views.Bearer{ID: "c5", Prefix: "user_Zc8", LastFour: "5Nwb", Status: "Active", Created: at("21 Nov 2026"), CreatedBy: "Ines Moreau",
		Expires: views.Time{ISO: "2027-11-21T16:52:00Z", Text: "21 Nov 2027", Relative: "in one year"}, Days: make([]int, 14)}
	expires := views.Time{ISO: "2027-11-21T16:52:00Z", Text: "21 Nov 2027, 16:52", Relative: "in one year"}
	keys := ines()
	keys.LiveKeys, keys.KeysHref = "3 API keys", "/credentials?kind=key&owner=p1"
	return []sample{
		{"person-keys", views.Person(page(), keys)},
		{"person", views.Person(saved, ines())},
		{"person-none", views.Person(page(), none)},
		{"person-ask", views.Person(page(), ask)},
		{"person-member", views.Person(page(), member)},
		{"person-deactivated", views.Person(page(), gone)},
		{"person-error", views.Person(page(), failed)},
		{"person-tokens", views.PersonTokens(page(), ines(), views.PastBearers{Tokens: ines().Earlier, Count: "3 of 1,000+ tokens", OlderHref: "?before=c1", NewestHref: "/people/p1/tokens"})},
		{"person-tokens-none", views.PersonTokens(page(), none, views.PastBearers{})},
		{"person-reveal-first", views.PersonReveal(page(), member, views.Reveal{Secret: sampleSecret, Prefix: "user_Zc8", LastFour: "5Nwb", Expires: expires})},
		{"person-reveal", views.PersonReveal(page(), unused, views.Reveal{Secret: sampleSecret, Prefix: "user_Zc8", LastFour: "5Nwb", Expires: expires, Replaced: "user_4mQ"})},
	}
}

func confirmSamples() []sample {
	first, member, ask := ines(), ines(), ines()
	first.Bearer, first.AskPassword = nil, true
	member.Role, member.Bearer = "Member", nil
	ask.AskPassword = true
	wrong := form(nil, "current_password", "That is not your password")
	return []sample{
		{"person-bearer", views.PersonBearer(page(), ines(), views.Form{})},
		{"person-bearer-first", views.PersonBearer(page(), first, views.Form{})},
		{"person-bearer-member", views.PersonBearer(page(), member, views.Form{})},
		{"person-bearer-error", views.PersonBearer(page(), ask, wrong)},
		{"person-revoke", views.PersonRevoke(page(), ines(), views.Form{})},
		{"person-deactivate", views.PersonDeactivate(page(), ines(), form(nil, "", "You can’t deactivate the last Admin. Make someone else an Admin first."))},
		{"person-sign-out", views.PersonSignOut(page(), ask, views.Form{})},
	}
}

func settingsSamples() []sample {
	list := []views.SessionRow{
		{ID: "s1", Agent: "Firefox on Linux", Address: "198.51.100.7", Started: at("21 Nov 2026"), LastActive: ago("now"), Current: true},
		{ID: "s2", Agent: "Safari on iPhone", Address: "198.51.100.40", Started: at("20 Nov 2026"), LastActive: ago("3 hours ago")},
	}
	list = append(list, views.SessionRow{ID: "s3", Agent: "Program (PostmanRuntime)", Workspace: "Marlowe Press", Address: "198.51.100.40", Started: at("20 Nov 2026"), LastActive: ago("3 hours ago")})
	security := views.Security{PasswordChanged: at("11 Jun 2026"), Sessions: list}
	ask, failed := security, security
	security.Ends = "3 automation tokens"
	ask.AskPassword = true
	failed.AskPassword = true
	failed.Password = form(nil, "current_password", "That is not your password", "new_password", "Password must be 15 characters or more")
	failed.SignOut = form(nil, "current_password", "Enter your password")
	return []sample{
		{"account", views.Account(page(), security)},
		{"account-ask", views.Account(page(), ask)},
		{"account-error", views.Account(page(), failed)},
		{"settings-general", views.SettingsGeneral(page(), views.General{Name: "Marlowe Press", Slug: "marlowe", MayEdit: true})},
		{"settings-general-read", views.SettingsGeneral(memberPage(), views.General{Name: "Marlowe Press", Slug: "marlowe"})},
		{"settings-general-error", views.SettingsGeneral(page(), views.General{Name: "Marlowe Press", Slug: "marlowe", MayEdit: true, Form: form(map[string]string{"name": ""}, "name", "Enter a workspace name")})},
	}
}

func problemSamples() []sample {
	p := views.Page{RequestID: "01JD8Q6W4V9K"}
	return []sample{
		{"error-403", views.Problem(p, views.Failure{Status: 403, Sentence: "Your account can’t create bearer tokens. Ask an Admin to change your role."})},
		{"error-404", views.Problem(p, views.Failure{Status: 404, Actions: []views.Action{{Text: "Go to people", Href: "/people", Primary: true}, {Text: "Open the audit log", Href: "/audit"}}})},
		{"error-405", views.Problem(p, views.Failure{Status: 405})},
		{"error-409", views.Problem(p, views.Failure{Status: 409})},
		{"error-410", views.Problem(p, views.Failure{Status: 410})},
		{"error-413", views.Problem(p, views.Failure{Status: 413})},
		{"error-422", views.Problem(p, views.Failure{Status: 422})},
		{"error-429", views.Problem(p, views.Failure{Status: 429})},
		{"error-500", views.Problem(p, views.Failure{Status: 500})},
		{"error-503", views.Problem(p, views.Failure{Status: 503})},
		{"error-599", views.Problem(views.Page{}, views.Failure{Status: 599})},
	}
}

var marlowe = views.WorkspaceLink{Name: "Marlowe Press", Slug: "marlowe", Initials: "MP", Host: "desk.marlowe.example", MayAudit: true}

func page() views.Page {
	return views.Page{
		Me:         &views.Me{ID: "p1", Name: "Ines Moreau", Email: "ines.moreau@marlowe.example", Initials: "IM", Role: "Admin", IsAdmin: true},
		Workspace:  &marlowe,
		Workspaces: []views.WorkspaceLink{marlowe, {Name: "Quire Library", Slug: "quire", Initials: "QL", Host: "desk.marlowe.example"}},
		Address:    "https://desk.marlowe.example", Version: "0.1.0", RequestID: "01JD8Q6W4V9K",
	}
}

func memberPage() views.Page {
	p := page()
	p.Me = &views.Me{ID: "p4", Name: "Jonah Akerele", Email: "jonah.akerele@marlowe.example", Initials: "JA", Role: "Member"}
	plain := marlowe
	plain.MayAudit = false
	p.Workspace, p.Workspaces = &plain, []views.WorkspaceLink{plain}
	return p
}

// form has values and then pairs of field and message.
func form(values map[string]string, errors ...string) views.Form {
	f := views.Form{Values: values}
	for i := 0; i+1 < len(errors); i += 2 {
		f.Errors = append(f.Errors, models.Field{Name: errors[i], Message: errors[i+1]})
	}
	return f
}

func at(day string) views.Time { return views.Time{ISO: "2026-11-21T16:48:00Z", Text: day} }
func ago(text string) views.Time {
	return views.Time{ISO: "2026-11-21T16:36:00Z", Text: "21 Nov 2026, 16:36", Relative: text}
}

func ines() views.Record {
	return views.Record{
		ID: "p1", Name: "Ines Moreau", Email: "ines.moreau@marlowe.example", Initials: "IM", Role: "Admin", Active: true, IsYou: true, MaySwitch: true,
		FormID: "3f1c9d0a7be24c55", Sessions: 2, Credentials: 1,
		Bearer: &views.Bearer{
			ID: "c4", Prefix: "user_4mQ", LastFour: "9xZ1", Status: "Active", Created: at("2 Mar 2026"), CreatedBy: "Ines Moreau",
			Expires: views.Time{ISO: "2027-03-02T09:00:00Z", Text: "2 Mar 2027", Relative: "in 101 days"},
			Calls:   3418, LastUsed: ago("12 minutes ago"), LastFrom: "203.0.113.24", InUse: true,
			Days: []int{40, 88, 74, 80, 86, 30, 12, 50, 48, 51, 60, 52, 49, 38},
		},
		Earlier: []views.PastBearer{
			{ID: "c3", Prefix: "user_Uw9", LastFour: "k2Lm", Status: "Replaced", Created: at("3 Mar 2025"), Ended: at("2 Mar 2026"), EndedBy: "Ines Moreau", CallsAfter: 3},
			{ID: "c2", Prefix: "user_0Zr", LastFour: "aa0P", Status: "Revoked", Created: at("1 Mar 2024"), Ended: at("2 Mar 2025"), EndedBy: "Tomasz Zieliński", Reason: "Found in a public repository", CallsAfter: 1204},
			{ID: "c1", Prefix: "user_b3Q", LastFour: "Xw71", Status: "Expired", Created: at("1 Mar 2022"), Ended: at("1 Mar 2023")},
		},
		EarlierMore: "/people/p1?earlier=user_b3Q",
		Automation: []views.AutomationRow{
			{ID: "a1", Name: "Nightly export", Prefix: "auto_9Fk", LastFour: "4tli", Status: "Active", Href: "/w/w1/settings/automation-tokens/a1", Workspace: "Marlowe Press", Created: at("21 Nov 2026"), Expires: at("22 Nov 2026"), LastUsed: ago("12 minutes ago")},
			{ID: "a2", Name: "Automation token", Prefix: "auto_2bQ", LastFour: "0ppZ", Status: "Revoked", Created: at("1 Nov 2026"), Revoked: at("2 Nov 2026")},
			{ID: "a3", Name: "Postman", Prefix: "auto_7xA", LastFour: "1qqT", Status: "Expired", Href: "/w/w1/settings/automation-tokens/a3", Workspace: "Marlowe Press", Created: at("1 Nov 2026"), Expires: at("2 Nov 2026")},
		},
		MoreAutomation: true, LiveAutomation: "3 automation tokens",
	}
}

func people() []views.PersonRow {
	row := func(id, initials, name, email, role, active, token, lastFour, last string) views.PersonRow {
		r := views.PersonRow{ID: id, Name: name, Email: email, Initials: initials, Role: role, Active: active == "active", BearerPrefix: token, BearerLastFour: lastFour}
		if last != "" {
			r.LastActive = ago(last)
		}
		return r
	}
	return []views.PersonRow{
		row("p1", "IM", "Ines Moreau", "ines.moreau@marlowe.example", "Admin", "active", "user_4mQ", "9xZ1", "now"),
		row("p2", "TZ", "Tomasz Zieliński", "tomasz.zielinski@marlowe.example", "Admin", "active", "user_0Zr", "aa0P", "20 minutes ago"),
		row("p3", "PR", "Priya Raman", "priya.raman@marlowe.example", "Admin", "active", "user_Uw9", "k2Lm", "1 hour ago"),
		row("p4", "JA", "Jonah Akerele", "jonah.akerele@marlowe.example", "Member", "active", "", "", "yesterday"),
		row("p5", "LV", "Lena Voss", "lena.voss@marlowe.example", "Member", "active", "", "", "3 days ago"),
		row("p6", "MF", "Mateo Fuentes", "mateo.fuentes@marlowe.example", "Member", "active", "", "", "9 days ago"),
		row("p7", "AT", "Aiko Tanabe", "aiko.tanabe@marlowe.example", "Member", "active", "", "", ""),
		row("p8", "RA", "Ruth Adeyemi", "ruth.adeyemi@marlowe.example", "Admin", "deactivated", "", "", "48 days ago"),
		row("p9", "SW", "Sam Whitlock", "sam.whitlock@marlowe.example", "Member", "active", "", "", "2 hours ago"),
	}
}

func cards() []views.WorkspaceCard {
	return []views.WorkspaceCard{
		{WorkspaceLink: marlowe, Role: "Owner", Collections: 4},
		{WorkspaceLink: views.WorkspaceLink{Name: "Quire Library", Slug: "quire", Initials: "QL"}, Role: "Member", Collections: 1},
	}
}
