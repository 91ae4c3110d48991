package store

import (
	"sync"

	"tokendesk/migrations"
)

// turns lets one at a time write to SQLite, which has one writer: who waits here waits in order, and not by polling the file. Who has a lease to renew goes
// before all who wait, because of whom there may be so many that the lease would be over.
type turns struct {
	queue sync.Mutex // held by whoever is the next but for those with a lease
	file  sync.Mutex // held by whoever writes
}

// take waits for a turn; what it returns ends it.
func (t *turns) take() (done func()) {
	t.queue.Lock()
	t.file.Lock()
	t.queue.Unlock()
	return t.file.Unlock
}

// first waits for whoever writes, and at most for the next.
func (t *turns) first() (done func()) {
	t.file.Lock()
	return t.file.Unlock
}

// alone keeps other writers of this process away where there can be one at a time; what it returns lets them in again.
func (s *Store) alone() (done func()) {
	if s.dialect != migrations.SQLite {
		return func() {}
	}
	return s.one.take()
}

// aloneFirst is alone for what a lease hangs on.
func (s *Store) aloneFirst() (done func()) {
	if s.dialect != migrations.SQLite {
		return func() {}
	}
	return s.one.first()
}
