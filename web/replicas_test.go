package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

// several are servers over one database, each with a memory of its own.
func several(t *testing.T, n int, test func(t *testing.T, first webtest.Site, all []webtest.Site)) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		first := webtest.Start(t, w, webtest.Sampled())
		first.Admin = first.SetUp(t)
		all := []webtest.Site{first}
		for len(all) < n {
			all = append(all, webtest.Start(t, w, webtest.Sampled(), webtest.Over(w.Open(t))))
		}
		test(t, first, all)
	})
}

// What is revoked, switched off or regenerated at one server is refused by all of them at the very next call, although each had it in memory; and what is
// switched on is accepted.
func TestRevokedMeansRevokedEverywhere(t *testing.T) {
	t.Parallel()
	several(t, 3, func(t *testing.T, first webtest.Site, all []webtest.Site) {
		call := func(s webtest.Site, text string) int {
			return s.Browser(t).Get(t, "/api/agent-base", "Authorization", "Bearer "+text).Status
		}
		for round := range 5 {
			made, text := first.WorkspaceToken(t, first.Admin, "marlowe-press", models.NewAPIToken{Name: fmt.Sprint("Round ", round)})
			everywhere := func(what string, text string, want int) {
				t.Helper()
				for i, s := range all {
					for range 2 {
						if got := call(s, text); got != want {
							t.Fatalf("round %d, %s: server %d answers %d, want %d", round, what, i, got, want)
						}
					}
				}
			}
			everywhere("new", text.Reveal(), 200)
			ctx, receipt := store.WithReceipt(t.Context())
			for _, on := range []bool{false, true} {
				_, err := all[round%3].Handlers.Store.SwitchAPIToken(ctx, first.Admin, "marlowe-press", made.ID, on)
				if err != nil || receipt.Confirmed != 3 || len(receipt.Silent) > 0 {
					t.Fatalf("%+v (%v)", receipt, err)
				}
				everywhere(fmt.Sprint("switched on: ", on), text.Reveal(), map[bool]int{true: 200, false: 401}[on])
			}
			_, newer, err := all[(round+1)%3].Handlers.Store.RegenerateAPIToken(ctx, first.Admin, "marlowe-press", made.ID, models.Regeneration{}, models.NewID())
			if err != nil {
				t.Fatal(err)
			}
			first.Secrets.Add(newer)
			everywhere("replaced", text.Reveal(), 401)
			everywhere("regenerated", newer.Reveal(), 200)
			if _, err := all[(round+2)%3].Handlers.Store.RevokeAPIToken(ctx, first.Admin, "marlowe-press", made.ID, models.Revocation{}); err != nil {
				t.Fatal(err)
			}
			everywhere("revoked", newer.Reveal(), 401)
		}
	})
}

// Whatever takes a person's right away takes it away everywhere, with the answer.
func TestRightsEndEverywhere(t *testing.T) {
	t.Parallel()
	several(t, 2, func(t *testing.T, first webtest.Site, all []webtest.Site) {
		for name, end := range map[string]func(p models.Person) error{
			"deactivated": func(p models.Person) error {
				_, err := first.DeactivatePerson(t.Context(), first.Admin, p.ID)
				return err
			},
			"no member any more": func(p models.Person) error {
				_, err := first.RemoveMember(t.Context(), first.Admin, "marlowe-press", p.ID)
				return err
			},
		} {
			p := first.Person(t, first.Admin, models.Member)
			_, text := first.Token(t, first.Admin, p.ID)
			_, key := first.Key(t, storetest.As(p), models.NewAPIKey{Name: "A key"})
			for _, secret := range []string{text.Reveal(), key.Reveal()} {
				for i, s := range all {
					if got := s.Browser(t).Get(t, "/api/agent-base", "Authorization", "Bearer "+secret).Status; got != 200 {
						t.Fatalf("%s: server %d answers %d before", name, i, got)
					}
				}
			}
			if err := end(p); err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{text.Reveal(), key.Reveal()} {
				for i, s := range all {
					if got := s.Browser(t).Get(t, "/api/agent-base", "Authorization", "Bearer "+secret).Status; got != 401 && got != 403 {
						t.Errorf("%s: server %d answers %d after", name, i, got)
					}
				}
			}
		}
	})
}

