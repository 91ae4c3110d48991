package web_test

import (
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// Two servers on one database share a limit: together they let no more pass than it says, and each tells the whole of it with what remains there.
func TestServersShareALimit(t *testing.T) {
	t.Parallel()
	several(t, 2, func(t *testing.T, first webtest.Site, all []webtest.Site) {
		p, _ := holder(t, first, models.NewAPIToken{Chosen: true, Scopes: models.Scopes{"agents:list"}})
		admin := first.SignedIn(t, ines)
		admin.Post(t, "/w/marlowe-press/settings/limits", webtest.Form{"calls_a_minute": "5"}).Want(t, 303)
		for tries := 0; all[0].Handlers.Replica.Standing().Live != 2 || all[1].Handlers.Replica.Standing().Live != 2; tries++ {
			if time.Sleep(50 * time.Millisecond); tries == 200 {
				t.Fatal("the servers do not know of each other")
			}
		}
		time.Sleep(50 * time.Millisecond)    // the limiter is told in the same breath
		first.Clock.Advance(2 * time.Minute) // the second has joined long ago
		passed := 0
		for _, s := range all {
			here, told := 0, consumer{s, p.token}
			for range 5 {
				a := told.call(t, "GET", "/api/agent-base", "")
				if a.Header.Get("RateLimit-Policy") != `"api";q=5;w=60` {
					t.Errorf("the limit is %s", a.Header.Get("RateLimit-Policy"))
				}
				if a.Status != 429 {
					here++
				}
			}
			if here != 2 && here != 3 {
				t.Errorf("a server lets %d of 5 pass", here)
			}
			passed += here
		}
		if passed != 5 {
			t.Errorf("%d of 5 calls pass", passed)
		}
	})
}
