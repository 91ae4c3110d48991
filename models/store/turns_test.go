package store

import (
	"sync"
	"testing"
	"time"
)

// However many wait to write, one at a time does, and who has a lease to renew waits for no more than two of them.
func TestALeaseIsRenewedBeforeOthersWrite(t *testing.T) {
	var (
		turns  turns
		all    sync.WaitGroup
		writes int // by those who waited; only who has a turn looks at it
		within bool
	)
	write := func(done func()) {
		defer done()
		if within {
			t.Error("two write at once")
		}
		within = true
		time.Sleep(2 * time.Millisecond) // as long as a small transaction
		writes++
		within = false
	}
	for range 200 {
		all.Go(func() { write(turns.take()) })
	}
	for range 20 {
		done := turns.take() // the others wait, from here on
		before := writes
		ended := make(chan int)
		go func() {
			done := turns.first()
			defer done()
			ended <- writes - before
		}()
		done()
		if n := <-ended; n > 3 {
			t.Errorf("%d others wrote before a lease was renewed", n)
		}
	}
	all.Wait()
	if writes != 200 {
		t.Errorf("%d wrote, want 200", writes)
	}
}
