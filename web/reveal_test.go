package web_test

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store/storetest"
	"tokendesk/web/webtest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// The secret is in the answer of the press that made it, once, and nowhere afterwards: not on the
// record, not in the answer to the same form sent again (security.md 2.3).
func TestBearerTokenIsShownOnce(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, record := s.SignedIn(t, "ines@marlowe.example"), "/people/"+s.Admin.ID
		form := admin.Get(t, record).Want(t, 200).Value(t, "form_id")

		shown := admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": form}).Want(t, 200)
		token := shown.Text(t, "#reveal #token")
		if _, ok := secret.Parse(token); !ok {
			t.Fatalf("the page shows %q, which is no token", token)
		}
		if n := strings.Count(shown.Body, token); n != 1 || !strings.HasSuffix(strings.TrimSpace(shown.Body), "</html>") {
			t.Errorf("the secret stands %d times in the page, want once in a whole one", n)
		}
		if strings.Contains(shown.Text(t, "title"), token[5:20]) {
			t.Error("the secret is in the page's title")
		}
		for field, values := range shown.Header {
			if strings.Contains(strings.Join(values, " "), token[5:25]) {
				t.Errorf("the field %s of the answer has the secret", field)
			}
		}
		admin.Get(t, record).Want(t, 200).HasNot(t, token).Has(t, token[:8]).Has(t, token[50:])
		again := admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": form}).Want(t, 200).HasNot(t, token)
		again.Has(t, "This token was already shown").Has(t, "21 Nov 2026")
		if n := tokensOf(t, s, s.Admin.ID); n != 1 {
			t.Errorf("%d tokens after one press", n)
		}
	})
}

// Twenty presses of one form at once, on three servers of one installation: one answer has a secret, one
// token exists, and it is that one (R1). All the others say that it was shown.
func TestOneFormSentTwentyTimesAtOnce(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		servers := []webtest.Site{s, webtest.Start(t, s.World, webtest.Over(s.Open(t))), webtest.Start(t, s.World, webtest.Over(s.Open(t)))}
		cookie, record := session(t, s, person(t, s, s.Admin.ID)), "/people/"+s.Admin.ID
		form := s.Browser(t).With(t, "sid", cookie).Get(t, record).Want(t, 200).Value(t, "form_id")
		answers := atOnce(20, func(i int) *webtest.Answer {
			return servers[i%3].Browser(t).With(t, "sid", cookie).Post(t, record+"/bearer-token", webtest.Form{"form_id": form})
		})
		var tokens []string
		for _, a := range answers {
			if found := a.Page(t).Find("#token"); found.Length() > 0 {
				tokens = append(tokens, strings.TrimSpace(found.Text()))
			} else {
				a.Want(t, 200).Has(t, "This token was already shown")
			}
		}
		if len(tokens) != 1 || tokensOf(t, s, s.Admin.ID) != 1 {
			t.Fatalf("%d answers have a secret, %d tokens exist, want one and one", len(tokens), tokensOf(t, s, s.Admin.ID))
		}
		s.Browser(t).Send(t, "POST", "/installCollection", nil, "Authorization", "Bearer "+tokens[0]).Want(t, 400)
	})
}

// Different forms are different presses: each shows its own token, and one of them is good, the last.
func TestManyFormsAtOnce(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		cookie, record := session(t, s, person(t, s, s.Admin.ID)), "/people/"+s.Admin.ID
		answers := atOnce(6, func(int) *webtest.Answer {
			return s.Browser(t).With(t, "sid", cookie).Post(t, record+"/bearer-token", webtest.Form{"form_id": secret.FormID()})
		})
		good, seen := 0, map[string]bool{}
		for _, a := range answers {
			token := a.Want(t, 200).Text(t, "#token")
			seen[token] = true
			switch said := s.Browser(t).Send(t, "POST", "/installCollection", nil, "Authorization", "Bearer "+token); said.Status {
			case http.StatusBadRequest:
				good++
			default:
				said.Want(t, 401).Has(t, "Token was replaced")
			}
		}
		if good != 1 || len(seen) != 6 || tokensOf(t, s, s.Admin.ID) != 6 {
			t.Errorf("%d good ones of %d shown and %d kept, want 1 of 6 and 6", good, len(seen), tokensOf(t, s, s.Admin.ID))
		}
	})
}

