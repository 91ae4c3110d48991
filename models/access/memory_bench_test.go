package access

import (
	"runtime"
	"testing"

	"github.com/google/uuid"

	"tokendesk/models/secret"
)

// BenchmarkMemory is what a million credentials cost: of memory each, and of one garbage collection.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := NewMemory(n)
		k := knownOf(new(goodGrant()))
		for i := range n {
			hash := keyNo(i)
			k.ID = uuid.UUID(hash[:16])
			m.keep((*secret.Hash)(&hash), k, 0)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(m.Entries()), "B/credential")
		b.ReportMetric(float64(m.Entries()), "credentials")
		runtime.KeepAlive(m)
	}
}
