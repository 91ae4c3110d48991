package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/access"
)

// canned is a transport that answers at once.
type canned struct{}

func (canned) CloseIdleConnections() {}

func (canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: 9, Body: io.NopCloser(strings.NewReader("an answer")),
		Header: http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"9"}, "Date": {"Sun, 22 Nov 2026 12:00:00 GMT"}},
	}, nil
}

// sink is a connection's writer that throws away.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header              { return s.header }
func (s *sink) WriteHeader(int)                  {}
func (s *sink) Write(b []byte) (int, error)      { return len(b), nil }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }
func (s *sink) SetReadDeadline(time.Time) error  { return nil }
func (s *sink) FlushError() error                { return nil }

// BenchmarkOverhead compares what the gateway and httputil.ReverseProxy do themselves for a call, without network on either side.
func BenchmarkOverhead(b *testing.B) {
	address, _ := url.Parse("http://upstream.example:8080")
	request := httptest.NewRequest("GET", "/api/agent-base/42?full=1", nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	request = request.WithContext(ctx)
	for name, value := range map[string]string{"User-Agent": "bench/1", "Accept": "application/json", "Accept-Encoding": "gzip", "Authorization": "Bearer x"} {
		request.Header.Set(name, value)
	}
	b.Run("ReverseProxy", func(b *testing.B) {
		proxy := &httputil.ReverseProxy{
			Rewrite: func(pr *httputil.ProxyRequest) {
				pr.SetURL(address)
				pr.SetXForwarded()
			},
			Transport: canned{}, BufferPool: &buffers,
		}
		b.ReportAllocs()
		for b.Loop() {
			proxy.ServeHTTP(&sink{http.Header{}}, request)
		}
	})
	b.Run("Gateway", func(b *testing.B) {
		g := New(Settings{Clock: models.SystemClock})
		up := Upstream{ProductID: "p", URL: address, Key: []byte("0123456789abcdef0123456789abcdef")}
		who := Caller{
			Workspace: "01a20049-a317-7ea3-9747-ad5f991ff792", Kind: "api", Credential: "01a20049-a317-7ea3-9747-ad5f991ff793",
			Person: "01a20049-a317-7ea3-9747-ad5f991ff794", Scope: "agents:list", RequestID: "01a20049-a317-7ea3-9747-ad5f991ff795",
		}
		l := g.line(up, time.Now())
		l.direct, l.transport = nil, canned{}
		b.ReportAllocs()
		for b.Loop() {
			path, _ := access.CanonicalPath(request.URL.EscapedPath())
			g.Forward(&sink{http.Header{}}, request, up, who, path)
		}
	})
}
