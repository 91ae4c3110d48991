package views_test

import "tokendesk/views"

const (
	tokensPath  = "/w/marlowe/settings/api-tokens"
	ownPath     = "/w/marlowe/settings/automation-tokens"
	productPath = "/w/marlowe/settings/products/x1"
)

func tokenSamples() []sample {
	list := views.TokenList{Path: tokensPath, Manages: true, Cards: tokenCards(), Sort: "newest", Count: "6 tokens", MoreHref: tokensPath + "?after=6", FirstHref: tokensPath, Create: tokenForm(), Here: true}
	found, none := list, views.TokenList{Path: tokensPath, Manages: true, None: true, Create: tokenForm(), Here: true}
	found.Cards, found.Query, found.Status, found.Here, found.Looked = nil, "deploy", "expired", false, "These are the matches among the 5,000 tokens that were looked through."
	behind := list
	behind.Here = false
	failed, several, chosen := tokenForm(), tokenForm(), tokenForm()
	failed.Chosen = []string{"agents:list"}
	failed.Form = form(map[string]string{"name": "", "expiration": "custom", "expires_at": "2026-01-01T09:00", "access": "chosen"},
		"name", "Enter a token name.", "expires_at", "The date and time must be in the future.", "scope", "Choose at least one operation.")
	several.Products = []views.Option{{Value: "x1", Text: "Product API (prod)"}, {Value: "x2", Text: "Print API (prnt)"}}
	several.Form = form(map[string]string{"product": "x2"}, "product", "Choose the product that the token opens.")
	chosen.Product = several.Products[1]
	chosen.Form = form(map[string]string{"product": "x2", "expiration": "no_exp", "access": "all"}, "expiration", "Choose when it expires.")
	again := tokenForm()
	again.AskEnd = true
	limited, limitedOwn := tokenForm(), automationForm()
	limited.Policy, limited.Presets, limited.AskEnd = "Admins decided: at most 30 days.", append(limited.Presets[:1:1], limited.Presets[3:]...), true
	limitedOwn.Policy, limitedOwn.Periods = "Admins decided: everything expires.", limitedOwn.Periods[:2]
	again.Form = form(nil, "expiration", "Choose when it expires from now on, or Never.")
	shown := views.TokenReveal{Secret: sampleSecret, Title: "Token created", Card: tokenCards()[0], Workspace: "Marlowe Press", Access: "3 operations", AccessIn: "Agents, Storage", Try: "/api/agent-base"}
	replaced := views.TokenReveal{Secret: sampleSecret, Title: "Token regenerated", Card: tokenCards()[3], Workspace: "Marlowe Press", Access: "Every resource", AccessIn: "Product API", Replaced: true}
	one, revoked := tokenPage(0), tokenPage(5)
	one.Form = form(map[string]string{"name": ""}, "name", "Enter a token name.")
	list.Automation = views.AutomationList{Path: ownPath, Cards: automationCards(), Count: "4 automation tokens", MoreHref: tokensPath + "?automation_after=4#automation", FirstHref: tokensPath + "#automation",
		MayCreate: true, Here: true, Create: automationForm()}
	none.Automation = views.AutomationList{Path: ownPath}
	theirs := views.TokenList{Path: tokensPath, Automation: views.AutomationList{Path: ownPath, Cards: automationCards()[:1], Count: "1 automation token", MayCreate: true, Here: true, Create: automationForm()}}
	behindOwn := theirs
	behindOwn.Automation.Here, behindOwn.Automation.Opener = false, true
	period, anew := automationForm(), automationForm()
	anew.AskEnd = true
	period.Form = form(map[string]string{"name": "x", "expiration_period": "25h"}, "name", "Token name must be 80 characters or fewer.", "expiration_period", "Choose one of these.")
	anew.Form = form(map[string]string{"expiration_period": ""}, "expiration_period", "Choose how long it lives from now on.")
	shownOwn := views.TokenReveal{Secret: sampleSecret, Title: "Automation token created", Card: automationCards()[0], Workspace: "Marlowe Press", Access: "Your own rights", AccessIn: "In Marlowe Press, as they are at each call", Try: "/api/agent-base"}
	own := views.TokenPage{Card: automationCards()[0], ActsAs: "Jonah Akerele", List: tokensPath, Chart: tokenPage(0).Chart}
	own.Card.MayHistory = false
	return []sample{
		{"settings-automation", views.SettingsTokens(memberPage(), theirs)},
		{"settings-automation-new", views.AutomationNew(memberPage(), automationForm())},
		{"settings-automation-new-error", views.AutomationNew(memberPage(), period)},
		{"settings-automation-revoke", views.TokenRevoke(page(), automationCards()[0], views.Form{}, tokensPath)},
		{"settings-automation-regenerate", views.TokenRegenerate(page(), automationCards()[0], automationForm(), tokensPath)},
		{"settings-automation-regenerate-error", views.TokenRegenerate(page(), automationCards()[2], anew, tokensPath)},
		{"settings-automation-reveal", views.TokenRevealed(memberPage(), behindOwn, shownOwn)},
		{"settings-automation-token", views.Token(memberPage(), own)},
		{"settings-tokens", views.SettingsTokens(page(), list)},
		{"settings-tokens-found", views.SettingsTokens(page(), found)},
		{"settings-tokens-empty", views.SettingsTokens(page(), none)},
		{"settings-tokens-new", views.TokenNew(page(), tokenForm())},
		{"settings-tokens-new-limited", views.TokenNew(page(), limited)},
		{"settings-tokens-regenerate-limited", views.TokenRegenerate(page(), tokenCards()[0], limited, tokensPath)},
		{"settings-automation-new-limited", views.AutomationNew(memberPage(), limitedOwn)},
		{"settings-tokens-new-error", views.TokenNew(page(), failed)},
		{"settings-tokens-new-several", views.TokenNew(page(), several)},
		{"settings-tokens-new-chosen", views.TokenNew(page(), chosen)},
		{"settings-tokens-revoke", views.TokenRevoke(page(), tokenCards()[0], views.Form{}, tokensPath)},
		{"settings-tokens-regenerate", views.TokenRegenerate(page(), tokenCards()[0], tokenForm(), tokensPath)},
		{"settings-tokens-regenerate-error", views.TokenRegenerate(page(), tokenCards()[4], again, tokensPath)},
		{"settings-tokens-reveal", views.TokenRevealed(page(), behind, shown)},
		{"settings-tokens-reveal-again", views.TokenRevealed(page(), behind, replaced)},
		{"settings-token", views.Token(page(), one)},
		{"settings-token-revoked", views.Token(page(), revoked)},
		{"workspace-delete", views.WorkspaceDelete(page(), views.WorkspaceEnd{Name: "Marlowe Press", Path: "/w/marlowe/settings/delete", Back: "/w/marlowe/settings"})},
		{"workspace-delete-refused", views.WorkspaceDelete(page(), views.WorkspaceEnd{Name: "Marlowe Press", Path: "/w/marlowe/settings/delete", Back: "/w/marlowe/settings", Tokens: "3 tokens"})},
	}
}

