package views_test

import "tokendesk/views"

func policySamples() []sample {
	limited := views.UnusedKeys{Form: form(map[string]string{"days": "90"}), Asked: true, Days: "90 days", Count: "2 API keys", Decided: true, Rows: []views.UnusedKey{
		{Name: "Old laptop", Prefix: "pkey_4mQ", LastFour: "9xZ1", Owner: "Ines Moreau", OwnerHref: "/people/p1", Created: at("2 Mar 2026"), LastUsed: ago("101 days ago"), Expires: at("2 Mar 2027")},
		{Name: "Workshop", Prefix: "pkey_Uw9", LastFour: "k2Lm", Owner: "Jonah Akerele", OwnerHref: "/people/p4", Created: at("2 Mar 2026")},
	}, Next: views.Action{Text: "Show more", Href: "/settings/policies/unused?days=90&after=x"}, First: views.Action{Text: "First page", Href: "/settings/policies/unused?days=90"}}
	open := limited
	open.Decided, open.Count = false, "1 API key"
	open.Rows, open.One = open.Rows[:1], true
	none := views.UnusedKeys{Form: form(map[string]string{"days": "400"}), Asked: true, Days: "400 days"}
	wrong := views.UnusedKeys{Form: form(map[string]string{"days": "-1"}, "days", "Enter a whole number of days from 1 to 36500, or leave the field empty.")}
	saved := policies(nil)
	saved.Unused, saved.Days = "14 API keys", "90"
	ask := policies(nil, "unused_days", "This revokes 14 API keys within the hour.")
	ask.Ask, ask.Days, ask.Look = "14 API keys", "90", limited
	look := policies(nil)
	look.Look, look.Days = none, "400"
	failed := policies(map[string]string{"key_life": "no_exp", "longest_api_days": "x"}, "key_makers", "Choose who may generate API keys.", "key_life", "New API keys cannot live forever.",
		"longest_api_days", "Enter a whole number of days.", "reason", "Reason must be 200 characters or fewer.")
	return []sample{
		{"policies", views.PoliciesPage(page(), policies(nil))},
		{"policies-saved", views.PoliciesPage(page(), saved)},
		{"policies-ask", views.PoliciesPage(page(), ask)},
		{"policies-look", views.PoliciesPage(page(), look)},
		{"policies-error", views.PoliciesPage(page(), failed)},
		{"policies-unused", views.UnusedKeysPage(page(), limited)},
		{"policies-unused-open", views.UnusedKeysPage(page(), open)},
		{"policies-unused-none", views.UnusedKeysPage(page(), none)},
		{"policies-unused-first", views.UnusedKeysPage(page(), views.UnusedKeys{})},
		{"policies-unused-error", views.UnusedKeysPage(page(), wrong)},
	}
}

// policies is the form, with values and then pairs of field and message.
func policies(values map[string]string, errors ...string) views.Policies {
	all := map[string]string{"key_makers": "everyone", "key_life": "custom", "key_days": "90", "longest_api_days": "365", "expiry_required": "yes", "unused_days": "90"}
	for name, value := range values {
		all[name] = value
	}
	return views.Policies{Form: form(all, errors...), Longest: []views.Lifetime{
		{Name: "longest_bearer_days", Label: "Bearer tokens", Hint: "They live one year at most in any case."}, {Name: "longest_api_days", Label: "API tokens"},
		{Name: "longest_automation_days", Label: "Automation tokens"}, {Name: "longest_key_days", Label: "API keys"}, {Name: "longest_collection_days", Label: "Collection access keys"},
	}}
}
