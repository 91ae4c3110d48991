package tracing

import (
	"crypto/rand"

	"go.opentelemetry.io/otel/sdk/trace"
)

// stranger is the key of a context whose caller's sampled flag is not believed.
type stranger struct{}

// sampler traces a share of the requests, and of those with a traceparent that is believed the ones that it says. What is beneath a span of ours goes by that.
func sampler(share float64) trace.Sampler {
	part := trace.TraceIDRatioBased(share)
	return trace.ParentBased(part,
		trace.WithRemoteParentSampled(remote{trace.AlwaysSample(), part}),
		trace.WithRemoteParentNotSampled(remote{trace.NeverSample(), part}))
}

// remote decides where a caller sent a traceparent.
type remote struct{ believed, part trace.Sampler }

// ShouldSample draws lots for a stranger: by the trace ID, which they chose, they would choose whether they are traced.
func (s remote) ShouldSample(p trace.SamplingParameters) trace.SamplingResult {
	if p.ParentContext.Value(stranger{}) == nil {
		return s.believed.ShouldSample(p)
	}
	_, _ = rand.Read(p.TraceID[:]) // of the lot, and not of the span
	return s.part.ShouldSample(p)
}

// Description is for trace.Sampler.
func (s remote) Description() string { return "tokendesk:" + s.believed.Description() }
