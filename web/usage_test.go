package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// callsMade is how many calls the test of counting makes. TOKENDESK_TEST_CALLS asks for another number, at least 100.
func callsMade(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TOKENDESK_TEST_CALLS")
	if text == "" {
		return 2000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 {
		t.Fatalf("TOKENDESK_TEST_CALLS is %q: write a number from 100 on", text)
	}
	return n
}

// What the card says is the number of calls that were made: many at once, while counts are written down again and again, by two
// tokens, across a restart of the server. The product saw the same number.
func TestUsageIsExact(t *testing.T) {
	t.Parallel()
	n := callsMade(t)
	webtest.Each(t, func(t *testing.T, s webtest.Site) {
		var arrived atomic.Int64
		product := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			arrived.Add(1)
			w.WriteHeader(http.StatusNoContent)
		}))
		t.Cleanup(product.Close)
		admin := s.SignedIn(t, ines)
		admin.Post(t, "/w/marlowe-press/settings/limits", webtest.Form{"calls_a_minute": "1000000"}).Want(t, 303)
		point(t, admin, "/w/marlowe-press/settings/products/"+productsOf(t, s)[0].ID, pointing(product.URL)).Want(t, 303)
		all, made := holder(t, s, models.NewAPIToken{Name: "All"})
		narrow, other := holder(t, s, models.NewAPIToken{Name: "Narrow", Chosen: true, Scopes: models.Scopes{"agents:list"}})

		first, rest := n/2, n-n/2
		calls(t, s, all.token, narrow.token, first)
		s.Listener.Close() // waits for the last call, as a server that is stopped does
		s.Flush(t)
		next := webtest.Start(t, s.World, webtest.Over(s.Open(t)))
		calls(t, next, all.token, narrow.token, rest)
		next.Flush(t)

		page := next.SignedIn(t, ines).Get(t, tokensTab).Want(t, 200)
		narrowed := first/10 + rest/10
		if use := factOf(cardOf(t, page, made.ID), "Usage"); !strings.HasPrefix(use, grouped(n-narrowed)+" now") {
			t.Errorf("of %d calls the card says %q", n-narrowed, use)
		}
		if use := factOf(cardOf(t, page, other.ID), "Usage"); !strings.HasPrefix(use, "0") || !strings.Contains(use, grouped(narrowed)+" refused call") {
			t.Errorf("of %d refused calls the card says %q", narrowed, use)
		}
		if got := arrived.Load(); got != int64(n-narrowed) {
			t.Errorf("%d calls arrived of %d", got, n-narrowed)
		}
		t.Logf("%d calls were let through, and %d refused", n-narrowed, narrowed)
	})
}

// calls makes n calls, 32 at a time, every tenth of them with a token that may not, and after every fiftieth has counts written down.
func calls(t *testing.T, s webtest.Site, good, narrow string, n int) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	var asked atomic.Int64
	wrong := atOnce(32, func(int) error {
		for k := asked.Add(1); k <= int64(n); k = asked.Add(1) {
			token, want := good, http.StatusNoContent
			if k%10 == 0 {
				token, want = narrow, http.StatusForbidden
			}
			if err := oneCall(t, transport, s.URL, token, want); err != nil {
				return err
			}
			if k%50 == 0 {
				if err := s.Tally.Flush(t.Context(), s.Handlers.Store); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, err := range wrong {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func oneCall(t *testing.T, by http.RoundTripper, address, token string, want int) error {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/api/knowledge-base", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := by.RoundTrip(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if _, err := io.Copy(io.Discard, a.Body); err != nil {
		return err
	}
	if a.StatusCode != want {
		return fmt.Errorf("status %d, want %d", a.StatusCode, want)
	}
	return nil
}

// grouped writes a number as the console does: 2,000.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