func productSamples() []sample {
	list := views.ProductList{
		Path: "/w/marlowe/settings/products", Gateway: "https://desk.marlowe.example/api", MayEdit: true, MayPoint: true, MayAdd: true, CallsLimit: "600 calls a minute for each token",
		Products: []views.ProductCard{{ID: "x1", Path: productPath, Name: "Product API", Prefix: "prod", Resources: tokenForm().Resources}},
	}
	read, failed := list, list
	read.MayEdit, read.MayPoint, read.MayAdd = false, false, false
	read.Products = []views.ProductCard{{ID: "x1", Path: productPath, Name: "Product API", Prefix: "prod", Upstream: "https://api.marlowe.example", Used: true, Resources: tokenForm().Resources}}
	failed.Form = form(map[string]string{"name": "", "prefix": "PROD"}, "name", "Enter a product name.", "prefix", "Prefix must be 4 lower-case letters or digits.")
	edit := views.ResourceForm{Product: "Product API", Path: productPath + "/resources", Back: "/w/marlowe/settings/resources", Text: "Agents (agents)\n  list  GET  /api/agent-base\n", Revision: "3"}
	wrong := edit
	wrong.Form = form(map[string]string{"resources": "nonsense", "revision": "3"}, "resources", "Line 1: an operation stands below its resource.")
	taking := edit
	taking.Form = form(map[string]string{"resources": "Agents (agents)\n  get  GET  /api/agent-base\n", "revision": "3"}, "lose", "Nothing is saved yet. Tick the box to save all the same.")
	taking.Losses = views.Losses{Value: "agents:list", Lead: "7 tokens lose operations.", More: "And 6 tokens more.", Tokens: []views.Loss{{Name: "Deploy pipeline", Scopes: "agents:list"}}}
	own := views.UpstreamPage{Product: "Product API", Path: productPath + "/upstream", Back: productPath, FormID: "id", Revision: "3", Signed: true, HeaderNames: []string{"Authorization"},
		Form: form(map[string]string{"to": "own", "upstream": "https://api.marlowe.example", "connect_timeout": "3", "answer_timeout": "30", "max_body": "2048", "web_socket": "on"})}
	tested, mistyped := own, own
	tested.Tested, tested.TestedWell, tested.Signed, tested.HeaderNames = "api.marlowe.example answered 200 OK in 12 ms.", true, false, nil
	mistyped.Tested = "api.marlowe.example refuses the connection."
	mistyped.Form = form(map[string]string{"to": "own", "upstream": "api"}, "upstream", "The address must begin with https:// or http://.", "max_body", "Largest request must be a whole number.", "headers", "Line 1: write a name, a colon and a value.")
	return []sample{
		{"settings-resources", views.SettingsResources(page(), list)},
		{"settings-resources-read", views.SettingsResources(memberPage(), read)},
		{"settings-resources-error", views.SettingsResources(page(), failed)},
		{"settings-resources-edit", views.EditResources(page(), edit)},
		{"settings-resources-edit-error", views.EditResources(page(), wrong)},
		{"settings-resources-edit-losses", views.EditResources(page(), taking)},
		{"settings-upstream", views.ProductUpstream(page(), own)},
		{"settings-upstream-tested", views.ProductUpstream(page(), tested)},
		{"settings-upstream-error", views.ProductUpstream(page(), mistyped)},
		{"settings-upstream-key-new", views.SigningKeyNew(page(), own)},
		{"settings-upstream-key", views.SigningKeyRevealed(page(), own, sampleSecret)},
	}
}

