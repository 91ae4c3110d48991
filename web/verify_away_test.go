package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// While the database does not answer, a question about many credentials is answered all the same, in the time of one or two: of what is remembered as ever, and of each other
// one that it could not be found out.
func TestManyAreAnsweredWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t, nil)
	w := storetest.New(t, url)
	admin := w.SetUp(t)
	s := webtest.Start(t, w, webtest.Sampled())
	_, key := s.Key(t, admin, models.NewAPIKey{Name: "asks"})
	_, known := s.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "A"})
	one := func(text string) string {
		return `{"credential":"` + text + `","method":"GET","path":"/api/agent-base"}`
	}
	ask := func(list ...string) *webtest.Answer {
		return s.Browser(t).Send(t, http.MethodPost, "/v1/credentials:verify", strings.NewReader(`{"requests":[`+strings.Join(list, ",")+`]}`), "X-API-Key", key.Reveal(), "Content-Type", "application/json")
	}
	ask(one(known.Reveal())).Want(t, http.StatusOK)

	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	if _, err := db.Exec(t.Context(), "BEGIN; LOCK TABLE credentials"); err != nil {
		t.Fatal(err)
	}
	list := []string{one(known.Reveal())}
	for range 20 { // who waited for each would wait for a minute, and the server's patience with an answer is over by then
		text, err := secret.Mint("prod", nil)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, one(text.Reveal()))
	}
	a := ask(list...).Want(t, http.StatusOK)
	if good, away := strings.Count(a.Body, `"allowed":true`), strings.Count(a.Body, `"code":"verifier_unavailable"`); good != 1 || away != 20 {
		t.Errorf("%d are let in, and of %d nobody knows: %.600s", good, away, a.Body)
	}
}
