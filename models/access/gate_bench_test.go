package access

import (
	"testing"
	"time"
)

// BenchmarkDecide is a call of an API token to a product that passes, from the field that it came in to the count, with a source
// that knows the answer.
func BenchmarkDecide(b *testing.B) {
	c, now := goodCall(b), noon
	c.grant.Opens.CallsAMinute = 1_000_000
	c.grant.Credential.ID = "01a20049-a317-7ea3-9747-ad5f991ff793"
	gate := NewGate(&c.source, NewTally(), func() time.Time {
		now = now.Add(time.Millisecond) // or the limit is reached
		return now
	})
	field := []string{"Bearer " + c.call.Presented.Text.Reveal()}
	b.ReportAllocs()
	for b.Loop() {
		call := c.call
		call.Presented = Present(field, nil, nil)
		if d := gate.Decide(b.Context(), call); !d.Allowed() {
			b.Fatal(d.Code)
		}
	}
}
