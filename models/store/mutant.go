//go:build !mutants

package store

// What the tests build with a fault, to see that it is found, is right here: these are constants, and nothing of it is in the program.
const mutantNoWait, mutantStandby = false, false
