package web_test

import (
	"os"
	"strings"
	"testing"

	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// The secret is in the answer of the press that made it, once, and nowhere afterwards: not on the
// record, not in the answer to the same form sent again.
func TestBearerTokenIsShownOnce(t *testing.T) {
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin := s.SignedIn(t, "ines@marlowe.example")
		record := "/people/" + s.Admin.ID
		form := admin.Get(t, record).Want(t, 200).Value(t, "form_id")

		shown := admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": form}).Want(t, 200)
		secret := shown.Text(t, "#reveal #token")
		if n := strings.Count(shown.Body, secret); n != 1 {
			t.Errorf("the secret stands %d times in the page, want once", n)
		}
		admin.Get(t, record).Want(t, 200).HasNot(t, secret).Has(t, secret[:8])
		again := admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": form}).Want(t, 200).HasNot(t, secret)
		again.Has(t, "This token was already shown")
	})
}
