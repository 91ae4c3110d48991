package access

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tokendesk/models"
)

// What it costs to count one more call of a credential that was used in the same second.
func BenchmarkTallyAdd(b *testing.B) {
	tally, err := OpenTally(b.TempDir(), models.SystemClock)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		credentials int
	}{{"one credential", 1}, {"20,000 credentials", 20_000}} {
		ids := make([]uuid.UUID, c.credentials)
		for i := range ids {
			ids[i] = uuid.New()
			tally.Add(ids[i], false, models.CallAccepted, noon, there)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			at := noon
			for n := 0; b.Loop(); n++ {
				at = at.Add(time.Microsecond)
				tally.Add(ids[n%len(ids)], false, models.CallAccepted, at, there)
			}
		})
		b.Run(c.name+", all processors", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(next *testing.PB) {
				at := noon
				for n := 0; next.Next(); n += 7 {
					at = at.Add(time.Microsecond)
					tally.Add(ids[n%len(ids)], false, models.CallAccepted, at, there)
				}
			})
		})
	}
}
