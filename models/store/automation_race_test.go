package store_test

import (
	"sync"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Whatever is made, renewed, regenerated or activated while its person is taken out or put aside, nothing of it is left afterwards.
func TestNothingSurvivesARace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		a := newAccount(t, w)
		root := a.SetUp(t)
		stores := []*store.Store{w.Store, w.Open(t)}
		for round := range 12 {
			tom := a.Person(t, root, models.Member)
			s := a.signIn(t, tom.Email)
			browser := storetest.As(tom)
			made, _, err := a.CreateAutomationToken(t.Context(), s.who(), home, models.NewAutomationToken{Period: "no_exp"}, "")
			must(t, err)
			off, _, err := a.CreateAutomationToken(t.Context(), s.who(), home, models.NewAutomationToken{Period: "no_exp"}, "")
			must(t, err)
			_, err = a.SwitchAutomationToken(t.Context(), browser, home, off.ID, false)
			must(t, err)
			var wait sync.WaitGroup
			begin := make(chan struct{})
			do := func(f func(to *store.Store, i int) error) {
				for i := range 3 {
					wait.Go(func() { <-begin; _ = f(stores[i%2], i) })
				}
			}
			do(func(to *store.Store, _ int) error {
				_, _, err := to.CreateAutomationToken(t.Context(), s.who(), home, models.NewAutomationToken{Period: "no_exp"}, "")
				return err
			})
			do(func(to *store.Store, _ int) error {
				_, _, err := to.CreateAutomationToken(t.Context(), browser, home, models.NewAutomationToken{Period: "no_exp"}, secret.FormID())
				return err
			})
			do(func(to *store.Store, _ int) error {
				_, _, err := to.RegenerateAutomationToken(t.Context(), browser, home, made.ID, models.AutomationRegeneration{Period: "no_exp"}, secret.FormID())
				return err
			})
			do(func(to *store.Store, _ int) error {
				_, err := to.SwitchAutomationToken(t.Context(), browser, home, off.ID, true)
				return err
			})
			do(func(to *store.Store, i int) error {
				if i == 0 {
					_, _, err := to.RenewProgram(t.Context(), guest, s.refresh, models.Renewal{Email: tom.Email})
					return err
				}
				_, _, err := to.SignInProgram(t.Context(), guest, models.SignIn{Email: tom.Email, Password: storetest.Password})
				return err
			})
			var ended error
			wait.Go(func() {
				<-begin
				if round%2 == 0 {
					_, ended = stores[1].RemoveMember(t.Context(), root, home, tom.ID)
				} else {
					_, ended = stores[1].DeactivatePerson(t.Context(), root, tom.ID)
				}
			})
			close(begin)
			wait.Wait()
			must(t, ended)
			if n := number(t, w, "SELECT count(*) FROM credentials WHERE revoked_at IS NULL AND kind = 'automation'"); n != 0 {
				t.Fatalf("round %d: %d automation tokens are left", round, n)
			}
			if round%2 == 1 {
				if n := number(t, w, "SELECT count(*) FROM sessions WHERE person_id = '"+tom.ID+"'"); n != 0 {
					t.Fatalf("round %d: %d sessions are left", round, n)
				}
			}
		}
	})
}
