package access

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkLimiter is one call against a limit, of one caller and of one of a hundred thousand.
func BenchmarkLimiter(b *testing.B) {
	for _, callers := range []int{1, 1 << 10, 1 << 17} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			l, who := NewLimiter(), make([]caller, callers)
			for i := range who {
				who[i] = called(fmt.Sprint(i))
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				l.Take(who[n%callers], 1_000_000, noon.Add(time.Duration(n)*time.Microsecond))
				n++
			}
		})
	}
}

// BenchmarkLimiterAtOnce is the same from all processors.
func BenchmarkLimiterAtOnce(b *testing.B) {
	const callers = 1 << 10
	l, who, n := NewLimiter(), make([]caller, callers), atomic.Int64{}
	for i := range who {
		who[i] = called(fmt.Sprint(i))
	}
	b.RunParallel(func(pb *testing.PB) {
		for mine := int(n.Add(1)) * 77; pb.Next(); mine++ {
			l.Take(who[mine%callers], 1_000_000, noon)
		}
	})
}