// While calls pass on all servers at once, none is let in that begins after the answer to the click.
func TestRevokedAmidCallsAtOnce(t *testing.T) {
	t.Parallel()
	several(t, 3, func(t *testing.T, first webtest.Site, all []webtest.Site) {
		_, err := first.SetCallLimits(t.Context(), first.Admin, "marlowe-press", models.CallLimits{API: 1_000_000, User: 50, Automation: 300})
		if err != nil {
			t.Fatal(err)
		}
		for round := range 4 {
			made, text := first.WorkspaceToken(t, first.Admin, "marlowe-press", models.NewAPIToken{Name: fmt.Sprint("Round ", round)})
			revoked := make(chan struct{})
			var callers, begun sync.WaitGroup
			for i := range 6 {
				begun.Add(1)
				callers.Go(func() {
					s, calls, after := all[i%3], 0, 0
					for after < 3 {
						select {
						case <-revoked:
							after++
						default:
						}
						r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/agent-base", nil)
						if err != nil {
							t.Error(err)
							return
						}
						r.Header.Set("Authorization", "Bearer "+text.Reveal())
						res, err := s.Listener.Client().Do(r)
						if calls++; calls == 3 {
							begun.Done()
						}
						if err != nil && after == 0 {
							continue // it was under way when the token was revoked, and was ended
						}
						if err != nil {
							t.Error(err)
							return
						}
						_ = res.Body.Close()
						if after > 0 && res.StatusCode != http.StatusUnauthorized {
							t.Errorf("round %d: server %d answers %d after the revocation", round, i%3, res.StatusCode)
							return
						}
					}
				})
			}
			begun.Wait()
			if _, err := first.RevokeAPIToken(t.Context(), first.Admin, "marlowe-press", made.ID, models.Revocation{}); err != nil {
				t.Error(err)
			}
			close(revoked)
			callers.Wait()
		}
	})
}

// Admins see the servers, and what became of a change; nobody else sees the page.
func TestReplicasPage(t *testing.T) {
	t.Parallel()
	several(t, 2, func(t *testing.T, first webtest.Site, all []webtest.Site) {
		admin := first.SignedIn(t, ines)
		page := admin.Get(t, "/settings/replicas").Want(t, 200).Has(t, "this server").HasNot(t, "Silent")
		shows(t, page, `tr[data-replica="test"]`, 2)
		for tries := 0; strings.Contains(page.Body, "behind"); tries++ { // what changes no verdict is acknowledged with the next renewal
			if time.Sleep(50 * time.Millisecond); tries == 200 {
				t.Fatal("a server stays behind")
			}
			page = admin.Get(t, "/settings/replicas").Want(t, 200)
		}
		page.Has(t, "Up to date")
		made, _ := first.WorkspaceToken(t, first.Admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		token := "/w/marlowe-press/settings/api-tokens/" + made.ID
		admin.Post(t, token+"/revoke", webtest.Form{"reason": ""}).Want(t, 303)
		said := admin.Get(t, "/w/marlowe-press/settings/api-tokens").Want(t, 200).Text(t, ".note-ok")
		if !strings.Contains(said, "A is revoked.") || !strings.Contains(said, "Refused by all 2 replicas (") || !strings.HasSuffix(said, " ms).") {
			t.Errorf("it says %q", said)
		}
		for _, s := range all {
			s.Browser(t).Get(t, "/readyz").Want(t, 200)
		}
		member := first.Person(t, first.Admin, models.Member)
		first.SignedIn(t, member.Email).Get(t, "/settings/replicas").Want(t, 403)
	})
}

// A server that does not know what has changed says so to who asks whether it is ready.
func TestAFencedServerSaysSo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := webtest.Start(t, w)
		s.Browser(t).Get(t, "/readyz").Want(t, 200).Has(t, "ok")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		s.Browser(t).Get(t, "/readyz").Want(t, 503)
	})
}

// Programs get the receipt with the answer: of a token in it, and of everything else in a field beside it.
func TestReceiptsForPrograms(t *testing.T) {
	t.Parallel()
	several(t, 2, func(t *testing.T, first webtest.Site, all []webtest.Site) {
		_, key := first.Key(t, first.Admin, models.NewAPIKey{Name: "A key"})
		made, _ := first.WorkspaceToken(t, first.Admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		person := first.Person(t, first.Admin, models.Member)
		program := first.Browser(t)
		for _, c := range []struct {
			path    string
			revoked bool
		}{
			{"/v1/tokens/" + made.ID + ":deactivate", false}, {"/v1/tokens/" + made.ID + ":activate", false}, {"/v1/tokens/" + made.ID + ":regenerate", true},
			{"/v1/tokens/" + made.ID + ":revoke", true}, {"/v1/people/" + person.ID + ":deactivate", false},
		} {
			a := program.Send(t, http.MethodPost, c.path, http.NoBody, "X-API-Key", key.Reveal()).Want(t, 200)
			var told struct {
				Token   string
				Receipt struct {
					Revoked, Effective bool
					Confirmed          int
					TimedOut           *int   `json:"timed_out"`
					Ms                 *int64 `json:"ms"`
				}
			}
			if err := json.Unmarshal([]byte(a.Body), &told); err != nil {
				t.Fatal(err)
			}
			if told.Token != "" {
				first.Secrets.Add(secret.Text(told.Token))
			}
			r := told.Receipt
			if !r.Effective || r.Revoked != c.revoked || r.Confirmed != 2 || r.TimedOut == nil || *r.TimedOut != 0 || r.Ms == nil || !strings.HasPrefix(a.Header.Get("Tokendesk-Receipt"), "confirmed=2, timed-out=0, ms=") {
				t.Errorf("%s: %+v, %q", c.path, r, a.Header.Get("Tokendesk-Receipt"))
			}
		}
		a := program.Get(t, "/v1/me", "X-API-Key", key.Reveal()).Want(t, 200)
		if a.Header.Get("Tokendesk-Receipt") != "" {
			t.Error("what changes nothing has a receipt")
		}
	})
}
