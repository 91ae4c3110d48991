package tracing

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
)

// handle is what a call to a product has traced.
func handle(t *Tracer, r *http.Request) {
	r, call := t.Request(r, "/api/*", "r-1", true)
	_, step := t.Step(r.Context(), "decide")
	step.End()
	t.Of(r.Context()).Verdict("allowed", "agents:list")
	sent := t.Upstream(r)
	sent.End()
	call.Answered("/api/*", http.StatusOK)
	call.End()
}

// Where nothing is traced, a call pays for it with nothing that has to be collected, and goes on as it came.
func TestNothingIsTraced(t *testing.T) {
	r := httptest.NewRequest("GET", "/api/a", nil)
	r.Header.Set("Traceparent", "as it came")
	if n := testing.AllocsPerRun(100, func() { handle(nil, r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if again, _ := (*Tracer)(nil).Request(r, "/api/*", "r-1", false); again != r || r.Header.Get("Traceparent") != "as it came" {
		t.Error("the request is another one")
	}
	if err := (*Tracer)(nil).Close(context.Background()); err != nil {
		t.Error(err)
	}
}

type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                          { return nil }

func BenchmarkCall(b *testing.B) {
	with := func(s trace.Sampler) *Tracer {
		p := trace.NewTracerProvider(trace.WithBatcher(nowhere{}), trace.WithSampler(s))
		return &Tracer{p, p.Tracer("tokendesk")}
	}
	for name, t := range map[string]*Tracer{"off": nil, "all": with(trace.AlwaysSample()), "none of it": with(trace.NeverSample())} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest("GET", "/api/a", nil)
			for b.Loop() {
				handle(t, r)
			}
		})
	}
}
