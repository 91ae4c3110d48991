package web_test

import (
	"maps"
	"strings"
	"sync"
	"testing"

	"tokendesk/web/webtest"
)

// Two hundred uses of one refresh token at once: one wins, and as the others show that somebody else has it too, the sign-in ends, with the token that the winner
// got. Nothing else does.
func TestOneRefreshTokenAtOnce(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		p, other := signInAs(t, s, "ines@marlowe.example"), signInAs(t, s, "ines@marlowe.example")
		body := jsonOf("email", p.email, "refresh_token", p.refresh)
		var mu sync.Mutex
		got, next := map[int]int{}, ""
		var wait sync.WaitGroup
		for range 200 {
			wait.Go(func() {
				a := s.Browser(t).Send(t, "POST", "/user/refresh_token", strings.NewReader(body), "Content-Type", "application/json")
				mu.Lock()
				defer mu.Unlock()
				got[a.Status]++
				if a.Status == 200 {
					_, rest, _ := strings.Cut(a.Body, `"token":"`)
					next, _, _ = strings.Cut(rest, `"`)
				}
			})
		}
		wait.Wait()
		if want := map[int]int{200: 1, 400: 199}; !maps.Equal(got, want) {
			t.Errorf("answered with %v, want %v", got, want)
		}
		(&apiUser{s: s, token: next}).refused(t, "GET", "/user/workspaces", "", 401, "credential_revoked", "Incorrect JWT token")
		other.must(t, "GET", "/user/workspaces", "", "", nil)
		other.renew(t, "")
		if chain, err := s.VerifyEvents(t.Context()); err != nil || chain.Broken != "" {
			t.Errorf("the log: %+v, %v", chain, err)
		}
	})
}
