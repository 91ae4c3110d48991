package store_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"tokendesk/models"
	"tokendesk/models/access"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
)

// What a page or a call asks of the database does not grow with the number of rows that it shows: each is
// asked with few rows and with many, and must keep to its number of questions both times.
func TestQuestionsDoNotGrow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		who := program(t, w)
		admin := models.Actor{Kind: models.Human, ID: who.ID, Name: who.Name, Role: models.Admin}
		home, err := w.HomeWorkspace(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		product := firstProduct(t, w, home.Slug)
		card, replaced := w.WorkspaceToken(t, admin, home.Slug, models.NewAPIToken{Name: "a"})
		_, live, err := w.RegenerateAPIToken(t.Context(), admin, home.Slug, card.ID, models.Regeneration{}, secret.FormID())
		must(t, err)
		owner := models.Person{ID: admin.ID, Role: models.Admin}
		tokens := func(f models.TokenFilter) func() error {
			return func() error {
				found, err := w.APITokens(t.Context(), admin, home.Slug, f)
				if err == nil && len(found.Tokens) == 0 {
					err = fmt.Errorf("found %+v", found)
				}
				return err
			}
		}
		cookie := signIn(t, w, "ines@marlowe.example", storetest.Password)
		mine, _ := w.Automation(t, admin, home.Slug, models.NewAutomationToken{Period: "no_exp"})
		made, text := w.Token(t, admin, admin.ID)
		who.CredentialID = made.ID // it replaces the first
		a := newAccount(t, w)
		signed := a.signIn(t, "ines@marlowe.example")
		claims, _, err := a.ring.Parse(t.Context(), signed.token)
		must(t, err)
		_, auto := a.automation(t, signed.who(), home.Slug, "no_exp")
		key, _ := w.Key(t, admin, models.NewAPIKey{Name: "a", Given: true})
		tools := install(t, w, who, archive("tools.zip", "PK tools")).Collection
		share, _ := w.Share(t, admin, tools.ID, "a")
		asked := w.CountStatements()
		compare := func(how string) {
			t.Helper()
			for name, c := range map[string]struct {
				atMost int64
				do     func() error
			}{ // PostgreSQL is asked to plan lists anew, which is one more
				"People":      {3, func() error { _, _, err := w.People(t.Context(), admin, models.PeopleFilter{}); return err }},
				"CountPeople": {2, func() error { _, err := w.CountPeople(t.Context(), admin, models.PeopleFilter{}); return err }},
				"PersonRecord": {12, func() error {
					record, err := w.PersonRecord(t.Context(), admin, admin.ID)
					if err == nil && (record.Bearer == nil || len(record.Earlier) == 0 || len(record.Automation) == 0) {
						err = fmt.Errorf("the record shows %+v", record)
					}
					return err
				}},
				"Collections": {4, func() error { _, _, err := w.Collections(t.Context(), home.ID, models.Place{}); return err }},
				"Members":     {5, func() error { _, _, err := w.Members(t.Context(), admin, home.ID, models.Place{}); return err }},
				"Workspaces":  {2, func() error { _, err := w.Workspaces(t.Context(), admin, models.Place{}); return err }},
				"Workspace":   {3, func() error { _, err := w.Workspace(t.Context(), admin, home.Slug); return err }},
				"Credentials": {6, func() error { _, _, err := w.Credentials(t.Context(), admin, 100); return err }},
				"Sessions":    {1, func() error { _, err := w.Sessions(t.Context(), admin, admin.ID); return err }},
				"FindSession": {3, func() error { _, err := w.FindSession(t.Context(), cookie); return err }},
				"Events":      {2, func() error { _, err := w.Events(t.Context(), admin, models.EventFilter{Limit: 50}); return err }},
				"GrantOf":     {1, func() error { _, err := w.GrantOf(t.Context(), text.Hash()); return err }},

				"GrantOf an API token":        {1, func() error { _, err := w.GrantOf(t.Context(), live.Hash()); return err }},
				"GrantOf what was before":     {3, func() error { _, err := w.GrantOf(t.Context(), replaced.Hash()); return err }},
				"OpensFor":                    {4, func() error { _, err := w.OpensFor(t.Context(), models.Bearer, owner, home.Slug); return err }},
				"OpensFor the only one":       {5, func() error { _, err := w.OpensFor(t.Context(), models.Bearer, owner, ""); return err }},
				"APITokens, the newest":       {9, tokens(models.TokenFilter{})},
				"APITokens, the most used":    {9, tokens(models.TokenFilter{Sort: models.MostUsed})},
				"APITokens, the unused":       {9, tokens(models.TokenFilter{Sort: models.Unused})},
				"APITokens, expiring":         {12, tokens(models.TokenFilter{Sort: models.ExpiringFirst})}, // in four parts
				"APITokens that are active":   {10, tokens(models.TokenFilter{Status: models.Active})},
				"APITokens of a name, by end": {16, tokens(models.TokenFilter{Sort: models.ExpiringFirst, Query: "a"})},
				"APIToken":                    {8, func() error { _, err := w.APIToken(t.Context(), admin, home.Slug, card.ID); return err }},
				"CountAPITokens":              {1, func() error { _, err := w.CountAPITokens(t.Context(), home.ID); return err }},
				"FindProgram":                 {5, func() error { _, err := w.FindProgram(t.Context(), signed.hash); return err }},
				"RoleIn":                      {2, func() error { _, _, err := w.RoleIn(t.Context(), admin.ID, home.ID); return err }},
				"ProgramOf":                   {5, func() error { _, err := w.ProgramOf(t.Context(), claims); return err }},
				"RenewProgram": {21, func() error { // four before its turn, six that every write asks or stores
					next, tokens, err := w.RenewProgram(t.Context(), guest, signed.refresh, models.Renewal{Email: signed.Person.Email})
					if err == nil {
						signed = a.write(t, next, tokens)
						claims, _, err = a.ring.Parse(t.Context(), signed.token)
					}
					return err
				}},
				"JWTKeys":                     {2, func() error { _, err := w.JWTKeys(t.Context()); return err }},
				"CountOwnedAutomation":        {1, func() error { _, err := w.CountOwnedAutomation(t.Context(), signed.who()); return err }},
				"GrantOf an automation token": {1, func() error { _, err := w.GrantOf(t.Context(), auto.Hash()); return err }},
				"OpensFor an automation token": {4, func() error {
					_, err := w.OpensFor(t.Context(), models.AutomationToken, signed.Person, home.ID)
					return err
				}},
				"LiveTokens": {1, func() error { _, err := w.LiveTokens(t.Context(), home.ID); return err }},
				"Products":   {4, func() error { _, err := w.Products(t.Context(), admin, home.Slug); return err }},
				"Product":    {1, func() error { _, err := w.Product(t.Context(), product.ID); return err }},
				"AutomationTokens": {8, func() error {
					_, _, err := w.AutomationTokens(t.Context(), admin, home.Slug, models.Place{})
					return err
				}},
				"AutomationToken":       {7, func() error { _, err := w.AutomationToken(t.Context(), admin, home.Slug, mine.ID); return err }},
				"APIKeys":               {4, func() error { _, _, err := w.APIKeys(t.Context(), admin, models.Place{}); return err }},
				"CountAPIKeys":          {1, func() error { _, err := w.CountAPIKeys(t.Context(), admin); return err }},
				"EndedAPIKeys":          {4, func() error { _, err := w.EndedAPIKeys(t.Context(), admin); return err }},
				"APIKey":                {4, func() error { _, err := w.APIKey(t.Context(), admin, key.ID); return err }},
				"CollectionKeys":        {8, func() error { _, _, err := w.CollectionKeys(t.Context(), admin, "", models.Place{}); return err }},
				"those of a collection": {10, func() error { _, _, err := w.CollectionKeys(t.Context(), admin, tools.ID, models.Place{}); return err }},
				"CollectionKey":         {9, func() error { _, err := w.CollectionKey(t.Context(), admin, share.ID); return err }},
				"CountAutomationTokens": {5, func() error { _, err := w.CountAutomationTokens(t.Context(), admin, home.Slug); return err }},
			} {
				before := asked.Load()
				if err := c.do(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if n := asked.Load() - before; n == 0 || n > c.atMost {
					t.Errorf("%s with %s rows: %d questions, at most %d are needed", name, how, n, c.atMost)
				}
			}
		}
		install(t, w, who, archive("first.zip", "PK"))
		compare("few")
		for i := range 20 {
			install(t, w, who, archive(fmt.Sprint(i, ".zip"), fmt.Sprint("PK ", i)))
			person := w.Person(t, admin, models.Member)
			w.Token(t, admin, person.ID)
			w.Automation(t, admin, home.Slug, models.NewAutomationToken{Period: "1h"})
			w.Key(t, admin, models.NewAPIKey{Name: "b"})
			w.Share(t, admin, tools.ID, "b")
			made, text = w.Token(t, admin, admin.ID)
			who.CredentialID = made.ID
			if i%2 == 0 {
				signIn(t, w, "ines@marlowe.example", storetest.Password)
			}
			a.automation(t, a.signIn(t, "ines@marlowe.example").who(), home.Slug, "no_exp")
			signed = a.renew(t, signed, "")
		}
		cards(t, w, product, anyCards(rand.New(rand.NewPCG(1, 2)), w.Clock.Now(), 2*models.PageSize))
		claims, _, err = a.ring.Parse(t.Context(), signed.token)
		must(t, err)
		compare("many")
	})
}

