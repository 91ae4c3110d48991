package views_test

import "tokendesk/views"

func credentialLines() []views.CredentialLine {
	days := []int{0, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9}
	return []views.CredentialLine{
		{ID: "c1", Name: "Knowledge base sync", Kind: "API token", Prefix: "prod_Xw7", LastFour: "2kQz", Status: "Expires soon", Owner: "Marlowe Press", OwnerHref: "/w/marlowe-press/settings", OwnerNote: "by Priya Raman", Expires: at("26 Nov 2026"), Soon: true, LastUsed: ago("38 minutes ago"), Days: days, Calls: 1204},
		{ID: "c2", Name: "Bearer token of Tomasz Zieliński", Kind: "Bearer token", Prefix: "user_0Zr", LastFour: "mm1A", Status: "Replaced", Owner: "Tomasz Zieliński", OwnerHref: "/people/p2", Ended: ago("9 days ago"), Expires: at("2 Mar 2027"), Days: make([]int, 14)},
		{ID: "c3", Name: "Autumn catalogue", Kind: "Collection access key", Prefix: "coll_8xL", LastFour: "Jt3s", Status: "Active", Owner: "A workspace that is gone", OwnerNote: "by Lena Voss", Days: make([]int, 14)},
	}
}

func credentialSamples() []sample {
	rows := credentialLines()
	list := views.CredentialList{Rows: rows, Count: "1,000+ credentials", OnHref: "/credentials?after=x", FirstHref: "/credentials", CSVHref: "/credentials.csv", Back: "/credentials"}
	filtered, none, choose, wrong, found := list, list, list, list, list
	filtered.Filter = views.CredentialFilter{Q: "sync", Kind: "api", Status: "active", Expires: "14d", Unused: "90d", Owner: "p2", OwnerName: "Tomasz Zieliński", CreatedBy: "Ines", Workspace: "marlowe-press",
		Workspaces: []views.Option{{Value: "marlowe-press", Text: "Marlowe Press"}}, Set: true}
	filtered.Looked = "Looked through 5,000 credentials for this page. There may be more further on."
	none.Rows, none.OnHref, none.FirstHref, none.Filter.Q, none.Filter.Set = nil, "", "", "zyzzyva", true
	choose.Rows, choose.Choose, choose.Choices = nil, "“ines” means 2. Which one?", []views.Part{{Text: "Ines Moreau, ines@marlowe.example", Href: "/credentials?owner=p1"}}
	wrong.Rows, wrong.Filter.Form = nil, form(map[string]string{"workspace": "nowhere"}, "workspace", "There is no such workspace.")
	found.Find = form(nil, "secret", "That is not a whole key of Tokendesk.")
	ask := views.CredentialRevoke{IDs: []string{"c1", "c3", "c4"}, Rows: []views.CredentialLine{rows[0], rows[2]}, More: 1, Already: 1, Whose: "2 workspaces", Calls: 1204, Last: ago("38 minutes ago"), Back: "/credentials"}
	again := ask
	again.Form = form(map[string]string{"reason": "too long"}, "reason", "Reason must be 200 characters or fewer.")
	unused := views.CredentialRevoke{IDs: []string{"c3"}, Rows: rows[2:], Whose: "1 workspace", Back: "/credentials"}
	one := views.CredentialPage{Line: rows[0], Own: "/w/marlowe-press/settings/api-tokens/c1", Chart: []views.ChartDay{{Text: "20 Nov", Accepted: 7, Refused: 1}, {Text: "21 Nov"}}, History: entries(), AllEvents: "/audit?subject=c1",
		Facts: []views.CredentialFact{{Label: "Owner", Parts: []views.Part{views.Said("Marlowe Press", "/w/marlowe-press/settings")}, Note: "by Priya Raman"}, {Label: "Created", Parts: []views.Part{at("2 Mar 2026").Said()}}}}
	dead := one
	dead.Line, dead.Own = rows[1], ""
	dead.Death = []views.Part{{Text: "It was replaced by "}, views.Said("a newer one", "/credentials/c9"), {Text: ": "}, {Text: "audit of tools", Strong: true}}
	return []sample{
		{"credentials", views.Credentials(page(), list)},
		{"credentials-filtered", views.Credentials(page(), filtered)},
		{"credentials-none", views.Credentials(page(), none)},
		{"credentials-empty", views.Credentials(page(), views.CredentialList{})},
		{"credentials-choose", views.Credentials(page(), choose)},
		{"credentials-error", views.Credentials(page(), wrong)},
		{"credentials-find-error", views.Credentials(page(), found)},
		{"credentials-revoke", views.CredentialsRevoke(page(), ask)},
		{"credentials-revoke-error", views.CredentialsRevoke(page(), again)},
		{"credentials-revoke-one", views.CredentialsRevoke(page(), unused)},
		{"credential", views.Credential(page(), one)},
		{"credential-dead", views.Credential(page(), dead)},
		{"overview-figures", views.Overview(page(), views.Start{Workspaces: cards(), Recent: entries(), Figures: []views.Figure{{Label: "Active credentials", Number: "1,000+", Glyph: "key", Href: "/credentials?status=active"}},
			Signs: []views.Figure{{Label: "Expire within 14 days", Number: "6", Glyph: "clock", Href: "/credentials?expires=14d", Warn: true, Note: "a note"}}, Chart: one.Chart, Calls: "7 calls were accepted."})},
	}
}
