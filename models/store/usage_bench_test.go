package store_test

import (
	"fmt"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// What it takes to write the counts of 1,000 and of 10,000 credentials down: each has a row of usage already, and one of that day.
func BenchmarkFlush(b *testing.B) {
	for name, url := range map[string]func() string{"sqlite": func() string { return "" }, "postgres": func() string { return storetest.Postgres(b, nil) }} {
		for _, many := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", name, many), func(b *testing.B) {
				w := storetest.New(b, url())
				batch, days := countsOf(b, w, many)
				flush := storetest.Flush()
				for b.Loop() {
					flush.Number++
					for i, u := range batch {
						*batch[i].LastUsedAt = u.LastUsedAt.Add(time.Second)
					}
					if err := w.RecordUsage(b.Context(), flush, batch, days); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/flush")
			})
		}
	}
}

func countsOf(b *testing.B, w storetest.World, many int) (batch []models.Usage, days []models.UsageDay) {
	b.Helper()
	admin, now := w.SetUp(b), w.Clock.Now()
	var made []models.Credential
	for i := range many {
		id := models.NewID()
		at := now.Add(time.Duration(i) * time.Microsecond)
		made = append(made, models.Credential{ID: id, Kind: models.APIKey, PersonID: admin.ID, Hash: []byte(id), Enabled: true, CreatedAt: now})
		batch = append(batch, models.Usage{CredentialID: id, Calls: 3, LastUsedAt: &at, LastAddress: "192.0.2.1"})
		days = append(days, models.UsageDay{CredentialID: id, Day: "2026-11-21", Calls: 3})
	}
	if err := w.DB().CreateInBatches(made, 50).Error; err != nil {
		b.Fatal(err)
	}
	if err := w.RecordUsage(b.Context(), storetest.Flush(), batch, days); err != nil {
		b.Fatal(err)
	}
	return batch, days
}