// T3: what is no credential is refused without a single question; what is one costs one when it is known, and two when it
// is not: it may be what a card had before.
func TestRefusalsAskNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		_, text := w.Token(t, admin, admin.ID)
		good := text.Reveal()
		unknown, err := secret.Mint("user", nil)
		must(t, err)
		a := newAccount(t, w)
		a.workspace(t, admin, "Second")
		signed, ended := a.signIn(t, "ines@marlowe.example"), a.signIn(t, "ines@marlowe.example")
		must(t, w.EndSession(t.Context(), admin, ended.Session.ID))
		_, auto := a.automation(t, admin, home, "1h")
		jwt := "Bearer " + signed.token.Reveal()
		asked, gate := w.CountStatements(), a.gate
		for value, want := range map[string]int64{
			jwt: 5, jwt + "A": 0, jwt[:len(jwt)-1]: 0, "Bearer a.b.c": 0, "Bearer ..": 0, strings.ToUpper(jwt): 0, "Bearer " + ended.token.Reveal(): 2, "Bearer " + auto.Reveal(): 1,
			"": 0, "Bearer ": 0, "Bearer x": 0, "Bearer " + good[:53]: 0, "Bearer " + good + "0": 0, "Bearer user_" + good[6:] + "0": 0, "Basic " + good: 0, "Bearer " + good: 1, "Bearer " + unknown.Reveal(): 2,
		} {
			before := asked.Load()
			gate.Decide(t.Context(), access.Call{Presented: access.Present([]string{value}, nil, nil)})
			if n := asked.Load() - before; n != want {
				t.Errorf("%q asks %d times", value, n)
			}
		}
	})
}
