package views_test

import "tokendesk/views"

const keysPath = "/account/api-keys"

func keySamples() []sample {
	never := views.KeySettings{Options: keyLives(), Chosen: "90"}
	custom, fixed := never, never
	custom.Chosen, custom.Days, custom.Limit = "custom", "45", "Admins decided that they live 365 days at most."
	custom.Form = form(map[string]string{"expiration_days": "custom", "days": "none"}, "days", "Enter a number of days, from 1 to 36,500.")
	fixed.Fixed = "An Admin has set this for everybody."
	create := views.KeyForm{FormID: "Zc8LqW2vTn6RyH0dKs4XgP", Ends: "It expires in 90 days, by your API key settings."}
	failed := create
	failed.Form = form(map[string]string{"name": ""}, "name", "Enter a name, for example of the tool that will use the key.")
	list := views.KeyList{Keys: keyRows(), Ended: endedRows(), Count: "51 API keys", FirstHref: keysPath, MoreHref: keysPath + "?after=3", Create: create, Here: true, Settings: never, Shares: shareRows()}
	none := views.KeyList{Create: create, Here: true, Settings: never}
	refused := views.KeyList{Keys: keyRows()[:1], Refusal: "Admins decided that nobody generates API keys at present. Keys that there are keep working.", Settings: fixed}
	wrong := list
	wrong.Here, wrong.Settings = false, custom
	behind := list
	behind.Here, behind.Opener = false, true
	shown := views.KeyReveal{
		Secret: sampleSecret, Title: "API key generated", Sub: []views.Part{{Text: "Warehouse stock check"}}, Noun: "API key", Prefix: "pkey_Vn5", LastFour: "x1Qa", Expires: at("19 Feb 2027"),
		Access: "Your own rights", AccessIn: "As they are at each call", Heading: "Try it in a terminal", Try: "/v1/me", Lost: "Lost it later? Regenerate the key. It can’t be shown again.", Here: keysPath, Back: keysPath,
	}
	shared := shown
	shared.Title, shared.Noun, shared.Heading, shared.Try, shared.Here, shared.Back = "Collection shared", "access key", "Read the collection with it", "/v1/collections/c1", collectionPath, collectionPath
	shared.Expires = views.Time{}
	share := views.ShareForm{Collection: "Spring list 2026", Path: collectionPath, Back: "/w/marlowe/settings/collections", FormID: "Zc8LqW2vTn6RyH0dKs4XgP", Life: "It lives for 60 days, and each use gives it another 60, up to 90 days in all. Admins decided that."}
	long := share
	long.Form = form(map[string]string{"name": "x"}, "name", "Name must be 80 characters or fewer.")
	open := collection()
	open.ShareHref, open.Shares = open.Path+"/access-keys/new", shareRows()
	open.Shares.OfOne = true
	after := open
	after.Opener = true
	bare := open
	bare.Shares = views.ShareList{OfOne: true}
	end := views.ShareEnd{ShareRow: shareRows().Rows[0], Action: "/account/collection-access-keys/s1/delete", Back: collectionPath, Next: collectionPath}
	failedEnd := end
	failedEnd.Form = form(map[string]string{"reason": "x"}, "reason", "Reason must be 200 characters or fewer.")
	return []sample{
		{"account-keys", views.APIKeys(page(), list)},
		{"account-keys-empty", views.APIKeys(memberPage(), none)},
		{"account-keys-refused", views.APIKeys(memberPage(), refused)},
		{"account-keys-last", views.APIKeys(memberPage(), views.KeyList{FirstHref: keysPath, Settings: never})},
		{"account-keys-error", views.APIKeys(page(), wrong)},
		{"account-keys-new", views.APIKeyNew(page(), create)},
		{"account-keys-new-error", views.APIKeyNew(page(), failed)},
		{"account-keys-rename", views.APIKeyRename(page(), keyRows()[0], views.Form{})},
		{"account-keys-rename-error", views.APIKeyRename(page(), keyRows()[0], failed.Form)},
		{"account-keys-regenerate", views.APIKeyRegenerate(page(), keyRows()[0], create)},
		{"account-keys-delete", views.APIKeyDelete(page(), keyRows()[1], views.Form{})},
		{"account-keys-reveal", views.APIKeyRevealed(page(), behind, shown)},
		{"collection-shared", views.CollectionShared(page(), after, shared)},
		{"collection-share", views.CollectionShare(page(), share)},
		{"collection-share-error", views.CollectionShare(page(), long)},
		{"collection-shares", views.CollectionPage(page(), open)},
		{"collection-shares-none", views.CollectionPage(page(), bare)},
		{"share-delete", views.CollectionKeyDelete(page(), end)},
		{"share-delete-error", views.CollectionKeyDelete(page(), failedEnd)},
	}
}

