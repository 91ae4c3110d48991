package storetest

import (
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
)

// OpenWith opens another store on the same database, as Open does, with settings of the test's own: a
// hasher that waits, IDs in an order.
func (w World) OpenWith(t testing.TB, change func(*store.Settings)) *store.Store {
	t.Helper()
	set := w.settings()
	change(&set)
	s, err := store.Open(t.Context(), set)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// WorkspaceToken makes an API token of a workspace.
func (w World) WorkspaceToken(t testing.TB, who models.Actor, workspace string, n models.NewAPIToken) (models.Credential, secret.Text) {
	t.Helper()
	made, text, err := w.CreateAPIToken(t.Context(), who, workspace, n, secret.FormID())
	if err != nil {
		t.Fatalf("create an API token: %v", err)
	}
	w.Secrets.Add(text)
	return made, text
}

// Automation makes an automation token of somebody's own in a workspace.
func (w World) Automation(t testing.TB, who models.Actor, workspace string, n models.NewAutomationToken) (models.Credential, secret.Text) {
	t.Helper()
	made, text, err := w.CreateAutomationToken(t.Context(), who, workspace, n, secret.FormID())
	if err != nil {
		t.Fatalf("create an automation token: %v", err)
	}
	w.Secrets.Add(text)
	return made, text
}

// Key makes an API key of somebody's own.
func (w World) Key(t testing.TB, who models.Actor, n models.NewAPIKey) (models.Credential, secret.Text) {
	t.Helper()
	made, text, err := w.CreateAPIKey(t.Context(), who, n, secret.FormID())
	if err != nil {
		t.Fatalf("create an API key: %v", err)
	}
	w.Secrets.Add(text)
	return made, text
}

// Share makes an access key of a collection.
func (w World) Share(t testing.TB, who models.Actor, collectionID, name string) (models.Credential, secret.Text) {
	t.Helper()
	made, text, err := w.CreateCollectionKey(t.Context(), who, collectionID, models.NewCollectionKey{Name: name}, secret.FormID())
	if err != nil {
		t.Fatalf("share a collection: %v", err)
	}
	w.Secrets.Add(text)
	return made, text
}

// Flush names the first flush of a server that has sent none before.
func Flush() models.Flush { return models.Flush{Boot: models.NewID(), Number: 1} }
