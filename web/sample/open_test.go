package sample_test

import (
	"path/filepath"
	"sync"
	"testing"

	"tokendesk/web/sample"
)

// Servers that start at the same time on one new folder all open the file, whoever makes it.
func TestOpenTogether(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "sample.db")
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				s, err := sample.Open(t.Context(), path, sample.Options{Clock: (&clock{}).Now})
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
		}
		wait.Wait()
	}
}
