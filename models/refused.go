package models

import "time"

// Refused is something that was not allowed, as the audit log tells it: once, or many times of one
// kind together, so that whoever tries for long fills no disk.
type Refused struct {
	Action      Action // SignInRefused, InstallRefused or AccessDenied
	Reason      string // a stable code
	Told        string // what the last one was told, where that says more than the code
	File        string // what the last one wanted to install, as they called it
	WorkspaceID string // where, as far as known
	Asked       string // the name of the route
	Who         Actor  // the last one who tried, as far as known
	SubjectKind SubjectKind
	SubjectID   string // whose account or what was aimed at; empty where it does not exist
	SubjectName string
	PersonID    string
	Credential  CredentialKind // what kind the subject is of, where it is a credential
	Count       int64
	First, Last time.Time
	Addresses   int // how many different addresses, up to RefusedAddresses
}

// RefusedAddresses is how far different addresses are counted.
const RefusedAddresses = 100