// Without a number of its own a form makes nothing: it would have no defence against a reload.
func TestAFormWithoutItsNumberMakesNothing(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin, record := s.SignedIn(t, "ines@marlowe.example"), "/people/"+s.Admin.ID
	for _, form := range []webtest.Form{
		nil, {"form_id": ""}, {"form_id": "short"}, {"form_id": strings.Repeat("x", 65)}, {"form_id": strings.Repeat(" ", 22)}, {"form_id": "0123456789abcdef\n"},
		{"form_id": "0123456789abcdef'; DROP TABLE used_forms; --"},
	} {
		a := admin.Post(t, record+"/bearer-token", form).Want(t, 422).Has(t, "This form is incomplete.")
		if a.Page(t).Find("#token").Length() > 0 || tokensOf(t, s, s.Admin.ID) != 0 {
			t.Errorf("%v made a token", form)
		}
	}
	// A number that was used for one person makes none for another either.
	form, other := webtest.Form{"form_id": secret.FormID()}, s.Person(t, s.Admin, models.Member)
	admin.Post(t, record+"/bearer-token", form).Want(t, 200).Text(t, "#token")
	admin.Post(t, "/people/"+other.ID+"/bearer-token", form).Want(t, 200).Has(t, "already shown")
	if n := tokensOf(t, s, other.ID); n != 0 {
		t.Errorf("one form made %d more tokens for somebody else", n)
	}
}

// Nobody keeps the page with the secret: not the browser's disk, not its back/forward cache (the next
// page changes a cookie, with or without script), not the address that a link from it tells.
func TestTheRevealIsNotKept(t *testing.T) {
	t.Parallel()
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		admin, record := s.SignedIn(t, "ines@marlowe.example"), "/people/"+s.Admin.ID
		var last string
		for range 2 {
			shown := press(t, admin, record)
			for field, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Set-Cookie": "", "Location": "", "Content-Encoding": ""} {
				if got := shown.Header.Get(field); got != want {
					t.Errorf("the reveal has %s %q, want %q", field, got, want)
				}
			}
			next := admin.Get(t, "/account").Want(t, 200)
			if n := len(next.Header.Values("Set-Cookie")); n != 1 || admin.Cookie(t, "n") == last || admin.Cookie(t, "n") == "" {
				t.Errorf("the next page sets %d cookies, n is %q and was %q", n, admin.Cookie(t, "n"), last)
			}
			last = admin.Cookie(t, "n")
			if after := admin.Get(t, "/account").Header.Values("Set-Cookie"); len(after) != 0 {
				t.Errorf("the page after that sets %q", after)
			}
		}
	})
}

// The moment before and the moment after both name what a new token replaces.
func TestReplacingIsNamed(t *testing.T) {
	t.Parallel()
	s := webtest.SQLite(t)
	admin, record := s.SignedIn(t, "ines@marlowe.example"), "/people/"+s.Admin.ID
	admin.Get(t, record+"/bearer-token").Want(t, 200).HasNot(t, "stops working")
	first := press(t, admin, record).HasNot(t, "no longer works").Text(t, "#token")
	admin.Get(t, record+"/bearer-token").Want(t, 200).Has(t, "Any tool still using "+first[:8]+"... stops working at once")
	second := press(t, admin, record)
	second.Has(t, "The previous token, "+first[:8]+"..., no longer works")
	if second.Text(t, "#token") == first {
		t.Error("the new token is the old one")
	}
}

// press creates a bearer token on a record's page.
func press(t testing.TB, admin *webtest.Agent, record string) *webtest.Answer {
	t.Helper()
	form := admin.Get(t, record+"/bearer-token").Want(t, 200).Value(t, "form_id")
	return admin.Post(t, record+"/bearer-token", webtest.Form{"form_id": form}).Want(t, 200)
}

// tokensOf counts the tokens that a person ever had.
func tokensOf(t testing.TB, s webtest.Site, personID string) int {
	t.Helper()
	record, err := s.PersonRecord(t.Context(), s.Admin, personID)
	if err != nil {
		t.Fatal(err)
	}
	n := len(record.Earlier)
	if record.Bearer != nil {
		n++
	}
	return n
}

func person(t testing.TB, s webtest.Site, id string) models.Person {
	t.Helper()
	record, err := s.PersonRecord(t.Context(), s.Admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return record.Person
}

// atOnce makes calls that all wait for one signal.
func atOnce[T any](n int, call func(i int) T) []T {
	results, start := make([]T, n), make(chan struct{})
	var done sync.WaitGroup
	for i := range n {
		done.Go(func() {
			<-start
			results[i] = call(i)
		})
	}
	close(start)
	done.Wait()
	return results
}
