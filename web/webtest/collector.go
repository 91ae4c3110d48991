package webtest

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector takes spans, as a collector of OpenTelemetry does: by OTLP over HTTP, in protobuf.
type Collector struct {
	URL string

	mu     sync.Mutex
	spans  []Span
	said   strings.Builder // all that came, as text
	failed []string
}

// Span is one that came.
type Span struct {
	Name, Kind, Trace, ID, Parent string            // IDs in hexadecimal; a parent that is none is empty
	Attributes                    map[string]string // numbers as text
	Failed                        bool
	Took                          time.Duration
}

// NewCollector starts one. It ends with the test, which fails if something came that is no OTLP.
func NewCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(c)
	c.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		for _, why := range c.failed {
			t.Errorf("the collector: %s", why)
		}
	})
	return c
}

func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var batch collectorv1.ExportTraceServiceRequest
	body, err := io.ReadAll(unpacked(r))
	if err == nil {
		err = proto.Unmarshal(body, &batch)
	}
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.failed = append(c.failed, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.said.WriteString(batch.String())
	for _, resource := range batch.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				c.spans = append(c.spans, spanOf(span))
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func unpacked(r *http.Request) io.Reader {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return r.Body
	}
	reader, err := gzip.NewReader(r.Body)
	if err != nil {
		return strings.NewReader("no gzip")
	}
	return reader
}

func spanOf(s *tracev1.Span) Span {
	attributes := map[string]string{}
	for _, a := range s.Attributes {
		_, value, _ := strings.Cut(a.Value.String(), ":")
		attributes[a.Key] = strings.Trim(value, `"`)
	}
	return Span{
		Name: s.Name, Kind: strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_"), Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
		Attributes: attributes, Failed: s.GetStatus().GetCode() == tracev1.Status_STATUS_CODE_ERROR, Took: time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano),
	}
}

// Spans are those that came until now, and all of it as text.
func (c *Collector) Spans() ([]Span, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...), c.said.String()
}
