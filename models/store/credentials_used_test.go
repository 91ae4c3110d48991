package store_test

import (
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store/storetest"
)

// Revoking many access keys while their uses are written down: neither may be refused because of the other.
func TestRevokingManyAmidTheirUse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := newShared(t, w)
		for round := range 3 {
			var ids []string
			for range 60 {
				made, _ := w.Share(t, s.admin, s.tools.ID, "a")
				ids = append(ids, made.ID)
			}
			var writer sync.WaitGroup
			begun, stop := make(chan struct{}), make(chan struct{})
			writer.Go(func() {
				at := w.Clock.Now()
				for n := 0; ; n++ {
					at = at.Add(10 * time.Millisecond)
					var batch []models.Usage
					for _, id := range ids {
						batch = append(batch, models.Usage{CredentialID: id, Calls: 1, LastUsedAt: &at, KeptBy: &at})
					}
					if err := w.RecordUsage(t.Context(), storetest.Flush(), batch, nil); err != nil {
						t.Errorf("round %d: uses were not written down: %v", round, err)
					}
					if n == 0 {
						close(begun)
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
			<-begun
			if _, err := w.RevokeCredentials(t.Context(), s.admin, ids, models.Revocation{Reason: "x"}); err != nil {
				t.Errorf("round %d: not revoked: %v", round, err)
			}
			close(stop)
			writer.Wait()
		}
	})
}
