package web_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	handler "github.com/labstack/echo/v4"

	"tokendesk/models"
	"tokendesk/web/webtest"
)

// answered is a writer of answers that keeps none.
type answered struct {
	header http.Header
	status int
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(status int)      { a.status = status }
func (a *answered) Write(p []byte) (int, error) { return len(p), nil }

// hitting sends one request to a server again and again, of which memory knows the answer.
func hitting(b *testing.B, to http.Handler, r *http.Request, body []byte) {
	b.Helper()
	w, reader := &answered{header: http.Header{}}, bytes.NewReader(body)
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		w.status = http.StatusOK
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		if to.ServeHTTP(w, r); w.status/100 != 2 {
			b.Fatal(w.status)
		}
	}
}

// BenchmarkHit is what the doors of programs cost beside net/http, where all that they ask is in memory, and nothing is beside an Echo handler that checks nothing.
func BenchmarkHit(b *testing.B) {
	s := webtest.SQLite(b, webtest.Asking("192.0.2.0/24"), webtest.Sampled())
	if _, err := s.SetCallLimits(b.Context(), s.Admin, "marlowe-press", models.CallLimits{API: models.MostCallsAMinute, User: 50, Automation: 300}); err != nil {
		b.Fatal(err)
	}
	_, key := s.Key(b, s.Admin, models.NewAPIKey{Name: "Asks"})
	server := s.Listener.Config.Handler
	var about []string
	for range 100 {
		_, text := s.WorkspaceToken(b, s.Admin, "marlowe-press", models.NewAPIToken{Name: "A" + strconv.Itoa(len(about))})
		about = append(about, text.Reveal())
	}
	b.Run("nothing", func(b *testing.B) {
		e := handler.New()
		e.GET("/*", func(c handler.Context) error { return c.NoContent(http.StatusNoContent) })
		hitting(b, e, httptest.NewRequest(http.MethodGet, "/nothing", nil), nil)
	})
	b.Run("forward-auth", func(b *testing.B) {
		r := httptest.NewRequest(http.MethodGet, "/forward-auth", nil)
		r.RemoteAddr = "192.0.2.1:1234"
		r.Header.Set("Authorization", "Bearer "+about[0])
		r.Header.Set("X-Forwarded-Method", "GET")
		r.Header.Set("X-Forwarded-Uri", "/api/agent-base")
		hitting(b, server, r, nil)
	})
	b.Run("forward-auth without identity", func(b *testing.B) {
		anonymous := webtest.Start(b, s.World, webtest.Asking("192.0.2.0/24"), webtest.Anonymous(), webtest.Sampled())
		r := httptest.NewRequest(http.MethodGet, "/forward-auth", nil)
		r.RemoteAddr = "192.0.2.1:1234"
		r.Header.Set("Authorization", "Bearer "+about[0])
		r.Header.Set("X-Forwarded-Method", "GET")
		r.Header.Set("X-Forwarded-Uri", "/api/agent-base")
		hitting(b, anonymous.Listener.Config.Handler, r, nil)
	})
	b.Run("introspect", func(b *testing.B) {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/introspect", nil)
		r.Header.Set("X-Api-Key", key.Reveal())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		body := []byte("token=" + about[0])
		r.ContentLength = int64(len(body))
		hitting(b, server, r, body)
	})
	b.Run("verify 100", func(b *testing.B) {
		var body bytes.Buffer
		body.WriteString(`{"requests":[`)
		for i, text := range about {
			if i > 0 {
				body.WriteByte(',')
			}
			body.WriteString(`{"credential":"` + text + `","method":"GET","path":"/api/agent-base"}`)
		}
		body.WriteString(`]}`)
		r := httptest.NewRequest(http.MethodPost, "/v1/credentials:verify", nil)
		r.Header.Set("X-Api-Key", key.Reveal())
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = int64(body.Len())
		hitting(b, server, r, body.Bytes())
		b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
	})
}