func keyLives() []views.Option {
	return []views.Option{{Value: "30", Text: "30 days"}, {Value: "90", Text: "90 days"}, {Value: "never", Text: "Never"}, {Value: "custom", Text: "Custom"}}
}

func keyRows() []views.KeyRow {
	days := []int{3, 0, 0, 4, 9, 1, 0, 3, 3, 2, 5, 8, 1, 4}
	return []views.KeyRow{
		{ID: "k1", Path: keysPath + "/k1", Name: "Warehouse stock check", Prefix: "pkey_Vn5", LastFour: "x1Qa", Status: "Active", Created: at("3 Oct 2026"), Expires: at("3 Jan 2027"),
			LastUsed: at("21 Nov 2026"), LastFrom: "203.0.113.24", Days: days, InUse: true, Refused: 2},
		{ID: "k2", Path: keysPath + "/k2", Name: "Release notes bot", Prefix: "pkey_91Q", LastFour: "7aaB", Status: "Expires soon", Created: at("14 Mar 2026"), Expires: at("28 Nov 2026"), Days: days},
		{ID: "k3", Path: keysPath + "/k3", Name: "ines-laptop", Prefix: "pkey_Bx6", LastFour: "Lm90", Status: "Expired", Created: at("1 Aug 2026"), Expires: at("1 Nov 2026"), Days: make([]int, 14)},
		{ID: "k4", Path: keysPath + "/k4", Name: "Archive", Prefix: "pkey_0aB", LastFour: "Zz01", Status: "Active", Created: at("1 Aug 2026"), Days: make([]int, 14)},
	}
}

func endedRows() []views.KeyRow {
	return []views.KeyRow{
		{ID: "k8", Name: "Old laptop", Prefix: "pkey_8aB", LastFour: "Zz08", Status: "Revoked", Created: at("1 Aug 2026"), Revoked: at("12 Nov 2026"), RevokedBy: "Ines Moreau", Reason: "lost"},
		{ID: "k9", Name: "Test", Prefix: "pkey_9aB", LastFour: "Zz09", Status: "Revoked", Created: at("1 Aug 2026"), Revoked: at("11 Nov 2026"), RevokedBy: "the server"},
	}
}

func shareRows() views.ShareList {
	return views.ShareList{
		FirstHref: keysPath + "#access-keys", MoreHref: keysPath + "?shares_after=2#access-keys",
		Rows: []views.ShareRow{
			{ID: "s1", Name: "Print shop", Prefix: "coll_Wd6", LastFour: "11aa", Status: "Active", Collection: "Spring list 2026", Href: collectionPath, Workspace: "Marlowe Press", CreatedBy: "you",
				Created: at("12 Oct 2026"), Expires: at("20 Jan 2027"), LastUsed: at("21 Nov 2026"), Refused: 1, EndHref: "/account/collection-access-keys/s1/delete"},
			{ID: "s2", Name: "Access key", Prefix: "coll_m3H", LastFour: "22bb", Status: "Expired", Collection: "Autumn catalogue", Href: collectionPath, CreatedBy: "Aiko Tanabe", Created: at("30 Aug 2026"), Expires: at("29 Oct 2026")},
		},
	}
}
