package e2e

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"sync"
	"testing"

	"tokendesk/models/secret"
	"tokendesk/web/webtest"
)

// witness stands before a server and keeps every address that was asked and every secret that was answered.
type witness struct {
	base    string
	mu      sync.Mutex
	asked   []string // addresses, as the browser sent them
	secrets []string // one for each answer that held it
}

// watched has a server seen by a witness. Its base is the address to use.
func watched(t *testing.T, s webtest.Site) *witness {
	t.Helper()
	w := &witness{}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" { // asked for beside a page's source, which has no link to an icon
			out.WriteHeader(http.StatusNoContent)
			return
		}
		copied := &copying{ResponseWriter: out}
		s.Listener.Config.Handler.ServeHTTP(copied, r)
		w.saw(r, copied.body.Bytes())
	}))
	t.Cleanup(server.Close)
	w.base = server.URL
	return w
}

var credential = regexp.MustCompile(`[0-9a-z]{4}_[0-9A-Za-z]{49}`)

func (w *witness) saw(r *http.Request, answer []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r.RequestURI)
	for _, text := range credential.FindAllString(string(answer), -1) {
		if _, ok := secret.Parse(text); ok {
			w.secrets = append(w.secrets, text)
		}
	}
}

// answered lists the secrets that were answered so far, each as often as it was.
func (w *witness) answered() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.secrets)
}

// addresses lists what was asked for, each once.
func (w *witness) addresses() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(w.asked)))
}

// copying keeps a copy of an answer.
type copying struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (c *copying) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}

// Unwrap lets net/http find what the connection can do.
func (c *copying) Unwrap() http.ResponseWriter { return c.ResponseWriter }
