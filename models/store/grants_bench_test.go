package store_test

import (
	"testing"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// BenchmarkGrantOf is what it costs to find out what a credential opens, which each call does: with an API token, which takes one query of four
// tables.
func BenchmarkGrantOf(b *testing.B) {
	for _, on := range []struct {
		name string
		url  func() string
	}{
		{"SQLite", func() string { return "" }},
		{"PostgreSQL", func() string { return storetest.Postgres(b, nil) }},
	} {
		b.Run(on.name, func(b *testing.B) {
			w := storetest.New(b, on.url())
			admin := w.SetUp(b)
			_, text := w.WorkspaceToken(b, admin, home, models.NewAPIToken{Name: "a"})
			hash := text.Hash()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.GrantOf(b.Context(), hash); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
