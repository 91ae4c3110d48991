package store_test

import (
	"fmt"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// counted is what a flush of the benchmark is of.
type counted struct {
	name    string
	many    int
	before  int64 // calls of API tokens that were written down before; 0: they are API keys
	eachDay bool  // each flush is of another day
}

// What it takes to write the counts of 1,000 and of 10,000 credentials down: each was used before, on that day too. Then what it takes where an index has
// to follow: API tokens that are sorted by few calls, and the first flush of a day.
func BenchmarkFlush(b *testing.B) {
	for _, name := range []string{"sqlite", "postgres"} {
		for _, c := range []counted{
			{"keys", 1000, 0, false}, {"keys", 10_000, 0, false}, {"tokens", 10_000, 100_000, false}, {"young-tokens", 10_000, 1, false}, {"another-day", 10_000, 0, true},
		} {
			b.Run(fmt.Sprintf("%s/%s/%d", name, c.name, c.many), func(b *testing.B) {
				url := ""
				if name == "postgres" {
					url = storetest.Postgres(b, nil)
				}
				w := storetest.New(b, url)
				batch, days := countsOf(b, w, c)
				flush, day := storetest.Flush(), w.Clock.Now()
				for b.Loop() {
					flush.Number++
					if c.eachDay {
						day = day.AddDate(0, 0, 1)
					}
					for i, u := range batch {
						*batch[i].LastUsedAt, days[i].Day = u.LastUsedAt.Add(time.Second), day.Format(time.DateOnly)
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

func countsOf(b *testing.B, w storetest.World, c counted) (batch []models.Usage, days []models.UsageDay) {
	b.Helper()
	admin, now := w.SetUp(b), w.Clock.Now()
	product := models.Product{}
	must(b, w.DB().Take(&product).Error)
	var made []models.Credential
	var rows []models.Usage
	for i := range c.many {
		id := models.NewID()
		at := now.Add(time.Duration(i) * time.Microsecond)
		credential, row := models.Credential{ID: id, Kind: models.APIKey, PersonID: admin.ID, Hash: []byte(id), Enabled: true, CreatedAt: now}, models.Usage{CredentialID: id, IdleSince: now}
		if c.before > 0 {
			credential.Kind, credential.PersonID, credential.WorkspaceID, credential.ProductID = models.APIToken, "", product.WorkspaceID, product.ID
			row.WorkspaceID, row.Calls, row.Ranked = product.WorkspaceID, c.before, c.before
		}
		made, rows = append(made, credential), append(rows, row)
		batch = append(batch, models.Usage{CredentialID: id, Calls: 3, LastUsedAt: &at, LastAddress: "192.0.2.1"})
		days = append(days, models.UsageDay{CredentialID: id, Day: now.Format(time.DateOnly), Calls: 3})
	}
	must(b, w.DB().CreateInBatches(made, 50).Error)
	must(b, w.DB().CreateInBatches(rows, 50).Error)
	must(b, w.RecordUsage(b.Context(), storetest.Flush(), batch, days))
	return batch, days
}