func tokenCards() []views.TokenCard {
	card := func(id, name, status string) views.TokenCard {
		return views.TokenCard{ID: id, Path: tokensPath + "/" + id, Name: name, Prefix: "prod_9Fk", LastFour: "4tli", Status: status, Created: at("21 Aug 2026"), CreatedBy: "Ines Moreau",
			Expires: at("19 Feb 2027"), MayRegenerate: true, MayHistory: true, Calls: 48291, LastUsed: at("21 Nov 2026"), LastFrom: "203.0.113.24", Days: []int{0, 3, 9, 12, 0, 0, 4, 2, 2, 9, 8, 7, 1, 5}}
	}
	cards := []views.TokenCard{card("t1", "Deploy pipeline", "Active"), card("t2", "Knowledge base sync", "Expires soon"), card("t3", "Storefront webhooks", "Active"),
		card("t4", "Support assistant chat", "Inactive"), card("t5", "Quarterly import", "Expired"), card("t6", "Contractor staging", "Revoked")}
	cards[0].InUse, cards[0].Refused, cards[0].Product = true, 12, "Product API"
	cards[1].Soon = true
	cards[2].Expires, cards[2].LastUsed = views.Time{}, views.Time{}
	cards[5].Revoked, cards[5].RevokedBy, cards[5].Reason, cards[5].Refused = at("9 Oct 2026"), "Tomasz Zieliński", "The contract has ended.", 7
	return cards
}

// automationCards are tokens of oneself and of somebody else, in several states.
func automationCards() []views.TokenCard {
	cards := tokenCards()
	cards = []views.TokenCard{cards[0], cards[3], cards[4], cards[5]}
	for i := range cards {
		c := &cards[i]
		c.ID = "a" + c.ID
		c.Path, c.Prefix, c.CreatedBy, c.Product, c.Person, c.Named = ownPath+"/"+c.ID, "auto_9Fk", "", "", "Ines Moreau (you)", true
	}
	cards[0].Name, cards[0].Person = "Nightly export", ""
	cards[1].Person, cards[1].MayRegenerate = "Jonah Akerele", false
	return cards
}

func automationForm() views.TokenForm {
	return views.TokenForm{Path: ownPath, Workspace: "Marlowe Press", FormID: "id", Periods: []views.Option{{Value: "1h", Text: "1 hour"}, {Value: "24h", Text: "24 hours"}, {Value: "no_exp", Text: "No expiration"}}}
}

func tokenForm() views.TokenForm {
	agents := []views.ScopeOption{{Value: "agents:list", Text: "List", Label: "Agents: List"}, {Value: "agents:delete", Text: "Delete", Label: "Agents: Delete"}}
	return views.TokenForm{
		Path: tokensPath, Workspace: "Marlowe Press", FormID: "id", Zone: "Europe/London",
		Presets: []views.Preset{{Value: "1w", Text: "1 week", Ends: "28 Nov 2026, 09:00 GMT"}, {Value: "3mo", Text: "3 months", Ends: "21 Feb 2027, 09:00 GMT"},
			{Value: "no_exp", Text: "Never"}, {Value: "custom", Text: "Date and time"}},
		Resources: []views.ScopeGroup{{Name: "Agents", Path: "/api/agent-base", Operations: agents}},
	}
}

func tokenPage(n int) views.TokenPage {
	t := views.TokenPage{Card: tokenCards()[n], List: tokensPath, Access: tokenForm().Resources, Gone: []string{"print:send"}, History: entries()[:2], AllEvents: "/w/marlowe/settings/audit?subject=t1"}
	for _, day := range []string{"18 Nov", "19 Nov", "20 Nov", "21 Nov"} {
		t.Chart = append(t.Chart, views.ChartDay{Text: day, Accepted: 120, Refused: 7})
	}
	return t
}
