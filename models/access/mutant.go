//go:build !mutants

package access

import (
	"time"

	"tokendesk/models"
)

// What a build for tests may do wrong, so that it can be seen that the tests find it, is right here: constants, and functions that do nothing.
const mutantAckFirst, mutantStreams = false, false

func readClocks() models.Reading   { return models.ReadClocks() }
func mutantPause()                 {}
func mutantApplied(int64)          {}
func mutantStamp(*models.Snapshot) {}
func mutantLease() time.Duration   { return 0 }
