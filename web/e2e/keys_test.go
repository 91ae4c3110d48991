package e2e

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

const keysTab = "/account/api-keys"

// keyMenu opens the menu of a key and chooses from it.
func keyMenu(b *Tab, name, choice string) {
	b.Click("Actions for " + name)
	b.In(".menu:popover-open").Click(choice)
}

// A Member finds the page by the avatar, generates the first key, stores it and calls with it; renames and regenerates it, says how long the next ones live, and
// deletes it. Each step is felt by the next call.
func TestAPIKeys(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, owner *Tab) {
		b := Open(t, owner.with)
		signIn(b, s.Person(t, s.Admin, models.Member).Email)
		b.Click("Your account menu")
		b.In("#account-menu").Click("Settings")
		if b.URL() != s.URL+keysTab || !b.Has("No API keys yet") {
			t.Errorf("Settings leads to %s: %s", b.URL(), b.Text("main"))
		}
		first := generateKey(t, s, b, "Warehouse check", "19 Feb 2027, 09:30 UTC")
		try(t, s, first).Want(t, http.StatusOK)
		keyMenu(b, "Warehouse check", "Rename")
		b.Fill("Key name", "Stock check")
		b.Click("Save name")
		if !b.Has("Stock check is its name now.") || b.Text("tr[data-key-id] .med") != "Stock check" {
			t.Errorf("after Rename: %s", b.Text("main"))
		}
		b.Select("New keys expire after", "30 days")
		b.Click("Save settings")
		if !b.Has("API keys that you generate from now on expire after 30 days.") || b.Value("New keys expire after") != "30" {
			t.Errorf("after Save settings: %s", b.Text("main"))
		}
		keyMenu(b, "Stock check", "Regenerate")
		if !b.Has("It expires in 30 days, by your API key settings.") {
			t.Errorf("the question is %s", b.Text("main"))
		}
		b.In("main").Click("Regenerate")
		second := shown(t, b, "pkey_", "21 Dec 2026, 09:30 UTC")
		b.Click("I have stored it")
		try(t, s, first).Want(t, http.StatusUnauthorized).Has(t, "credential_replaced")
		try(t, s, second).Want(t, http.StatusOK)
		b.Select("New keys expire after", "Custom")
		b.Fill("Days", "7")
		b.Click("Save settings")
		generateKey(t, s, b, "For a week", "28 Nov 2026, 09:30 UTC")
		keyMenu(b, "Stock check", "Delete")
		b.Fill("Reason (optional)", "no longer needed")
		b.Click("Delete key")
		if !b.Has("Stock check is deleted.") || b.Count("tr[data-key-id]") != 1 || !b.Has("no longer needed") {
			t.Errorf("after Delete: %s", b.Text("main"))
		}
		try(t, s, second).Want(t, http.StatusUnauthorized).Has(t, "credential_revoked")
	}, webtest.Sampled())
}

// generateKey goes through the form, which with scripts is a dialog, and stores the key.
func generateKey(t *testing.T, s webtest.Site, b *Tab, name, ends string) string {
	t.Helper()
	b.Click("Generate API Key")
	form := b
	if !b.with.NoScript {
		form = b.In("#create-key")
	} else if b.URL() != s.URL+keysTab+"/new" {
		t.Errorf("the form is at %s", b.URL())
	}
	form.Fill("Key name", name)
	form.Click("Generate API Key")
	key := shown(t, b, "pkey_", ends)
	if !b.Has("/v1/me") || !b.Has("X-API-Key: $KEY") {
		t.Errorf("the popup says %s", b.Text("#reveal"))
	}
	b.Click("I have stored it")
	if strings.Contains(b.HTML(), key) || strings.TrimSuffix(b.URL(), "?") != s.URL+keysTab {
		t.Errorf("the page at %s still has the secret, or is another one", b.URL())
	}
	if !b.with.NoScript && b.Focus() != `link "Generate API Key"` {
		t.Errorf("then the keyboard is at %s", b.Focus())
	}
	b.Go(keysTab)
	return key
}

