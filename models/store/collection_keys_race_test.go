package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/secret"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// While a collection is deleted, others share it and its keys are used, on two servers: whatever comes first, in the end no key of it lives, none was made
// that nobody was told of, and nobody waited for one another in vain.
func TestSharingWhileItIsDeleted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		s := newShared(t, w)
		servers := []*store.Store{w.Store, w.Open(t)}
		for round := range 8 {
			c := s.install(t, fmt.Sprint("Round ", round))
			var old []models.Credential
			for range 4 {
				key, _ := w.Share(t, s.member, c.ID, "before")
				old = append(old, key)
			}
			var all sync.WaitGroup
			var mu sync.Mutex
			made := len(old)
			for i := range 6 {
				all.Go(func() {
					_, _, err := servers[i%2].CreateCollectionKey(t.Context(), s.member, c.ID, models.NewCollectionKey{}, secret.FormID())
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						made++
					} else if models.KindOf(err) != models.NotFound {
						t.Errorf("share: %v", err)
					}
				})
				all.Go(func() {
					at := w.Clock.Now().Add(time.Duration(i) * time.Second)
					var batch []models.Usage
					for _, key := range old {
						batch = append(batch, models.Usage{CredentialID: key.ID, Calls: 1, LastUsedAt: &at, KeptBy: &at})
					}
					if i%2 == 1 {
						slices.Reverse(batch)
					}
					if err := servers[i%2].RecordUsage(t.Context(), storetest.Flush(), batch, nil); err != nil {
						t.Errorf("use: %v", err)
					}
				})
			}
			all.Go(func() {
				if _, err := servers[round%2].DeleteCollection(t.Context(), s.admin, s.workspace.Slug, c.ID, c.Name); err != nil {
					t.Errorf("delete: %v", err)
				}
			})
			all.Wait()
			if n := number(t, w, "SELECT count(*) FROM credentials WHERE collection_id = ? AND revoked_at IS NULL", c.ID); n != 0 {
				t.Errorf("round %d: %d keys of a collection that is gone are left", round, n)
			}
			if n := number(t, w, "SELECT count(*) FROM credentials WHERE collection_id = ? AND revoke_reason = ?", c.ID, models.CollectionWasDeleted); n != int64(made) {
				t.Errorf("round %d: %d keys ended with it, of %d that were made", round, n, made)
			}
		}
	})
}
