package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/web/webtest"
)

// Of a token that a restoration has taken out of the database no call goes on, also where the restored log happens to end at the very number at which the log
// before ended, so that nothing seems to have changed.
func TestAStreamEndsWithItsDatabase(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]int{"as many events": 0, "fewer events": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.SQLite(t)
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "data: first\n\n")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}))
			t.Cleanup(api.Close)
			products, err := s.Products(t.Context(), s.Admin, "marlowe-press")
			if err != nil {
				t.Fatal(err)
			}
			admin := s.SignedIn(t, "ines@marlowe.example")
			point(t, admin, "/w/marlowe-press/settings/products/"+products[0].ID, pointing(api.URL)).Want(t, http.StatusSeeOther)
			command := models.Actor{Kind: models.Command, Name: "root"}
			file := filepath.Join(t.TempDir(), "desk.db")
			if _, err := s.Backup(t.Context(), command, file); err != nil {
				t.Fatal(err)
			}

			_, text := s.WorkspaceToken(t, s.Admin, "marlowe-press", models.NewAPIToken{Name: "Since"}) // the one event since
			for range more {
				s.Person(t, s.Admin, models.Member)
			}
			before, err := s.LastEvent(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			body := chatStream(t, s, text)
			ends := make(chan error, 1)
			go func() { _, err := body.ReadString(0); ends <- err }()
			copied, err := store.OpenCopy(t.Context(), store.Settings{
				DataDir: s.Dir, Clock: s.Clock.Now, NewID: models.NewID, Hasher: secret.NewHasher(0, 0), Log: slog.New(slog.NewTextHandler(s.Log, nil)),
			}, file)
			if err != nil {
				t.Fatal(err)
			}
			done, err := s.Open(t).Restore(t.Context(), command, copied, true)
			if err != nil {
				t.Fatal(err)
			}
			if err := copied.Close(); err != nil {
				t.Fatal(err)
			}
			if more == 0 && done.Events != before {
				t.Fatalf("the log has %d events and had %d", done.Events, before)
			}
			select {
			case err := <-ends:
				if err == nil || err == io.EOF {
					t.Errorf("the stream ends with %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Error("the stream goes on")
			}
		})
	}
}