// A Member shares a collection: the key is shown once, opens no product, and stands on the collection's page and under everybody's API keys. The workspace's Owner
// deletes it there.
func TestSharing(t *testing.T) {
	inConsole(t, func(t *testing.T, s webtest.Site, owner *Tab) {
		twoVersions(t, s)
		site := addressOf(t, s, "site")
		member := s.Person(t, s.Admin, models.Member)
		b := Open(t, owner.with)
		signIn(b, member.Email)
		b.Go(site)
		b.Click("Share")
		b.Fill("Key name (optional)", "Print shop")
		b.Click("Make an access key")
		key := shown(t, b, "coll_", "20 Jan 2027, 09:30 UTC")
		if !b.Has("/v1/collections/"+strings.TrimPrefix(site, collectionsTab+"/")) || !b.Has("X-API-Key: $KEY") {
			t.Errorf("the popup says %s", b.Text("#reveal"))
		}
		b.Click("I have stored it")
		if strings.Contains(b.HTML(), key) || strings.TrimSuffix(b.URL(), "?") != s.URL+site || b.Count("tr[data-share-id]") != 1 {
			t.Errorf("the page at %s still has the secret, or not its key", b.URL())
		}
		if !b.with.NoScript && b.Focus() != `link "Share"` {
			t.Errorf("then the keyboard is at %s", b.Focus())
		}
		try(t, s, key).Want(t, http.StatusForbidden).Has(t, "scope_missing")
		owner.Go(keysTab)
		if told := owner.Text("tr[data-share-id]"); !strings.Contains(told, "Print shop") || !strings.Contains(told, member.Name) || !strings.Contains(told, "site") {
			t.Errorf("the Owner is shown %s", told)
		}
		owner.Click("Delete Print shop, " + key[:8])
		owner.Click("Delete key")
		if !owner.Has("Print shop is deleted.") || owner.Count("tr[data-share-id]") != 0 {
			t.Errorf("after Delete: %s", owner.Text("main"))
		}
		try(t, s, key).Want(t, http.StatusUnauthorized).Has(t, "credential_revoked")
	}, webtest.Sampled())
}

// The page with a key's secret is left in each of the ways that lead back to a page, like that of a token.
func TestAnAPIKeyIsSeenOnce(t *testing.T) {
	seenOnce(t, keysTab, "path=/account/api-keys", "Generate API Key")
}

// The pages as they are when there is nothing, when something is wrong, and what opens on them, for the eye and for axe.
func TestAPIKeysLook(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	person := s.Person(t, s.Admin, models.Member)
	b := Open(t, Options{Base: s.URL})
	signIn(b, person.Email)
	b.Go(keysTab)
	b.Look("account-keys-empty")
	b.Click("Generate API Key")
	b.Look("account-keys--create")
	b.In("#create-key").Fill("Key name", strings.Repeat("W", 80))
	b.In("#create-key").Click("Generate API Key")
	b.Look("account-keys-reveal")
	b.Click("I have stored it")
	b.Go(keysTab)
	b.Look("account-keys-long")
	b.Click("Actions for " + strings.Repeat("W", 80))
	b.Look("account-keys--menu")
	b.Go(keysTab + "/new")
	b.Click("Generate API Key")
	b.Look("account-keys-new-error")
	b.Go(keysTab)
	b.Select("New keys expire after", "Custom")
	b.Click("Save settings")
	b.Look("account-keys-settings-error")
	twoVersions(t, s)
	b.Go(addressOf(t, s, "site") + "/access-keys/new")
	b.Click("Make an access key")
	b.Look("collection-shared")
	policy, err := s.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	days := 14
	policy.KeyMakers, policy.KeyDays = models.NobodyMakesKeys, &days
	if _, err := s.SetPolicy(t.Context(), s.Admin, models.PolicyEdit{Policy: policy}); err != nil {
		t.Fatal(err)
	}
	b.Go(keysTab)
	b.Look("account-keys-refused")
}

// furnishedKeys makes API keys in every state, and access keys of a collection, and returns the addresses of their pages.
func furnishedKeys(t *testing.T, s webtest.Site, collection string) map[string]string {
	t.Helper()
	ids := map[string]string{}
	soon := s.Clock.Now().AddDate(0, 0, 3)
	for _, n := range []models.NewAPIKey{{Name: "ines-laptop"}, {Name: "Release notes bot", Given: true, ExpiresAt: &soon}, {Name: "Warehouse stock check", Given: true}, {Name: "Old laptop"}} {
		made, _ := s.Key(t, s.Admin, n)
		ids[n.Name] = made.ID
	}
	if _, err := s.RevokeAPIKey(t.Context(), s.Admin, ids["Old laptop"], models.Revocation{Reason: "It was lost on a train."}); err != nil {
		t.Fatal(err)
	}
	id := strings.TrimPrefix(collection, collectionsTab+"/")
	share, _ := s.Share(t, s.Admin, id, "Print shop")
	other := s.Person(t, s.Admin, models.Member)
	s.Share(t, storetest.As(other), id, "")
	for n := range 30 {
		s.Tally.Add(uuid.MustParse(ids["ines-laptop"]), false, models.CallAccepted, s.Clock.Now().AddDate(0, 0, -n/3), netip.MustParseAddr("203.0.113.24"))
		s.Tally.Add(uuid.MustParse(share.ID), false, models.CallAccepted, s.Clock.Now(), netip.MustParseAddr("203.0.113.24"))
	}
	s.Flush(t)
	key := keysTab + "/" + ids["ines-laptop"]
	return map[string]string{
		"account-keys": keysTab, "account-keys-new": keysTab + "/new", "account-keys-rename": key + "/rename", "account-keys-regenerate": key + "/regenerate", "account-keys-delete": key + "/delete",
		"collection-share": collection + "/access-keys/new", "collection-key-delete": "/account/collection-access-keys/" + share.ID + "/delete",
	}
}
