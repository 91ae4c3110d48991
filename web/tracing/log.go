package tracing

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"tokendesk/models"
)

// Log is a handler of log lines that adds to each which request it belongs to, where the context knows it and the line does not say so itself,
// and the trace. So a line of the store, which is told neither, can be found by the request_id that a caller was given.
func Log(inside slog.Handler) slog.Handler { return handler{inside} }

type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, line slog.Record) error {
	if id := models.RequestIDOf(ctx); id != "" && !has(line, requestID) {
		line.AddAttrs(slog.String(requestID, id))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		line.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, line)
}

const requestID = "request_id"

func has(line slog.Record, name string) (found bool) {
	line.Attrs(func(a slog.Attr) bool {
		found = a.Key == name
		return !found
	})
	return found
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
