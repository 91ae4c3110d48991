package store_test

import (
	"context"
	"testing"
	"time"

	"tokendesk/models"
	"tokendesk/models/store"
	"tokendesk/models/store/storetest"
)

// Who revokes what another click is revoking already, or what an attempt did whose answer was lost, waits for the replicas as well: their answer
// says that it is revoked, too.
func TestAClickThatFindsNothingLeftWaitsToo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, w storetest.World) {
		admin := w.SetUp(t)
		made, text := w.WorkspaceToken(t, admin, "marlowe-press", models.NewAPIToken{Name: "A"})
		joined(t, w, "gw-a") // and says nothing any more
		holder := make(chan models.Receipt, 1)
		other := w.Open(t)
		before, err := w.LastEvent(t.Context())
		must(t, err)
		first := make(chan error, 1)
		go func() {
			_, err := w.RevokeAPIToken(t.Context(), admin, "marlowe-press", made.ID, models.Revocation{})
			first <- err
		}()
		for late := time.Now().Add(10 * time.Second); time.Now().Before(late); time.Sleep(5 * time.Millisecond) {
			if last, err := other.LastEvent(t.Context()); err == nil && last > before {
				break
			}
		}
		go func() { // who holds it, by protocol
			ctx, receipt := store.WithReceipt(context.Background())
			_, _ = w.RevokeHeld(ctx, admin, text)
			holder <- *receipt
		}()
		ctx, receipt := store.WithReceipt(t.Context())
		if _, err := other.RevokeAPIToken(ctx, admin, "marlowe-press", made.ID, models.Revocation{}); err != nil {
			t.Fatal(err)
		}
		if receipt.Took < models.LeaseWait-time.Second { // the first click may have taken the replica off the list by then
			t.Errorf("the second click is answered with %+v", *receipt)
		}
		if held := <-holder; held.Took < models.LeaseWait-time.Second {
			t.Errorf("its holder is answered with %+v", held)
		}
		must(t, <-first)
		ctx, receipt = store.WithReceipt(t.Context())
		if _, err := other.RevokeAPIToken(ctx, admin, "marlowe-press", made.ID, models.Revocation{}); err != nil || receipt.Seq != 0 {
			t.Errorf("when all is over, a third click is answered with %+v (%v)", *receipt, err)
		}
	})
}
