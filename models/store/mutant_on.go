//go:build mutants

package store

// The faults that a build for tests can have, one at a time.
var mutantNoWait, mutantStandby bool

// Mutate has this process be wrong in one way; it is called before anything else.
func Mutate(name string) { mutantNoWait, mutantStandby = name == "no-wait", name == "standby" }
