//go:build mutants

package main

import (
	"os"

	"tokendesk/models/access"
	"tokendesk/models/store"
)

// A build for tests is wrong in the way that TOKENDESK_MUTANT names: cmd/chaos insists that this is found.
func init() {
	access.Mutate(os.Getenv("TOKENDESK_MUTANT"))
	store.Mutate(os.Getenv("TOKENDESK_MUTANT"))
}
