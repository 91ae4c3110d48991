// Package tracing sends spans to a collector by OTLP over HTTP (OpenTelemetry Protocol 1.0), where the settings name one, and reads and writes
// traceparent (W3C Trace Context, level 1). A nil *Tracer traces nothing, at the cost of a comparison.
//
// What a span has comes from lists in this program: methods, routes, codes, scopes, operations and tables. Of what a caller sent it has the trace
// ID and the span's alone: no tracestate, no address, no query, no header field, no ID of ours but the request's, and no statement with what is in it.
package tracing

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// Settings say where spans go.
type Settings struct {
	Endpoint *url.URL // of the collector; /v1/traces is put behind its path
	Share    float64  // of the requests, from 0 to 1; of those with a traceparent that is believed its sampled flag decides instead
	Version  string   // of this program
	Log      *slog.Logger
}

// Tracer begins spans. Safe for concurrent use.
type Tracer struct {
	provider *trace.TracerProvider
	tracer   api.Tracer
}

// within is how long a batch may take to be sent. What cannot be sent is given up, and so is what is more than 2048 spans at once: nobody waits.
const within = 5 * time.Second

// New makes a tracer. It asks nobody: a collector that is not there shows in the log.
func New(ctx context.Context, s Settings) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(s.Endpoint.JoinPath("v1", "traces").String()),
		otlptracehttp.WithTimeout(within),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithProxy(func(*http.Request) (*url.URL, error) { return nil, nil }), // of the environment, which is not asked for
	)
	if err != nil {
		return nil, err
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { s.Log.Warn("spans could not be sent", slog.Any("error", err)) }))
	provider := trace.NewTracerProvider(
		trace.WithBatcher(exporter, trace.WithExportTimeout(within)),
		trace.WithSampler(sampler(s.Share)),
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "tokendesk"), attribute.String("service.version", s.Version))),
	)
	return &Tracer{provider, provider.Tracer("tokendesk")}, nil
}

// Close sends what is left.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Span is a piece of work. The zero value is none, of which nothing is kept.
type Span struct{ span api.Span }

// propagator reads and writes traceparent.
var propagator propagation.TraceContext

// Request begins the span of a request that came in, beneath the caller's. The request that it returns is the one to go on with. Whoever is not believed
// does not say whether it is traced, and nobody says what else belongs to the trace: tracestate is text that callers choose.
func (t *Tracer) Request(r *http.Request, name, requestID string, believed bool) (*http.Request, Span) {
	if t == nil {
		return r, Span{}
	}
	r.Header.Del("Tracestate")
	ctx := propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	if !believed && api.SpanContextFromContext(ctx).IsValid() {
		ctx = context.WithValue(ctx, stranger{}, true)
	}
	ctx, span := t.tracer.Start(ctx, name, api.WithSpanKind(api.SpanKindServer),
		api.WithAttributes(attribute.String("http.request.method", methodOf(r)), attribute.String("tokendesk.request_id", requestID)))
	return r.WithContext(ctx), Span{span}
}

// Upstream begins the span of what a request has a product asked for, and has the product told of it in place of what the caller told.
func (t *Tracer) Upstream(r *http.Request) Span {
	if t == nil {
		return Span{}
	}
	ctx, span := t.tracer.Start(r.Context(), "upstream", api.WithSpanKind(api.SpanKindClient), api.WithAttributes(attribute.String("http.request.method", methodOf(r))))
	if span.SpanContext().IsValid() {
		propagator.Inject(ctx, propagation.HeaderCarrier(r.Header))
	}
	return Span{span}
}

// Step begins a span of something inside.
func (t *Tracer) Step(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, name)
	return ctx, Span{span}
}

// Statement begins the span of a statement to the database; the store calls it.
func (t *Tracer) Statement(ctx context.Context, operation, table string) (end func(failed bool)) {
	if !api.SpanContextFromContext(ctx).IsSampled() { // of nothing that anybody asked for: it would be a trace of its own
		return func(bool) {}
	}
	name := operation
	if table != "" {
		name += " " + table
	}
	_, span := t.tracer.Start(ctx, name, api.WithSpanKind(api.SpanKindClient),
		api.WithAttributes(attribute.String("db.operation.name", operation), attribute.String("db.collection.name", table)))
	return func(failed bool) {
		if failed {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Verdict notes what was decided about the credential, and the scope that the call needs, as far as it is known.
func (s Span) Verdict(code, scope string) {
	if s.span == nil {
		return
	}
	s.span.SetAttributes(attribute.String("tokendesk.verdict", code))
	if scope != "" {
		s.span.SetAttributes(attribute.String("tokendesk.scope", scope))
	}
}

// Answered notes the answer of a route's pattern and status.
func (s Span) Answered(route string, status int) {
	if s.span == nil {
		return
	}
	s.span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		s.span.SetStatus(codes.Error, "")
	}
}

// End ends it.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// Of is the span that a context belongs to.
func (t *Tracer) Of(ctx context.Context) Span {
	if t == nil {
		return Span{}
	}
	return Span{api.SpanFromContext(ctx)}
}

// methodOf is a request's method, or the word that OpenTelemetry has for one that somebody made up.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return r.Method
	}
	return "_OTHER"
}
